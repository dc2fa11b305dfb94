"""What is raised for files that are not what they should be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class InvalidFileError(ValueError):
    """A file is damaged, of another kind, or does not fit the model; the message names it."""

    @classmethod
    def at(cls, source: str, place: str, problem: object) -> InvalidFileError:
        """Return the error for one place in a file.

        Args:
            source: Name of the file.
            place: What in the file, such as `"config.json"`; empty for the file itself.
            problem: What is wrong there.
        """
        return cls(f"File '{source}'{f', {place}' if place else ''}: {problem}")


@contextmanager
def error_context(source: str, place: str) -> Iterator[None]:
    """Turn whatever a `with` block raises about the contents of a file into InvalidFileError.

    Libraries and constructors that are handed values of a file raise errors of many kinds, none
    of which tells which file it was.
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
