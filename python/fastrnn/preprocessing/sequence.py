"""`pad_sequences` and `TimeseriesGenerator` under their tf.keras path."""

from __future__ import annotations

from fastrnn.preprocessing.timeseries_generator import TimeseriesGenerator
from fastrnn.utils.sequence_utils import pad_sequences

__all__ = ["TimeseriesGenerator", "pad_sequences"]
