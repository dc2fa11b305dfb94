"""MultiHeadAttention: gradients, masks, in models and files, beside Keras and without it."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models
from support.keras_twins import paths

RNG = np.random.default_rng(12)
QUERY = RNG.normal(size=(3, 4, 5)).astype(np.float32)
VALUE = RNG.normal(size=(3, 6, 2)).astype(np.float32)
KEY = RNG.normal(size=(3, 6, 7)).astype(np.float32)
INPUTS = [QUERY, VALUE, KEY]
MASKS = [
    np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]], bool),
    np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1], [0, 1, 0, 1, 1, 0]], bool),
    np.array([[1, 1, 1, 0, 1, 0], [0, 1, 1, 1, 1, 1], [1, 1, 0, 1, 1, 0]], bool),
]
ATTENTION_MASK = RNG.random((3, 4, 6)) < 0.7

# Arguments of the layer, and of its call.
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "gate": ({"use_gate": True, "value_dim": 4}, {}),
    "causal": ({"output_shape": 4}, {"use_causal_mask": True}),
    "window": ({"sliding_window": 2, "use_bias": False}, {}),
    "mask": ({}, {"attention_mask": ATTENTION_MASK}),
    "scores": ({"use_gate": True}, {"return_attention_scores": True}),
}
# Keras writes its variables through an interface of NumPy 1.
WRITES = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")


def with_weights(layer: Any, seed: int = 1) -> Any:
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(0, 0.6, np.shape(w)) for w in layer.get_weights()])
    return layer


def made(kind: str, library: Any = fastrnn) -> Any:
    layer = library.layers.MultiHeadAttention(2, 3, **KINDS[kind][0])
    layer(*INPUTS)
    return with_weights(layer)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_are_central_differences(kind: str, masked: bool) -> None:
    layer, options = made(kind), KINDS[kind][1]
    inputs = [each.copy() for each in INPUTS]
    masks = [None, *MASKS[1:]] if masked else None
    y, cache = layer.run(inputs, False, masks, **options)
    parts = list(y) if isinstance(y, tuple) else [y]
    d_parts = [RNG.normal(size=each.shape).astype(np.float32) for each in parts]
    d_inputs, d_weights = layer.backward(cache, d_parts if len(d_parts) > 1 else d_parts[0])
    assert len(d_weights) == len(layer.weights)

    def value() -> float:
        y = layer.infer(inputs, False, masks, **options)
        now = list(y) if isinstance(y, tuple) else [y]
        return sum(float(np.sum(a * d.astype(float))) for a, d in zip(now, d_parts, strict=True))

    arrays = [*inputs, *(weight.value for weight in layer.weights)]
    for array, gradient in zip(arrays, [*d_inputs, *d_weights], strict=True):
        for place in list(np.ndindex(array.shape))[:: max(1, array.size // 5)]:
            kept, ends = array[place], []
            for step in (4e-3, -4e-3):
                array[place] = kept + np.float32(step)
                ends.append(value())
            array[place] = kept
            want = (ends[0] - ends[1]) / 8e-3
            assert gradient[place] == pytest.approx(want, rel=3e-2, abs=8e-3)


def test_each_output_may_have_no_gradient() -> None:
    layer = made("scores")
    y, cache = layer.run(INPUTS, False, None, return_attention_scores=True)
    d = [RNG.normal(size=each.shape).astype(np.float32) for each in y]
    zeros = [np.zeros_like(each) for each in d]
    for own, padded in (([d[0], None], [d[0], zeros[1]]), ([None, d[1]], [zeros[0], d[1]])):
        found, wanted = layer.backward(cache, own), layer.backward(cache, padded)
        for a, b in zip([*found[0], *found[1]], [*wanted[0], *wanted[1]], strict=True):
            np.testing.assert_allclose(0 if a is None else a, b, rtol=1e-5, atol=1e-6)


def test_values_stand_for_keys_that_are_not_given() -> None:
    layer = layers.MultiHeadAttention(2, 3)
    layer(QUERY, KEY)
    with_weights(layer)
    np.testing.assert_array_equal(layer(QUERY, KEY), layer(QUERY, KEY, KEY))
    np.testing.assert_array_equal(layer(query=QUERY, value=KEY), layer(QUERY, key=KEY, value=KEY))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_masks_may_be_given(which: int) -> None:
    """The mask of the queries too, which Keras 3.15.1 forgets."""
    layer, name = made("plain"), ("query_mask", "value_mask", "key_mask")[which]
    mask = MASKS[which]
    seen = mask[:, :, np.newaxis] if which == 0 else mask[:, np.newaxis]
    want = layer(*INPUTS, attention_mask=np.broadcast_to(seen, (3, 4, 6)))
    np.testing.assert_array_equal(layer(*INPUTS, **{name: mask}), want)
    if which:
        other = [each.copy() for each in INPUTS]
        other[which][~mask] = 9.0
        np.testing.assert_allclose(layer(*other, **{name: mask}), want, rtol=1e-5, atol=1e-6)


def test_masks_of_several_dimensions_are_those_of_their_own() -> None:
    """Of steps in steps, attended over the inner ones: as each outer step alone."""
    layer = layers.MultiHeadAttention(2, 3, attention_axes=2)
    x = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
    mask = RNG.random((2, 3, 4)) < 0.6
    layer(x, x)
    with_weights(layer)
    flat = layers.MultiHeadAttention(2, 3)
    flat(x[:, 0], x[:, 0])
    flat.set_weights(layer.get_weights())
    y, scores = layer(x, x, value_mask=mask, use_causal_mask=True, return_attention_scores=True)
    assert scores.shape == (2, 3, 2, 4, 4)
    for step in range(3):
        own = x[:, step]
        want = flat(
            own,
            own,
            value_mask=mask[:, step],
            use_causal_mask=True,
            return_attention_scores=True,
        )
        np.testing.assert_allclose(y[:, step], want[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(scores[:, step], want[1], rtol=1e-5, atol=1e-6)


def test_dropout_is_of_training_alone() -> None:
    arguments: dict[str, Any] = {"dropout": 0.5, "seed": 3}
    layer = layers.MultiHeadAttention(2, 3, **arguments)
    want = layer(*INPUTS)
    with_weights(layer)
    want = layer(*INPUTS)
    result, scores = layer(*INPUTS, training=True, return_attention_scores=True)
    assert not np.allclose(result, want)
    np.testing.assert_array_equal(layer(*INPUTS, return_attention_scores=True)[1], scores)
    again = layers.MultiHeadAttention(2, 3, **arguments)
    again(*INPUTS)
    with_weights(again)
    np.testing.assert_array_equal(again(*INPUTS, training=True), result)


def test_a_gradient_goes_back_through_the_drawn_mask() -> None:
    layer = layers.MultiHeadAttention(2, 3, dropout=0.4, seed=8)
    layer(*INPUTS)
    with_weights(layer)
    inputs = [each.copy() for each in INPUTS]
    state = layer.get_state()
    y, cache = layer.run(inputs, True)
    d_y = RNG.normal(size=y.shape).astype(np.float32)
    d_inputs, _ = layer.backward(cache, d_y)
    for array, gradient in zip(inputs, d_inputs, strict=True):
        for place in list(np.ndindex(array.shape))[::9]:
            kept, ends = array[place], []
            for step in (4e-3, -4e-3):
                layer.set_state(state)
                array[place] = kept + np.float32(step)
                ends.append(float(np.sum(layer.run(inputs, True)[0] * d_y.astype(float))))
            array[place] = kept
            want = (ends[0] - ends[1]) / 8e-3
            assert gradient[place] == pytest.approx(want, rel=3e-2, abs=8e-3)


# ----------------------------------------------------------------------------------- in models


def transformer(library: Any, seed: int = 0) -> Any:
    """Encoder and decoder with masks: attention to itself, causal, and to the encoder."""
    k = library.layers
    source, target = library.Input((6,), name="source"), library.Input((4,), name="target")
    table = k.Embedding(9, 8, mask_zero=True)
    encoded, decoded = table(source), k.Embedding(7, 8, mask_zero=True)(target)
    attended = k.MultiHeadAttention(2, 3, name="self")(encoded, encoded)
    encoded = k.LayerNormalization()(k.Add()([encoded, attended]))
    decoded = k.MultiHeadAttention(2, 3)(decoded, decoded, use_causal_mask=True)
    decoded = k.MultiHeadAttention(2, 4, use_gate=True)(decoded, value=encoded, key=encoded)
    model = library.Model([source, target], k.Dense(7, activation="softmax")(k.GRU(5)(decoded)))
    return with_weights(model, seed)


def tokens(n: int = 16) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(4)
    x = [rng.integers(1, 9, (n, 6)), rng.integers(1, 7, (n, 4))]
    for each in x:  # padding behind
        lengths = rng.integers(1, each.shape[1] + 1, n)
        each[np.arange(each.shape[1]) >= lengths[:, np.newaxis]] = 0
    return x, rng.integers(0, 7, n)


@WRITES
def test_a_transformer_trains_as_in_keras_and_its_files_travel(
    keras: ModuleType, tmp_path: Path
) -> None:
    x, y = tokens()
    theirs, ours = transformer(keras), transformer(fastrnn)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert paths(ours)[:9] == paths(theirs)[:9]
    losses = []
    for model in (theirs, ours):
        model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
        fitted = model.fit(x, y, epochs=5, batch_size=8, shuffle=False, verbose=0)
        losses.append(fitted.history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    want = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x, verbose=0), want, rtol=1e-3, atol=1e-5)
    for suffix in (".keras", ".h5"):
        theirs.save(tmp_path / f"theirs{suffix}")
        ours.save(tmp_path / f"ours{suffix}")
        for loaded in (
            models.load_model(tmp_path / f"theirs{suffix}"),
            keras.models.load_model(tmp_path / f"ours{suffix}"),
        ):
            np.testing.assert_allclose(loaded.predict(x, verbose=0), want, rtol=1e-3, atol=1e-5)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.save_weights(tmp_path / "ours.weights.h5")
    for library, file in ((fastrnn, "theirs"), (keras, "ours")):
        loaded = transformer(library, seed=2)
        loaded.load_weights(tmp_path / f"{file}.weights.h5")
        np.testing.assert_allclose(loaded.predict(x, verbose=0), want, rtol=1e-3, atol=1e-5)
    for converted in (fastrnn.from_keras(theirs), fastrnn.to_keras(ours)):
        np.testing.assert_allclose(converted.predict(x, verbose=0), want, rtol=1e-3, atol=1e-5)


def test_copies_of_a_transformer_predict_the_same(tmp_path: Path) -> None:
    x, _ = tokens()
    model = transformer(fastrnn)
    want = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    clone = models.clone_model(model)
    from_json = models.model_from_json(model.to_json())
    for each in (clone, from_json):
        assert [w.shape for w in each.weights] == [w.shape for w in model.weights]
        each.set_weights(model.get_weights())
    copies = [
        models.load_model(tmp_path / "model.keras"),
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
        clone,
        from_json,
    ]
    for each in copies:
        np.testing.assert_array_equal(each.predict(x, verbose=0), want)


def scored(library: Any) -> Any:
    """Both outputs of the call are read, one by the loss and one by a layer too.

    There are as many steps as queries: Keras 3.15.1 takes the scores to be square.
    """
    query, value = library.Input((4, 5)), library.Input((4, 3))
    seen = library.layers.MultiHeadAttention(2, 3)
    y, scores = seen(query, value, return_attention_scores=True)
    flat = library.layers.Flatten()(scores)
    last = library.layers.Concatenate()([library.layers.GRU(3)(y), library.layers.Dense(2)(flat)])
    model = library.Model([query, value], [last, scores])
    return with_weights(model)


@WRITES
def test_scores_in_a_graph_train_as_in_keras(keras: ModuleType, tmp_path: Path) -> None:
    x = [QUERY, RNG.normal(size=(3, 4, 3)).astype(np.float32)]
    y = [RNG.normal(size=(3, 5)), RNG.normal(size=(3, 2, 4, 4))]
    theirs, ours = scored(keras), scored(fastrnn)
    assert ours.output_shape == [(None, 5), (None, 2, 4, 4)]
    for model in (theirs, ours):
        model.compile(loss=["mse", "mse"], optimizer="sgd")
        model.fit(x, y, epochs=4, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    want = ours.predict(x, verbose=0)
    for loaded in (
        keras.models.load_model(tmp_path / "ours.keras"),
        models.load_model(tmp_path / "theirs.keras"),
    ):
        for a, b in zip(loaded.predict(x, verbose=0), want, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("penalty", ["activity_regularizer", "kernel_regularizer"])
def test_penalties_are_keras_s(keras: ModuleType, penalty: str) -> None:
    """The first on the output of each projection, the gate's too."""
    trained = []
    x = [QUERY, KEY]
    for library in (keras, fastrnn):
        inputs = [library.Input(each.shape[1:]) for each in x]
        options = {penalty: "l2", "use_gate": True, "value_dim": 4}
        seen = library.layers.MultiHeadAttention(2, 3, **options)(*inputs)
        model = with_weights(library.Model(inputs, seen))
        model.compile(loss="mse", optimizer="sgd")
        fitted = model.fit(x, np.ones((3, 4, 5)), epochs=3, shuffle=False, verbose=0)
        trained.append((fitted.history["loss"], model.get_weights()))
    np.testing.assert_allclose(trained[1][0], trained[0][0], rtol=1e-5)
    for a, b in zip(trained[1][1], trained[0][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@WRITES
def test_a_symbolic_attention_mask_trains_as_in_keras(keras: ModuleType, tmp_path: Path) -> None:
    trained, x = [], [QUERY, KEY, ATTENTION_MASK.astype(np.float32)]
    for library in (keras, fastrnn):
        inputs = [library.Input(each.shape[1:]) for each in x]
        seen = library.layers.MultiHeadAttention(2, 3)(*inputs[:2], attention_mask=inputs[2])
        model = with_weights(library.Model(inputs, seen))
        model.compile(loss="mse", optimizer="sgd")
        model.fit(x, np.ones((3, 4, 5)), epochs=3, shuffle=False, verbose=0)
        trained.append(model)
    for a, b in zip(trained[1].get_weights(), trained[0].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    trained[0].save(tmp_path / "theirs.keras")
    loaded = models.load_model(tmp_path / "theirs.keras")
    want = trained[0].predict(x, verbose=0)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), want, rtol=1e-4, atol=1e-5)


def test_an_attention_mask_of_a_graph_may_be_an_array(tmp_path: Path) -> None:
    query, value = fastrnn.Input((4, 5)), fastrnn.Input((6, 7))
    layer = layers.MultiHeadAttention(2, 3)
    model = with_weights(
        fastrnn.Model([query, value], layer(query, value, attention_mask=ATTENTION_MASK[0]))
    )
    want = layer(QUERY, KEY, attention_mask=ATTENTION_MASK[0])
    model.save(tmp_path / "model.keras")
    for each in (model, models.load_model(tmp_path / "model.keras")):
        np.testing.assert_array_equal(each.predict([QUERY, KEY], verbose=0), want)


class Block(layers.Layer):
    """A layer of a user's around the attention."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(2, 3, name="inside")
        self.dense = layers.Dense(5, activation="tanh")

    def call(self, inputs: Any, training: bool = False) -> Any:
        seen, scores = self.attention(
            inputs, inputs, use_causal_mask=True, return_attention_scores=True, training=training
        )
        return self.dense(inputs + seen) * (1.0 + fastrnn.ops.mean(scores))


def test_gradients_inside_a_layer_of_a_user() -> None:
    x = QUERY.copy()
    block = Block()
    block(x)
    with_weights(block)
    y, cache = block.run(x, False)
    d_y = RNG.normal(size=y.shape).astype(np.float32)
    d_x, d_weights = block.backward(cache, d_y)
    assert len(d_weights) == len(block.weights) == 10
    arrays = [x, *(weight.value for weight in block.weights)]
    for array, gradient in zip(arrays, [d_x, *d_weights], strict=True):
        for place in list(np.ndindex(array.shape))[:: max(1, array.size // 3)]:
            kept, ends = array[place], []
            for step in (4e-3, -4e-3):
                array[place] = kept + np.float32(step)
                ends.append(float(np.sum(block.infer(x) * d_y.astype(float))))
            array[place] = kept
            want = (ends[0] - ends[1]) / 8e-3
            assert gradient[place] == pytest.approx(want, rel=3e-2, abs=8e-3)


def block_of(library: Any) -> Any:
    """A layer with a residual path and two attentions, which see the masks that Keras's see."""

    class Twice(library.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.supports_masking = True
            self.first = library.layers.MultiHeadAttention(2, 3)
            self.second = library.layers.MultiHeadAttention(1, 2)
            self.sum = library.layers.Add()

        def build(self, shape: Any) -> None:
            self.first.build(shape, shape)
            self.second.build(shape, shape)
            self.built = True

        def call(self, inputs: Any) -> Any:
            return self.second(self.sum([inputs, self.first(inputs, inputs)]), inputs)

    x = library.Input((6,))
    seen = Twice()(library.layers.Embedding(9, 4, mask_zero=True)(x))
    return with_weights(library.Model(x, library.layers.GRU(3)(seen)))


def test_masks_inside_a_layer_of_a_user_are_keras_s(keras: ModuleType) -> None:
    x = tokens()[0][0]
    theirs, ours = block_of(keras), block_of(fastrnn)
    want = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x, verbose=0), want, rtol=1e-4, atol=1e-5)
    for model in (theirs, ours):
        model.compile(loss="mse", optimizer="sgd")
        model.fit(x, np.ones((16, 3)), epochs=3, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_a_penalty_that_would_not_be_counted_is_refused() -> None:
    block = Block()
    block.attention = layers.MultiHeadAttention(2, 3, activity_regularizer="l2")
    with pytest.raises(ValueError, match="cannot be called inside the `call` of another layer"):
        block(QUERY)


def test_frozen_is_frozen() -> None:
    x = fastrnn.Input((4, 5))
    layer = layers.MultiHeadAttention(2, 3, trainable=False)
    model = with_weights(fastrnn.Model(x, layers.GRU(2)(layer(x, x))))
    assert len(model.trainable_weights) == 3
    assert len(layer.weights) == 8
    before = layer.get_weights()
    model.compile(loss="mse", optimizer="sgd")
    model.fit(QUERY, np.ones((3, 2)), verbose=0)
    for a, b in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    layer.trainable = True
    assert len(model.trainable_weights) == 11


def test_the_first_kernels_vary_as_keras_s(keras: ModuleType) -> None:
    """By the size of what is summed over, and not by Keras's rule for convolutions."""
    x, deviations = np.zeros((1, 2, 50), np.float32), []
    for library in (keras, fastrnn):
        layer = library.layers.MultiHeadAttention(8, 30)
        layer(x, x)
        kernels = [np.asarray(w) for w in layer.get_weights() if np.ndim(w) == 3]
        deviations.append([np.std(kernel) for kernel in kernels])
        assert not np.array_equal(kernels[0], kernels[1])
    np.testing.assert_allclose(deviations[1], deviations[0], rtol=0.05)


def test_an_empty_batch_gives_an_empty_result() -> None:
    layer = layers.MultiHeadAttention(2, 3)
    y, scores = layer(QUERY[:0], KEY[:0], return_attention_scores=True)
    assert y.shape == (0, 4, 5)
    assert scores.shape == (0, 2, 4, 6)


def test_shapes_are_known_before_the_call() -> None:
    layer = layers.MultiHeadAttention(2, 3, output_shape=(4, 2))
    assert layer.compute_output_shape((None, 4, 5), (None, 6, 7)) == (None, 4, 4, 2)
    layer.build((None, 4, 5), (None, 6, 7), (None, 6, 3))
    assert [w.shape for w in layer.weights][2] == (3, 2, 3)
    assert layer.get_config()["attention_axes"] == (1,)


# ---------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_heads": 0}, "`num_heads` must be a positive integer"),
        ({"key_dim": 2.5}, "`key_dim` must be a positive integer"),
        ({"value_dim": -1}, "`value_dim` must be a positive integer"),
        ({"dropout": 1.5}, "`dropout` must be a number between 0 and 1"),
        ({"sliding_window": 0}, "`sliding_window` must be a positive integer"),
        ({"output_shape": (3, 0)}, "`output_shape` must hold positive integers"),
        ({"output_shape": "3"}, "`output_shape` must be an integer, a list of them, or None"),
        ({"attention_axes": 1.0}, "`attention_axes` must be an integer, a list of them, or None"),
        ({"flash_attention": True}, "`flash_attention` of MultiHeadAttention is not supported"),
        ({"units": 3}, "units"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.MultiHeadAttention(**{"num_heads": 2, "key_dim": 3, **arguments})


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        ([QUERY, KEY[:, :5], KEY], {}, "must have equal shapes but for the last size"),
        ([QUERY, KEY[:2]], {}, "equal sizes in each dimension that is not attended over"),
        ([QUERY, KEY[..., 0]], {}, "must have as many dimensions"),
        ([QUERY, KEY[:, :0]], {}, "must have at least one step"),
        ([QUERY, KEY], {"value_mask": MASKS[0]}, r"`value_mask` .* must have the shape \(3, 6\)"),
        ([QUERY, KEY], {"attention_mask": MASKS[0]}, "Masks of layer .* must broadcast"),
        ([QUERY, KEY], {"attention_mask": np.ones((1, 1, 2, 4, 6))}, "must broadcast"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    inputs: list[Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        layers.MultiHeadAttention(2, 3)(*inputs, **options)


def test_bad_axes_are_refused() -> None:
    x = np.zeros((2, 3, 4, 5), np.float32)
    for axes in (0, 3, (1, 1), (1, 5)):
        with pytest.raises(ValueError, match="`attention_axes` of layer"):
            layers.MultiHeadAttention(2, 3, attention_axes=axes)(x, x)
    with pytest.raises(ValueError, match="need one dimension that is attended over"):
        layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)


def test_other_features_than_those_of_the_weights_are_refused() -> None:
    layer = layers.MultiHeadAttention(2, 3)
    layer(QUERY, KEY)
    with pytest.raises(ValueError, match="The 'query' of an attention must have"):
        layer(KEY, KEY)


def test_arrays_beside_symbolic_tensors_are_refused() -> None:
    with pytest.raises(ValueError, match="must be symbolic where one is"):
        layers.MultiHeadAttention(2, 3)(fastrnn.Input((4, 5)), KEY)
    with pytest.raises(TypeError, match="missing"):
        layers.MultiHeadAttention(2, 3)(QUERY)
