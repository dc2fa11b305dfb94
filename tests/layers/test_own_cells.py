"""Cells of a user in `RNN`: gradients, stacks, cells around cells, both directions, files."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models, ops
from fastrnn.symbolic import flatten
from support import own_cells

pytest.importorskip("autograd")

CELLS = own_cells.own_cells(fastrnn)
BATCH, STEPS, FEATURES, UNITS = 3, 4, 5, 4
MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]], bool)
STEP_OF = {
    "Peephole": own_cells.peephole_step,
    "MinimalGated": own_cells.minimal_gated_step,
}


def inputs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def randomize(rng: np.random.Generator, owner: Any) -> None:
    owner.set_weights([rng.normal(0, 0.5, w.shape) for w in owner.get_weights()])


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "options",
    [{}, {"go_backwards": True}, {"zero_output_for_mask": True}],
    ids=["forwards", "backwards", "zeros"],
)
@pytest.mark.parametrize("cls", sorted(STEP_OF))
def test_gradients_are_central_differences_in_float64(
    rng: np.random.Generator, cls: str, options: dict[str, Any], masked: bool
) -> None:
    """Of the sequences, the initial states and all weights, through outputs and last states."""
    rnn = layers.RNN(
        getattr(CELLS, cls)(UNITS), return_sequences=True, return_state=True, **options
    )
    rnn.build((BATCH, STEPS, FEATURES))
    randomize(rng, rnn)
    mask = MASK if masked else None
    x = inputs(rng, BATCH, STEPS, FEATURES)
    given = [inputs(rng, BATCH, UNITS) for _ in rnn.state_sizes]
    factors = [inputs(rng, BATCH, STEPS, UNITS), *(inputs(rng, BATCH, UNITS) for _ in given)]
    (y, *last), cache = rnn.forward([x, *given], False, [mask, *[None] * len(given)])
    d_inputs, d_weights = rnn.backward(cache, factors)
    exact = [each.astype(float) for each in (x, *given, *rnn.get_weights())]
    count = len(given)

    def loss() -> float:
        x, states, weights = exact[0], exact[1 : 1 + count], exact[1 + count :]
        outputs, last = own_cells.walk(STEP_OF[cls], x, states, weights, mask, **options)
        np.testing.assert_allclose(y, outputs, atol=0.1)
        return sum(float((a * b).sum()) for a, b in zip((outputs, *last), factors, strict=True))

    outputs, states = own_cells.walk(
        STEP_OF[cls], exact[0], exact[1 : 1 + count], exact[1 + count :], mask, **options
    )
    for one, other in zip((y, *last), (outputs, *states), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    for array, gradient in zip(exact, [*d_inputs, *d_weights], strict=True):
        assert gradient.dtype == np.float32
        wanted = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            kept, sides = array[place], []
            for sign in (1, -1):
                array[place] = kept + sign * 1e-5
                sides.append(loss())
            array[place] = kept
            wanted[place] = (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=2e-5)


def test_one_output_and_no_given_states(rng: np.random.Generator) -> None:
    """The gradient of the last output is that of a gradient that is zero at the other steps."""
    cell = CELLS.Peephole(UNITS)
    every, last = layers.RNN(cell, return_sequences=True), layers.RNN(cell)
    for steps in (STEPS, 1):
        x, d = inputs(rng, BATCH, steps, FEATURES), inputs(rng, BATCH, UNITS)
        every.build(x.shape)
        last.build(x.shape)
        d_every = np.zeros((BATCH, steps, UNITS), np.float32)
        d_every[:, -1] = d
        (y, of_last), (outputs, of_every) = last.forward(x), every.forward(x)
        np.testing.assert_array_equal(y, outputs[:, -1])
        d_x, d_weights = last.backward(of_last, d)
        wanted_x, wanted = every.backward(of_every, d_every)
        for one, other in zip([d_x, *d_weights], [wanted_x, *wanted], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
            assert np.ptp(one) > 0 or steps == 1
        none = last.backward(last.forward(x)[1], d, input_gradient=False)[0]
        assert none is None


class Slow(layers.LSTMCell):
    """An LSTM that a user changed: `call` runs in Python, and calls the kernel for its step."""

    def call(self, x: Any, states: Any = (), training: Any = None) -> Any:
        return super().call(x, states, training)


class Around(layers.Layer):
    """A cell around another that changes nothing; the other is called like a layer."""

    def __init__(self, cell: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cell = cell
        self.state_size = cell.state_size
        self.output_size = cell.output_size

    def build(self, input_shape: Any) -> None:
        self.cell.build(input_shape)

    def call(self, inputs: Any, states: Any) -> Any:
        return self.cell(inputs, states)


def test_cells_of_fastrnn_in_cells_of_a_user(rng: np.random.Generator) -> None:
    """Each form of the same computation has the gradients of the kernels over all steps."""
    dropout = {"dropout": 0.3, "recurrent_dropout": 0.2, "seed": 5}

    def lstm(cls: Any = layers.LSTMCell) -> Any:
        return cls(UNITS, **dropout)

    gru = layers.GRUCell(3, reset_after=False)
    forms = [
        layers.StackedRNNCells([lstm(), gru]),
        layers.StackedRNNCells([lstm(Slow), layers.GRUCell(3, reset_after=False)]),
        layers.StackedRNNCells([Around(lstm()), Around(layers.GRUCell(3, reset_after=False))]),
        Around(layers.StackedRNNCells([lstm(), layers.GRUCell(3, reset_after=False)])),
        Around(
            Around(
                layers.StackedRNNCells([lstm(Slow), Around(layers.GRUCell(3, reset_after=False))])
            )
        ),
    ]
    x = inputs(rng, BATCH, STEPS, FEATURES)
    values, results = None, []
    for form in forms:
        rnn = layers.RNN(form, return_sequences=True, return_state=True)
        rnn.build(x.shape)
        if values is None:
            randomize(rng, rnn)
            values = rnn.get_weights()
        rnn.set_weights(values)
        given = [
            np.cos(np.arange(BATCH * size, dtype="f").reshape(BATCH, size)) for size in (4, 4, 3)
        ]
        y, cache = rnn.forward([x, *given], True, [MASK, None, None, None])
        d_x, d_weights = rnn.backward(cache, [np.sin(part) for part in y])
        results.append([*y, *d_x, *d_weights])
    assert len(results[0]) == 4 + 4 + 6
    for other in results[1:]:
        for one, wanted in zip(other, results[0], strict=True):
            np.testing.assert_allclose(one, wanted, rtol=1e-4, atol=1e-5)
            assert np.ptp(one) > 0


def trained(model: Any, rng: np.random.Generator, epochs: int = 4) -> list[float]:
    x = inputs(rng, 8, STEPS, FEATURES)
    x[1, 2:] = x[4, :1] = 0
    y = inputs(rng, 8, *model.output_shape[1:])
    model.compile(fastrnn.optimizers.SGD(0.1), "mse")
    losses: list[float] = model.fit(
        x, y, epochs=epochs, batch_size=4, shuffle=False, verbose=0
    ).history["loss"]
    return losses


@pytest.mark.parametrize("wrapped", [False, True])
def test_files_copies_and_custom_objects(
    rng: np.random.Generator, tmp_path: Path, wrapped: bool
) -> None:
    def model() -> Any:
        rnn = layers.RNN([CELLS.Peephole(UNITS), layers.GRUCell(3), CELLS.MinimalGated(2)])
        layer = layers.Bidirectional(rnn) if wrapped else rnn
        return fastrnn.Sequential([layers.Input((STEPS, FEATURES)), layers.Masking(), layer])

    first = model()
    losses = trained(first, rng)
    assert losses[-1] < losses[0]
    x = inputs(rng, BATCH, STEPS, FEATURES)
    wanted = first.predict(x, verbose=0)
    known = {"Peephole": CELLS.Peephole, "MinimalGated": CELLS.MinimalGated}
    first.save(tmp_path / "a.keras")
    first.save(tmp_path / "a.h5")
    first.save_weights(tmp_path / "a.weights.h5")
    other = model()
    other.load_weights(tmp_path / "a.weights.h5")
    loaded = [
        models.load_model(tmp_path / name, custom_objects=known) for name in ("a.keras", "a.h5")
    ]
    with pytest.raises(ValueError, match="Peephole"):
        models.load_model(tmp_path / "a.keras")
    for each in (*loaded, other, copy.deepcopy(first)):
        np.testing.assert_array_equal(each.predict(x, verbose=0), wanted)
    clone = models.clone_model(first)
    clone.set_weights(first.get_weights())
    np.testing.assert_array_equal(clone.predict(x, verbose=0), wanted)
    again = pickle.loads(pickle.dumps(layers.RNN(layers.StackedRNNCells([Slow(3), Slow(2)]))))
    assert again(x).shape == (BATCH, 2)


def test_both_directions_add_up(rng: np.random.Generator) -> None:
    """`Bidirectional` has the gradients of one walk each way."""
    both = layers.Bidirectional(layers.RNN(CELLS.MinimalGated(UNITS), return_sequences=True))
    x = inputs(rng, BATCH, STEPS, FEATURES)
    both.build(x.shape)
    randomize(rng, both)
    y, cache = both.forward(x, False, MASK)
    d_y = inputs(rng, *y.shape)
    d_x, d_weights = both.backward(cache, d_y)
    found = []
    for layer, d in zip(both._sublayers(), (d_y[..., :UNITS], d_y[..., UNITS:]), strict=True):
        walked = layer.walk(x, False, MASK)
        found.append(layer.walk_back(walked.tape, d))
    np.testing.assert_allclose(d_x, found[0].x + found[1].x, rtol=1e-5, atol=1e-6)
    for one, other in zip(d_weights, found[0].weights + found[1].weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_layers_inside_that_only_the_first_call_builds(rng: np.random.Generator) -> None:
    class Lazy(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.state_size = 3
            self.low, self.high = layers.Dense(3), layers.Dense(3, use_bias=False)
            self.drop = layers.Dropout(0.5, seed=1)

        def call(self, inputs: Any, states: Any) -> Any:
            h = ops.tanh(self.low(self.drop(inputs)) + self.high(states[0]))
            return h, [h]

    rnn = layers.RNN(Lazy(), return_sequences=True)
    rnn.build((None, STEPS, FEATURES))
    assert [w.shape for w in rnn.weights] == [(FEATURES, 3), (3,), (3, 3)]
    x = inputs(rng, BATCH, STEPS, FEATURES)
    plain = layers.SimpleRNN(3, return_sequences=True)
    plain.build(x.shape)
    plain.set_weights([rnn.get_weights()[k] for k in (0, 2, 1)])
    np.testing.assert_allclose(rnn(x), plain(x), rtol=1e-5, atol=1e-6)
    assert not np.allclose(rnn(x, training=True), plain(x), atol=1e-2)
    assert not np.allclose(rnn.forward(x, True)[0], plain(x), atol=1e-2)
    _, cache = rnn.forward(x, False)
    d_y = inputs(rng, BATCH, STEPS, 3)
    d_x, d_weights = rnn.backward(cache, d_y)
    wanted_x, wanted = plain.backward(plain.forward(x, False)[1], d_y)
    np.testing.assert_allclose(d_x, wanted_x, rtol=1e-4, atol=1e-6)
    for one, k in zip(d_weights, (0, 2, 1), strict=True):
        np.testing.assert_allclose(one, wanted[k], rtol=1e-4, atol=1e-5)


def test_the_cell_trains_inside_a_traced_layer(rng: np.random.Generator) -> None:
    class Inside(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.rnn = layers.RNN(CELLS.Peephole(3))

        def call(self, inputs: Any) -> Any:
            return 2.0 * self.rnn(inputs)

    own = Inside()
    x = inputs(rng, BATCH, STEPS, FEATURES)
    own(x)
    y, cache = own.run(x, False)
    d_y = inputs(rng, *y.shape)
    d_x, d_weights = own.backward(cache, d_y)
    wanted_x, wanted = own.rnn.backward(own.rnn.forward(x)[1], 2 * d_y)
    for one, other in zip([d_x, *d_weights], [wanted_x, *wanted], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_states_carried_and_frozen_cells(rng: np.random.Generator) -> None:
    model = fastrnn.Sequential(
        [
            layers.Input(batch_shape=(4, STEPS, FEATURES)),
            layers.RNN(CELLS.Peephole(UNITS), stateful=True),
            layers.Dense(2),
        ]
    )
    rnn = model.layers[0]
    trained(model, rng, epochs=1)
    assert all(np.ptp(state.numpy()) > 0 for state in rnn.states)
    rnn.trainable = False
    before = rnn.get_weights()
    trained(model, rng, epochs=1)
    for one, other in zip(before, rnn.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


class Wrong:
    state_size = 3

    def __init__(self, result: Any) -> None:
        self.result = result

    def call(self, x: Any, states: Any) -> Any:
        return self.result(x)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda x: x, "must return a tuple of the output and the list of the new states"),
        (lambda x: (x, [x]), r"states of the shapes \[\(3, 3\)\]"),
        (lambda x: (x[:, :3], [x[:, :3], x[:, :3]]), r"states of the shapes \[\(3, 3\)\]"),
        (lambda x: (x[:, :3], [x[:2, :3]]), r"Received: \[\(2, 3\)\]"),
    ],
)
def test_what_a_cell_must_return(rng: np.random.Generator, result: Any, message: str) -> None:
    rnn = layers.RNN(Wrong(result))
    x = inputs(rng, BATCH, STEPS, FEATURES)
    rnn.build(x.shape)
    for call in (rnn, rnn.forward):  # without and with a trace
        with pytest.raises(ValueError, match=message):
            call(x)


def test_a_cell_that_no_trace_can_follow(rng: np.random.Generator) -> None:
    rnn = layers.RNN(Wrong(lambda x: (np.tanh(x[:, :3]), [np.array(x.tolist())[:, :3]])))
    x = inputs(rng, BATCH, STEPS, FEATURES)
    assert rnn(x).shape == (BATCH, 3)
    with pytest.raises(TypeError, match="Cell 'Wrong' cannot be differentiated"):
        rnn.forward(x)


def test_stacks_begin_with_zeros_and_say_what_has_no_config() -> None:
    class Plain:
        """A cell that is no layer and has no `get_initial_state`."""

        state_size = (2, 3)
        output_size = 2

        def call(self, x: Any, states: Any) -> Any:
            return states[0], states

    stack = layers.StackedRNNCells([layers.GRUCell(4), Plain()], trainable=False)
    assert not stack.cells[0].trainable
    shapes = [[np.shape(part) for part in flatten(each)] for each in stack.get_initial_state(5)]
    assert shapes == [[(5, 4)], [(5, 2), (5, 3)]]
    assert stack.compute_output_shape((5, 7)) == (5, 2)
    with pytest.raises(ValueError, match="All cells must be layers to have configs"):
        stack.get_config()
