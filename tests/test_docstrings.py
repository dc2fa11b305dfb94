"""Every public name says what it does, what it takes and returns, and shows it in an example."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from types import FunctionType, ModuleType
from typing import Any

import fastrnn
import pytest
from fastrnn.activations import Activation
from fastrnn.callbacks import Callback
from fastrnn.docstrings import complete_docstring

TITLES = "Args", "Attributes", "Hook arguments", "Returns", "Yields", "Raises", "Example"


def members(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the public names of a namespace."""
    listed = getattr(module, "__all__", None)
    for name in listed or vars(module):
        value = getattr(module, name)
        own = getattr(value, "__module__", None) == module.__name__
        if listed or (own and not name.startswith("_") and callable(value)):
            yield name, value


def namespaces(module: ModuleType = fastrnn) -> Iterator[ModuleType]:
    """Yield the package and every module that can be reached by public names alone."""
    yield module
    for _, value in members(module):
        if isinstance(value, ModuleType):
            yield from namespaces(value)


def public() -> dict[str, Any]:
    """Return all classes, functions and activations, each under one of its names."""
    found: dict[int, tuple[str, Any]] = {}
    for module in namespaces():
        for name, value in members(module):
            if callable(value):
                path = f"{module.__name__}.{name}".removeprefix("fastrnn.")
                found.setdefault(id(value), (path, value))
    return dict(found.values())


PUBLIC = public()


# ---------------------------------------------------------------------------- reading docstrings


def section(docstring: str, title: str) -> str:
    """Return the text of a section, empty if there is none."""
    match = re.search(rf"^{title}:\n((?:(?: .*)?(?:\n|\Z))*)", docstring, re.MULTILINE)
    return "" if match is None else match[1]


def described(docstring: str, title: str = "Args") -> set[str]:
    """Return the names that a section says something about."""
    return set(re.findall(r"^    \*{0,2}(\w+): \S", section(docstring, title), re.MULTILINE))


def parameters(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self", "cls"}


def raises(function: Any) -> bool:
    """Tell whether a function itself raises what a user can meet."""
    function = getattr(function, "__wrapped__", function)  # of an Activation
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc]
    return any("NotImplementedError" not in ast.unparse(each) for each in raised)


def returns(function: Callable[..., Any]) -> bool:
    return inspect.signature(function).return_annotation not in ("None", None, "Iterator[None]")


def form_faults(docstring: str) -> Iterator[str]:
    summary, *rest = docstring.splitlines() or [""]
    if not summary.endswith("."):
        yield "no summary of one line"
    if rest and rest[0]:
        yield "no empty line after the summary"
    for title in TITLES:
        if re.search(rf"^{title}:$", docstring, re.MULTILINE) and not section(docstring, title):
            yield f"an empty section {title}"


def function_faults(function: Any) -> Iterator[str]:
    docstring = inspect.getdoc(function) or ""
    yield from form_faults(docstring)
    if missing := parameters(function) - described(docstring):
        yield f"no Args: {sorted(missing)}"
    if returns(function) and not section(docstring, "Returns"):
        yield "no Returns"
    if raises(function) and not section(docstring, "Raises"):
        yield "no Raises"
    if ">>> " not in section(docstring, "Example"):
        yield "no Example"


def class_faults(cls: type) -> Iterator[str]:
    docstring = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
    yield from form_faults(docstring)
    # What the user is handed, and never calls.
    native = cls.__module__ == "fastrnn._core"
    result = native or issubclass(cls, (tuple, BaseException))
    if not native and not issubclass(cls, BaseException):
        known = described(docstring) | (described(docstring, "Attributes") if result else set())
        if missing := parameters(cls) - known:
            yield f"no Args: {sorted(missing)}"
    called = issubclass(cls, fastrnn.layers.Layer) and cls is not fastrnn.layers.InputLayer
    if called and not described(docstring, "Call arguments"):
        yield "no Call arguments"
    if called and not section(docstring, "Returns of a call"):
        yield "no Returns of a call"
    constructor = cls.__dict__.get("__init__")
    if inspect.isfunction(constructor) and raises(constructor) and not section(docstring, "Raises"):
        yield "no Raises"
    if ">>> " not in section(docstring, "Example") and not result:
        yield "no Example"
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        function = getattr(member, "__func__", member)
        if not name.startswith("_") and isinstance(function, (FunctionType, property)):
            for fault in method_faults(cls, name, function):
                yield f"{name}: {fault}"


def method_faults(cls: type, name: str, method: FunctionType | property) -> Iterator[str]:
    """A method may leave to the class that it overrides what the arguments are."""
    sources = [
        getattr(base.__dict__.get(name), "__func__", None) or base.__dict__.get(name)
        for base in cls.__mro__
    ]
    docstrings = [inspect.cleandoc(each.__doc__ or "") for each in sources if each is not None]
    yield from form_faults(docstrings[0])
    if isinstance(method, property) or not method.__module__.startswith("fastrnn"):
        return
    known = set[str]().union(*map(described, docstrings))
    if issubclass(cls, Callback) and name.startswith("on_"):
        for base in cls.__mro__:
            known |= described(inspect.cleandoc(base.__doc__ or ""), "Hook arguments")
    if missing := parameters(method) - known:
        yield f"no Args: {sorted(missing)}"
    says = re.match(r"Return|Yield", docstrings[0])
    if returns(method) and not says and not any(section(each, "Returns") for each in docstrings):
        yield "no Returns"


def faults(value: Any) -> list[str]:
    return list(class_faults(value) if inspect.isclass(value) else function_faults(value))


# ------------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_is_complete(name: str) -> None:
    assert not faults(PUBLIC[name])


def test_all_namespaces_are_found() -> None:
    found = {module.__name__.removeprefix("fastrnn.") for module in namespaces()}
    assert found >= {"layers", "datasets.imdb", "optimizers.schedules", "preprocessing.text"}
    assert len(PUBLIC) > 250
    assert all(module.__doc__ for module in namespaces())


@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_recurrent_layers_tell_all_their_arguments_themselves(name: str) -> None:
    cls = getattr(fastrnn.layers, name)
    docstring = inspect.getdoc(cls) or ""
    order = re.findall(r"^    \*{0,2}(\w+): ", section(docstring, "Args"), re.MULTILINE)
    assert order == list(inspect.signature(cls).parameters)
    for argument in ("inputs", "initial_state", "mask", "training"):
        assert argument in described(docstring, "Call arguments")
    assert section(docstring, "Returns of a call")


class Base:
    """Base.

    Args:
        units: Of the base.
        rate: Of the base,
            on two lines.
        gone: Not an argument of the child.

    Raises:
        ValueError: Of the base.

    Example:
        >>> 1
        1
    """


def test_completed_docstring_has_what_only_the_base_says() -> None:
    class Child(Base):
        """Child:

        - a paragraph: not an argument.

        Args:
            own: Of the child.
            units: Of the child.
        """

        def __init__(self, rate: float, units: int, own: int) -> None: ...

    complete_docstring(Child)
    assert Child.__doc__ == inspect.cleandoc(
        """Child:

        - a paragraph: not an argument.

        Args:
            rate: Of the base,
                on two lines.
            units: Of the child.
            own: Of the child.

        Raises:
            ValueError: Of the base.
        """
    )


def test_a_class_without_docstring_keeps_none() -> None:
    class Child(Base):
        def __init__(self, units: int) -> None: ...

    complete_docstring(Child)
    assert Child.__doc__ is None


# ----------------------------------------------------------------------------------- the doctests


# Packages that need a library that is not installed with fastrnn.
NEEDS = {
    "fastrnn.keras": "tensorflow",
    "fastrnn.keras.backend.jax": "jax",
    "fastrnn.keras.backend.torch": "torch",
    "fastrnn.sklearn": "sklearn",
    "fastrnn.torch": "torch",
}


def modules() -> list[str]:
    """Return the names of all modules that can be imported here."""
    missing = tuple(name for name, needed in NEEDS.items() if find_spec(needed) is None)
    found = pkgutil.walk_packages(fastrnn.__path__, "fastrnn.", onerror=lambda name: None)
    names = [each.name for each in found if not each.name.endswith("._core")]
    return ["fastrnn", *sorted(name for name in names if not name.startswith(missing))]


def globals_of(module: ModuleType) -> dict[str, Any]:
    """Return what an example may use without an import: what stands beside it, for the user.

    That is its module's own names and the public ones of the namespace around it.
    """
    inside = [
        each for each in namespaces() if f"{module.__name__}.".startswith(f"{each.__name__}.")
    ]
    own = {
        name: v
        for name, v in vars(module).items()
        if getattr(v, "__module__", None) == module.__name__
    }
    return dict(members(max(inside, key=lambda each: len(each.__name__)))) | own


def examples(module: ModuleType) -> list[doctest.DocTest]:
    finder, names = doctest.DocTestFinder(exclude_empty=True), globals_of(module)
    found = finder.find(module, globs=names)
    for name, value in vars(module).items():
        if isinstance(value, Activation) and value.__module__ == module.__name__:
            found += finder.find(value, f"{module.__name__}.{name}", module, names)
    return [each for each in found if each.examples]


@pytest.mark.parametrize("name", modules())
def test_examples_run(name: str, request: pytest.FixtureRequest) -> None:
    if name.startswith("fastrnn.keras"):
        request.getfixturevalue("keras")  # which sets up TensorFlow before anything uses it
    runner, report = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS), list[str]()
    for each in examples(importlib.import_module(name)):
        runner.run(each, out=report.append)
    assert not runner.failures, "".join(report)


def test_examples_are_found() -> None:
    count = {name: len(examples(importlib.import_module(name))) for name in modules()}
    assert count["fastrnn.layers.lstm"] == 2
    assert count["fastrnn.activations.native"] > 8
    assert sum(count.values()) > 250
