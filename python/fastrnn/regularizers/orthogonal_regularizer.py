"""A penalty on rows or columns that point the same way."""

from __future__ import annotations

import numpy as np

from fastrnn.arguments import check_number
from fastrnn.regularizers.regularizer import Regularizer

_MODES = ("rows", "columns")
# Keras divides by the square root of this if the squared norm is smaller.
_LEAST_SQUARED_NORM = 1e-14


class OrthogonalRegularizer(Regularizer):
    """Pulls the rows (or columns) of a matrix towards being orthogonal to each other.

    With the rows n_i scaled to length 1, the penalty is `factor` times the mean of
    `abs(n_i . n_j)` over all pairs i < j.

    Args:
        factor: Factor of the penalty.
        mode: `"rows"` or `"columns"`.

    Raises:
        ValueError: If an argument is not one of these, or on a call if the array is not a matrix.

    Example:
        >>> import numpy as np
        >>> OrthogonalRegularizer(1.0)(np.eye(3)), OrthogonalRegularizer(1.0)(np.ones((3, 1)))
        (0.0, 1.0)
    """

    config_arguments: tuple[str, ...] = ("factor", "mode")

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = check_number("factor", factor, 0.0)
        if mode not in _MODES:
            raise ValueError(f"`mode` must be one of {_MODES}. Received: mode={mode!r}")
        self.mode = mode

    def __call__(self, x: np.ndarray) -> float:
        """Return the penalty."""
        unit, _ = self._unit_rows(x)
        products = unit @ unit.T
        np.fill_diagonal(products, 0.0)
        return self._per_product(len(unit)) * float(np.abs(products).sum())

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the derivative of the penalty with respect to each element, float32."""
        unit, norms = self._unit_rows(x)
        signs = np.sign(unit @ unit.T)
        np.fill_diagonal(signs, 0.0)
        d_unit = 2.0 * self._per_product(len(unit)) * (signs @ unit)
        # n = x / |x|, so d_x = (d_n - n (n . d_n)) / |x|
        d_x = (d_unit - unit * (unit * d_unit).sum(axis=1, keepdims=True)) / norms
        return np.ascontiguousarray(self._as_rows(d_x), dtype=np.float32)

    def _per_product(self, rows: int) -> float:
        """Return the factor of each of the `rows * (rows - 1)` products, two for a pair."""
        return self.factor / max(rows * (rows - 1.0), 1.0)

    def _unit_rows(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows to compare, of length 1, and their lengths `[rows, 1]`."""
        matrix = np.asarray(x, dtype=np.float64)
        if matrix.ndim != 2:
            raise ValueError(
                f"OrthogonalRegularizer takes matrices only. Received: shape={matrix.shape}"
            )
        rows = self._as_rows(matrix)
        squares = np.square(rows).sum(axis=1, keepdims=True)
        norms = np.sqrt(np.maximum(squares, _LEAST_SQUARED_NORM))
        return rows / norms, norms

    def _as_rows(self, matrix: np.ndarray) -> np.ndarray:
        """Transpose a matrix whose columns are compared, or back."""
        return matrix if self.mode == "rows" else matrix.T
