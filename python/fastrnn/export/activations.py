"""Activations as ONNX operators."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn.export.builder import Builder

_OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "tanh": ("Tanh", {}),
    "sigmoid": ("Sigmoid", {}),
    "relu": ("Relu", {}),
    "softsign": ("Softsign", {}),
    "softplus": ("Softplus", {}),
    "elu": ("Elu", {"alpha": 1.0}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_sigmoid_keras2": ("HardSigmoid", {"alpha": 0.2, "beta": 0.5}),
    "selu": ("Selu", {}),
    "celu": ("Celu", {"alpha": 1.0}),
    "exponential": ("Exp", {}),
    "hard_shrink": ("Shrink", {"lambd": 0.5, "bias": 0.0}),
    "soft_shrink": ("Shrink", {"lambd": 0.5, "bias": 0.5}),
    "softmax": ("Softmax", {"axis": -1}),
    "log_softmax": ("LogSoftmax", {"axis": -1}),
}
"""Name of an activation -> operator and its attributes."""

_RENAMED = {"negative_slope": "alpha", "threshold": "lambd"}
"""Arguments of activations whose attributes have other names."""

_CELLS = {
    *("tanh", "sigmoid", "relu", "softsign", "softplus", "elu", "leaky_relu"),
    *("hard_sigmoid", "hard_sigmoid_keras2"),
}
"""Those that the recurrent operators of ONNX have."""


def _clip(low: float, high: float) -> Callable[[Builder, str], str]:
    return lambda builder, x: builder.add("Clip", x, float(low), float(high))


def _times(function: str) -> Callable[[Builder, str], str]:
    """Return x times another activation of x."""
    return lambda builder, x: builder.add("Mul", x, activation(builder, x, function))


def _log_sigmoid(builder: Builder, x: str) -> str:
    return builder.add("Neg", builder.add("Softplus", builder.add("Neg", x)))


def _mish(builder: Builder, x: str) -> str:
    return builder.add("Mul", x, builder.add("Tanh", builder.add("Softplus", x)))


def _gelu(builder: Builder, x: str) -> str:
    erf = builder.add("Erf", builder.add("Mul", x, math.sqrt(0.5)))
    return builder.add("Mul", builder.add("Mul", x, 0.5), builder.add("Add", erf, 1.0))


def _squareplus(builder: Builder, x: str) -> str:
    root = builder.add("Sqrt", builder.add("Add", builder.add("Mul", x, x), 4.0))
    return builder.add("Mul", builder.add("Add", x, root), 0.5)


_COMPOSED: dict[str, Callable[[Builder, str], str]] = {
    "linear": lambda builder, x: x,
    "relu6": _clip(0, 6),
    "hard_tanh": _clip(-1, 1),
    "silu": _times("sigmoid"),
    "hard_silu": _times("hard_sigmoid"),
    "mish": _mish,
    "log_sigmoid": _log_sigmoid,
    "tanh_shrink": lambda builder, x: builder.add("Sub", x, builder.add("Tanh", x)),
    "gelu": _gelu,
    "squareplus": _squareplus,
}


def activation(builder: Builder, x: str, name: str, **arguments: Any) -> str:
    """Append the nodes of an activation and return the name of its output.

    Args:
        builder: What collects them.
        x: Name of the input.
        name: Name of the activation.
        **arguments: Its further arguments.

    Raises:
        ValueError: If it cannot be said in ONNX.
    """
    if name == "relu" and arguments:
        return _relu(builder, x, **arguments)
    if name in _COMPOSED and not arguments:
        return _COMPOSED[name](builder, x)
    if name not in _OPERATORS:
        raise ValueError(f"The activation `{name}` cannot be exported to ONNX.")
    operator, attributes = _OPERATORS[name]
    own = {_RENAMED.get(key, key): value for key, value in arguments.items()}
    if not set(own) <= set(attributes) or not all(np.isscalar(value) for value in own.values()):
        raise ValueError(
            f"The activation `{name}` cannot be exported to ONNX with these arguments. "
            f"Received: {arguments}"
        )
    return builder.add(operator, x, **(attributes | own))


def _relu(
    builder: Builder, x: str, max_value: float | None, negative_slope: float, threshold: float
) -> str:
    if negative_slope == threshold == 0:
        y = builder.add("Relu", x)
    else:
        above = builder.add("Greater", x, float(threshold))
        below = builder.add("Mul", builder.add("Sub", x, float(threshold)), float(negative_slope))
        y = builder.add("Where", above, x, below)
    return y if max_value is None else builder.add("Min", y, float(max_value))


def of_cell(names: list[str]) -> dict[str, list[Any]]:
    """Return the activations of a recurrent operator as its attributes.

    Args:
        names: Names of the activations, in the order of the operator.

    Raises:
        ValueError: If the operator has not one of them.
    """
    attributes: dict[str, list[Any]] = {"activations": []}
    for name in names:
        if name == "linear":
            operator, own = "Affine", {"alpha": 1.0, "beta": 0.0}
        elif name in _CELLS:
            operator, own = _OPERATORS[name]
        else:
            raise ValueError(f"A cell with the activation `{name}` cannot be exported to ONNX.")
        attributes["activations"].append(operator)
        for key, value in own.items():
            attributes.setdefault(f"activation_{key}", []).append(value)
    return attributes
