"""What stands among the attributes of a user's layer: layers, metrics and weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastrnn.tracing import is_traced
from fastrnn.variable import Variable

# Attributes of fastrnn's own that hold no layers and no metrics of the user's.
NO_LAYERS = frozenset(
    (
        "_build_shape",
        "_graph",
        "_inbound_nodes",
        "_inference",
        "_layer_order",
        "_loss_and_metrics",
        "_probed",
        "_run",
        "_train_step",
        "_train_step_key",
        "_weights",
        "batch_input_shape",
        "history",
        "optimizer",
        "traced",
    )
)


def layers_of(owner: object) -> list[Any]:
    """Return the layers among an object's attributes, and in lists and dicts of them, in order.

    Args:
        owner: A layer of the user's.
    """
    return [each for each in _leaves_of(owner) if hasattr(each, "_inbound_nodes")]


def metrics_of(owner: object) -> list[Any]:
    """Return the metrics among an object's attributes, and in lists and dicts of them, in order.

    Args:
        owner: A layer or model of the user's.
    """
    return [
        each
        for each in _leaves_of(owner)
        if hasattr(each, "update_state") and hasattr(each, "reset_state")
    ]


def variables_of(owner: object) -> list[Variable]:
    """Return the variables among an object's attributes, and in lists and dicts of them, in order.

    Args:
        owner: A layer or model of the user's.
    """
    return [each for each in _leaves_of(owner) if isinstance(each, Variable)]


def _leaves_of(owner: object) -> list[Any]:
    """Return what a user's attributes hold, each once."""
    found: dict[int, Any] = {}
    for name, value in vars(owner).items():
        if name not in NO_LAYERS:
            for each in _leaves(value):
                found.setdefault(id(each), each)
    return list(found.values())


def all_inside(layer: Any) -> list[Any]:
    """Return a layer and all layers inside, at any depth, each once.

    Args:
        layer: The layer.
    """
    found = {id(layer): layer}
    pending = [layer]
    while pending:
        for each in pending.pop()._sublayers():
            if id(each) not in found:
                found[id(each)] = each
                pending.append(each)
    return list(found.values())


@contextmanager
def attributes_traced(layer: Any, applies: bool = True) -> Iterator[None]:
    """Put traced arrays in place of the weights that are attributes of layers of the user's.

    Functions of other libraries need that; those of `fastrnn.ops` take the weights themselves.

    Args:
        layer: The layer; those inside that are traced as well are included.
        applies: False to leave all as it is.
    """
    before: list[tuple[dict[str, Any], str, Any]] = []
    owners = [layer] if applies else []
    for owner in owners:
        owners += [each for each in owner._sublayers() if each.traced and each not in owners]
        for name, value in list(vars(owner).items()):
            if name not in ("_weights", "traced") and any(
                isinstance(each, Variable) for each in _entries(value)
            ):
                attributes = owner.__dict__
                before.append((attributes, name, value))
                attributes[name] = _standing(value)
    try:
        yield
    finally:
        for attributes, name, value in before:
            attributes[name] = value


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what lists, tuples and dicts in each other hold, in the order in which it came in."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _entries(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value
    return list(value.values()) if isinstance(value, dict) else [value]


def _standing(value: Any) -> Any:
    """Return the traced arrays that stand for weights; weights that are not traced stay."""
    if isinstance(value, Variable):
        return value.current if is_traced(value.current) else value
    if isinstance(value, dict):
        return {name: _standing(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_standing(each) for each in value)
    return value
