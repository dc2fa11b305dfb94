from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
if str(BENCH) not in sys.path:
    sys.path.insert(0, str(BENCH))


@pytest.fixture(autouse=True)
def torch_settings() -> Iterator[None]:
    """Undo what a PyTorch trainee sets for the whole process, threads of OpenMP among it."""
    yield
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        torch.set_flush_denormal(False)
