"""Bidirectional: against live Keras, against its two layers, and what it refuses."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from support.keras_twins import assert_same, assert_same_gradients, randomized
from support.pairwise import pairwise
from support.rnn_problems import make_mask

BATCH, STEPS, FEATURES, UNITS = 5, 6, 4, 3

CASES = pairwise(
    {
        "cell": ("SimpleRNN", "LSTM", "GRU"),
        "merge_mode": ("concat", "sum", "mul", "ave", None),
        "return_sequences": (False, True),
        "return_state": (False, True),
        "initial_state": (False, True),
        "mask": (None, "left", "right", "random", "one_row"),
        "backward_layer": ("like the other", "given", "given, the other goes back"),
    }
)


def inputs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def make(lib: Any, row: dict[str, Any]) -> Any:
    """A built layer of the classes of `lib`."""
    cls, how = getattr(lib, row["cell"]), row["backward_layer"]
    options = {name: row[name] for name in ("return_sequences", "return_state")}
    back = how.endswith("back")
    given = {}
    if how != "like the other":
        given["backward_layer"] = cls(
            UNITS, activation="relu", go_backwards=not back, name="other", **options
        )
    one = cls(UNITS, go_backwards=back, name="one", **options)
    layer = lib.Bidirectional(one, merge_mode=row["merge_mode"], name="both", **given)
    layer.build((None, STEPS, FEATURES))
    return layer


@pytest.mark.parametrize("row", CASES, ids=lambda row: "-".join(map(str, row.values())))
def test_calls_and_gradients(
    keras: ModuleType, rng: np.random.Generator, row: dict[str, Any]
) -> None:
    theirs, ours = make(keras.layers, row), make(layers, row)
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    randomized(rng, theirs, ours)
    x = inputs(rng, BATCH, STEPS, FEATURES)
    arguments: dict[str, Any] = {}
    if row["mask"] is not None:
        arguments["mask"] = make_mask(row["mask"], rng, BATCH, STEPS)
    if row["initial_state"]:
        count = 4 if row["cell"] == "LSTM" else 2
        arguments["initial_state"] = [inputs(rng, BATCH, UNITS) for _ in range(count)]
    assert_same(ours(x, **arguments), theirs(x, **arguments))

    # compute_output_shape of Keras mixes lists and tuples.
    shapes = ours.compute_output_shape((BATCH, STEPS, FEATURES))
    shapes = shapes if isinstance(shapes[0], tuple) else (shapes,)
    got = ours(x, **arguments)
    assert [part.shape for part in (got if isinstance(got, tuple) else (got,))] == list(shapes)

    if not row["return_state"]:
        assert_same_gradients(rng, theirs, ours, x, arguments.get("mask"))


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave"])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_on_an_embedding_it_takes_the_tokens(
    keras: ModuleType, rng: np.random.Generator, merge_mode: str, return_sequences: bool
) -> None:
    """Both directions project the tokens; the gradients of the table add up."""
    tokens = rng.integers(0, 9, (3 * BATCH, STEPS))
    pair = []
    for sequential, lib in ((keras.Sequential, keras.layers), (fastrnn.Sequential, layers)):
        both = lib.Bidirectional(
            lib.LSTM(UNITS, return_sequences=return_sequences), merge_mode=merge_mode
        )
        table = lib.Embedding(9, FEATURES, mask_zero=True)
        pair.append(sequential([table, both, lib.Dense(2, activation="tanh")]))
        pair[-1].build((None, STEPS))
    theirs, ours = pair
    randomized(rng, theirs, ours)
    y = inputs(rng, *ours.compute_output_shape(tokens.shape))
    before = ours.get_weights()
    theirs.compile(keras.optimizers.SGD(0.5), "mse")
    ours.compile(fastrnn.optimizers.SGD(0.5), "mse")
    for model in pair:
        model.fit(tokens, y, batch_size=BATCH, shuffle=False, verbose=0)
    for one, other, start in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        assert np.abs(one - start).max() > 1e-4, "the weight must have moved"
        np.testing.assert_allclose(one - start, other - start, rtol=1e-3, atol=1e-6)


def test_no_tensor_of_embedded_sequences_is_made(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fastrnn.Sequential(
        [layers.Embedding(9, 4), layers.Bidirectional(layers.GRU(3)), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    monkeypatch.setattr(fastrnn.kernels, "embedding_forward", None)
    tokens = rng.integers(0, 9, (4, 5))
    model.fit(tokens, np.ones(4), verbose=0)
    assert model.predict(tokens, verbose=0).shape == (4, 1)


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave", None])
def test_it_is_its_two_layers(rng: np.random.Generator, merge_mode: str | None) -> None:
    """The backward layer alone returns its outputs in the order of the walk."""
    both = layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True), merge_mode)
    x = inputs(rng, BATCH, STEPS, FEATURES)
    got = both(x)
    forward, backward = both.forward_layer(x), both.backward_layer(x)[:, ::-1]
    wanted = {
        "concat": np.concatenate([forward, backward], axis=2),
        "sum": forward + backward,
        "mul": forward * backward,
        "ave": (forward + backward) / 2,
        None: (forward, backward),
    }[merge_mode]
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_both_directions_are_one_call_of_the_kernels(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fastrnn.Sequential([layers.Bidirectional(layers.LSTM(UNITS)), layers.Dense(1)])
    model.compile("sgd", "mse")
    monkeypatch.setattr(fastrnn.kernels, "rnn_forward", None)
    monkeypatch.setattr(fastrnn.kernels, "rnn_backward", None)
    x = inputs(rng, BATCH, STEPS, FEATURES)
    model.fit(x, np.ones(BATCH), verbose=0)
    assert model.predict(x, verbose=0).shape == (BATCH, 1)


class Doubled(layers.LSTM):
    """What its walk returns is its own."""

    def walk(self, *args: Any, **options: Any) -> Any:
        walked = super().walk(*args, **options)
        return walked._replace(outputs=2 * walked.outputs)


@pytest.mark.parametrize(
    "make_layer",
    [
        lambda: layers.LSTM(UNITS),
        lambda: layers.LSTM(UNITS, stateful=True),
        lambda: layers.RNN(layers.StackedRNNCells([layers.GRUCell(UNITS), layers.LSTMCell(4)])),
        lambda: layers.LSTM(UNITS, activation=fastrnn.ops.tanh),
        lambda: Doubled(UNITS),
    ],
    ids=["kernel", "stateful", "stack of cells", "traced", "walk of its own"],
)
def test_values_and_gradients_are_those_of_its_layers(
    rng: np.random.Generator, make_layer: Any
) -> None:
    """Whether they walk side by side or one after the other."""
    both = layers.Bidirectional(make_layer())
    x = inputs(rng, BATCH, STEPS, FEATURES)
    both.build(x.shape)
    pair = both.forward_layer, both.backward_layer
    for _ in range(2):  # the second time with the states of the first, if they are kept
        start = [layer.get_state() for layer in pair]
        y, cache = both.forward(x)
        after = [layer.get_state() for layer in pair]
        for layer, state in zip(pair, start, strict=True):
            layer.reset_state()
            layer.set_state(state)
        (forward, tape), (backward, other_tape) = (layer.forward(x) for layer in pair)
        np.testing.assert_array_equal(y, np.concatenate([forward, backward], axis=1))
        np.testing.assert_equal([layer.get_state() for layer in pair], after)
        d_y, units = inputs(rng, *y.shape), forward.shape[1]
        one, d_one = pair[0].backward(tape, d_y[:, :units])
        other, d_other = pair[1].backward(other_tape, d_y[:, units:])
        d_x, d_weights = both.backward(cache, d_y)
        for d, apart in zip([d_x, *d_weights], [one + other, *d_one, *d_other], strict=True):
            np.testing.assert_array_equal(d, apart)


def test_the_given_layer_lends_its_config_but_not_its_weights() -> None:
    layer = layers.GRU(UNITS, name="mine", dropout=0.2, reset_after=False)
    layer.build((None, STEPS, FEATURES))
    both = layers.Bidirectional(layer)
    both.build((None, STEPS, FEATURES))
    assert [each.name for each in both._sublayers()] == ["forward_mine", "backward_mine"]
    assert both.forward_layer is not layer
    for each in both._sublayers():
        assert (each.dropout, each.reset_after) == (0.2, False)
        assert np.abs(each.get_weights()[0] - layer.get_weights()[0]).max() > 1e-3
    again = layers.Bidirectional(both.forward_layer)
    assert again.forward_layer.name == "forward_mine"
    assert again.backward_layer.name == "backward_forward_mine", "as in Keras"


def test_it_starts_from_given_weights(rng: np.random.Generator) -> None:
    """Keras 3 takes the argument and forgets it."""
    shapes = [(FEATURES, UNITS), (UNITS, UNITS), (UNITS,)] * 2
    weights = [inputs(rng, *shape) for shape in shapes]
    both = layers.Bidirectional(layers.SimpleRNN(UNITS), weights=weights)
    both.build((None, STEPS, FEATURES))
    for one, other in zip(both.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)
    wrong = layers.Bidirectional(layers.SimpleRNN(UNITS), weights=weights[:3])
    with pytest.raises(ValueError, match=r"list of 6 arrays.*Received: 3"):
        wrong.build((None, STEPS, FEATURES))


def test_one_direction_can_be_frozen(rng: np.random.Generator) -> None:
    both = layers.Bidirectional(layers.LSTM(UNITS))
    model = fastrnn.Sequential([layers.Dense(FEATURES), both, layers.Dense(1)])
    x = inputs(rng, BATCH, STEPS, FEATURES)
    model.build(x.shape)
    both.forward_layer.trainable = False
    before = model.get_weights()
    model.compile("sgd", "mse")
    model.fit(x, np.ones(BATCH), verbose=0)
    moved = [(w.numpy() != old).any() for w, old in zip(model.weights, before, strict=True)]
    assert moved == [True] * 2 + [False] * 3 + [True] * 3 + [True] * 2
    assert both.non_trainable_weights == both.weights[:3]
    assert both.trainable_variables == both.weights[3:]
    both.trainable = False
    assert both.trainable_weights == []


@pytest.mark.parametrize("return_sequences", [False, True])
def test_configs_go_to_keras_and_back(keras: ModuleType, return_sequences: bool) -> None:
    options = {"return_sequences": return_sequences, "dropout": 0.1, "seed": 4}
    ours = layers.Bidirectional(
        layers.LSTM(4, activation="softsign", **options),
        merge_mode="ave",
        backward_layer=layers.LSTM(4, go_backwards=True, **options),
        trainable=False,
    )
    config = ours.get_config()
    assert layers.Bidirectional.from_config(config).get_config() == config
    again = layers.deserialize(layers.serialize(ours))
    assert isinstance(again, layers.Bidirectional)
    assert again.get_config() == config
    theirs = keras.layers.Bidirectional.from_config(config)
    assert theirs.backward_layer.go_backwards
    assert theirs.forward_layer.zero_output_for_mask is return_sequences
    assert layers.Bidirectional.from_config(theirs.get_config()).get_config() == config


def test_a_model_of_keras_is_made_again(keras: ModuleType, rng: np.random.Generator) -> None:
    lib = keras.layers
    theirs = keras.Sequential(
        [
            lib.Input((STEPS,)),
            lib.Embedding(9, FEATURES, mask_zero=True),
            lib.Bidirectional(lib.LSTM(UNITS, return_sequences=True)),
            lib.GRU(4, dropout=0.2, recurrent_dropout=0.1, zero_output_for_mask=True),
        ]
    )
    ours = fastrnn.Sequential.from_config(theirs.get_config())
    randomized(rng, theirs, ours)
    tokens = rng.integers(0, 9, (BATCH, STEPS))
    assert_same(ours(tokens), theirs(tokens))
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert ours.layers[-1].recurrent_dropout == 0.1


def test_an_empty_batch_gives_an_empty_result() -> None:
    both = layers.Bidirectional(layers.LSTM(UNITS, return_state=True), merge_mode=None)
    assert [part.shape for part in both(np.zeros((0, STEPS, FEATURES)))] == [(0, UNITS)] * 6


X = np.ones((2, STEPS, FEATURES), "float32")
FORWARD = layers.GRU(UNITS)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: layers.Bidirectional(3), "`layer` must be a recurrent layer.*Received: layer=3"),
        (lambda: layers.Bidirectional(layers.Dense(3)), "`layer` must be a recurrent layer"),
        (
            lambda: layers.Bidirectional(FORWARD, backward_layer=layers.Dense(3)),
            "`backward_layer` must be a recurrent layer",
        ),
        (lambda: layers.Bidirectional(FORWARD, "add"), "Received: merge_mode='add'"),
        (
            lambda: layers.Bidirectional(FORWARD, backward_layer=layers.GRU(UNITS)),
            "different `go_backwards`.*False",
        ),
        (
            lambda: layers.Bidirectional(layers.GRU(UNITS, go_backwards=True)),
            "different `go_backwards`.*True",
        ),
        (
            lambda: layers.Bidirectional(
                FORWARD,
                backward_layer=layers.GRU(UNITS, go_backwards=True, return_sequences=True),
            ),
            "the same `return_sequences`",
        ),
        (
            lambda: layers.Bidirectional(
                FORWARD, backward_layer=layers.GRU(UNITS, go_backwards=True, return_state=True)
            ),
            "the same `return_state`",
        ),
        (
            lambda: layers.Bidirectional(
                FORWARD, "mul", backward_layer=layers.GRU(UNITS + 1, go_backwards=True)
            ),
            "the same `units`",
        ),
        (lambda: layers.Bidirectional(FORWARD)(X[0]), "three dimensions"),
        (lambda: layers.Bidirectional(FORWARD)(X, initial_state=X[:, 0, :3]), "list of 2 arrays"),
        (lambda: layers.Bidirectional(FORWARD)(X, [X[:, 0, :3]]), "2 arrays, h, h. Received: 1"),
        (lambda: layers.Bidirectional(FORWARD)(X, [X[:, 0]] * 2), r"\(2, 3\)\. Received: shape"),
        (lambda: layers.Bidirectional(FORWARD)(X, mask=X[..., 0].T), "`mask` must have shape"),
        (
            lambda: fastrnn.Sequential([layers.Bidirectional(FORWARD, merge_mode=None)])(X),
            "must have one output",
        ),
    ],
)
def test_bad_arguments(use: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        use()
