"""Layers called on symbolic tensors: shapes, names, the record of the call, what is refused."""

from __future__ import annotations

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.symbolic import flatten, map_structure, pack


def test_a_layer_on_a_symbolic_tensor_is_built_and_returns_one() -> None:
    x = fastrnn.Input((7, 3), name="numbers")
    lstm = layers.LSTM(4, return_sequences=True)
    y = lstm(x)
    assert (x.shape, x.dtype, x.name) == ((None, 7, 3), "float32", "numbers")
    assert (y.shape, y.ndim) == ((None, 7, 4), 3)
    assert lstm.built
    assert lstm.input is x
    assert lstm.output is y


def test_states_are_outputs_and_inputs() -> None:
    encoder = layers.LSTM(4, return_state=True)
    outputs, h, c = encoder(fastrnn.Input((None, 3)))
    assert [each.shape for each in (outputs, h, c)] == [(None, 4)] * 3
    for call in (
        lambda layer, x: layer(x, initial_state=[h, c]),
        lambda layer, x: layer(x, [h, c]),
        lambda layer, x: layer([x, h, c]),
    ):
        decoder = layers.LSTM(4, return_sequences=True)
        assert call(decoder, fastrnn.Input((None, 2))).shape == (None, None, 4)
        assert decoder.input[1:] == [h, c]


@pytest.mark.parametrize("layer", [layers.LSTM(4), layers.Bidirectional(layers.GRU(4))])
def test_states_of_another_size_or_number_are_refused(layer: layers.Layer) -> None:
    x = fastrnn.Input((None, 3))
    with pytest.raises(ValueError, match=r"`initial_state` of layer .* must be 2 tensor\(s\)"):
        layer(x, initial_state=[fastrnn.Input((4,))])
    with pytest.raises(ValueError, match=r"\(None, 5\)"):
        layer(x, initial_state=[fastrnn.Input((4,)), fastrnn.Input((5,))])


def test_arrays_and_symbolic_tensors_do_not_mix() -> None:
    x = fastrnn.Input((None, 3))
    with pytest.raises(ValueError, match="must be symbolic where one is"):
        layers.GRU(4)(x, initial_state=[np.zeros((2, 4))])
    with pytest.raises(TypeError, match="has no values"):
        np.asarray(x)
    with pytest.raises(TypeError, match="has no values"):
        bool(x)


def test_a_layer_of_one_input_refuses_several() -> None:
    x = fastrnn.Input((3,))
    assert layers.Dense(2)([x]).shape == (None, 2)
    with pytest.raises(ValueError, match="takes one input"):
        layers.Dense(2)([x, x])


def test_arrays_with_states_give_what_the_keyword_gives() -> None:
    rng = np.random.default_rng(0)
    layer = layers.LSTM(3)
    x, h, c = (rng.standard_normal(shape).astype("f4") for shape in ((2, 5, 4), (2, 3), (2, 3)))
    np.testing.assert_array_equal(layer([x, h, c]), layer(x, initial_state=[h, c]))
    assert np.abs(layer([x, h, c]) - layer(x)).max() > 0.01


def test_structures() -> None:
    structure = {"b": [1, (2,)], "a": 3}
    assert flatten(structure) == [3, 1, 2]
    assert map_structure(str, structure) == {"b": ["1", ("2",)], "a": "3"}
    assert pack(structure, "xyz") == {"b": ["y", ("z",)], "a": "x"}
