"""Initial values of weights, by string, object or config as in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn.initializers.base import Initializer, RandomInitializer
from fastrnn.initializers.constant_initializers import Constant, Identity, Ones, Zeros
from fastrnn.initializers.random_initializers import (
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
)
from fastrnn.initializers.scaled_initializers import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from fastrnn.utils import registry

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

# Names that Keras gives the classes too.
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros
IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal

_CLASSES: tuple[type[Initializer], ...] = (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
_REGISTRY: registry.Registry[Initializer] = registry.Registry(
    "initializer",
    Initializer,
    {
        **registry.in_both_cases(_CLASSES),
        # Other names that Keras accepts.
        "IdentityInitializer": Identity,
        "OrthogonalInitializer": Orthogonal,
        "normal": RandomNormal,
        "uniform": RandomUniform,
        "one": Ones,
        "zero": Zeros,
    },
)


def get(identifier: Any) -> Callable[..., np.ndarray]:
    """Make an initializer.

    Args:
        identifier: A name (`"glorot_uniform"`, `"GlorotUniform"`), an `Initializer` or its class,
            a config dict with `class_name` and `config`, an array to start from, or any function
            of a shape.

    Returns:
        A function of a shape that returns an array.

    Raises:
        ValueError: If `identifier` is not one of these, or the name is not known.

    Example:
        >>> get("ones")((2,))
        array([1., 1.], dtype=float32)
    """
    if isinstance(identifier, np.ndarray):
        return Constant(identifier)
    if callable(identifier) and not isinstance(identifier, type):
        function: Callable[..., np.ndarray] = identifier
        return function
    return _REGISTRY.get(identifier)


def serialize(initializer: Callable[..., np.ndarray]) -> dict[str, Any]:
    """Return the config dict of an initializer, in Keras's form.

    Args:
        initializer: An `Initializer`.

    Returns:
        Dict of plain values with `class_name` and `config`, from which `deserialize` makes an equal
        initializer.

    Raises:
        ValueError: If it is a plain function, which has no config.

    Example:
        >>> serialize(Constant(2.0))["config"]
        {'value': 2.0}
    """
    if not isinstance(initializer, Initializer):
        raise ValueError(f"Only an `Initializer` has a config. Received: {initializer!r}")
    return registry.serialize(initializer, "keras.initializers")


def deserialize(config: dict[str, Any]) -> Initializer:
    """Make an initializer from the result of `serialize` (Keras's works too).

    Args:
        config: What `serialize` or Keras's returned.

    Returns:
        The initializer.

    Raises:
        ValueError: If it is not such a dict, or names nothing known.

    Example:
        >>> deserialize(serialize(Constant(2.0))).value
        2.0
    """
    return _REGISTRY.get(config)
