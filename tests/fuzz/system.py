"""What is neither a layer nor an update: levels, threads, probes, and calls without sense."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from fastrnn import _core

from fuzz import wild


class Unwilling:
    """Seems to be an array, a number and a sequence, and is none."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        return "no array"

    def __len__(self) -> int:
        raise ValueError("no length")

    __index__ = __float__ = __bool__ = __iter__ = __getitem__ = __len__  # type: ignore[assignment]


NOTHING_GOOD: tuple[Any, ...] = (
    None, "", "x", b"x", 1.5, -1, 2**31, 2**63, -(2**63), 2**100, float("nan"), (), [], {},
    object(), np.zeros((2, 2)), np.array("x"), lambda: None, _core, type, bytearray(5),
    memoryview(b"four"), range(3), np.zeros((2, 0, 3), np.float32), np.zeros((1,) * 40),
    np.zeros(2, [("a", "f4"), ("b", "i8")]), np.float32(3), "\0", "\ud800", Unwilling(),
    np.ma.masked_array([1.0, 2.0], [True, False]), np.array([None, 1.0]), 1j, ["a", [1]],
)  # fmt: skip


def choose(r: Random) -> str:
    """The level and the number of threads of the cases to come."""
    _core.set_isa(r.choice(_core.isa_levels()))
    choose_threads(r)
    return wild.AGREED


def choose_threads(r: Random) -> None:
    _core.set_num_threads(r.choice((1, 1, 1, 2, 3, 4)))


def refuse(r: Random) -> str:
    x = np.ones(5, np.float32)
    calls = {
        "isa": lambda: _core.set_isa(r.choice(("", "AVX2", "avx2 ", "x" * 1000, 3, None))),
        "threads": lambda: _core.set_num_threads(r.choice((-1, 4097, 2**31, -(2**31), 1.5, "2"))),
        "probe's steps": lambda: _core.probe_multiply_adds(r.choice((-1, 2**63, 0.5, None)), 1),
        "probe's threads": lambda: _core.probe_multiply_adds(1, r.choice((0, -1, 4097, 2**40))),
        "probe_read": lambda: _core.probe_read(wild.wrong_kind(r, x), 1),
        "probe_read's rank": lambda: _core.probe_read(x[None], 1),
        "probe_triad": lambda: _core.probe_triad(x, wild.wrong(r, x), x, 2.0, 1),
        "probe_triad's result": lambda: _core.probe_triad(x[:-1].copy(), x, x, 2.0, 1),
        "Tape": lambda: _core.Tape(),
        "tape": lambda: _core.rnn_backward(tape=r.choice(NOTHING_GOOD)),
    }
    what = r.choice(sorted(calls))
    return wild.must_refuse(calls[what], what)


def probes(r: Random) -> str:
    threads = r.choice((1, 2, 5))
    x = wild.generator(r).standard_normal(r.choice((0, 1, 7, 1000))).astype(np.float32)
    out = np.empty_like(x)
    _core.probe_triad(out, wild.dressed(r, x), x, 2.0, threads)
    np.testing.assert_allclose(out, 3 * x, rtol=1e-6)
    np.testing.assert_allclose(_core.probe_read(x, threads), x.sum(), rtol=1e-3, atol=1e-3)
    assert _core.probe_multiply_adds(r.choice((0, 1, 9)), threads)[0] >= 0
    _core.set_profiling(wild.some(r))
    assert all(seconds >= 0 for seconds in _core.phase_seconds().values())
    return wild.AGREED


FUNCTIONS = [
    name
    for name in dir(_core)
    if callable(getattr(_core, name)) and not name.startswith(("_", "Tape", "probe_"))  # for hours
]


def no_sense(r: Random) -> str:
    """Any function with any objects: it may find sense in them, or raise one of the errors."""
    function = getattr(_core, r.choice(FUNCTIONS))
    count = r.randrange(8) if wild.some(r, 0.2) else _arguments(function)
    try:
        function(*(r.choice(NOTHING_GOOD) for _ in range(count)))
    except (ValueError, TypeError, OSError):
        return wild.REFUSED
    return wild.AGREED


def _arguments(function: Any) -> int:
    return str(function.__doc__).split("->")[0].count(":")
