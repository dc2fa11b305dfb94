"""The kernels of Conv1D against the equations in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import reference
from support.float32_error import assert_exact_enough
from support.pairwise import pairwise
from support.rnn_cells import normal

PROBLEMS = pairwise(
    {
        "batch": (1, 2, 7),
        "out": (1, 2, 9, 70),
        "channels": (1, 3, 17, 40),
        "taps": (1, 2, 5),
        "filters": (1, 7, 33, 65),
        "window": ((1, 1), (2, 1), (3, 1), (1, 2), (1, 3)),  # stride, dilation
        "spare": (0, 1),  # steps behind the last window
        "activation": ("linear", "relu", "tanh"),
        "use_bias": (True, False),
        "input_gradient": (True, False),
    }
)


def forward(x: np.ndarray, kernel: np.ndarray, bias: Any, stride: int, dilation: int) -> np.ndarray:
    """The sum over taps, in the dtype of x."""
    out = (x.shape[1] - (len(kernel) - 1) * dilation - 1) // stride + 1
    z = sum(
        x[:, k * dilation : k * dilation + (out - 1) * stride + 1 : stride] @ kernel[k]
        for k in range(len(kernel))
    )
    return z if bias is None else z + bias


def backward(
    x: np.ndarray, kernel: np.ndarray, d_z: np.ndarray, stride: int, dilation: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    d_x, d_kernel = np.zeros_like(x), np.zeros_like(kernel)
    for k in range(len(kernel)):
        seen = slice(k * dilation, k * dilation + (d_z.shape[1] - 1) * stride + 1, stride)
        d_x[:, seen] += d_z @ kernel[k].T
        d_kernel[k] = np.einsum("btc,bth->ch", x[:, seen], d_z)
    return d_x, d_kernel, d_z.sum(axis=(0, 1))


def problem(row: dict[str, Any], rng: np.random.Generator) -> tuple[Any, ...]:
    stride, dilation = row["window"]
    steps = (row["out"] - 1) * stride + (row["taps"] - 1) * dilation + 1
    steps += min(row["spare"], stride - 1)
    x = normal(rng, row["batch"], steps, row["channels"])
    scale = np.float32(np.sqrt(row["taps"] * row["channels"]))
    kernel = normal(rng, row["taps"], row["channels"], row["filters"]) / scale
    bias = normal(rng, row["filters"]) if row["use_bias"] else None
    return x, kernel, bias, normal(rng, row["batch"], row["out"], row["filters"])


@pytest.mark.parametrize("row", PROBLEMS, ids=lambda row: "-".join(map(str, row.values())))
def test_conv1d(row: dict[str, Any], isa: str, rng: np.random.Generator) -> None:
    from fastrnn import kernels

    x, kernel, bias, d_y = problem(row, rng)
    activation = reference.ACTIVATIONS[row["activation"]]
    stride, dilation = row["window"]
    windows: dict[str, Any] = {"stride": stride, "dilation": dilation}
    windows["activation"] = row["activation"]
    y = kernels.conv1d_forward(x, kernel, bias, **windows)
    exact_inputs = [each.astype(np.float64) for each in (x, kernel)]
    exact = activation.forward(forward(*exact_inputs, bias, stride, dilation))
    plain = activation.forward(forward(x, kernel, bias, stride, dilation)).astype(np.float32)
    assert_exact_enough("y", y, exact, plain)
    got = kernels.conv1d_backward(
        x, y, kernel, d_y, **windows,
        use_bias=row["use_bias"], input_gradient=row["input_gradient"],
    )  # fmt: skip
    d_z = d_y * activation.slope(y)
    wanted = backward(*exact_inputs, d_z.astype(np.float64), stride, dilation)
    plain_gradients = backward(x, kernel, d_z.astype(np.float32), stride, dilation)
    asked = (row["input_gradient"], True, row["use_bias"])
    for name, is_asked, exact_part, plain_part in zip(
        got._fields, asked, wanted, plain_gradients, strict=True
    ):
        part = getattr(got, name)
        if is_asked:
            assert_exact_enough(name, part, exact_part, plain_part)
        else:
            assert part is None


def test_a_row_does_not_depend_on_the_rows_beside_it(isa: str, rng: np.random.Generator) -> None:
    from fastrnn import kernels

    x, kernel = normal(rng, 5, 30, 6), normal(rng, 3, 6, 20)
    y = kernels.conv1d_forward(x, kernel)
    for row in range(5):
        np.testing.assert_array_equal(kernels.conv1d_forward(x[row : row + 1], kernel)[0], y[row])


def test_same_bits_for_any_number_of_threads(
    isa: str, rng: np.random.Generator, set_threads: Callable[[int], None]
) -> None:
    from fastrnn import kernels

    for stride, dilation in ((1, 1), (2, 1), (1, 3)):
        x, kernel = normal(rng, 7, 130, 20), normal(rng, 4, 20, 33)
        windows = {"stride": stride, "dilation": dilation}
        results = []
        for threads in (1, 2, 3, 4):
            set_threads(threads)
            y = kernels.conv1d_forward(x, kernel, activation="tanh", **windows)
            d_y = np.cos(np.arange(y.size, dtype=np.float32)).reshape(y.shape)
            gradients = kernels.conv1d_backward(x, y, kernel, d_y, activation="tanh", **windows)
            results.append((y, *gradients))
        for result in results[1:]:
            for a, b in zip(results[0], result, strict=True):
                np.testing.assert_array_equal(a, b)


def test_other_layouts_and_no_rows(isa: str, rng: np.random.Generator) -> None:
    from fastrnn import kernels

    x, kernel = normal(rng, 2, 9, 4), normal(rng, 3, 4, 5)
    y = kernels.conv1d_forward(x, kernel)
    turned = np.asfortranarray(x.astype(np.float64))
    np.testing.assert_array_equal(kernels.conv1d_forward(turned, np.asfortranarray(kernel)), y)
    assert kernels.conv1d_forward(x[:0], kernel).shape == (0, 7, 5)
    gradients = kernels.conv1d_backward(x[:0], y[:0], kernel, y[:0])
    assert gradients.x is not None
    assert gradients.x.shape == (0, 9, 4)
    assert not np.any(gradients.kernel)


def test_bad_input(rng: np.random.Generator) -> None:
    from fastrnn import kernels

    x, kernel, bias = normal(rng, 2, 9, 4), normal(rng, 3, 4, 5), normal(rng, 5)
    y = kernels.conv1d_forward(x, kernel, bias)
    for call in (
        lambda: kernels.conv1d_forward(x[0], kernel, bias),
        lambda: kernels.conv1d_forward(x[..., 1:], kernel, bias),
        lambda: kernels.conv1d_forward(x[:, :2], kernel, bias),
        lambda: kernels.conv1d_forward(x, kernel[0], bias),
        lambda: kernels.conv1d_forward(x, kernel[:0], bias),
        lambda: kernels.conv1d_forward(x, kernel, bias[1:]),
        lambda: kernels.conv1d_forward(x, kernel, bias, stride=0),
        lambda: kernels.conv1d_forward(x, kernel, bias, dilation=0),
        lambda: kernels.conv1d_forward(x, kernel, bias, dilation=5),
        lambda: kernels.conv1d_forward(x, kernel, bias, dilation=2**62),
        lambda: kernels.conv1d_forward(x, kernel, bias, activation="softmax"),
        lambda: kernels.conv1d_backward(x, y[1:], kernel, y),
        lambda: kernels.conv1d_backward(x, y, kernel, y[:, 1:]),
        lambda: kernels.conv1d_backward(x, y, kernel[1:], y),
        lambda: kernels.conv1d_backward(x, y, kernel, y, stride=2),
    ):
        with pytest.raises((ValueError, TypeError), match="eceived"):
            call()
