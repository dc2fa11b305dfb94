"""Classes that override methods and write down which of them are called, in either library."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

BASES: dict[str, Callable[[Any], type]] = {
    "Dense": lambda library: library.layers.Dense,
    "LSTM": lambda library: library.layers.LSTM,
    "Sequential": lambda library: library.Sequential,
    "Functional": lambda library: type(_functional(library)),
}
"""What is subclassed: two layers and the two kinds of models."""


def overridable(cls: type) -> set[str]:
    """Public methods and properties of a class of Keras, and those that it calls if they exist."""
    found = {"save_assets", "load_assets"}
    for each in cls.__mro__:
        if each.__module__.startswith("keras."):
            for name, value in vars(each).items():
                is_code = isinstance(value, (property, classmethod)) or inspect.isfunction(value)
                if is_code and (not name.startswith("_") or name == "__call__"):
                    found.add(name)
    return found


def arguments_of(cls: type) -> set[str]:
    """Properties of a layer of Keras that stand for arguments of its constructor."""
    arguments = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    static = {name: inspect.getattr_static(cls, name, None) for name in arguments}
    return {name for name, value in static.items() if isinstance(value, property)}


def recording(base: type, names: Iterable[str], called: set[str]) -> type:
    """Return a subclass that overrides all of the names, does the same, and notes each call."""
    made: dict[str, Any] = {name: _recorder(base, name, called) for name in names}
    return type("Own", (base,), made)


def _recorder(base: type, name: str, called: set[str]) -> Any:
    above = inspect.getattr_static(base, name, None)

    def same(self: Any, *args: Any, **kwargs: Any) -> Any:
        called.add(name)
        return None if above is None else above(self, *args, **kwargs)

    if isinstance(above, classmethod):

        def of_class(cls: type, *args: Any, **kwargs: Any) -> Any:
            called.add(name)
            return above.__func__(cls, *args, **kwargs)

        return classmethod(of_class)
    if name == "build":  # of which Keras wants to see the arguments' names

        def build(self: Any, input_shape: Any = None) -> None:
            called.add(name)
            above(self, input_shape)

        return build
    if inspect.isfunction(above):
        same.__signature__ = inspect.signature(above)  # type: ignore[attr-defined]
        return same
    if above is None:
        return same

    def read(self: Any) -> Any:
        called.add(name)
        return above.__get__(self, type(self)) if hasattr(above, "__get__") else above

    return property(read, getattr(above, "fset", None))


def lived(kind: str, own: type, library: ModuleType, folder: Path) -> None:
    """Make, train, test, save and load a model with a layer of a class, or of the class."""
    layers, models = library.layers, library.models
    if kind == "Sequential":
        model = own([layers.Input((3, 2)), layers.GRU(2), layers.Dense(1)])
    elif kind == "Functional":
        x = layers.Input((3, 2))
        model = own(x, layers.Dense(1)(layers.GRU(2)(x)))
    else:
        model = models.Sequential([layers.Input((3, 2)), own(2), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x = np.ones((4, 3, 2), np.float32)
    y = np.zeros((4, *model.output_shape[1:]), np.float32)
    model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    model.train_on_batch(x, y)
    model.save(folder / "model.keras")
    models.load_model(folder / "model.keras", custom_objects={"Own": own})


def _functional(library: ModuleType) -> Any:
    x = library.layers.Input((3, 2))
    return library.Model(x, library.layers.Dense(1)(x))
