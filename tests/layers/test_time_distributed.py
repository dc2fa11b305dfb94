"""TimeDistributed: any layer at each step, against live Keras and against the layer itself."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from support.keras_twins import assert_same, assert_same_gradients, randomized

INSIDE: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Dense", {"units": 5, "activation": "tanh"}, (2, 3, 4)),
    ("Dense", {"units": 5, "activation": "softmax", "use_bias": False}, (2, 3, 4)),
    ("Dense", {"units": 5, "activation": "gelu"}, (2, 3, 6, 4)),
    ("LSTM", {"units": 5}, (2, 3, 6, 4)),
    ("GRU", {"units": 5, "return_sequences": True, "go_backwards": True}, (2, 1, 6, 4)),
    ("Bidirectional", {}, (2, 3, 6, 4)),
    ("TimeDistributed", {}, (2, 3, 6, 4)),
    ("LayerNormalization", {"axis": 1}, (2, 3, 6, 4)),
    ("LayerNormalization", {}, (2, 3, 4)),
    ("Flatten", {}, (2, 3, 6, 4)),
    ("RepeatVector", {"n": 2}, (2, 3, 4)),
    ("GlobalMaxPooling1D", {}, (2, 3, 6, 4)),
    ("GlobalAveragePooling1D", {}, (2, 3, 6, 4)),
    ("Activation", {"activation": "relu"}, (2, 3, 4)),
    ("Dropout", {"rate": 0.0}, (2, 3, 4)),
]
MASKED = ("LSTM", "GRU", "Bidirectional", "GlobalAveragePooling1D", "TimeDistributed")


def wrapped(library: Any, name: str, config: dict[str, Any]) -> Any:
    inner = library.layers
    if name == "Bidirectional":
        config = {"layer": inner.SimpleRNN(3)}
    elif name == "TimeDistributed":
        config = {"layer": inner.Dense(3)}
    return inner.TimeDistributed(getattr(inner, name)(**config))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("name", "config", "shape"), INSIDE)
def test_outputs_and_gradients(
    keras: ModuleType,
    rng: np.random.Generator,
    name: str,
    config: dict[str, Any],
    shape: tuple[int, ...],
    masked: bool,
) -> None:
    theirs, ours = (wrapped(library, name, config) for library in (keras, fastrnn))
    x = rng.normal(size=shape).astype("float32")
    for layer in (theirs, ours):
        layer.build(shape)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert ours.compute_output_shape(shape) == theirs.compute_output_shape(shape)
    randomized(rng, theirs, ours)
    mask = None
    if masked:
        mask = rng.random(shape[: 3 if name in MASKED else 2]) < 0.6
        if name == "GlobalAveragePooling1D":
            mask[..., 0] = True
        if name in MASKED and name != "TimeDistributed":
            assert np.abs(ours(x, mask=mask) - ours(x)).max() > 1e-3
    assert_same(ours(x, mask=mask), theirs(x, mask=mask))
    assert_same_gradients(rng, theirs, ours, x, mask)
    assert ours.supports_masking == theirs.supports_masking
    assert ours.compute_mask(x, mask) is mask


def test_a_dense_inside_is_a_dense_on_sequences(rng: np.random.Generator) -> None:
    x, d_y = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    dense = layers.Dense(5, activation="relu")
    wrapper = layers.TimeDistributed(dense)
    np.testing.assert_array_equal(wrapper(x), dense(x))
    d_x, d_weights = dense.backward(dense.forward(x)[1], d_y)
    got, got_weights = wrapper.backward(wrapper.forward(x)[1], d_y)
    for one, other in zip([got, *got_weights], [d_x, *d_weights], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_inside(keras: ModuleType, rng: np.random.Generator) -> None:
    """Sentences of words: masks inside the model hold for its own layers alone."""
    tokens = rng.integers(0, 4, (3, 4, 5))
    tokens[0, 1] = 0

    def model(lib: Any) -> Any:
        inside = [lib.layers.Embedding(4, 3, mask_zero=True), lib.layers.LSTM(4)]
        sentence = lib.Sequential([lib.layers.Input((5,)), *inside])
        above = [lib.layers.GRU(3), lib.layers.Dense(2)]
        stack = [lib.layers.Input((4, 5)), lib.layers.TimeDistributed(sentence), *above]
        return lib.Sequential(stack)

    theirs, ours = model(keras), model(fastrnn)
    before = [rng.normal(0, 0.5, w.shape).astype("float32") for w in theirs.get_weights()]
    y = rng.normal(size=(3, 2)).astype("float32")
    for each, library in ((theirs, keras), (ours, fastrnn)):
        each.set_weights(before)
        each.compile(library.optimizers.SGD(0.5), "mse")
    assert_same(ours(tokens), theirs(tokens))
    theirs.run_eagerly = True
    for each in (theirs, ours):
        each.train_on_batch(tokens, y)
    for one, other, start in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        assert np.abs(one - start).max() > 1e-4
        np.testing.assert_allclose(one - start, other - start, rtol=1e-3, atol=2e-6)
    again = fastrnn.Sequential.from_config(ours.get_config())
    assert again.get_config() == ours.get_config()
    assert keras.Sequential.from_config(ours.get_config()).count_params() == ours.count_params()
    assert fastrnn.Sequential.from_config(theirs.get_config()).output_shape == (None, 2)


def test_gradient_of_the_input_of_a_model_inside(rng: np.random.Generator) -> None:
    x, d_y = rng.normal(size=(2, 2, 3, 4)).astype("float32")
    dense = layers.Dense(4, activation="tanh")
    model = fastrnn.Sequential([layers.LayerNormalization(), dense])
    wrapper = layers.TimeDistributed(model)
    wrapper(x)
    _, cache = wrapper.forward(x, True)
    d_x, d_weights = wrapper.backward(cache, d_y)
    normalization = model.layers[0]
    normalized, below = normalization.forward(x)
    d_normalized, d_dense = dense.backward(dense.forward(normalized)[1], d_y)
    wanted, d_below = normalization.backward(below, d_normalized)
    for one, other in zip([d_x, *d_weights], [wanted, *d_below, *d_dense], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_noise_that_rows_share_is_drawn_for_each_step() -> None:
    x = np.ones((3, 20, 30), "float32")
    wrapper = layers.TimeDistributed(layers.Dropout(0.5, noise_shape=(1, 30), seed=1))
    y = wrapper(x, training=True)
    np.testing.assert_array_equal(y, y[:1].repeat(3, axis=0))
    assert np.abs(y[:, 0] - y[:, 1]).max() > 0
    y, cache = wrapper.forward(x, True)
    np.testing.assert_array_equal(wrapper.backward(cache, x)[0], y)


def test_a_stateful_layer_walks_from_step_to_step(
    keras: ModuleType, rng: np.random.Generator
) -> None:
    shape = (2, 3, 4, 5)
    theirs, ours = (
        library.layers.TimeDistributed(library.layers.SimpleRNN(3, stateful=True))
        for library in (keras, fastrnn)
    )
    for layer in (theirs, ours):
        layer.build(shape)
    weights = [rng.normal(0, 0.4, w.shape).astype("float32") for w in ours.get_weights()]
    ours.set_weights(weights)
    for variable, value in zip(theirs.trainable_variables, weights, strict=True):
        variable.assign(value)
    assert ours.stateful
    for _ in range(2):
        x = rng.normal(size=shape).astype("float32")
        assert_same(ours(x), theirs(x))
    assert_same_gradients(rng, theirs, ours, x, None)
    first = np.asarray(ours(x))
    ours.reset_state()
    assert np.abs(ours(x) - first).max() > 1e-3


def test_configs_go_to_keras_and_back(keras: ModuleType) -> None:
    ours = layers.TimeDistributed(layers.Dense(3, activation="gelu"), name="each", trainable=False)
    config = ours.get_config()
    assert layers.TimeDistributed.from_config(config).get_config() == config
    theirs = keras.layers.deserialize(layers.serialize(ours))
    assert theirs.layer.units == 3
    again = layers.deserialize(keras.layers.serialize(theirs))
    assert again.get_config() == config


def test_weights_of_a_frozen_layer_inside() -> None:
    wrapper = layers.TimeDistributed(layers.Dense(3, trainable=False))
    wrapper.build((None, 2, 4))
    assert wrapper.trainable_weights == []
    assert [w.path for w in wrapper.weights] == [
        f"{wrapper.name}/{wrapper.layer.name}/{name}" for name in ("kernel", "bias")
    ]


def test_an_activity_regularizer_is_that_of_the_wrapper() -> None:
    """Keras does not call the layer inside in the way that adds its penalty."""
    inner = layers.Dense(3, activity_regularizer="l2")
    assert not layers.TimeDistributed(inner).regularizes_activity
    assert layers.TimeDistributed(inner, activity_regularizer="l2").regularizes_activity
    with pytest.raises(ValueError, match="activity regularizers of layers inside"):
        layers.TimeDistributed(fastrnn.Sequential([inner]))


@pytest.mark.parametrize("layer", [None, "dense", layers.Dense, 3])
def test_what_is_no_layer(layer: Any) -> None:
    with pytest.raises(ValueError, match=r"`layer` must be a layer\. Received: layer="):
        layers.TimeDistributed(layer)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (layers.Dense(3), (2, 4), r"at least three dimensions.*shape=\(2, 4\)"),
        (layers.Embedding(5, 3), (2, 4), r"at least three dimensions.*shape=\(2, 4\)"),
        (layers.Dense(3), (2, 0, 4), "at least one step"),
        (layers.LSTM(3), (2, 3, 4), r"three dimensions, \(batch, steps, features\)"),
        (layers.LSTM(3, return_state=True), (2, 3, 4, 5), "must have one output"),
    ],
)
def test_shapes_that_do_not_fit(layer: Any, shape: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.TimeDistributed(layer)(np.zeros(shape))
    assert not layer.built


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2,), r"\(batch, steps\), \(2, 3\)\. Received: shape=\(2,\)"),
        ((2, 4), r"Received: shape=\(2, 4\)"),
        ((3, 3), r"Received: shape=\(3, 3\)"),
        ((2, 3), "must have three dimensions"),
    ],
)
def test_masks_that_do_not_fit(shape: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.TimeDistributed(layers.LSTM(2))(np.zeros((2, 3, 4, 5)), mask=np.ones(shape))


def test_tokens_are_checked_by_the_layer() -> None:
    wrapper = layers.TimeDistributed(layers.Embedding(5, 2))
    assert wrapper(np.ones((2, 3, 4))).shape == (2, 3, 4, 2)
    with pytest.raises(ValueError, match="Received: id 5"):
        wrapper(np.full((2, 3, 4), 5))


def test_an_empty_batch() -> None:
    assert layers.TimeDistributed(layers.LSTM(2))(np.zeros((0, 3, 4, 5))).shape == (0, 3, 2)
