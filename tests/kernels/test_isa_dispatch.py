"""The ISA level: which is active, how to force one, and that the forced one really runs."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.rnn_cells import CELLS, flatten, normal

ON_X86 = platform.machine().lower() in ("x86_64", "amd64")

# The result's bits in a line of text: a dot product so long that FMA and no FMA round differently.
FINGERPRINT = """
import hashlib
import numpy as np
from fastrnn import _core, kernels
rng = np.random.default_rng(0)
x, kernel = (rng.standard_normal(s).astype(np.float32) for s in ((8, 4096), (4096, 32)))
print(_core.isa(), hashlib.sha256(kernels.dense_forward(x, kernel).tobytes()).hexdigest())
"""


def fingerprint() -> tuple[str, ...]:
    import contextlib
    import io

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(FINGERPRINT, {})
    return tuple(printed.getvalue().split())


def levels() -> list[str]:
    from fastrnn import _core

    return list(_core.isa_levels())


def test_the_best_level_is_the_default(run_python: Callable[..., Any]) -> None:
    run = run_python("from fastrnn import _core; print(_core.isa())", FASTRNN_ISA=None)
    assert run.stdout.strip() == levels()[0], run.stderr


@pytest.mark.skipif(not ON_X86, reason="x86-64 only")
def test_levels_of_x86_are_ordered_best_first() -> None:
    order = ["avx512", "avx2", "baseline"]
    assert levels() == [level for level in order if level in levels()]
    assert levels()[-1] == "baseline"


def test_set_isa_reports_the_level(isa: str) -> None:
    from fastrnn import _core

    assert _core.isa() == isa


def test_set_isa_refuses_what_it_does_not_know() -> None:
    from fastrnn import _core

    before = _core.isa()
    for name in ("sse9", "", "AVX2"):
        with pytest.raises(ValueError, match=levels()[-1]):
            _core.set_isa(name)
    assert _core.isa() == before


def test_environment_forces_a_level(isa: str, run_python: Callable[..., Any]) -> None:
    """The forced level is active in a new process and computes the bits that it computes here."""
    run = run_python(FINGERPRINT, FASTRNN_ISA=isa)
    assert run.returncode == 0, run.stderr
    assert tuple(run.stdout.split()) == fingerprint()


def test_a_level_gives_the_same_bits_again(isa: str) -> None:
    assert fingerprint() == fingerprint()


@pytest.mark.skipif(not ON_X86, reason="every aarch64 level has FMA")
def test_the_level_that_runs_is_the_forced_one() -> None:
    """The baseline has no FMA: its long sums differ in bits from those of every other level."""
    from fastrnn import _core

    before, seen = _core.isa(), {}
    for level in levels():
        _core.set_isa(level)
        seen[level] = fingerprint()
    _core.set_isa(before)
    assert all(name == level for level, (name, _) in seen.items())
    if len(seen) == 1:
        pytest.skip("this host has the baseline only")
    bits = {level: digest for level, (_, digest) in seen.items()}
    baseline = bits.pop("baseline")
    assert baseline not in bits.values()


@pytest.mark.parametrize("name", ["sse9", "avx", "AVX2 "])
def test_unknown_level_in_the_environment(name: str, run_python: Callable[..., Any]) -> None:
    run = run_python("import fastrnn", FASTRNN_ISA=name)
    assert run.returncode != 0
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError:"), run.stderr
    assert "FASTRNN_ISA" in last
    assert name in last
    assert all(level in last for level in levels()), last


def test_level_that_the_host_lacks(run_python: Callable[..., Any]) -> None:
    lacking = [level for level in ("avx512", "avx2") if level not in levels()]
    if not ON_X86 or not lacking:
        pytest.skip("this host has every level that is built")
    run = run_python("import fastrnn", FASTRNN_ISA=lacking[0])
    assert run.returncode != 0
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError:"), run.stderr
    assert lacking[0] in last
    assert all(level in last for level in levels()), last


def test_empty_variable_forces_nothing(run_python: Callable[..., Any]) -> None:
    run = run_python("from fastrnn import _core; print(_core.isa())", FASTRNN_ISA="")
    assert run.stdout.strip() == levels()[0], run.stderr


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_levels_agree(cell: Any, rng: np.random.Generator) -> None:
    from fastrnn import _core

    x, weights, before = normal(rng, 9, 12, 6), cell.weights(rng, 6, 21), _core.isa()
    results = []
    for level in levels():
        _core.set_isa(level)
        output = cell.forward(x, *weights, return_sequences=True)
        gradients = cell.backward(output.tape, np.ones_like(output.outputs))
        results.append({**flatten(output), **flatten(gradients)})
    _core.set_isa(before)
    for result in results[1:]:
        for name, array in result.items():
            scale = np.max(np.abs(array))
            np.testing.assert_allclose(array, results[0][name], rtol=0, atol=3e-6 * scale)
