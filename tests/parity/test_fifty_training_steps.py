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
optimizers = pytest.mark.parametrize("optimizer", parity_cases.OPTIMIZERS)
data = pytest.mark.parametrize("data", parity_cases.DATA)


def initial_weights(cell: str) -> list[np.ndarray]:
    count = sum(key.startswith(f"{cell}/weights/") for key in GOLDEN)
    return [GOLDEN[f"{cell}/weights/{k}"] for k in range(count)]


@optimizers
@cells
def test_the_golden_runs_learn(cell: str, optimizer: str) -> None:
    """Losses that stand still would prove nothing."""
    losses = GOLDEN[f"{cell}/{optimizer}/repeated"]
    assert losses.shape == (parity_cases.TRAINING_STEPS,)
    assert np.mean(losses[-10:]) < 0.95 * np.mean(losses[:10])


@data
@optimizers
@cells
def test_golden(cell: str, optimizer: str, data: str, isa: str) -> None:
    import fastrnn

    model = parity_cases.training_model(fastrnn, cell, optimizer, initial_weights(cell))
    losses = parity_cases.training_losses(model, GOLDEN[f"tokens/{data}"])
    np.testing.assert_allclose(losses, GOLDEN[f"{cell}/{optimizer}/{data}"], rtol=RELATIVE, atol=0)
    if optimizer == "adam" and data == "distinct":
        for k, got in enumerate(model.get_weights()):
            want = GOLDEN[f"{cell}/adam/final/{k}"]
            np.testing.assert_allclose(got, want, rtol=0, atol=2e-4, err_msg=str(k))


@data
@cells
def test_live(cell: str, data: str, keras: ModuleType) -> None:
    """Keras as installed here, from its own initial weights."""
    import fastrnn

    tokens = GOLDEN[f"tokens/{data}"]
    keras.utils.set_random_seed(11)
    theirs = parity_cases.training_model(keras, cell, "adam")
    ours = parity_cases.training_model(fastrnn, cell, "adam", theirs.get_weights())
    if data == "distinct":
        want = parity_cases.training_losses(theirs, tokens)
    else:
        want = parity_cases.dense_gradient_losses(keras, theirs, tokens)
    got = parity_cases.training_losses(ours, tokens)
    np.testing.assert_allclose(got, want, rtol=RELATIVE, atol=0)


def test_keras_on_tensorflow_squares_repeated_rows_one_by_one(keras: ModuleType) -> None:
    """The reason for two kinds of data. If this fails, Keras has changed: compare directly."""
    import tensorflow as tf

    def velocity(gradient: object) -> np.ndarray:
        variable = keras.Variable(np.zeros((3, 1), np.float32))
        optimizer = keras.optimizers.Adam()
        optimizer.build([variable])
        optimizer.apply([gradient], [variable])
        return np.ravel(optimizer._velocities[0])

    rows = tf.IndexedSlices(tf.constant([[1.0], [2.0]]), tf.constant([1, 1]), tf.constant([3, 1]))
    np.testing.assert_allclose(velocity(rows), [0, 0.001 * (1 + 4), 0], rtol=1e-5)
    np.testing.assert_allclose(velocity(tf.convert_to_tensor(rows)), [0, 0.001 * 9, 0], rtol=1e-5)


@cells
def test_same_bits_for_any_number_of_threads(cell: str, set_threads: Callable[[int], None]) -> None:
    import fastrnn

    runs = []
    for threads in (1, 2, 3):
        set_threads(threads)
        model = parity_cases.training_model(fastrnn, cell, "adam", initial_weights(cell))
        losses = parity_cases.training_losses(model, GOLDEN["tokens/repeated"])
        runs.append([losses, *model.get_weights()])
    for run in runs[1:]:
        for a, b in zip(runs[0], run, strict=True):
            np.testing.assert_array_equal(a, b)
