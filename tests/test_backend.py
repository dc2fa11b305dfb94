"""`fastrnn.backend` and `utils.clear_session`: the calls of `keras.backend` that scripts make."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import backend, layers, models, utils


def test_clear_session_starts_names_anew_and_leaves_models_alone() -> None:
    model = models.Sequential([layers.Input((3, 2)), layers.LSTM(2), layers.Dense(1)])
    x = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    before = model.predict(x, verbose=0)
    assert layers.LSTM(1).name != "lstm"
    for clear in (backend.clear_session, utils.clear_session):
        clear()
        assert [layers.LSTM(1).name, layers.LSTM(1).name] == ["lstm", "lstm_1"]
    utils.clear_session(free_memory=False)
    assert layers.LSTM(1).name == "lstm"
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)


@pytest.mark.parametrize("name", ["epsilon", "floatx", "image_data_format"])
def test_settings_are_the_defaults_of_keras(name: str, keras: ModuleType) -> None:
    ours = getattr(backend, name)()
    assert ours == getattr(keras.backend, name)()
    getattr(backend, f"set_{name}")(ours)


@pytest.mark.parametrize(
    ("name", "value"),
    [("epsilon", 1e-3), ("floatx", "float64"), ("image_data_format", "channels_first")],
)
def test_other_settings_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"must be .*, because .* Received: {value!r}"):
        getattr(backend, f"set_{name}")(value)


def test_operations_that_are_not_there_are_refused() -> None:
    with pytest.raises(AttributeError, match=r"has no `rnn`: see `fastrnn\.ops`"):
        _ = backend.rnn


def test_operations_have_their_older_names() -> None:
    x = np.arange(6.0, dtype="float32").reshape(2, 3)
    assert backend.permute_dimensions(x, (1, 0)).shape == (3, 2)
    assert backend.pow(x, 2).tolist() == (x**2).tolist()
    assert backend.batch_flatten(x[:, :, None]).shape == (2, 3)
    assert backend.int_shape(x) == (2, 3)
    y = np.random.default_rng(0).random((2, 3, 4)).astype("float32")
    np.testing.assert_allclose(backend.batch_dot(x, y), np.einsum("bi,bij->bj", x, y), rtol=1e-6)
    z = np.random.default_rng(1).random((2, 5, 3)).astype("float32")
    np.testing.assert_allclose(
        backend.batch_dot(z, y, axes=(2, 1)), np.einsum("bti,bij->btj", z, y), rtol=1e-6
    )
