"""Penalties on weights and outputs, by string, object or config as in Keras."""

from __future__ import annotations

from typing import Any

from fastrnn.regularizers.l1_l2 import L1, L1L2, L2, l1_and_l2
from fastrnn.regularizers.orthogonal_regularizer import OrthogonalRegularizer
from fastrnn.regularizers.regularizer import OwnRegularizer, Regularizer
from fastrnn.utils import registry
from fastrnn.utils.custom_objects import find_custom_object
from fastrnn.utils.named_function import function_config, function_from

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]

# Names that Keras gives the classes too.
l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

_CLASSES: tuple[type[Regularizer], ...] = (L1, L2, L1L2, OrthogonalRegularizer)
_REGISTRY: registry.Registry[Regularizer] = registry.Registry(
    "regularizer",
    Regularizer,
    registry.in_both_cases(_CLASSES),
)


def get(identifier: Any) -> Regularizer | None:
    """Make a regularizer.

    Args:
        identifier: A name (`"l1"`, `"l2"`, `"l1_l2"`, `"L2"`), a `Regularizer` or its class, a
            function of an array, a config dict with `class_name` and `config`, or None.

    Returns:
        The regularizer, or None for None.

    Raises:
        ValueError: If `identifier` is not one of these, or the name is not known.

    Example:
        >>> get("l2").l2, get("l1_l2").l1, get(None)
        (0.01, 0.01, None)
    """
    if identifier is None:
        return None
    if identifier == "l1_l2":
        return l1_and_l2()
    is_function = isinstance(identifier, dict) and identifier.get("class_name") == "function"
    known = find_custom_object(identifier) if isinstance(identifier, str) else None
    if is_function or (known is not None and not isinstance(known, type)):
        identifier = function_from(identifier, "a regularizer")
    is_own = callable(identifier) and not isinstance(identifier, (type, Regularizer))
    if is_own and not hasattr(identifier, "get_config"):
        return OwnRegularizer(identifier)
    return _REGISTRY.get(identifier)


def serialize(regularizer: Regularizer) -> dict[str, Any]:
    """Return the config dict of a regularizer, in Keras's form.

    Args:
        regularizer: The regularizer.

    Returns:
        Dict of plain values with `class_name` and `config`, from which `deserialize` makes an equal
        regularizer.

    Example:
        >>> serialize(L2(0.5))["config"]
        {'l2': 0.5}
    """
    if isinstance(regularizer, OwnRegularizer):
        return function_config(regularizer.function)
    return registry.serialize(regularizer, "keras.regularizers")


def deserialize(config: dict[str, Any]) -> Regularizer:
    """Make a regularizer from the result of `serialize` (Keras's works too).

    Args:
        config: What `serialize` or Keras's returned.

    Returns:
        The regularizer.

    Raises:
        ValueError: If it is not such a dict, or names nothing known.

    Example:
        >>> deserialize(serialize(L2(0.5))).l2
        0.5
    """
    return _REGISTRY.get(config)
