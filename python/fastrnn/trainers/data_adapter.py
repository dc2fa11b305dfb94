"""From the data that a user gives, in any form, to checked batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from fastrnn.graph.own_call import converted
from fastrnn.layers.layer import Shape
from fastrnn.symbolic import flatten, map_structure
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.trainers.data.batch import Batch, Feed
from fastrnn.trainers.data.iterables import feed_of, yields_batches
from fastrnn.trainers.data.labels import (
    as_sample_weight,
    as_targets,
    check_class_weight,
    weights_of_classes,
)
from fastrnn.trainers.data.memory_map import ConvertedMap, is_map_to_convert
from fastrnn.trainers.data.ragged import Ragged, is_ragged
from fastrnn.trainers.data.samples import Samples, unpack

_DEFAULT_BATCH_SIZE = 32


class DataAdapter:
    """Checks data from outside against a model, which stays as it is, and converts them.

    Args:
        model: The model.
        labelled: Whether there must be labels; else all but x is left aside.
        class_weight: Weight of each class, or None.

    Raises:
        ValueError: If `class_weight` is not a dict from class ids to numbers.
    """

    def __init__(
        self,
        model: CompiledModel,
        labelled: bool = True,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        if class_weight is not None:
            check_class_weight(class_weight)
        self._model = model
        self._labelled = labelled
        self._class_weight = class_weight

    def samples(self, x: Any, y: Any = None, sample_weight: Any = None) -> Samples:
        """Return arrays or lists of samples, converted.

        Raises:
            TypeError: If they do not hold numbers.
            ValueError: If they do not fit the model or each other.
        """
        if self._model.takes_own_data(self._labelled):
            return self._own_samples(x, y, sample_weight)
        if self._model.takes_sequences(x):
            sequences = self._sequences(x)
            if not self._labelled:
                return Samples(sequences)
            return Samples(sequences, *self._labels_of(sequences, y, sample_weight))
        inputs = self._inputs(x)
        if not self._labelled:
            return Samples(inputs)
        if not len(inputs[0]):
            shapes = [array.shape for array in inputs]
            raise ValueError(f"`x` must hold at least one sample. Received: shapes {shapes}")
        output_shapes = self._model.output_shapes([(None, *each.shape[1:]) for each in inputs])
        labels = self._model.by_output("y", y, len(inputs[0]))
        if self._class_weight is not None and len(labels) > 1:
            raise ValueError(
                "`class_weight` is for a model of one output: give `sample_weight` for each of "
                f"the {len(labels)} outputs"
            )
        weights = self._model.by_output("sample_weight", sample_weight, len(inputs[0]))
        pairs: list[tuple[Any, Any]] = []
        for number, shape in enumerate(output_shapes):
            if not self._model.reads_labels(number):
                pairs.append((None, None))
                continue
            own = as_targets(labels[number], len(inputs[0]))
            pairs.append(self._labels(own, weights[number], shape, number))
        found = tuple(weight for _, weight in pairs)
        any_weight = any(weight is not None for weight in found)
        return Samples(inputs, tuple(own for own, _ in pairs), found if any_weight else None)

    def _own_samples(self, x: Any, y: Any, sample_weight: Any) -> Samples:
        """Return data for the steps of a user's, which check them: arrays in any structure."""
        given = {"x": x, "y": y, "sample_weight": sample_weight}
        if not self._labelled:
            given = {"x": x, "y": None, "sample_weight": None}
        parts = [None if each is None else converted(each, name) for name, each in given.items()]
        if self._class_weight is not None:
            labels = flatten(parts[1])
            if parts[2] is not None or len(labels) != 1 or labels[0] is None:
                raise ValueError(
                    "`class_weight` must be beside one array of labels, without `sample_weight`. "
                    f"Received: {len(labels)} arrays of labels"
                )
            parts[2] = weights_of_classes(labels[0], self._class_weight, 2)
        x, y, sample_weight = (None if each is None else tuple(flatten(each)) for each in parts)
        sizes = {len(array) for each in (x, y, sample_weight) for array in each or ()}
        if len(sizes) != 1 or 0 in sizes:
            raise ValueError(
                "`x`, `y` and `sample_weight` must have the same number of samples, at least one. "
                f"Received: {sorted(sizes)}"
            )
        x_form, y_form, weight_form = (map_structure(lambda _: None, each) for each in parts)
        return Samples(x or (), y, sample_weight, (x_form, y_form, weight_form))

    def batches(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        shuffle: bool | str = False,
    ) -> Feed:
        """Return the batches of an x that yields them; they are converted as they come.

        Raises:
            ValueError: If something is given beside x that its batches have already.
        """
        given = {"y": y, "sample_weight": sample_weight, "batch_size": batch_size}
        for name, value in given.items():
            if value is not None:
                raise ValueError(
                    f"`{name}` must not be given beside data that yield batches, which have it "
                    f"already. Received: data of type {type(x).__name__}"
                )
        return feed_of(x, self._converted, shuffle)

    def feed(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
    ) -> Feed:
        """Return the batches of data in any form, in the order in which they are."""
        if yields_batches(x):
            return self.batches(x, y, sample_weight, batch_size)
        samples = self.samples(x, y, sample_weight)
        return samples.feed(self.batch_size(batch_size, steps, samples.number))

    def batch_size(self, batch_size: int | None, steps: int | None, samples: int) -> int:
        """Return how many samples a batch has: as given, or what steps or the model make it."""
        if batch_size is not None:
            return batch_size
        if steps is not None:
            return max(-(-samples // steps), 1)
        return self._model.fixed_batch_size or _DEFAULT_BATCH_SIZE

    def _converted(self, data: Any) -> Batch:
        return self.samples(*unpack(data, "A batch")).batch()

    def _inputs(self, x: Any) -> tuple[np.ndarray, ...]:
        """Return the array of each input, converted; that of a memory map as it is read."""
        only = x[0] if isinstance(x, (list, tuple)) and len(x) == 1 else x
        if is_map_to_convert(only) and not self._model.takes_list:
            # It has of an array what batches need.
            return (cast(np.ndarray, ConvertedMap(only, self._rows_of_input)),)
        converted = self._model.as_input(x, "x")
        return tuple(converted) if isinstance(converted, list) else (converted,)

    def _rows_of_input(self, rows: np.ndarray) -> np.ndarray:
        converted: np.ndarray = self._model.as_input(rows, "x")
        return converted

    def _sequences(self, x: Any) -> Ragged:
        sequences = Ragged.of(x, "x")
        self._model.check_padding((None, None, *sequences.values.shape[1:]))
        # One long sequence, so that all values are converted and checked at once.
        inputs = self._model.as_input(sequences.values[np.newaxis], "x")
        if inputs.ndim < 3 and inputs.dtype != np.int32:  # neither sequences of vectors nor tokens
            raise ValueError(
                "`x` may hold sequences of different lengths only for a model that begins with an "
                "Embedding or takes sequences of vectors; else it must be a rectangular array, as "
                "`fastrnn.utils.pad_sequences` makes it."
            )
        return Ragged(inputs[0], sequences.lengths)

    def _labels_of(
        self, x: Ragged, y: Any, sample_weight: Any
    ) -> tuple[np.ndarray | Ragged, np.ndarray | Ragged | None]:
        """Check and convert what stands beside sequences: for each of them, or for each step."""
        output_shape = self._model.compute_output_shape((None, None, *x.values.shape[1:]))
        if None not in output_shape[1:]:
            return self._labels(as_targets(y, len(x)), sample_weight, output_shape)
        if not is_ragged(y):
            raise ValueError(
                "`y` must be a list of sequences as long as those of `x`, for a model with an "
                f"output for each step. Received: y of type {type(y).__name__}"
            )
        total = len(x.values)
        output_shape = self._model.compute_output_shape((None, total, *x.values.shape[1:]))
        flat_weight = None if sample_weight is None else _weight_of_steps(sample_weight, x)
        own = _steps(y, x, "y")
        if own.ndim == len(output_shape) - 1 and output_shape[-1] == 1:
            own = own[..., np.newaxis]  # a value for each step, so that a mask fits
        labels, weight = self._labels(own, flat_weight, output_shape)
        ragged_weight = None if weight is None else Ragged(weight[0], x.lengths)
        return Ragged(labels[0], x.lengths), ragged_weight

    def _labels(
        self, labels: np.ndarray, sample_weight: Any, output_shape: Shape, output: int = 0
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Check labels and weights against the model's output and convert them."""
        self._model.check_labels(labels, output_shape, output)
        if self._class_weight is not None:
            if sample_weight is not None:
                raise ValueError(
                    "`class_weight` and `sample_weight` must not be given together: make one of "
                    "them part of the other."
                )
            sample_weight = weights_of_classes(labels, self._class_weight, len(output_shape))
        if sample_weight is not None:
            name = "sample_weight" if self._class_weight is None else "class_weight"
            sample_weight = as_sample_weight(sample_weight, labels.shape, output_shape, name)
        return np.ascontiguousarray(labels, dtype=np.float32), sample_weight


def _steps(values: Any, x: Ragged, name: str) -> np.ndarray:
    """Return the steps of sequences that are as long as those of x, as one sequence."""
    sequences = Ragged.of(values, name)
    if not np.array_equal(sequences.lengths, x.lengths):
        raise ValueError(f"The sequences of `{name}` must be as long as those of `x`.")
    return sequences.values[np.newaxis]


def _weight_of_steps(sample_weight: Any, x: Ragged) -> np.ndarray:
    """Return a weight for each step of all sequences, as one sequence."""
    if is_ragged(sample_weight):
        return _steps(sample_weight, x, "sample_weight")
    weight = np.asarray(sample_weight)
    if weight.size != len(x):
        raise ValueError(
            f"`sample_weight` must have a weight for each of the {len(x)} sequences, or be a list "
            f"of sequences as long as those of `x`. Received: sample_weight.shape={weight.shape}"
        )
    return np.repeat(weight.reshape(-1), x.lengths)[np.newaxis]
