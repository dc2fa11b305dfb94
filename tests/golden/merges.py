"""Layers of several inputs: a call on arrays with masks, then all gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden import draws
from golden.answers import Arrays, numbered, sequence
from golden.objects import fastrnn_object, keras_object, layer

LIMITS = {"": 3e-6, "gradient": 6e-6}


def _row(
    made: dict[str, Any], *shapes: tuple[int, ...], masks: str = "", **arguments: Any
) -> dict[str, Any]:
    """A row of the table, with further arguments of the call.

    `masks` has a letter for each input; "m" says that it has a mask.
    """
    row = {"layer": made, "shapes": list(shapes), "masks": masks or "-" * len(shapes)}
    return {**row, "arguments": arguments} if arguments else row


_STEPS = (3, 5, 4)
CASES: dict[str, Any] = {
    f"{name} {what}": _row(layer(name), *shapes, masks=masks)
    for name in ("Add", "Average", "Multiply", "Maximum", "Minimum")
    for what, shapes, masks in (
        ("plain", [(3, 4)] * 3, ""),
        ("broadcast", [_STEPS, (3, 4), (3, 5, 1)], ""),
        ("masked", [_STEPS] * 3, "mmm"),
        ("partly masked", [_STEPS] * 3, "m-m"),
        ("masked last", [_STEPS] * 2, "-m"),
        ("one input", [_STEPS], "m"),
    )
}
CASES |= {
    "Subtract": _row(layer("Subtract"), (3, 4), (3, 4)),
    "Subtract broadcast": _row(layer("Subtract"), _STEPS, (3, 4)),
    "Subtract masked": _row(layer("Subtract"), _STEPS, _STEPS, masks="mm"),
    "Concatenate": _row(layer("Concatenate"), (3, 4), (3, 2), (3, 1)),
    "Concatenate masked": _row(layer("Concatenate"), _STEPS, (3, 5, 2), masks="mm"),
    "Concatenate partly masked": _row(layer("Concatenate"), _STEPS, (3, 5, 2), masks="-m"),
    "Concatenate steps": _row(layer("Concatenate", axis=1), _STEPS, (3, 2, 4), masks="mm"),
    "Concatenate steps partly": _row(layer("Concatenate", axis=-2), _STEPS, (3, 2, 4), masks="m-"),
    "Dot vectors": _row(layer("Dot", axes=1), (3, 4), (3, 4)),
    "Dot last": _row(layer("Dot", axes=-1), _STEPS, (3, 2, 4)),
    "Dot both axes": _row(layer("Dot", axes=[1, 2]), _STEPS, (3, 2, 5)),
    "Dot with a vector": _row(layer("Dot", axes=[2, 1]), _STEPS, (3, 4)),
    "Dot of a vector": _row(layer("Dot", axes=[1, 2]), (3, 4), _STEPS),
    "Dot four": _row(layer("Dot", axes=[3, 1]), (3, 2, 5, 4), (3, 4, 2, 2)),
    "Dot cosine": _row(layer("Dot", axes=-1, normalize=True), (3, 4), (3, 4)),
    "Dot cosines": _row(layer("Dot", axes=[2, 2], normalize=True), _STEPS, (3, 2, 4), masks="mm"),
}

# Queries, values and keys differ in steps and features, so that none can stand for another.
_QUERY, _VALUE, _KEY = (3, 4, 5), (3, 6, 2), (3, 6, 5)
_CAUSAL = {"use_causal_mask": True}
for _title, _made in {
    "Attention": layer("Attention"),
    "Attention scaled": layer("Attention", use_scale=True),
    "Attention sums": layer("Attention", score_mode="concat"),
    "Attention sums scaled": layer("Attention", score_mode="concat", use_scale=True),
    "AdditiveAttention": layer("AdditiveAttention"),
    "AdditiveAttention plain": layer("AdditiveAttention", use_scale=False),
}.items():
    CASES |= {
        f"{_title} keys": _row(_made, _QUERY, _VALUE, _KEY),
        f"{_title} values as keys": _row(_made, _QUERY, _KEY),
        f"{_title} masked": _row(_made, _QUERY, _KEY, masks="mm"),
        f"{_title} values masked": _row(_made, _QUERY, _VALUE, _KEY, masks="-m-"),
        f"{_title} causal": _row(_made, _QUERY, _VALUE, _KEY, masks="mm-", **_CAUSAL),
    }
# Its gradient of `scale` is 3% of the sum of its terms' sizes: float32 rounds too much of it.
del CASES["Attention sums scaled causal"]
for _name in ("Attention", "AdditiveAttention"):
    CASES[f"{_name} dropout off"] = _row(layer(_name, dropout=0.3), _QUERY, _VALUE, _KEY)


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    shapes = [tuple(shape) for shape in row["shapes"]]
    given = numbered("x", [draws.draw(rng, "normal", shape) for shape in shapes])
    for k, (has, shape) in enumerate(zip(row["masks"], shapes, strict=True)):
        if has == "m":
            given[f"mask {k}"] = ~draws.padding(rng, shape[:2])
    merge = keras_object(row["layer"])
    y = merge(sequence(given, "x"))
    given |= numbered("weights", draws.weights_of(rng, merge.weights))
    return given | {"d": draws.draw(rng, "normal", tuple(y.shape))}


def _masks(row: dict[str, Any], given: Arrays) -> list[np.ndarray | None]:
    return [given.get(f"mask {k}") for k in range(len(row["shapes"]))]


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    import tensorflow as tf
    from keras.src.backend import set_keras_mask

    merge = keras_object(row["layer"])
    inputs = [tf.constant(x) for x in sequence(given, "x")]
    masks = [None if mask is None else tf.constant(mask) for mask in _masks(row, given)]
    for x, mask in zip(inputs, masks, strict=True):
        set_keras_mask(x, mask)
    merge.build([tuple(x.shape) for x in inputs])
    merge.set_weights(sequence(given, "weights"))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = merge(inputs, **row.get("arguments", {}))
        loss = tf.reduce_sum(y * given["d"])
    gradients = tape.gradient(loss, inputs + [each.value for each in merge.trainable_weights])
    return _answers(y, merge.compute_mask(inputs, masks), gradients)


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    merge = fastrnn_object(row["layer"])
    inputs, masks = merge.as_input(sequence(given, "x")), _masks(row, given)
    assert merge.compute_output_shape([x.shape for x in inputs]) == given["d"].shape
    merge.build([x.shape for x in inputs])
    merge.set_weights(sequence(given, "weights"))
    options = [masks] if merge.uses_mask else []
    # As Keras's call: without dropout.
    y, cache = merge.run(inputs, False, *options, **row.get("arguments", {}))
    gradients, of_weights = merge.backward(cache, given["d"])
    return _answers(y, merge.compute_mask(inputs, masks), [*gradients, *of_weights])


def _answers(y: Any, mask: Any, gradients: Any) -> Arrays:
    answers = {"output": np.asarray(y)} | numbered("gradient", map(np.asarray, gradients))
    return answers if mask is None else answers | {"output mask": np.asarray(mask)}
