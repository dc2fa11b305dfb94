"""Names of Keras that are not supported can be imported; they refuse when they are called."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from types import ModuleType

import fastrnn
import pytest
from fastrnn.compatibility.unsupported import REMOVED, UNSUPPORTED, WHY_NO_MODULE, reason_for


def names_in(tables: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
    for namespace, rows in tables.items():
        for names in rows.values():
            for name in names.split():
                yield namespace, name


def module_of(namespace: str) -> ModuleType:
    return importlib.import_module(f"fastrnn.{namespace}".rstrip("."))


LISTED = [*names_in(UNSUPPORTED), *names_in(REMOVED)]


def test_a_name_stands_once_in_the_tables() -> None:
    assert len(LISTED) > 150
    assert len(LISTED) == len(set(LISTED))


def test_what_is_supported_is_not_in_the_tables() -> None:
    """Take a name out of `unsupported.py` when fastrnn gets it."""
    supported = [(module, name) for module, name in LISTED if name in dir(module_of(module))]
    assert supported == []


@pytest.mark.parametrize(("namespace", "name"), LISTED)
def test_it_can_be_imported_and_refuses_when_called(namespace: str, name: str) -> None:
    found = getattr(module_of(namespace), name)
    assert found is getattr(module_of(namespace), name)
    assert found.__name__ == name
    path = f"{namespace}.{name}".lstrip(".")
    message = f"`{path}` is not supported: {reason_for(namespace, name)}."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        found(1, units=2)


@pytest.mark.parametrize("module", WHY_NO_MODULE)
def test_modules_can_be_imported_whose_names_refuse(module: str) -> None:
    with pytest.raises(ValueError, match=rf"`{module}.Anything` is not supported: ."):
        module_of(module).Anything()
    parent, _, last = module.rpartition(".")
    assert getattr(module_of(parent), last) is module_of(module)


def test_import_statements_of_all_forms_work() -> None:
    from fastrnn.applications import vgg16
    from fastrnn.applications.vgg16 import VGG16, preprocess_input
    from fastrnn.layers import LSTM, Resizing
    from fastrnn.wrappers.scikit_learn import KerasClassifier

    assert issubclass(LSTM, fastrnn.layers.Layer)
    assert vgg16.VGG16 is VGG16
    for name in (Resizing, VGG16, preprocess_input, KerasClassifier):
        with pytest.raises(ValueError, match="is not supported: "):
            name()


def test_a_subclass_can_be_defined_and_refuses_too() -> None:
    class Mine(fastrnn.layers.Resizing):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            self.filters = 2

    with pytest.raises(ValueError, match=r"`layers\.Resizing` is not supported: images"):
        Mine()


def test_star_and_dir_give_what_is_supported() -> None:
    names: dict[str, object] = {}
    exec("from fastrnn.layers import *", names)
    assert "LSTM" in names
    assert "LSTM" in dir(fastrnn.layers)
    assert "Resizing" not in names
    assert "Resizing" not in dir(fastrnn.layers)


@pytest.mark.parametrize("path", ["layers.Conv9D", "losses.dise", "Sequentiel", "utils.__path9__"])
def test_what_keras_does_not_have_is_no_attribute(path: str) -> None:
    namespace, _, name = path.rpartition(".")
    with pytest.raises(AttributeError, match=f"fastrnn.* has no attribute '{name}'"):
        getattr(module_of(namespace), name)
    with pytest.raises(ImportError, match=name):
        exec(f"from {module_of(namespace).__name__} import {name}")


def test_configs_that_name_it_are_refused_with_the_reason() -> None:
    config = {"class_name": "Resizing", "config": {"height": 2, "width": 3}}
    with pytest.raises(ValueError, match=r"`layers\.Resizing` is not supported: images"):
        fastrnn.layers.deserialize(config)
