"""What a user's layer or model overrides is used wherever Keras uses it, or refused."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models
from support import overrides

# Keras writes its variables through an interface of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")


def doubled(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return 2 * x


@pytest.mark.parametrize("base", [layers.Layer, layers.Dense, layers.LSTM, layers.Bidirectional])
def test_what_nothing_calls_of_a_layer_is_refused(base: type[layers.Layer]) -> None:
    arguments = {layers.Bidirectional: [layers.GRU(2)], layers.Layer: []}.get(base, [3])
    assert base.not_called >= {"__call__", "add_loss", "save_own_variables", "get_build_config"}
    for name in sorted(base.not_called):
        for value in (doubled, property(doubled)):
            with pytest.raises(ValueError, match=f"`{name}` of a layer cannot be overridden"):
                type("Own", (base,), {name: value})(*arguments)


def model_of(base: type[Any]) -> Any:
    if issubclass(base, models.Sequential):
        return base([layers.Input((3, 2)), layers.GRU(2)])
    x = layers.Input((3, 2))
    return base(x, layers.GRU(2)(x))


@pytest.mark.parametrize("base", [models.Sequential, models.Model])
def test_what_nothing_calls_of_a_model_is_refused(base: type[models.Model]) -> None:
    assert base.not_called >= {"__call__", "call", "make_train_function", "losses"}
    for name in sorted(base.not_called):
        with pytest.raises(ValueError, match=f"`{name}` of a model cannot be overridden"):
            model_of(type("Own", (base,), {name: doubled}))
        with pytest.raises(ValueError, match=f"a function set as `{name}` of"):
            setattr(model_of(base), name, doubled)


def test_a_mixin_in_front_counts_too() -> None:
    class Steps:
        def train_step(self, data: Any) -> dict[str, float]:
            return {"loss": 7.0}

    class Functions:
        def make_train_function(self, force: bool = False) -> None:
            """Is not called."""

    model = model_of(type("Own", (Steps, models.Sequential), {}))
    model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 3, 2)), np.ones((4, 2)), verbose=0).history
    assert history == {"loss": [7.0]}
    with pytest.raises(ValueError, match="`make_train_function` of a model"):
        model_of(type("Own", (Functions, models.Sequential), {}))


@pytest.mark.parametrize("name", ["call", "forward", "backward", "__call__", "save_own_variables"])
def test_functions_set_on_an_object_are_refused(name: str) -> None:
    layer = layers.Dense(2)
    with pytest.raises(ValueError, match=f"`{name}` of"):
        setattr(layer, name, doubled)
    layer.metrics = ["not a function"]  # an attribute of the user's own
    layer.my_function = doubled


@pytest.mark.parametrize("where", ["class", "object"])
def test_fit_does_not_validate_past_an_evaluate_of_ones_own(where: str) -> None:
    def own(*args: Any, **kwargs: Any) -> float:
        return 7.0

    in_class = {"evaluate": own} if where == "class" else {}
    model = model_of(type("Own", (models.Sequential,), in_class))
    if where == "object":
        model.evaluate = own
    model.compile("sgd", "mse")
    x, y = np.ones((4, 3, 2)), np.ones((4, 2))
    for validation in ({"validation_data": (x, y)}, {"validation_split": 0.5}):
        with pytest.raises(ValueError, match="overrides it"):
            model.fit(x, y, verbose=0, **validation)
    model.fit(x, y, verbose=0)
    assert model.evaluate(x, y) == 7.0


def test_a_sequential_hands_its_layers_to_add() -> None:
    class Named(models.Sequential):
        def add(self, layer: Any, rebuild: bool = True) -> None:
            layer.trainable = False
            super().add(layer, rebuild)

    assert Named([layers.GRU(2), layers.Dense(1)]).layers[1].trainable is False


# Overriding them has no effect on a result in Keras either: what they return is only shown, or says
# how and not what is computed.
_WITHOUT_EFFECT = {
    "compiled_metrics",
    "distribute_reduction_method",
    "distribute_strategy",
    "input_shape",
    "inputs",
    "jit_compile",
    "kernel",
    "metrics_names",
    "operations",
    "output",
    "run_eagerly",
    "variables",
}


@pytest.mark.filterwarnings("ignore:`compile:UserWarning")  # Keras's, of an overridden `compile`
@pytest.mark.parametrize("kind", overrides.BASES)
def test_what_keras_calls_is_called_or_refused_vs_keras(
    keras: ModuleType, kind: str, tmp_path: Path
) -> None:
    theirs, ours = overrides.BASES[kind](keras), overrides.BASES[kind](fastrnn)
    names = overrides.overridable(theirs) - overrides.arguments_of(theirs)
    by_keras: set[str] = set()
    overrides.lived(kind, overrides.recording(theirs, names, by_keras), keras, tmp_path)
    assert {"__call__", "call", "get_config", "metrics"} <= by_keras
    called: set[str] = set()
    allowed = names - ours.not_called - {"call", "forward"}  # these are refused elsewhere
    overrides.lived(kind, overrides.recording(ours, allowed, called), fastrnn, tmp_path)
    ignored = (by_keras & allowed) - called - _WITHOUT_EFFECT
    if issubclass(ours, models.Model):  # whose masks are those of the layers in it
        ignored -= {"supports_masking"}
    assert not ignored


def test_a_forward_without_call_is_refused() -> None:
    with pytest.raises(ValueError, match="`forward`"):
        type("Own", (layers.LSTM,), {"forward": doubled})(3)


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
