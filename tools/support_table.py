"""Compares fastrnn's names and arguments with those of the installed Keras; writes docs/support.md.

    python tools/support_table.py             rewrites the tables in docs/support.md
    python tools/support_table.py --full      prints every class, function and argument instead

Names and arguments come from the two packages themselves, by `inspect`. What they cannot tell (what
is accepted without effect, refused or left out, and why) stands in `support_facts.py`.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from fastrnn.compatibility.paths import PATHS
from fastrnn.compatibility.unsupported import MODULES, REMOVED, UNSUPPORTED
from generated_text import write_between_markers
from support_facts import ARGUMENTS, CALLED_LAYERS, LEFT_OUT, METHODS_OF, NAMESPACES, Fact

SUPPORT = Path(__file__).resolve().parents[1] / "docs" / "support.md"
BEGIN = "<!-- python tools/support_table.py writes what follows -->"
BEGIN_REFUSING = "<!-- and the table of names that refuse -->"
BEGIN_PATHS = "<!-- and the table of old import paths -->"
UNLISTED = "unlisted"


class Entry(NamedTuple):
    """One name of Keras, or one argument of it.

    Attributes:
        subject: The name below `keras`, such as `layers.LSTM` or `models.Sequential.fit`.
        argument: The argument; empty for the class, function or method itself.
        status: `"supported"`, the status of a fact, or `UNLISTED`: missing here without a fact.
        fact: What `support_facts.py` says of it, or None.
        stale: Whether that fact contradicts the code.
        second_name: Whether Keras has the same class under a name that is its own.
    """

    subject: str
    argument: str
    status: str
    fact: Fact | None = None
    stale: bool = False
    second_name: bool = False


def matches(name: str, patterns: str) -> bool:
    """Tell whether one of several patterns, separated by blanks, fits a name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns.split())


def entries() -> list[Entry]:
    """Return what becomes of every name and argument of Keras in the namespaces covered."""
    return [
        entry
        for namespace in NAMESPACES
        for theirs, ours in [(_module("keras", namespace), _module("fastrnn", namespace))]
        for name in public_names(theirs)
        for entry in _of_name(f"{namespace}.{name}", theirs, ours)
    ]


def public_names(owner: Any) -> list[str]:
    """Return the classes and functions (or methods) of a module or class, without submodules."""
    kinds = (classmethod, staticmethod)
    found = {name: inspect.getattr_static(owner, name) for name in dir(owner)}
    return [
        name
        for name, each in found.items()
        if not name.startswith("_") and (callable(each) or isinstance(each, kinds))
    ]


def arguments(function: Callable[..., Any]) -> list[str]:
    """Return the names of a function's arguments, without `self`, `*args` and `**kwargs`."""
    signature = inspect.signature(function)
    if inspect.isclass(function) and not _named(signature):
        signature = inspect.signature(function.__init__)
    return [name for name in _named(signature) if name != "self"]


def _named(signature: inspect.Signature) -> list[str]:
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [name for name, each in signature.parameters.items() if each.kind not in variadic]


def _module(package: str, namespace: str) -> Any:
    try:
        return importlib.import_module(f"{package}.{namespace}")
    except ModuleNotFoundError:
        if package == "keras":
            raise
        return None


def _of_name(subject: str, their_owner: Any, our_owner: Any) -> Iterator[Entry]:
    """Yield the entry of a class, function or method, then those of its arguments."""
    name = subject.rpartition(".")[2]
    theirs = getattr(their_owner, name)
    # A module hands out more than it has: names that refuse to be used.
    ours = getattr(our_owner, name) if name in dir(our_owner) else None
    here = callable(ours)
    fact = next((fact for fact in LEFT_OUT if matches(subject, fact.subjects)), None)
    status = fact.status if fact else "supported" if here else UNLISTED
    stale = fact is not None and _contradicted(fact, here)
    first_name = theirs.__name__ if inspect.isclass(theirs) else name
    second_name = first_name != name and hasattr(their_owner, first_name)
    yield Entry(subject, "", status, fact, stale, second_name)
    if status != "supported":
        return
    yield from _of_arguments(subject, arguments(theirs), arguments(ours))
    if subject in CALLED_LAYERS:
        # A call hands its arguments on: to the check of them, then to `call` or `forward`.
        ways = (ours.__call__, ours._checked_arguments, ours.call, ours.forward)
        known = {name for way in ways for name in arguments(way)}
        # What comes first has the same place, whatever its name.
        yield from _of_arguments(f"{subject}.call", arguments(theirs.call)[1:], known)
    if subject in METHODS_OF:
        for method in public_names(theirs):
            yield from _of_name(f"{subject}.{method}", theirs, ours)


def _of_arguments(subject: str, theirs: list[str], ours: Any) -> Iterator[Entry]:
    for argument in theirs:
        fact = next(
            (
                fact
                for fact in ARGUMENTS
                if matches(subject, fact.subjects) and argument in fact.arguments.split()
            ),
            None,
        )
        missing = argument not in ours
        if fact is None:
            yield Entry(subject, argument, UNLISTED if missing else "supported")
        else:
            yield Entry(subject, argument, fact.status, fact, _contradicted(fact, not missing))


def _contradicted(fact: Fact, here: bool) -> bool:
    return fact.status != "out of scope" and here == (fact.status in ("left out", "refusing"))


def table(found: list[Entry]) -> str:
    """Return the tables in Markdown: what there is, and where arguments differ."""
    lines = ["| Keras's | here | not here |", "|---|---|---|"]
    for owner in ("models.Sequential", *NAMESPACES):
        own = [each for each in found if not each.argument and _owner_and_name(each)[0] == owner]
        here = _names_to_show(each for each in own if each.status == "supported")
        absent = [
            f"{_code(names)} ({fact.reason})"
            for fact in LEFT_OUT
            if fact.status == "left out"
            and (names := _names_to_show(each for each in own if each.fact is fact))
        ]
        lines.append(f"| `{owner}` | {_code(here)} | {', '.join(absent)} |")
    lines += ["", "| argument | of | |", "|---|---|---|"]
    for fact in ARGUMENTS:
        owners = {each.subject: None for each in found if each.argument and each.fact is fact}
        if owners:
            of = fact.label or _code(name.rpartition(".")[2] for name in owners)
            status = f"{fact.status}{' ' if fact.status == 'only' else ': '}{fact.reason}"
            lines.append(f"| {_code(fact.arguments.split())} | {of} | {status} |")
    return "\n".join(lines)


def refusing_names() -> str:
    """Return the table of the names that can be imported, and refuse when they are used."""
    lines = ["| names that refuse | of | because |", "|---|---|---|"]
    for tables in (UNSUPPORTED, REMOVED):
        for namespace, rows in tables.items():
            owner = f"`{namespace}`" if namespace else "the package"
            lines += [
                f"| {_code(names.split())} | {owner} | {why} |" for why, names in rows.items()
            ]
    lines += [f"| all | {_code(those.split())} | {why} |" for why, those in MODULES.items()]
    return "\n".join(lines)


def old_paths() -> str:
    """Return the table of the import paths of older versions."""
    lines = ["| import path | leads to |", "|---|---|"]
    paths_of: dict[str, list[str]] = {}
    for path, modules in PATHS.items():
        paths_of.setdefault(modules, []).append(path)
    for modules, paths in paths_of.items():
        places = _code(modules.split()) or "the package"
        lines.append(f"| {_code(paths)} | {places} |")
    return "\n".join(lines)


def _owner_and_name(entry: Entry) -> tuple[str, str]:
    owner, _, name = entry.subject.rpartition(".")
    return owner, name


def _names_to_show(entries: Iterable[Entry]) -> list[str]:
    """Return names without second names, and without functions that repeat a class."""
    names = [_owner_and_name(each)[1] for each in entries if not each.second_name]
    classes = {name.lower() for name in names if name[0].isupper()}
    hidden = {"get", "serialize", "deserialize"}
    return [
        name
        for name in names
        if name[0].isupper() or not {name, name.replace("_", "")} & (classes | hidden)
    ]


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def full_table(found: list[Entry]) -> str:
    """Return one line for every name and argument, for the terminal."""
    return "\n".join(
        f"{each.subject + ('(' + each.argument + ')' if each.argument else ''):70} {each.status}"
        + (f": {each.fact.reason}" if each.fact else "")
        + (" (STALE)" if each.stale else "")
        for each in found
    )


def main() -> None:
    """Write docs/support.md, or print the full table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="print everything, write nothing")
    full = parser.parse_args().full
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    found = entries()
    if full:
        print(full_table(found))
        return
    write_between_markers(SUPPORT, BEGIN, table(found))
    write_between_markers(SUPPORT, BEGIN_REFUSING, refusing_names())
    write_between_markers(SUPPORT, BEGIN_PATHS, old_paths())
    for each in found:
        if each.status == UNLISTED or each.stale:
            print(f"support_facts.py must be mended: {each.subject} {each.argument}")


if __name__ == "__main__":
    main()
