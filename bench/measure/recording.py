"""What the kernels are asked for during a training step, noted at the door of the native module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from fastrnn import _core

from measure.flops import (
    BACKWARD,
    FORWARD,
    OPTIMIZER,
    DensePass,
    RecurrentPass,
    total,
)


class Recorder:
    """Notes each kernel call between `with` and its end.

    It stands in for the functions of `fastrnn._core`, through which all of fastrnn calls its
    kernels, and passes every call on. That takes microseconds, so do not take times meanwhile.
    """

    def __init__(self) -> None:
        self.recurrent: list[RecurrentPass] = []
        self.dense: list[DensePass] = []
        self.optimizer_bytes = 0
        self._originals: dict[str, Callable[..., Any]] = {}
        self._walks: dict[int, dict[str, Any]] = {}  # by tape, until its backward pass

    def __enter__(self) -> Recorder:
        stand_ins: dict[str, Callable[..., Callable[..., Any]]] = {
            "rnn_forward": self._rnn_forward,
            "rnn_backward": self._rnn_backward,
            "rnn_forward_both": self._rnn_forward_both,
            "rnn_backward_both": self._rnn_backward_both,
            "dense_forward": self._dense_forward,
            "dense_backward": self._dense_backward,
            "conv1d_forward": self._conv1d_forward,
            "conv1d_backward": self._conv1d_backward,
        }
        stand_ins.update((name, self._update) for name in vars(_core) if name.endswith("_update"))
        for name, stand_in in stand_ins.items():
            self._originals[name] = original = getattr(_core, name)
            setattr(_core, name, stand_in(original))
        return self

    def __exit__(self, *exception: object) -> None:
        for name, original in self._originals.items():
            setattr(_core, name, original)
        self._originals.clear()
        self._walks.clear()

    def nominal(self) -> Counter[str]:
        """Operations of the dense problem, by phase."""
        return total(noted.nominal() for noted in (*self.recurrent, *self.dense))

    def executed(self) -> Counter[str]:
        """Operations that were done, by phase."""
        return total(noted.executed() for noted in (*self.recurrent, *self.dense))

    def bytes_moved(self) -> Counter[str]:
        """What memory or a cache must move at least, by phase, where that is worth knowing."""
        tapes = sum(noted.tape_bytes for noted in self.recurrent)
        return Counter({FORWARD: tapes, BACKWARD: tapes, OPTIMIZER: self.optimizer_bytes})

    def _rnn_forward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        return _noted(original, self._note_walk)

    def _rnn_forward_both(self, original: Callable[..., Any]) -> Callable[..., Any]:
        return _noted_both(original, self._note_walk)

    def _note_walk(self, given: dict[str, Any], result: Any) -> None:
        tape = result[2]
        if tape is None:
            return
        batch, steps = np.shape(given.get("tokens", given.get("x")))[:2]
        by_token = "tokens" in given and given["dropout_mask"] is None
        self._walks[id(tape)] = {
            "gates": _core.CELLS[given["cell"]].gates,
            "batch": batch,
            "steps": steps,
            "features": np.shape(given["kernel"])[0],
            "units": np.shape(given["recurrent_kernel"])[0],
            "positions": tape.positions,
            "prefix": tape.prefix,
            "distinct": tape.distinct if by_token else 0,
            "tape_bytes": tape.nbytes,
        }

    def _rnn_backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        return _noted(original, self._note_walk_back)

    def _rnn_backward_both(self, original: Callable[..., Any]) -> Callable[..., Any]:
        return _noted_both(original, self._note_walk_back)

    def _note_walk_back(self, given: dict[str, Any], result: Any) -> None:
        walk = self._walks.pop(id(given["tape"]), None)
        if walk is not None:  # else its forward pass came before the recording
            self.recurrent.append(RecurrentPass(**walk, input_gradient=result[0] is not None))

    def _dense_forward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def stand_in(x: Any, kernel: Any, *arguments: Any, **options: Any) -> Any:
            features, units = np.shape(kernel)
            self.dense.append(DensePass(np.size(x) // features, features, units, products=1))
            return original(x, kernel, *arguments, **options)

        return stand_in

    def _dense_backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def stand_in(x: Any, y: Any, kernel: Any, *arguments: Any, **options: Any) -> Any:
            result = original(x, y, kernel, *arguments, **options)
            features, units = np.shape(kernel)
            products = 1 if result[0] is None else 2
            self.dense.append(DensePass(np.size(x) // features, features, units, products))
            return result

        return stand_in

    def _conv1d_forward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def stand_in(x: Any, kernel: Any, *arguments: Any) -> Any:
            y = original(x, kernel, *arguments)
            self._note_windows(kernel, y, products=1)
            return y

        return stand_in

    def _conv1d_backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def stand_in(x: Any, y: Any, kernel: Any, *arguments: Any) -> Any:
            result = original(x, y, kernel, *arguments)
            self._note_windows(kernel, y, products=1 if result[0] is None else 2)
            return result

        return stand_in

    def _note_windows(self, kernel: Any, y: Any, products: int) -> None:
        """A convolution is a Dense on windows: a row for each, with the features of its steps."""
        taps, features, filters = np.shape(kernel)
        self.dense.append(DensePass(np.size(y) // filters, taps * features, filters, products))

    def _update(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def stand_in(*arguments: Any, **options: Any) -> Any:
            # Each argument is an array, or a list with one for each variable.
            groups = [
                value if isinstance(value, (list, tuple)) else [value]
                for value in (*arguments, *options.values())
            ]
            sizes = [
                sum(array.nbytes for array in group)
                for group in groups
                if all(isinstance(array, np.ndarray) for array in group)
            ]
            # Each is read, and all but the gradient are written.
            self.optimizer_bytes += (2 * len(sizes) - 1) * sizes[0]
            return original(*arguments, **options)

        return stand_in


def _noted(original: Callable[..., Any], note: Callable[[dict[str, Any], Any], None]) -> Any:
    """A stand-in for a function of the core that notes its arguments and its result."""

    def stand_in(**given: Any) -> Any:
        result = original(**given)
        note(given, result)
        return result

    return stand_in


def _noted_both(original: Callable[..., Any], note: Callable[[dict[str, Any], Any], None]) -> Any:
    """The same for a function that makes several calls at once."""

    def stand_in(*given: dict[str, Any]) -> Any:
        results = original(*given)
        for one, result in zip(given, results, strict=True):
            note(one, result)
        return results

    return stand_in
