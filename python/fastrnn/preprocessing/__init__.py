"""Module paths of tf.keras for what prepares sequences and texts."""

from __future__ import annotations

from fastrnn.preprocessing import sequence, text
from fastrnn.utils.text_dataset import text_dataset_from_directory
from fastrnn.utils.timeseries_dataset import timeseries_dataset_from_array

__all__ = [
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
