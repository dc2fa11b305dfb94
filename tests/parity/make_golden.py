"""Makes the golden files of this folder with real Keras on TensorFlow:

    KERAS_BACKEND=tensorflow PYTHONPATH=tests python tests/parity/make_golden.py

layers.npz     each variant and model of parity_cases.py: weights, inputs, outputs, states and, by
               GradientTape, every gradient of sum(outputs * d_outputs) + sum(states * d_states),
               a mask where the variant is called with one
training.npz   losses of 50 training steps of each cell with each optimizer, weights after Adam
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import parity_cases as cases
import tensorflow as tf


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def variant_arrays(variant: cases.Variant, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One layer called once under a GradientTape; names as in fastrnn.ops."""
    layer: Any = getattr(keras.layers, variant.layer)(
        cases.UNITS, return_state=True, **variant.config
    )
    layer.build((cases.BATCH, cases.STEPS, cases.FEATURES))
    layer.set_weights(cases.random_weights(rng, [w.shape for w in layer.get_weights()]))
    state_count = 2 if variant.layer == "LSTM" else 1
    x = tf.constant(normal(rng, cases.BATCH, cases.STEPS, cases.FEATURES))
    initial = [tf.constant(normal(rng, cases.BATCH, cases.UNITS)) for _ in range(state_count)]
    if not variant.initial_state:
        initial = [tf.zeros_like(state) for state in initial]
    with tf.GradientTape() as tape:
        tape.watch([x, *initial])
        mask = tf.constant(cases.MASK) if variant.mask else None
        outputs, *states = layer(x, initial_state=initial, mask=mask)
        d_outputs = normal(rng, *outputs.shape)
        d_states = [normal(rng, *state.shape) for state in states]
        loss = tf.reduce_sum(outputs * d_outputs)
        loss += sum(tf.reduce_sum(s * d) for s, d in zip(states, d_states, strict=True))
    weights = [w.value for w in layer.trainable_weights]
    d_x, d_initial, d_weights = tape.gradient(loss, [x, initial, weights])
    arrays = {"x": x, "outputs": outputs, "d_outputs": d_outputs, "gradient/x": d_x}
    for name, weight, gradient in zip(
        ("kernel", "recurrent_kernel", "bias"), weights, d_weights, strict=False
    ):
        arrays[name] = weight
        arrays[f"gradient/{name}"] = gradient
    for k in range(state_count):
        arrays[f"states/{k}"], arrays[f"d_states/{k}"] = states[k], d_states[k]
        if variant.initial_state:
            arrays[f"initial_state/{k}"] = initial[k]
        arrays[f"gradient/initial_state/{k}"] = d_initial[k]
    return {name: np.asarray(array) for name, array in arrays.items()}


def model_arrays(
    rows: list[tuple[str, dict[str, Any]]], rng: np.random.Generator
) -> dict[str, Any]:
    """A model's prediction and its gradients: tokens, weights in order, outputs."""
    model = cases.make_model(keras, rows)
    tokens = rng.integers(0, rows[0][1]["input_dim"], (4, 5)).astype(np.int32)
    model.build((None, 5))
    weights = cases.random_weights(rng, [w.shape for w in model.get_weights()])
    model.set_weights(weights)
    with tf.GradientTape() as tape:
        outputs = model(tokens)
        d_outputs = normal(rng, *outputs.shape)
        loss = tf.reduce_sum(outputs * d_outputs)
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    arrays = {f"weights/{k}": weight for k, weight in enumerate(weights)}
    arrays |= {f"gradient/{k}": tf.convert_to_tensor(d) for k, d in enumerate(gradients)}
    arrays |= {"tokens": tokens, "outputs": outputs, "d_outputs": d_outputs}
    return {name: np.asarray(array) for name, array in arrays.items()}


def training_arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    data = cases.training_data(rng)
    arrays: dict[str, np.ndarray] = {f"tokens/{name}": tokens for name, tokens in data.items()}
    for cell in cases.CELLS:
        shapes = [w.shape for w in cases.training_model(keras, cell, "sgd").get_weights()]
        weights = cases.random_weights(rng, shapes)
        arrays.update({f"{cell}/weights/{k}": weight for k, weight in enumerate(weights)})
        for optimizer in cases.OPTIMIZERS:
            model = cases.training_model(keras, cell, optimizer, weights)
            losses = cases.training_losses(model, data["distinct"])
            arrays[f"{cell}/{optimizer}/distinct"] = losses
            if optimizer == "adam":
                final = model.get_weights()
                arrays.update({f"{cell}/adam/final/{k}": w for k, w in enumerate(final)})
            model = cases.training_model(keras, cell, optimizer, weights)
            losses = cases.dense_gradient_losses(keras, model, data["repeated"])
            arrays[f"{cell}/{optimizer}/repeated"] = losses
    return arrays


def layer_arrays() -> dict[str, np.ndarray]:
    layers: dict[str, np.ndarray] = {}
    for seed, (name, variant) in enumerate(cases.VARIANTS.items()):
        arrays = variant_arrays(variant, np.random.default_rng(seed))
        layers.update({f"{name}/{key}": array for key, array in arrays.items()})
    for seed, (name, rows) in enumerate(cases.MODELS.items(), start=1000):
        arrays = model_arrays(rows, np.random.default_rng(seed))
        layers.update({f"{name}/{key}": array for key, array in arrays.items()})
    return layers


def save(file: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez_compressed(file, keras_version=np.array(keras.__version__), **arrays)
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


def main() -> None:
    assert keras.backend.backend() == "tensorflow"
    save(cases.VARIANTS_FILE, layer_arrays())
    save(cases.TRAINING_FILE, training_arrays())


if __name__ == "__main__":
    main()
