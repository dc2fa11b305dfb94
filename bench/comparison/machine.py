"""The machine and the software that figures belong to."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastrnn

from comparison.systems import SYSTEMS

# Flags of /proc/cpuinfo that tell what vectors the CPU has, widest first.
VECTOR_FLAGS = ("amx_tile", "avx512f", "avx2", "sse4_2", "asimd")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_information() -> dict[str, str]:
    """The first processor's entry of /proc/cpuinfo; empty where there is none."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    entry = path.read_text().split("\n\n")[0]
    pairs = (line.partition(":") for line in entry.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def describe_machine(systems: Sequence[str]) -> dict[str, Any]:
    """CPU, vector extensions, cores, fastrnn's build, and the versions of what is compared."""
    information = _cpu_information()
    flags = information.get("flags", information.get("Features", "")).split()
    return {
        "cpu": information.get("model name") or platform.processor() or platform.machine(),
        "vectors": [flag for flag in VECTOR_FLAGS if flag in flags],
        "cores": cores(),
        "fastrnn": fastrnn.get_config(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: SYSTEMS[name].version() for name in systems},
    }
