"""What a call of a layer says about `training`, and masks that a call gives: as in Keras."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest

ONES = np.ones((2, 400), "f4")


def zeros(outputs: Any) -> bool:
    return bool((np.asarray(outputs) == 0).any())


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("said", [None, True, False])
def test_the_model_s_word_counts_more_than_the_call_s(
    keras: ModuleType, said: bool | None, nested: bool
) -> None:
    found = []
    for k in (keras, fastrnn):
        x = k.Input((400,))
        layer = k.layers.Dropout(0.5)
        if nested:
            layer = k.Sequential([k.layers.Input((400,)), layer])
        model = k.Model(x, layer(x, training=said))
        calls = [model(ONES), model(ONES, training=True), model(ONES, training=False)]
        found.append([zeros(each) for each in (*calls, model.predict(ONES, verbose=0))])
    assert found[0] == found[1] == [bool(said), True, False, False]


def test_a_mask_that_comes_as_an_input(keras: ModuleType) -> None:
    rng = np.random.default_rng(0)
    sequences = rng.normal(size=(3, 4, 2)).astype("f4")
    mask = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 0]], bool)
    outputs = []
    weights: list[np.ndarray] = []
    for k in (keras, fastrnn):
        x, given = k.Input((4, 2), name="x"), k.Input((4,), dtype="bool", name="given")
        start = k.layers.Dense(3)(k.layers.GlobalAveragePooling1D()(x))
        h = k.layers.GRU(3, return_sequences=True)(x, mask=given)
        model = k.Model([x, given], k.layers.GRU(3)(h, initial_state=start, mask=given))
        weights = weights or [rng.normal(size=w.shape).astype("f4") for w in model.get_weights()]
        model.set_weights(weights)
        outputs.append(model.predict([sequences, mask], verbose=0))
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-5, atol=1e-6)
    other = model.predict([sequences, ~mask], verbose=0)
    assert np.abs(other - outputs[1]).max() > 0.01
