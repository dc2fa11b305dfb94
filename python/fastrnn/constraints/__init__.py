"""Projections of weights after each update, by string, object or config as in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn.constraints.constraint import Constraint
from fastrnn.constraints.non_neg import NonNeg
from fastrnn.constraints.norms import MaxNorm, MinMaxNorm, UnitNorm
from fastrnn.utils import registry

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

# Names that Keras gives the classes too.
max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

_CLASSES: tuple[type[Constraint], ...] = (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)
_REGISTRY: registry.Registry[Constraint] = registry.Registry(
    "constraint",
    Constraint,
    registry.in_both_cases(_CLASSES),
)


def get(identifier: Any) -> Callable[[np.ndarray], np.ndarray] | None:
    """Make a constraint.

    Args:
        identifier: A name (`"max_norm"`, `"MaxNorm"`), a `Constraint` or its class, a config dict
            with `class_name` and `config`, any function of a weight, or None.

    Returns:
        A function of a weight that returns its new value, or None for None.

    Raises:
        ValueError: If `identifier` is not one of these, or the name is not known.

    Example:
        >>> get("non_neg")([-1.0, 2.0])
        array([0., 2.], dtype=float32)
    """
    if identifier is None:
        return None
    if callable(identifier) and not isinstance(identifier, type):
        function: Callable[[np.ndarray], np.ndarray] = identifier
        return function
    return _REGISTRY.get(identifier)


def serialize(constraint: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
    """Return the config dict of a constraint, in Keras's form.

    Args:
        constraint: A `Constraint`.

    Returns:
        Dict of plain values with `class_name` and `config`, from which `deserialize` makes an equal
        constraint.

    Raises:
        ValueError: If it is a plain function, which has no config.

    Example:
        >>> serialize(MaxNorm(3.0))["config"]
        {'max_value': 3.0, 'axis': 0}
    """
    if not isinstance(constraint, Constraint):
        raise ValueError(f"Only a `Constraint` has a config. Received: {constraint!r}")
    return registry.serialize(constraint, "keras.constraints")


def deserialize(config: dict[str, Any]) -> Constraint:
    """Make a constraint from the result of `serialize` (Keras's works too).

    Args:
        config: What `serialize` or Keras's returned.

    Returns:
        The constraint.

    Raises:
        ValueError: If it is not such a dict, or names nothing known.

    Example:
        >>> deserialize(serialize(MaxNorm(3.0))).max_value
        3.0
    """
    return _REGISTRY.get(config)
