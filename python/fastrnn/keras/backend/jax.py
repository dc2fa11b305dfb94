"""The kernels inside JAX: callbacks to this process, with a gradient of their own."""

from __future__ import annotations

import functools
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fastrnn.keras.backend import called_by
from fastrnn.keras.walk import Walk
from fastrnn.kernels import Tape

_EXPORTERS = ("keras.src.export", "jax._src.export", "jax.experimental.jax2tf")

# Bytes of tapes that wait for their backward pass. Where JAX never runs it, older ones give way.
_LIMIT = 2 << 30


def reason_against(*_: Any) -> str | None:
    """Return why the kernels cannot compute with tensors; None if they can."""
    platform = jax.default_backend()
    return None if platform == "cpu" else f"JAX runs on '{platform}'"


def is_exporting(tensor: Any) -> bool:
    """Return whether a graph is being made for other processes, in which it cannot call this one.

    Args:
        tensor: An input of the layer.
    """
    return isinstance(tensor, jax.core.Tracer) and called_by(*_EXPORTERS)


def run(walk: Walk, floats: list[Any], others: list[Any], keep_tape: bool) -> list[Any]:
    """Run the kernels on tensors.

    Args:
        walk: What to compute.
        floats: As in `Walk.forward`.
        others: As in `Walk.forward`.
        keep_tape: Without effect: JAX knows itself whether a backward pass may follow.

    Returns:
        The outputs and the last states.
    """
    outputs, *states = _run(walk, tuple(floats), tuple(others))
    if "mask" in walk.others and not walk.zero_output_for_mask:
        outputs = _begin_with_state(walk, outputs, floats[-walk.states], others[0])
    return [outputs, *states]


def _begin_with_state(walk: Walk, outputs: Any, h: Any, mask: Any) -> Any:
    """Put the initial state in where no step has been walked: on JAX, Keras's outputs hold it.

    The kernels' outputs hold zeros there, as those of Keras on its other backends.
    """
    if not walk.return_sequences:
        return jnp.where(mask.any(axis=1, keepdims=True), outputs, h)
    walked = jax.lax.cummax(mask.astype("int8"), axis=1, reverse=walk.go_backwards)
    return jnp.where(walked[:, :, None] > 0, outputs, h[:, None])


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run(walk: Walk, floats: tuple[Any, ...], others: tuple[Any, ...]) -> list[Any]:
    return _call(_callbacks(walk, len(floats)).forward, _results(walk, floats), *floats, *others)


def _forward(walk: Walk, floats: tuple[Any, ...], others: tuple[Any, ...]) -> Any:
    shapes = [*_results(walk, floats), jax.ShapeDtypeStruct((), jnp.int32)]
    function = _callbacks(walk, len(floats)).forward_with_tape
    *results, number = _call(function, shapes, *floats, *others)
    return results, (floats, others, number)


def _backward(walk: Walk, saved: Any, d_results: list[Any]) -> Any:
    floats, others, number = saved
    shapes = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in floats]
    function = _callbacks(walk, len(floats)).backward
    gradients = _call(function, shapes, number, *d_results, *floats, *others)
    return tuple(gradients), None


_run.defvjp(_forward, _backward)


def _results(walk: Walk, floats: tuple[Any, ...]) -> list[Any]:
    shapes = walk.output_shapes(floats[0].shape, floats[2].shape[0])
    return [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]


def _call(function: Callable[..., Any], shapes: list[Any], *arrays: Any) -> list[Any]:
    # Under `vmap` one call follows another: a tape belongs to one of them.
    return list(jax.pure_callback(function, shapes, *arrays, vmap_method="sequential"))


class _Callbacks:
    """The functions that JAX calls back. They are cached, since JAX compiles again for new ones.

    They may not call JAX, which may be waiting for them.
    """

    def __init__(self, walk: Walk, floats: int) -> None:
        results = 1 + walk.states

        def forward(*arrays: Any) -> list[np.ndarray]:
            given = [np.asarray(array) for array in arrays]
            result = walk.forward(given[:floats], given[floats:], keep_tape=False)
            return [result.outputs, *result.states]

        def forward_with_tape(*arrays: Any) -> list[Any]:
            # Copies: JAX uses the arrays' memory again, and the tape refers to them.
            given = [np.array(array) for array in arrays]
            result = walk.forward(given[:floats], given[floats:], keep_tape=True)
            number = _tapes.put(result.tape, _bytes_of(given, result.outputs, walk))
            return [result.outputs, *result.states, np.int32(number)]

        def backward(number: Any, *arrays: Any) -> list[np.ndarray]:
            given = [np.asarray(array) for array in arrays]
            tape = _tapes.take(int(number))
            end = results + floats
            return walk.backward(tape, given[results:end], given[end:], given[:results])

        self.forward, self.forward_with_tape, self.backward = forward, forward_with_tape, backward


_callbacks = functools.cache(_Callbacks)


def _bytes_of(arrays: list[np.ndarray], outputs: np.ndarray, walk: Walk) -> int:
    """Return about how large a tape is: its arrays, and states and gates of each step."""
    batch, steps, _ = arrays[0].shape
    units, columns = arrays[2].shape
    lanes = columns + (1 + walk.states) * units
    return sum(array.nbytes for array in arrays) + 4 * batch * steps * lanes


class _Tapes:
    """Tapes by number, from the forward pass to the backward pass, which takes them away.

    JAX may leave a backward pass out, or run it twice. A tape that is gone is made again.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._bytes = limit, 0
        self._numbers = itertools.count()
        self._kept: OrderedDict[int, tuple[Tape, int]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, tape: Any, size: int) -> int:
        """Keep a tape of a size in bytes, and return its number."""
        with self._lock:
            number = next(self._numbers) & 0x7FFFFFFF
            self._kept[number] = tape, size
            self._bytes += size
            while self._bytes > self._limit and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1][1]
            return number

    def take(self, number: int) -> Tape | None:
        """Return a tape, and forget it; None if it is gone."""
        with self._lock:
            if number not in self._kept:
                return None
            tape, size = self._kept.pop(number)
            self._bytes -= size
            return tape


_tapes = _Tapes(_LIMIT)
