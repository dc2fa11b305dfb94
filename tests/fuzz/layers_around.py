"""Dense, Embedding and the activations on their own."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
from fastrnn import kernels
from support import reference
from support.rnn_cells import normal

from fuzz import wild

Array = np.ndarray
NAMES = sorted(reference.ACTIVATIONS)
ROUNDING = 2.0**-24


def _rows(r: Random) -> tuple[int, ...]:
    """Leading sizes: none, one, two, of them 0 now and then."""
    rows = [wild.size(r, 0.02) for _ in range(r.randrange(3))]
    if rows and wild.some(r, 0.03):
        rows[-1] = 0
    return (r.choice((700, 1200)),) if wild.some(r, 0.01) else tuple(rows)


def _near(name: str, got: Array, want: Array, bound: Array | float) -> None:
    """A sum of float32 products may be wrong by so many roundings of its terms' sizes."""
    assert got.shape == want.shape, name
    assert got.dtype == np.float32, name
    allowed = 8 * ROUNDING * np.asarray(bound) + 1e-6 * np.abs(want) + 1e-30
    assert np.all(np.abs(got - want) <= allowed), name


def dense(r: Random) -> str:
    rng, rows = wild.generator(r), _rows(r)
    features, units = wild.size(r), 0 if wild.some(r, 0.02) else wild.size(r)
    x, kernel = normal(rng, *rows, features), normal(rng, features, units)
    bias = normal(rng, units) if wild.some(r) else None
    if wild.some(r, 0.1):
        x, kernel = wild.whole(r, x), wild.whole(r, kernel)
    d_y = normal(rng, *rows, units)
    name = r.choice(NAMES)
    y = kernels.dense_forward(
        wild.dressed(r, x), wild.dressed(r, kernel), wild.dressed(r, bias), activation=name
    )
    x, kernel = x.astype(np.float32), kernel.astype(np.float32)
    want = reference.dense_forward(x, kernel, bias, activation=name)
    sizes = np.abs(x).astype(float) @ np.abs(kernel) + (0 if bias is None else np.abs(bias))
    _near("y", y, want, (features + 8) * 2 * (sizes + 1))
    input_gradient, use_bias = wild.some(r), wild.some(r)
    got = kernels.dense_backward(
        wild.dressed(r, x), wild.dressed(r, y), wild.dressed(r, kernel), wild.dressed(r, d_y),
        activation=name, use_bias=use_bias, input_gradient=input_gradient,
    )  # fmt: skip
    assert (got.x is not None, got.bias is not None) == (input_gradient, use_bias)
    if not units:
        assert not got.kernel.size
        return wild.AGREED
    steep, count = 2 * np.abs(d_y).astype(float), math.prod(rows)
    d_x, d_kernel, d_bias = reference.dense_backward(x, y, kernel, d_y, activation=name)
    if got.x is not None:
        _near("d_x", got.x, d_x, (units + 8) * (steep @ np.abs(kernel).T))
    deep, rows_of = count + 8, np.abs(x).reshape(count, features).astype(float)
    _near("d_kernel", got.kernel, d_kernel, deep * (rows_of.T @ steep.reshape(count, units)))
    if got.bias is not None:
        _near("d_bias", got.bias, d_bias, deep * steep.reshape(count, units).sum(axis=0))
    return wild.AGREED


def dense_refuses(r: Random) -> str:
    rng, rows = wild.generator(r), _rows(r)
    features, units = wild.size(r), wild.size(r)
    a: dict[str, Any] = {
        "x": normal(rng, *rows, features), "y": normal(rng, *rows, units),
        "kernel": normal(rng, features, units), "d_y": normal(rng, *rows, units),
        "bias": normal(rng, units),
    }  # fmt: skip
    name = r.choice((*a, "activation"))
    activation: Any = "relu"
    if name == "activation":
        activation = r.choice(("", "Relu", 3, None))
    elif name == "x":
        x = a["x"]
        a["x"] = r.choice((x[..., :-1], x[..., :0], np.float32(1), wild.wrong_kind(r, x)))
    elif name == "kernel":
        # Another number of columns is another number of units where no bias tells.
        a["kernel"] = r.choice((
            np.concatenate([a["kernel"], a["kernel"][:1]]),
            wild.wrong_kind(r, a["kernel"]), a["kernel"][None],
        ))  # fmt: skip
    else:
        a[name] = wild.wrong(r, a[name])
    if name == "bias" or (name not in ("y", "d_y") and wild.some(r)):
        return wild.must_refuse(
            lambda: kernels.dense_forward(a["x"], a["kernel"], a["bias"], activation=activation),
            name,
        )
    return wild.must_refuse(
        lambda: kernels.dense_backward(
            a["x"], a["y"], a["kernel"], a["d_y"], activation=activation
        ),
        name,
    )


def embedding(r: Random) -> str:
    rng = wild.generator(r)
    shape = (200, 100) if wild.some(r, 0.01) else _rows(r)
    vocabulary, features = r.choice((1, 2, 40, 100)), r.choice((0, 1, 3, 8, 17, 50))
    tokens = rng.integers(0, vocabulary, shape)
    table, d_y = normal(rng, vocabulary, features), normal(rng, *shape, features)
    got = kernels.embedding_forward(wild.dressed_tokens(r, tokens), wild.dressed(r, table))
    np.testing.assert_array_equal(got, table[tokens])
    got = kernels.embedding_backward(
        wild.dressed_tokens(r, tokens), wild.dressed(r, d_y), vocabulary
    )
    want = reference.embedding_backward(tokens, d_y, vocabulary)
    sizes = reference.embedding_backward(tokens, np.abs(d_y), vocabulary)
    _near("d_table", got, want, sizes * (tokens.size + 1))
    return wild.AGREED


def embedding_refuses(r: Random) -> str:
    rng, vocabulary = wild.generator(r), r.choice((1, 40))
    tokens = rng.integers(0, vocabulary, (wild.size(r), wild.size(r)))
    table, d_y = normal(rng, vocabulary, 3), normal(rng, *tokens.shape, 3)
    ids = wild.wrong_tokens(r, tokens, vocabulary)
    calls = {
        "tokens": lambda: kernels.embedding_forward(ids, table),
        "table": lambda: kernels.embedding_forward(tokens, wild.wrong_rank(r, table)),
        "kind of table": lambda: kernels.embedding_forward(tokens, wild.wrong_kind(r, table)),
        "tokens, back": lambda: kernels.embedding_backward(ids, d_y, vocabulary),
        "d_y": lambda: kernels.embedding_backward(tokens, wild.wrong_rank(r, d_y), vocabulary),
        "kind of d_y": lambda: kernels.embedding_backward(
            tokens, wild.wrong_kind(r, d_y), vocabulary
        ),
        "rows of d_y": lambda: kernels.embedding_backward(tokens, d_y[1:], vocabulary),
        "vocabulary": lambda: kernels.embedding_backward(
            tokens, d_y, r.choice((0, -1, -(2**63), 2**64, 1.5, None, "3"))
        ),
        "vocabulary, no tokens": lambda: kernels.embedding_backward(
            tokens[:0], d_y[:0], r.choice((-1, -5, -(2**62), -(2**63)))
        ),
    }
    what = r.choice(sorted(calls))
    return wild.must_refuse(calls[what], what)


def activations(r: Random) -> str:
    rng, name = wild.generator(r), r.choice(NAMES)
    shape = (*_rows(r), r.choice((0, 1, 3, 8, 17, 1000)))
    x = (normal(rng, *shape) * r.choice((1e-3, 1, 30, 1e4))).astype(np.float32)
    with np.errstate(all="ignore"):
        y = kernels.activation_forward(wild.dressed(r, x), name)
        _near(name, y, reference.ACTIVATIONS[name].forward(x.astype(float)), 1 + np.abs(x))
        d_y = normal(rng, *shape)
        slope = reference.ACTIVATIONS[name].slope(y.astype(float))
        got = kernels.activation_backward(wild.dressed(r, y), wild.dressed(r, d_y), name)
        _near(f"slope of {name}", got, d_y * slope, 2 * np.abs(d_y))
    return wild.AGREED


def activations_refuse(r: Random) -> str:
    rng = wild.generator(r)
    y = normal(rng, *_rows(r), wild.size(r))
    name = r.choice(NAMES)
    calls = {
        "x": lambda: kernels.activation_forward(wild.wrong_kind(r, y), name),
        "y": lambda: kernels.activation_backward(wild.wrong(r, y), y, name),
        "d_y": lambda: kernels.activation_backward(y, wild.wrong(r, y), name),
        "activation": lambda: kernels.activation_forward(y, r.choice(("", "RELU", 1, None))),
    }
    what = r.choice(sorted(calls))
    return wild.must_refuse(calls[what], what)


def too_large(r: Random) -> str:
    """Operands of 4 MB whose result would take 4 TB: no memory, and no harm."""
    n = 2**20
    column, row = np.ones((n, 1), np.float32), np.ones((1, n), np.float32)
    tokens = np.zeros(n, np.int8)
    calls = (
        lambda: kernels.dense_forward(column, row, activation=r.choice(NAMES)),
        lambda: kernels.dense_backward(row, row, np.broadcast_to(row, (n, n)), row),
        lambda: kernels.dense_forward(np.broadcast_to(column, (n, n)), column),
        lambda: kernels.embedding_forward(tokens, row),
        lambda: kernels.embedding_backward(tokens[:1], row, n),
        lambda: kernels.activation_forward(np.broadcast_to(row, (n, n)), r.choice(NAMES)),
        lambda: kernels.rnn_forward(
            "simple_rnn", column[:, None], np.broadcast_to(row, (1, n)), row
        ),
    )
    try:
        r.choice(calls)()
    except (MemoryError, ValueError):
        return wild.REFUSED
    raise AssertionError("4 TB were there")


def any_numbers(r: Random) -> str:
    """Any bits as numbers: nothing but a result of the right shape is promised."""
    rng = wild.generator(r)
    bits = rng.integers(0, 2**32, (wild.size(r), wild.size(r)), dtype=np.uint32)
    x = bits.view(np.float32)
    with np.errstate(all="ignore"):
        for name in NAMES:
            y = kernels.activation_forward(x, name)
            assert y.shape == x.shape == kernels.activation_backward(y, x, name).shape
        assert kernels.dense_forward(x, x.T, activation=r.choice(NAMES)).shape == (len(x), len(x))
    return wild.AGREED
