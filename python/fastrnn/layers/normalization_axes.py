"""What layers share that normalize along some dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.layers.layer import Layer, Shape
from fastrnn.variable import Variable


def axes_of(axis: Any) -> tuple[int, ...]:
    """Return an axis, or several, in the order of their numbers: as in Keras -1 comes before 1.

    Raises:
        TypeError: If it is not an integer or a list of them.
    """
    axes: list[Any] = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    if not axes or not all(type(each) is int for each in axes):
        raise TypeError(f"`axis` must be an integer or a list of them. Received: axis={axis!r}")
    return tuple(sorted(axes))


def check_axes(layer: Layer, axes: tuple[int, ...], shape: Shape, known: bool = True) -> None:
    """Refuse shapes without the dimensions of `axis`, or of other sizes than the weights'.

    Args:
        layer: The layer.
        axes: The dimensions.
        shape: Shape of the input, batch first.
        known: Whether the sizes must be known.

    Raises:
        ValueError: If they do not fit.
    """
    rank, said = len(shape), getattr(layer, "axis", axes)
    if not all(-rank <= axis < rank for axis in axes):
        raise ValueError(
            f"The input of layer '{layer.name}' must have the dimensions of `axis`, "
            f"{said}. Received: shape={shape}"
        )
    sizes = tuple(shape[axis] for axis in axes)
    if (known and None in sizes) or len({axis % rank for axis in axes}) < len(sizes):
        raise ValueError(
            f"The input of layer '{layer.name}' must have known sizes along `axis`, each of "
            f"which is given once: {said}. Received: shape={shape}"
        )
    for weight in layer.weights:
        if weight.shape != sizes:
            raise ValueError(
                f"The input of layer '{layer.name}' must have the sizes {weight.shape} along "
                f"`axis`, {said}. Received: shape={shape}"
            )


def add_scale_and_shift(layer: Any, sizes: tuple[int, ...], scale: bool, center: bool) -> None:
    """Make `gamma` and `beta` of a layer, from its initializers, regularizers and constraints.

    Args:
        layer: The layer.
        sizes: Their shape.
        scale: Whether there is a gamma.
        center: Whether there is a beta.
    """
    for name, wanted in (("gamma", scale), ("beta", center)):
        if wanted:
            settings = (
                getattr(layer, f"{name}_{kind}")
                for kind in ("initializer", "regularizer", "constraint")
            )
            initializer, regularizer, constraint = settings
            weight = layer.add_weight(
                sizes, initializer, name, regularizer=regularizer, constraint=constraint
            )
            setattr(layer, name, weight)


def spread(weight: Variable, axes: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Return a weight in a shape that broadcasts to that of the input.

    Args:
        weight: One number for each entry along the axes.
        axes: The dimensions.
        shape: Shape of the input.
    """
    places = {axis % len(shape) for axis in axes}
    sizes = (size if axis in places else 1 for axis, size in enumerate(shape))
    return weight.value.reshape(*sizes)
