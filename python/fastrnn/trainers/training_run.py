"""A training from its first to its last epoch, and its state, with which it can go on later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastrnn import random
from fastrnn.callbacks import Callback, CallbackList
from fastrnn.layers.layer import Layer
from fastrnn.metrics import Metric
from fastrnn.metrics.confusion_matrix import ConfusionMatrix
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.trainers.data import Epochs, Feed
from fastrnn.trainers.interruption import DeferredSignals
from fastrnn.trainers.train_step import TrainStep


class TrainingRun:
    """One `fit`: its loops over epochs and batches, and the state of all its parts.

    Args:
        model: The model.
        step: Its train step.
        data: The batches of each epoch.
        feeds: What the batches to train and to test with come from.
        notified: The callbacks.
        epochs: Numbers of the epochs.

    Attributes:
        epoch: The epoch that is trained, or between two epochs the one that comes.
        batch: Number of its batches that were trained.
    """

    def __init__(
        self,
        model: CompiledModel,
        step: TrainStep,
        data: Epochs,
        feeds: Sequence[Feed | None],
        notified: CallbackList,
        epochs: range,
    ) -> None:
        self._model = model
        self._step = step
        self._data = data
        self._notified = notified
        self._last_epoch = epochs.stop
        self.epoch = epochs.start
        self.batch = 0
        layers = list(_all_layers(model))
        self._stateful = [layer for layer in layers if layer._stateful]
        self._generators = [
            value
            for layer in layers
            for value in vars(layer).values()
            if isinstance(value, np.random.Generator)
        ]
        for feed in feeds:
            self._generators += [] if feed is None else feed.generators()

    def train(self, validate: Callable[[int], dict[str, Any]]) -> None:
        """Run the epochs.

        `on_train_begin` may restore a state in the midst of an epoch. The model's `stop_training`
        ends the training after the batch. Ctrl-C and SIGTERM take effect between two steps, so
        that the weights and the optimizer's state are of the same step.

        Args:
            validate: Called after each epoch with its number; returns what to add to its results.
        """
        model, step, notified = self._model, self._step, self._notified
        model.stop_training = False
        begin, end = (notified.listens(f"on_train_batch_{when}") for when in ("begin", "end"))
        logs: dict[str, Any] | None = None
        with DeferredSignals() as signals:
            notified.notify("on_train_begin", None)
            for epoch in range(self.epoch, self._last_epoch):
                if self._data.ran_out():
                    break
                notified.notify("on_epoch_begin", epoch, None)
                if not self.batch:
                    step.reset()
                for number, batch in enumerate(self._data, self.batch):
                    if begin:
                        notified.notify("on_train_batch_begin", number, None)
                    signals.hold()
                    step.train(batch)
                    self.batch = number + 1
                    signals.release()
                    if end:
                        notified.notify("on_train_batch_end", number, step.results())
                    if model.stop_training:
                        break
                logs = step.results() | validate(epoch)
                self.epoch, self.batch = epoch + 1, 0
                notified.notify("on_epoch_end", epoch, logs)
                if model.stop_training:
                    break
            model.optimizer.finalize_variable_values(model.trainable_weights)
            notified.notify("on_train_end", logs)

    def state(self) -> dict[str, Any]:
        """Return the state between two batches or two epochs.

        Returns:
            Plain values and arrays. The arrays are those of the model, not copies.
        """
        optimizer = self._built_optimizer()
        slots: dict[str, np.ndarray] = {}
        optimizer.save_own_variables(slots)
        return {
            "parts": self._parts(),
            "epoch": self.epoch,
            "data": self._data.place(self.batch),
            "random": random.get_state(self._generators),
            "weights": [variable.value for variable in self._model.weights],
            "optimizer": slots,
            "states": [_states_of(layer) for layer in self._stateful],
            "sums": self._step.sums(),
            "metrics": [_state_of(metric) for metric in self._step.metrics],
            "callbacks": [
                (name, {key: getattr(callback, key) for key in callback.state_names})
                for name, callback in self._named_callbacks()
            ],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Bring back a state, that of the same run or of one with parts of the same kinds.

        Raises:
            ValueError: If the parts of the model are others, which then stays as it was, or the
                data have another number of batches.
        """
        for kind, own in self._parts().items():
            given = state["parts"][kind]
            if given != own:
                raise ValueError(
                    f"it is of another model, with other {kind}: {_difference(own, given)}"
                )
        self._data.go_to(state["data"])
        self._built_optimizer().load_own_variables(state["optimizer"])
        for variable, value in zip(self._model.weights, state["weights"], strict=True):
            variable.assign(value)
        for layer, values in zip(self._stateful, state["states"], strict=True):
            _set_states(layer, values)
        self._step.set_sums(state["sums"])
        for metric, values in zip(self._step.metrics, state["metrics"], strict=True):
            _restore(metric, values)
        values_of = dict(state["callbacks"])
        for name, callback in self._named_callbacks():
            for key, value in values_of.get(name, {}).items():
                if key in callback.state_names:
                    setattr(callback, key, value)
        random.set_state(state["random"], self._generators)
        self.epoch, self.batch = state["epoch"], state["data"]["behind"]

    def _built_optimizer(self) -> Any:
        optimizer = self._model.optimizer
        if not optimizer.built:
            optimizer.build(self._model.trainable_weights)
        return optimizer

    def _parts(self) -> dict[str, list[str]]:
        """Return what must be alike, in words."""
        optimizer = self._built_optimizer()
        return {
            "layers": [
                f"{type(layer).__name__} {[variable.shape for variable in layer.weights]}"
                for layer in _all_layers(self._model)
            ],
            "slots of the optimizer": [
                f"{type(optimizer).__name__} {slot.shape}" for slot in optimizer.variables
            ],
            "metrics": self._step.names,
            "generators": [type(each.bit_generator).__name__ for each in self._generators],
        }

    def _named_callbacks(self) -> Iterator[tuple[str, Callback]]:
        """Yield the callbacks with names, those of one class numbered."""
        seen: dict[str, int] = defaultdict(int)
        for callback in self._notified.callbacks:
            kind = type(callback).__name__
            seen[kind] += 1
            yield f"{kind} {seen[kind]}", callback


def _all_layers(layer: Layer) -> Iterator[Layer]:
    yield layer
    for inside in layer._sublayers():
        yield from _all_layers(inside)


def _difference(own: Sequence[str], given: Sequence[str]) -> str:
    for one, other in zip(own, given, strict=False):
        if one != other:
            return f"it has {other}, not {one}"
    return f"it has {len(given)} of them, not {len(own)}"


def _states_of(layer: Any) -> list[np.ndarray] | None:
    states = getattr(layer, "states", None)
    return None if states is None else [state.value for state in states]


def _set_states(layer: Any, values: list[np.ndarray] | None) -> None:
    if values is not None:
        for state, value in zip(layer._make_states(len(values[0])), values, strict=True):
            state.assign(value)


def _state_of(counter: Any) -> dict[str, Any]:
    """Return what a metric has gathered: its attributes that are numbers or count for it."""
    return {
        name: _state_of(value) if isinstance(value, (Metric, ConfusionMatrix)) else value
        for name, value in vars(counter).items()
        if isinstance(value, (Metric, ConfusionMatrix)) or _is_plain(value)
    }


def _is_plain(value: Any) -> bool:
    if isinstance(value, (np.ndarray, np.generic)):
        return not value.dtype.hasobject
    if type(value) is tuple:
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, str)


def _restore(counter: Any, state: Mapping[str, Any]) -> None:
    for name in vars(counter).keys() & state.keys():
        if isinstance(own := getattr(counter, name), (Metric, ConfusionMatrix)):
            _restore(own, state[name])
        else:
            setattr(counter, name, state[name])
