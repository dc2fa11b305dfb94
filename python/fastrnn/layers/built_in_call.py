"""The `call` of a built-in layer, from within the `call` of a user's subclass of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from fastrnn.layers.calls import running_call
from fastrnn.layers.inside import call_inside
from fastrnn.layers.overrides import is_layer_of_ours, is_of_fastrnn, owner_of
from fastrnn.tracing import is_traced


def replaces_call(cls: type) -> bool:
    """Return whether a user's class overrides `call` of a layer that has passes of its own.

    Args:
        cls: The class of a layer.
    """
    return is_layer_of_ours(owner_of(cls, "forward")) and not is_of_fastrnn(owner_of(cls, "call"))


def reached_by_super(call: Callable[..., Any]) -> Callable[..., Any]:
    """Let `super().call(...)` run the passes of the built-in layer, as one operation of a trace.

    Args:
        call: The method `call` of a class of fastrnn.
    """

    @functools.wraps(call)
    def called(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        if self.replaces_call:
            running = running_call()
            if running is not None and running.layer is self:
                return _called_as_built_in(self, x, *args, **kwargs)
        return call(self, x, *args, **kwargs)

    return called


def _called_as_built_in(layer: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a layer of the built-in class with all that the user's layer has, and keep its state."""
    cls: Any = next(each for each in type(layer).__mro__ if is_of_fastrnn(each))
    built_in: Any = object.__new__(cls)
    variables = {id(each.current): each for each in layer.weights}
    before = {
        name: variables.get(id(value), value) if is_traced(value) else value
        for name, value in vars(layer).items()
    }
    others = {
        "traced": None,
        "replaces_call": False,
        "uses_mask": cls.uses_mask,
        "activity_regularizer": None,  # it is the user's layer that has it
    }
    vars(built_in).update(before | others)
    y = call_inside(built_in, x, args, kwargs)
    for name, value in vars(built_in).items():
        if name not in others and value is not before.get(name, before):
            vars(layer)[name] = value
    return y
