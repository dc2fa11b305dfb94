"""Layers: calls on one batch or several, then the gradients of one more call while training."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from golden import draws
from golden.answers import Arrays, numbered, parts, sequence
from golden.field_layer_rows import CASES as FIELDS
from golden.layer_rows import CASES as RECURRENT_AND_AROUND
from golden.objects import fastrnn_object, keras_object
from golden.window_layer_rows import CASES as WINDOWS

__all__ = ["CASES", "LIMITS", "ask_fastrnn", "ask_keras", "draw_inputs"]

CASES = RECURRENT_AND_AROUND | WINDOWS | FIELDS
LIMITS = {"": 3e-6, "gradient": 6e-6}
_RECURRENT = ("SimpleRNN", "LSTM", "GRU")


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    layer = keras_object(row["layer"])
    shape = tuple(row["shape"])
    layer.build(shape)
    given = numbered("x", [draws.draw(rng, row["kind"], shape) for _ in range(row["batches"])])
    if not row["first_weights"]:
        given |= numbered("weights", draws.weights_of(rng, layer.weights))
    if row["mask"]:
        given["mask"] = ~draws.padding(rng, tuple(row["mask"]))
    if row["states"]:
        states = [draws.draw(rng, "normal", tuple(s)) for s in row["states"]]
        given |= numbered("initial_state", states)
    if row["gradients"]:
        tensor = keras.ops.convert_to_tensor
        outputs = parts(layer(given["x/0"], **_arguments(layer, given, tensor)))
        if row["layer"]["class_name"] == "Bidirectional":
            merged = row["layer"]["config"].get("merge_mode", "concat") is not None
            outputs = outputs[: 1 if merged else 2]
        given |= numbered("d", [draws.draw(rng, "normal", tuple(y.shape)) for y in outputs])
    return given


def _arguments(layer: Any, given: Arrays, tensor: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    # A layer of Keras says it by its signature.
    uses_mask = getattr(layer, "uses_mask", "mask" in inspect.signature(layer.call).parameters)
    if "mask" in given and uses_mask:
        arguments["mask"] = tensor(given["mask"])
    if "initial_state/0" in given:
        arguments["initial_state"] = [tensor(s) for s in sequence(given, "initial_state")]
    return arguments


def _built(layer: Any, given: Arrays) -> Any:
    layer.build(given["x/0"].shape)
    if "weights/0" in given:
        layer.set_weights(sequence(given, "weights"))
    return layer


def _called(layer: Any, row: dict[str, Any], given: Arrays, tensor: Any) -> Arrays:
    """What both libraries answer in the same words."""
    arguments = _arguments(layer, given, tensor)
    answers: Arrays = {}
    for k, x in enumerate(sequence(given, "x")):
        answers |= numbered(f"outputs of {k}", parts(layer(tensor(x), **arguments)))
    if layer.supports_masking:
        mask = tensor(given["mask"]) if "mask" in given else None
        mask = parts(layer.compute_mask(tensor(x), mask))[0]
        if mask is not None:
            answers["output mask"] = np.asarray(mask)
    if row["first_weights"]:
        answers |= numbered("weights", layer.get_weights())
    return answers


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    import tensorflow as tf

    layer = _built(keras_object(row["layer"]), given)
    answers = _called(layer, row, given, tf.constant)
    if not row["gradients"]:
        return answers
    x, arguments = tf.constant(sequence(given, "x")[-1]), _arguments(layer, given, tf.constant)
    states = arguments.get("initial_state", [])
    weights = [weight.value for weight in layer.trainable_weights]
    inputs = [x] * x.dtype.is_floating + states
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = parts(layer(x, training=True, **arguments))
        # Keras may return states that are not used further on.
        pairs = zip(outputs, sequence(given, "d"), strict=False)
        loss = sum(tf.reduce_sum(y * d) for y, d in pairs)
    gradients = tape.gradient(loss, weights + inputs)
    answers |= numbered("gradient", [tf.convert_to_tensor(d) for d in gradients])
    return answers | _moved(layer)


def _moved(layer: Any) -> Arrays:
    """What a call while training changes without a gradient."""
    return numbered("moved", layer.non_trainable_weights)


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    layer = _built(fastrnn_object(row["layer"]), given)
    answers = _called(layer, row, given, np.array)
    if not row["gradients"]:
        return answers
    x, d = layer.as_input(sequence(given, "x")[-1]), sequence(given, "d")
    mask = given.get("mask")
    if row["layer"]["class_name"] in _RECURRENT and (len(d) > 1 or row["states"]):
        return answers | _gradients_of_states(layer, x, mask, given)
    _, cache = layer.run(x, True, *([mask] if layer.uses_mask else []))
    d_x, d_weights = layer.backward(cache, d[0] if len(d) == 1 else tuple(d))
    trained = [
        d_weight
        for d_weight, weight in zip(d_weights, layer.weights, strict=True)
        if any(weight is each for each in layer.trainable_weights)
    ]
    answers |= numbered("gradient", [*trained, *([] if d_x is None else [d_x])])
    return answers | _moved(layer)


def _gradients_of_states(layer: Any, x: Any, mask: Any, given: Arrays) -> Arrays:
    """The kernel's own way back, which takes and gives gradients of states too."""
    initial, d = sequence(given, "initial_state"), sequence(given, "d")
    walked = layer.walk(x, True, mask, initial or None)
    d_outputs = d[0]
    if layer.go_backwards and layer.return_sequences:  # the kernel keeps the order of the time
        d_outputs = d_outputs[:, ::-1]
    gradient = layer.walk_back(walked.tape, d_outputs, d_states=tuple(d[1:]) or None)
    gradients = [*gradient.weights, gradient.x, *(gradient.initial_state or ())]
    return numbered("gradient", gradients)
