"""Panels as tables and as one figure."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import util
from pathlib import Path

from comparison.text_table import text_table

from measure.figures import figure
from measure.panels import Panel

COLOURS = ("#d1495b", "#30638e", "#66a182", "#edae49", "#7a5c99", "#8a8d91")
COLUMNS = 3


def table(panel: Panel) -> str:
    """A row per series: its costs, and how they grow, or how many times faster they are."""
    exponents = panel.exponents()
    headings = [f"{panel.cost}; {panel.axis}:", *(f"{size:g}" for size in panel.sizes)]
    if exponents:
        headings += ["exponent", "last two"]
    rows = []
    for title, costs in panel.series.items():
        cells = [figure(cost) for cost in costs]
        if exponents:
            cells += [f"{value:.2f}" for value in exponents[title]]
        else:
            gains = [f" ({costs[0] / cost:.2f}x)" for cost in costs[1:]]
            cells = [cell + gain for cell, gain in zip(cells, ["", *gains], strict=True)]
        rows.append([title, *cells])
    return text_table(headings, rows)


def verdicts(panels: Sequence[Panel]) -> list[str]:
    """A line for each panel that should be linear: the exponents of its series."""
    lines = []
    for panel in panels:
        if panel.growth == "linear":
            values = [first for first, _ in panel.exponents().values()]
            lines.append(
                f"{panel.cost} against {panel.axis}: exponent {min(values):.2f} to "
                f"{max(values):.2f}; linear is 1"
            )
    return lines


def chart(panels: Sequence[Panel], path: Path, note: str) -> bool:
    """Draws the panels in one figure.

    Power laws are drawn on logarithmic axes, beside a dotted line of linear growth; the others as
    speed over the first size's.

    Args:
        panels: What was measured.
        path: The PNG file to write.
        note: A line that tells the machine.

    Returns:
        Whether the figure was drawn; without matplotlib it is not.
    """
    if util.find_spec("matplotlib") is None or not panels:
        return False
    from matplotlib.figure import Figure

    lines = -(-len(panels) // COLUMNS)
    drawing = Figure(figsize=(4.2 * COLUMNS, 0.6 + 3.2 * lines), layout="constrained")
    axes = drawing.subplots(lines, COLUMNS, squeeze=False).flatten()
    for unused in axes[len(panels) :]:
        unused.set_visible(False)
    for ax, panel in zip(axes, panels, strict=False):
        power_law = panel.growth != "other"
        for colour, (title, costs) in zip(COLOURS, panel.series.items(), strict=False):
            values = costs if power_law else [costs[0] / cost for cost in costs]
            ax.plot(panel.sizes, values, "o-", color=colour, label=title, markersize=4)
        if power_law:
            lowest = min(costs[0] for costs in panel.series.values())
            linear = [lowest * size / panel.sizes[0] for size in panel.sizes]
            ax.plot(panel.sizes, linear, ":", color="#888888", label="linear")
            ax.set_xscale("log", base=2)
            ax.set_yscale("log", base=2)
            ax.xaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_major_formatter("{x:g}")
            ax.set_ylabel(panel.cost, fontsize=8)
        else:
            ax.set_ylim(bottom=0)
            ax.set_ylabel(f"times as fast as at {panel.sizes[0]:g}", fontsize=8)
        ax.set_title(panel.name, fontsize=10)
        ax.set_xlabel(panel.axis, fontsize=8)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(fontsize=7, frameon=False)
    drawing.suptitle(note, fontsize=9)
    drawing.savefig(path, dpi=150)
    return True
