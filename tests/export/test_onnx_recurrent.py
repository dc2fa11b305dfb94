"""Recurrent layers with masks and states give the same results when they are exported."""

from __future__ import annotations

from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers as L  # noqa: N812
from support.exported import chain, check, masked

CELLS = [L.SimpleRNN, L.LSTM, L.GRU]


@pytest.mark.parametrize("backwards", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("sequences", [False, True], ids=["last", "all"])
@pytest.mark.parametrize("cls", CELLS)
class TestRecurrentLayers:
    def test_without_a_mask(
        self, cls: Any, sequences: bool, backwards: bool, rng: np.random.Generator
    ) -> None:
        layer = cls(4, return_sequences=sequences, go_backwards=backwards)
        check(chain(L.Input((None, 3)), layer), rng, rng.normal(size=(4, 7, 3)))

    @pytest.mark.parametrize("zeros", [False, True])
    def test_masks_of_any_pattern(
        self,
        cls: Any,
        sequences: bool,
        backwards: bool,
        zeros: bool,
        tokens: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        options = {"return_sequences": sequences, "go_backwards": backwards}
        check(masked(cls(4, zero_output_for_mask=zeros, **options)), rng, tokens)

    @pytest.mark.parametrize("merge", ["concat", "sum", "mul", "ave"])
    def test_both_directions(
        self,
        cls: Any,
        sequences: bool,
        backwards: bool,
        merge: str,
        tokens: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        first, second = (
            cls(4, return_sequences=sequences, go_backwards=way)
            for way in (backwards, not backwards)
        )
        layer = L.Bidirectional(first, backward_layer=second, merge_mode=merge)
        check(masked(layer, L.Dense(2)), rng, tokens)


@pytest.mark.parametrize("cls", CELLS)
def test_states_go_in_and_out(cls: Any, tokens: np.ndarray, rng: np.random.Generator) -> None:
    source, target = L.Input((None,)), L.Input((None, 3))
    embedded = L.Embedding(9, 3, mask_zero=True)(source)
    last, *states = cls(4, return_state=True)(embedded)
    decoder = cls(4, return_sequences=True, return_state=True)
    outputs = decoder(target, initial_state=states)
    model = fastrnn.Model([source, target], [*outputs, last])
    check(model, rng, tokens, rng.normal(size=(5, 2, 3)))


def test_states_of_a_stack_go_to_their_cells(rng: np.random.Generator) -> None:
    x, *states = L.Input((None, 3)), L.Input((4,)), L.Input((4,)), L.Input((4,))
    stack = L.RNN([L.GRUCell(4), L.LSTMCell(4)], return_state=True, return_sequences=True)
    outputs = stack(L.Masking()(x), initial_state=[[states[0]], states[1:]])
    values = rng.normal(size=(5, 7, 3))
    values[0, :2] = values[1, 4:] = 0
    check(fastrnn.Model([x, *states], outputs), rng, values, *rng.normal(size=(3, 5, 4)))


def test_rows_without_steps_keep_their_initial_states(
    tokens: np.ndarray, rng: np.random.Generator
) -> None:
    source, first, counts = L.Input((None,)), L.Input((4,)), L.Input((None,), dtype="bool")
    embedded = L.Embedding(9, 3)(source)
    options = {"return_state": True, "return_sequences": True}
    outputs = L.GRU(4, **options)(embedded, initial_state=first, mask=counts)
    model = fastrnn.Model([source, first, counts], outputs)
    check(model, rng, tokens, rng.normal(size=(5, 4)), tokens > 0)


@pytest.mark.parametrize("layer", [
    L.GRU(4, reset_after=False),
    L.GRU(4, reset_after=False, use_bias=False),
    L.GRU(4, use_bias=False),
    L.LSTM(4, use_bias=False),
    L.RNN(L.LSTMCell(4), return_sequences=True),
    L.RNN([L.GRUCell(4), L.LSTMCell(3), L.SimpleRNNCell(2)], return_state=True),
    L.Bidirectional(L.LSTM(2, return_state=True, return_sequences=True)),
    L.Bidirectional(L.GRU(2), merge_mode=None),
], ids=lambda layer: layer.name)  # fmt: skip
def test_other_recurrent_layers(layer: Any, tokens: np.ndarray, rng: np.random.Generator) -> None:
    x = L.Input((None, 3))
    check(fastrnn.Model(x, layer(x)), rng, rng.normal(size=(4, 7, 3)))
    if getattr(layer, "merge_mode", "") is not None:
        x = L.Input((None, 3))
        check(fastrnn.Model(x, layer(L.Masking()(x))), rng, tokens[..., np.newaxis] * [1, 2, 1.5])


@pytest.mark.parametrize("name", [
    *("linear", "relu", "softsign", "softplus", "elu", "leaky_relu", "hard_sigmoid"),
    "hard_sigmoid_keras2",
])  # fmt: skip
@pytest.mark.parametrize("cls", CELLS)
def test_activations_of_cells(cls: Any, name: str, rng: np.random.Generator) -> None:
    of_gates = {} if cls is L.SimpleRNN else {"recurrent_activation": name}
    for layer in (cls(2, activation=name), cls(2, **of_gates)):
        check(chain(L.Input((3, 3)), layer), rng, rng.normal(0, 0.3, (4, 3, 3)))
