"""Random numbers of layers, drawn for each row group of a batch alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from fastrnn.layers.layer import Layer
from fastrnn.state import generators_of


class GroupGenerators:
    """Generators that do not depend on which process draws the numbers of a group.

    Each step takes one number from each generator of the layers, on every rank alike. A group then
    draws from new generators, seeded by that number and by the number of the group.

    Args:
        layers: The layers, those inside of others too.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._places = [(layer, name) for layer in layers for name in generators_of(layer)]
        self._seeds: list[int] = []

    @contextmanager
    def step(self) -> Iterator[None]:
        """Context of a step; it leaves each layer its own generator."""
        own = [getattr(layer, name) for layer, name in self._places]
        self._seeds = [int(generator.integers(2**63)) for generator in own]
        try:
            yield
        finally:
            for (layer, name), generator in zip(self._places, own, strict=True):
                setattr(layer, name, generator)

    def begin(self, group: int) -> None:
        """Let the layers draw the numbers of a group."""
        for (layer, name), seed in zip(self._places, self._seeds, strict=True):
            setattr(layer, name, np.random.default_rng([seed, group]))
