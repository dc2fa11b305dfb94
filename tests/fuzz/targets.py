"""What can be drawn, and how often."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from fuzz import files, layers_around, recurrent, system, updates

Target = Callable[[Random], str]

# Shares of a long run, in which no target has less than two in a hundred.
TARGETS: dict[str, tuple[Target, int]] = {
    "recurrent agrees": (recurrent.agrees, 16),
    "recurrent, steps": (recurrent.steps, 6),
    "recurrent, one wild row": (recurrent.one_wild_row, 8),
    "recurrent, any numbers": (recurrent.any_numbers, 4),
    "recurrent refuses": (recurrent.refuses, 12),
    "dense": (layers_around.dense, 10),
    "dense refuses": (layers_around.dense_refuses, 5),
    "embedding": (layers_around.embedding, 8),
    "embedding refuses": (layers_around.embedding_refuses, 5),
    "activations": (layers_around.activations, 5),
    "activations refuse": (layers_around.activations_refuse, 3),
    "any numbers": (layers_around.any_numbers, 3),
    "too large": (layers_around.too_large, 3),
    "updates agree": (updates.agree, 9),
    "updates, any numbers": (updates.any_numbers, 4),
    "updates overlap": (updates.overlap, 3),
    "updates refuse": (updates.refuse, 6),
    "system refuses": (system.refuse, 3),
    "probes": (system.probes, 3),
    "no sense": (system.no_sense, 6),
    "files": (files.load, 5),
}
