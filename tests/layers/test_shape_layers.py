"""Flatten, Reshape, Permute, RepeatVector, Softmax and the ReLUs: what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastrnn import layers


@pytest.mark.parametrize("n", [1.0, "2", None, True])
def test_repetitions_of_a_wrong_kind(n: Any) -> None:
    with pytest.raises(TypeError, match=r"`n` must be an integer\. Received: n="):
        layers.RepeatVector(n)


@pytest.mark.parametrize("n", [0, -2])
def test_repetitions(n: int) -> None:
    with pytest.raises(ValueError, match=f"`n` must be positive. Received: n={n}"):
        layers.RepeatVector(n)


@pytest.mark.parametrize("target", [(-1, -1), (2, -3), 4, "ab", (2.0,), (None, 2), None])
def test_target_shape(target: Any) -> None:
    with pytest.raises(ValueError, match="`target_shape` must be a tuple of integers"):
        layers.Reshape(target)


@pytest.mark.parametrize("target", [(5,), (4, -1), (0, -1)])
def test_another_number_of_entries(target: Any) -> None:
    layer = layers.Reshape(target)
    for call in (layer, lambda x: layer.build(x.shape)):
        with pytest.raises(ValueError, match=r"as many entries.*shape=\(2, 3, 2\)"):
            call(np.ones((2, 3, 2)))


def test_open_sizes_stay_open() -> None:
    assert layers.Reshape((2, -1)).compute_output_shape((None, None, 4)) == (None, 2, None)
    assert layers.Flatten().compute_output_shape((None, None, 4)) == (None, None)
    assert layers.Permute((2, 1)).compute_output_shape((None, None, 4)) == (None, 4, None)


@pytest.mark.parametrize("dims", [(0, 1), (1, 3), (1, 1), 2])
def test_dims(dims: Any) -> None:
    with pytest.raises(ValueError, match="`dims` must be the integers from 1"):
        layers.Permute(dims)


@pytest.mark.parametrize(
    ("layer", "dimensions"), [(layers.RepeatVector(2), "two"), (layers.Permute((2, 1)), "3")]
)
def test_dimensions(layer: Any, dimensions: str) -> None:
    with pytest.raises(ValueError, match=rf"{dimensions} dimensions.*shape=\(2, 3, 4, 5\)"):
        layer(np.ones((2, 3, 4, 5)))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda value: layers.ReLU(max_value=value), "max_value"),
        (lambda value: layers.ReLU(negative_slope=value), "negative_slope"),
        (lambda value: layers.ReLU(threshold=value), "threshold"),
        (lambda value: layers.LeakyReLU(value), "negative_slope"),
    ],
)
def test_numbers_of_the_relus(make: Any, name: str) -> None:
    with pytest.raises(ValueError, match=rf"`{name}` must be a number >= 0.0.*{name}=-0.1"):
        make(-0.1)
    with pytest.raises(ValueError, match=f"`{name}` must be a number"):
        make("1")


def test_the_older_name_of_the_slope() -> None:
    assert layers.LeakyReLU(alpha=0.4).negative_slope == 0.4


@pytest.mark.parametrize("axis", ["1", 1.0, None, [], [1, None]])
def test_axis_of_softmax(axis: Any) -> None:
    with pytest.raises(ValueError, match="`axis` must be an integer or a list"):
        layers.Softmax(axis)


@pytest.mark.parametrize("shape", [(2, 3), (3, 4), (1, 2, 4), (3,)])
def test_a_mask_of_softmax_must_broadcast(shape: Any) -> None:
    with pytest.raises(ValueError, match=r"must broadcast.*\(2, 4\)\. Received: shape="):
        layers.Softmax()(np.ones((2, 4)), mask=np.ones(shape))


def test_softmax_of_masked_scores_is_zero() -> None:
    layer, x = layers.Softmax(), np.array([[1, 1, 5], [1, 2, 3]], "float32")
    mask = np.array([[1, 1, 0], [0, 0, 0]], bool)
    np.testing.assert_array_equal(layer(x, mask=mask), [[0.5, 0.5, 0], [0, 0, 0]])
    d_x, _ = layer.backward(layer.forward(x, True, mask)[1], x * x)
    np.testing.assert_array_equal(d_x, np.zeros((2, 3)))
    d_x, _ = layer.backward(layer.forward(x, True, mask)[1], x * np.arange(3, dtype="float32"))
    np.testing.assert_array_equal(d_x, [[-0.25, 0.25, 0], [0, 0, 0]])
