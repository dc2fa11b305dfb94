"""Initial weights reach every system in its own layout."""

from __future__ import annotations

import numpy as np
import pytest
from comparison.keras_style import FastRnn
from comparison.trainee import Plan
from comparison.weights import initial_weights, recurrent_from_torch, recurrent_to_torch
from comparison.workloads import CELLS, LayerSpec, all_layers, review_classifier

FEATURES, UNITS = 5, 3


def random_cell(cell: str) -> list[np.ndarray]:
    generator = np.random.default_rng(4)
    layers = review_classifier(7, FEATURES, UNITS)(cell)
    return [generator.random(array.shape) for array in initial_weights(layers, 0, seed=1)[1:4]]


@pytest.mark.parametrize("cell", CELLS)
def test_pytorch_layout_and_back(cell: str) -> None:
    weights = random_cell(cell)
    back = recurrent_from_torch(cell, recurrent_to_torch(cell, weights))
    for ours, theirs in zip(weights, back, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_pytorch_has_the_reset_gate_of_a_gru_first() -> None:
    kernel, _, bias = weights = random_cell("GRU")
    weight_ih, _, bias_ih, bias_hh = recurrent_to_torch("GRU", weights)
    z, r, h = np.split(kernel, 3, axis=1)
    np.testing.assert_array_equal(weight_ih, np.concatenate((r, z, h), axis=1).T)
    for side, theirs in zip(bias, (bias_ih, bias_hh), strict=True):
        z, r, h = np.split(side, 3)
        np.testing.assert_array_equal(theirs, np.concatenate((r, z, h)))


def test_initial_weights_follow_kerass_distributions() -> None:
    layers = review_classifier(50, FEATURES, UNITS)("LSTM")
    table, kernel, recurrent_kernel, bias, _, _ = initial_weights(layers, 0, seed=1)
    assert np.abs(table).max() <= 0.05
    assert np.abs(kernel).max() <= np.sqrt(6 / (FEATURES + 4 * UNITS))
    np.testing.assert_allclose(recurrent_kernel @ recurrent_kernel.T, np.eye(UNITS), atol=1e-6)
    np.testing.assert_array_equal(
        bias.reshape(4, UNITS), [[0] * UNITS, [1] * UNITS] + [[0] * UNITS] * 2
    )
    assert len(np.unique(kernel)) == kernel.size


def test_both_directions_have_weights_of_their_own() -> None:
    layers = [("Bidirectional", {"layer": ("GRU", {"units": UNITS})}), ("Dense", {"units": 1})]
    there, back = (initial_weights(layers, FEATURES, seed=1)[first : first + 3] for first in (0, 3))
    assert [array.shape for array in there] == [array.shape for array in back]
    assert not np.array_equal(there[0], back[0])
    assert initial_weights(layers, FEATURES, seed=1)[6].shape == (2 * UNITS, 1)


def bidirectional(cell: str) -> list[LayerSpec]:
    embedding, recurrent, dense = review_classifier(7, FEATURES, UNITS)(cell)
    return [embedding, ("Bidirectional", {"layer": recurrent}), dense]


def masked(cell: str) -> list[LayerSpec]:
    (kind, options), recurrent, dense = review_classifier(7, FEATURES, UNITS)(cell)
    return [(kind, {**options, "mask_zero": True}), recurrent, dense]


def stacked(cell: str) -> list[LayerSpec]:
    embedding, (_, options), dense = review_classifier(7, FEATURES, UNITS)(cell)
    return [
        embedding,
        (cell, {**options, "return_sequences": True}),
        (cell, {"units": 2}),
        ("Dense", {"units": 6, "activation": "relu"}),
        dense,
    ]


def numeric(cell: str) -> list[LayerSpec]:
    return [(cell, {"units": UNITS, "activation": "relu"}), ("Dense", {"units": 1})]


def forecaster(cell: str) -> list[LayerSpec]:
    sequences = {"units": UNITS, "return_sequences": True}
    # Nothing is dropped, so that both compute the same.
    return [
        (cell, sequences),
        ("Dropout", {"rate": 0.0}),
        (cell, {"units": 2}),
        ("Dense", {"units": 1}),
    ]


def tagger(cell: str) -> list[LayerSpec]:
    (kind, options), (_, recurrent), _ = review_classifier(7, FEATURES, UNITS)(cell)
    return [
        (kind, options),
        ("Bidirectional", {"layer": (cell, {**recurrent, "return_sequences": True})}),
        ("TimeDistributed", {"layer": ("Dense", {"units": 4, "activation": "softmax"})}),
    ]


def next_character(cell: str) -> list[LayerSpec]:
    return [(cell, {"units": UNITS}), ("Dense", {"units": 4, "activation": "softmax"})]


def encoder_decoder(cell: str) -> list[LayerSpec]:
    return [
        ("EncoderDecoder", {"layer": (cell, {"units": UNITS})}),
        ("Dense", {"units": 4, "activation": "softmax"}),
    ]


def windows(cell: str) -> list[LayerSpec]:
    (kind, options), recurrent, dense = review_classifier(7, FEATURES, UNITS)(cell)
    return [
        (kind, options),
        ("Conv1D", {"filters": 4, "kernel_size": 2, "activation": "relu"}),
        ("MaxPooling1D", {"pool_size": 2}),
        recurrent,
        dense,
    ]


def plan_for(layers: list[LayerSpec]) -> Plan:
    generator = np.random.default_rng(5)
    y = generator.integers(0, 2, 24).astype(np.float32)
    if layers[0][0] == "Embedding":
        x = generator.integers(1, 7, (24, 6)).astype(np.int32)
        x[np.arange(6) >= generator.integers(1, 7, (24, 1))] = 0
        loss, metric, features = "binary_crossentropy", "accuracy", 0
    else:
        x = generator.random((24, 6, FEATURES), dtype=np.float32)
        loss, metric, features = "mse", "mse", FEATURES
    *_, (_, last) = all_layers(layers)
    if last.get("activation") == "softmax":
        per_step = {layers[0][0], layers[-1][0]} & {"EncoderDecoder", "TimeDistributed"}
        shape = x.shape[:2] if per_step else len(x)
        y = generator.integers(0, last["units"], shape).astype(np.int32)
        loss, metric = "sparse_categorical_crossentropy", "accuracy"
    if layers[0][0] == "EncoderDecoder":
        x = [x, generator.random((24, 6, FEATURES + 1), dtype=np.float32)]
        features = [FEATURES, FEATURES + 1]
    return Plan(
        layers=layers,
        weights=initial_weights(layers, features, seed=1),
        data={"x_train": x, "y_train": y, "x_test": x, "y_test": y},
        batch=4,
        loss=loss,
        metric=metric,
        learning_rate=0.01,
    )


MODELS = {cell: review_classifier(7, FEATURES, UNITS)(cell) for cell in CELLS} | {
    "masked": masked("LSTM"),
    "masked GRU": masked("GRU"),
    "stacked": stacked("LSTM"),
    "bidirectional": bidirectional("LSTM"),
    "bidirectional GRU": bidirectional("GRU"),
    "numeric": numeric("SimpleRNN"),
    "forecaster": forecaster("LSTM"),
    "tagger": tagger("LSTM"),
    "tagger GRU": tagger("GRU"),
    "next character": next_character("GRU"),
    "encoder and decoder": encoder_decoder("LSTM"),
    "encoder and decoder GRU": encoder_decoder("GRU"),
    "convolution": windows("LSTM"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_pytorch_trains_the_model_that_fastrnn_trains(model: str, packed: bool) -> None:
    pytest.importorskip("torch")
    from comparison.pytorch import PyTorch

    plan = plan_for(MODELS[model])
    # Not flushed: the mode would outlive the test.
    theirs = PyTorch(plan, 1, flush_denormals=False, packed=packed)
    ours = FastRnn(plan, 1)
    for rows in (np.arange(0, 4), np.arange(4, 24)):
        assert ours.train(rows).loss == pytest.approx(theirs.train(rows).loss, rel=1e-5)
    assert ours.evaluate(8) == pytest.approx(theirs.evaluate(8), rel=1e-4)
    for a, b in zip(ours.weights(), theirs.weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    x = plan.data["x_test"]
    if isinstance(x, list):
        return  # prediction is timed of models with one input
    np.testing.assert_allclose(
        ours.predict(x, 9).outputs, theirs.predict(x, 9).outputs, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        ours.predict_one(x[:1]), theirs.predict_one(x[:1]), rtol=1e-4, atol=1e-5
    )


def test_pytorch_refuses_what_it_would_compute_differently() -> None:
    pytest.importorskip("torch")
    from comparison.torch_layers import build

    sigmoid = ("Dense", {"units": 1, "activation": "sigmoid"})
    for layers, message in (
        ([sigmoid, sigmoid], "sigmoid must be the last"),
        ([("LSTM", {"units": 2, "activation": "relu"})], "must be tanh"),
        ([("GRU", {"units": 2, "dropout": 0.5})], "dropout"),
    ):
        weights = initial_weights(layers, FEATURES, seed=1)
        with pytest.raises((TypeError, ValueError), match=message):
            build(layers, weights, FEATURES, packed=False)


def test_pytorch_drops_in_training_alone() -> None:
    pytest.importorskip("torch")
    from comparison.pytorch import PyTorch

    layers = forecaster("LSTM")
    layers[1] = ("Dropout", {"rate": 0.5})
    plan = plan_for(layers)
    model = PyTorch(plan, 1, flush_denormals=False, packed=False)
    expected = FastRnn(plan, 1).evaluate(8)[0]
    for _ in range(2):
        assert model.evaluate(8)[0] == pytest.approx(expected, rel=1e-5)
    x = plan.data["x_test"]
    np.testing.assert_array_equal(model.predict(x, 9).outputs, model.predict(x, 9).outputs)
    np.testing.assert_array_equal(model.predict_one(x[:1]), model.predict_one(x[:1]))
    assert model.train(np.arange(4)).loss != pytest.approx(expected, rel=1e-3)
    model.predict(x, 9)
    assert model.train(np.arange(4)).loss != model.train(np.arange(4)).loss
    assert model.model.training
