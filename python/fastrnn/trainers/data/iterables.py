"""Data sets that yield batches: iterators, iterables, and objects that are indexed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from fastrnn.random import generator
from fastrnn.state import generators_of, get_attributes, has_state, set_attributes
from fastrnn.trainers.data.batch import Batch, Feed

Convert = Callable[[Any], Batch]
"""Makes a checked batch from what a data set yields."""


def yields_batches(x: Any) -> bool:
    """Return whether x yields batches, rather than being an array or a list of samples."""
    if hasattr(x, "__array__") or isinstance(x, (Sequence, Mapping, Set)):
        return False
    return hasattr(x, "__iter__") or _is_indexed(x)


def _is_indexed(x: Any) -> bool:
    return hasattr(x, "__getitem__") and (hasattr(x, "num_batches") or hasattr(x, "__len__"))


def feed_of(data: Any, convert: Convert, shuffle: bool | str) -> Feed:
    """Return the feed of a data set that yields batches."""
    if _is_indexed(data):
        return IndexedFeed(data, convert, shuffle)
    if isinstance(data, Iterator):
        return IteratorFeed(data, convert)
    return IterableFeed(data, convert)


class IterableFeed(Feed):
    """Batches of an object that can be iterated again and again, such as a `tf.data.Dataset`.

    Args:
        data: What yields batches.
        convert: What checks and converts them.
    """

    def __init__(self, data: Iterable[Any], convert: Convert) -> None:
        self._data = data
        self._convert = convert
        self._begun: tuple[Batch, Iterator[Any], dict[str, Any]] | None = None
        self.steps = _length(data)

    def __iter__(self) -> Iterator[Batch]:
        if self._begun is None:
            return map(self._convert, iter(self._data))
        (first, others, _), self._begun = self._begun, None
        return itertools.chain([first], map(self._convert, others))

    def peek(self) -> Batch:
        """Return the first batch; the next pass goes on from it."""
        if self._begun is None:
            before = self.state_before_pass()
            others = iter(self._data)
            for first in others:
                self._begun = self._convert(first), others, before
                break
            else:
                raise _empty()
        return self._begun[0]

    def get_state(self) -> dict[str, Any]:
        """Return the state of the object."""
        return _state_of(self._data)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back the state of the object."""
        _set_state(self._data, state)

    def state_before_pass(self) -> dict[str, Any]:
        """Return the state with which the next pass begins, or has begun."""
        return super().state_before_pass() if self._begun is None else self._begun[2]

    def forget(self) -> None:
        """Leave a pass that `peek` has begun."""
        self._begun = None


class IteratorFeed(Feed):
    """Batches of an iterator: each pass goes on where the last one ended.

    Args:
        data: The iterator, such as a generator.
        convert: What checks and converts its batches.
    """

    def __init__(self, data: Iterator[Any], convert: Convert) -> None:
        self._batches = map(convert, data)
        self._next: Batch | None = None

    def __iter__(self) -> Iterator[Batch]:
        while not self.ran_out():
            batch, self._next = self._next, None
            assert batch is not None
            yield batch

    def ran_out(self) -> bool:
        """Return whether the iterator has ended; takes a batch from it to know."""
        if self._next is None:
            self._next = next(self._batches, None)
        return self._next is None

    def peek(self) -> Batch:
        """Return the batch that comes next."""
        if self.ran_out():
            raise _empty()
        assert self._next is not None
        return self._next


class IndexedFeed(Feed):
    """Batches of an object like a `keras.utils.PyDataset`.

    Args:
        data: `data[i]` is its batch with number i, `data.num_batches` or `len(data)` tells how
            many there are (None for no end). Its `on_epoch_begin` and `on_epoch_end` are called
            if it has them.
        convert: What checks and converts its batches.
        shuffle: Whether each pass draws an order of the batches.
    """

    def __init__(self, data: Any, convert: Convert, shuffle: bool | str = False) -> None:
        self._data = data
        self._convert = convert
        self._shuffle = shuffle
        self._count()

    def _count(self) -> None:
        has_number = hasattr(self._data, "num_batches")
        self.steps = self._data.num_batches if has_number else len(self._data)

    def __iter__(self) -> Iterator[Batch]:
        numbers: Iterable[int] = itertools.count()
        if self.steps is not None:
            numbers = range(self.steps)
            if self._shuffle:
                numbers = generator().permutation(self.steps).tolist()
        return (self._convert(self._data[number]) for number in numbers)

    def peek(self) -> Batch:
        """Return the first batch."""
        if self.steps == 0:
            raise _empty()
        return self._convert(self._data[0])

    def get_state(self) -> dict[str, Any]:
        """Return the state of the object."""
        return _state_of(self._data)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back the state of the object."""
        _set_state(self._data, state)
        self._count()

    def on_epoch_begin(self) -> None:
        """Tell the object that an epoch begins."""
        getattr(self._data, "on_epoch_begin", _nothing)()

    def on_epoch_end(self) -> None:
        """Tell the object that an epoch has ended; it may have another length then."""
        getattr(self._data, "on_epoch_end", _nothing)()
        self._count()


class CachedFeed(Feed):
    """The first batches of a feed that can be iterated once, kept for all passes.

    Args:
        feed: The feed.
        steps: How many batches to take; None for all.
    """

    def __init__(self, feed: Feed, steps: int | None) -> None:
        self._feed = feed
        self._limit = steps
        self._cached: list[Batch] | None = None

    def __iter__(self) -> Iterator[Batch]:
        if self._cached is None:
            # Whole batches: the caller shares them out.
            self._cached = list(itertools.islice(self._feed, self._limit))
        return iter(self._cached)

    def peek(self) -> Batch:
        """Return the first batch."""
        return self._feed.peek() if self._cached is None else self._cached[0]


def _state_of(data: Any) -> dict[str, Any]:
    """Return what a user's object keeps: its own state, or that of its generators."""
    if has_state(data):
        return {"own": data.get_state()}
    return get_attributes(data, generators_of(data))


def _set_state(data: Any, state: Mapping[str, Any]) -> None:
    if has_state(data):
        data.set_state(state["own"])
    else:
        set_attributes(data, state)


def _nothing() -> None:
    pass


def _length(data: Any) -> int | None:
    try:
        return len(data)
    except (TypeError, NotImplementedError):  # endless and unknown lengths of tf.data raise it
        return None


def _empty() -> ValueError:
    return ValueError("`x` must yield at least one batch. Received: no batch")
