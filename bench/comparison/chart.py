"""The results as a bar chart."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import util
from pathlib import Path

from comparison.outcome import by_cell
from comparison.session import Result
from comparison.systems import SUBJECT, SYSTEMS

SUBJECT_COLOUR = "#d1495b"
PEER_COLOURS = ("#e59aa6", "#30638e", "#5b8fb9", "#9dbdd6", "#8a8d91", "#bfc2c5")


def chart(results: Sequence[Result], path: Path, note: str) -> bool:
    """Draws the median time of a step per system, a panel for each cell.

    Args:
        results: What was measured.
        path: The PNG file to write.
        note: A line below the chart that tells machine and data.

    Returns:
        Whether the chart was drawn; without matplotlib or without figures it is not.
    """
    groups = [[r for r in group if r.error is None] for group in by_cell(results)]
    groups = [group for group in groups if group]
    if util.find_spec("matplotlib") is None or not groups:
        return False
    from matplotlib.figure import Figure

    columns = min(3, len(groups))
    lines = -(-len(groups) // columns)
    figure = Figure(figsize=(4.2 * columns, 0.9 + 2.5 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).flatten()
    peers = [name for name in SYSTEMS if name != SUBJECT]
    colours = dict(zip(peers, PEER_COLOURS, strict=True)) | {SUBJECT: SUBJECT_COLOUR}
    for panel in panels[len(groups) :]:
        panel.set_visible(False)
    for panel, group in zip(panels, groups, strict=False):
        medians = [result.median_ms for result in group]
        bars = panel.barh(
            [SYSTEMS[result.system].title for result in group],
            medians,
            color=[colours[result.system] for result in group],
            xerr=[
                [median - min(r.ms_per_step) for median, r in zip(medians, group, strict=True)],
                [max(r.ms_per_step) - median for median, r in zip(medians, group, strict=True)],
            ],
            error_kw={"elinewidth": 0.8, "ecolor": "#444444"},
        )
        panel.bar_label(bars, fmt="%.1f", padding=4, fontsize=8)
        panel.set_title(f"{group[0].workload}, {group[0].cell}", fontsize=10)
        panel.invert_yaxis()
        panel.margins(x=0.18)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("ms per training step (median; lines: fastest and slowest round)", fontsize=9)
    figure.suptitle(note, fontsize=9)
    figure.savefig(path, dpi=150)
    return True
