"""The script that sets rounding errors beside each other, with what is always installed."""

from __future__ import annotations

import numpy as np
import pytest


def test_errors_of_all_cells_are_roundings(monkeypatch: pytest.MonkeyPatch) -> None:
    import errors

    for cell in errors.KERAS_HAS:
        found = errors.relative_errors(["fastrnn"], cell, 10)["fastrnn"]
        assert set(found) == {"outputs", "x", "kernel", "recurrent_kernel", "bias"}
        assert all(1e-8 < error < 1e-6 for error in found.values()), found

    def a_thousandth_off(*problem: object) -> dict[str, np.ndarray]:
        results = errors.fastrnn_results(*problem)
        return {**results, "kernel": 1.001 * results["kernel"]}

    monkeypatch.setitem(errors.SYSTEMS, "fastrnn", (a_thousandth_off, None))
    assert errors.relative_errors(["fastrnn"], cell, 10)["fastrnn"]["kernel"] > 9e-4
