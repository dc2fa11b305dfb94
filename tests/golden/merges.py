"""Layers of several inputs: a call on arrays with masks, then the gradients of the inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden import draws
from golden.answers import Arrays, numbered, sequence
from golden.objects import fastrnn_object, keras_object, layer

LIMITS = {"": 3e-6, "gradient": 6e-6}


def _row(made: dict[str, Any], *shapes: tuple[int, ...], masks: str = "") -> dict[str, Any]:
    """A row of the table; of `masks`, which has a letter for each input, "m" says it has one."""
    return {"layer": made, "shapes": list(shapes), "masks": masks or "-" * len(shapes)}


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


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    shapes = [tuple(shape) for shape in row["shapes"]]
    given = numbered("x", [draws.draw(rng, "normal", shape) for shape in shapes])
    for k, (has, shape) in enumerate(zip(row["masks"], shapes, strict=True)):
        if has == "m":
            given[f"mask {k}"] = ~draws.padding(rng, shape[:2])
    y = keras_object(row["layer"])(sequence(given, "x"))
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
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = merge(inputs)
        loss = tf.reduce_sum(y * given["d"])
    gradients = tape.gradient(loss, inputs)
    return _answers(y, merge.compute_mask(inputs, masks), gradients)


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    merge = fastrnn_object(row["layer"])
    inputs, masks = merge.as_input(sequence(given, "x")), _masks(row, given)
    assert merge.compute_output_shape([x.shape for x in inputs]) == given["d"].shape
    merge.build([x.shape for x in inputs])
    y, cache = merge.forward(inputs, True, *([masks] if merge.uses_mask else []))
    gradients, of_weights = merge.backward(cache, given["d"])
    assert len(of_weights) == 0
    return _answers(y, merge.compute_mask(inputs, masks), gradients)


def _answers(y: Any, mask: Any, gradients: Any) -> Arrays:
    answers = {"output": np.asarray(y)} | numbered("gradient", map(np.asarray, gradients))
    return answers if mask is None else answers | {"output mask": np.asarray(mask)}
