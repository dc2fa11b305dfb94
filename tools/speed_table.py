"""Writes README's table of speeds and docs/images/speed.svg from the figures in bench/RESULTS.md.

python tools/speed_table.py
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import NamedTuple

from generated_text import write_between_markers

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "RESULTS.md"
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "images" / "speed.svg"
BEGIN = "<!-- python tools/speed_table.py writes what follows -->"

# The lesson that most people know, dropout, and the model with the smallest gain.
MODELS = (
    "imdb-200 SimpleRNN",
    "imdb-200 LSTM",
    "imdb-200 GRU",
    "imdb-300-dropout LSTM",
    "wide-1024 LSTM",
)
SYSTEMS = {
    "fastrnn": "#d1495b",
    "Keras TF": "#30638e",
    "Keras JAX": "#5b8fb9",
    "PyTorch, flushed": "#8a8d91",
}
LABEL_WIDTH, BAR_WIDTH, MARGIN = 170, 480, 12  # pixels
BAR, GAP, LEGEND = 13, 12, 34


class Speed(NamedTuple):
    """The time of one model in one system.

    Attributes:
        ms: Milliseconds per training step.
        ratio: How many times faster fastrnn is.
    """

    ms: str
    ratio: float

    def __str__(self) -> str:
        return self.ms if self.ratio == 1.0 else f"{self.ms} ({self.ratio:.1f}x)"


def speeds(results: str) -> dict[str, dict[str, Speed]]:
    """Return the time of each model in each system, out of the table of training in RESULTS.md."""
    header, rows = re.findall(
        r"^\| workload, model \| (fastrnn \|.*) \|\n\|[-|]+\n((?:\|.*\n)+)", results, re.MULTILINE
    )[0]
    systems = header.split(" | ")
    table = {}
    for row in rows.splitlines():
        model, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        measured = [
            (system, re.fullmatch(r"([\d.]+)(?: \(([\d.]+)x\))?", cell))
            for system, cell in zip(systems, cells, strict=True)
        ]
        table[model] = {
            system: Speed(match[1], float(match[2] or 1)) for system, match in measured if match
        }
    return table


def table(found: dict[str, dict[str, Speed]]) -> str:
    """Return README's table in Markdown."""
    lines = [f"| ms per training step | {' | '.join(SYSTEMS)} |", "|---" * (len(SYSTEMS) + 1) + "|"]
    for model in MODELS:
        cells = (str(found[model].get(system, "none")) for system in SYSTEMS)
        lines.append(f"| {model} | {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(found: dict[str, dict[str, Speed]]) -> str:
    """Return the same as a bar chart in SVG: the time of each system over fastrnn's."""
    longest = max(speed.ratio for model in MODELS for speed in found[model].values())
    body, y = [], LEGEND + MARGIN
    for model in MODELS:
        bars = [(system, found[model][system]) for system in SYSTEMS if system in found[model]]
        middle = y + len(bars) * BAR / 2 + 4
        body.append(_text(LABEL_WIDTH - 8, middle, model, 'text-anchor="end"'))
        for system, speed in bars:
            width = BAR_WIDTH * speed.ratio / longest
            body.append(_bar(LABEL_WIDTH, y, width, BAR - 1, SYSTEMS[system]))
            body.append(_text(LABEL_WIDTH + width + 5, y + BAR - 3, f"{speed.ratio:.1f}"))
            y += BAR
        y += GAP
    x = LABEL_WIDTH
    for system, colour in SYSTEMS.items():
        body.append(_bar(x, MARGIN, BAR - 1, BAR - 1, colour))
        body.append(_text(x + BAR + 4, MARGIN + BAR - 3, system))
        x += 125
    width, height = LABEL_WIDTH + BAR_WIDTH + 40, y
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
            "<title>Time of a training step, fastrnn's = 1</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *body,
            "</svg>\n",
        ]
    )


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="#333333" {attributes}>{escape(text)}</text>'


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


def main() -> None:
    """Write both."""
    found = speeds(RESULTS.read_text(encoding="utf-8"))
    write_between_markers(README, BEGIN, table(found))
    PICTURE.write_text(picture(found), "utf-8")


if __name__ == "__main__":
    main()
