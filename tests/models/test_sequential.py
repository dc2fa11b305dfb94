"""Sequential: building, adding and popping, shapes, names, nesting, configs."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import layers, models
from fastrnn.models import Sequential

X = np.linspace(-1, 1, 60, dtype="float32").reshape(5, 4, 3)


def test_a_model_is_built_by_the_first_data() -> None:
    model = Sequential([layers.LSTM(4), layers.Dense(2)])
    assert not model.built
    assert model.weights == []
    with pytest.raises(AttributeError, match="no input shape"):
        _ = model.input_shape
    with pytest.raises(ValueError, match="needs a layer that is built"):
        model.count_params()
    assert model(X).shape == (5, 2)
    assert (model.input_shape, model.output_shape) == ((None, 4, 3), (None, 2))
    assert model.count_params() == 4 * 4 * (3 + 4 + 1) + 2 * (4 + 1)
    assert model(X[:, :2]).shape == (5, 2), "the number of steps stays open"


@pytest.mark.parametrize("how", ["Input", "input_shape", "input_dim", "build"])
def test_a_model_is_built_by_a_shape(how: str) -> None:
    arguments: dict[str, Any] = {}
    start: list[layers.Layer] = []
    if how == "Input":
        start = [layers.Input((None, 3))]
    elif how == "input_shape":
        arguments = {"input_shape": (None, 3)}
    elif how == "input_dim":
        start, arguments = [layers.Dense(3, input_dim=3)], {}
    model = Sequential([*start, layers.GRU(4, **arguments)] if how != "input_dim" else start)
    if how == "build":
        model.build((None, None, 3))
    assert model.built
    assert model.layers[0].built
    assert model.input_shape == ((None, 3) if how == "input_dim" else (None, None, 3))


def test_layers_are_built_as_they_are_added() -> None:
    model = Sequential()
    model.add(layers.Input((4, 3)))
    model.add(layers.SimpleRNN(4, return_sequences=True))
    assert [w.shape for w in model.weights] == [(3, 4), (4, 4), (4,)]
    first = model.get_weights()
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 4, 2)
    popped = model.pop()
    assert isinstance(popped, layers.Dense)
    assert model.output_shape == (None, 4, 4)
    for one, other in zip(model.get_weights(), first, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(model.layers) == 1, "the InputLayer does not count"


def test_paths_of_weights_are_those_of_keras(keras: ModuleType) -> None:
    def make(sequential: Any, lib: Any) -> Any:
        inside = [lib.LSTM(2, name="a"), lib.Dense(1, name="b")]
        return sequential([lib.Input((4, 3)), *inside], name="m")

    ours, theirs = make(Sequential, layers), make(keras.Sequential, keras.layers)
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]


def test_a_layer_that_does_not_fit_is_not_added() -> None:
    model = Sequential([layers.Input((4, 3)), layers.LSTM(4)])
    before = model.layers
    with pytest.raises(ValueError, match="three dimensions"):
        model.add(layers.GRU(2))
    assert model.layers == before
    assert model.built
    assert model(X).shape == (5, 4)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Sequential([3]), TypeError, "Only layers.*Received: 3"),
        (
            lambda: Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")]),
            ValueError,
            "second 'a'",
        ),
        (lambda: Sequential([layers.Dense(1), layers.Input((3,))]), ValueError, "first element"),
        (lambda: Sequential().build((None, 3)), ValueError, "has no layers"),
        (lambda: Sequential()(X), ValueError, "has no layers"),
        (lambda: Sequential().pop(), ValueError, "no layer to pop"),
        (lambda: Sequential([layers.LSTM(2), layers.LSTM(2)])(X), ValueError, "three dim"),
        (lambda: Sequential([layers.LSTM(2, return_state=True)])(X), ValueError, "one output"),
        (lambda: Sequential([layers.LSTM(2)]).build((None, 4, None)), ValueError, "known size"),
        (lambda: Sequential([layers.LSTM(2)]).build(7), ValueError, "Received: shape=7"),
        (lambda: Sequential([layers.LSTM(2)])(X, mask=X), ValueError, "`mask` must have shape"),
    ],
)
def test_bad_models(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_a_model_that_does_not_fit_together_makes_no_weights() -> None:
    first = layers.LSTM(2)
    model = Sequential([first, layers.GRU(2)])
    with pytest.raises(ValueError, match="three dimensions"):
        model.build((None, 4, 3))
    assert not first.built
    assert not model.built


def test_features_that_do_not_match_a_built_model() -> None:
    model = Sequential([layers.Input((4, 3)), layers.LSTM(4)])
    with pytest.raises(ValueError, match=r"must have 3 features.*\(5, 4, 2\)"):
        model.predict(X[..., :2], verbose=0)
    with pytest.raises(ValueError, match="must have 3 features"):
        model.build((None, 4, 2))


def test_one_feature_needs_no_dimension_of_its_own() -> None:
    model = Sequential([layers.Input((4, 1)), layers.SimpleRNN(4)])
    np.testing.assert_array_equal(model(X[..., 0]), model(X[..., :1]))


def test_get_layer() -> None:
    dense = layers.Dense(2, name="top")
    model = Sequential([layers.LSTM(4), dense])
    assert model.get_layer("top") is model.get_layer(index=1) is model.get_layer(index=-1) is dense
    for arguments in ({}, {"name": "no"}, {"index": 2}, {"name": "top", "index": 1}):
        with pytest.raises(ValueError, match="Received"):
            model.get_layer(**arguments)  # type: ignore[arg-type]


def test_set_weights_of_a_wrong_shape_changes_no_layer() -> None:
    model = Sequential([layers.Input((4, 3)), layers.SimpleRNN(2), layers.Dense(1)])
    before = model.get_weights()
    wrong = [w + 1 for w in before]
    wrong[-1] = np.zeros(7)
    with pytest.raises(ValueError, match=r"shape \(1,\).*Received: shape=\(7,\)"):
        model.set_weights(wrong)
    with pytest.raises(ValueError, match="list of 5 arrays"):
        model.set_weights(before[:-1])
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_empty_batch_gives_an_empty_result() -> None:
    model = Sequential([layers.GRU(4, return_sequences=True), layers.Dense(2)])
    assert model(X[:0]).shape == (0, 4, 2)
    assert model.predict(X[:0], verbose=0).shape == (0, 4, 2)


def test_frozen_layers_keep_their_weights_and_others_learn() -> None:
    model = Sequential([layers.LSTM(4), layers.Dense(3, name="frozen"), layers.Dense(1)])
    model.build(X.shape)
    model.get_layer("frozen").trainable = False
    before = {w.path: w.numpy() for w in model.weights}
    model.compile("sgd", "mse")
    model.fit(X, np.ones(5), verbose=0)
    moved = {w.path for w in model.weights if (w.numpy() != before[w.path]).any()}
    assert {w.path for w in model.trainable_weights} == moved
    assert [w.name for w in model.non_trainable_weights] == ["kernel", "bias"]
    assert model.trainable_variables == model.trainable_weights
    assert model.variables == model.weights


def test_a_wholly_frozen_model_can_be_evaluated_and_fitted() -> None:
    model = Sequential([layers.GRU(4), layers.Dense(1)], trainable=False)
    model.compile("sgd", "mse")
    before = model.evaluate(X, np.ones(5), verbose=0)
    assert (
        model.fit(X, np.ones(5), epochs=2, shuffle=False, verbose=0).history["loss"] == [before] * 2
    )


def test_an_embedding_hands_tokens_to_a_layer_inside_a_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = Sequential([layers.Embedding(9, 3), Sequential([layers.LSTM(4), layers.Dense(1)])])
    model.compile("sgd", "mse")
    monkeypatch.setattr("fastrnn.kernels.embedding_forward", None)
    model.fit(np.arange(8).reshape(2, 4), np.ones(2), verbose=0)


class Doubles(layers.Layer):
    """A layer of a user, which knows nothing of masks."""

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        return x * 2, None

    def backward(
        self, cache: None, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        return d_y * 2, []


def test_a_mask_ends_at_a_layer_that_knows_none() -> None:
    doubles = Doubles()
    doubles.built = True
    model = Sequential([layers.Embedding(9, 3, mask_zero=True), doubles, layers.GRU(4)])
    tokens = np.array([[0, 0, 3], [4, 0, 5]])
    with pytest.warns(UserWarning, match="does not support masks.*`supports_masking`"):
        blind = model(tokens)
    np.testing.assert_array_equal(blind, model.layers[2](model.layers[0](tokens) * 2))
    doubles.supports_masking = True
    masked = model(tokens)
    assert (masked != blind).any(axis=1).all()
    np.testing.assert_array_equal(
        masked, model.layers[2](model.layers[0](tokens) * 2, mask=tokens != 0)
    )
    model.compile("sgd", "mse")
    model.fit(tokens, masked, verbose=0)


def test_a_model_inside_a_model_trains_as_its_layers_would(rng: np.random.Generator) -> None:
    def flat() -> list[layers.Layer]:
        lower = layers.LSTM(4, return_sequences=True)
        return [lower, layers.Dense(3), layers.GRU(2), layers.Dense(1, activation="sigmoid")]

    one, other = flat(), flat()
    nested = Sequential([one[0], Sequential([one[1], one[2]]), Sequential([one[3]])])
    plain = Sequential(other)
    nested.build(X.shape)
    plain.build(X.shape)
    plain.set_weights(nested.get_weights())
    y = rng.integers(0, 2, 5)
    for model in (nested, plain):
        model.compile("adam", "binary_crossentropy")
        model.fit(X, y, epochs=3, shuffle=False, verbose=0)
    for left, right in zip(nested.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_configs_go_to_keras_and_back(keras: ModuleType) -> None:
    embedding = layers.Embedding(9, 3)
    ours = Sequential([layers.Input((4,)), embedding, layers.LSTM(4), layers.Dense(2)], name="m")
    config = ours.get_config()
    again = Sequential.from_config(config)
    assert again.get_config() == config
    theirs = keras.Sequential.from_config(config)
    theirs.set_weights(ours.get_weights())
    tokens = np.arange(8).reshape(2, 4)
    np.testing.assert_allclose(ours(tokens), np.asarray(theirs(tokens)), rtol=1e-5, atol=1e-6)
    back = Sequential.from_config(theirs.get_config())
    assert [layer.name for layer in back.layers] == [layer.name for layer in ours.layers]
    assert [w.shape for w in back.weights] == [w.shape for w in ours.weights]


def test_import_paths() -> None:
    import fastrnn

    assert fastrnn.Sequential is fastrnn.models.Sequential is models.Sequential
    assert fastrnn.layers is layers
    for name in ("Embedding", "SimpleRNN", "LSTM", "GRU", "Dense", "Dropout", "Input"):
        assert hasattr(fastrnn.layers, name)


def test_a_frozen_model_inside_a_model_keeps_its_weights() -> None:
    inner = Sequential([layers.GRU(4, return_sequences=True), layers.Dense(3)], trainable=False)
    model = Sequential([layers.Dense(3), inner, layers.LSTM(2)])
    model.build(X.shape)
    before = model.get_weights()
    model.compile("sgd", "mae")
    model.fit(X, np.ones((5, 2)), verbose=0)
    moved = [(w.numpy() != old).any() for w, old in zip(model.weights, before, strict=True)]
    assert moved == [True] * 2 + [False] * 5 + [True] * 3


def test_an_embedding_that_states_the_length_of_its_input_builds_the_model() -> None:
    model = models.Sequential(
        [layers.Embedding(10, 3, input_length=7), layers.LSTM(2), layers.Dense(1)]
    )
    assert model.built
    assert model.input_shape == (None, 7)
    assert model.output_shape == (None, 1)
    assert model.count_params() == 30 + 4 * 2 * (3 + 2 + 1) + 3
