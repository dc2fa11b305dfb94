"""The loops over epochs and batches, and what callbacks hear of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastrnn.callbacks import CallbackList
from fastrnn.trainers.data import Epochs
from fastrnn.trainers.interruption import DeferredSignals
from fastrnn.trainers.train_step import TrainStep
from fastrnn.trainers.training_run import TrainingRun

if TYPE_CHECKING:
    from fastrnn.trainers.trainer import Trainer


def train(
    model: Trainer,
    steps: TrainStep,
    data: Epochs,
    run: TrainingRun,
    validate: Callable[[int], dict[str, Any]],
    notified: CallbackList,
) -> None:
    """Run the epochs of a training.

    Ctrl-C and SIGTERM take effect between two steps, so that weights and optimizer fit each other.

    Args:
        model: The model; its `stop_training` ends the training after the batch.
        steps: Its steps.
        data: The batches of each epoch.
        run: How far the training has got, at its beginning and all along; `on_train_begin` may
            bring back a place in the midst of an epoch.
        validate: Called after each epoch with its number; returns what to add to its results.
        notified: The callbacks.
    """
    model.stop_training = False
    begin, end = (notified.listens(f"on_train_batch_{when}") for when in ("begin", "end"))
    logs: dict[str, Any] | None = None
    with DeferredSignals() as signals:
        notified.notify("on_train_begin", None)
        for epoch in run.epochs():
            if data.ran_out():
                break
            notified.notify("on_epoch_begin", epoch, None)
            if not run.batch:
                steps.reset()
            for number, batch in enumerate(data, run.batch):
                if begin:
                    notified.notify("on_train_batch_begin", number, None)
                signals.hold()
                steps.train(batch)
                run.batch = number + 1
                signals.release()
                if end:
                    notified.notify("on_train_batch_end", number, steps.results())
                if model.stop_training:
                    break
            logs = steps.results() | validate(epoch)
            run.epoch, run.batch = epoch + 1, 0
            notified.notify("on_epoch_end", epoch, logs)
            if model.stop_training:
                break
        model.optimizer.finalize_variable_values(model.trainable_weights)
        notified.notify("on_train_end", logs)


def test(model: Trainer, steps: TrainStep, data: Epochs, notified: CallbackList) -> dict[str, Any]:
    """Test on one epoch of data.

    Args:
        model: The model; its `stop_evaluating` ends the test after the batch.
        steps: Its steps.
        data: The batches.
        notified: The callbacks.

    Returns:
        Loss and metrics, sorted by name as in Keras's logs.
    """
    model.stop_evaluating = False
    end = notified.listens("on_test_batch_end")
    notified.notify("on_test_begin", None)
    steps.reset()
    for number, batch in enumerate(data):
        notified.notify("on_test_batch_begin", number, None)
        steps.test(batch)
        if end:
            notified.notify("on_test_batch_end", number, steps.results())
        if model.stop_evaluating:
            break
    logs = dict(sorted(steps.results().items()))
    notified.notify("on_test_end", logs)
    return logs
