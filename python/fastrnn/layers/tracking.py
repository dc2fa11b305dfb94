"""Lists and dicts of layers that are attributes: a layer counts from when it was put in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class TrackedList(list[Any]):
    """A list that tells its owner when it has changed.

    Args:
        values: What is in it.
        changed: Called after a change.
    """

    def __init__(self, values: Any = (), changed: Callable[[], Any] | None = None) -> None:
        super().__init__(values)
        self._changed = changed

    def __reduce__(self) -> Any:
        return list, (list(self),)


class TrackedDict(dict[Any, Any]):
    """A dict that tells its owner when it has changed; the arguments are those of a list."""

    def __init__(self, values: Any = (), changed: Callable[[], Any] | None = None) -> None:
        super().__init__(values)
        self._changed = changed

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


def _telling(name: str, base: type) -> Any:
    method = getattr(base, name)

    def changing(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        if self._changed is not None:
            self._changed()
        return result

    changing.__name__ = name
    changing.__doc__ = method.__doc__
    return changing


for _name in ("append", "extend", "insert", "__setitem__", "__iadd__"):
    setattr(TrackedList, _name, _telling(_name, list))
for _name in ("__setitem__", "update", "setdefault", "__ior__"):
    setattr(TrackedDict, _name, _telling(_name, dict))


def tracked(value: Any, changed: Callable[[], Any]) -> Any:
    """Return a list or dict that tells of its changes; other values as they are.

    Args:
        value: What an attribute is set to.
        changed: Called after a change.
    """
    if type(value) is list:
        return TrackedList([tracked(each, changed) for each in value], changed)
    if type(value) is dict:
        made = {key: tracked(each, changed) for key, each in value.items()}
        return TrackedDict(made, changed)
    return value
