"""A sequence of a list has the same result, gradient, loss and metrics alone and beside others."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fastrnn import layers, models
from golden import layer_rows, metrics
from golden.draws import weights_of
from golden.objects import fastrnn_object

FEATURES = 3
LENGTHS = (2, 7, 1, 4)
RNG = np.random.default_rng(14)
SEQUENCES = [RNG.normal(size=(n, FEATURES)).astype(np.float32) for n in LENGTHS]

# What mixes the steps of a sequence has to refuse lists: each with a word of its message.
REFUSED = ("Flatten", "Reshape", "Permute")


def of_steps() -> list[str]:
    """Names of the layers' cases that take sequences and have no other inputs."""
    return [
        name
        for name, row in layer_rows.CASES.items()
        if len(row["shape"]) == 3
        and row["shape"][2] == FEATURES
        and not row["first_weights"]
        and "stateful" not in str(row["layer"])
        and not row["layer"]["config"].get("noise_shape")
        and not row["layer"]["config"].get("return_state")
        and row["kind"] == "normal"
    ]


def model_of(layer: Any, *above: layers.Layer) -> models.Sequential:
    model = models.Sequential([layers.Input((None, FEATURES)), layer, *above])
    model.set_weights(weights_of(RNG, model.weights))
    return model


def mixes(row: dict[str, Any], layer: Any) -> bool:
    """Whether a layer's steps depend on each other in a way that no mask of padding mends."""
    config, name = row["layer"]["config"], row["layer"]["class_name"]
    return (
        name in REFUSED
        or layer.regularizes_activity
        or (bool(config.get("go_backwards")) and bool(config.get("return_sequences")))
        or config.get("data_format") == "channels_first"
        or (name == "Softmax" and config.get("axis", -1) not in (-1, [-1], (-1,)))
        or not layer.takes_padding
    )


def is_random(row: dict[str, Any]) -> bool:
    return any(word in str(row["layer"]).lower() for word in ("dropout", "noise"))


@pytest.mark.parametrize("name", of_steps())
def test_layers_of_lists(name: str) -> None:
    row = layer_rows.CASES[name]
    layer = fastrnn_object(copy.deepcopy(row["layer"]))
    if row["layer"]["config"].get("merge_mode", "") is None:
        pytest.skip("a Sequential model has one output")
    try:
        shape = layer.compute_output_shape((None, None, FEATURES))
    except (ValueError, TypeError):
        pytest.skip("takes a fixed number of steps only")
    above = [layers.LSTM(2)] if len(shape) == 3 else []
    try:
        model = model_of(layer, *above)
    except (ValueError, TypeError):
        pytest.skip("takes a fixed number of steps only")
    if mixes(row, layer):
        with pytest.raises(ValueError, match="differing lengths"):
            model.predict(SEQUENCES, verbose=0)
        return
    together = np.asarray(model.predict(SEQUENCES, verbose=0))
    alone = [model.predict(each[np.newaxis], verbose=0)[0] for each in SEQUENCES]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model(SEQUENCES), alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(SEQUENCES), alone, rtol=1e-5, atol=1e-6)
    # A step of plain SGD moves the weights by the gradient, the mean of those of each sequence.
    if layer.trainable_weights or above:
        start = model.get_weights()
        y = RNG.normal(size=together.shape).astype(np.float32)
        moves = []
        for rows in (range(4), *[[k] for k in range(4)]):
            model.set_weights(start)
            model.compile("sgd", "mse")
            if len(rows) == 1:
                model.train_on_batch(SEQUENCES[rows[0]][np.newaxis], y[rows])
            else:
                model.train_on_batch(SEQUENCES, y)
            moved = [a - b for a, b in zip(model.get_weights(), start, strict=True)]
            moves.append(np.concatenate([each.reshape(-1) for each in moved]))
        if not is_random(row):
            np.testing.assert_allclose(moves[0], np.mean(moves[1:], axis=0), rtol=1e-3, atol=1e-6)


# Layers of which no case of the table has steps of `FEATURES`, or that are built on tokens.
OTHERS: dict[str, Callable[[], layers.Layer]] = {
    "Activation": lambda: layers.Activation("tanh"),
    "AlphaDropout": lambda: layers.AlphaDropout(0.5),
    "BatchNormalization": layers.BatchNormalization,  # a batch's statistics are those of all rows
    "ELU": lambda: layers.ELU(0.7),
    "Identity": layers.Identity,
    "LeakyReLU": lambda: layers.LeakyReLU(0.2),
    "Masking": lambda: layers.Masking(0.0),
    "Normalization": lambda: layers.Normalization(axis=-1, mean=0.5, variance=2.0),
    "Rescaling": lambda: layers.Rescaling(2.0, 0.5),
    "ReLU": lambda: layers.ReLU(negative_slope=0.1),
    "UnitNormalization": layers.UnitNormalization,
}
# Layers in whose windows the padding of a list would stand beside the sequence.
WINDOWS: dict[str, Callable[[], layers.Layer]] = {
    "AveragePooling1D": lambda: layers.AveragePooling1D(2),
    "Conv1D": lambda: layers.Conv1D(2, 2),
    "Conv1DTranspose": lambda: layers.Conv1DTranspose(2, 2),
    "Cropping1D": layers.Cropping1D,
    "DepthwiseConv1D": lambda: layers.DepthwiseConv1D(2),
    "MaxPooling1D": lambda: layers.MaxPooling1D(2),
    "SeparableConv1D": lambda: layers.SeparableConv1D(2, 2),
    "UpSampling1D": layers.UpSampling1D,
    "ZeroPadding1D": layers.ZeroPadding1D,
    # And layers that count all steps, or lose the mask of the padding.
    "ActivityRegularization": lambda: layers.ActivityRegularization(l2=0.1),
    "GroupNormalization": lambda: layers.GroupNormalization(1),
    "RMSNormalization": layers.RMSNormalization,
}
# Layers that merge several inputs, and those of them that would sum over steps or shift them.
MERGES: dict[str, Callable[[], layers.Layer]] = {
    "Add": layers.Add,
    "Average": layers.Average,
    "Concatenate": layers.Concatenate,
    "Maximum": layers.Maximum,
    "Minimum": layers.Minimum,
    "Multiply": layers.Multiply,
    "Subtract": layers.Subtract,
}
MERGES_OF_STEPS: dict[str, Callable[[], layers.Layer]] = {
    "Concatenate steps": lambda: layers.Concatenate(axis=1),
    "Dot": lambda: layers.Dot(axes=1),
}
# Why a class has no case of its own.
WITHOUT = {
    "AdditiveAttention": "refuses lists",
    "Attention": "refuses lists",
    "AveragePooling2D": "takes no sequences",
    "Conv2D": "takes no sequences",
    "Conv3D": "takes no sequences",
    "ConvLSTM1D": "takes no sequences of vectors",
    "ConvLSTM2D": "takes no sequences of vectors",
    "Embedding": "takes tokens: test_embeddings_of_lists",
    "GRUCell": "takes one step",
    "GlobalAveragePooling2D": "takes no sequences",
    "GlobalMaxPooling2D": "takes no sequences",
    "InputLayer": "computes nothing",
    "LSTMCell": "takes one step",
    "Lambda": "refuses lists: its function may do anything",
    "Layer": "the base class",
    "MaxPooling2D": "takes no sequences",
    "MultiHeadAttention": "refuses lists",
    "PReLU": "an alpha for each step needs their number",
    "StringLookup": "takes strings",
    "TextVectorization": "takes strings",
    "RepeatVector": "takes no sequences",
    "SimpleRNNCell": "takes one step",
    "StackedRNNCells": "takes one step",
}


def test_every_layer_class_is_decided() -> None:
    """A new layer needs a case with steps in the golden table, or a row here."""
    classes = {
        each.__name__
        for _, each in inspect.getmembers(layers, inspect.isclass)
        if issubclass(each, layers.Layer)
    }
    tested = {layer_rows.CASES[name]["layer"]["class_name"] for name in of_steps()}
    decided = {*OTHERS, *WINDOWS, *MERGES, *MERGES_OF_STEPS, *WITHOUT}
    assert not classes - {fastrnn_name(each) for each in tested} - decided


def fastrnn_name(name: str) -> str:
    """Return the name of the class behind a name, which may be an alias."""
    return str(getattr(layers, name).__name__)


@pytest.mark.parametrize("name", OTHERS)
def test_other_layers_of_lists(name: str) -> None:
    below = layers.GRU(FEATURES, return_sequences=True)
    model = model_of(below, OTHERS[name](), layers.LSTM(2))
    together = model.predict(SEQUENCES, verbose=0)
    alone = [model.predict(each[np.newaxis], verbose=0)[0] for each in SEQUENCES]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_refuse_lists(name: str) -> None:
    model = model_of(WINDOWS[name](), layers.LSTM(2))
    with pytest.raises(ValueError, match="differing lengths"):
        model.predict(SEQUENCES, verbose=0)


def merging(layer: layers.Layer) -> models.Model:
    x = layers.Input((None, FEATURES))
    merged = layer([x, layers.GRU(FEATURES, return_sequences=True)(x)])
    model = models.Model(x, layers.LSTM(2)(merged))
    model.set_weights(weights_of(RNG, model.weights))
    return model


@pytest.mark.parametrize("name", MERGES)
def test_merges_of_lists(name: str) -> None:
    model = merging(MERGES[name]())
    together = model.predict(SEQUENCES, verbose=0)
    alone = [model.predict(each[np.newaxis], verbose=0)[0] for each in SEQUENCES]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MERGES_OF_STEPS)
def test_merges_of_steps_refuse_lists(name: str) -> None:
    with pytest.raises(ValueError, match="differing lengths"):
        merging(MERGES_OF_STEPS[name]()).predict(SEQUENCES, verbose=0)


@pytest.mark.parametrize("mask_zero", [False, True])
def test_embeddings_of_lists(mask_zero: bool) -> None:
    model = models.Sequential([layers.Embedding(9, 3, mask_zero=mask_zero), layers.GRU(2)])
    model.build((None, None))
    model.set_weights(weights_of(RNG, model.weights))
    tokens = [[1, 0, 2], [3], [4, 5, 6, 7, 0, 8]]
    alone = [model.predict(np.array([each]), verbose=0)[0] for each in tokens]
    np.testing.assert_allclose(model.predict(tokens, verbose=0), alone, rtol=1e-5, atol=1e-6)


def per_step() -> models.Sequential:
    return model_of(
        layers.GRU(4, return_sequences=True),
        layers.Dense(1, activation="sigmoid"),
    )


@pytest.mark.parametrize("labels_rank", [1, 2])
def test_losses_and_metrics_of_steps_for_any_batch_size(labels_rank: int) -> None:
    model = per_step()
    names = ["accuracy", "mse", "AUC", "Precision", "binary_crossentropy"]
    model.compile("sgd", "binary_crossentropy", metrics=names, weighted_metrics=["mae"])
    y = [RNG.integers(0, 2, (n, 1)[:labels_rank]).astype(np.float32) for n in LENGTHS]
    weights = [RNG.uniform(0.5, 2.0, n).astype(np.float32) for n in LENGTHS]
    found = [
        model.evaluate(SEQUENCES, y, batch_size=size, sample_weight=weights, verbose=0)
        for size in (1, 2, 3, 4)
    ]
    for each in found[1:]:
        np.testing.assert_allclose(each, found[0], rtol=1e-5)
    predicted = np.concatenate(model.predict(SEQUENCES, verbose=0))[:, 0]
    truth = np.concatenate(y).reshape(-1)
    factor = np.concatenate(weights)
    probability = np.where(truth == 1, predicted, 1 - predicted)
    assert found[0][0] == pytest.approx(np.mean(-np.log(probability) * factor), rel=1e-5)
    assert found[0][1] == pytest.approx(np.mean((predicted > 0.5) == truth))
    mean = np.sum(abs(truth - predicted) * factor) / np.sum(factor)
    assert found[0][-1] == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize("name", [n for n, row in metrics.CASES.items() if len(row["shape"]) == 2])
def test_metrics_for_any_batch_size(name: str) -> None:
    row = metrics.CASES[name]
    if row["metric"]["class_name"] in ("Mean", "Sum") or row["shape"] != [6, 4]:
        pytest.skip("takes no labels, or predictions of another size")
    rng = np.random.default_rng(7)
    metrics_of = fastrnn_object(copy.deepcopy(row["metric"]))
    model = model_of(layers.LSTM(4), layers.Activation("softmax"))
    model.compile("sgd", "crossentropy", metrics=[metrics_of])
    ids = rng.integers(0, 4, 4)
    y = ids.astype(np.float32) if row["labels"].startswith("ids") else np.eye(4)[ids]
    found = [model.evaluate(SEQUENCES, y, batch_size=b, verbose=0)[1] for b in (1, 3, 4)]
    for each in found[1:]:
        np.testing.assert_allclose(each, found[0], rtol=1e-5, atol=1e-7)


def test_a_softmax_over_features_and_a_maximum_take_own_steps_alone() -> None:
    for above in (layers.Softmax(), layers.GlobalMaxPooling1D(), layers.Masking(0.0)):
        model = models.Sequential([layers.Embedding(9, 3, mask_zero=True), above])
        if not isinstance(above, layers.GlobalMaxPooling1D):
            model.add(layers.GRU(2))
        tokens = [[1, 0, 2], [3], [4, 5, 6, 7, 8]]
        if isinstance(above, layers.Softmax):  # its mask of steps fits only where it is a list's
            tokens = [[1, 5, 2], [3], [4, 5, 6, 7, 8]]
        together = model.predict(tokens, verbose=0)
        for row, each in enumerate(tokens):
            alone = model.predict([each, [2] * 9], verbose=0)[0]
            np.testing.assert_array_equal(together[row], alone)


@pytest.mark.parametrize("steps", [True, False])
def test_a_penalty_on_outputs_of_padding_is_refused(steps: bool) -> None:
    below = layers.GRU(2, return_sequences=steps, activity_regularizer="l2")
    model = model_of(below, *([layers.LSTM(2)] if steps else []))
    model.compile("sgd", "mse")
    y = RNG.normal(size=(4, 2))
    if steps:
        with pytest.raises(ValueError, match="`activity_regularizer` counts"):
            model.evaluate(SEQUENCES, y, verbose=0)
        return
    alone = [
        model.evaluate(x[np.newaxis], y[k : k + 1], verbose=0) for k, x in enumerate(SEQUENCES)
    ]
    assert model.evaluate(SEQUENCES, y, verbose=0) == pytest.approx(np.mean(alone), rel=1e-5)
