"""Normalizations, convolutions of each feature, AlphaDropout and ActivityRegularization.

The golden files hold their numbers; here are models, files, chance and bad input.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models
from support.keras_twins import paths

RNG = np.random.default_rng(21)
X = RNG.normal(size=(6, 8, 4)).astype(np.float32)

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "rms": ("RMSNormalization", {}),
    "group": ("GroupNormalization", {"groups": 2}),
    "each": ("GroupNormalization", {"groups": -1, "axis": 1}),
    "unit": ("UnitNormalization", {}),
    "depthwise": ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2, "strides": 2}),
    "separable": ("SeparableConv1D", {"filters": 3, "kernel_size": 3, "activation": "tanh"}),
    "penalty": ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}),
    "alpha": ("AlphaDropout", {"rate": 0.0}),
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


def model_of(library: Any, kind: str, seed: int = 1) -> Any:
    name, options = KINDS[kind]
    below = [library.layers.Input((8, 4)), library.layers.SimpleRNN(4, return_sequences=True)]
    model = library.Sequential(
        [*below, getattr(library.layers, name)(**options), library.layers.GRU(3)]
    )
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(-0.9, 0.9, w.shape) for w in model.get_weights()])
    return model


@EACH_KIND
# Keras writes its variables through an interface of NumPy 1.
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_models_train_as_in_keras_and_their_files_travel(
    keras: ModuleType, kind: str, tmp_path: Path
) -> None:
    y = RNG.normal(size=(6, 3)).astype(np.float32)
    theirs, ours = model_of(keras, kind), model_of(fastrnn, kind)
    assert paths(ours) == paths(theirs)
    losses = []
    for model in (theirs, ours):
        model.compile(loss="mse", optimizer="sgd")
        fitted = model.fit(X, y, epochs=4, batch_size=4, shuffle=False, verbose=0)
        losses.append(fitted.history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    want = theirs.predict(X, verbose=0)
    for suffix in (".keras", ".h5"):
        theirs.save(tmp_path / f"theirs{suffix}")
        ours.save(tmp_path / f"ours{suffix}")
        for loaded in (
            models.load_model(tmp_path / f"theirs{suffix}"),
            keras.models.load_model(tmp_path / f"ours{suffix}"),
        ):
            np.testing.assert_allclose(loaded.predict(X, verbose=0), want, rtol=1e-3, atol=1e-5)
    for file, model, loaded in (
        ("theirs.weights.h5", theirs, model_of(fastrnn, kind, 2)),
        ("ours.weights.h5", ours, model_of(keras, kind, 2)),
    ):
        model.save_weights(tmp_path / file)
        loaded.load_weights(tmp_path / file)
        np.testing.assert_allclose(loaded.predict(X, verbose=0), want, rtol=1e-3, atol=1e-5)
    for converted in (fastrnn.from_keras(theirs), fastrnn.to_keras(ours)):
        np.testing.assert_allclose(converted.predict(X, verbose=0), want, rtol=1e-3, atol=1e-5)


@EACH_KIND
def test_copies_predict_the_same(kind: str) -> None:
    model = model_of(fastrnn, kind)
    want = model.predict(X, verbose=0)
    for copy in (models.clone_model(model), models.model_from_json(model.to_json())):
        assert copy.layers[1].get_config() == model.layers[1].get_config()
        copy.set_weights(model.get_weights())
        np.testing.assert_array_equal(copy.predict(X, verbose=0), want)


@EACH_KIND
def test_gradients_are_central_differences(kind: str) -> None:
    name, options = KINDS[kind]
    layer, x = getattr(layers, name)(**options), X[:2].copy()
    layer(x)
    rng = np.random.default_rng(3)
    layer.set_weights([rng.uniform(0.4, 0.9, w.shape) for w in layer.weights])
    y, cache = layer.run(x, True)
    d_y = rng.normal(size=y.shape).astype(np.float32)
    d_x, d_weights = layer.backward(cache, d_y)
    assert layer.backward(cache, d_y, input_gradient=False)[0] is None or not layer.weights
    arrays = [x, *(weight.value for weight in layer.weights)]
    for array, gradient in zip(arrays, [d_x, *d_weights], strict=True):
        assert gradient.shape == array.shape
        for place in list(np.ndindex(array.shape))[:: max(1, array.size // 8)]:
            kept, ends = array[place], []
            for step in (4e-3, -4e-3):
                array[place] = kept + np.float32(step)
                ends.append(float(np.sum(layer.infer(x, True) * d_y.astype(float))))
            array[place] = kept
            want = (ends[0] - ends[1]) / 8e-3
            assert gradient[place] == pytest.approx(want, rel=3e-2, abs=5e-3)


# ------------------------------------------------------------------------------------- chance


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = RNG.normal(size=(200, 500)).astype(np.float32)
    layer = layers.AlphaDropout(0.3, seed=5)
    y, factors = layer.forward(x, True)
    assert abs(float(y.mean())) < 0.01
    assert float(y.var()) == pytest.approx(1.0, abs=0.02)
    dropped = factors == 0
    assert dropped.mean() == pytest.approx(0.3, abs=0.01)
    values = np.unique(y[dropped])
    assert len(values) == 1
    assert values[0] < -1.0
    # y = a x + b where it is kept
    a, b = np.polyfit(x[~dropped], y[~dropped], 1)
    assert factors.max() == pytest.approx(a, rel=1e-4)
    assert values[0] == pytest.approx(a * -1.7580993 + b, rel=1e-4)
    d_x, _ = layer.backward(factors, np.ones_like(y))
    np.testing.assert_array_equal(d_x, factors)


def test_alpha_dropout_has_masks_of_a_shape_and_a_seed() -> None:
    layers_of_a_seed = [layers.AlphaDropout(0.5, noise_shape=(None, 1, 4), seed=2) for _ in "ab"]
    (one, factors), (other, _) = (layer.forward(X, True) for layer in layers_of_a_seed)
    np.testing.assert_array_equal(one, other)
    assert factors.shape == (6, 1, 4)
    dropped = np.broadcast_to(factors == 0, X.shape)
    assert 0 < dropped.mean() < 1
    assert len(np.unique(one[dropped])) == 1
    assert len(np.unique(one[~dropped])) > 50
    np.testing.assert_array_equal(layers.AlphaDropout(0.5)(X), X)


# --------------------------------------------------------------------------- numbers and masks


def test_a_vector_of_zeros_stays_so() -> None:
    layer = layers.UnitNormalization()
    x = np.array([[0.0, 0.0], [3.0, 4.0]], np.float32)
    y, cache = layer.forward(x)
    np.testing.assert_allclose(y, [[0, 0], [0.6, 0.8]], rtol=1e-6)
    d_x, _ = layer.backward(cache, np.ones_like(x))
    assert np.isfinite(d_x).all()
    np.testing.assert_allclose(d_x[1], [0.032, -0.024], rtol=1e-5)


def test_rms_normalization_scales_the_dimensions_of_its_axis() -> None:
    """Keras 3.15.1 multiplies with the last dimension, whatever the axis."""
    layer = layers.RMSNormalization(axis=1, epsilon=0.0)
    layer(X)
    scale = RNG.uniform(0.5, 1.5, 8).astype(np.float32)
    layer.set_weights([scale])
    want = X / np.sqrt(np.mean(X**2, axis=1, keepdims=True)) * scale[:, np.newaxis]
    np.testing.assert_allclose(layer(X), want, rtol=1e-5)


def test_masks_go_on_where_keras_s_do() -> None:
    mask = np.ones((6, 8), bool)
    for kind in ("group", "unit", "penalty", "alpha"):
        name, options = KINDS[kind]
        layer = getattr(layers, name)(**options)
        assert layer.supports_masking
        assert layer.compute_mask(X, mask) is mask
    for kind in ("rms", "depthwise", "separable"):
        name, options = KINDS[kind]
        assert not getattr(layers, name)(**options).supports_masking


def test_a_softmax_of_a_separable_convolution_trains_on_its_scores() -> None:
    """The loss sees through the activation, as through that of a Dense."""
    layer = layers.SeparableConv1D(3, 8, activation="softmax")
    model = fastrnn.Sequential([layers.Input((8, 4)), layer, layers.Flatten()])
    plain = fastrnn.Sequential([layers.Input((8, 4)), layer.without_activation()])
    scores = np.asarray(plain(X))[:, 0]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(model(X), powers / powers.sum(axis=1, keepdims=True), rtol=1e-5)
    assert layer.output_activation == "softmax"
    regularized = layers.SeparableConv1D(3, 8, activation="softmax", activity_regularizer="l2")
    assert regularized.output_activation is None


# ----------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("RMSNormalization", {"epsilon": -1}, "`epsilon` must be a number >= 0"),
        ("GroupNormalization", {"groups": 0}, "`groups` must be a positive integer, or -1"),
        ("GroupNormalization", {"groups": 1.5}, "`groups` must be a positive integer, or -1"),
        ("GroupNormalization", {"axis": 0}, "`axis` must be an integer, and not 0"),
        ("AlphaDropout", {"rate": 1.0}, "`rate` of AlphaDropout must be below 1"),
        ("AlphaDropout", {"rate": -0.1}, "`rate` must be a number between 0 and 1"),
        ("ActivityRegularization", {"l1": -1.0}, "`l1` must be a number >= 0"),
        ("DepthwiseConv1D", {"kernel_size": 0}, "`kernel_size` must be an integer >= 1"),
        ("DepthwiseConv1D", {"kernel_size": 2, "padding": "causal"}, "`padding` must be one of"),
        (
            "DepthwiseConv1D",
            {"kernel_size": 2, "depth_multiplier": 0},
            "`depth_multiplier` must be a positive integer",
        ),
        ("SeparableConv1D", {"filters": 0, "kernel_size": 2}, "`filters` must be a positive"),
        (
            "SeparableConv1D",
            {"filters": 1, "kernel_size": 2, "strides": 2, "dilation_rate": 2},
            "`strides` and `dilation_rate` must not both be above 1",
        ),
    ],
)
def test_bad_arguments_are_refused(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(layers, name)(**arguments)


@pytest.mark.parametrize("name", ["RMSNormalization", "UnitNormalization"])
def test_a_bad_axis_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match="`axis` must be an integer or a list of them"):
        getattr(layers, name)(axis="features")
    with pytest.raises(ValueError, match="must have the dimensions of `axis`"):
        getattr(layers, name)(axis=3)(X)


def test_inputs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="must have a multiple of `groups`, 3"):
        layers.GroupNormalization(3)(X)
    with pytest.raises(ValueError, match="must have known sizes along `axis`"):
        layers.GroupNormalization(1)(layers.Input((8, None)))
    for layer in (layers.DepthwiseConv1D(3), layers.SeparableConv1D(2, 3)):
        with pytest.raises(ValueError, match="as many steps as a window spans, 3"):
            layer(X[:, :2])
        layer(X)
        with pytest.raises(ValueError, match="must have 4 features"):
            layer(X[..., :3])
