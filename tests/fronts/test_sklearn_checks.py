"""scikit-learn's own checks of estimators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("sklearn", exc_type=ImportError)

from fastrnn.sklearn import SequenceClassifier, SequenceRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

BATCHES = "batches and their order depend on the number of samples, so a weight is not a copy"


def expected_failures(estimator: Any) -> dict[str, str]:
    return {
        "check_sample_weight_equivalence_on_dense_data": BATCHES,
    }


@parametrize_with_checks(
    [
        SequenceClassifier(cell="GRU", units=8, learning_rate=0.02),
        SequenceRegressor(cell="GRU", units=8, learning_rate=0.02),
    ],
    expected_failed_checks=expected_failures,
)
def test_check(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
