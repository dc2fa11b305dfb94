"""The error for files that are damaged, of another kind, or do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class InvalidFileError(ValueError):
    """A file is damaged, of another kind, or does not fit the model; the message names it."""

    @classmethod
    def at(cls, source: str, place: str, problem: object) -> InvalidFileError:
        """Return the error for one place in a file.

        Args:
            source: Name of the file; empty for what is not from a file.
            place: Part of the file, such as `"config.json"`; empty for the file itself.
            problem: What is wrong there.
        """
        where = [f"File '{source}'"] if source else []
        return cls(f"{', '.join([*where, place] if place else where)}: {problem}")


@contextmanager
def error_context(source: str, place: str) -> Iterator[None]:
    """Turn any error of a `with` block into an InvalidFileError that names the file.

    Libraries and constructors that get values from a file raise errors of many kinds, and none of
    them names the file.

    Args:
        source: Name of the file; empty for what is not from a file.
        place: Part of the file; empty for the file itself.
    """
    try:
        yield
    except InvalidFileError:
        raise
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raise InvalidFileError.at(
            source, place, error if isinstance(error, ValueError) else problem
        ) from error
