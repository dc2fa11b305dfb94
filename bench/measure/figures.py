"""Figures in few characters."""

from __future__ import annotations


def figure(value: float, digits: int = 3) -> str:
    """So many digits that count, without an exponent: 0.0123, 4.56, 789."""
    if value == 0.0:
        return "0"
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return f"{value:.{max(0, digits - 1 - exponent)}f}"
