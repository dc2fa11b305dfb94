"""Normalization and Rescaling: statistics of all forms of data, in models, copies and files."""

from __future__ import annotations

from pathlib import Path

import fastrnn
import numpy as np
import pytest
from fastrnn import layers

X = np.random.default_rng(5).normal(3, 2, (20, 6, 3)).astype("float32")
Y = np.random.default_rng(6).normal(size=(20, 1)).astype("float32")


def adapted(data, **arguments):
    layer = layers.Normalization(**arguments)
    layer.adapt(data)
    return layer


@pytest.mark.parametrize(
    ("axis", "pooled"), [(-1, (0, 1)), (None, (0, 1, 2)), ((1, 2), (0,)), ([2], (0, 1))]
)
def test_statistics_of_data_bring_it_to_mean_0_and_variance_1(axis, pooled):
    layer = adapted(X, axis=axis)
    y = layer(X)
    np.testing.assert_allclose(y.mean(axis=pooled), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(axis=pooled), 1, rtol=1e-4)
    assert layer.mean.ndim == 3
    np.testing.assert_allclose(
        np.ravel(layer.mean), np.ravel(X.mean(axis=pooled, dtype="float64")), rtol=1e-5
    )
    back = layers.Normalization(axis=axis, invert=True)
    back.adapt(X)
    np.testing.assert_allclose(back(y), X, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", ["generator", "pairs", "data set", "list"])
def test_data_may_come_in_batches(form):
    pieces = [X[:7], X[7:8], X[8:]]
    data = {
        "generator": lambda: (each for each in pieces),
        "pairs": lambda: ((each, Y) for each in pieces),
        "data set": lambda: fastrnn.utils.timeseries_dataset_from_array(X, None, 1, batch_size=6),
        "list": X.tolist,
    }[form]()
    wanted = adapted(X[:, np.newaxis] if form == "data set" else X)
    found = adapted(data)
    np.testing.assert_allclose(np.ravel(found.mean), np.ravel(wanted.mean), rtol=1e-5)
    np.testing.assert_allclose(np.ravel(found.variance), np.ravel(wanted.variance), rtol=1e-5)


def test_a_constant_feature_is_divided_by_the_least_deviation():
    assert adapted(np.ones((4, 2)))([[1.0, 2.0]]).tolist() == [[0.0, 1.0 / np.float32(1e-7)]]


def model_with(first, scale=0.5):
    model = fastrnn.Sequential(
        [layers.Input((6, 3)), first, layers.Rescaling(scale, 0.25), layers.GRU(4), layers.Dense(1)]
    )
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(rng.uniform(-0.5, 0.5, weight.shape))
    model.compile("sgd", "mse")
    return model


def test_a_model_trains_as_on_data_that_were_normalized_before():
    first = adapted(X)
    model = model_with(first)
    before = [first.mean.copy(), first.variance.copy()]
    found = model.fit(X, Y, epochs=2, shuffle=False, verbose=0).history["loss"]
    plain = model_with(layers.Identity())
    wanted = plain.fit(first(X), Y, epochs=2, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert all(map(np.array_equal, before, [first.mean, first.variance]))


def test_gradients_go_through_both_layers():
    below = layers.Dense(3)
    inputs = layers.Input((6, 3))
    outputs = layers.Rescaling([1.0, -2.0, 0.5])(adapted(X)(below(inputs)))
    model = fastrnn.Model(inputs, outputs)
    model.compile("sgd", "mse")
    start = model.get_weights()[0]
    target = np.zeros((20, 6, 3), "float32")
    model.train_on_batch(X, target)
    moved = (start - model.get_weights()[0]) / 0.01
    step = 1e-2
    for place in ((0, 0), (1, 2)):
        losses = []
        for sign in (1, -1):
            shifted = start.copy()
            shifted[place] += sign * step
            below.kernel.assign(shifted)
            below.bias.assign(np.zeros(3))
            losses.append(model.evaluate(X, target, verbose=0))
        assert moved[place] == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-2)


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_files_and_clones_keep_the_statistics(tmp_path: Path, suffix):
    model = model_with(adapted(X), scale=[0.5, 1.0, 2.0])
    path = tmp_path / f"model{suffix}"
    if suffix == ".weights.h5":
        model.save_weights(path)
        loaded = model_with(layers.Normalization(), scale=[0.5, 1.0, 2.0])
        loaded.load_weights(path)
    else:
        model.save(path)
        loaded = fastrnn.models.load_model(path)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    clone = fastrnn.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(X, verbose=0), model.predict(X, verbose=0))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="must be given together"):
        layers.Normalization(mean=1.0)
    with pytest.raises(ValueError, match="the same shape"):
        layers.Normalization(mean=[1.0, 2.0], variance=1.0)
    with pytest.raises(ValueError, match="known size along `axis`"):
        layers.Normalization()(layers.Input((None,)))
    with pytest.raises(ValueError, match="was made with `mean`"):
        adapted(X, mean=0.0, variance=1.0)
    with pytest.raises(ValueError, match="at least one sample"):
        adapted(iter([]))
    with pytest.raises(ValueError, match="must have the sizes"):
        adapted(X)(np.ones((2, 6, 4)))
    with pytest.raises(TypeError, match="numbers"):
        layers.Rescaling("half")
