"""Sums of gradients: one vector for all weights, and the distinct rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.table_gradient import TableGradient, table_gradient

_BUCKET = 1 << 14  # elements from which a bucket is worth messages of its own


class Rows(NamedTuple):
    """The rows of a table that may differ from zero.

    Rows are dealt out to the ranks that add them up one by one, since the frequent tokens stand
    together: row `p` of a table to rank `p % ranks`. Their keys stand in the order of the ranks.

    Attributes:
        keys: Which rows, int32, each once, in ascending order: `p % ranks * stride + p // ranks`,
            where `stride` is the largest number of rows of a rank.
        values: Their values, `[rows, features]`.
    """

    keys: np.ndarray
    values: np.ndarray


class GradientSum(NamedTuple):
    """The sum of the gradients of some row groups.

    Attributes:
        dense: The gradients of all weights but the tables, one after another.
        tables: The rows of each table.
    """

    dense: np.ndarray
    tables: list[Rows]


class Bucket(NamedTuple):
    """A part of the dense vector that travels as soon as it is known.

    Attributes:
        begin: Its first element.
        end: The one behind its last.
        places: The gradients in it.
        stage: The stage after which they are complete.
    """

    begin: int
    end: int
    places: list[int]
    stage: int


class GradientLayout:
    """How the gradients of a model's weights stand in a `GradientSum`.

    A table whose batches touch few rows travels as those rows, everything else in one vector.

    Args:
        shapes: Shapes of the gradients.
        tables: Which of them are those of tables, `[vocabulary, features]`.
        stages: Which gradients are complete after each stage of the backward pass; all of them.
            They stand in the vector in this order. By default there is one stage.
        ranks: Number of ranks.

    Attributes:
        tables: As given.
        widths: Features of each table.
        buckets: The parts in which the vector travels.
        dense_size: Number of elements of the vector.
    """

    def __init__(
        self,
        shapes: Sequence[tuple[int, ...]],
        tables: Sequence[int],
        stages: Iterable[Iterable[int]] | None = None,
        ranks: int = 1,
    ) -> None:
        self._shapes = [tuple(shape) for shape in shapes]
        self._ranks = ranks
        self.tables = list(tables)
        self.widths = [self._shapes[place][1] for place in self.tables]
        # The whole tables of the last `unpack`, and which rows of them are not zero: to make them
        # zero again is quicker than new memory.
        self._whole: dict[int, np.ndarray] = {}
        self._touched: dict[int, np.ndarray] = {}
        self._parts: dict[int, slice] = {}
        self.buckets: list[Bucket] = []
        places: list[int] = []
        begin = end = last = 0
        for stage, complete in enumerate([range(len(shapes))] if stages is None else stages):
            for place in complete:
                if place not in self.tables:
                    begin_of_place, end = end, end + int(np.prod(self._shapes[place]))
                    self._parts[place] = slice(begin_of_place, end)
                    places.append(place)
                    last = stage
            if end - begin >= _BUCKET:
                self.buckets.append(Bucket(begin, end, places, last))
                begin, places = end, []
        if places:
            self.buckets.append(Bucket(begin, end, places, last))
        self.dense_size = end

    def pack(self, gradients: Sequence[np.ndarray]) -> GradientSum:
        """Return gradients in the form in which they are added; the arrays are copied."""
        dense = np.empty(self.dense_size, np.float32)
        for bucket in self.buckets:
            self.pack_bucket(bucket, gradients, dense)
        return GradientSum(dense, self.rows_of_tables(gradients))

    def pack_bucket(self, bucket: Bucket, gradients: Sequence[Any], dense: np.ndarray) -> None:
        """Copy the gradients of a bucket to their places in a vector; None stands for zeros."""
        for place in bucket.places:
            gradient = gradients[place]
            flat = dense[self._parts[place]]
            flat[...] = 0.0 if gradient is None else np.asarray(gradient).reshape(-1)

    def rows_of_tables(self, gradients: Sequence[np.ndarray]) -> list[Rows]:
        """Return the rows of the tables that gradients touch; the arrays are copied."""
        return [self._rows_of(gradients[place]) for place in self.tables]

    def _rows_of(self, gradient: np.ndarray) -> Rows:
        """Return the rows of a gradient's tokens, else those that are not zero."""
        tokens = gradient.tokens if isinstance(gradient, TableGradient) else None
        plain = np.asarray(gradient).view(np.ndarray)
        stride = self._stride(len(plain))
        touched = np.zeros(stride * self._ranks, np.bool_)
        if tokens is None:
            touched[: len(plain)] = plain.any(axis=1)
        else:  # quicker than to sort the tokens
            touched[tokens] = True
        keys = np.flatnonzero(touched.reshape(stride, self._ranks).T)
        return Rows(keys.astype(np.int32), plain[self._places(keys, stride)])

    def _stride(self, rows: int) -> int:
        return -(-rows // self._ranks)

    def _places(self, keys: np.ndarray, stride: int) -> np.ndarray:
        places: np.ndarray = keys % stride * self._ranks + keys // stride
        return places

    def part(self, tables: Sequence[Rows], rank: int) -> list[Rows]:
        """Return the rows that a rank adds up, as views."""
        found = []
        for (keys, values), place in zip(tables, self.tables, strict=True):
            stride = self._stride(self._shapes[place][0])
            own = slice(*np.searchsorted(keys, [rank * stride, (rank + 1) * stride]))
            found.append(Rows(keys[own], values[own]))
        return found

    def unpack(self, total: GradientSum) -> list[np.ndarray]:
        """Return the gradients of a sum, in the order of the shapes.

        They are views of its vector, and of tables that the next call changes.
        """
        gradients: list[np.ndarray] = [total.dense] * len(self._shapes)
        for place, part in self._parts.items():
            gradients[place] = total.dense[part].reshape(self._shapes[place])
        for place, rows in zip(self.tables, total.tables, strict=True):
            if place not in self._whole:
                self._whole[place] = np.zeros(self._shapes[place], np.float32)
            else:
                self._whole[place][self._touched[place]] = 0.0
            touched = self._places(rows.keys, self._stride(self._shapes[place][0]))
            self._whole[place][touched] = rows.values
            self._touched[place] = touched
            gradients[place] = table_gradient(self._whole[place], touched)
        return gradients


def add(left: GradientSum, right: GradientSum) -> GradientSum:
    """Add two sums; the first one's dense vector may be overwritten."""
    return GradientSum(add_dense(left.dense, right.dense), add_tables(left.tables, right.tables))


def add_dense(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Add two vectors; the first one is overwritten."""
    np.add(left, right, out=left)
    return left


def add_tables(left: Sequence[Rows], right: Sequence[Rows]) -> list[Rows]:
    """Add the rows of each table."""
    return [_add_rows(*pair) for pair in zip(left, right, strict=True)]


def _add_rows(left: Rows, right: Rows) -> Rows:
    keys = np.union1d(left.keys, right.keys)
    values = np.zeros((len(keys), left.values.shape[1]), np.float32)
    values[np.searchsorted(keys, left.keys)] = left.values
    values[np.searchsorted(keys, right.keys)] += right.values
    return Rows(keys, values)
