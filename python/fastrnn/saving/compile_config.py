"""The arguments of `compile` as plain values and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastrnn import losses, metrics, optimizers
from fastrnn.saving.old_configs import loss_config, metric_config, optimizer_config
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.utils.custom_objects import find_custom_object, get_registered_name


def compile_config(model: CompiledModel) -> dict[str, Any] | None:
    """Return the arguments of `compile` in Keras's form, or None if it was not called."""
    if not model.compiled or model._loss_and_metrics is None:
        return None
    given = model._loss_and_metrics.arguments
    return {
        "optimizer": optimizers.serialize(model.optimizer),
        "loss": _each(given["loss"], lambda loss: _serialized(loss, losses.serialize)),
        "loss_weights": given["loss_weights"],
        **{
            name: _each(given[name], lambda metric: _serialized(metric, metrics.serialize))
            for name in ("metrics", "weighted_metrics")
        },
        "run_eagerly": False,
        "steps_per_execution": 1,
        "jit_compile": "auto",
    }


def compile_from_config(model: CompiledModel, config: Mapping[str, Any]) -> None:
    """Compile a model from the result of `compile_config`, or from Keras's.

    Raises:
        ValueError: If it names something unknown; the model then stays as it was.
    """
    model.compile(
        optimizer=optimizers.get(optimizer_config(config.get("optimizer"))),
        loss=_each(config.get("loss"), lambda loss: _found(loss_config(loss), losses.get)),
        loss_weights=config.get("loss_weights"),
        metrics=_each(config.get("metrics"), _metric),
        weighted_metrics=_each(config.get("weighted_metrics"), _metric),
    )


def _each(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Convert one item, or the items of lists and dicts in each other."""
    if isinstance(value, (list, tuple)):
        return [_each(item, convert) for item in value]
    if isinstance(value, Mapping) and "class_name" not in value:
        return {name: _each(item, convert) for name, item in value.items()}
    return None if value is None else convert(value)


def _serialized(item: Any, serialize: Callable[[Any], dict[str, Any]]) -> Any:
    if isinstance(item, (str, Mapping)):
        return item
    return serialize(item) if hasattr(item, "get_config") else get_registered_name(item)


def _found(config: Any, get: Callable[[Any], Any]) -> Any:
    """Return a name as it is (`compile` gives it its meaning), the object of a config."""
    if isinstance(config, str):
        custom = find_custom_object(config)
        return config if custom is None else custom
    return get(config)


def _metric(config: Any) -> Any:
    return _found(metric_config(config), metrics.get)
