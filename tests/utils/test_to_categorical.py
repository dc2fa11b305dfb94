"""`to_categorical` is Keras's, but refuses ids that are no classes with a clear message."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn.utils import to_categorical


@pytest.mark.parametrize(
    ("x", "num_classes"),
    [
        ([0, 2, 1], None),
        ([0, 2, 1], 5),
        ([[0], [2]], None),
        ([[0, 1], [2, 1]], None),
        (np.zeros((2, 3, 1), np.int8), 2),
        (2, None),
        ([1.0, 0.0], None),
        ([], 3),
        ([-1, 0, 1], 3),
        ([[-3], [2], [-2]], 3),
        ([2, -1], None),
    ],
    ids=str,
)
def test_as_keras(x: Any, num_classes: int | None, keras: ModuleType) -> None:
    got, want = to_categorical(x, num_classes), keras.utils.to_categorical(x, num_classes)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    ("x", "num_classes", "message"),
    [
        ([0, 3], 3, r"in \[-3, 3\).*Received: 3"),
        ([0, -2], None, r"in \[-1, 1\).*Received: -2"),
        ([-1, -2], None, "`num_classes` must be given.*Received: -1"),
        ([], None, "`num_classes` must be given"),
    ],
)
def test_refuses(x: Any, num_classes: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_categorical(x, num_classes)
