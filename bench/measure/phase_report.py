"""The phases of training steps as a table and as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import util
from pathlib import Path

from comparison.text_table import text_table

from measure.figures import figure
from measure.peaks import Peaks
from measure.phases import PYTHON, Phase, StepProfile

HEADINGS = (
    "phase",
    "ms",
    "% of step",
    "nominal GFLOP/s",
    "executed GFLOP/s",
    "% of peak",
    "GB/s",
)
SUMMARY_HEADINGS = (
    "step of",
    "ms",
    "nominal MFLOP",
    "executed MFLOP",
    "nominal rate, % of peak",
    "executed rate, % of peak",
    "tape MB",
    "profiling adds %",
)
COLOURS = {
    "plan": "#8a8d91",
    "projection": "#9dbdd6",
    "forward recurrence": "#30638e",
    "backward recurrence": "#d1495b",
    "weight gradients": "#edae49",
    "input gradients": "#f2d5a0",
    "dense": "#66a182",
    "embedding": "#a8d0b9",
    "optimizer": "#7a5c99",
    "waiting": "#444444",
    PYTHON: "#d9d9d9",
}
OTHER_COLOUR = "#000000"


def table(profile: StepProfile, peaks: Peaks, threads: int) -> str:
    """A row per phase that took time, then the whole step.

    Args:
        profile: What was measured.
        peaks: What the machine can do, measured in the same run.
        threads: Threads of the training.
    """
    phases, step = profile.phases(), profile.step()
    profiled = sum(phase.seconds for phase in phases)
    peak = peaks.best_operations(threads)

    def row(phase: Phase, share: str) -> tuple[str, ...]:
        def rate(amount: float) -> str:
            return figure(amount / phase.seconds / 1e9) if amount and phase.seconds else ""

        executed = phase.executed / phase.seconds if phase.executed and phase.seconds else 0.0
        return (
            phase.name,
            figure(phase.seconds * 1e3),
            share,
            rate(phase.nominal),
            rate(phase.executed),
            f"{100 * executed / peak:.0f}" if executed else "",
            rate(phase.bytes_moved),
        )

    shown = [phase for phase in phases if phase.seconds or phase.executed]
    rows = [row(phase, f"{100 * phase.seconds / profiled:.1f}") for phase in shown]
    return text_table(HEADINGS, [*rows, row(step, "")])


def summary(profiles: Sequence[StepProfile], peaks: Peaks, threads: int) -> str:
    """A row per workload and cell: the whole step, timed without profiling."""
    peak = peaks.best_operations(threads)
    rows = []
    for profile in profiles:
        step = profile.step()
        profiled = sum(phase.seconds for phase in profile.phases())
        rows.append(
            (
                f"{profile.workload} {profile.cell}",
                figure(step.seconds * 1e3),
                figure(step.nominal / 1e6),
                figure(step.executed / 1e6),
                f"{100 * step.nominal / step.seconds / peak:.0f}",
                f"{100 * step.executed / step.seconds / peak:.0f}",
                f"{profile.tape_bytes / 2**20:.1f}",
                f"{100 * (profiled / step.seconds - 1):.1f}",
            )
        )
    return text_table(SUMMARY_HEADINGS, rows)


def chart(
    profiles: Sequence[StepProfile], peaks: Peaks, threads: int, path: Path, note: str
) -> bool:
    """Draws the phases of a step side by side, a panel per workload, a bar per cell.

    Returns:
        Whether the chart was drawn; without matplotlib it is not.
    """
    if util.find_spec("matplotlib") is None or not profiles:
        return False
    from matplotlib.figure import Figure

    workloads = list(dict.fromkeys(profile.workload for profile in profiles))
    peak = peaks.best_operations(threads)
    figure_ = Figure(figsize=(9.0, 1.4 + 1.7 * len(workloads)), layout="constrained")
    panels = figure_.subplots(len(workloads), 1, squeeze=False).flatten()
    legend = {}
    for panel, workload in zip(panels, workloads, strict=True):
        group = [profile for profile in profiles if profile.workload == workload]
        for profile in group:
            left = 0.0
            for phase in profile.phases():
                bar = panel.barh(
                    profile.cell,
                    phase.seconds * 1e3,
                    left=left,
                    color=COLOURS.get(phase.name, OTHER_COLOUR),
                )
                left += phase.seconds * 1e3
                if phase.seconds:
                    legend.setdefault(phase.name, bar)
            step = profile.step()
            share = 100 * step.executed / step.seconds / peak
            panel.annotate(
                f" {left:.2f} ms; executed {share:.0f}% of peak",
                (left, profile.cell),
                va="center",
                fontsize=8,
            )
        panel.set_title(workload, fontsize=10)
        panel.invert_yaxis()
        panel.margins(x=0.32)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlabel("ms per training step, by phase of the slowest thread", fontsize=9)
    figure_.legend(legend.values(), legend.keys(), loc="outside lower center", ncols=5, fontsize=8)
    figure_.suptitle(note, fontsize=9)
    figure_.savefig(path, dpi=150)
    return True
