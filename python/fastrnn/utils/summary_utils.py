"""The table that `model.summary()` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from fastrnn.variable import Variable

_MIN_WIDTHS = (31, 22, 13)  # of Keras's table, so that tables of small models look alike


def summary_text(
    model: Any,
    line_length: int | None = None,
    show_trainable: bool = False,
    expand_nested: bool = False,
) -> str:
    """Return a model's layers, output shapes and numbers of weights as a table.

    Where the layers do not stand in one row, a column tells which outputs each is called on:
    `lstm[0][1]` is the second output of the first call of the layer `lstm`.

    Args:
        model: A `Model`.
        line_length: Width in characters, or None; longer contents make the table wider.
        show_trainable: Whether to add a column that tells which layers are trainable.
        expand_nested: Whether to list the layers of models among the layers too.

    Returns:
        Text of several lines.
    """
    header = ["Layer (type)", "Output Shape", "Param #"]
    listed = list(_listed(model, expand_nested))
    rows: list[list[str]] = [
        [
            f"{'   ' * (depth - 1)}{'   └ ' if depth else ''}{layer.name} ({class_name(layer)})",
            _shape_text(layer),
            _params_text(layer),
        ]
        for layer, depth in listed
    ]
    if (sources := _sources(model)) is not None:
        header.append("Connected to")
        for row, (layer, depth) in zip(rows, listed, strict=True):
            row.append("\n".join([] if depth else sources.get(layer.name, [])) or "-")
    if show_trainable:
        header.append("Trainable")
        for row, (layer, _) in zip(rows, listed, strict=True):
            row.append(("Y" if layer.trainable else "N") if layer.weights else "-")
    widths = [max(map(_width, column)) for column in zip(header, *rows, strict=True)]
    least = (*_MIN_WIDTHS, *[9] * (len(widths) - 3))
    widths = [max(pair) for pair in zip(widths, least, strict=True)]
    # Each column has a border and two spaces; the table one border more.
    widths[0] += max((line_length or 0) - sum(widths) - 3 * len(widths) - 1, 0)
    return "\n".join(
        [
            f'Model: "{model.name}"',
            _rule("┏━┳┓", widths),
            _line(header, widths, "┃"),
            _rule("┡━╇┩", widths),
            *_with_rules([_lines(row, widths, "│") for row in rows], _rule("├─┼┤", widths)),
            _rule("└─┴┘", widths),
            *_totals(model),
        ]
    )


def class_name(layer: Any) -> str:
    """Return the name of a layer's class, of an operation that of Keras's class.

    Args:
        layer: A layer.
    """
    name: str = getattr(layer, "class_name", type(layer).__name__)
    return name


def _listed(model: Any, expand_nested: bool, depth: int = 0) -> Iterator[tuple[Any, int]]:
    """Yield the layers of a model, and with `expand_nested` those inside, after their depths."""
    for layer in getattr(model, "operations", model.layers):
        yield layer, depth
        if expand_nested and hasattr(layer, "layers"):
            yield from _listed(layer, expand_nested, depth + 1)


def _sources(model: Any) -> dict[str, list[str]] | None:
    """Return what each layer is called on, by its name; None where all stand in one row."""
    graph = model.inner_graph if model.built and not model.is_free else None
    if graph is None or graph.is_chain:
        return None
    places = graph.places()
    sources: dict[str, list[str]] = {}
    for node in graph.nodes_as_made():
        found = [places[id(tensor)] for tensor in node.parents]
        texts = [f"{place.layer}[{place.call}][{place.output}]" for place in found]
        sources.setdefault(node.layer.name, []).extend(texts)
    return sources


def _width(cell: str) -> int:
    return max(map(len, cell.split("\n")))


def _totals(model: Any) -> list[str]:
    """Return a line for each kind of weights: their number and the memory that they take."""
    trained = np.array(_count_and_bytes(model.trainable_weights))
    frozen = np.array(_count_and_bytes(model.non_trainable_weights))
    kinds = {"Total": trained + frozen, "Trainable": trained, "Non-trainable": frozen}
    if model.compiled and model.optimizer.built:
        slots = np.array(_count_and_bytes(model.optimizer.slots))
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
    shape = getattr(layer, "output_shape", "?")
    several = isinstance(shape, tuple) and shape and isinstance(shape[0], tuple)
    return str(list(shape) if several else shape)


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


def _lines(cells: list[str], widths: list[int], border: str) -> str:
    """Return a row of cells that may have several lines."""
    parts = [cell.split("\n") for cell in cells]
    height = max(map(len, parts))
    filled = [part + [""] * (height - len(part)) for part in parts]
    return "\n".join(_line(list(cells), widths, border) for cells in zip(*filled, strict=True))


def _with_rules(lines: list[str], rule: str) -> list[str]:
    """Put a rule between each two lines."""
    ruled = [part for line in lines for part in (line, rule)]
    return ruled[:-1]
