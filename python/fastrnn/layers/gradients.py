"""Values and gradients of what calls layers and models, for one's own training loops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from fastrnn import tracing
from fastrnn.layers.calls import as_traced, running_call
from fastrnn.variable import Variable


def value_and_gradients(
    function: Callable[[], Any], variables: Sequence[Variable]
) -> tuple[float, list[np.ndarray]]:
    """Call a function of weights; return its value and its gradients.

    Layers and models that the function calls run their own passes within a trace. Dropout is
    active in those that are called with `training=True`.

    Args:
        function: Takes nothing and returns a scalar: it calls models and layers on arrays, and goes
            on with losses, operators and the functions of `fastrnn.ops`.
        variables: The weights, such as `model.trainable_weights`.

    Returns:
        The value, and a float32 array for each of the variables, of its shape; zeros where the
        value does not depend on it.

    Raises:
        TypeError: If an entry of `variables` is not a weight.
        ValueError: If the function does not return a scalar.

    Example:
        >>> import numpy as np
        >>> from fastrnn import layers, ops
        >>> layer = layers.Dense(1, use_bias=False, kernel_initializer="ones")
        >>> x = np.float32([[2.0, 3.0]])
        >>> layer.build(x.shape)
        >>> value, gradients = value_and_gradients(lambda: ops.sum(layer(x)), layer.weights)
        >>> value, gradients[0].tolist()
        (5.0, [[2.0], [3.0]])
    """
    variables = _checked(variables)

    def traced(*arrays: Any) -> Any:
        standing = dict(zip(map(id, variables), arrays, strict=True))
        with as_traced(standing, None, running_call()):
            return function()

    value, pullback = tracing.vjp(traced, *[variable.value for variable in variables])
    if isinstance(value, (list, tuple)) or np.ndim(value) != 0:
        raise ValueError(f"`function` must return a scalar. Received: {value!r}")
    return float(value), list(pullback(np.float32(1)))


class GradientTape:
    """Records what is computed with weights, within a `with` block; then returns gradients.

    It is what TensorFlow's `GradientTape` is to training loops. Arrays that depend on weights are
    traced within the block: use operators, `fastrnn.ops`, losses, layers and models on them. Tapes
    that record at the same time share what they record. There are no second derivatives.

    Args:
        persistent: Accepted; a tape may be asked for gradients any number of times.
        watch_accessed_variables: Accepted; all weights are watched.

    Example:
        >>> import numpy as np, fastrnn
        >>> from fastrnn import layers, ops
        >>> layer = layers.Dense(1, use_bias=False, kernel_initializer="ones")
        >>> layer.build((1, 2))
        >>> with fastrnn.GradientTape() as tape:
        ...     loss = ops.sum(ops.square(layer(np.float32([[2.0, 3.0]]))))
        >>> tape.gradient(loss, layer.trainable_weights)[0].tolist()
        [[20.0], [30.0]]
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._stack: ExitStack | None = None
        self._recorded: _Recorded | None = None

    def __enter__(self) -> GradientTape:
        """Begin to record."""
        if self._stack is not None:
            raise ValueError("The tape records already.")
        self._stack = ExitStack()
        if _tapes.open:
            self._recorded = _tapes.open[-1]._recorded
        else:
            record = self._stack.enter_context(tracing.recording())
            self._recorded = _Recorded(record)
            self._stack.enter_context(as_traced(self._recorded, None, running_call()))
        _tapes.open.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop to record."""
        assert self._stack is not None
        _tapes.open.remove(self)
        self._stack.close()  # that of the tape which began first has the record
        self._stack = None

    def watch(self, tensor: Any) -> None:
        """Refuse an array: only weights are watched.

        Args:
            tensor: Weights, or a list of them, which are watched anyway.

        Raises:
            TypeError: If it is something else.
        """
        for each in tensor if isinstance(tensor, (list, tuple)) else [tensor]:
            if not isinstance(each, Variable):
                raise TypeError(
                    "A tape watches weights. For the gradient of an array make a "
                    f"`fastrnn.Variable` of it. Received: {type(each).__name__}"
                )

    def gradient(self, target: Any, sources: Any, output_gradients: Any = None) -> Any:
        """Return the gradients of what was computed; zeros where it does not depend on a weight.

        Args:
            target: What was computed in the block: a scalar, or an array, whose elements are added.
            sources: A weight, or a list or tuple of them.
            output_gradients: Gradient of the target; ones by default.

        Returns:
            A float32 array, or a list of them.

        Raises:
            TypeError: If a source is not a weight.
            ValueError: If a tape still records: second derivatives are not computed.
        """
        if _tapes.open:
            raise ValueError(
                "`gradient` must be called after the `with` block of all tapes: second derivatives "
                "are not computed."
            )
        if self._recorded is None:
            raise ValueError("The tape has recorded nothing.")
        several = isinstance(sources, (list, tuple))
        variables = _checked(sources if several else [sources])
        given = np.ones(np.shape(tracing.plain(target)), np.float32)
        if output_gradients is not None:
            given = np.asarray(output_gradients, np.float32)
        boxes = [self._recorded.get(id(variable), variable.value) for variable in variables]
        found = self._recorded.record.gradients([target], [given], boxes)
        gradients = [
            np.zeros(variable.shape, np.float32)
            if gradient is None
            else tracing.as_gradient(gradient, variable.value)
            for variable, gradient in zip(variables, found, strict=True)
        ]
        return gradients if several else gradients[0]


class _Recorded(dict[int, Any]):
    """The traced arrays that stand for weights, by their ids, made when they are first used.

    Args:
        record: What records.
    """

    def __init__(self, record: tracing.Record) -> None:
        super().__init__()
        self.record = record

    def stand_in(self, weight: Variable) -> Any:
        """Return the traced array of a weight."""
        found = self.get(id(weight))
        if found is None and not weight.trainable:
            return weight.value
        if found is None:
            found = self[id(weight)] = self.record.box(weight.value)
        return found


class _Tapes(threading.local):
    def __init__(self) -> None:
        self.open: list[GradientTape] = []


_tapes = _Tapes()


def _checked(variables: Any) -> list[Variable]:
    for variable in variables:
        if not isinstance(variable, Variable):
            raise TypeError(f"`variables` must be a list of weights. Received: {variable!r} in it")
    return list(variables)
