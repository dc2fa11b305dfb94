"""Products of operands that are rounded to bfloat16: against the oracle, and bit against bit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import _core, kernels
from support import reference
from support.float32_error import ROUNDINGS, root_mean_square
from support.rnn_cells import CELLS, Cell
from support.rnn_problems import (
    SIZES,
    VARIANTS,
    Problem,
    answer,
    assert_same_bits,
    is_embedded,
    make_problem,
    rows_of,
    run,
    wanted,
    with_options,
)

# Rows of choices: all sizes, and each way through the kernels.
SIZED = [
    {"batch": 9, "steps": 3, "features": features, "units": units}
    for features, units in zip(reversed(SIZES), SIZES, strict=True)
]
VARIED = [
    {"batch": batch, "steps": 4, "features": 19, "units": 33, **variant}
    for batch, variant in zip((5, 18) * len(VARIANTS), VARIANTS.values(), strict=False)
]
# Enough rows and steps for several groups of rows, which threads walk at the same time.
GROUPED = [
    {"batch": 128, "steps": 40, "features": 17, "units": 33},
    {"batch": 128, "steps": 40, "features": 17, "units": 33, "input": "mixed"},
]
# So wide that weight gradients are summed in blocks, and so few rows that threads walk together.
BLOCKED = [
    {"batch": 20, "steps": 3, "features": 40, "units": 210},
    {"batch": 1, "steps": 3, "features": 9, "units": 270},
    {"batch": 12, "steps": 3, "features": 40, "units": 210, "input": "mixed"},
]

each_cell = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
each_row = pytest.mark.parametrize(
    "row", SIZED + VARIED + GROUPED + BLOCKED, ids=lambda row: "-".join(map(str, row.values()))
)


def float32_problem(cell: Cell, row: dict[str, Any]) -> Problem:
    return make_problem(cell, row, np.random.default_rng([row["units"], row["features"], len(row)]))


def in_bfloat16(problem: Problem) -> Problem:
    return with_options(problem, compute_dtype="bfloat16")


# The orders in which products are summed, by how any machine does so; and what it emulates.
INSTRUCTIONS = {"emulated": "avx512-bf16", "emulated-amx": "amx"}
each_order = pytest.mark.parametrize("order", INSTRUCTIONS)


@pytest.fixture
def use() -> Iterator[Callable[[str], None]]:
    """Sets how bfloat16 are multiplied, undone after the test. Skips it where the CPU cannot."""

    def set_products(name: str) -> None:
        try:
            _core.set_bfloat16_products(name)
        except ValueError:
            pytest.skip(f"ISA level {_core.isa()} on this CPU has no {name}")

    yield set_products
    _core.set_bfloat16_products(None)


def test_the_best_products_are_used_and_unknown_ones_refused(isa: str) -> None:
    message = r"must be one of (.*'emulated', 'emulated-amx')\. Received: 'bf16'"
    with pytest.raises(ValueError, match=message) as refused:
        _core.set_bfloat16_products("bf16")
    found = re.search(message, str(refused.value))
    assert found is not None
    best = found.group(1).split(", ")[0].strip("'")
    assert _core.bfloat16_products() == best == fastrnn.get_config()["bfloat16"]


@each_cell
@each_row
@each_order
def test_it_is_the_oracle_with_rounded_operands(
    cell: Cell, row: dict[str, Any], order: str, isa: str, use: Callable[[str], None]
) -> None:
    """Far closer than the rounding itself: one operand that is not rounded would show.

    Not closer, because a state or gradient between two numbers of bfloat16 may go to the one in
    float32 and to the other in float64.
    """
    use(order)
    problem = float32_problem(cell, row)
    exact = wanted(answer(cell, problem), problem)
    with reference.bfloat16_operands():
        rounded = wanted(answer(cell, problem), problem)
    got, _ = run(cell, in_bfloat16(problem))
    assert set(got) == set(exact)
    for name, array in got.items():
        assert array.dtype == np.float32
        noise, size = root_mean_square(rounded[name] - exact[name]), root_mean_square(exact[name])
        assert noise < 0.05 * size or size == 0, name
        if is_embedded(problem.x) and name in ("kernel", "x"):
            # The sum of a token's gradients is rounded, not each of them: another noise.
            error, allowed = root_mean_square(array - exact[name]), 4 * noise
        else:
            error, allowed = root_mean_square(array - rounded[name]), 0.25 * noise
        assert error <= allowed + ROUNDINGS * size, f"{name}: {error / noise:.3g} of the noise"


@each_cell
@each_row
@each_order
def test_the_bits_do_not_depend_on_threads_or_rows(
    cell: Cell,
    row: dict[str, Any],
    order: str,
    isa: str,
    set_threads: Callable[[int], None],
    use: Callable[[str], None],
) -> None:
    use(order)
    problem = in_bfloat16(float32_problem(cell, row))
    set_threads(1)
    got, _ = run(cell, problem)
    for threads in (2, 3):
        set_threads(threads)
        assert_same_bits(got, run(cell, problem)[0])
    last = slice(row["batch"] - 1, row["batch"])
    alone, _ = run(cell, rows_of(problem, last))
    for name in ("outputs", "states[0]"):
        np.testing.assert_array_equal(alone[name], got[name][last])


@each_cell
@each_row
@each_order
def test_instructions_give_the_bits_of_their_emulation(
    cell: Cell,
    row: dict[str, Any],
    order: str,
    isa: str,
    set_threads: Callable[[int], None],
    use: Callable[[str], None],
) -> None:
    problem = in_bfloat16(float32_problem(cell, row))
    use(INSTRUCTIONS[order])
    got, _ = run(cell, problem)
    set_threads(1)
    assert_same_bits(got, run(cell, problem)[0])
    use(order)
    assert_same_bits(got, run(cell, problem)[0])


each_way = pytest.mark.parametrize("way", [*INSTRUCTIONS, *INSTRUCTIONS.values()])


@each_way
def test_products_are_summed_in_the_order_of_the_instructions(
    isa: str, way: str, use: Callable[[str], None]
) -> None:
    """Pairs, second number first; or with AMX the first of 16 pairs, the second ones, then both."""
    use(way)
    rng = np.random.default_rng(11)
    x, kernel = (
        reference.to_bfloat16(rng.standard_normal(shape)).astype(np.float32)
        for shape in ((40, 100), (100, 37))
    )
    output = kernels.rnn_forward(
        "simple_rnn", x[:, None], kernel, np.zeros((37, 37)), activation="linear",
        compute_dtype="bfloat16",
    )  # fmt: skip
    products = x[:, :, None] * kernel  # exact
    expected = np.zeros((40, 37), np.float32)
    if "amx" in way:
        for begin in range(0, 100, 32):
            first, second = np.zeros((2, 40, 37), np.float32)
            for k in range(begin, min(begin + 32, 100), 2):
                first += products[:, k]
                second += products[:, k + 1]
            expected += first + second
    else:
        for k in range(0, 100, 2):
            expected += products[:, k + 1]
            expected += products[:, k]
    np.testing.assert_array_equal(output.outputs, expected)


# Halfway between two numbers of bfloat16, beside it, and what is not a usual number.
ODD_NUMBERS = np.float32(
    [1.00390625, 1.01171875, -1.00390625, 1.0039063, 1.0039062, 3.3961775e38, 3.3895314e38, 3.4e38,
     np.inf, -np.inf, 1e-40, 1.1754944e-38, 1.2e-38, 0.0, 255.5, 256.5, 1 / 3, -1 / 3]
)  # fmt: skip


@each_way
def test_rounding_is_to_nearest_even(isa: str, way: str, use: Callable[[str], None]) -> None:
    use(way)
    rng = np.random.default_rng(3)
    x = np.concatenate([ODD_NUMBERS, rng.standard_normal(1000).astype(np.float32)])
    output = kernels.rnn_forward(
        "simple_rnn", x[:, None, None], [[1.0]], [[0.0]], activation="linear",
        compute_dtype="bfloat16",
    )  # fmt: skip
    with np.errstate(over="ignore"):
        expected = reference.to_bfloat16(x.astype(np.float64)).astype(np.float32)
    expected[np.isinf(x)] = x[np.isinf(x)]
    np.testing.assert_array_equal(output.outputs[:, 0], expected)


@each_way
@pytest.mark.parametrize("bits", [0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FC00000])
def test_nan_stays_nan(isa: str, bits: int, way: str, use: Callable[[str], None]) -> None:
    use(way)
    x = np.full((3, 2, 5), np.uint32(bits).view(np.float32))
    weights = np.ones((5, 16)), np.ones((4, 16))
    output = kernels.rnn_forward("lstm", x, *weights, compute_dtype="bfloat16").outputs
    assert np.all(np.isnan(output))


@each_cell
def test_float32_is_the_default(cell: Cell) -> None:
    problem = make_problem(cell, SIZED[3], np.random.default_rng(1))
    default, _ = run(cell, problem)
    assert_same_bits(default, run(cell, with_options(problem, compute_dtype="float32"))[0])
    other, _ = run(cell, with_options(problem, compute_dtype="bfloat16"))
    assert not np.array_equal(default["outputs"], other["outputs"])


def test_another_dtype_is_refused() -> None:
    x, weights = np.ones((1, 2, 3)), (np.ones((3, 4)), np.ones((4, 4)))
    with pytest.raises(ValueError, match=r"`compute_dtype` must be 'float32' or 'bfloat16'\. Rec"):
        kernels.rnn_forward("simple_rnn", x, *weights, compute_dtype="float16")


def test_a_step_is_a_walk_of_one_step() -> None:
    cell = CELLS[1]
    row = {"batch": 3, "steps": 1, "features": 5, "units": 6}
    problem = in_bfloat16(float32_problem(cell, row))
    stepped = cell.step(
        problem.x[:, 0], problem.initial_state, *problem.weights, compute_dtype="bfloat16"
    )
    got, _ = run(cell, problem)
    for number, state in enumerate(stepped):
        np.testing.assert_array_equal(state, got[f"states[{number}]"])
