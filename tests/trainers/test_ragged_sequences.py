"""Lists of sequences of differing lengths: what padding with a mask gives, without the padding."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.callbacks import Callback
from fastrnn.models import Sequential
from fastrnn.trainers.data import Ragged, RaggedFeed
from fastrnn.utils import pad_sequences
from support.trainer_twins import assert_same_logs, assert_same_weights, compiled_twins

VOCABULARY, FEATURES = 9, 3
LENGTHS = (3, 1, 5, 2, 2, 4, 1, 6, 3)

MODELS: dict[str, Callable[[Any], list[Any]]] = {
    "SimpleRNN": lambda lib: [lib.SimpleRNN(4), lib.Dense(1)],
    "LSTM twice": lambda lib: [lib.LSTM(3, return_sequences=True), lib.LSTM(3), lib.Dense(1)],
    "both directions": lambda lib: [lib.Bidirectional(lib.GRU(3)), lib.Dense(1)],
    "pooling": lambda lib: [lib.Dense(4), lib.GlobalAveragePooling1D(), lib.Dense(1)],
}


def tokens(rng: np.random.Generator, lowest: int = 1) -> list[list[int]]:
    return [rng.integers(lowest, VOCABULARY, length).tolist() for length in LENGTHS]


def vectors(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=(length, FEATURES)) for length in LENGTHS]


@pytest.mark.parametrize("kind", MODELS)
def test_tokens_are_padded_and_masked(
    keras: ModuleType, rng: np.random.Generator, kind: str
) -> None:
    """Keras gets the padded tokens, with 0 as padding."""

    def make(library: Any) -> list[Any]:
        lib = library.layers
        return [lib.Embedding(VOCABULARY, FEATURES, mask_zero=True), *MODELS[kind](lib)]

    arguments = {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mae"]}
    theirs, ours = compiled_twins(keras, rng, make, (None, None), **arguments)
    x, y, weight = tokens(rng), rng.normal(size=9), rng.uniform(0.2, 3, 9)
    padded = pad_sequences(x)
    fitted: dict[str, Any] = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
    fitted |= {"sample_weight": weight, "validation_split": 0.3}
    wanted, got = theirs.fit(padded, y, **fitted), ours.fit(x, y, **fitted)
    assert_same_logs(got.history, wanted.history)
    assert_same_weights(theirs, ours)
    arguments = {"batch_size": 2, "verbose": 0, "return_dict": True}
    assert_same_logs(ours.evaluate(x, y, **arguments), theirs.evaluate(padded, y, **arguments))
    np.testing.assert_allclose(
        ours.predict(x, verbose=0), theirs.predict(padded, verbose=0), rtol=1e-4, atol=1e-5
    )
    as_objects = np.array(x, dtype=object)
    np.testing.assert_array_equal(ours.predict(as_objects, verbose=0), ours.predict(x, verbose=0))


def test_every_step_of_vectors(keras: ModuleType, rng: np.random.Generator) -> None:
    """Keras finds the padding, zeros, by a Masking layer."""

    def make(library: Any) -> list[Any]:
        lib = library.layers
        masking = [] if library is fastrnn else [lib.Masking()]
        return [*masking, lib.GRU(4, return_sequences=True), lib.Dense(2)]

    arguments = {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mae"]}
    theirs, ours = compiled_twins(keras, rng, make, (None, None, FEATURES), **arguments)
    x = vectors(rng)
    y = [rng.normal(size=(length, 2)) for length in LENGTHS]
    weight = [rng.uniform(0.2, 3, length) for length in LENGTHS]
    padded = [pad_sequences(each, dtype="float32") for each in (x, y, weight)]
    fitted: dict[str, Any] = {"batch_size": 9, "epochs": 2, "shuffle": False, "verbose": 0}
    wanted = theirs.fit(*padded[:2], sample_weight=padded[2], **fitted)
    got = ours.fit(x, y, sample_weight=weight, **fitted)
    assert_same_logs(got.history, wanted.history)
    assert_same_weights(theirs, ours)
    outputs = ours.predict(x, batch_size=2, verbose=0)
    assert isinstance(outputs, list)
    wanted_outputs = theirs.predict(padded[0], verbose=0)
    for length, one, other in zip(LENGTHS, outputs, wanted_outputs, strict=True):
        assert one.shape == (length, 2)
        np.testing.assert_allclose(one, other[-length:], rtol=1e-4, atol=1e-5)
    by_sample = rng.uniform(0.2, 3, len(x))
    repeated = [np.full(length, each) for length, each in zip(LENGTHS, by_sample, strict=True)]
    assert ours.evaluate(x, y, sample_weight=by_sample, verbose=0) == ours.evaluate(
        x, y, sample_weight=repeated, verbose=0
    )


@pytest.mark.parametrize("cell", [layers.SimpleRNN, layers.LSTM, layers.GRU])
def test_a_sequence_is_itself_in_any_company(
    rng: np.random.Generator, cell: type[layers.Layer]
) -> None:
    """A token 0 is a word where no `mask_zero` says otherwise: the mask is that of the padding."""
    x = tokens(rng, lowest=0)
    model = Sequential([layers.Embedding(VOCABULARY, 3), cell(4), layers.Dense(2)])
    together = model.predict(x, verbose=0)
    assert model.input_shape == (None, None)
    for row, sequence in enumerate(x):
        np.testing.assert_array_equal(together[row], model.predict([sequence], verbose=0)[0])
    for batch_size in (1, 2, 4):
        np.testing.assert_array_equal(model.predict(x, batch_size, verbose=0), together)

    seen: list[np.ndarray] = []

    class Listener(Callback):
        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(logs["outputs"])

    np.testing.assert_array_equal(model.predict(x, 4, verbose=0, callbacks=[Listener()]), together)
    np.testing.assert_array_equal(np.concatenate(seen), together)


def test_a_masking_layer_and_padding_are_joined(rng: np.random.Generator) -> None:
    x = vectors(rng)
    x[2][1] = -1.0
    model = Sequential([layers.Masking(-1.0), layers.LSTM(3)])
    together = model.predict(x, verbose=0)
    for row, sequence in enumerate(x):
        np.testing.assert_array_equal(together[row], model.predict(sequence[None], verbose=0)[0])
    skipped = np.delete(x[2], 1, axis=0)
    np.testing.assert_allclose(together[2], model.predict(skipped[None], verbose=0)[0], rtol=1e-6)


def test_shuffled_batches_hold_every_sequence_once_and_like_lengths() -> None:
    fastrnn.random.set_random_seed(2)
    lengths = np.random.default_rng(0).integers(0, 50, 1000)
    x = Ragged(np.arange(lengths.sum()).astype("int32"), lengths)
    feed = RaggedFeed(x, np.arange(1000.0), None, 10, shuffle=True)
    epochs = [list(feed) for _ in range(2)]
    padding = []
    for epoch in epochs:
        assert len(epoch) == feed.steps
        order = np.concatenate([batch.y[0] for batch in epoch])
        assert sorted(order) == list(range(1000))
        assert (order != np.arange(1000)).any()
        for batch in epoch:
            mask = np.ones(batch.x[0].shape, bool) if batch.mask is None else batch.mask[0]
            assert batch.mask is None or mask.any(axis=1).sum() >= (lengths > 0).sum() - 990
            rows = batch.y[0].astype(int)
            np.testing.assert_array_equal(mask.sum(axis=1), lengths[rows])
            for row, values, kept in zip(rows, batch.x[0], mask, strict=True):
                np.testing.assert_array_equal(values[kept], x[row : row + 1].values)
            padding.append(1 - mask.mean())
    assert np.mean(padding) < 0.1, "half of it would be padding"
    firsts = [[batch.y[0][0] for batch in epoch] for epoch in epochs]
    assert firsts[0] != firsts[1]
    assert [batch.x[0].shape[1] for batch in epochs[0]] != sorted(
        batch.x[0].shape[1] for batch in epochs[0]
    ), "short batches do not come first"


def test_training_on_shuffled_sequences_repeats_and_learns(rng: np.random.Generator) -> None:
    x = tokens(rng) * 10
    y = [float(sequence[-1] > 4) for sequence in x]

    def train() -> tuple[list[np.ndarray], list[float]]:
        fastrnn.random.set_random_seed(7)
        model = Sequential(
            [layers.Embedding(VOCABULARY, 4), layers.GRU(6), layers.Dense(1, activation="sigmoid")]
        )
        model.compile(fastrnn.optimizers.Adam(0.02), "binary_crossentropy")
        history = model.fit(x, y, batch_size=8, epochs=8, validation_data=(x, y), verbose=0)
        return model.get_weights(), history.history["val_loss"]

    (one, losses), (other, _) = train(), train()
    assert losses[-1] < 0.5 * losses[0]
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


def test_batches_of_a_generator_may_be_ragged(rng: np.random.Generator) -> None:
    x, y = tokens(rng), rng.normal(size=9)
    histories = []
    for data in (((x[i : i + 3], y[i : i + 3]) for i in (0, 3, 6)), x):
        fastrnn.random.set_random_seed(1)
        model = Sequential([layers.Embedding(VOCABULARY, 4), layers.GRU(6), layers.Dense(1)])
        model.compile("sgd", "mse")
        beside = {"y": y, "batch_size": 3, "shuffle": False} if data is x else {}
        histories.append(model.fit(data, verbose=0, **beside).history["loss"])
    assert histories[0] == histories[1]
    loss = model.train_on_batch(x, y)
    assert loss == pytest.approx(model.test_on_batch(x, y), rel=0.1)


def test_empty_sequences_are_states_of_zeros() -> None:
    model = Sequential([layers.Embedding(VOCABULARY, 4), layers.GRU(3)])
    np.testing.assert_array_equal(model.predict([[], [3, 4], [5]], verbose=0)[0], np.zeros(3))


def per_step() -> Sequential:
    model = Sequential(
        [layers.Embedding(VOCABULARY, 3), layers.GRU(2, return_sequences=True), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": [1.0, 2.0]}, "`y` must be a list of sequences as long as those of `x`"),
        ({"y": np.ones((2, 2, 1))}, "`y` must be a list of sequences as long as those of `x`"),
        ({"y": [[[1.0]], [[1.0]] * 2]}, "sequences of `y` must be as long as those of `x`"),
        (
            {"y": [[[1.0]] * 2, [[1.0]]], "sample_weight": [[1.0], [1.0, 2.0]]},
            "sequences of `sample_weight` must be as long",
        ),
        (
            {"y": [[[1.0]] * 2, [[1.0]]], "sample_weight": [1.0, 2.0, 3.0]},
            r"`sample_weight` must have a weight for each of the 2 sequences",
        ),
        ({"y": [[[np.inf]] * 2, [[1.0]]]}, "finite"),
    ],
)
def test_bad_labels_of_steps(arguments: dict[str, Any], message: str) -> None:
    model = per_step()
    with pytest.raises(ValueError, match=message):
        model.fit([[1, 2], [3]], **arguments)
    assert not model.built


@pytest.mark.parametrize(
    ("x", "message"),
    [([[1, 9], [3]], "id 9"), ([[1, -1], [3]], "id -1"), ([[1, 0.5], [3]], "0.5")],
)
def test_bad_tokens(x: Any, message: str) -> None:
    model = per_step()
    with pytest.raises(ValueError, match=message):
        model.predict(x)
    assert not model.built
