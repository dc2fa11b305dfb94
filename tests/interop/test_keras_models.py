"""Models of live Keras taken over, trained, and given back."""

from __future__ import annotations

import warnings
from typing import Any

import fastrnn
import numpy as np
import pytest

X = np.random.default_rng(6).normal(size=(6, 5, 2)).astype(np.float32)
Y = np.random.default_rng(7).normal(size=(6, 1)).astype(np.float32)


@pytest.fixture(autouse=True)
def quiet(keras: Any):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def assert_close(one: Any, other: Any, rtol: float = 2e-5, atol: float = 2e-6) -> None:
    np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


def stacked(keras: Any, optimizer: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((5, 2)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="sum"),
            keras.Sequential([layers.GRU(2)], name="inner"),
            layers.Dense(1),
        ],
        name="stacked",
    )
    model.compile(optimizer, "mse", metrics=["mae"])
    model.run_eagerly = True
    return model


def functional(keras: Any, optimizer: Any) -> Any:
    layers = keras.layers
    inputs = layers.Input((5, 2))
    x = layers.SimpleRNN(3, return_sequences=True)(layers.Masking(0.0)(inputs))
    model = keras.Model(inputs, layers.Dense(1)(layers.GRU(2)(x)))
    model.compile(optimizer, keras.losses.Huber(0.5), metrics=["mae"])
    model.run_eagerly = True
    return model


def both_ways(keras: Any, make: Any, optimizer: Any) -> None:
    """The README's pattern, beside a model that stays with Keras all the time."""
    stays = make(keras, optimizer)
    stays.train_on_batch(X, Y)
    ours = fastrnn.from_keras(stays)
    assert_close(ours.predict(X, verbose=0), stays.predict(X, verbose=0))
    assert ours.optimizer.iterations == 1
    for model in (ours, stays):
        for _ in range(3):
            model.train_on_batch(X, Y)
    theirs = fastrnn.to_keras(ours)
    theirs.run_eagerly = True
    assert int(theirs.optimizer.iterations) == 4
    for _ in range(2):
        wanted = stays.train_on_batch(X, Y, return_dict=True)
        got = theirs.train_on_batch(X, Y, return_dict=True)
    assert float(got["loss"]) == pytest.approx(float(wanted["loss"]), rel=1e-4)
    for a, b in zip(theirs.get_weights(), stays.get_weights(), strict=True):
        assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_sequential_with_adam(keras: Any) -> None:
    both_ways(keras, stacked, keras.optimizers.Adam(0.05, clipvalue=0.5))


def test_functional_with_momentum_and_a_schedule(keras: Any) -> None:
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([2, 4], [0.1, 0.05, 0.02])
    both_ways(keras, functional, keras.optimizers.SGD(rate, momentum=0.9))


def test_models_that_are_not_compiled_or_not_built(keras: Any) -> None:
    layers = keras.layers
    built = keras.Sequential([layers.Input((5, 2)), layers.GRU(2)])
    ours = fastrnn.from_keras(built)
    assert not ours.compiled
    assert_close(ours.predict(X, verbose=0), built.predict(X, verbose=0))
    assert not fastrnn.to_keras(ours).compiled
    waiting = fastrnn.from_keras(keras.Sequential([layers.GRU(2)]))
    assert not waiting.built
    assert not fastrnn.to_keras(waiting).built


def test_what_is_not_supported_is_named(keras: Any) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((5, 2)), layers.EinsumDense("abc,ce->abe", (5, 3), name="eyes")]
    )
    with pytest.raises(ValueError, match="layer 1 'eyes' of class EinsumDense"):
        fastrnn.from_keras(model)
    bounded = keras.Sequential([layers.Input((5, 2)), layers.GRU(2, dtype="float16", name="half")])
    with pytest.raises(ValueError, match=r"'half'.*float16"):
        fastrnn.from_keras(bounded)
    rate = keras.optimizers.Lion()
    with pytest.raises(ValueError, match="Lion"):
        fastrnn.from_keras(stacked(keras, rate))

    class Own(keras.Model):
        pass

    for item in (Own(), layers.GRU(2), fastrnn.Sequential(), 3):
        with pytest.raises(TypeError, match="`model`"):
            fastrnn.from_keras(item)
    with pytest.raises(TypeError, match="`model`"):
        fastrnn.to_keras(model)


def test_classes_of_the_user_on_either_side(keras: Any) -> None:
    class Doubled(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    class OurDoubled(fastrnn.layers.Layer):
        def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
            return x * 2, None

        def call(self, x: np.ndarray, training: bool = False) -> np.ndarray:
            return x * 2

    OurDoubled.__name__ = "Doubled"
    theirs = keras.Sequential([keras.layers.Input((5, 2)), Doubled(), keras.layers.GRU(2)])
    ours = fastrnn.from_keras(theirs, custom_objects={"Doubled": OurDoubled})
    assert_close(ours.predict(X, verbose=0), theirs.predict(X, verbose=0))


def test_without_keras(run_python: Any) -> None:
    code = """
import sys
sys.modules["keras"] = None
import fastrnn
try:
    fastrnn.to_keras(fastrnn.Sequential())
except ImportError as error:
    print(error)
"""
    assert "pip install keras" in run_python(code).stdout


def repeated_layers(keras: Any) -> dict[str, Any]:
    """Sequential models that have a layer twice, with and without weights."""
    layers = keras.layers
    dense, turn = layers.Dense(4, activation="tanh"), layers.Permute((2, 1))
    rnn = layers.GRU(2, return_sequences=True)
    return {
        "dense": [layers.Input((4,)), dense, dense, layers.Dense(2)],
        "at both ends": [layers.Input((4,)), dense, layers.Dense(4), dense],
        "no weights": [layers.Input((5, 2)), turn, layers.Dense(3), turn],
        "recurrent": [layers.Input((5, 2)), rnn, rnn],
    }


@pytest.mark.parametrize("case", ["dense", "at both ends", "no weights", "recurrent"])
def test_a_layer_that_stands_twice_is_applied_twice(keras: Any, case: str) -> None:
    theirs = keras.Sequential(repeated_layers(keras)[case], name="twice")
    theirs.compile("sgd", "mse")
    theirs.run_eagerly = True
    ours = fastrnn.from_keras(theirs)
    x = np.random.default_rng(8).normal(size=(3, *theirs.input_shape[1:])).astype(np.float32)
    target = np.zeros(theirs.output_shape[1:], np.float32)[np.newaxis].repeat(3, axis=0)
    assert_close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
    for model in (ours, theirs):
        model.fit(x, target, epochs=2, verbose=0)
    assert_close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
    assert_close(fastrnn.to_keras(ours).predict(x, verbose=0), theirs.predict(x, verbose=0))


@pytest.mark.parametrize("where", ["in a Sequential", "in a functional", "in a wrapper"])
def test_a_layer_that_stands_twice_in_an_inner_model_is_refused(keras: Any, where: str) -> None:
    layers = keras.layers
    dense = layers.Dense(4, name="again")
    inner = keras.Sequential([layers.Input((4,)), dense, dense], name="inner")
    if where == "in a Sequential":
        model = keras.Sequential([layers.Input((4,)), inner, layers.Dense(1)])
    elif where == "in a functional":
        inputs = layers.Input((4,))
        model = keras.Model(inputs, inner(inputs))
    else:
        model = keras.Sequential([layers.Input((3, 4)), layers.TimeDistributed(inner)])
    with pytest.raises(ValueError, match=r"'inner' has a layer twice.*'again'"):
        fastrnn.from_keras(model)


def test_errors_speak_of_the_model_and_not_of_a_file(keras: Any) -> None:
    layers = keras.layers
    model = keras.Sequential([layers.Input((4,)), layers.Discretization([0.5])], name="unusual")
    with pytest.raises(ValueError, match=r"^Keras model 'unusual', config: .*Discretization"):
        fastrnn.from_keras(model)
    model = keras.Sequential([layers.Input((4,)), layers.Dense(1)], name="unusual")
    model.compile(keras.optimizers.Ftrl(), "mse")
    with pytest.raises(ValueError, match=r"^Keras model 'unusual', config, compile_config: "):
        fastrnn.from_keras(model)


def test_errors_of_json_texts_do_not_speak_of_a_file() -> None:
    for text in ("{", '{"class_name": "Nothing"}', "[]"):
        with pytest.raises(ValueError, match=r"^`json_string`: "):
            fastrnn.models.model_from_json(text)
