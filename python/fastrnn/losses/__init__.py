"""Losses, by string, object, function or config as in Keras."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from fastrnn.losses.binary_crossentropy import BinaryCrossentropy, binary_crossentropy
from fastrnn.losses.categorical_crossentropy import (
    CategoricalCrossentropy,
    categorical_crossentropy,
)
from fastrnn.losses.loss import Loss
from fastrnn.losses.mean_absolute_error import MeanAbsoluteError, mean_absolute_error
from fastrnn.losses.mean_squared_error import MeanSquaredError, mean_squared_error
from fastrnn.losses.sparse_categorical_crossentropy import (
    SparseCategoricalCrossentropy,
    sparse_categorical_crossentropy,
)
from fastrnn.utils import registry

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_crossentropy",
]

_CLASS_OF_FUNCTION: dict[Callable[..., np.ndarray], type[Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    mean_absolute_error: MeanAbsoluteError,
    mean_squared_error: MeanSquaredError,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}
_REGISTRY: registry.Registry[Loss] = registry.Registry(
    "loss",
    Loss,
    {
        **{cls.__name__: cls for cls in _CLASS_OF_FUNCTION.values()},
        **{function.__name__: cls for function, cls in _CLASS_OF_FUNCTION.items()},
        "bce": BinaryCrossentropy,
        "BCE": BinaryCrossentropy,
        "mae": MeanAbsoluteError,
        "MAE": MeanAbsoluteError,
        "mse": MeanSquaredError,
        "MSE": MeanSquaredError,
    },
)


def get(identifier: Any) -> Loss:
    """Make a loss.

    Unlike Keras's, this always returns a `Loss`, also for the name of a function.

    Args:
        identifier: A name (`"mse"`, `"binary_crossentropy"`, `"BinaryCrossentropy"`), a `Loss` or
            its class, a function of this module, or a config dict.

    Returns:
        The loss.

    Raises:
        ValueError: If `identifier` is none of these, or the name is not known.

    Example:
        >>> get("mse").name
        'mean_squared_error'
    """
    if isinstance(identifier, FunctionType):
        identifier = _CLASS_OF_FUNCTION.get(identifier, identifier)
    return _REGISTRY.get(identifier)


def serialize(loss: Loss) -> dict[str, Any]:
    """Return the config dict of a loss, in Keras's form."""
    return registry.serialize(loss, "keras.losses")


def deserialize(config: dict[str, Any]) -> Loss:
    """Make a loss from the result of `serialize`."""
    return get(config)
