"""Configs of all versions of Keras, converted to the form of Keras 3."""

from __future__ import annotations

import warnings
from typing import Any

_FUNCTIONAL = ("Functional", "Model")
_FUNCTIONAL_KEYS = ("layers", "input_layers", "output_layers", "name", "trainable")

# Arguments of older optimizers that have no meaning any more.
_RETIRED_OPTIMIZER_ARGUMENTS = ("jit_compile", "is_legacy_optimizer", "schedule_decay")


def unwrapped(value: Any) -> Any:
    """Return a config without Keras's wrappers around plain values.

    A policy of dtypes becomes its name, a function its name, a tuple a tuple.

    Raises:
        ValueError: If it holds code.
    """
    if isinstance(value, (list, tuple)):
        return [unwrapped(each) for each in value]
    if not isinstance(value, dict):
        return value
    name = value.get("class_name")
    if name == "Lambda":
        value = {**value, "config": _without_code(value.get("config"))}
    if name == "__lambda__":
        raise ValueError("code from a file is never run. Received: a lambda function")
    if name == "__tuple__":
        return tuple(unwrapped(value["items"]))
    if name in ("DTypePolicy", "Policy") and isinstance(value.get("config"), dict):
        return value["config"].get("name")
    if name == "function" and isinstance(value.get("config"), str):
        return value["config"]
    return {key: unwrapped(each) for key, each in value.items()}


def _without_code(config: Any) -> Any:
    """Return the config of a Lambda layer, of whose function nothing but a name is kept."""
    if not isinstance(config, dict):
        return config
    function = config.get("function")
    if isinstance(function, dict):
        function = function.get("config") if function.get("class_name") == "function" else None
    kept = {key: each for key, each in config.items() if key in ("name", "trainable", "dtype")}
    kept |= {key: config[key] for key in ("arguments", "output_shape") if config.get(key)}
    return {**kept, "function": function if isinstance(function, str) else "<lambda>"}


def layer_config(config: Any) -> dict[str, Any]:
    """Return the config of a layer or model in the form of Keras 3.

    Args:
        config: Dict with `class_name` and `config`, after `unwrapped`.

    Raises:
        ValueError: If it is not a valid config.
    """
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ValueError(f"a layer must be a dict with a `class_name`. Received: {config!r}")
    name, own = config["class_name"], config.get("config", {})
    if name == "Sequential" and isinstance(own, list):  # Keras before 2.3
        own = {"layers": own}
    if not isinstance(own, dict):
        raise ValueError(f"`config` of {name} must be a dict. Received: {own!r}")
    if name in _FUNCTIONAL:
        name = "Functional"
        own = {key: own[key] for key in _FUNCTIONAL_KEYS if key in own}
        if missing := [key for key in _FUNCTIONAL_KEYS[:3] if key not in own]:
            raise ValueError(f"`config` of {name} must have {missing}")
    own = {key: _argument(key, value) for key, value in own.items()}
    if name in ("Functional", "Sequential"):
        own["layers"] = _layers(own.get("layers"))
    if name == "Embedding" and not own.get("sparse", False):
        own.pop("sparse", None)
    return {**config, "class_name": name, "config": own}


def is_before_keras_3(version: Any) -> bool:
    """Return whether a version of Keras, such as `"2.2.4-tf"`, is 1 or 2; None is not."""
    return isinstance(version, str) and version.partition(".")[0] in ("0", "1", "2")


def with_old_meanings(config: Any) -> Any:
    """Return a config of Keras 1 or 2 in which every name says what it said there.

    The hard sigmoid was `0.2 x + 0.5`; Keras 3 calls `x / 6 + 0.5` so. A GRU without `reset_after`,
    which came with Keras 2.1.3, applied the reset gate before the product.

    Args:
        config: Config of a layer or a model, or a part of one.
    """
    if isinstance(config, list):
        return [with_old_meanings(each) for each in config]
    if not isinstance(config, dict):
        return config
    made = {key: with_old_meanings(each) for key, each in config.items()}
    for key in ("activation", "recurrent_activation"):
        if made.get(key) == "hard_sigmoid":
            made[key] = "hard_sigmoid_keras2"
    if made.get("class_name") == "GRU" and isinstance(made.get("config"), dict):
        made["config"].setdefault("reset_after", False)
    return made


def _layers(layers: Any) -> list[dict[str, Any]]:
    if not isinstance(layers, list):
        raise ValueError(f"`layers` of a model must be a list. Received: layers={layers!r}")
    made = [layer_config(layer) for layer in layers]
    for layer in made[1:]:
        # Keras 2 wrote it in the first layer besides an InputLayer.
        layer["config"].pop("batch_input_shape", None)
    return made


def _argument(name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if name in ("layer", "backward_layer"):
        return layer_config(value)
    if name.endswith("_initializer") and isinstance(value.get("config"), dict):
        # Keras 1 and early 2 wrote the dtype of the weight here.
        kept = {key: each for key, each in value["config"].items() if key != "dtype"}
        return {**value, "config": kept}
    return value


def optimizer_config(config: Any) -> Any:
    """Return the config of an optimizer with the names of Keras 3."""
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        return config
    own = dict(config["config"])
    if "lr" in own:
        own.setdefault("learning_rate", own.pop("lr"))
    for name in _RETIRED_OPTIMIZER_ARGUMENTS:
        own.pop(name, None)
    if own.pop("decay", None):
        warnings.warn(
            "The `decay` of an old optimizer is left out, as Keras 3 does: use a schedule of "
            "`fastrnn.optimizers.schedules`, such as `InverseTimeDecay`.",
            stacklevel=2,
        )
    if own.get("epsilon", 0.0) is None:
        del own["epsilon"]
    if not own.get("use_ema"):
        own.pop("ema_overwrite_frequency", None)  # 100 in Keras 2
    return {**config, "class_name": config["class_name"].rpartition(">")[2], "config": own}


def loss_config(config: Any) -> Any:
    """Return the config of a loss with the names of Keras 3."""
    if isinstance(config, dict) and isinstance(config.get("config"), dict):
        own = {key: value for key, value in config["config"].items() if key != "fn"}  # Keras 2
        if own.get("reduction") == "auto":  # Keras 2's name of its default
            own["reduction"] = "sum_over_batch_size"
        return {**config, "config": own}
    return config


def metric_config(config: Any) -> Any:
    """Return the config of a metric with the names of Keras 3."""
    if isinstance(config, dict) and config.get("class_name") == "MeanMetricWrapper":
        own = config.get("config")
        if isinstance(own, dict) and isinstance(own.get("fn"), str):
            # What Keras 2 made of "accuracy" and the like.
            return {"class_name": own["fn"], "config": {"name": own.get("name", own["fn"])}}
    return config
