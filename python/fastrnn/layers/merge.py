"""What the layers share that merge several inputs element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.layer import Layer, Shape
from fastrnn.symbolic import is_shape


class Merge(Layer):
    """Base of Add, Subtract, Multiply, Average, Maximum and Minimum.

    Inputs broadcast as in NumPy; those of fewer dimensions get dimensions of 1 behind the batch. If
    all inputs have masks, an entry of the output counts where it counts in any of them.

    A subclass implements `_merge` and `_unmerge` for inputs of the same rank.
    """

    takes_list = True
    supports_masking = True
    most_inputs: int | None = None
    """How many inputs it takes at most, and if it is not None, exactly."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True  # there are no weights to make

    def check_input_shape(self, shape: Any) -> None:
        """Refuse what is not a list of shapes, or shapes that do not broadcast."""
        check_list_of_shapes(self, shape, self.most_inputs)
        self.compute_output_shape(shape)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape to which the inputs broadcast."""
        shapes = [tuple(shape) for shape in input_shape]
        rank = max(map(len, shapes))
        merged = []
        for sizes in zip(*(_of_rank(shape, rank) for shape in shapes), strict=True):
            known = {size for size in sizes if size not in (None, 1)}
            if len(known) > 1:
                raise ValueError(
                    f"The inputs of layer '{self.name}' must broadcast to one shape. "
                    f"Received: shapes {shapes}"
                )
            merged.append(known.pop() if known else None if None in sizes else 1)
        return tuple(merged)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return where any input counts, or None if one of them has no mask."""
        if mask is None or any(each is None for each in mask):
            return None
        merged = mask[0]
        for each in mask[1:]:
            merged = merged | each
        return merged

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        """Merge the inputs. The cache is their shapes, and what the merge keeps."""
        aligned = _aligned(x)
        y, kept = self._merge(aligned)
        return y, ([each.shape for each in x], [each.shape for each in aligned], kept)

    def backward(
        self, cache: Any, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[list[np.ndarray] | None, list[np.ndarray]]:
        """Go back through `forward`."""
        if not input_gradient:
            return None, []
        shapes, aligned, kept = cache
        d_aligned = self._unmerge(kept, d_y, len(shapes))
        return [
            _summed_to(d, of).reshape(shape)
            for d, of, shape in zip(d_aligned, aligned, shapes, strict=True)
        ], []

    def _merge(self, x: list[np.ndarray]) -> tuple[np.ndarray, Any]:
        """Return the merged inputs, which have one rank, and what `_unmerge` needs."""
        raise NotImplementedError

    def _unmerge(self, kept: Any, d_y: np.ndarray, count: int) -> Sequence[np.ndarray]:
        """Return the gradients of the inputs, each of the shape of the output."""
        raise NotImplementedError


class MaskedMerge(Merge):
    """Base of the merges in which a masked entry of an input leaves the others alone."""

    uses_mask = True
    finds_masks = True

    def forward(
        self, x: list[np.ndarray], training: bool = False, mask: Any = None
    ) -> tuple[np.ndarray, Any]:
        """Merge the inputs. The cache is their shapes, and what the merge keeps.

        Args:
            x: List of arrays.
            training: Without effect.
            mask: List of their masks, `[batch, steps]` or None.
        """
        aligned = _aligned(x)
        masks = [None] * len(x) if mask is None else mask
        y, kept = self._merge_masked(
            aligned,
            [
                None if own is None else np.broadcast_to(own[..., np.newaxis], each.shape)
                for own, each in zip(masks, aligned, strict=True)
            ],
        )
        return y, ([each.shape for each in x], [each.shape for each in aligned], kept)

    def _merge_masked(
        self, x: list[np.ndarray], masks: list[np.ndarray | None]
    ) -> tuple[np.ndarray, Any]:
        """Do as `_merge`, with masks of the shapes of the inputs."""
        raise NotImplementedError


class Extremum(MaskedMerge):
    """Base of Maximum and Minimum. Where entries are equal the gradient is that of the first."""

    _choose: Any
    _is_kept: Any
    """Whether an entry stays beside one that comes after it: a comparison of NumPy."""

    def _merge_masked(
        self, x: list[np.ndarray], masks: list[np.ndarray | None]
    ) -> tuple[np.ndarray, Any]:
        merged, counts, kept = x[0], masks[0], []
        for each, mask in zip(x[1:], masks[1:], strict=True):
            if mask is not None:
                each = np.where(mask, each, merged)
            left = merged if counts is None else np.where(counts, merged, each)
            kept.append((mask, counts, type(self)._is_kept(left, each)))
            merged = type(self)._choose(left, each)
            counts = None if mask is None or counts is None else counts | mask
        return np.asarray(merged), kept

    def _unmerge(self, kept: Any, d_y: np.ndarray, count: int) -> Sequence[np.ndarray]:
        gradients = []
        for mask, counts, stays in reversed(kept):
            d_left, d_each = np.where(stays, d_y, 0), np.where(stays, 0, d_y)
            d_y = d_left
            if counts is not None:
                d_y, d_each = np.where(counts, d_left, 0), d_each + np.where(counts, 0, d_left)
            if mask is not None:
                d_y, d_each = d_y + np.where(mask, 0, d_each), np.where(mask, d_each, 0)
            gradients.append(d_each)
        return [d_y, *reversed(gradients)]


def check_list_of_shapes(layer: Layer, shape: Any, count: int | None = None) -> None:
    """Refuse what is not a list of shapes, one for each input.

    Raises:
        ValueError: If it is not, or if there are more or fewer than `count` of them.
    """
    if is_shape(shape) or not shape or count not in (None, len(shape)):
        wanted = "several" if count is None else str(count)
        raise ValueError(
            f"Layer '{layer.name}' must be called on a list of {wanted} inputs. "
            f"Received: shape={shape}"
        )


def _of_rank(shape: Shape, rank: int) -> Shape:
    return (*shape[:1], *(1,) * (rank - len(shape)), *shape[1:])


def _aligned(x: list[np.ndarray]) -> list[np.ndarray]:
    """Return the inputs with dimensions of 1 behind the batch where they have fewer."""
    rank = max(each.ndim for each in x)
    return [each.reshape(_of_rank(each.shape, rank)) for each in x]  # type: ignore[arg-type]


def _summed_to(d: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a gradient summed over the dimensions along which its input was broadcast."""
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and d.shape[axis] != 1)
    return np.asarray(np.add.reduce(d, axis=axes, keepdims=True)) if axes else d
