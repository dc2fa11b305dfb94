"""Optimizers, by string, object or config as in Keras."""

from __future__ import annotations

from typing import Any

from fastrnn.optimizers import schedules
from fastrnn.optimizers.adadelta import Adadelta
from fastrnn.optimizers.adagrad import Adagrad
from fastrnn.optimizers.adam import Adam
from fastrnn.optimizers.adamax import Adamax
from fastrnn.optimizers.adamw import AdamW
from fastrnn.optimizers.nadam import Nadam
from fastrnn.optimizers.optimizer import Optimizer
from fastrnn.optimizers.rmsprop import RMSprop
from fastrnn.optimizers.sgd import SGD
from fastrnn.utils import registry

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

_CLASSES: tuple[type[Optimizer], ...] = (
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Nadam,
    RMSprop,
    SGD,
)
_REGISTRY: registry.Registry[Optimizer] = registry.Registry(
    "optimizer",
    Optimizer,
    {cls.__name__: cls for cls in _CLASSES},
    ignore_case=True,
    namespace="optimizers",
)


def get(identifier: Any) -> Optimizer:
    """Make an optimizer.

    Args:
        identifier: A name in any case (`"adam"`, `"RMSprop"`), an `Optimizer` or its class, or a
            config dict.

    Returns:
        The optimizer.

    Raises:
        ValueError: If `identifier` is not one of these, or the name is not known.

    Example:
        >>> type(get("adam")).__name__
        'Adam'
    """
    return _REGISTRY.get(identifier)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return the config dict of an optimizer, in Keras's form.

    Args:
        optimizer: The optimizer.

    Returns:
        Dict of plain values with `class_name` and `config`, from which `deserialize` makes an equal
        optimizer.

    Example:
        >>> serialize(SGD(0.5))["config"]["learning_rate"]
        0.5
    """
    return registry.serialize(optimizer, "keras.optimizers")


def deserialize(config: dict[str, Any]) -> Optimizer:
    """Make an optimizer from the result of `serialize` (Keras's works too).

    Args:
        config: What `serialize` or Keras's returned.

    Returns:
        The optimizer.

    Raises:
        ValueError: If it is not such a dict, or names nothing known.

    Example:
        >>> deserialize(serialize(SGD(0.5))).learning_rate
        0.5
    """
    return get(config)
