"""The table that `model.summary()` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastrnn.variable import Variable

_MIN_WIDTHS = (31, 22, 13)  # of Keras's table, so that tables of small models look alike


def summary_text(model: Any, line_length: int | None = None, show_trainable: bool = False) -> str:
    """Return a model's layers, output shapes and numbers of weights as a table.

    Args:
        model: A `Model`.
        line_length: Width in characters, or None; longer contents make the table wider.
        show_trainable: Whether to add a column that tells which layers are trainable.

    Returns:
        Text of several lines.
    """
    header = ["Layer (type)", "Output Shape", "Param #"]
    rows = [
        [f"{layer.name} ({type(layer).__name__})", _shape_text(layer), _params_text(layer)]
        for layer in model.layers
    ]
    if show_trainable:
        header.append("Trainable")
        for row, layer in zip(rows, model.layers, strict=True):
            row.append(("Y" if layer.trainable else "N") if layer.weights else "-")
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    widths = [max(pair) for pair in zip(widths, (*_MIN_WIDTHS, 9), strict=False)]
    # Each column has a border and two spaces; the table one border more.
    widths[0] += max((line_length or 0) - sum(widths) - 3 * len(widths) - 1, 0)
    return "\n".join(
        [
            f'Model: "{model.name}"',
            _rule("┏━┳┓", widths),
            _line(header, widths, "┃"),
            _rule("┡━╇┩", widths),
            *_with_rules([_line(row, widths, "│") for row in rows], _rule("├─┼┤", widths)),
            _rule("└─┴┘", widths),
            *_totals(model),
        ]
    )


def _totals(model: Any) -> list[str]:
    """Return a line for each kind of weights: their number and the memory that they take."""
    trained = np.array(_count_and_bytes(model.trainable_weights))
    frozen = np.array(_count_and_bytes(model.non_trainable_weights))
    kinds = {"Total": trained + frozen, "Trainable": trained, "Non-trainable": frozen}
    if model.compiled and model.optimizer.built:
        slots = np.array(_count_and_bytes(model.optimizer.variables))
        # Keras counts an int64 and a float32 more: the number of the step and the learning rate.
        kinds["Optimizer"] = slots + np.array([2, 12])
        kinds["Total"] = kinds["Total"] + kinds["Optimizer"]
    return [f" {kind} params: {count:,} ({_size(size)})" for kind, (count, size) in kinds.items()]


def _count_and_bytes(variables: Iterable[Variable]) -> tuple[int, int]:
    arrays = [variable.value for variable in variables]
    return sum(array.size for array in arrays), sum(array.nbytes for array in arrays)


def _size(size: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"


def _shape_text(layer: Any) -> str:
    return str(getattr(layer, "output_shape", "?"))


def _params_text(layer: Any) -> str:
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _rule(characters: str, widths: list[int]) -> str:
    left, middle, cross, right = tuple(characters)
    return left + cross.join(middle * (width + 2) for width in widths) + right


def _line(cells: list[str], widths: list[int], border: str) -> str:
    # Numbers (the third column) are aligned to the right.
    texts = [
        f" {cell:>{width}} " if column == 2 else f" {cell:<{width}} "
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return border + border.join(texts) + border


def _with_rules(lines: list[str], rule: str) -> list[str]:
    """Put a rule between each two lines."""
    ruled = [part for line in lines for part in (line, rule)]
    return ruled[:-1]
