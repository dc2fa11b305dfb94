"""Module paths of tf.keras for what prepares sequences and texts."""

from __future__ import annotations

from fastrnn.preprocessing import sequence, text
from fastrnn.utils.timeseries_dataset import timeseries_dataset_from_array

__all__ = ["sequence", "text", "timeseries_dataset_from_array"]
