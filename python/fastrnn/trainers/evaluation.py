"""A test of a model, and what callbacks hear of it."""

from __future__ import annotations

from typing import Any

from fastrnn import parallel
from fastrnn.callbacks import CallbackList
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.trainers.data import Epochs
from fastrnn.trainers.train_step import TrainStep


def run_test(
    model: CompiledModel, step: TrainStep, data: Epochs, callback_list: CallbackList
) -> dict[str, Any]:
    """Test on one pass over the data.

    Args:
        model: The model; its `stop_evaluating` ends the test after the batch.
        step: Its train step.
        data: The batches.
        callback_list: The callbacks.

    Returns:
        Loss and metrics, sorted by name as in Keras's logs.
    """
    model.stop_evaluating = False
    end = callback_list.listens("on_test_batch_end")
    if (job := parallel.current()) is not None:
        end = job.any(end)  # all ranks take part in the results
    callback_list.notify("on_test_begin", None)
    step.reset()
    for number, batch in enumerate(data):
        callback_list.notify("on_test_batch_begin", number, None)
        step.test(batch)
        if end:
            callback_list.notify("on_test_batch_end", number, step.results())
            if job is not None:
                model.stop_evaluating = job.any(model.stop_evaluating)
        if model.stop_evaluating:
            break
    logs = dict(sorted(step.results().items()))
    callback_list.notify("on_test_end", logs)
    return logs
