"""Rows of text as an aligned table."""

from __future__ import annotations

from collections.abc import Sequence


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligns the first column at the left and the others at the right.

    Args:
        headings: One per column.
        rows: The cells. A row with fewer cells than headings ends in free text, which no column
            makes room for.

    Returns:
        A line for the headings, a rule, and a line for each row.
    """
    full = [row for row in (headings, *rows) if len(row) == len(headings)]
    widths = [max(len(row[column]) for row in full) for column in range(len(headings))]
    widths[0] = max(len(row[0]) for row in (headings, *rows))
    lines = []
    for row in (headings, *rows):
        cells = [row[0].ljust(widths[0])]
        if len(row) == len(headings):
            cells += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        else:
            cells += row[1:]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)
