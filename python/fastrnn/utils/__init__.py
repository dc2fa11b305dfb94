"""Helpers around training, as in Keras."""

from __future__ import annotations

from fastrnn.backend import clear_session
from fastrnn.random import set_random_seed
from fastrnn.utils.custom_objects import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from fastrnn.utils.data_adapter_utils import pack_x_y_sample_weight, unpack_x_y_sample_weight
from fastrnn.utils.dataset_utils import split_dataset
from fastrnn.utils.get_file import get_file
from fastrnn.utils.model_visualization import model_to_dot, plot_model
from fastrnn.utils.numerical_utils import normalize, to_categorical
from fastrnn.utils.plot_history import plot_history
from fastrnn.utils.progbar import Progbar
from fastrnn.utils.py_dataset import PyDataset
from fastrnn.utils.sequence_utils import pad_sequences
from fastrnn.utils.text_dataset import text_dataset_from_directory
from fastrnn.utils.timeseries_dataset import timeseries_dataset_from_array

Sequence = PyDataset
CustomObjectScope = custom_object_scope

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_history",
    "plot_model",
    "register_keras_serializable",
    "set_random_seed",
    "split_dataset",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
