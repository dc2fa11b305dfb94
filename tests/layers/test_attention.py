"""Attention, AdditiveAttention and PReLU: beside Keras, gradients, masks, in models and files."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models

RNG = np.random.default_rng(9)
QUERY = RNG.normal(size=(3, 4, 5)).astype(np.float32)
VALUE = RNG.normal(size=(3, 6, 2)).astype(np.float32)
KEY = RNG.normal(size=(3, 6, 5)).astype(np.float32)
SAME = RNG.normal(size=(3, 6, 5)).astype(np.float32)
QUERY_MASK = RNG.random((3, 4)) < 0.7
VALUE_MASK = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1], [0, 1, 0, 1, 1, 0]], bool)

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "dot": ("Attention", {}),
    "dot scaled": ("Attention", {"use_scale": True}),
    "concat": ("Attention", {"score_mode": "concat"}),
    "concat scaled": ("Attention", {"score_mode": "concat", "use_scale": True}),
    "additive": ("AdditiveAttention", {}),
    "additive without scale": ("AdditiveAttention", {"use_scale": False}),
}
INPUTS = {"keys": [QUERY, VALUE, KEY], "values are keys": [QUERY, SAME]}
MASKS: dict[str, Any] = {
    "no mask": None,
    "values": [None, VALUE_MASK],
    "both": [QUERY_MASK, VALUE_MASK],
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


def with_weights(layer: Any, inputs: list[np.ndarray]) -> Any:
    layer(inputs)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.uniform(0.5, 1.5, np.shape(w)) for w in layer.get_weights()])
    return layer


@EACH_KIND
@pytest.mark.parametrize("which", INPUTS)
@pytest.mark.parametrize("masks", MASKS)
@pytest.mark.parametrize("causal", [False, True])
def test_results_are_keras_s(
    keras: ModuleType, kind: str, which: str, masks: str, causal: bool
) -> None:
    (name, options), inputs = KINDS[kind], INPUTS[which]
    results = []
    for library in (keras, fastrnn):
        layer = with_weights(getattr(library.layers, name)(**options), inputs)
        mask = MASKS[masks]
        if mask is not None and len(inputs) == 3 and library is keras:
            mask = [*mask, None]
        arguments: dict[str, Any] = {"use_causal_mask": causal, "return_attention_scores": True}
        results.append([np.asarray(r) for r in layer(inputs, mask=mask, **arguments)])
    for ours, theirs in zip(results[1], results[0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


@EACH_KIND
@pytest.mark.parametrize("which", INPUTS)
@pytest.mark.parametrize("masks", MASKS)
def test_gradients_are_central_differences(kind: str, which: str, masks: str) -> None:
    name, options = KINDS[kind]
    inputs = [each.copy() for each in INPUTS[which]]
    layer = with_weights(getattr(layers, name)(**options), inputs)
    mask = MASKS[masks]
    y, cache = layer.run(inputs, False, mask)
    d_y = RNG.normal(size=y.shape).astype(np.float32)
    d_inputs, d_weights = layer.backward(cache, d_y)
    assert len(d_weights) == len(layer.weights)
    arrays = [*inputs, *(weight.value for weight in layer.weights)]
    for array, gradient in zip(arrays, [*d_inputs, *d_weights], strict=True):
        for place in list(np.ndindex(array.shape))[:: max(1, array.size // 6)]:
            kept, ends = array[place], []
            for step in (4e-3, -4e-3):
                array[place] = kept + np.float32(step)
                ends.append(float(np.sum(layer.infer(inputs, False, mask) * d_y.astype(float))))
            array[place] = kept
            want = (ends[0] - ends[1]) / 8e-3
            assert gradient[place] == pytest.approx(want, rel=3e-2, abs=5e-3)


def test_dropout_is_of_training_alone() -> None:
    layer = layers.Attention(dropout=0.5, seed=3)
    want = layer([QUERY, VALUE, KEY])
    result, scores = layer([QUERY, VALUE, KEY], training=True, return_attention_scores=True)
    assert not np.allclose(result, want)
    off = np.asarray(scores) == 0
    assert 0.2 < off.mean() < 0.8
    _, plain = layer([QUERY, VALUE, KEY], return_attention_scores=True)
    np.testing.assert_allclose(np.asarray(scores)[~off], 2 * np.asarray(plain)[~off], rtol=1e-5)
    again = layers.Attention(dropout=0.5, seed=3)
    np.testing.assert_array_equal(again([QUERY, VALUE, KEY], training=True), result)


def encoder_decoder(library: Any, name: str) -> Any:
    """A decoder that looks at the states of an encoder, whose padding is masked."""
    source, target = library.layers.Input((6,)), library.layers.Input((4,))
    states = library.layers.LSTM(5, return_sequences=True)(
        library.layers.Embedding(9, 4, mask_zero=True)(source)
    )
    decoded = library.layers.LSTM(5, return_sequences=True)(library.layers.Embedding(7, 4)(target))
    seen = getattr(library.layers, name)()([decoded, states])
    together = library.layers.Concatenate()([decoded, seen])
    head = library.layers.Dense(7, activation="softmax")
    return library.Model([source, target], library.layers.TimeDistributed(head)(together))


@pytest.mark.parametrize("name", ["Attention", "AdditiveAttention"])
@pytest.mark.filterwarnings("ignore:Layer 'concatenate:UserWarning")
# Keras writes its variables through an interface of NumPy 1.
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_an_encoder_decoder_trains_as_in_keras(
    keras: ModuleType, name: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    x = [rng.integers(0, 9, (16, 6)), rng.integers(0, 7, (16, 4))]
    y = rng.integers(0, 7, (16, 4))
    theirs, ours = encoder_decoder(keras, name), encoder_decoder(fastrnn, name)
    ours.set_weights(theirs.get_weights())
    losses = []
    for model in (theirs, ours):
        model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
        fitted = model.fit(x, y, epochs=4, batch_size=8, shuffle=False, verbose=0)
        losses.append(fitted.history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    theirs.save(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    want = theirs.predict(x, verbose=0)
    for model in (
        models.load_model(tmp_path / "theirs.keras"),
        keras.models.load_model(tmp_path / "ours.keras"),
    ):
        np.testing.assert_allclose(model.predict(x, verbose=0), want, rtol=1e-3, atol=1e-4)


@EACH_KIND
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_kind_trains_as_in_keras(keras: ModuleType, kind: str, optimizer: str) -> None:
    """Also where a weight is a single number."""
    name, options = KINDS[kind]
    shapes = [each.shape[1:] for each in (QUERY, VALUE, KEY)]
    trained = []
    for library in (keras, fastrnn):
        inputs = [library.layers.Input(shape) for shape in shapes]
        seen = getattr(library.layers, name)(**options)(inputs)
        model = library.Model(inputs, library.layers.GRU(3)(seen))
        rng = np.random.default_rng(5)
        model.set_weights([rng.uniform(0.2, 0.9, np.shape(w)) for w in model.get_weights()])
        before = model.get_weights()
        model.compile(loss="mse", optimizer=optimizer)
        target = np.linspace(-1, 1, 9, dtype=np.float32).reshape(3, 3)
        model.fit([QUERY, VALUE, KEY], target, epochs=5, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    for ours, theirs, first in zip(trained[1], trained[0], before, strict=True):
        assert np.shape(ours) == np.shape(theirs)
        assert not np.array_equal(ours, first)
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([QUERY, VALUE], "queries and keys of as many features"),
        ([QUERY, VALUE, SAME[:, :5]], "as many keys as values"),
        ([QUERY], r"must be called on a list \[query, value\]"),
        (QUERY, r"must be called on a list \[query, value\]"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.Attention()(inputs)


def scored(library: Any, name: str) -> Any:
    """A model whose one output is read by the loss, and whose scores go on to a layer too."""
    query, value = library.Input((4, 5)), library.Input((6,))
    values = library.layers.Embedding(9, 5, mask_zero=True)(value)
    seen, scores = getattr(library.layers, name)(use_scale=True)(
        [query, values], return_attention_scores=True
    )
    last = library.layers.Dense(2)(library.layers.Flatten()(scores))
    model = library.Model([query, value], [library.layers.GRU(3)(seen), last, scores])
    rng = np.random.default_rng(6)
    model.set_weights([rng.uniform(0.2, 0.9, np.shape(w)) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("name", ["Attention", "AdditiveAttention"])
@pytest.mark.parametrize("read", [[0, 1, 2], [0], [1]])
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
# Keras warns of layers whose output nobody reads, and that Flatten loses a mask.
@pytest.mark.filterwarnings("ignore:Gradients do not exist", "ignore:Layer 'flatten")
def test_scores_in_a_graph_train_as_in_keras(
    keras: ModuleType, name: str, read: list[int], tmp_path: Path
) -> None:
    x = [QUERY, np.array([[1, 2, 3, 0, 0, 0], [4, 5, 6, 7, 8, 1], [2, 2, 0, 3, 0, 0]])]
    shapes = [(3, 3), (3, 2), (3, 4, 6)]
    y = [np.linspace(-1, 1, int(np.prod(shapes[k]))).reshape(shapes[k]) for k in read]
    theirs, ours = scored(keras, name), scored(fastrnn, name)
    assert ours.output_shape == [(None, 3), (None, 2), (None, 4, 6)]
    trained = []
    for library, model in ((keras, theirs), (fastrnn, ours)):
        part = library.Model(model.inputs, [model.outputs[k] for k in read])
        part.compile(loss=["mse"] * len(read), optimizer="sgd")
        part.fit(x, y, epochs=4, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    for a, b in zip(*trained, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)
    theirs.save(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    want = theirs.predict(x, verbose=0)
    for loaded in (
        models.load_model(tmp_path / "theirs.keras"),
        keras.models.load_model(tmp_path / "ours.keras"),
    ):
        for a, b in zip(loaded.predict(x, verbose=0), want, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_scores_of_an_empty_batch_are_empty() -> None:
    seen, scores = layers.Attention()([QUERY[:0], SAME[:0]], return_attention_scores=True)
    assert seen.shape == (0, 4, 5)
    assert scores.shape == (0, 4, 6)


# ------------------------------------------------------------------------------------- PReLU


@pytest.mark.parametrize("axes", [None, [1], 1])
def test_prelu_trains_as_in_keras(keras: ModuleType, axes: Any) -> None:
    def made(library: Any) -> Any:
        return library.Sequential(
            [
                library.layers.Input((6, 5)),
                library.layers.PReLU(alpha_initializer="ones", shared_axes=axes),
                library.layers.GRU(3),
            ]
        )

    theirs, ours = made(keras), made(fastrnn)
    rng = np.random.default_rng(3)
    values = [rng.normal(0, 0.5, w.shape) for w in theirs.get_weights()]
    y = RNG.normal(size=(3, 3)).astype(np.float32)
    for model in (theirs, ours):
        model.set_weights(values)
        model.compile(loss="mse", optimizer="sgd")
        model.fit(SAME, y, epochs=5, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_prelu_needs_the_sizes_of_alpha() -> None:
    with pytest.raises(ValueError, match="needs the sizes of all axes"):
        layers.PReLU()(layers.Input((None, 3)))
    assert layers.PReLU(shared_axes=[1])(layers.Input((None, 3))).shape == (None, None, 3)
