"""The script that sets rounding errors beside each other, with what is always installed."""

from __future__ import annotations

import numpy as np


def test_errors_of_all_cells_are_roundings() -> None:
    import errors

    for cell in errors.KERAS_HAS:
        found = errors.relative_errors({"fastrnn": errors.fastrnn_results}, cell, 10)["fastrnn"]
        assert set(found) == {"outputs", "x", "kernel", "recurrent_kernel", "bias"}
        assert all(1e-8 < error < 1e-6 for error in found.values()), found

    def a_thousandth_off(*problem: object) -> dict[str, np.ndarray]:
        results = errors.fastrnn_results(*problem)
        return {**results, "kernel": 1.001 * results["kernel"]}

    off = errors.relative_errors({"fastrnn": a_thousandth_off}, cell, 10)["fastrnn"]
    assert off["kernel"] > 9e-4
    rounded = errors.relative_errors({"fastrnn": errors.IN_BFLOAT16["fastrnn"][0]}, cell, 10)
    assert all(1e-3 < error < 1e-2 for error in rounded["fastrnn"].values())
