"""Which dimensions of an attention are attended over: splits into heads, masks of their scores."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np


class Heads:
    """Turns `[batch, dimensions..., heads, size]` into `[batch, others..., heads, steps, size]`.

    The dimensions that are attended over become one of `steps`; `others` are those that are not.

    Args:
        rank: Number of dimensions of the inputs of the attention.
        axes: The dimensions that are attended over; None for all but the batch and the features.
    """

    def __init__(self, rank: int, axes: Sequence[int] | None) -> None:
        self.rank = rank
        given = range(1, rank - 1) if axes is None else axes
        self.axes = tuple(axis if axis >= 0 else rank + axis for axis in given)
        self._others = tuple(axis for axis in range(1, rank - 1) if axis not in self.axes)
        # Where the dimensions of split heads come from, those attended over not yet joined.
        self._order = (0, *self._others, rank - 1, *self.axes, rank)

    def check(self, name: str, query: Sequence[Any], value: Sequence[Any]) -> None:
        """Refuse shapes that do not have the dimensions, or differ in the other ones.

        Args:
            name: Name of the layer, for messages.
            query: Shape of the queries.
            value: Shape of the values.

        Raises:
            ValueError: If they do not fit.
        """
        if sorted(set(self.axes)) != sorted(self.axes) or not all(
            0 < axis < self.rank - 1 for axis in self.axes
        ):
            raise ValueError(
                f"`attention_axes` of layer '{name}' must be different dimensions between the "
                f"batch and the features. Received: attention_axes={self.axes}, queries of shape "
                f"{tuple(query)}"
            )
        for axis in (0, *self._others):
            if None not in (query[axis], value[axis]) and query[axis] != value[axis]:
                raise ValueError(
                    f"Queries and values of layer '{name}' must have equal sizes in each dimension "
                    f"that is not attended over. Received: shapes {tuple(query)}, {tuple(value)}"
                )
        if any(value[axis] == 0 for axis in self.axes):
            raise ValueError(
                f"The values of layer '{name}' must have at least one step. "
                f"Received: shape={tuple(value)}"
            )

    def split(self, projected: np.ndarray) -> np.ndarray:
        """Return heads one after another.

        Args:
            projected: `[batch, dimensions..., heads, size]`.

        Returns:
            `[batch, others..., heads, steps, size]`.
        """
        moved = projected.transpose(self._order)
        return moved.reshape(*moved.shape[: -len(self.axes) - 1], -1, moved.shape[-1])

    def join(self, split: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        """Invert `split`.

        Args:
            split: `[batch, others..., heads, steps, size]`.
            shape: A shape with the sizes of the dimensions of the result that are attended over.

        Returns:
            C-contiguous array `[batch, dimensions..., heads, size]`.
        """
        steps = [shape[axis] for axis in self.axes]
        moved = split.reshape(*split.shape[:-2], *steps, split.shape[-1])
        return np.ascontiguousarray(moved.transpose(np.argsort(self._order)))

    def shape_of_scores(
        self, heads: int, query: Sequence[Any], value: Sequence[Any]
    ) -> tuple[Any, ...]:
        """Return the shape of the weights as a call returns them.

        Args:
            heads: Number of heads.
            query: Shape of the queries.
            value: Shape of the values.
        """
        others = (query[axis] for axis in self._others)
        queries, steps = ([shape[axis] for axis in self.axes] for shape in (query, value))
        return (query[0], *others, heads, *queries, *steps)

    def counts(
        self,
        name: str,
        shape: tuple[int, ...],
        masks: Sequence[Any] | None,
        attention_masks: Sequence[Any],
        causal: bool,
        window: int | None,
    ) -> np.ndarray | None:
        """Return which scores count.

        Args:
            name: Name of the layer, for messages.
            shape: That of the weights as a call returns them.
            masks: Masks of queries, values and keys, each None or an array of the shape of the
                input's first dimensions; or None.
            attention_masks: Masks of the weights, each of them None or of a shape that broadcasts.
            causal: Whether query i takes the values up to step i alone.
            window: A query takes the steps that are less than so many steps away; None for all.

        Returns:
            Booleans that broadcast to `[batch, others..., heads, queries, steps]`, or None if all
            scores count.

        Raises:
            ValueError: If a mask does not broadcast, or several dimensions have no order.
        """
        count = len(self.axes)
        found = []
        for which, own in enumerate(list(masks or ())[:3]):
            if own is not None:
                own = np.asarray(own, np.bool_)
                ones = (1,) * count
                own = own.reshape(*own.shape, *(1,) * (self.rank - 1 - own.ndim))
                own = own.transpose(0, *self._others, *self.axes)
                lead, steps = own.shape[:-count], own.shape[-count:]
                found.append(
                    own.reshape(*lead, 1, *((*steps, *ones) if not which else (*ones, *steps)))
                )
        for mask in attention_masks:
            if mask is not None:
                own = np.asarray(mask) != 0
                missing = len(shape) - own.ndim
                place = max(own.ndim - 2 * count, 0)
                found.append(
                    own.reshape(*own.shape[:place], *(1,) * max(missing, 0), *own.shape[place:])
                )
        if causal or window is not None:
            if count > 1:
                raise ValueError(
                    f"`use_causal_mask` and `sliding_window` of layer '{name}' need one dimension "
                    f"that is attended over. Received: attention_axes={self.axes}"
                )
            behind = np.subtract.outer(np.arange(shape[-2]), np.arange(shape[-1]))
            near = behind >= 0 if causal else np.ones(behind.shape, np.bool_)
            found.append(near if window is None else near & (np.abs(behind) < window))
        if not found:
            return None
        whole = found[0]
        for each in found:
            pairs = zip(each.shape[::-1], shape[::-1], strict=False)
            if each.ndim > len(shape) or any(own not in (1, size) for own, size in pairs):
                raise ValueError(
                    f"Masks of layer '{name}' must broadcast to the shape of the weights, {shape}. "
                    f"Received: a mask of shape {each.shape}"
                )
            whole = whole & each
        if count > 1:
            whole = np.broadcast_to(whole, (*whole.shape[: -2 * count], *shape[-2 * count :]))
            rows = (prod(shape[-2 * count : -count]), prod(shape[-count:]))
            whole = whole.reshape(*whole.shape[: -2 * count], *rows)
        return whole
