"""What counts as sequences: arrays of two or three dimensions, and lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

# Arrays [samples, steps, features] or [samples, steps] (tokens); or a list of one per sample.
Sequences: TypeAlias = "np.ndarray | list[np.ndarray]"


def read_sequences(estimator: BaseEstimator, x: Any, *, tokens: bool, first: bool) -> Sequences:
    """Return sequences as `fit` and `predict` of a model take them.

    An array [samples, steps] of values is a series of one feature. As scikit-learn asks of arrays
    of two dimensions, later ones must have as many columns (steps) as the first.

    Args:
        estimator: For which; its `n_features_in_` is set or compared. It is the number of columns
            of an array [samples, steps], else that of features.
        x: Array [samples, steps] or [samples, steps, features], or a list of sequences of any
            lengths, each [steps] or [steps, features].
        tokens: Whether the values are tokens: integers >= 0, without features.
        first: Whether this call sets `n_features_in_`.

    Raises:
        ValueError: If the shapes do not fit, values are missing or infinite, or tokens are
            negative or fractions.
    """
    if _is_list_of_sequences(x, tokens):
        ragged = [_read_one(one, number, tokens) for number, one in enumerate(x)]
        _count_features(estimator, _features_of(ragged), first)
        return ragged
    dimensions = x.ndim if hasattr(x, "ndim") else np.asarray(x).ndim
    if dimensions == 3:
        series: np.ndarray = check_array(x, allow_nd=True, dtype=np.float32, estimator=estimator)
        if tokens:
            raise ValueError(
                "With `vocabulary_size`, X must be tokens [samples, steps]. "
                f"Received: shape={series.shape}"
            )
        _count_features(estimator, series.shape[2], first)
        return series
    values = validate_data(estimator, x, reset=first, dtype=np.float64 if tokens else np.float32)
    return _as_tokens(values, "X") if tokens else values[:, :, np.newaxis]


def choose(x: Sequences, rows: np.ndarray) -> Sequences:
    """Return the sequences of these rows."""
    return [x[row] for row in rows] if isinstance(x, list) else x[rows]


def _is_list_of_sequences(x: Any, tokens: bool) -> bool:
    """Whether x holds sequences of any lengths, not the rows of an array."""
    if isinstance(x, np.ndarray) and x.dtype == object and x.ndim == 1:
        return any(isinstance(one, Sequence | np.ndarray) for one in x)
    if not isinstance(x, Sequence) or isinstance(x, str | bytes) or not x:
        return False
    if not all(isinstance(one, Sequence | np.ndarray) for one in x):
        return False
    return tokens or isinstance(x[0], np.ndarray) or len({len(one) for one in x}) > 1


def _read_one(one: Any, number: int, tokens: bool) -> np.ndarray:
    """Return a sequence of a list: [steps] of tokens, or [steps, features]."""
    what = f"X[{number}]"
    try:
        values = np.asarray(one, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} must be an array of numbers: {error}") from error
    if values.ndim not in ((1,) if tokens else (1, 2)):
        expected = "[steps]" if tokens else "[steps] or [steps, features]"
        raise ValueError(f"{what} must have shape {expected}. Received: shape={values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{what} must not contain NaN or infinity")
    if tokens:
        return _as_tokens(values, what)
    return (values[:, np.newaxis] if values.ndim == 1 else values).astype(np.float32)


def _as_tokens(values: np.ndarray, what: str) -> np.ndarray:
    tokens = values.astype(np.int64)
    wrong = (tokens != values) | (tokens < 0)
    if wrong.any():
        raise ValueError(
            f"With `vocabulary_size`, {what} must be integers >= 0. Received: {values[wrong][0]}"
        )
    return tokens


def _features_of(x: list[np.ndarray]) -> int:
    counts = {one.shape[1] if one.ndim == 2 else 1 for one in x}
    if len(counts) > 1:
        raise ValueError(
            "All sequences must have the same number of features. "
            f"Received: {', '.join(map(str, sorted(counts)))}"
        )
    return counts.pop()


def _count_features(estimator: Any, features: int, first: bool) -> None:
    if first:
        estimator.n_features_in_ = features
    elif features != estimator.n_features_in_:
        raise ValueError(
            f"X has {features} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input"
        )
