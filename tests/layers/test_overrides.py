"""What a user's layer overrides is used in training and in prediction, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastrnn import layers, models
from fastrnn.layers.overrides import NOT_CALLED_OF_LAYERS


def doubled(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return 2 * x


@pytest.mark.parametrize("name", NOT_CALLED_OF_LAYERS)
def test_what_nothing_calls_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}` of a layer cannot be overridden"):
        type("Own", (layers.Dense,), {name: doubled})(3)


@pytest.mark.parametrize(
    ("base", "name"),
    [(layers.LSTM, "call"), (layers.LSTM, "forward"), (layers.Dense, "call")],
)
def test_half_of_a_layer_is_refused(base: type, name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}`"):
        type("Own", (base,), {name: doubled})(3)


def test_a_forward_of_ones_own_serves_both() -> None:
    class Own(layers.Layer):
        def forward(self, x: Any, training: bool = False) -> tuple[Any, Any]:
            return 3 * x, None

        def backward(self, cache: Any, d_y: Any, input_gradient: bool = True) -> tuple[Any, Any]:
            return 3 * d_y, []

    model = models.Sequential([Own()])
    model.compile("sgd", "mse")
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(model.predict(x, verbose=0), 3 * x)
    assert model.evaluate(x, 3 * x, verbose=0) == 0


@pytest.mark.parametrize("name", ["call", "forward", "train_step", "compute_loss"])
def test_models_refuse_what_they_would_not_call(name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}` of a model cannot be overridden"):
        type("Own", (models.Sequential,), {name: doubled})()
