"""How exact is exact enough: a few times the error of the same equations in plain float32."""

from __future__ import annotations

import numpy as np

# A yardstick of a few numbers can be lucky, and a sum that cancels is small beside its terms: so
# many float32 roundings are allowed in any case. What fastrnn owes beyond that, on average over
# many numbers, parity/test_error_vs_keras.py asks for.
ROUNDINGS = 64 * 2.0**-24
# Products below the smallest normal number are flushed to zero on the way.
FLUSHED = 100 * float(np.finfo(np.float32).tiny)


def root_mean_square(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64)))) if array.size else 0.0


def assert_exact_enough(
    name: str, got: np.ndarray, exact: np.ndarray, float32: np.ndarray, factor: float = 4
) -> None:
    """Shape, dtype, and error against float64 next to the error of another float32 computation.

    Args:
        name: What the array is, for the message.
        got: float32 result under test.
        exact: The same in float64.
        float32: The same by plain float32, the yardstick.
        factor: How much larger the root mean square error of `got` may be than the yardstick's.
    """
    assert got.dtype == np.float32, name
    assert got.shape == exact.shape, name
    assert np.all(np.isfinite(got)), name
    if not exact.size:
        return
    size, error = root_mean_square(exact), got - exact
    allowed = factor * root_mean_square(float32 - exact) + ROUNDINGS * size + FLUSHED
    measured = root_mean_square(error)
    assert measured <= allowed, f"{name}: error {measured:.3g} > {allowed:.3g}, size {size:.3g}"
    # A wrong row, column or tail shows in its own error even where the mean hides it.
    largest = float(np.max(np.abs(error)))
    limit = 4 * factor * float(np.max(np.abs(float32 - exact))) + FLUSHED
    limit += 2 * ROUNDINGS * float(np.max(np.abs(exact)))
    assert largest <= limit, f"{name}: largest error {largest:.3g} > {limit:.3g}"
