"""The first layers of a model are not asked for the gradient of its input."""

from __future__ import annotations

import numpy as np
import pytest
from fastrnn import layers
from fastrnn.layers import Layer

ALL = [
    layers.Activation("gelu"),
    layers.LeakyReLU(),
    layers.Softmax(),
    layers.GlobalAveragePooling1D(),
    layers.GlobalMaxPooling1D(),
    layers.Dense(3),
    layers.GRU(3),
    layers.TimeDistributed(layers.Dense(3)),
    layers.Bidirectional(layers.LSTM(3)),
]


@pytest.mark.parametrize("layer", ALL, ids=lambda layer: layer.name)
def test_the_weights_gradients_are_the_same_without_it(layer: Layer) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 4, 5)).astype(np.float32)
    layer.build(x.shape)
    y, cache = layer.forward(x, training=True)
    d_y = rng.standard_normal(y.shape).astype(np.float32)
    d_x, with_it = layer.backward(cache, d_y)
    assert d_x is not None
    y, cache = layer.forward(x, training=True)
    nothing, without = layer.backward(cache, d_y, input_gradient=False)
    assert nothing is None
    assert len(without) == len(with_it)
    for a, b in zip(without, with_it, strict=True):
        np.testing.assert_array_equal(a, b)
