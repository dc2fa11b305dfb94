"""Each layer against live Keras with the same weights: outputs, and gradients by steps of SGD."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn.layers
import fastrnn.optimizers
import numpy as np
import pytest
from fastrnn.models import Sequential

BATCH, STEPS, FEATURES, UNITS = 3, 4, 5, 6

RECURRENT: list[tuple[str, dict[str, Any]]] = [
    ("SimpleRNN", {}),
    ("SimpleRNN", {"activation": "relu", "use_bias": False}),
    ("SimpleRNN", {"activation": None, "go_backwards": True}),
    ("SimpleRNN", {"activation": "softplus"}),
    ("LSTM", {}),
    ("LSTM", {"activation": "softsign", "recurrent_activation": "hard_sigmoid"}),
    ("LSTM", {"use_bias": False, "go_backwards": True}),
    ("LSTM", {"activation": "elu", "recurrent_activation": "relu"}),
    ("GRU", {}),
    ("GRU", {"reset_after": False}),
    ("GRU", {"use_bias": False, "activation": "linear"}),
    ("GRU", {"reset_after": False, "use_bias": False, "go_backwards": True}),
    ("GRU", {"recurrent_activation": "tanh", "activation": "sigmoid"}),
]


def ids(value: Any) -> str | None:
    if isinstance(value, dict):
        return ",".join(f"{k}={v}" for k, v in value.items()) or "defaults"
    return None


def randomized(rng: np.random.Generator, theirs: Any) -> list[np.ndarray]:
    """Distinct random weights of the shapes of a built Keras layer or model."""
    weights = [rng.normal(0, 0.4, w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(weights)
    return weights


def inputs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(("cls", "options"), RECURRENT, ids=ids)
def test_outputs_and_states_of_recurrent_layers(
    keras: ModuleType,
    rng: np.random.Generator,
    cls: str,
    options: dict[str, Any],
    return_sequences: bool,
) -> None:
    options = {**options, "return_sequences": return_sequences, "return_state": True}
    theirs, ours = (getattr(lib, cls)(UNITS, **options) for lib in (keras.layers, fastrnn.layers))
    x = inputs(rng, BATCH, STEPS, FEATURES)
    count = 2 if cls == "LSTM" else 1
    state = [inputs(rng, BATCH, UNITS) for _ in range(count)]
    theirs.build(x.shape)
    ours.build(x.shape)
    ours.set_weights(randomized(rng, theirs))
    for initial_state in (None, state):
        wanted = [np.asarray(part) for part in theirs(x, initial_state=initial_state)]
        got = ours(x, initial_state=initial_state)
        assert len(got) == len(wanted) == 1 + count
        for one, other in zip(got, wanted, strict=True):
            assert one.dtype == np.float32
            np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)
    assert theirs.compute_output_shape(x.shape)[0] == ours.compute_output_shape(x.shape)[0]


def test_a_single_state_needs_no_list(rng: np.random.Generator) -> None:
    layer = fastrnn.layers.GRU(UNITS)
    x, h = inputs(rng, BATCH, STEPS, FEATURES), inputs(rng, BATCH, UNITS)
    np.testing.assert_array_equal(layer(x, initial_state=h), layer(x, [h]))
    assert np.abs(layer(x, h) - layer(x)).max() > 1e-3


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        ("Dense", {"units": 4}),
        ("Dense", {"units": 4, "use_bias": False, "activation": "tanh"}),
        ("Dense", {"units": 4, "activation": "softmax"}),
        ("Dense", {"units": 4, "activation": "log_softmax", "use_bias": False}),
        ("Dense", {"units": 4, "activation": "gelu"}),
        ("Dense", {"units": 1, "activation": "hard_sigmoid"}),
        ("Dropout", {"rate": 0.5}),
    ],
    ids=ids,
)
@pytest.mark.parametrize("shape", [(BATCH, FEATURES), (BATCH, STEPS, FEATURES)])
def test_outputs_of_other_layers(
    keras: ModuleType,
    rng: np.random.Generator,
    cls: str,
    options: dict[str, Any],
    shape: tuple[int, ...],
) -> None:
    theirs, ours = (getattr(lib, cls)(**options) for lib in (keras.layers, fastrnn.layers))
    x = inputs(rng, *shape)
    theirs.build(x.shape)
    ours.build(x.shape)
    ours.set_weights(randomized(rng, theirs))
    np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), rtol=1e-5, atol=1e-6)
    assert theirs.compute_output_shape(shape) == ours.compute_output_shape(shape)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float64", "bool"])
def test_embedding_of_any_kind_of_integers(rng: np.random.Generator, dtype: str) -> None:
    layer = fastrnn.layers.Embedding(5, 3, input_length=7)
    tokens = rng.integers(0, 2, (2, 7)).astype(dtype)
    np.testing.assert_array_equal(
        layer(tokens), layer.get_weights()[0][np.asarray(tokens, dtype=int)]
    )


def stack(lib: Any, kind: str) -> list[Any]:
    """Layers of one kind of model, made of the classes of `lib`."""
    dense = lib.Dense(2, activation="tanh")
    if kind == "embedding":
        return [lib.Embedding(9, FEATURES), lib.LSTM(UNITS), dense]
    if kind == "stacked":
        lower = [lib.GRU(UNITS, return_sequences=True), lib.Dense(4, activation="relu")]
        return [*lower, lib.LSTM(3, return_sequences=True), lib.SimpleRNN(UNITS), dense]
    if kind == "backwards above":
        lower = lib.SimpleRNN(UNITS, return_sequences=True)
        return [lower, lib.GRU(UNITS, go_backwards=True), dense]
    if kind == "every step":
        return [lib.SimpleRNN(UNITS, return_sequences=True, go_backwards=True), dense]
    if kind in ("softmax", "silu"):
        return [lib.Dense(4, activation=kind), lib.LSTM(UNITS), dense]
    cls, _, option = kind.partition(" ")
    options: dict[str, Any] = {"reset_after": False} if option == "before" else {}
    return [getattr(lib, cls)(UNITS, go_backwards=option == "backwards", **options), dense]


@pytest.mark.parametrize(
    "kind",
    [
        "SimpleRNN",
        "LSTM",
        "LSTM backwards",
        "GRU",
        "GRU before",
        "embedding",
        "stacked",
        "backwards above",
        "every step",
        "softmax",
        "silu",
    ],
)
def test_gradients_by_three_steps_of_sgd(
    keras: ModuleType, rng: np.random.Generator, kind: str
) -> None:
    x = inputs(rng, 3 * BATCH, STEPS, FEATURES)
    if kind == "embedding":
        x = rng.integers(0, 9, (3 * BATCH, STEPS))
    y = inputs(rng, 3 * BATCH, *((STEPS,) if kind == "every step" else ()), 2)
    theirs = keras.Sequential(stack(keras.layers, kind))
    ours = Sequential(stack(fastrnn.layers, kind))
    theirs.build(x.shape)
    ours.build(x.shape)
    before = randomized(rng, theirs)
    ours.set_weights(before)
    rate = 0.5
    theirs.compile(keras.optimizers.SGD(rate), "mse")
    ours.compile(fastrnn.optimizers.SGD(rate), "mse")
    theirs.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
    ours.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
    for one, other, start in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        assert np.abs(one - start).max() > 3e-4, "the weight must have moved"
        np.testing.assert_allclose(one - start, other - start, rtol=1e-3, atol=1e-6)
