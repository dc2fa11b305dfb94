"""The rows that the kernels walk where states are reset: those between two resets.

They are gathered by operations that autograd knows; a step that is padding is masked, and costs
nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class _Segments(NamedTuple):
    """Where the steps between two resets lie.

    Attributes:
        steps: [S, L] for each segment its steps as numbers b * T + t; 0 behind its end.
        mask: [S, L], False behind a segment's end.
        first: [B], the segment with which a row begins.
        last: [B], the one with which it ends.
        places: [B * T], where each step lies in [S * L].
    """

    steps: Tensor
    mask: Tensor
    first: Tensor
    last: Tensor
    places: Tensor


class SegmentedRows:
    """Rows whose state starts anew at some steps, as one row for each segment in between.

    Segments do not depend on each other, so that the kernels walk all of them at once.

    Args:
        reset: Bool [B, T], True where the state is set to zeros before the step.
    """

    def __init__(self, reset: Tensor) -> None:
        self._shape = reset.shape
        self._keeps_state = ~reset[:, 0]
        self._segments = _segments(reset)
        self.mask = self._segments.mask

    def split(self, x: Tensor) -> Tensor:
        """Return x [B, T, F] as segments [S, L, F]."""
        steps = self._segments.steps
        return x.flatten(0, 1).index_select(0, steps.flatten()).view(*steps.shape, -1)

    def initial(self, state: Tensor) -> Tensor:
        """Return the states [S, H] of the segments from those of the rows [B, H]."""
        kept = state * self._keeps_state[:, None]
        begin = state.new_zeros(len(self.mask), state.shape[1])
        return begin.index_copy(0, self._segments.first, kept)

    def joined(self, outputs: Tensor) -> Tensor:
        """Return outputs of the segments [S, L, H] as those of the rows [B, T, H]."""
        joined = outputs.flatten(0, 1).index_select(0, self._segments.places)
        return joined.view(*self._shape, -1)

    def last(self, state: Tensor) -> Tensor:
        """Return the last states of the rows [B, H] from those of the segments [S, H]."""
        return state.index_select(0, self._segments.last)


def _segments(reset: Tensor) -> _Segments:
    batch, time = reset.shape
    begins = reset.clone()
    begins[:, 0] = True
    number = torch.cumsum(begins.flatten(), 0) - 1  # segment of each step, [B * T]
    start = begins.flatten().nonzero()[:, 0]
    ends = torch.cat([start[1:], start.new_full((1,), batch * time)])
    length = ends - start
    longest = int(length.max())
    offset = torch.arange(longest)
    mask = offset < length[:, None]
    steps = torch.where(mask, start[:, None] + offset, 0)
    places = number * longest + torch.arange(batch * time) - start[number]
    grid = number.view(batch, time)
    return _Segments(steps, mask, grid[:, 0], grid[:, -1], places)
