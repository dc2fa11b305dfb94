"""`pad_sequences` under its tf.keras path."""

from __future__ import annotations

from fastrnn.utils.sequence_utils import pad_sequences

__all__ = ["pad_sequences"]
