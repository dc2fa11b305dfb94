"""Models in files: `.keras`, `.h5` and `.weights.h5`, as Keras 3.15 reads and writes them."""

from fastrnn.files.errors import InvalidFileError
from fastrnn.saving.api import load_model, load_weights, save_model, save_weights
from fastrnn.utils.custom_objects import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

CustomObjectScope = custom_object_scope  # Keras's other name

__all__ = [
    "CustomObjectScope",
    "InvalidFileError",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
]
