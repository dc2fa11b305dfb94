"""Draws expressions of ops and compares values and gradients with Keras on JAX.

python random_expressions.py [number of expressions]

An expression is a list of steps on arrays [3, 4]. It is built once, and run with the functions of
both libraries, so that a failure prints as one.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import jax
import keras
import numpy as np
from fastrnn import ops
from fastrnn.tracing import vjp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROWS, COLUMNS = 3, 4

# Expressions of arrays x and y [3, 4] that give [3, 4] of moderate size. `o` is the library.
STEPS = [
    "o.tanh(x)",
    "o.sigmoid(x)",
    "o.relu(x)",
    "o.leaky_relu(x)",
    "o.elu(x)",
    "o.selu(x)",
    "o.celu(x, 0.7)",
    "o.gelu(x)",
    "o.gelu(x, approximate=False)",
    "o.silu(x)",
    "o.softplus(x)",
    "o.softsign(x)",
    "o.log_sigmoid(x)",
    "o.hard_sigmoid(x)",
    "o.hard_silu(x)",
    "o.hard_tanh(x)",
    "o.squareplus(x)",
    "o.tanh_shrink(x)",
    "o.erf(x)",
    "o.softmax(x, axis=-1)",
    "o.softmax(x, axis=0)",
    "o.log_softmax(x, axis=-1)",
    "o.normalize(x + 3.0, axis=-1)",
    "o.exp(-o.square(x))",
    "o.log(1.0 + o.square(x))",
    "o.log1p(o.abs(x))",
    "o.sqrt(o.square(x) + 1)",
    "o.rsqrt(o.square(x) + 1.0)",
    "o.sin(x)",
    "o.arctan(x)",
    "o.arcsinh(x)",
    "o.clip(x, -0.8, 0.9)",
    "o.negative(x)",
    "x + y",
    "x - 0.5 * y",
    "o.multiply(o.tanh(x), y)",
    "x / (o.abs(y) + 1)",
    "o.maximum(x, y)",
    "o.minimum(x, y)",
    "o.logaddexp(x, y)",
    "o.arctan2(x, o.square(y) + 1.0)",
    "o.power(o.abs(x) + 0.5, 1.5)",
    "o.where(x > y, x, 2 * y)",
    "o.where(o.greater(x, 0.1), o.zeros_like(x), y)",
    "o.divide_no_nan(o.tanh(x), o.where(y > 0, o.ones_like(y), o.zeros_like(y)))",
    "x - o.mean(x, axis=0, keepdims=True)",
    "x - o.max(x, axis=-1, keepdims=True)",
    "x + o.min(y)",
    "x * o.sum(o.tanh(y), axis=1, keepdims=True)",
    "x + o.std(y, axis=1, keepdims=True)",
    "x * o.var(o.tanh(y))",
    "x + o.expand_dims(o.logsumexp(y, axis=1), -1)",
    "x + o.norm(y + 2.0, axis=1, keepdims=True)",
    "x + o.moments(y, 1, keepdims=True)[0]",
    "o.tanh(x) + o.prod(o.tanh(y), axis=0)",
    "o.cumsum(x, axis=1) / 4",
    "o.matmul(o.tanh(x), o.matmul(o.transpose(y), y) / 12)",
    "o.einsum('ij,kj->ki', o.tanh(x), o.tanh(y)) @ y / 9",
    "o.tensordot(o.tanh(x), o.matmul(o.transpose(y), y), 1) / 12",
    "x + o.dot(o.tanh(x), y[0])[:, None]",
    "o.reshape(o.transpose(x), (3, 4))",
    "o.flip(x, axis=1)",
    "o.roll(x, 1, axis=0)",
    "o.concatenate([x[:, 2:], y[:, :2]], axis=1)",
    "o.stack([x, y], axis=1)[:, 1]",
    "o.split(x, 2, axis=1)[0] @ o.split(y, [2], axis=0)[0] / 2",
    "o.tile(x[:1], (3, 1))",
    "o.repeat(x[:, :2], 2, axis=1)",
    "o.pad(x[1:, :3], ((1, 0), (0, 1)))",
    "o.broadcast_to(x[0], (3, 4))",
    "o.take(x, np.array([2, 0, 2]), axis=0)",
    "o.take_along_axis(x, np.array([[1, 0, 3, 3]] * 3), axis=1)",
    "o.sort(x, axis=1)",
    "o.slice(o.concatenate([x, y], axis=0), (2, 0), (3, 4))",
    "o.slice_update(x, (1, 1), y[:2, :2])",
    "o.scatter_update(x, np.array([[0, 1], [2, 2]]), y[0, :2])",
    "o.segment_sum(x, np.array([1, 0, 1]), num_segments=3)",
    "o.triu(x)",
    "o.tril(x) + o.trace(y)",
    "x * o.one_hot(np.array([1, 0, 3]), 4)",
    "x * o.cast(y > 0, 'float32')",
    "o.stop_gradient(x) * y",
    "o.top_k(x, 4)[0]",
    "o.fori_loop(0, 3, lambda i, z: o.tanh(z) + y, x)",
    "o.scan(lambda s, r: (o.tanh(s + r), s * r), y[0], x)[1]",
]


@st.composite
def expressions(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """Draw steps; a step names two of the arrays before it: 0, 1 are the inputs."""
    count = draw(st.integers(1, 6))
    return [
        (
            draw(st.sampled_from(STEPS)),
            number + 1 if draw(st.booleans()) else draw(st.integers(0, number + 1)),
            draw(st.integers(0, number + 1)),
        )
        for number in range(count)
    ]


def run(steps: list[tuple[str, int, int]], library: Any, a: Any, b: Any) -> Any:
    arrays = [a, b]
    for text, x, y in steps:
        names = {"o": library, "np": np, "x": arrays[x], "y": arrays[y]}
        arrays.append(eval(text, names))
    return arrays[-1]


def compare(steps: list[tuple[str, int, int]], seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b, d = random.normal(size=(3, ROWS, COLUMNS)).astype(np.float32)
    value, pullback = vjp(lambda *arrays: run(steps, ops, *arrays), a, b)
    gradients = pullback(d)
    wanted, pull = jax.vjp(lambda *arrays: run(steps, keras.ops, *arrays), a, b)
    assert value.dtype == np.float32
    np.testing.assert_allclose(run(steps, ops, a, b), value, rtol=1e-6, atol=1e-6)
    wanted = np.asarray(wanted)
    near = 1e-5 * max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=near)
    for ours, theirs in zip(gradients, map(np.asarray, pull(d)), strict=True):
        assert ours.dtype == np.float32
        near = 1e-4 * max(1.0, float(np.abs(theirs).max()))
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=near)


def main(count: int) -> None:
    for number, text in enumerate(STEPS):  # each alone first
        try:
            compare([(text, 0, 1)], number)
        except Exception:
            print("step:", text)
            raise

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(expressions(), st.integers(0, 2**31))
    def all_agree(steps: list[tuple[str, int, int]], seed: int) -> None:
        compare(steps, seed)

    all_agree()
    print(f"{len(STEPS)} steps and {count} random expressions agree")


if __name__ == "__main__":
    warnings.simplefilter("error", RuntimeWarning)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
