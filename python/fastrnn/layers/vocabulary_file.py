"""Vocabularies as text files, one token per line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any


def read_vocabulary(path: str | os.PathLike[str], encoding: str) -> list[str]:
    """Return the tokens of a file, one per line.

    Args:
        path: Name of the file.
        encoding: Its encoding.

    Raises:
        ValueError: If there is no such file, or it has another encoding.
    """
    try:
        with open(path, "rb") as file:
            return tokens_of(file.read(), encoding)
    except OSError as error:
        raise ValueError(
            f"`vocabulary` must be a list of tokens or the name of a file. Received: {error}"
        ) from error


def tokens_of(content: bytes, encoding: str = "utf-8") -> list[str]:
    """Return the tokens in the lines of a file, of Unix or of Windows; invert `lines_of`.

    Raises:
        ValueError: If it has another encoding.
    """
    lines = content.decode(encoding).split("\n")
    while lines and lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def lines_of(tokens: Sequence[str]) -> bytes:
    """Return the content of a file with one token per line, in UTF-8, as Keras writes it."""
    return "\n".join(tokens).encode()


def fits_lines(tokens: Sequence[str]) -> bool:
    """Return whether each token is a line also for Keras, which knows a dozen line breaks.

    Args:
        tokens: A vocabulary with its special tokens.
    """
    text = "\n".join(tokens)
    return text.splitlines() == list(tokens) and not text.endswith("\n")


def as_tokens(vocabulary: Any, encoding: str, argument: str = "vocabulary") -> list[Any]:
    """Return a vocabulary that is given as a list, an array or a file as a list of strings.

    Args:
        vocabulary: Strings, bytes, or None for a special token that there is not.
        encoding: How bytes and files are to be read.
        argument: What to call it in messages.

    Raises:
        TypeError, ValueError: If it is none of these.
    """
    if isinstance(vocabulary, (str, os.PathLike)):
        return list(read_vocabulary(vocabulary, encoding))
    if hasattr(vocabulary, "__array__"):
        vocabulary = vocabulary.__array__().tolist()
    if not isinstance(vocabulary, (list, tuple)):
        raise TypeError(
            f"`{argument}` must be a list of strings or the name of a file. "
            f"Received: {argument} of type {type(vocabulary).__name__}"
        )
    tokens = []
    for position, token in enumerate(vocabulary):
        if isinstance(token, bytes):
            token = token.decode(encoding)
        if token is not None and not isinstance(token, str):
            raise TypeError(
                f"`{argument}` must hold strings. Received: {token!r} at position {position}"
            )
        tokens.append(None if token is None else str(token))
    return tokens
