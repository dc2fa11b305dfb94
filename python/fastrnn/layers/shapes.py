"""Shapes as layers take them, and a user's `build`, which gets them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fastrnn.arguments import is_integer
from fastrnn.symbolic import map_shapes

Shape = tuple[int | None, ...]
"""Size of each dimension, the batch first; None where it is left open."""


def standardize_shape(shape: Any) -> Shape:
    """Return a shape as a tuple of positive ints and Nones.

    Raises:
        ValueError: If it is not a sequence of such.
    """
    if isinstance(shape, (tuple, list)) and all(
        size is None or (is_integer(size) and size >= 0) for size in shape
    ):
        return tuple(None if size is None else int(size) for size in shape)
    raise ValueError(f"A shape must be a tuple of integers and None. Received: shape={shape!r}")


def build_once(build: Callable[..., Any]) -> Callable[..., None]:
    """Make a user's `build` run once, as Keras does, and say that it did.

    Args:
        build: Takes the layer and one or several shapes.
    """

    @wraps(build)
    def built(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.built or self._builds:
            return
        given = [map_shapes(standardize_shape, shape) for shape in args]
        named = {name: map_shapes(standardize_shape, shape) for name, shape in kwargs.items()}
        self._builds = True
        try:
            build(self, *given, **named)
        finally:
            self._builds = False
        self.built = True
        shape = next(iter((*given, *named.values())), None)
        if self._build_shape is None:
            self._build_shape = shape
        self._after_own_build(shape)

    return built


def pop_batch_input_shape(arguments: dict[str, Any]) -> Shape | None:
    """Take the shape of the input, batch first, out of a constructor's keyword arguments.

    Args:
        arguments: The arguments, of which those about the shape are taken away.
    """
    batch_shape = arguments.pop("batch_input_shape", None)
    sample_shape = arguments.pop("input_shape", None)
    input_dim, batch_size = arguments.pop("input_dim", None), arguments.pop("batch_size", None)
    if input_dim is not None:
        sample_shape = (input_dim,)
    if batch_shape is None and sample_shape is not None:
        batch_shape = (batch_size, *standardize_shape(sample_shape))
    return None if batch_shape is None else standardize_shape(batch_shape)
