"""BatchNormalization beyond the golden cases: moving statistics, freezing, masks, bad input."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers


def test_moving_statistics_follow_the_batches(rng: np.random.Generator) -> None:
    layer = layers.BatchNormalization(momentum=0.9)
    x = rng.normal(3.0, 2.0, (64, 10, 4)).astype(np.float32)
    for _ in range(80):
        layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.value, x.mean(axis=(0, 1)), rtol=2e-3)
    np.testing.assert_allclose(layer.moving_variance.value, x.var(axis=(0, 1)), rtol=2e-3)
    before = layer.get_weights()
    layer(x)
    for one, other in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_which_weights_are_trained() -> None:
    layer = layers.BatchNormalization(name="norm")
    layer.build((None, 3))
    assert [w.name for w in layer.trainable_weights] == ["gamma", "beta"]
    assert [w.path for w in layer.non_trainable_weights] == [
        "norm/moving_mean",
        "norm/moving_variance",
    ]
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 4


def test_a_frozen_layer_keeps_and_uses_its_statistics(rng: np.random.Generator) -> None:
    layer = layers.BatchNormalization()
    x = rng.normal(5.0, 1.0, (8, 3))
    layer(x, training=True)
    layer.trainable = False
    before = layer.get_weights()
    np.testing.assert_array_equal(layer(x, training=True), layer(x))
    for one, other in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_padding_of_a_list_does_not_reach_the_statistics(rng: np.random.Generator) -> None:
    sequences = [rng.normal(2.0, 1.0, (length, 3)) for length in (2, 7, 4)]
    model = fastrnn.Sequential([layers.BatchNormalization(momentum=0.0), layers.GRU(2)])
    model.compile("sgd", "mse")
    model.fit(sequences, np.zeros((3, 2)), batch_size=3, verbose=0)
    steps = np.concatenate(sequences)
    normalization = model.layers[0]
    np.testing.assert_allclose(normalization.moving_mean.value, steps.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(normalization.moving_variance.value, steps.var(axis=0), rtol=1e-5)


def test_gradients_are_those_of_central_differences(rng: np.random.Generator) -> None:
    layer = layers.BatchNormalization(epsilon=0.1)
    x = rng.normal(size=(3, 4, 2)).astype(np.float32)
    mask = rng.random((3, 4)) < 0.7
    d_y = rng.normal(size=x.shape).astype(np.float32)
    layer(x)
    layer.set_weights([rng.uniform(0.5, 2, 2), rng.normal(size=2), np.zeros(2), np.ones(2)])
    _, cache = layer.forward(x, True, mask)
    d_x, _ = layer.backward(cache, d_y)
    assert d_x is not None
    numeric = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        ends = []
        for step in (-1e-2, 1e-2):
            moved = x.copy()
            moved[index] += step
            ends.append(np.vdot(layer.forward(moved, True, mask)[0].astype(np.float64), d_y))
        numeric[index] = (ends[1] - ends[0]) / 2e-2
    np.testing.assert_allclose(d_x, numeric, atol=2e-3)


def test_a_mask_that_leaves_no_step(keras: ModuleType) -> None:
    x, mask = np.ones((2, 3, 2), np.float32), np.zeros((2, 3), bool)
    theirs, ours = keras.layers.BatchNormalization(), layers.BatchNormalization()
    wanted = theirs(x, training=True, mask=mask)
    np.testing.assert_allclose(ours(x, training=True, mask=mask), np.asarray(wanted), rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axis": 0}, "and not 0, the batch"),
        ({"axis": "last"}, "`axis` must be an integer"),
        ({"axis": [1, 2]}, "`axis` must be an integer"),
        ({"momentum": 1.5}, r"`momentum` must be a number in \[0.0, 1.0\]"),
        ({"epsilon": -1.0}, "`epsilon` must be a number >= 0"),
        ({"renorm": True}, "`renorm` of BatchNormalization is not supported yet"),
        ({"beta_initializer": "nought"}, "'nought'"),
    ],
)
def test_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.BatchNormalization(**arguments)


def test_shapes_that_do_not_fit() -> None:
    layer = layers.BatchNormalization()
    with pytest.raises(ValueError, match="known size along `axis`"):
        layer.build((None, None))
    layer(np.ones((2, 5, 3)))
    with pytest.raises(ValueError, match=r"must have the size 3 along `axis`, -1"):
        layer(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"`mask` of layer .* must have the shape \(2, 5\)"):
        layer(np.ones((2, 5, 3)), mask=np.ones((2, 4)))
