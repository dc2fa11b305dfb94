"""What the ranks of a job must have alike: data, weights, and the decisions of callbacks."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastrnn import random
from fastrnn.layers import BatchNormalization
from fastrnn.parallel import Job
from fastrnn.trainers.compiled_model import CompiledModel, all_layers
from fastrnn.trainers.data import Feed

_ROWS_COMPARED = 8


def agree(job: Job, model: CompiledModel) -> None:
    """Let what callbacks have decided on one rank hold on all.

    `stop_training` ends the training on all ranks if one has set it. A learning rate that is a
    number becomes that of rank 0.
    """
    if job.ranks.size == 1:
        return
    optimizer = model.optimizer
    rate = optimizer._learning_rate
    found = job.ranks.gather(
        (bool(model.stop_training), rate if type(rate) is float else None), "decisions"
    )
    model.stop_training = any(stop for stop, _ in found)
    if found[0][1] not in (None, rate):
        optimizer.learning_rate = found[0][1]


def end_epoch(job: Job, model: CompiledModel) -> None:
    """Check that all ranks have the same weights after an epoch.

    Where their CPUs differ, those of rank 0 are taken: the others may have drifted by rounding.
    """
    if not job.ranks.differ:
        check_weights(job, model, "The weights after an epoch")
        return
    own = [*model.weights, *(model.optimizer.slots if model.optimizer.built else [])]
    first = job.ranks.rank == 0
    values = job.ranks.gather([each.value for each in own] if first else None)[0]
    for variable, value in zip(own, values, strict=True):
        variable.assign(value)


def check_weights(job: Job, model: CompiledModel, what: str) -> None:
    """Refuse to go on with weights or a state of the optimizer that differ between ranks.

    Args:
        job: The job.
        model: The model.
        what: What they are called in the message.

    Raises:
        ValueError: On all ranks, if they differ.
    """
    if job.ranks.size == 1:
        return
    optimizer = model.optimizer
    slots = optimizer.slots if optimizer.built else []
    job.check_equal(
        f"{what}, and the optimizer's state,",
        {
            "the optimizer": f"{type(optimizer).__name__} after {optimizer.iterations} updates",
            "the checksum of the weights": _checksum(each.value for each in model.weights),
            "the checksum of the optimizer's state": _checksum(each.value for each in slots),
        },
    )


def refuse_batch_statistics(job: Job, model: CompiledModel) -> None:
    """Refuse to train layers whose result for a row depends on the other rows of the batch.

    Raises:
        ValueError: If there is one.
    """
    if job.groups.number == 1:
        return
    for layer in all_layers(model):
        if isinstance(layer, BatchNormalization) and layer.trainable:
            raise ValueError(
                "A model whose batches are cut into row groups must not train a "
                "BatchNormalization: mean and variance would be those of a group, not of the "
                "batch. Use LayerNormalization, or set `trainable=False`, which keeps the moving "
                f"statistics. Received: layer '{layer.name}'"
            )


def check_begin(job: Job, model: CompiledModel, feeds: Iterable[Feed | None], epochs: Any) -> None:
    """Refuse to train if ranks have other data, weights or arguments; share the random numbers.

    Args:
        job: The job.
        model: The model, built.
        feeds: Where the batches to train and to test with come from.
        epochs: The epochs.

    Raises:
        ValueError: On all ranks, if there is a difference, or a layer needs whole batches.
    """
    refuse_batch_statistics(job, model)
    if job.ranks.size == 1:
        return
    own: dict[str, Any] = {"the epochs": epochs}
    for name, feed in zip(("training", "validation"), feeds, strict=True):
        if feed is None:
            own[f"the data of the {name}"] = None
            continue
        batch = feed.peek()
        own[f"the data of the {name}"] = {
            "batches": feed.steps,
            "sizes of batches": sorted(feed.batch_sizes()),
            "first rows": [
                (each.shape[1:], _checksum([np.asarray(each[:_ROWS_COMPARED])]))
                for arrays in batch[:3]
                for each in arrays or ()
                if each is not None
            ],
        }
    job.check_equal("What `fit` is given", own)
    check_weights(job, model, "The weights before the training")
    job.check_equal(
        "The random numbers of layers",
        {layer.name: repr(layer.get_state()) for layer in all_layers(model)},
    )
    random.set_state(job.ranks.gather(random.get_state(), "random numbers")[0])


def _checksum(arrays: Iterable[np.ndarray]) -> int:
    total = 0
    for array in arrays:
        total = zlib.crc32(np.ascontiguousarray(array).data.cast("B"), total)
    return total
