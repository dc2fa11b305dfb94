"""What `fit` trains and tests with, made of its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastrnn.trainers.arguments import checked_frequency, positive_or_none
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.trainers.data import (
    CachedFeed,
    Epochs,
    Feed,
    IteratorFeed,
    unpack,
    yields_batches,
)
from fastrnn.trainers.data_adapter import DataAdapter


@dataclass
class TrainingData:
    """Data of a training; the fields are arguments of `fit`, which explains them.

    Raises:
        TypeError, ValueError: By `feeds`, if one of them is wrong or does not fit another.
    """

    x: Any
    y: Any
    sample_weight: Any
    class_weight: Mapping[int, float] | None
    shuffle: Any
    batch_size: Any
    steps_per_epoch: Any
    validation_split: Any
    validation_data: Any
    validation_batch_size: Any
    validation_steps: Any
    validation_freq: Any

    def feeds(self, model: CompiledModel) -> tuple[Feed, Feed | None]:
        """Return the batches to train with, and those to test with; check all of them."""
        for name in ("batch_size", "steps_per_epoch", "validation_batch_size", "validation_steps"):
            setattr(self, name, positive_or_none(name, getattr(self, name)))
        self.validation_freq = checked_frequency(self.validation_freq)
        if not isinstance(self.shuffle, (bool, np.bool_)) and self.shuffle != "batch":
            raise ValueError(
                f"`shuffle` must be a boolean or 'batch'. Received: shuffle={self.shuffle!r}"
            )
        train, test = self._train_feed(model)
        if self.validation_data is not None:
            test = self._test_feed(DataAdapter(model))
        return train, test

    def _train_feed(self, model: CompiledModel) -> tuple[Feed, Feed | None]:
        adapter = DataAdapter(model, class_weight=self.class_weight)
        split = self.validation_split if self.validation_data is None else 0.0
        if yields_batches(self.x):
            if split:
                raise ValueError(
                    "`validation_split` needs arrays or lists of samples; beside data that yield "
                    "batches give `validation_data`. "
                    f"Received: data of type {type(self.x).__name__}"
                )
            return adapter.batches(
                self.x, self.y, self.sample_weight, self.batch_size, self.shuffle
            ), None
        test = None
        samples = adapter.samples(self.x, self.y, self.sample_weight)
        if split:
            samples, last = samples.split(split)
            if self.class_weight is not None:  # of the training alone
                last = last._replace(sample_weight=None)
            size = self.validation_batch_size or self.batch_size
            test = last.feed(adapter.batch_size(size, self.validation_steps, last.number))
        size = adapter.batch_size(self.batch_size, self.steps_per_epoch, samples.number)
        return samples.feed(size, self.shuffle), test

    def _test_feed(self, adapter: DataAdapter) -> Feed:
        data, size = self.validation_data, self.validation_batch_size
        x, y, sample_weight = data, None, None
        if not yields_batches(data):
            if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
                raise ValueError(
                    "`validation_data` must be a tuple (x, y) or (x, y, sample_weight), or yield "
                    f"such batches. Received: validation_data of type {type(data).__name__}"
                )
            x, y, sample_weight = unpack(data, "`validation_data`")
        if not yields_batches(x):
            size = size or self.batch_size
        feed = adapter.feed(x, y, sample_weight, size, self.validation_steps)
        return CachedFeed(feed, self.validation_steps) if isinstance(feed, IteratorFeed) else feed

    def tests_after(self, epoch: int) -> bool:
        """Return whether to test after the epoch, counted from 0."""
        if isinstance(self.validation_freq, int):
            return (epoch + 1) % self.validation_freq == 0
        return epoch + 1 in self.validation_freq

    def test_epoch(self, feed: Feed) -> Epochs:
        """Return the batches of one test, which begins at the first."""
        return Epochs(feed, None if isinstance(feed, CachedFeed) else self.validation_steps)
