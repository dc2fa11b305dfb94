"""The kinds of cases, and where their golden files are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from golden import (
    activations,
    case_file,
    functions,
    graphs,
    layers,
    losses,
    merges,
    metrics,
    models,
    optimizers,
    utilities,
)

FOLDER = Path(__file__).parent
KINDS: dict[str, Any] = {
    "layers": layers,
    "merges": merges,
    "models": models,
    "graphs": graphs,
    "activations": activations,
    "optimizers": optimizers,
    "losses": losses,
    "metrics": metrics,
    "functions": functions,
    "utilities": utilities,
}
# The other kinds are computed in NumPy: one ISA level is as good as another.
WITH_KERNELS = ("layers", "models", "graphs", "activations", "optimizers")
CASES = [(kind, name) for kind, module in KINDS.items() for name in module.CASES]


def golden_file(kind: str) -> Path:
    return FOLDER / f"{kind}.npz"


def golden(kind: str, name: str) -> case_file.Golden:
    """Return what the golden file says about a case."""
    return case_file.load(golden_file(kind))[1][name]
