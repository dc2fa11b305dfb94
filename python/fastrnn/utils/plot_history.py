"""Curves of a training."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_VALIDATION = "val_"
_CHARTS_PER_ROW = 3


def plot_history(
    history: Any,
    metrics: Sequence[str] | None = None,
    path: str | os.PathLike[str] | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
) -> Any:
    """Draw loss and metrics over the epochs, training and validation in one chart each.

    Needs matplotlib, which is imported when this function is called.

    Args:
        history: What `fit` returned, its dict, or a DataFrame (as of a `CSVLogger`'s file; its
            column `epoch` then numbers the epochs from 0).
        metrics: Names to draw, such as `["loss", "accuracy"]`, without `val_`; None for all.
        path: File to save the figure to; its extension chooses the format. Missing folders are
            created.
        title: Title of the figure.
        figsize: Width and height in inches.

    Returns:
        The matplotlib figure, with a chart for each name, the loss first. In a script, show it
        with `matplotlib.pyplot.show()`.

    Raises:
        ImportError: If matplotlib is not installed.
        TypeError: If `history` is not one of these.
        ValueError: If there is nothing to draw, or a name is not known.

    Example:
        >>> plot_history(model.fit(x, y, validation_split=0.2))  # doctest: +SKIP
    """
    curves, epochs = _curves_and_epochs(history)
    # The loss comes first, then the order of the history; a metric may have been validated only.
    known = dict.fromkeys(["loss", *(name.removeprefix(_VALIDATION) for name in curves)])
    names = [name for name in known if name in curves or _VALIDATION + name in curves]
    if metrics is not None:
        unknown = [name for name in metrics if name not in names]
        if unknown or isinstance(metrics, str):
            raise ValueError(f"`metrics` must be a list of {names}. Received: metrics={metrics!r}")
        names = list(metrics)
    if not names:
        raise ValueError("`history` must hold a loss or a metric. Received: nothing to draw")

    pyplot = _pyplot()
    columns = min(len(names), _CHARTS_PER_ROW)
    rows = -(-len(names) // columns)
    figure = pyplot.figure(figsize=figsize or (5.0 * columns, 3.6 * rows), layout="constrained")
    for position, name in enumerate(names, start=1):
        _draw(figure.add_subplot(rows, columns, position), name, curves, epochs)
    if title is not None:
        figure.suptitle(title)
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    return figure


def _draw(
    chart: Any, name: str, curves: Mapping[str, np.ndarray], epochs: np.ndarray | None
) -> None:
    longest = max(len(curves.get(key, ())) for key in (name, _VALIDATION + name))
    numbers = np.arange(1, longest + 1)
    if epochs is not None and len(epochs) == longest:
        numbers = epochs + 1
    for key, label in ((name, "training"), (_VALIDATION + name, "validation")):
        values = curves.get(key)
        if values is None or not len(values):
            continue
        # `validation_freq=n` validates every nth epoch, counted from 1.
        every = longest // len(values)
        x = numbers if every == 1 else numbers[every - 1 :: every]
        x = x[: len(values)]
        marker = "o" if len(values) == 1 else None
        # A metric may have several values, such as one for each class.
        columns = np.reshape(values, (len(values), -1)).T
        for number, column in enumerate(columns):
            suffix = f" {number}" if len(columns) > 1 else ""
            chart.plot(x, column, label=label + suffix, marker=marker)
    chart.set(title=name, xlabel="epoch")
    chart.xaxis.get_major_locator().set_params(integer=True)
    chart.grid(alpha=0.3)
    chart.legend()


def _curves_and_epochs(history: Any) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Return the curves by name, and the epochs' numbers from 0 if they are known."""
    epochs = getattr(history, "epoch", None)
    table = getattr(history, "history", history)
    if hasattr(table, "to_dict"):  # a DataFrame
        table = table.to_dict("list")
        epochs = table.pop("epoch", None)
    if not isinstance(table, Mapping):
        raise TypeError(
            "`history` must be what `fit` returned, its dict or a DataFrame. "
            f"Received: history={history!r} (of type {type(history).__name__})"
        )
    curves = {str(name): np.asarray(values, dtype=np.float64) for name, values in table.items()}
    flat = [name for name, values in curves.items() if not values.ndim]
    if flat:
        raise ValueError(
            "`history` must have a list with a number per epoch for each name. "
            f"Received: {flat[0]}={table[flat[0]]!r}"
        )
    return curves, None if epochs is None else np.asarray(epochs)


def _pyplot() -> Any:
    try:
        return importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError(
            "`plot_history` needs matplotlib. Install it with: pip install 'fastrnn[plot]'"
        ) from error
