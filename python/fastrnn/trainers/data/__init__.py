"""Data of training: arrays, sequences of any length, generators; checked, in batches."""

from fastrnn.trainers.data.arrays import ArrayFeed
from fastrnn.trainers.data.batch import Batch, Feed
from fastrnn.trainers.data.epochs import Epochs
from fastrnn.trainers.data.iterables import KeptFeed, OnceFeed, yields_batches
from fastrnn.trainers.data.ragged import Ragged, RaggedFeed, passing_padding
from fastrnn.trainers.data.split import unpack
from fastrnn.trainers.data_adapter import DataAdapter

__all__ = [
    "ArrayFeed",
    "Batch",
    "DataAdapter",
    "Epochs",
    "Feed",
    "KeptFeed",
    "OnceFeed",
    "Ragged",
    "RaggedFeed",
    "passing_padding",
    "unpack",
    "yields_batches",
]
