"""Conv1D, pooling, padding and cropping beyond the golden cases: shapes, bad input, masks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import layers
from support.keras_twins import assert_same, assert_same_gradients, randomized

X = np.ones((2, 5, 3), np.float32)


@pytest.mark.parametrize("seed", range(12))
def test_any_window(keras: ModuleType, seed: int) -> None:
    """Sizes that nobody chose, against live Keras, forward and backward."""
    rng = np.random.default_rng(seed)
    size, steps = int(rng.integers(1, 6)), int(rng.integers(6, 30))
    stride, dilation = ((int(rng.integers(1, 5)), 1), (1, int(rng.integers(1, 4))))[seed % 2]
    if (size - 1) * dilation >= steps:
        dilation = 1
    padding = ("valid", "same", "causal")[seed % 3]
    channels = int(rng.integers(1, 20))
    x = rng.normal(size=(int(rng.integers(1, 5)), steps, channels)).astype(np.float32)
    convolution: dict[str, Any] = {
        "filters": int(rng.integers(1, 40)),
        "kernel_size": size,
        "strides": stride,
        "dilation_rate": dilation,
        "padding": padding,
        "activation": ("relu", "tanh", None)[int(rng.integers(3))],
    }
    pooling = {"pool_size": size, "strides": stride, "padding": padding.replace("causal", "same")}
    for name, arguments in (
        ("Conv1D", convolution),
        ("MaxPooling1D", pooling),
        ("AveragePooling1D", pooling),
    ):
        theirs, ours = (getattr(lib, name)(**arguments) for lib in (keras.layers, layers))
        for each in (theirs, ours):
            each.build(x.shape)
        randomized(rng, theirs, ours)
        assert ours.compute_output_shape((None, *x.shape[1:])) == theirs.compute_output_shape(
            (None, *x.shape[1:])
        )
        assert_same(ours(x), theirs(x))
        assert_same_gradients(rng, theirs, ours, x, None)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv1D(2, 3),
        layers.Conv1D(2, 3, padding="same", strides=2),
        layers.MaxPooling1D(2),
        layers.AveragePooling1D(2, padding="same"),
        layers.ZeroPadding1D(2),
        layers.Cropping1D(1),
        layers.UpSampling1D(2),
        layers.BatchNormalization(),
    ],
)
def test_empty_batches_and_open_sizes(layer: layers.Layer) -> None:
    full = layer(X)
    assert layer(X[:0]).shape == (0, *full.shape[1:])
    assert layer.compute_output_shape((None, None, 3))[:2] == (None, None)
    assert layer.compute_output_shape(X.shape) == full.shape
    for call in (layer, layer.build):
        with pytest.raises(ValueError, match=r"input of layer.*Received: shape="):
            call(X[0, :, 0] if call is layer else (5,))


def test_pooling_passes_nan_on() -> None:
    x = X.copy()
    x[0, 1, 0] = np.nan
    for layer in (layers.MaxPooling1D(2), layers.AveragePooling1D(2)):
        assert np.isnan(layer(x)).sum() == 1


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pooling_of_negative_numbers(padding: str) -> None:
    """Padding must not win against them."""
    y = layers.MaxPooling1D(3, 1, padding=padding)(-X)
    np.testing.assert_array_equal(y, -np.ones_like(y))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv1D(0, 3), r"`filters` must be a positive integer"),
        (lambda: layers.Conv1D(2.5, 3), r"`filters` must be a positive integer"),
        (lambda: layers.Conv1D(2, 0), r"`kernel_size` must be an integer >= 1. Received: .*=0"),
        (lambda: layers.Conv1D(2, (3, 3)), r"`kernel_size` must be an integer >= 1"),
        (lambda: layers.Conv1D(2, "3"), r"`kernel_size` must be an integer"),
        (lambda: layers.Conv1D(2, 3, strides=0), r"`strides` must be an integer >= 1"),
        (lambda: layers.Conv1D(2, 3, dilation_rate=True), r"`dilation_rate` must be"),
        (lambda: layers.Conv1D(2, 3, padding="full"), r"'valid', 'same', 'causal'. .*'full'"),
        (lambda: layers.Conv1D(2, 3, padding=1), r"`padding` must be one of"),
        (lambda: layers.Conv1D(2, 3, data_format="middle"), r"`data_format` must be"),
        (lambda: layers.Conv1D(3, 3, groups=2), r"`filters` must be a multiple of `groups`"),
        (lambda: layers.Conv1D(3, 3, groups=0), r"`groups` must be a positive integer"),
        (lambda: layers.Conv1D(3, 3, 2, dilation_rate=2), r"must not both be above 1"),
        (lambda: layers.Conv1D(3, 3, activation="rely"), r"activation='rely'"),
        (lambda: layers.MaxPooling1D(0), r"`pool_size` must be an integer >= 1"),
        (lambda: layers.MaxPooling1D(2, 0), r"`strides` must be an integer >= 1"),
        (lambda: layers.MaxPooling1D(2, padding="causal"), r"`padding` must be one of"),
        (lambda: layers.AveragePooling1D(-2), r"`pool_size` must be an integer >= 1"),
        (lambda: layers.ZeroPadding1D(-1), r"`padding` must be an integer or a tuple of 2"),
        (lambda: layers.ZeroPadding1D((1, 2, 3)), r"a tuple of 2 integers >= 0"),
        (lambda: layers.Cropping1D((1, -2)), r"`cropping` must be an integer or a tuple of 2"),
        (lambda: layers.UpSampling1D(0), r"`size` must be a positive integer"),
        (lambda: layers.Conv1D(2, 6)(X), r"as many steps as a window spans, 6.*\(2, 5, 3\)"),
        (lambda: layers.Conv1D(2, 3, dilation_rate=3)(X), r"a window spans, 7"),
        (lambda: layers.Conv1D(4, 2, groups=2)(X), r"a multiple of `groups`, 2"),
        (lambda: layers.Conv1D(4, 2).build((None, 5, None)), r"a known number of features"),
        (lambda: layers.MaxPooling1D(6)(X), r"as many steps as a window spans, 6"),
        (lambda: layers.Cropping1D((3, 2))(X), r"more than 5 steps. Received: shape=\(2, 5, 3\)"),
    ],
)
def test_bad_input(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_features_of_a_built_convolution() -> None:
    layer = layers.Conv1D(3, 2, groups=3)
    layer(X)
    with pytest.raises(ValueError, match=r"must have 3 features. Received: shape=\(2, 5, 6\)"):
        layer(np.ones((2, 5, 6)))


def test_masks_end_where_keras_ends_them(keras: ModuleType) -> None:
    for name in (
        "Conv1D",
        "MaxPooling1D",
        "AveragePooling1D",
        "ZeroPadding1D",
        "Cropping1D",
        "UpSampling1D",
        "Identity",
        "BatchNormalization",
    ):
        arguments = {"Conv1D": (1, 1), "AveragePooling1D": (2,)}.get(name, ())
        theirs, ours = (getattr(lib, name)(*arguments) for lib in (keras.layers, layers))
        assert ours.supports_masking == theirs.supports_masking, name
