"""What the machine can do at most: multiply-adds and memory traffic, by the package's probes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from fastrnn import _core

# Long enough that waking the threads (10 microseconds) does not show, short enough to be done
# between two rounds of training.
PROBE_SECONDS = 0.02
ARRAY_BYTES = 128 << 20  # of each array; more than a cache holds
TRIES = 5


def operations_per_second(threads: int, seconds: float = PROBE_SECONDS) -> float:
    """Float32 operations per second in chains of multiply-adds that never leave the registers.

    They run at the vector width of the ISA level in use (`fastrnn.show_config`). Levels without
    fused multiply-adds (`baseline`) multiply and add.

    Args:
        threads: Threads that run them, all the same number.
        seconds: About how long.

    Returns:
        Operations per second of all threads, two for a multiply-add.
    """
    steps = 10_000
    while True:
        begin = time.perf_counter()
        operations, _ = _core.probe_multiply_adds(steps, threads)
        taken = time.perf_counter() - begin
        if taken >= seconds / 2:
            return operations / taken
        steps = int(steps * min(100.0, 1.1 * seconds / taken)) + 1


@dataclass
class Peaks:
    """The figures of one run. The highest of each kind counts.

    Args:
        threads: Numbers of threads that are measured.
        operations: Float32 operations per second, all tries, by threads.
        read_bytes: Bytes per second of reading one array, by threads.
        triad_bytes: Bytes per second of a = b + s * c, by threads. Counted are two arrays read
            and one written (the memory may read the third too, to write it).
    """

    threads: tuple[int, ...]
    operations: dict[int, list[float]] = field(default_factory=dict)
    read_bytes: dict[int, list[float]] = field(default_factory=dict)
    triad_bytes: dict[int, list[float]] = field(default_factory=dict)

    def measure_operations(self) -> None:
        """Takes one more try for each number of threads."""
        for threads in self.threads:
            self.operations.setdefault(threads, []).append(operations_per_second(threads))

    def measure_memory(self, array_bytes: int = ARRAY_BYTES) -> None:
        """Takes several tries for each number of threads."""
        size = array_bytes // 4
        # Written, not just zero: pages that were never written are all the same one.
        x, y, out = (np.full(size, value, np.float32) for value in (1.0, 2.0, 3.0))

        def rate(arrays: int, probe: Callable[..., object], *arguments: object) -> float:
            begin = time.perf_counter()
            probe(*arguments)
            return arrays * 4 * size / (time.perf_counter() - begin)

        for threads in self.threads:
            reads = self.read_bytes.setdefault(threads, [])
            triads = self.triad_bytes.setdefault(threads, [])
            for _ in range(TRIES):
                reads.append(rate(1, _core.probe_read, x, threads))
                triads.append(rate(3, _core.probe_triad, out, x, y, 0.5, threads))

    def best_operations(self, threads: int) -> float:
        """The highest rate of multiply-adds so far."""
        return max(self.operations[threads])

    def describe(self, threads: int) -> str:
        """One line."""
        return (
            f"{threads} thread{'s' if threads > 1 else ''}: "
            f"{self.best_operations(threads) / 1e9:.1f} GFLOP/s float32; memory "
            f"{max(self.read_bytes[threads]) / 1e9:.1f} GB/s read, "
            f"{max(self.triad_bytes[threads]) / 1e9:.1f} GB/s triad"
        )
