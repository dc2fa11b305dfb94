"""`RNN` of a cell: the layer's bits on the kernels, single steps, configs, cells of a user."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers

BATCH, STEPS, FEATURES, UNITS = 3, 4, 5, 6
CELLS: list[tuple[str, dict[str, Any]]] = [
    ("SimpleRNN", {}),
    ("LSTM", {}),
    ("GRU", {}),
    ("GRU", {"reset_after": False}),
]
MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]], bool)


def inputs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def randomize(rng: np.random.Generator, *owners: Any) -> None:
    """Give owners of equal weights the same distinct random values."""
    values = [rng.normal(0, 0.4, w.shape) for w in owners[0].get_weights()]
    for each in owners:
        each.set_weights(values)


def cell_of(cls: str, **options: Any) -> Any:
    return getattr(layers, f"{cls}Cell")(UNITS, **options)


class Leaky(layers.Layer):
    """A cell without gates whose outputs are smaller than its state."""

    def __init__(self, size: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.state_size = size
        self.output_size = 2

    def _create_weights(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            (input_shape[-1], self.size), fastrnn.initializers.get("glorot_uniform"), "kernel"
        )

    def call(self, x: Any, states: Any = (), training: bool = False) -> Any:
        h = 0.5 * states[0] + x @ self.kernel.value + training
        return h[:, :2], [h]


class Slow(layers.LSTMCell):
    """The LSTM as a user's cell: `call` is overridden, so that the steps are taken in Python."""

    def call(self, x: Any, states: Any = (), training: bool = False) -> Any:
        return super().call(x, states, training)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(("cls", "options"), CELLS)
def test_the_bits_of_the_layer(
    rng: np.random.Generator,
    cls: str,
    options: dict[str, Any],
    return_sequences: bool,
    go_backwards: bool,
) -> None:
    of_rnn = {"return_sequences": return_sequences, "go_backwards": go_backwards}
    dropout = {"dropout": 0.3, "recurrent_dropout": 0.2, "seed": 7}
    layer = getattr(layers, cls)(UNITS, **options, **of_rnn, **dropout, return_state=True)
    rnn = layers.RNN(cell_of(cls, **options, **dropout), **of_rnn, return_state=True)
    x = inputs(rng, BATCH, STEPS, FEATURES)
    for each in (layer, rnn):
        each.build(x.shape)
    randomize(rng, layer, rnn)
    given = [inputs(rng, BATCH, UNITS) for _ in layer.state_names]
    results = []
    for each in (layer, rnn):
        y, cache = each.forward([x, *given], True, [MASK, *[None] * len(given)])
        d_x, d_weights = each.backward(cache, [np.sin(part) for part in y])
        results.append([*y, *d_x, *d_weights, *each(x, mask=MASK)])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.ptp(one) > 0


def test_the_layers_offer_their_cell() -> None:
    layer = layers.LSTM(UNITS, dropout=0.25, unit_forget_bias=False, name="low")
    layer.build((None, None, FEATURES))
    assert isinstance(layer.cell, layers.LSTMCell)
    assert layer.cell.kernel is layer.kernel is layer.weights[0]
    assert (layer.cell.dropout, layer.cell.unit_forget_bias, layer.cell.name) == (
        0.25,
        False,
        "lstm_cell",
    )
    assert [each.path for each in layer.weights] == [
        f"low/lstm_cell/{name}" for name in ("kernel", "recurrent_kernel", "bias")
    ]
    layer.trainable = False
    assert not layer.cell.trainable_weights
    frozen = layers.LSTM.from_config(layer.get_config())
    frozen.build((None, None, FEATURES))
    assert not frozen.trainable_weights
    assert not frozen.cell.trainable


@pytest.mark.parametrize(("cls", "options"), CELLS)
def test_steps_are_those_of_the_walk(
    rng: np.random.Generator, cls: str, options: dict[str, Any]
) -> None:
    rnn = layers.RNN(cell_of(cls, **options), return_sequences=True, return_state=True)
    x = inputs(rng, BATCH, STEPS, FEATURES)
    rnn.build(x.shape)
    randomize(rng, rnn)
    outputs, *last = rnn(x)
    states = rnn.cell.get_initial_state(batch_size=BATCH)
    for step in range(STEPS):
        y, states = rnn.cell(x[:, step], states)
        np.testing.assert_allclose(y, outputs[:, step], rtol=1e-5, atol=1e-6)
    for one, other in zip(states, last, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="`states` of cell"):
        rnn.cell(x[:, 0], [states[0][:, :-1]])
    with pytest.raises(ValueError, match="must have two dimensions"):
        rnn.cell(x, states)
    with pytest.raises(ValueError, match="put it into an `RNN`"):
        rnn.cell(fastrnn.Input((FEATURES,)), states)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_a_stack_is_layers_on_each_other(rng: np.random.Generator, go_backwards: bool) -> None:
    options = {"go_backwards": go_backwards}
    stack = layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], return_state=True, **options)
    x = inputs(rng, BATCH, STEPS, FEATURES)
    stack.build(x.shape)
    randomize(rng, stack)
    weights = stack.get_weights()
    lower = layers.LSTM(4, return_sequences=True, return_state=True, **options)
    upper = layers.GRU(3, return_state=True)  # takes what `lower` returns, in the order of the walk
    lower.build(x.shape)
    upper.build((None, None, 4))
    lower.set_weights(weights[:3])
    upper.set_weights(weights[3:])
    mask = MASK[:, ::-1] if go_backwards else MASK
    between, h, c = lower(x, mask=MASK)
    y, top = upper(between, mask=mask)
    got, (got_h, got_c), (got_top,) = stack(x, mask=MASK)
    for one, other in ((got, y), (got_h, h), (got_c, c), (got_top, top)):
        np.testing.assert_array_equal(one, other)


def test_gradients_of_a_stack(rng: np.random.Generator) -> None:
    """Against differences: of the sequences, all weights and all initial states, with a mask."""
    stack = layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], return_state=True)
    x = inputs(rng, BATCH, STEPS, FEATURES)
    stack.build(x.shape)
    randomize(rng, stack)
    given = [inputs(rng, BATCH, size) for size in stack.state_sizes]
    factors = [inputs(rng, BATCH, size) for size in (3, *stack.state_sizes)]
    masks = [MASK, None, None, None]

    def loss() -> float:
        y, _ = stack.forward([x, *given], False, masks)
        return sum(float((a.astype(float) * b).sum()) for a, b in zip(y, factors, strict=True))

    _, cache = stack.forward([x, *given], False, masks)
    d_inputs, d_weights = stack.backward(cache, factors)
    arrays = [x, *given, *[variable.value for variable in stack.weights]]
    for array, gradient in zip(arrays, [*d_inputs, *d_weights], strict=True):
        direction = rng.normal(size=array.shape).astype("float32")
        before, sides = array.copy(), []
        for sign in (1, -1):
            array[...] = before + sign * np.float32(1e-2) * direction
            sides.append(loss())
        array[...] = before
        wanted = (sides[0] - sides[1]) / 2e-2
        assert float((gradient * direction).sum()) == pytest.approx(wanted, rel=5e-3, abs=2e-3)


def made(kind: str, **options: Any) -> Any:
    kinds = {
        "cell": lambda: layers.GRUCell(UNITS, dropout=0.2, seed=3),
        "stack": lambda: [layers.LSTMCell(4, kernel_regularizer="l2"), layers.SimpleRNNCell(UNITS)],
        "own": lambda: Leaky(),
    }
    return layers.RNN(kinds[kind](), **options)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", ["cell", "stack", "own"])
def test_configs_copies_and_clones(rng: np.random.Generator, kind: str, wrapped: bool) -> None:
    rnn = made(kind, return_sequences=True, zero_output_for_mask=True)
    layer = layers.Bidirectional(rnn) if wrapped else rnn
    model = fastrnn.Sequential([fastrnn.Input((STEPS, FEATURES)), layer])
    randomize(rng, model)
    x = inputs(rng, BATCH, STEPS, FEATURES)
    wanted = model.predict(x, verbose=0)
    assert np.ptp(wanted) > 0
    clone = fastrnn.models.clone_model(model)
    own = {"Leaky": Leaky}
    from_json = fastrnn.models.model_from_json(model.to_json(), custom_objects=own)
    for other in (clone, from_json):
        assert other.layers[-1].get_config() == layer.get_config()
        other.set_weights(model.get_weights())
    for other in (clone, from_json, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict(x, verbose=0), wanted)


def test_a_cell_of_a_user_computes_what_the_kernels_do(rng: np.random.Generator) -> None:
    """Masks, states, both directions and dropout of the loop in Python against the kernels."""
    x = inputs(rng, BATCH, STEPS, FEATURES)
    given = [inputs(rng, BATCH, UNITS) for _ in range(2)]
    for go_backwards in (False, True):
        for zeros in (False, True):
            options = {"go_backwards": go_backwards, "zero_output_for_mask": zeros}
            for all_steps in (False, True):
                fast, slow = (
                    layers.RNN(
                        cls(UNITS, dropout=0.3, recurrent_dropout=0.2, seed=5),
                        return_sequences=all_steps,
                        return_state=True,
                        **options,
                    )
                    for cls in (layers.LSTMCell, Slow)
                )
                fast.build(x.shape)
                slow.build(x.shape)
                randomize(rng, fast, slow)
                calls: list[dict[str, Any]] = [
                    {},
                    {"mask": MASK, "initial_state": given},
                    {"mask": MASK, "training": True},
                ]
                for call in calls:
                    for one, other in zip(slow(x, **call), fast(x, **call), strict=True):
                        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_any_object_can_be_a_cell(rng: np.random.Generator) -> None:
    class Sum:
        state_size = (FEATURES, 1)

        def call(self, x: np.ndarray, states: Any) -> Any:
            total, count = states
            return total / (count + 1), [total + x, count + 1]

        def get_initial_state(self, batch_size: int) -> Any:
            return [np.full((batch_size, FEATURES), 2.0), np.zeros((batch_size, 1))]

    x = inputs(rng, BATCH, STEPS, FEATURES)
    y, total, count = layers.RNN(Sum(), return_state=True)(x)
    np.testing.assert_allclose(total, 2 + x.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(y, (2 + x[:, :-1].sum(axis=1)) / STEPS, rtol=1e-5)
    assert (count == STEPS).all()
    carried = layers.RNN(Sum(), stateful=True)
    carried(x)
    carried(x)
    assert carried.states is not None
    assert (carried.states[1].numpy() == 2 * STEPS).all()


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("lstm", "must have the attributes"),
        (layers.Dense(2), "must have the attributes"),
        ([], "`cells` must be a list of cells"),
        ([layers.LSTMCell(2), layers.Dense(2)], "must have the attributes"),
    ],
)
def test_what_is_not_a_cell_is_refused(cell: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.RNN(cell)


def test_bad_states_of_a_cell_are_refused(rng: np.random.Generator) -> None:
    class Wrong:
        state_size = 3

        def call(self, x: np.ndarray, states: Any) -> Any:
            return x, [x]

    with pytest.raises(ValueError, match=r"states of the shapes \[\(3, 3\)\]"):
        layers.RNN(Wrong())(inputs(rng, BATCH, STEPS, FEATURES))
    Wrong.state_size = 0
    with pytest.raises(ValueError, match="`state_size` of a cell must be a positive integer"):
        layers.RNN(Wrong())
