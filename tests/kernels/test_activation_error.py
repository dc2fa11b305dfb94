"""The error of each activation over the range of float32, in units in the last place (ULP).

This is all that the kernels promise of them: the error below, NaN through, the limits at infinity.
"""

from __future__ import annotations

import numpy as np
import pytest
from support import reference

# How many floats a result may lie from the float nearest to the exact one.
MAX_ULP = {
    "linear": 0,
    "tanh": 2,
    "sigmoid": 2,
    "relu": 0,
    "hard_sigmoid": 1,
    "softsign": 1,
    "softplus": 3,
    "elu": 1,
    "selu": 2,
    "leaky_relu": 1,
    "relu6": 0,
    "hard_tanh": 0,
    "log_sigmoid": 3,
    "hard_sigmoid_keras2": 1,
}
# Denormals may be flushed to zero: results below the smallest normal float, and what is on the way
# to a result up to twice as large.
FLUSHED = 2 * np.finfo(np.float32).tiny

activations = pytest.mark.parametrize("activation", reference.ACTIVATIONS)


def test_the_table_is_complete() -> None:
    from fastrnn import kernels

    assert set(MAX_ULP) == set(reference.ACTIVATIONS) == set(kernels.ACTIVATIONS)


def whole_range() -> np.ndarray:
    """Every 4093rd bit pattern, denormals and NaNs among them, and the interesting part densely."""
    patterns = np.arange(0, 2**32, 4093, dtype=np.uint64).astype(np.uint32).view(np.float32)
    dense = np.linspace(-20, 20, 400_001, dtype=np.float32)
    deep = np.linspace(-110, -20, 100_001, dtype=np.float32)
    powers = np.ldexp(np.float32(1), np.arange(-149, 128)).astype(np.float32)
    extremes = np.array([0, -0.0, np.inf, -np.inf, np.nan], np.float32)
    return np.concatenate([patterns, dense, deep, -deep, powers, -powers, extremes])


def exact(activation: str, x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return reference.ACTIVATIONS[activation].forward(x.astype(np.float64))


def ordinal(x: np.ndarray) -> np.ndarray:
    """Numbers the floats in their order, so that neighbours differ by one."""
    with np.errstate(over="ignore"):  # infinity has its place too
        bits = x.astype(np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(2**31) - bits, bits)


@activations
def test_error_in_ulp(activation: str, isa: str) -> None:
    from fastrnn import kernels

    x = whole_range()
    x = x[np.isfinite(x)]
    y, want = kernels.activation_forward(x, activation), exact(activation, x)
    assert y.dtype == np.float32
    distance = np.abs(ordinal(y) - ordinal(want))
    distance[np.abs(y - want) <= FLUSHED] = 0
    worst = np.argmax(distance)
    assert distance[worst] <= MAX_ULP[activation], f"{distance[worst]} ULP at x={x[worst]!r}"


@activations
def test_limits_and_nan(activation: str, isa: str) -> None:
    """NaN stays NaN, in every lane of a vector and in its tail; infinities have their limits."""
    from fastrnn import kernels

    limits = {
        "linear": (-np.inf, np.inf),
        "tanh": (-1, 1),
        "sigmoid": (0, 1),
        "relu": (0, np.inf),
        "hard_sigmoid": (0, 1),
        "softsign": (np.nan, np.nan),  # inf / inf, as in Keras
        "softplus": (0, np.inf),
        "elu": (-1, np.inf),
        "selu": (-1.7580993408473766, np.inf),
        "leaky_relu": (-np.inf, np.inf),
        "relu6": (0, 6),
        "hard_tanh": (-1, 1),
        "log_sigmoid": (-np.inf, 0),
        "hard_sigmoid_keras2": (0, 1),
    }
    got = kernels.activation_forward(np.array([-np.inf, np.inf], np.float32), activation)
    np.testing.assert_array_equal(got, np.array(limits[activation], np.float32))
    for size in (1, 5, 16, 37):
        for at in range(size):
            x = np.full(size, 0.5, np.float32)
            x[at] = np.nan
            np.testing.assert_array_equal(
                np.isnan(kernels.activation_forward(x, activation)), np.isnan(x)
            )


@activations
def test_backward(activation: str, isa: str, rng: np.random.Generator) -> None:
    """The slope is computed from the float32 output, so that is what it is judged by."""
    from fastrnn import kernels

    x = np.concatenate([np.linspace(-8, 8, 4001), [-3, 3, 0, -200, 200]]).astype(np.float32)
    y = kernels.activation_forward(x, activation)
    d_y = rng.standard_normal(x.shape).astype(np.float32)
    got = kernels.activation_backward(y, d_y, activation)
    want = d_y * reference.ACTIVATIONS[activation].slope(y.astype(np.float64))
    np.testing.assert_allclose(got, want, rtol=3e-7, atol=1.5e-7)


@activations
def test_shapes_layouts_and_input(activation: str, isa: str, rng: np.random.Generator) -> None:
    from fastrnn import kernels

    x = rng.standard_normal((3, 5, 7))
    y = kernels.activation_forward(x.astype(np.float32), activation)
    assert y.shape == x.shape
    np.testing.assert_array_equal(y, kernels.activation_forward(x, activation))
    turned = kernels.activation_forward(x.T, activation)
    np.testing.assert_array_equal(y.T, turned)
    assert kernels.activation_forward(np.zeros((0, 4), np.float32), activation).shape == (0, 4)
    np.testing.assert_allclose(
        kernels.activation_backward(y.T, x.T, activation),
        kernels.activation_backward(y, x, activation).T,
    )


def test_bad_input() -> None:
    from fastrnn import kernels

    x = np.ones(3, np.float32)
    for call in (
        lambda: kernels.activation_forward(x, "swoosh"),
        lambda: kernels.activation_forward(x.astype(object), "tanh"),
        lambda: kernels.activation_forward(x.astype(complex), "tanh"),
        lambda: kernels.activation_backward(x, x[:2], "tanh"),
        lambda: kernels.activation_backward(x, x, "swoosh"),
    ):
        with pytest.raises((ValueError, TypeError), match="eceived"):
            call()
