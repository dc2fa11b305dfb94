"""Dense and embedding kernels against the oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import reference
from support.float32_error import assert_exact_enough
from support.pairwise import pairwise
from support.rnn_cells import normal

SIZES = (1, 7, 17, 33, 65, 130)
DENSE = pairwise(
    {
        "rows": SIZES,
        "features": SIZES,
        "units": SIZES,
        "activation": tuple(reference.ACTIVATIONS),
        "use_bias": (True, False),
        "input_gradient": (True, False),
    }
)
# More rows than one block of the backward pass takes.
DENSE.append({**DENSE[0], "rows": 1100, "use_bias": True, "input_gradient": True})


def dense_problem(row: dict[str, Any], rng: np.random.Generator) -> tuple[Any, ...]:
    x = normal(rng, row["rows"], row["features"])
    kernel = normal(rng, row["features"], row["units"]) / np.float32(np.sqrt(row["features"]))
    bias = normal(rng, row["units"]) if row["use_bias"] else None
    return x, kernel, bias, normal(rng, row["rows"], row["units"])


@pytest.mark.parametrize("row", DENSE, ids=lambda row: "-".join(map(str, row.values())))
def test_dense(row: dict[str, Any], isa: str, rng: np.random.Generator) -> None:
    from fastrnn import kernels

    x, kernel, bias, d_y = dense_problem(row, rng)
    activation = row["activation"]
    y = kernels.dense_forward(x, kernel, bias, activation=activation)
    exact = reference.dense_forward(x, kernel, bias, activation=activation)
    plain = reference.ACTIVATIONS[activation].forward(x @ kernel + (0 if bias is None else bias))
    assert_exact_enough("y", y, exact, plain)
    got = kernels.dense_backward(
        x, y, kernel, d_y, activation=activation,
        use_bias=row["use_bias"], input_gradient=row["input_gradient"],
    )  # fmt: skip
    # From the same y: near a kink of relu the oracle's own y may lie on the other side.
    want = reference.dense_backward(x, y, kernel, d_y, activation=activation)
    slope = reference.ACTIVATIONS[activation].slope(y)
    d_a = d_y * slope
    plain_gradients = (d_a @ kernel.T, x.T @ d_a, d_a.sum(axis=0))
    wanted = (row["input_gradient"], True, row["use_bias"])
    for name, is_wanted, exact_part, plain_part in zip(
        got._fields, wanted, want, plain_gradients, strict=True
    ):
        part = getattr(got, name)
        if is_wanted:
            assert_exact_enough(name, part, exact_part, plain_part)
        else:
            assert part is None


def test_dense_takes_any_rank_and_layout(isa: str, rng: np.random.Generator) -> None:
    from fastrnn import kernels

    x, kernel, bias = normal(rng, 2, 3, 4, 5), normal(rng, 5, 7), normal(rng, 7)
    y = kernels.dense_forward(x, kernel, bias, activation="tanh")
    assert y.shape == (2, 3, 4, 7)
    np.testing.assert_array_equal(
        y.reshape(-1, 7), kernels.dense_forward(x.reshape(-1, 5), kernel, bias, activation="tanh")
    )
    turned = np.asfortranarray(x.astype(np.float64))
    np.testing.assert_array_equal(
        y, kernels.dense_forward(turned, np.asfortranarray(kernel), bias, activation="tanh")
    )
    assert (
        kernels.dense_backward(x, y, kernel, np.ones_like(y), activation="tanh").x.shape == x.shape
    )
    np.testing.assert_allclose(
        kernels.dense_forward(np.array([[1, 2], [3, 4]]), np.eye(2)), [[1, 2], [3, 4]]
    )
    assert kernels.dense_forward(x[:0], kernel, bias).shape == (0, 3, 4, 7)


def test_dense_same_bits_for_any_number_of_threads(
    isa: str, rng: np.random.Generator, set_threads: Callable[[int], None]
) -> None:
    from fastrnn import kernels

    x, kernel, d_y = normal(rng, 130, 70), normal(rng, 70, 33), normal(rng, 130, 33)
    results = []
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        y = kernels.dense_forward(x, kernel, activation="sigmoid")
        results.append((y, *kernels.dense_backward(x, y, kernel, d_y, activation="sigmoid")))
    for result in results[1:]:
        for a, b in zip(results[0], result, strict=True):
            np.testing.assert_array_equal(a, b)


def test_dense_bad_input(rng: np.random.Generator) -> None:
    from fastrnn import kernels

    x, kernel, bias = normal(rng, 3, 5), normal(rng, 5, 7), normal(rng, 7)
    y = kernels.dense_forward(x, kernel, bias)
    for call in (
        lambda: kernels.dense_forward(x[:, 1:], kernel, bias),
        lambda: kernels.dense_forward(x, kernel[0], bias),
        lambda: kernels.dense_forward(x, kernel, bias[1:]),
        lambda: kernels.dense_forward(x, kernel, bias, activation="softmax"),
        lambda: kernels.dense_forward(x.astype(complex), kernel, bias),
        lambda: kernels.dense_forward(np.float32(3), kernel, bias),
        lambda: kernels.dense_backward(x, y[1:], kernel, y),
        lambda: kernels.dense_backward(x, y, kernel, y[:, 1:]),
        lambda: kernels.dense_backward(x[1:], y, kernel, y),
        lambda: kernels.dense_backward(x, y, kernel[1:], y),
    ):
        with pytest.raises((ValueError, TypeError), match="eceived"):
            call()


# --- Embedding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 7, 16, 33, 130])
@pytest.mark.parametrize("shape", [(1,), (7, 5), (3, 2, 4), ()], ids=str)
def test_embedding(shape: tuple[int, ...], width: int, isa: str, rng: np.random.Generator) -> None:
    from fastrnn import kernels

    table, tokens = normal(rng, 11, width), rng.integers(0, 11, shape)
    rows = kernels.embedding_forward(tokens, table)
    np.testing.assert_array_equal(rows, table[tokens])
    assert rows.dtype == np.float32
    d_rows = normal(rng, *shape, width)
    np.testing.assert_allclose(
        kernels.embedding_backward(tokens, d_rows, 11),
        reference.embedding_backward(np.asarray(tokens), d_rows, 11),
        rtol=1e-6,
        atol=2e-6,
    )


@pytest.mark.parametrize("dtype", "bBhHiIqQ")
def test_embedding_takes_every_integer_dtype(dtype: str, isa: str) -> None:
    from fastrnn import kernels

    table = np.arange(12, dtype=np.float32).reshape(6, 2)
    tokens = np.array([[0, 5], [3, 3]], dtype)
    np.testing.assert_array_equal(kernels.embedding_forward(tokens, table), table[tokens])
    d_table = kernels.embedding_backward(tokens, np.ones((2, 2, 2)), 6)
    np.testing.assert_array_equal(d_table[:, 0], [1, 0, 0, 2, 0, 1])


def test_many_duplicates_add_up(isa: str, rng: np.random.Generator) -> None:
    """An IMDB batch is a third padding: one row takes thousands of additions."""
    from fastrnn import kernels

    tokens = np.where(rng.random((64, 200)) < 0.4, 0, rng.integers(0, 500, (64, 200)))
    d_rows = normal(rng, 64, 200, 19)
    exact = reference.embedding_backward(tokens, d_rows, 600)
    plain = np.zeros((600, 19), np.float32)
    np.add.at(plain, tokens, d_rows)
    got = kernels.embedding_backward(tokens, d_rows, 600)
    assert_exact_enough("d_table", got, exact, plain)
    assert not np.any(got[500:])


def test_embedding_same_bits_for_any_number_of_threads(
    isa: str, rng: np.random.Generator, set_threads: Callable[[int], None]
) -> None:
    from fastrnn import kernels

    tokens, d_rows = rng.integers(0, 50, (40, 30)), normal(rng, 40, 30, 21)
    results = []
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        results.append(kernels.embedding_backward(tokens, d_rows, 50))
    for result in results[1:]:
        np.testing.assert_array_equal(results[0], result)


def test_embedding_bad_input(rng: np.random.Generator) -> None:
    from fastrnn import kernels

    table, d_rows = normal(rng, 6, 2), np.ones((1, 2), np.float32)
    for tokens in (
        np.array([6]),
        np.array([-1]),
        np.array([-1], np.int8),
        np.array([2**31]),
        np.array([2**32]),
        np.array([2**32 + 1]),
        np.array([2**63], np.uint64),
        np.array([-(2**63)]),
        np.array([1.5]),
        np.array([np.nan]),
        np.array([np.inf]),
        np.array([True]),
        np.array(["1"]),
        np.array([1], object),
    ):
        with pytest.raises((ValueError, TypeError), match="token"):
            kernels.embedding_forward(tokens, table)
        with pytest.raises((ValueError, TypeError), match="token"):
            kernels.embedding_backward(tokens, d_rows, 6)
    good = np.array([1])
    for call in (
        lambda: kernels.embedding_forward(good, table[0]),
        lambda: kernels.embedding_forward(good, table.astype(object)),
        lambda: kernels.embedding_backward(good, d_rows[0], 6),
        lambda: kernels.embedding_backward(np.array([1, 2]), d_rows, 6),
        lambda: kernels.embedding_backward(good, d_rows, 0),
    ):
        with pytest.raises((ValueError, TypeError), match="eceived"):
            call()


def test_whole_numbers_in_floats_are_tokens(isa: str) -> None:
    """Keras takes them too: `pad_sequences(dtype="float32")` makes them."""
    from fastrnn import kernels

    table = np.arange(12, dtype=np.float32).reshape(6, 2)
    np.testing.assert_array_equal(
        kernels.embedding_forward(np.array([5.0, 0.0]), table), table[[5, 0]]
    )


def test_embedding_of_no_tokens(isa: str) -> None:
    from fastrnn import kernels

    table = np.ones((6, 2), np.float32)
    rows = kernels.embedding_forward(np.zeros((0, 3), np.int64), table)
    assert rows.shape == (0, 3, 2)
    assert not np.any(kernels.embedding_backward(np.zeros((0, 3), np.int64), rows, 6))
