"""50 training steps of Embedding -> cell -> Dense follow Keras's losses: golden file, and live."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support import parity_cases
from support.keras_cells import KERAS_CELLS

RELATIVE = 1e-4

with np.load(parity_cases.TRAINING_FILE) as file:
    GOLDEN = dict(file)

cells = pytest.mark.parametrize("cell", KERAS_CELLS)
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
def test_live(cell: str, data: str, keras_graphs: ModuleType) -> None:
    """Keras as installed here, from its own initial weights; 15 steps, as the others are golden."""
    import fastrnn

    keras, tokens = keras_graphs, GOLDEN[f"tokens/{data}"][:15]
    keras.utils.set_random_seed(11)
    theirs = parity_cases.training_model(keras, cell, "adam")
    ours = parity_cases.training_model(fastrnn, cell, "adam", theirs.get_weights())
    if data == "distinct":
        want = parity_cases.training_losses(theirs, tokens)
    else:
        want = parity_cases.dense_gradient_losses(keras, theirs, tokens)
    got = parity_cases.training_losses(ours, tokens)
    np.testing.assert_allclose(got, want, rtol=RELATIVE, atol=0)


# Each with some of the arguments that all share.
EVERY_OPTIMIZER: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"learning_rate": 0.3, "momentum": 0.7, "loss_scale_factor": 3.0}),
    ("RMSprop", {"learning_rate": 0.005, "centered": True, "momentum": 0.5, "rho": 0.95}),
    ("Adam", {"learning_rate": 0.01, "amsgrad": True, "gradient_accumulation_steps": 2}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1, "clipnorm": 0.05}),
    (
        "Adagrad",
        {"learning_rate": 0.3, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 10},
    ),
    ("Nadam", {"learning_rate": 0.01, "clipvalue": 0.01}),
    ("Adamax", {"learning_rate": 0.02, "global_clipnorm": 0.1}),
    ("Adadelta", {"learning_rate": 1.0, "use_ema": True, "ema_momentum": 0.5}),
]


@pytest.fixture(scope="module")
def gru_gradients(keras: ModuleType) -> tuple[Any, Callable[..., list[Any]]]:
    """A model of Keras, and its gradients on a batch, which one graph serves for all optimizers."""
    import tensorflow as tf

    model = parity_cases.training_model(keras, "gru", "adam", initial_weights("gru"))
    weights = [weight.value for weight in model.trainable_weights]

    def gradients(tokens: Any, labels: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            loss = keras.losses.BinaryCrossentropy()(labels, model(tokens, training=True))
        return [tf.convert_to_tensor(d) for d in tape.gradient(loss, weights)]

    return model, tf.function(gradients)


@pytest.mark.parametrize(("name", "config"), EVERY_OPTIMIZER, ids=str)
def test_weights_of_every_optimizer(
    name: str,
    config: dict[str, Any],
    keras_graphs: ModuleType,
    gru_gradients: tuple[Any, Callable[..., list[Any]]],
) -> None:
    """Through `fit`, to the averages at its end."""
    import fastrnn
    import tensorflow as tf

    tokens = GOLDEN["tokens/repeated"].astype(np.int32)
    labels = parity_cases.training_labels(tokens)
    start = initial_weights("gru")
    theirs, gradients = gru_gradients
    theirs.set_weights(start)
    reference = getattr(keras_graphs.optimizers, name)(**config)
    reference.build(theirs.trainable_weights)
    apply = tf.function(
        lambda step: reference.apply(step, theirs.trainable_weights), autograph=False
    )
    for batch, wanted in zip(tokens, labels, strict=True):
        scale = config.get("loss_scale_factor", 1.0)
        apply([scale * gradient for gradient in gradients(batch, wanted)])
    reference.finalize_variable_values(theirs.trainable_weights)

    ours = parity_cases.training_model(fastrnn, "gru", "adam", start)
    ours.compile(getattr(fastrnn.optimizers, name)(**config), "binary_crossentropy")
    ours.fit(
        tokens.reshape(-1, tokens.shape[-1]), labels.reshape(-1, 1),
        batch_size=parity_cases.TRAINING_BATCH, shuffle=False, verbose=0,
    )  # fmt: skip
    for got, want, before in zip(ours.get_weights(), theirs.get_weights(), start, strict=True):
        moved = np.abs(want - before).max()
        assert moved > 0.01
        np.testing.assert_allclose(got, want, rtol=0, atol=5e-5 * moved)


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
