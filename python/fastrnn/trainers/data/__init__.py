"""Data of training: arrays, sequences of any length, generators; checked, in batches."""

from fastrnn.trainers.data.arrays import ArrayFeed
from fastrnn.trainers.data.batch import Batch, Feed
from fastrnn.trainers.data.epochs import Epochs
from fastrnn.trainers.data.iterables import CachedFeed, IteratorFeed, yields_batches
from fastrnn.trainers.data.ragged import Ragged, RaggedFeed
from fastrnn.trainers.data.samples import unpack

__all__ = [
    "ArrayFeed",
    "Batch",
    "CachedFeed",
    "Epochs",
    "Feed",
    "IteratorFeed",
    "Ragged",
    "RaggedFeed",
    "unpack",
    "yields_batches",
]
