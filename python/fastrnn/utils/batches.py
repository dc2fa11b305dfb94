"""Batches to loop over, with the methods of `tf.data.Dataset` that scripts use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from fastrnn.arguments import check_integer
from fastrnn.random import make_seed
from fastrnn.results import with_numpy


class ElementSpec(NamedTuple):
    """Shape and type of an array of a data set.

    Attributes:
        shape: Its shape.
        dtype: Its type.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Batches:
    """A data set that can be looped over any number of times, and passed to `fit`.

    The methods are those of `tf.data.Dataset` of these names; each returns another data set, which
    computes its elements when it is looped over.

    Args:
        make: Returns an iterator over the elements.
        length: Returns their number: None if it is not known, infinity if there is no end.
        batch_size: Samples in an element, if the elements are batches.

    Example:
        >>> numbers = Batches(lambda: iter(range(5)), lambda: 5)
        >>> list(numbers.skip(1).map(lambda n: 2 * n).take(2))
        [2, 4]
    """

    def __init__(
        self,
        make: Callable[[], Iterator[Any]],
        length: Callable[[], float | None] = lambda: None,
        batch_size: int | None = None,
    ) -> None:
        self._make = make
        self._length = length
        self.batch_size = batch_size

    def __iter__(self) -> Iterator[Any]:
        return map(with_numpy, self._make())

    def __len__(self) -> int:
        length = self._length()
        if length is None or math.isinf(length):
            raise TypeError("The number of elements is not known, or there is no end.")
        return int(length)

    def cardinality(self) -> int:
        """Return the number of elements: as in TensorFlow -2 if not known, -1 for no end."""
        length = self._length()
        return -2 if length is None else -1 if math.isinf(length) else int(length)

    @property
    def element_spec(self) -> Any:
        """The shapes and types of the first element, in its structure; those of others may differ.

        Raises:
            ValueError: If there is no element.
        """
        for first in self._make():
            return _spec_of(first)
        raise ValueError("A data set without elements has no `element_spec`.")

    def filter(self, predicate: Callable[..., Any]) -> Batches:
        """Return the elements for which a function is true.

        Args:
            predicate: The function; an element that is a tuple gives it several arguments.
        """

        def make() -> Iterator[Any]:
            for each in self:
                if predicate(*each) if isinstance(each, tuple) else predicate(each):
                    yield each

        return Batches(make)

    def concatenate(self, dataset: Any) -> Batches:
        """Return the elements and behind them those of another data set.

        Args:
            dataset: The other one, or anything else that can be looped over.
        """

        def make() -> Iterator[Any]:
            yield from self._make()
            yield from dataset

        def length() -> float | None:
            own = self._length()
            return None if own is None or not hasattr(dataset, "__len__") else own + len(dataset)

        return Batches(make, length, self.batch_size)

    def take(self, count: int) -> Batches:
        """Return the first elements.

        Args:
            count: How many; -1 for all.
        """
        if count == -1:
            return self
        check_integer("count", count, 0)
        return Batches(
            lambda: islice(self._make(), count), self._of_length(lambda n: min(n, count))
        )

    def skip(self, count: int) -> Batches:
        """Return all but the first elements.

        Args:
            count: How many to leave out.
        """
        check_integer("count", count, 0)
        return Batches(
            lambda: islice(self._make(), count, None), self._of_length(lambda n: max(n - count, 0))
        )

    def map(self, map_func: Callable[..., Any], **kwargs: Any) -> Batches:
        """Return the results of a function of each element.

        Args:
            map_func: The function; an element that is a tuple gives it several arguments.
            **kwargs: `num_parallel_calls` and `deterministic` are accepted; without effect.
        """

        def make() -> Iterator[Any]:
            for each in self:
                yield map_func(*each) if isinstance(each, tuple) else map_func(each)

        return Batches(make, self._length)

    def batch(self, batch_size: int, drop_remainder: bool = False, **kwargs: Any) -> Batches:
        """Return elements stacked into batches.

        Args:
            batch_size: Elements per batch.
            drop_remainder: Whether to leave out a last batch of fewer elements.
            **kwargs: `num_parallel_calls`, `deterministic` and `name`; without effect.
        """
        check_integer("batch_size", batch_size, 1)

        def make() -> Iterator[Any]:
            elements = self._make()
            while (group := list(islice(elements, batch_size))) and not (
                drop_remainder and len(group) < batch_size
            ):
                yield _stacked(group)

        part = 0 if drop_remainder else batch_size - 1
        return Batches(
            make,
            self._of_length(lambda n: n if math.isinf(n) else (n + part) // batch_size),
            batch_size,
        )

    def unbatch(self) -> Batches:
        """Return the samples of the batches one by one."""

        def make() -> Iterator[Any]:
            for batch in self._make():
                yield from zip(*batch, strict=True) if isinstance(batch, tuple) else batch

        return Batches(make)

    def repeat(self, count: int | None = None) -> Batches:
        """Return the elements several times.

        Args:
            count: How often; None or -1 for without end.
        """
        endless = count is None or count == -1

        def make() -> Iterator[Any]:
            left = count
            while endless or left:
                yield from self._make()
                left = None if endless or left is None else left - 1

        return (
            Batches(make, lambda: math.inf)
            if endless
            else Batches(make, self._of_length(lambda n: n * int(count or 0)))
        )

    def shuffle(
        self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True
    ) -> Batches:
        """Return the elements in an order that is drawn anew for each loop.

        Args:
            buffer_size: How many elements are waiting to be drawn from.
            seed: Seed of the orders; None to draw one from the seed of `set_random_seed`.
            reshuffle_each_iteration: False for the same order in each loop.
        """
        check_integer("buffer_size", buffer_size, 1)
        first = make_seed() if seed is None else seed
        generators = iter(lambda: np.random.default_rng(first), None)
        lasting = next(generators)

        def make() -> Iterator[Any]:
            generator = lasting if reshuffle_each_iteration else next(generators)
            elements = self._make()
            buffer = list(islice(elements, buffer_size))
            for each in elements:
                place = int(generator.integers(len(buffer)))
                drawn, buffer[place] = buffer[place], each
                yield drawn
            generator.shuffle(buffer)
            yield from buffer

        return Batches(make, self._length)

    def cache(self, filename: str = "") -> Batches:
        """Return the same elements, which are kept once the first loop is through.

        Args:
            filename: Only the default: elements are kept in memory.
        """
        kept: list[Any] = []

        def make() -> Iterator[Any]:
            if not kept:
                kept.extend(self._make())
            return iter(kept)

        return Batches(make, self._length)

    def prefetch(self, buffer_size: int | None = None) -> Batches:
        """Return the data set itself: elements are made when they are needed.

        Args:
            buffer_size: Without effect.
        """
        return self

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Return an iterator over the elements as plain arrays."""
        return self._make()

    def _of_length(self, change: Callable[[float], float]) -> Callable[[], float | None]:
        def length() -> float | None:
            own = self._length()
            return None if own is None else change(own)

        return length


def _spec_of(element: Any) -> Any:
    if isinstance(element, tuple):
        return tuple(map(_spec_of, element))
    if isinstance(element, dict):
        return {name: _spec_of(each) for name, each in element.items()}
    array = np.asarray(element)
    return ElementSpec(array.shape, array.dtype)


def _stacked(group: list[Any]) -> Any:
    if isinstance(group[0], tuple):
        return tuple(np.stack(parts) for parts in zip(*group, strict=True))
    return np.stack(group)
