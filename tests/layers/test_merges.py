"""Merges: inputs that do not fit, and a backward pass without the gradients of the inputs.

The golden files hold their numbers.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from fastrnn import layers

RNG = np.random.default_rng(5)


def arrays(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    return [RNG.normal(size=shape).astype(np.float32) for shape in shapes]


MISFITS: dict[str, tuple[layers.Layer, Any, str]] = {
    "sizes of a sum": (layers.Add(), arrays((2, 3), (2, 4)), "must broadcast to one shape"),
    "one array": (layers.Add(), arrays((2, 3))[0], "must be called on a list of several inputs"),
    "three of two": (layers.Subtract(), arrays((2, 3), (2, 3), (2, 3)), "a list of 2 inputs"),
    "sizes beside the axis": (
        layers.Concatenate(axis=1),
        arrays((2, 3, 4), (2, 3, 5)),
        "must have shapes that differ along axis",
    ),
    "ranks": (layers.Concatenate(), arrays((2, 3), (2, 3, 4)), "that differ along axis"),
    "axis": (layers.Concatenate(axis=3), arrays((2, 3), (2, 3)), "that differ along axis"),
    "sizes of a product": (
        layers.Dot(axes=1),
        arrays((2, 3), (2, 4)),
        "must have equal sizes along axes",
    ),
    "axis of a product": (layers.Dot(axes=2), arrays((2, 3), (2, 3)), "equal sizes along axes"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_inputs_that_do_not_fit_are_refused_with_their_shapes(name: str) -> None:
    layer, inputs, message = MISFITS[name]
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        layer(inputs)
    assert layer.name in str(caught.value)
    assert str(inputs[0].shape) in str(caught.value) or not isinstance(inputs, list)


@pytest.mark.parametrize(
    "layer",
    [layers.Add(), layers.Multiply(), layers.Maximum(), layers.Concatenate(), layers.Dot(axes=-1)],
    ids=lambda layer: layer.name,
)
def test_gradients_of_the_inputs_are_made_only_where_they_are_wanted(layer: Any) -> None:
    inputs = arrays((4, 3), (4, 3))
    y, cache = layer.forward(inputs)
    d_inputs, d_weights = layer.backward(cache, np.ones_like(y))
    assert [d.shape for d in d_inputs] == [(4, 3), (4, 3)]
    assert layer.backward(cache, np.ones_like(y), input_gradient=False) == (None, d_weights)
    assert d_weights == []
