"""`predict` on arrays, on sequences of different lengths, and on an iterator of batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from fastrnn import parallel
from fastrnn.callbacks import CallbackList
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.text_vectorization import TextVectorization
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.trainers.data import (
    ArrayFeed,
    Batch,
    Epochs,
    Feed,
    Ragged,
    RaggedFeed,
)
from fastrnn.trainers.data.memory_map import part_of

# Rows that are handed to the kernels at once, rounded to whole batches. A row's result does not
# depend on the others, but a token that occurs in many of them is projected only once: for an
# LSTM on 4,096 reviews (imdb-200, AVX2, 2 threads) 32 rows at once took 2.6 times as long as 512,
# and those 1.1 times as long as 2,048, which need more memory.
_ROWS_AT_ONCE = 512

# Multiply-adds after which Python gets a chance to act on Ctrl-C: half a second on one core with
# AVX2. Fewer rows than the least would be slower.
_WORK_AT_ONCE = 2e10
_LEAST_ROWS_AT_ONCE = 16


class Prediction:
    """A model's outputs, batch after batch.

    Args:
        model: The model, built.
        feed: The batches.
        callback_list: The callbacks.
        shares: Whether the processes of a job share the samples out.
    """

    def __init__(
        self,
        model: CompiledModel,
        feed: Feed,
        callback_list: CallbackList,
        shares: bool = True,
    ) -> None:
        self._model = model
        self._feed = feed
        self._executor = model._executor
        self._callback_list = callback_list
        hooks = ("on_predict_batch_begin", "on_predict_batch_end")
        # Where nobody asks for the batches as they are, others may be quicker to compute.
        listens = any(callback_list.user_listens(hook) for hook in hooks)
        # A text's tokens are padded up to those of the longest text of its batch, and what a user
        # wrote may depend on all rows of a batch.
        self._whole = model.stateful or any(
            (isinstance(step.layer, TextVectorization) and step.layer.pads_to_longest)
            or step.layer.is_own_call
            for step in self._executor.plan.steps
        )
        self._free = not (self._whole or listens)
        self._job = parallel.current() if shares else None

    @cached_property
    def _weights(self) -> int:
        """How many weights each step of a row is multiplied by, at most."""
        steps = self._executor.plan.steps
        counted = [step.layer for step in steps if not isinstance(step.layer, Embedding)]
        return sum(layer.count_params() for layer in counted)

    def run(self, steps: int | None) -> Any:
        """Return the outputs for all batches, or for the first ones, in the model's structure.

        Args:
            steps: How many; None for all.
        """
        feed = self._feed
        self._model.stop_predicting = False
        self._callback_list.notify("on_predict_begin", None)
        job = self._job
        if job is not None and (job.ranks.size == 1 or job.any(not self._free)):
            job = None
        outputs: list[Any]
        if isinstance(feed, ArrayFeed):
            own = _own_samples(job, feed.samples, steps, feed.batch_size)
            outputs = self._of_arrays([part_of(each, own) for each in feed.data.x], feed.batch_size)
        elif isinstance(feed, RaggedFeed):
            own = _own_samples(job, len(feed.x), steps, feed.batch_size)
            outputs = self._of_sequences(feed.x[own], feed.batch_size)
        else:
            outputs = self._of_batches(Epochs(feed, steps))
            job = None
        if job is not None:
            outputs = _joined(job.ranks.gather(outputs, "predictions"))
        self._callback_list.notify("on_predict_end", None)
        return self._model.packed_outputs(outputs)

    def _of_arrays(self, x: Sequence[np.ndarray], batch_size: int) -> list[np.ndarray]:
        """Return the outputs for samples of one shape."""
        rows, samples = self._rows_at_once(batch_size), len(x[0])
        if 0 < samples <= rows:
            found = self._batch(
                Batch(tuple(each[:samples] for each in x)), 0, (samples - 1) // batch_size
            )
            return [np.array(each, _dtype_of(each)) for each in found]  # an output may be an input
        outputs: list[np.ndarray] = []
        for start in range(0, samples, rows):
            stop = min(start + rows, samples)
            numbers = (start // batch_size, (stop - 1) // batch_size)
            found = self._batch(Batch(tuple(each[start:stop] for each in x)), *numbers)
            if not outputs:
                outputs = [np.empty((samples, *each.shape[1:]), _dtype_of(each)) for each in found]
            for output, part in zip(outputs, found, strict=True):
                _refuse_other_shape(part, output)
                output[start:stop] = part
            if self._model.stop_predicting:
                return [output[:stop] for output in outputs]
        if not outputs:
            shapes: Any = self._model.output_shapes([each.shape for each in x])
            return [np.empty([size or 0 for size in shape], np.float32) for shape in shapes]
        return outputs

    def _of_sequences(self, sequences: Ragged, batch_size: int) -> list[Any]:
        """Return the outputs for sequences: an array, or a list of them if each step has one."""
        lengths = sequences.lengths
        order = np.argsort(lengths, kind="stable") if self._free else np.arange(len(lengths))
        shapes = self._model.output_shapes([(1, None, *sequences.values.shape[1:])])
        feed = RaggedFeed(sequences, None, None, batch_size)
        rows = self._rows_at_once(batch_size)
        found: list[dict[int, np.ndarray]] = [{} for _ in shapes]
        for start in range(0, len(order), rows):
            part = order[start : start + rows]
            numbers = (start // batch_size, (start + len(part) - 1) // batch_size)
            outputs = self._batch(feed.batch(part), *numbers)
            for own, output, shape in zip(found, outputs, shapes, strict=True):
                for row, result in zip(part.tolist(), output, strict=True):
                    own[row] = result[len(result) - lengths[row] :] if None in shape else result
            if self._model.stop_predicting:
                break
        in_order = [[own[row] for row in sorted(own)] for own in found]
        return [
            results if None in shape else np.array(results, np.float32)
            for results, shape in zip(in_order, shapes, strict=True)
        ]

    def _of_batches(self, batches: Iterable[Batch]) -> list[np.ndarray]:
        """Return the outputs for batches that come one by one, each in one array."""
        found = []
        for number, batch in enumerate(batches):
            found.append(self._batch(batch, number, number))
            if self._model.stop_predicting:
                break
        for outputs in found:
            for first, part in zip(found[0], outputs, strict=True):
                _refuse_other_shape(part, first)
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]

    def _rows_at_once(self, batch_size: int) -> int:
        return batch_size * max(_ROWS_AT_ONCE // batch_size, 1) if self._free else batch_size

    def _batch(self, batch: Batch, first: int, last: int) -> list[np.ndarray]:
        """Compute what are the batches `first` to `last` for the callbacks."""
        self._callback_list.notify("on_predict_batch_begin", first, None)
        outputs = self._infer(batch)
        if self._callback_list.listens("on_predict_batch_end"):
            logs = {"outputs": self._model.packed_outputs(outputs)}
            self._callback_list.notify("on_predict_batch_end", last, logs)
        return outputs

    def _infer(self, batch: Batch) -> list[np.ndarray]:
        """Return the outputs for a batch, computed in parts if it is much work."""
        x, mask = batch.x, batch.mask
        rows = len(x[0]) if self._whole else _LEAST_ROWS_AT_ONCE
        if len(x[0]) > rows:
            work = max(math.prod(each.shape[1:2]) for each in x) * self._weights
            rows = max(int(_WORK_AT_ONCE / max(work, 1)), rows)
        if len(x[0]) <= rows:
            return self._executor.infer(x, mask, pads=True).outputs
        found = []
        for start in range(0, len(x[0]), rows):
            part = slice(start, start + rows)
            masks = mask and [None if each is None else each[part] for each in mask]
            found.append(self._executor.infer([each[part] for each in x], masks, pads=True).outputs)
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def _dtype_of(output: np.ndarray) -> Any:
    """Return the type of an output for the user: integers, booleans and strings stay so."""
    return output.dtype if output.dtype.kind in "biuO" else np.float32


def _refuse_other_shape(part: np.ndarray, first: np.ndarray) -> None:
    """Refuse the outputs of a batch that do not fit those of the first one in one array."""
    if part.shape[1:] != first.shape[1:]:
        raise ValueError(
            "The outputs of all batches must have one shape; `output_sequence_length` of a "
            f"TextVectorization gives texts one length. Received: shapes {first.shape[1:]} and "
            f"{part.shape[1:]}, without the batch"
        )


def _own_samples(
    job: parallel.Job | None, samples: int, steps: int | None, batch_size: int
) -> slice:
    """Return the samples of this rank among those that the steps take."""
    if steps is not None:
        samples = min(samples, steps * batch_size)
    if job is None:
        return slice(0, samples)
    rank, size = job.ranks.rank, job.ranks.size
    return slice(rank * samples // size, (rank + 1) * samples // size)


def _joined(of_ranks: Sequence[list[Any]]) -> list[Any]:
    """Return the outputs of all ranks, each an array or a list of arrays, in one."""
    return [
        [each for part in parts for each in part]
        if isinstance(parts[0], list)
        else np.concatenate([part for part in parts if len(part)] or parts[:1])
        for parts in zip(*of_ranks, strict=True)
    ]
