"""Checks of the arguments that the methods of training share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from fastrnn.arguments import check_integer, positive_integer, refuse_unknown

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def suggests_arguments(method: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Make a method refuse unknown keyword arguments with a ValueError that names those alike.

    Its signature, which is Keras's, stays as it is.

    Example:
        >>> @suggests_arguments
        ... def fit(epochs=1):
        ...     pass
        >>> fit(epoch=3)
        Traceback (most recent call last):
        ...
        ValueError: fit got an argument that it does not know. Did you mean `epochs`? Received: ...
    """
    known = list(inspect.signature(method).parameters)

    @functools.wraps(method)
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        unknown = {name: value for name, value in kwargs.items() if name not in known}
        refuse_unknown(method.__name__, unknown, known)
        return method(*args, **kwargs)

    return checked


def positive_or_none(name: str, value: Any) -> int | None:
    """Return an argument that may be left out.

    Raises:
        ValueError: If it is neither None nor a positive integer.
    """
    return None if value is None else positive_integer(name, value)


def check_epochs(**numbers: Any) -> None:
    """Raise ValueError if an epoch is not an integer >= 0."""
    for name, value in numbers.items():
        check_integer(name, value, 0)


def checked_frequency(frequency: Any) -> int | tuple[int, ...]:
    """Return `validation_freq` as a number, or as the numbers of epochs.

    Raises:
        ValueError: If it is neither a positive integer nor a list of them.
    """
    if isinstance(frequency, (list, tuple, set, np.ndarray)):
        return tuple(positive_integer("validation_freq", each) for each in frequency)
    return positive_integer("validation_freq", frequency)
