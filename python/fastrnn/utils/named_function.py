"""A user's functions in the configs of layers: files hold their names, never their code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastrnn.utils.custom_objects import find_custom_object


class FunctionName(str):
    """The name of a function, as files have it, that still knows the function."""

    __slots__ = ("function",)

    function: Callable[..., Any]


def function_config(function: Callable[..., Any], name: str | None = None) -> dict[str, Any]:
    """Return a function as a config holds it, in Keras's form.

    Args:
        function: The function.
        name: Its name; by default its own.
    """
    known = FunctionName(name or getattr(function, "__name__", type(function).__name__))
    known.function = function
    return {
        "module": "builtins",
        "class_name": "function",
        "config": known,
        "registered_name": "function",
    }


def function_from(given: Any, owner: str, names: Sequence[str] = ()) -> Callable[..., Any]:
    """Return the function that a constructor was given, itself or in the config of a file.

    Args:
        given: The function; or its config or name, for a function in a `custom_object_scope`.
        owner: What it belongs to, for the message.
        names: Further names by which it may be handed over.

    Raises:
        ValueError: If it was not handed over.
    """
    if callable(given):
        function: Callable[..., Any] = given
        return function
    name = given.get("config") if isinstance(given, dict) else given
    if isinstance(name, dict):  # as Keras writes a function that is registered
        name = name.get("name", name)
    if isinstance(name, FunctionName):
        return name.function
    known = [each for each in (name, *names) if isinstance(each, str)]
    for each in known:
        found = find_custom_object(each)
        if callable(found):
            return found  # type: ignore[no-any-return]
    what = name if isinstance(name, str) else "its code, which is never run"
    key = ["name", *names, *[each for each in [name] if isinstance(each, str)]][-1]
    raise ValueError(
        f"The function of {owner} must be handed over: "
        f"`load_model(..., custom_objects={{'{key}': function}})`. Received: {what}"
    )
