"""A training from its first to its last epoch, and its state, with which it can go on later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fastrnn import parallel, random
from fastrnn.callbacks import Callback, CallbackList
from fastrnn.trainers.agreement import agree, end_epoch
from fastrnn.trainers.compiled_model import CompiledModel, all_layers
from fastrnn.trainers.data import Epochs, Feed
from fastrnn.trainers.interruption import AgreedSignals, DeferredSignals
from fastrnn.trainers.train_step import TrainStep


class TrainingRun:
    """One `fit`: its loops over epochs and batches, and the state of all its parts.

    Args:
        model: The model.
        step: Its train step.
        data: The batches of each epoch.
        feeds: What the batches to train and to test with come from.
        callback_list: The callbacks.
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
        callback_list: CallbackList,
        epochs: range,
    ) -> None:
        self._model = model
        self._step = step
        self._data = data
        self._callback_list = callback_list
        self._last_epoch = epochs.stop
        self.epoch = epochs.start
        self.batch = 0
        self._layers = list(all_layers(model))
        self._feeds = [feed for feed in feeds if feed is not None and feed.get_state()]

    def train(self, validate: Callable[[int], dict[str, Any]]) -> None:
        """Run the epochs.

        `on_train_begin` may restore a state in the midst of an epoch. The model's `stop_training`
        ends the training after the batch. Ctrl-C and SIGTERM take effect between two steps, so
        that the weights and the optimizer's state are of the same step.

        Args:
            validate: Called after each epoch with its number; returns what to add to its results.
        """
        model, step, callback_list = self._model, self._step, self._callback_list
        model.stop_training = False
        begin, end = (callback_list.listens(f"on_train_batch_{when}") for when in ("begin", "end"))
        logs: dict[str, Any] | None = None
        job = parallel.current()
        if job is not None:
            end = job.any(end)  # all ranks take part in the results
        with DeferredSignals() if job is None else AgreedSignals(step) as signals:
            callback_list.notify("on_train_begin", None)
            for epoch in range(self.epoch, self._last_epoch):
                if self._data.ran_out():
                    break
                callback_list.notify("on_epoch_begin", epoch, None)
                if not self.batch:
                    step.reset()
                for number, batch in enumerate(self._data, self.batch):
                    if begin:
                        callback_list.notify("on_train_batch_begin", number, None)
                    signals.hold()
                    step.train(batch)
                    self.batch = number + 1
                    signals.release()
                    if end:
                        callback_list.notify("on_train_batch_end", number, step.results())
                        if job is not None:
                            agree(job, model)
                    if model.stop_training:
                        break
                if job is not None:
                    step.end_epoch()
                logs = step.results() | validate(epoch)
                self.epoch, self.batch = epoch + 1, 0
                callback_list.notify("on_epoch_end", epoch, logs)
                if job is not None:
                    agree(job, model)
                    end_epoch(job, model)
                if model.stop_training:
                    break
            model.optimizer.finalize_variable_values(model.trainable_weights)
            callback_list.notify("on_train_end", logs)

    def get_state(self) -> dict[str, Any]:
        """Return the state between two batches or two epochs.

        Returns:
            Plain values and arrays. The arrays of weights are those of the model, not copies.

        Raises:
            TypeError: If a part has a state that cannot be kept; the message names it.
        """
        return {
            "parts": self._parts(),
            "epoch": self.epoch,
            "data": self._data.get_state(self.batch),
            "random": random.get_state(),
            "feeds": [feed.get_state() for feed in self._feeds],
            "weights": [variable.value for variable in self._model.weights],
            "optimizer": self._built_optimizer().get_state(),
            "layers": [layer.get_state() for layer in self._layers],
            "step": self._step.get_state(),
            "callbacks": {name: each.get_state() for name, each in self._named_callbacks()},
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
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
        self._data.set_state(state["data"])
        self._built_optimizer().set_state(state["optimizer"])
        for variable, value in zip(self._model.weights, state["weights"], strict=True):
            variable.assign(value)
        for layer, values in zip(self._layers, state["layers"], strict=True):
            layer.set_state(values)
        for feed, values in zip(self._feeds, state["feeds"], strict=True):
            feed.set_state(values)
        self._step.set_state(state["step"])
        for name, callback in self._named_callbacks():
            if name in state["callbacks"]:
                callback.set_state(state["callbacks"][name])
        random.set_state(state["random"])
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
                f"{type(layer).__name__} {[variable.shape for variable in layer.weights]} "
                f"{sorted(layer.get_state())}"
                for layer in self._layers
            ],
            "slots of the optimizer": [
                f"{type(optimizer).__name__} {slot.shape}" for slot in optimizer.slots
            ],
            "metrics": self._step.names,
            "data": [f"{sorted(feed.get_state())}" for feed in self._feeds],
        }

    def _named_callbacks(self) -> Iterator[tuple[str, Callback]]:
        """Yield the callbacks with names, those of one class numbered."""
        seen: dict[str, int] = defaultdict(int)
        for callback in self._callback_list.callbacks:
            kind = type(callback).__name__
            seen[kind] += 1
            yield f"{kind} {seen[kind]}", callback


def _difference(own: Sequence[str], given: Sequence[str]) -> str:
    for one, other in zip(own, given, strict=False):
        if one != other:
            return f"it has {other}, not {one}"
    return f"it has {len(given)} of them, not {len(own)}"
