"""Steps of training and testing that the methods of a user's model take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastrnn.callbacks import CallbackList
from fastrnn.layers.calls import entered
from fastrnn.metrics import Mean, Metric
from fastrnn.symbolic import flatten, map_structure, pack
from fastrnn.tracing import plain
from fastrnn.trainers.data import Batch, Epochs, Feed
from fastrnn.utils.data_adapter_utils import pack_x_y_sample_weight


class OwnStep:
    """Calls `train_step` and `test_step` of a model; to the loops it is what a `TrainStep` is.

    Args:
        model: The model.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._logs: dict[str, Any] = {}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the model."""
        return tuple(self._model.metrics)

    @property
    def names(self) -> list[str]:
        """The names of the metrics."""
        return [metric.name for metric in self.metrics]

    @property
    def own_metrics(self) -> tuple[Metric, ...]:
        """None beside `metrics`."""
        return ()

    def mean_losses(self) -> list[Mean]:
        """Return none: the mean of the loss is one of `metrics`."""
        return []

    def reset(self) -> None:
        """Reset the metrics."""
        self._logs = {}
        self._model.reset_metrics()

    def train(self, batch: Batch) -> None:
        """Take one step on a batch."""
        self._logs = _numbers(run_inside(self._model.train_step, data_of(batch)), "train_step")

    def test(self, batch: Batch) -> None:
        """Test on a batch."""
        self._logs = _numbers(run_inside(self._model.test_step, data_of(batch)), "test_step")

    def results(self) -> dict[str, Any]:
        """Return what the last step has returned."""
        return dict(self._logs)

    def get_state(self) -> dict[str, Any]:
        """Return what the metrics have gathered since the last `reset`."""
        return {
            "logs": dict(self._logs),
            "metrics": [metric.get_state() for metric in self.metrics],
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned."""
        self._logs = dict(state["logs"])
        for metric, own in zip(self.metrics, state["metrics"], strict=True):
            metric.set_state(own)


def data_of(batch: Batch) -> Any:
    """Return a batch as a step of the user's gets it: x alone, (x, y) or (x, y, sample_weight).

    Args:
        batch: The batch, with the structure in which the data were given.
    """
    assert batch.forms is not None
    x_form, y_form, weight_form = batch.forms
    weights = batch.sample_weight
    return pack_x_y_sample_weight(
        pack(x_form, batch.x),
        None if batch.y is None else pack(y_form, batch.y),
        None if weights is None else pack(weight_form, weights),
    )


def predicted(model: Any, feed: Feed, steps: int | None, callback_list: CallbackList) -> Any:
    """Return what `predict_step` of a model makes of all batches, one behind the other.

    Args:
        model: The model; its `stop_predicting` ends the prediction after the batch.
        feed: The batches.
        steps: How many; None for all.
        callback_list: The callbacks.
    """
    model.stop_predicting = False
    callback_list.notify("on_predict_begin", None)
    structure: Any = None
    found: list[list[np.ndarray]] = []
    for number, batch in enumerate(Epochs(feed, steps)):
        callback_list.notify("on_predict_batch_begin", number, None)
        outputs = run_inside(model.predict_step, data_of(batch))
        structure = map_structure(lambda _: None, outputs)
        found.append([np.asarray(plain(each)) for each in flatten(outputs)])
        callback_list.notify("on_predict_batch_end", number, {"outputs": outputs})
        if model.stop_predicting:
            break
    callback_list.notify("on_predict_end", None)
    return pack(structure, [np.concatenate(parts) for parts in zip(*found, strict=True)])


def run_inside(step: Any, data: Any) -> Any:
    """Call a step of a user's; masks of arrays are known in it.

    Args:
        step: `train_step`, `test_step` or `predict_step` of a model.
        data: What it gets.
    """
    with entered(None, None):
        return step(data)


def _numbers(logs: Any, method: str) -> dict[str, Any]:
    """Return logs as numbers, those of dicts inside beside the others."""
    if not isinstance(logs, Mapping):
        raise TypeError(
            f"`{method}` must return a dict of names and numbers. Received: {type(logs).__name__}"
        )
    found: dict[str, Any] = {}
    for name, value in logs.items():
        if isinstance(value, Mapping):
            found |= _numbers(value, method)
            continue
        array = np.asarray(plain(value))
        found[name] = float(array) if array.ndim == 0 else array
    return found
