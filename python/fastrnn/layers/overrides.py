"""Methods that a user's class overrides, and that would not be called: they are refused."""

from __future__ import annotations

from typing import Any

NOT_CALLED_OF_LAYERS = frozenset(
    (
        "__call__",
        "add_loss",
        "build_from_config",
        "compute_dtype",
        "compute_output_spec",
        "dtype_policy",
        "get_build_config",
        "input_dtype",
        "input_spec",
        "load_assets",
        "load_own_variables",
        "metrics",
        "quantization_mode",
        "quantized_call",
        "save_assets",
        "save_own_variables",
        "stateless_call",
        "symbolic_call",
        "variable_dtype",
        "variable_serialization_spec",
    )
)
"""What Keras calls of a layer as it trains, predicts, saves or loads, and nothing does here."""

NOT_CALLED_OF_MODELS = (NOT_CALLED_OF_LAYERS - {"metrics"}) | {
    "backward",
    "compile_from_config",
    "forward",
    "get_compile_config",
    "losses",
    "make_predict_function",
    "make_test_function",
    "make_train_function",
    "stateless_compute_loss",
}
"""The same of a model."""

NOT_CALLED_OF_GRAPHS = NOT_CALLED_OF_MODELS | {"call", "compute_mask"}
"""The same of a model that is made of inputs and outputs, or a row of layers."""


def refuse_overrides(cls: type, not_called: frozenset[str]) -> None:
    """Refuse a user's class that overrides what would not be called, or called only at times.

    Prediction of a layer that has `forward` uses `call`, training `forward`. A class that overrides
    `forward` alone would do something else in prediction than in training. (One that overrides
    `call` alone is traced in both.)

    Args:
        cls: The class of the layer or model.
        not_called: Names of the methods and properties that nothing calls.

    Raises:
        ValueError: If it does so.
    """
    inherited = owner_of(cls, "call")
    for each in cls.__mro__:
        if is_of_fastrnn(each):
            return
        for name, value in vars(each).items():
            if name in not_called and is_code(value):
                raise ValueError(
                    f"{_refusal(name, not_called)} Received: class {cls.__name__}, which overrides "
                    f"`{name}`"
                )
        if "forward" in vars(each) and is_layer_of_ours(inherited):
            raise ValueError(
                f"`forward` of {inherited.__name__} cannot be overridden without `call`: "
                "prediction uses `call`, training `forward`. "
                f"Received: class {cls.__name__}, which overrides `forward` alone"
            )


def refuse_replacement(owner: object, name: str, value: Any, not_called: frozenset[str]) -> None:
    """Refuse a function that is set in place of a method of one layer or model.

    Args:
        owner: The layer or model.
        name: Name of the attribute.
        value: What it is set to.
        not_called: Names of the methods and properties that nothing calls.

    Raises:
        ValueError: If it would not be called, or called in prediction or in training alone.
    """
    if (name in not_called or name in ("backward", "call", "forward")) and callable(value):
        raise ValueError(
            f"{_refusal(name, not_called)} Received: a function set as `{name}` of {owner!r}"
        )


def is_of_fastrnn(cls: type) -> bool:
    """Return whether a class is one of fastrnn, and not of a user."""
    return cls.__module__.partition(".")[0] == "fastrnn"


def is_code(value: Any) -> bool:
    """Return whether what stands in a class is a method or a property, and no plain value."""
    return callable(value) or hasattr(type(value), "__get__")


def _refusal(name: str, not_called: frozenset[str]) -> str:
    if not_called >= NOT_CALLED_OF_MODELS:
        return (
            f"`{name}` of a model cannot be overridden: it would not be called. A `fastrnn.Model` "
            "that is not made of inputs and outputs may have a `call`, and any model a "
            "`train_step`; write what else is your own as a layer, a loss, a metric or a callback."
        )
    if name not in not_called:
        return f"`{name}` of a layer must be overridden in a class of your own, not in an object."
    return f"`{name}` of a layer cannot be overridden: it would not be called."


def owner_of(cls: type, name: str) -> type:
    """Return the class that a method comes from.

    Args:
        cls: A class that has it.
        name: Name of the method.
    """
    return next(each for each in cls.__mro__ if name in vars(each))


def is_layer_of_ours(cls: type) -> bool:
    """Return whether a class is a layer of fastrnn with computations of its own.

    Args:
        cls: The class that `call` or `forward` comes from.
    """
    return is_of_fastrnn(cls) and cls.__name__ not in ("Passes", "GraphLayer")
