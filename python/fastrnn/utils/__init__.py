"""Helpers around training, as in Keras."""

from __future__ import annotations

from fastrnn.random import set_random_seed
from fastrnn.utils.numerical_utils import to_categorical
from fastrnn.utils.sequence_utils import pad_sequences

__all__ = ["pad_sequences", "set_random_seed", "to_categorical"]
