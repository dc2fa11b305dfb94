"""Text in a Markdown file that a script writes, between a line that names the script and `END`."""

from __future__ import annotations

from pathlib import Path

END = "<!-- end of what it writes -->"


def between_markers(document: str, begin: str, new: str) -> str:
    """Return a document with another text between the lines `begin` and `END`.

    Raises:
        ValueError: If the document does not hold both lines.
    """
    before, found, rest = document.partition(begin)
    _, end, after = rest.partition(END)
    if not found or not end:
        raise ValueError(f"The document must hold the two lines {begin!r} and {END!r}.")
    return f"{before}{begin}\n\n{new}\n\n{end}{after}"


def write_between_markers(path: Path, begin: str, new: str) -> None:
    """Write another text between the lines `begin` and `END` of a file."""
    document = path.read_text(encoding="utf-8")
    path.write_text(between_markers(document, begin, new), encoding="utf-8")
