"""Docstrings of subclasses that share the arguments of their base, put together when made.

What the base says about an argument stands once in the source, and `help` of every subclass shows
it.
"""

from __future__ import annotations

import inspect
import re

_TITLES = ("Args", "Call arguments", "Returns of a call", "Raises", "Example")
_SECTION = re.compile(rf"^({'|'.join(_TITLES)}):\n", re.MULTILINE)
_ARGUMENT_START = re.compile(r"^(?=    \S)", re.MULTILINE)


def complete_docstring(cls: type, *others: type) -> None:
    """Add to a class's docstring what only that of its base, or of other classes, says.

    The arguments of its constructor that it leaves out are inserted, in the order of the
    signature, and so are whole sections.

    Args:
        cls: A subclass; without a docstring of its own it is left alone.
        *others: Further classes that say what is true of it. What an earlier one says counts.

    Example:
        >>> class Base:
        ...     '''Base.
        ...
        ...     Args:
        ...         units: Size.
        ...         name: Name.
        ...     '''
        >>> class Child(Base):
        ...     '''Child.
        ...
        ...     Args:
        ...         rate: Speed.
        ...     '''
        ...     def __init__(self, units, rate): ...
        >>> complete_docstring(Child)
        >>> print(Child.__doc__)
        Child.
        <BLANKLINE>
        Args:
            units: Size.
            rate: Speed.
    """
    base = cls.__base__
    if not cls.__dict__.get("__doc__") or base is None or not base.__doc__:
        return
    summary, own = _sections(cls.__doc__)
    sections: dict[str, str] = {}
    described: dict[str, str] = {}
    for each in (*reversed(others), base):
        _, inherited = _sections(each.__doc__)
        sections |= {name: text for name, text in inherited.items() if name != "Example"}
        described |= _arguments(inherited.get("Args", ""))
    sections |= own
    described |= _arguments(own.get("Args", ""))
    sections["Args"] = "\n".join(
        described[name] for name in inspect.signature(cls).parameters if name in described
    )
    shown = [f"{name}:\n{sections[name]}" for name in _TITLES if sections.get(name)]
    cls.__doc__ = "\n\n".join([summary, *shown])


def _sections(docstring: str | None) -> tuple[str, dict[str, str]]:
    """Return what stands before the first section, and the sections' texts by their titles."""
    summary, *parts = _SECTION.split(inspect.cleandoc(docstring or ""))
    return summary.rstrip(), {
        title: text.rstrip() for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _arguments(text: str) -> dict[str, str]:
    """Return the lines about each argument by its name."""
    entries = [entry for entry in _ARGUMENT_START.split(text) if entry]
    return {entry.split(":")[0].strip(" *"): entry.rstrip() for entry in entries}
