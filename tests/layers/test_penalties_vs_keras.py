"""Regularizers of weights and outputs, and constraints, against live Keras: losses and weights."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.graph import Executor, Plan
from support.keras_twins import randomized

BATCH, STEPS, FEATURES, UNITS, TRAINING_STEPS = 4, 3, 5, 6, 5

# An own factor for each, so that no two can be confused. The model is [below,] layer, Dense.
PENALTIES = {
    "kernel_regularizer": ("L2", 0.05),
    "recurrent_regularizer": ("L1", 0.02),
    "bias_regularizer": ("L1", 0.03),
    "activity_regularizer": ("L2", 0.04),
}
CONSTRAINTS: dict[str, tuple[str, dict[str, Any]]] = {
    "kernel_constraint": ("MaxNorm", {"max_value": 0.6}),
    "recurrent_constraint": ("UnitNorm", {"axis": 1}),
    "bias_constraint": ("NonNeg", {}),
}
KINDS = (
    "Dense",
    "Dense softmax",
    "Embedding",
    "SimpleRNN",
    "LSTM",
    "GRU",
    "GRU frozen",
    "Bidirectional LSTM",
    "Bidirectional GRU mul",
)


def arguments(lib: Any, recurrent: bool) -> dict[str, Any]:
    """All regularizers and constraints that a layer of `lib` (keras or fastrnn) takes."""
    made = {name: getattr(lib.regularizers, cls)(f) for name, (cls, f) in PENALTIES.items()}
    made |= {name: getattr(lib.constraints, cls)(**c) for name, (cls, c) in CONSTRAINTS.items()}
    return {name: each for name, each in made.items() if recurrent or "recurrent" not in name}


def make(lib: Any, kind: str) -> list[Any]:
    cls, _, option = kind.partition(" ")
    if cls == "Dense":
        options = arguments(lib, recurrent=False)
        return [lib.layers.Dense(UNITS, activation=option or "tanh", **options)]
    if cls == "Embedding":
        table = lib.layers.Embedding(
            9,
            FEATURES,
            embeddings_regularizer=lib.regularizers.L1L2(0.02, 0.03),
            embeddings_constraint=lib.constraints.MinMaxNorm(0.5, 0.9, axis=1),
            activity_regularizer=lib.regularizers.L1(0.05),
        )
        return [table, lib.layers.LSTM(UNITS)]
    options = arguments(lib, recurrent=True)
    if cls != "Bidirectional":
        layer = getattr(lib.layers, cls)(UNITS, return_sequences=True, **options)
        # Keras 3.15.1 drops this argument of SimpleRNN.
        layer.activity_regularizer = options["activity_regularizer"]
        return [lib.layers.Dense(4), layer]
    cls, _, merge_mode = option.partition(" ")
    inner = getattr(lib.layers, cls)(UNITS, return_sequences=True, **options)
    both = lib.layers.Bidirectional(
        inner, merge_mode or "concat", activity_regularizer=lib.regularizers.L1(0.01)
    )
    return [lib.layers.Dense(4), both]


def twins(keras: ModuleType, rng: np.random.Generator, kind: str) -> tuple[Any, Any, Any, Any]:
    """Compiled models of Keras and fastrnn with the same weights, inputs and labels."""
    x: np.ndarray = rng.normal(size=(TRAINING_STEPS * BATCH, STEPS, FEATURES)).astype("float32")
    if kind == "Embedding":
        x = rng.integers(0, 9, x.shape[:2])
    pair = []
    for lib in (keras, fastrnn):
        end = [lib.layers.Dense(2, activation="sigmoid", kernel_regularizer="l2")]
        model = lib.Sequential([*make(lib, kind), *end])
        model.build(x.shape)
        if kind.endswith("frozen"):
            model.layers[1].trainable = False
        pair.append(model)
    theirs, ours = pair
    randomized(rng, theirs, ours)
    theirs.compile(keras.optimizers.SGD(0.3), "mse", run_eagerly=True)
    ours.compile(fastrnn.optimizers.SGD(0.3), "mse")
    y = rng.integers(0, 2, (len(x), *theirs.output_shape[1:])).astype("float32")
    return theirs, ours, x, y


@pytest.mark.parametrize("kind", KINDS)
def test_losses_and_weights_of_five_steps(
    keras: ModuleType, rng: np.random.Generator, kind: str
) -> None:
    theirs, ours, x, y = twins(keras, rng, kind)
    before = ours.get_weights()
    for x_batch, y_batch in zip(
        np.split(x, TRAINING_STEPS), np.split(y, TRAINING_STEPS), strict=True
    ):
        wanted = np.ravel(theirs.train_on_batch(x_batch, y_batch))[0]
        assert ours.train_on_batch(x_batch, y_batch) == pytest.approx(wanted, rel=2e-5)
    for ours_w, theirs_w, start in zip(
        ours.get_weights(), theirs.get_weights(), before, strict=True
    ):
        np.testing.assert_allclose(ours_w, theirs_w, rtol=1e-4, atol=2e-5)
        if not kind.endswith("frozen"):
            assert np.abs(ours_w - start).max() > 1e-3, "the weight must have moved"
    wanted = np.ravel(theirs.test_on_batch(x[:BATCH], y[:BATCH]))[0]
    assert ours.test_on_batch(x[:BATCH], y[:BATCH]) == pytest.approx(wanted, rel=2e-5)
    penalties = [float(loss) for loss in theirs._get_regularization_losses()]
    assert sum(ours.losses) == pytest.approx(sum(penalties), rel=1e-5)
    assert len(ours.losses) == len(penalties)


def test_the_last_layers_own_activity_counts_after_its_activation(
    keras: ModuleType, rng: np.random.Generator
) -> None:
    """Where the loss could otherwise be computed from the scores before the sigmoid."""
    x, y = rng.normal(size=(BATCH, FEATURES)).astype("float32"), rng.integers(0, 2, (BATCH, 3))
    pair = []
    for lib in (keras, fastrnn):
        pair.append(lib.Sequential([lib.layers.Dense(3, "sigmoid", activity_regularizer="l2")]))
        pair[-1].build(x.shape)
    theirs, ours = pair
    randomized(rng, theirs, ours)
    theirs.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    ours.compile(fastrnn.optimizers.SGD(0.5), "binary_crossentropy")
    for _ in range(2):
        wanted = np.ravel(theirs.train_on_batch(x, y.astype("float32")))[0]
        assert ours.train_on_batch(x, y) == pytest.approx(wanted, rel=1e-5)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_a_regularized_embedding_still_hands_over_its_tokens(
    rng: np.random.Generator, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = layers.Embedding(9, 4, embeddings_regularizer="l2", embeddings_constraint="unit_norm")
    model = fastrnn.Sequential([table, getattr(layers, name)(3), layers.Dense(1)])
    model.compile("sgd", "mse")
    monkeypatch.setattr(fastrnn.kernels, "embedding_forward", None)
    tokens = rng.integers(0, 9, (4, 5))
    model.fit(tokens, np.ones(4), verbose=0)
    np.testing.assert_allclose(np.linalg.norm(table.get_weights()[0], axis=0), 1.0, rtol=1e-5)


def test_the_penalty_does_not_depend_on_the_way_through_the_graph(
    rng: np.random.Generator,
) -> None:
    inner = layers.LSTM(3, activity_regularizer="l1", return_sequences=True)
    model = fastrnn.Sequential(
        [layers.Bidirectional(inner, "sum"), layers.Dense(2, activity_regularizer="l2")]
    )
    x = rng.normal(size=(4, 3, 5)).astype("float32")
    model.build(x.shape)
    assert [layer.regularizes_activity for layer in model.layers] == [True, True]
    executor = Executor(Plan(model.inner_graph))
    trained, inferred = executor.forward([x], training=False), executor.infer([x])
    assert trained.penalty == inferred.penalty > 0
    np.testing.assert_array_equal(trained.outputs[0], inferred.outputs[0])
    assert inferred.caches == []


def test_configs_hold_them(keras: ModuleType) -> None:
    options = arguments(fastrnn, recurrent=True)
    for name in ("SimpleRNN", "LSTM", "GRU"):
        ours = getattr(layers, name)(3, **options)
        config = ours.get_config()
        assert config["kernel_constraint"]["config"] == {"max_value": 0.6, "axis": 0}
        theirs = getattr(keras.layers, name).from_config(config).get_config()
        for argument in options:
            if (name, argument) != ("SimpleRNN", "activity_regularizer"):  # Keras drops it
                assert theirs[argument]["class_name"] == config[argument]["class_name"]
                assert theirs[argument]["config"] == pytest.approx(config[argument]["config"])
        assert type(ours).from_config(config).get_config() == config
    both = layers.Bidirectional(layers.GRU(2, **options), activity_regularizer="l1")
    again = layers.Bidirectional.from_config(
        keras.layers.Bidirectional.from_config(both.get_config()).get_config()
    )
    assert isinstance(again.activity_regularizer, fastrnn.regularizers.L1)
    assert isinstance(again.backward_layer.kernel_constraint, fastrnn.constraints.MaxNorm)
    table = layers.Embedding(3, 2, embeddings_constraint="non_neg", activity_regularizer="l2")
    theirs = keras.layers.Embedding.from_config(table.get_config()).get_config()
    assert theirs["embeddings_constraint"]["class_name"] == "NonNeg"
    assert theirs["activity_regularizer"]["class_name"] == "L2"


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU", "Dense"])
@pytest.mark.parametrize("argument", ["kernel_regularizer", "bias_constraint"])
def test_unknown_names(name: str, argument: str) -> None:
    with pytest.raises(ValueError, match=f"Could not interpret {argument.partition('_')[2]}"):
        getattr(layers, name)(3, **{argument: "l3"})
