"""50 training steps of Embedding -> cell -> Dense follow Keras's losses: golden file, and live."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import parity_cases
import pytest

RELATIVE = 1e-4

with np.load(parity_cases.TRAINING_FILE) as file:
    GOLDEN = dict(file)

cells = pytest.mark.parametrize("cell", parity_cases.CELLS)


def start(cell: str) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    count = sum(key.startswith(f"{cell}/weights/") for key in GOLDEN)
    weights = [GOLDEN[f"{cell}/weights/{k}"] for k in range(count)]
    return weights, GOLDEN["tokens"].astype(np.int32), GOLDEN["labels"].astype(np.float32)


def test_the_golden_runs_learn() -> None:
    """Losses that stand still would prove nothing."""
    for cell in parity_cases.CELLS:
        for optimizer in parity_cases.OPTIMIZERS:
            losses = GOLDEN[f"{cell}/{optimizer}/losses"]
            assert losses.shape == (parity_cases.TRAINING_STEPS,)
            assert np.mean(losses[-10:]) < 0.93 * np.mean(losses[:10]), (cell, optimizer)


@cells
@pytest.mark.parametrize("optimizer", parity_cases.OPTIMIZERS)
def test_golden(cell: str, optimizer: str, isa: str) -> None:
    import fastrnn

    weights, tokens, labels = start(cell)
    losses, final = parity_cases.training_losses(fastrnn, cell, optimizer, weights, tokens, labels)
    np.testing.assert_allclose(losses, GOLDEN[f"{cell}/{optimizer}/losses"], rtol=RELATIVE, atol=0)
    if optimizer == "adam":
        for k, got in enumerate(final):
            want = GOLDEN[f"{cell}/adam/final/{k}"]
            np.testing.assert_allclose(got, want, rtol=0, atol=2e-4, err_msg=str(k))


@cells
def test_live(cell: str, keras: ModuleType) -> None:
    """Keras as installed here, from its own initial weights."""
    import fastrnn

    _, tokens, labels = start(cell)
    keras.utils.set_random_seed(11)
    weights = parity_cases.training_model(keras, cell).get_weights()
    want, _ = parity_cases.training_losses(keras, cell, "adam", weights, tokens, labels)
    got, _ = parity_cases.training_losses(fastrnn, cell, "adam", weights, tokens, labels)
    np.testing.assert_allclose(got, want, rtol=RELATIVE, atol=0)


@cells
def test_same_bits_for_any_number_of_threads(cell: str, set_threads: Callable[[int], None]) -> None:
    import fastrnn

    weights, tokens, labels = start(cell)
    runs = []
    for threads in (1, 2, 3):
        set_threads(threads)
        runs.append(parity_cases.training_losses(fastrnn, cell, "adam", weights, tokens, labels))
    for losses, final in runs[1:]:
        np.testing.assert_array_equal(runs[0][0], losses)
        for a, b in zip(runs[0][1], final, strict=True):
            np.testing.assert_array_equal(a, b)
