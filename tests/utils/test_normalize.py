"""`normalize` is Keras's."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from fastrnn.utils import normalize

X = np.array([[[3.0, -4.0, 1.0], [0.0, 0.0, 0.0]], [[1.5, 2.0, -7.0], [0.25, 0.0, 9.0]]])


@pytest.mark.parametrize("axis", [-1, 0, 1, 2])
@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_as_keras(axis: int, order: float, dtype: str, keras: ModuleType) -> None:
    x = X.astype(dtype)
    if axis == 0:  # where Keras takes another axis to divide along than to sum along
        want = np.moveaxis(keras.utils.normalize(np.moveaxis(x, 0, -1), -1, order), -1, 0)
    else:
        want = keras.utils.normalize(x, axis, order)
    got = normalize(x, axis, order)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("axis", [1, -2, 0.5, None])
def test_refuses(axis: int) -> None:
    with pytest.raises(ValueError, match="`axis` must be an axis of `x`, which has 1"):
        normalize([1.0, 2.0], axis)
