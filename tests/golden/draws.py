"""Inputs by kind. They lie on a grid, so that files stay small, with no point where a kink is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

GRID = 64  # points in a unit; the numbers lie half way between them


def draw(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw an array.

    Args:
        rng: Where from.
        kind: One of the names below, some with a number behind: "tokens 7".
        shape: Its shape.
    """
    name, _, number = kind.partition(" ")
    if name in ("tokens", "ids"):
        return rng.integers(0, int(number), shape).astype(np.int32)
    if name == "labels":  # of CTC: any number of them, at least none in a row, zeros behind
        counts = rng.integers(0, shape[1] + 1, shape[0])
        inside = np.arange(shape[1]) < counts[:, np.newaxis]
        return (rng.integers(1, int(number), shape) * inside).astype(np.int32)
    if name == "binary":
        return rng.integers(0, 2, shape).astype(np.float32)
    if name == "counts":
        return rng.integers(0, 5, shape).astype(np.float32)
    if name == "signs":
        return rng.choice([-1.0, 1.0], shape).astype(np.float32)
    if name == "one_hot":
        return np.eye(shape[-1], dtype=np.float32)[rng.integers(0, shape[-1], shape[:-1])]
    if name == "weights":
        return rng.integers(0, 9, shape).astype(np.float32) / np.float32(4.0)
    if name == "unit":
        return _on_grid(rng.random(shape))
    if name == "positive":
        return _on_grid(rng.random(shape) * 3.0)
    if name == "padded":  # some steps hold the number alone
        values = _on_grid(rng.standard_normal(shape))
        values[padding(rng, shape[:2])] = float(number)
        return values
    scale = {"normal": 1.0, "wide": 4.0, "extreme": 60.0}[name]
    return _on_grid(scale * rng.standard_normal(shape))


def padding(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Which steps are masked: in one row none, in one all, in others any."""
    masked = rng.random(shape) < 0.4
    masked[0] = False
    masked[-1] = True
    return masked


def weight(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A weight of about a trained model's size, biases included."""
    scale = 0.9 / np.sqrt(shape[0]) if len(shape) > 1 else 0.3
    return _on_grid(scale * rng.standard_normal(shape))


def weights_of(rng: np.random.Generator, variables: Iterable[Any]) -> list[np.ndarray]:
    """Values for the weights of a layer or model; a variance is positive."""
    values = []
    for variable in variables:
        value = weight(rng, tuple(variable.shape))
        values.append(np.abs(value) if "variance" in variable.name else value)
    return values


def _on_grid(values: np.ndarray) -> np.ndarray:
    return ((np.floor(values * GRID) + 0.5) / GRID).astype(np.float32)
