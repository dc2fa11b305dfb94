"""fastrnn's error against the float64 oracle is within 1.5 times Keras's own on the same case."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support import reference
from support.float32_error import root_mean_square
from support.keras_cells import layer_of
from support.rnn_cells import KERAS_HAS, Cell, flatten, normal

# batch, steps, features, units
SIZES = [(16, 20, 8, 12), (7, 33, 17, 50), (32, 100, 32, 33), (65, 7, 1, 130)]
SEEDS = 3  # one run of a few numbers is good or bad luck
FACTOR = 1.5


def keras_run(
    keras: ModuleType, cell: Cell, x: np.ndarray, weights: Any, d_outputs: np.ndarray, d_states: Any
) -> dict[str, np.ndarray]:
    """Outputs, states and gradients of Keras's layer in float32, named as in fastrnn.kernels."""
    import tensorflow as tf

    units = weights[1].shape[0]
    layer = layer_of(keras.layers, cell.id, units, return_sequences=True, return_state=True)
    layer.build(x.shape)
    layer.set_weights(list(weights))
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs, *states = layer(x)
        loss = tf.reduce_sum(outputs * d_outputs)
        loss += sum(tf.reduce_sum(s * d) for s, d in zip(states, d_states, strict=True))
    d_x, d_weights = tape.gradient(loss, [x, [w.value for w in layer.trainable_weights]])
    names = ("kernel", "recurrent_kernel", "bias")
    results = {"outputs": outputs, "x": d_x, **dict(zip(names, d_weights, strict=True))}
    results.update({f"states[{k}]": state for k, state in enumerate(states)})
    return {name: np.asarray(array) for name, array in results.items()}


def errors(got: dict[str, np.ndarray], exact: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: root_mean_square(got[name] - exact[name]) for name in got}


@functools.lru_cache(maxsize=SEEDS)
def judged(keras: ModuleType, cell: Cell, sizes: tuple[int, ...], seed: int) -> tuple[Any, ...]:
    """A problem, the exact results, and Keras's errors; kept while the ISA level changes."""
    batch, steps, features, units = sizes
    rng = np.random.default_rng([*sizes, seed])
    x, weights = normal(rng, batch, steps, features), cell.weights(rng, features, units)
    d_outputs, d_states = normal(rng, batch, steps, units), cell.random_states(rng, batch, units)
    output = reference.rnn_forward(cell.oracle, x, *weights, return_sequences=True)
    gradients = reference.rnn_backward(output.tape, d_outputs, d_states)
    exact = {**flatten(output), **flatten(gradients)}
    kerass = errors(keras_run(keras, cell, x, weights, d_outputs, d_states), exact)
    return x, weights, d_outputs, d_states, exact, kerass


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("cell", KERAS_HAS, ids=lambda cell: cell.id)
def test_error(cell: Cell, sizes: Any, isa: str, keras: ModuleType) -> None:
    ratios: dict[str, list[float]] = {}
    for seed in range(SEEDS):
        x, weights, d_outputs, d_states, exact, kerass = judged(keras, cell, sizes, seed)
        output = cell.forward(x, *weights, return_sequences=True)
        gradients = cell.backward(output.tape, d_outputs, d_states)
        ours = errors({**flatten(output), **flatten(gradients)}, exact)
        for name, error in kerass.items():
            ratios.setdefault(name, []).append(ours[name] / error)
    means = {name: float(np.mean(values)) for name, values in ratios.items()}
    assert max(means.values()) <= FACTOR, means
