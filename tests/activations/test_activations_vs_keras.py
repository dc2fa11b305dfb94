"""Every activation of Keras: values, gradients, arguments, names."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import activations

ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("relu", {"negative_slope": 0.3}),
    ("relu", {"max_value": 1.5}),
    ("relu", {"threshold": 0.7}),
    ("relu", {"negative_slope": 0.3, "max_value": 1.5, "threshold": 0.7}),
    ("leaky_relu", {"negative_slope": 0.05}),
    ("elu", {"alpha": 0.6}),
    ("celu", {"alpha": 0.6}),
    ("gelu", {"approximate": True}),
    ("squareplus", {"b": 1}),
    ("soft_shrink", {"threshold": 0.9}),
    ("hard_shrink", {"threshold": 0.9}),
    ("threshold", {"threshold": 0.2, "default_value": -0.6}),
    ("softmax", {"axis": 1}),
    ("softmax", {"axis": 0}),
    ("log_softmax", {"axis": 1}),
    ("glu", {"axis": 1}),
]
# hard_sigmoid of Keras 1 and 2 has a test of its own, saving/test_old_meanings.py.
NO_NAMES_OF_KERAS = ("Activation", "get", "hard_sigmoid_keras2", "serialize")
NAMES = [name for name in activations.__all__ if name not in NO_NAMES_OF_KERAS]
OTHERS = ("threshold", "sparsemax")  # needs arguments; is not what its definition says in Keras
CASES = [*((name, {}) for name in NAMES if name not in OTHERS), *ARGUMENTS]
# Where they bend, and where exponentials overflow or vanish.
BENDS = [0.0, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 6.0, 1e-3, -1e-3, 20.0, -20.0, 95.0, -95.0]


def test_the_names_are_those_of_keras(keras: ModuleType) -> None:
    theirs = set(dir(keras.activations)) - {"deserialize", "get", "serialize"}
    assert set(NAMES) == {name for name in theirs if not name.startswith("_")}


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_values_and_gradients(
    keras: ModuleType, rng: np.random.Generator, name: str, arguments: dict[str, Any]
) -> None:
    import tensorflow as tf

    x = rng.normal(0, 3, (3, 6, 4)).astype("float32")
    with tf.GradientTape() as tape:
        inputs = tf.constant(x)
        tape.watch(inputs)
        wanted = getattr(keras.activations, name)(inputs, **arguments)
        d_y = rng.normal(size=wanted.shape).astype("float32")
        loss = tf.reduce_sum(wanted * d_y)
    function = getattr(activations, name)
    y = function(x, **arguments)
    d_x = function.backward(x, y, d_y, **arguments)
    assert y.dtype == d_x.dtype == np.float32
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(d_x, tape.gradient(loss, inputs), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("glu", *OTHERS)])
def test_values_where_they_bend_and_far_out(keras: ModuleType, name: str) -> None:
    x = np.array([BENDS], "float32")
    wanted = np.asarray(getattr(keras.activations, name)(x))
    np.testing.assert_allclose(activations.get(name)(x), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["relu", "leaky_relu", "relu6", "elu", "selu", "gelu", "hard_tanh", "hard_silu"]
)
def test_gradients_at_zero(keras: ModuleType, name: str) -> None:
    """Zeros are frequent: padding. (Keras's of celu at 0 is 2 on TensorFlow; here it is 1.)"""
    import tensorflow as tf

    inputs = tf.zeros([1])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = getattr(keras.activations, name)(inputs)
    x, ones = np.zeros(1, "float32"), np.ones(1, "float32")
    d_x = activations.get(name).backward(x, np.asarray(y), ones)
    np.testing.assert_allclose(d_x, tape.gradient(y, inputs), rtol=1e-6)


@pytest.mark.parametrize("axis", [-1, 1])
def test_sparsemax_is_the_closest_probability(rng: np.random.Generator, axis: int) -> None:
    """In Keras 3.15.1 its entries do not add up to 1: tau is made of a sum of sums."""
    x = rng.normal(size=(3, 5, 4)).astype("float32")
    y = activations.sparsemax(x, axis=axis)
    assert y.min() == 0
    np.testing.assert_allclose(y.sum(axis=axis), 1, rtol=1e-6)
    # Optimal: x - y is the same wherever y > 0, and nowhere larger.
    tau = np.where(y > 0, x - y, -np.inf).max(axis=axis, keepdims=True)
    np.testing.assert_allclose((x - y)[y > 0], np.broadcast_to(tau, x.shape)[y > 0], rtol=1e-5)
    assert (x - y <= tau + 1e-6).all()
    direction, d_y = rng.normal(size=(2, *x.shape)).astype("float32") * np.float32(1e-3)
    moved = activations.sparsemax(x + direction, axis) - activations.sparsemax(x - direction, axis)
    d_x = activations.sparsemax.backward(x, y, d_y, axis=axis)
    np.testing.assert_allclose((d_x * direction).sum() * 2, (d_y * moved).sum(), rtol=1e-3)


def test_names_lead_to_functions_and_back(keras: ModuleType) -> None:
    for name in NAMES:
        assert activations.get(name) is getattr(activations, name)
        theirs = keras.activations.serialize(keras.activations.get(name))
        assert activations.serialize(activations.get(name)) == theirs
    assert activations.get(None) is activations.linear
    assert activations.get(activations.mish) is activations.mish


@pytest.mark.parametrize("identifier", ["relu7", np.ndarray, 3, {"class_name": "relu"}])
def test_unknown_ones_are_refused(identifier: Any) -> None:
    with pytest.raises(ValueError, match=r"`activation` must be one of .*tanh.* Received: "):
        activations.get(identifier)


@pytest.mark.parametrize("name", ["glu", "threshold"])
def test_a_layer_cannot_end_in_what_changes_the_shape_or_needs_arguments(name: str) -> None:
    for make in (fastrnn.layers.Activation, lambda name: fastrnn.layers.Dense(2, name)):
        with pytest.raises(ValueError, match=f"`{name}` does not"):
            make(name)


def test_glu_needs_an_even_size() -> None:
    with pytest.raises(ValueError, match=r"even number.*shape=\(2, 3\)"):
        activations.glu(np.ones((2, 3)))


def test_copies_are_the_same_object() -> None:
    for function in (activations.tanh, activations.gelu):
        assert copy.deepcopy(function) is function
        assert pickle.loads(pickle.dumps(function)) is function


def test_an_activation_of_ones_own(rng: np.random.Generator) -> None:
    @activations.Activation
    def square(x: np.ndarray) -> np.ndarray:
        return x * x

    layer = fastrnn.layers.Dense(3, activation=square)
    x = rng.normal(size=(2, 4)).astype("float32")
    y, cache = layer.forward(x) if layer.built else (layer(x), None)
    np.testing.assert_allclose(y, (x @ layer.get_weights()[0]) ** 2, rtol=1e-5)
    _, cache = layer.forward(x)
    with pytest.raises(ValueError, match=r"`square` has no backward pass: .*@square\.gradient"):
        layer.backward(cache, y)
    square.gradient(lambda x, y, d_y: 2 * x * d_y)
    d_x, _ = layer.backward(cache, np.ones_like(y))
    kernel = layer.get_weights()[0]
    np.testing.assert_allclose(d_x, 2 * (x @ kernel) @ kernel.T, rtol=1e-5)


@pytest.mark.parametrize("name", ["glu", "threshold"])
def test_recurrent_layers_refuse_what_changes_the_shape_or_needs_arguments(name: str) -> None:
    for cls in (fastrnn.layers.SimpleRNN, fastrnn.layers.LSTM, fastrnn.layers.GRU):
        with pytest.raises(ValueError, match=f"`{name}` does not"):
            cls(3, activation=name)
