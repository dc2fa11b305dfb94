"""The display of progress: a bar in a terminal or a notebook, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


class Progbar:
    """Shows the progress of a loop of your own, as `fit` shows its own.

    In a terminal or a notebook it draws a bar; elsewhere it prints one line at the end. Values are
    averaged over the steps since the first one, each with the number of steps that it stands for;
    the last update shows the values that it is given.

    Args:
        target: Number of steps; None if it is not known.
        width: Characters of the bar.
        verbose: 0 for no output, 1 for the bar, 2 for the line.
        interval: Seconds between two drawings of the bar.
        stateful_metrics: Names of values that are shown as they are.
        stateless_metrics: Names of values that are averaged, if all others are shown as they are.
        unit_name: What a step is called.

    Raises:
        ValueError: If both lists of names are given, or `target` is not a number of steps.

    Example:
        >>> progress = Progbar(2)
        >>> progress.update(1, [("loss", 3.0)])
        >>> progress.update(2, [("loss", 1.5)])  # doctest: +ELLIPSIS
        2/2 - 0s - ...s/step - loss: 1.5000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "`stateful_metrics` and `stateless_metrics` must not be given both. Received: "
                f"stateful_metrics={stateful_metrics!r}, stateless_metrics={stateless_metrics!r}"
            )
        if target is not None and not target >= 0:
            raise ValueError(f"`target` must be a number of steps or None. Received: {target!r}")
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._sums: dict[str, tuple[Any, float]] = {}  # with the number of steps in each
        self._seen = 0
        self._started = self._drawn = time.perf_counter()
        self._bar: Any = None

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Show how far the loop is.

        Args:
            current: Steps that are done.
            values: Pairs of a name and its value in the steps since the last update.
            finalize: Whether this is the last update; None for whether `target` is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            steps = max(current - self._seen, 1)
            if finalize or not self._averages(name):
                self._sums[name] = value, 1
            else:
                total, count = self._sums.get(name, (0.0, 0))
                self._sums[name] = total + value * steps, count + steps
        self._seen = current
        self._show(current, finalize)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Count further steps.

        Args:
            n: How many.
            values: Pairs of a name and its value in these steps.
        """
        self.update(self._seen + n, values)

    def _averages(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in (self.stateful_metrics or ())

    def _show(self, current: int, finalize: bool) -> None:
        now = time.perf_counter()
        bar = self.verbose == 1 and shows_bars()
        if not self.verbose or not (finalize or (bar and now - self._drawn >= self.interval)):
            return
        self._drawn = now
        means = {name: total / max(count, 1) for name, (total, count) in self._sums.items()}
        text = report((now - self._started) / max(current, 1), self.unit_name, means)
        if not bar:
            print(
                line(f"{current}/{self.target or current}", now - self._started, text), flush=True
            )
            return
        if self._bar is None:
            self._bar = open_bar(self.target, self.width)
            self._bar.start_t -= now - self._started
        self._bar.n = current
        self._bar.set_postfix_str(text)
        if finalize:
            self._bar.close()
            self._bar = None


def shows_bars() -> bool:
    """Tell whether the output goes to a terminal or a notebook."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules


def open_bar(total: int | None, width: int | None = None) -> Any:
    """Return a bar on the standard output.

    Args:
        total: Number of steps; None if it is not known.
        width: Characters of the bar; None for all that are free.
    """
    from tqdm.auto import tqdm  # takes longer to import than the rest of the package

    bar = "{bar}" if width is None else f"{{bar:{width}}}"
    return tqdm(
        total=total,
        file=sys.stdout,
        dynamic_ncols=True,
        bar_format=f"{{n_fmt}}/{{total_fmt}} |{bar}| {{elapsed}}{{postfix}}",
    )


def line(steps: str, seconds: float, text: str) -> str:
    """Return what takes the place of a bar where there is none."""
    return f"{steps} - {seconds:.0f}s - {text}"


def report(seconds: float, unit: str, values: Mapping[str, Any]) -> str:
    """Return the time per step, and values with their names.

    Args:
        seconds: Time per step.
        unit: What a step is called.
        values: Numbers or arrays, of which the mean is shown.
    """
    parts = [f"{_duration(seconds)}/{unit}"]
    for name, result in values.items():
        value = float(np.mean(result))  # some metrics give a number per class
        # Small numbers would lose all their digits.
        parts.append(f"{name}: {value:.4f}" if abs(value) > 1e-3 else f"{name}: {value:.4e}")
    return " - ".join(parts)


def _duration(seconds: float) -> str:
    """Return a duration with a unit that suits it."""
    for factor, unit in ((1.0, "s"), (1e3, "ms")):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.0f}{unit}"
    return f"{seconds * 1e6:.0f}us"
