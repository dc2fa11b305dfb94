"""Arrays by name: numbering, and the comparison of what two libraries answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def parts(result: Any) -> list[Any]:
    """The arrays that a call returned."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def numbered(prefix: str, arrays: Iterable[Any]) -> Arrays:
    """`prefix/0`, `prefix/1`, ..."""
    return {f"{prefix}/{k}": np.asarray(array) for k, array in enumerate(arrays)}


def sequence(arrays: Mapping[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    """Inverts `numbered`."""
    count = sum(key.startswith(f"{prefix}/") for key in arrays)
    return [arrays[f"{prefix}/{k}"] for k in range(count)]


def moves(prefix: str, after: Iterable[Any], before: Iterable[Any]) -> Arrays:
    """How far each weight has moved, numbered."""
    pairs = zip(after, before, strict=True)
    return numbered(prefix, [np.asarray(one) - np.asarray(other) for one, other in pairs])


def assert_same_answers(got: Arrays, want: Arrays, limits: Mapping[str, float]) -> None:
    """Compare arrays by name.

    Args:
        got: What was answered here.
        want: What Keras answered.
        limits: The largest difference as a share of the largest number of an array, by the first
            part of its name, with "" for all others.
    """
    assert sorted(got) == sorted(want)
    for key, wanted in want.items():
        assert got[key].shape == wanted.shape, key
        share = limits.get(key.partition("/")[0], limits[""])
        largest = float(np.max(np.abs(wanted), initial=1e-3, where=np.isfinite(wanted)))
        np.testing.assert_allclose(
            got[key], wanted, rtol=0, atol=share * largest, err_msg=key, equal_nan=True
        )
