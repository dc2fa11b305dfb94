"""Layers of several inputs: a call on arrays with masks, then all gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden import draws
from golden.answers import Arrays, numbered, sequence
from golden.objects import (
    constraint,
    fastrnn_object,
    initializer,
    keras_object,
    layer,
    regularizer,
)

LIMITS = {"": 3e-6, "gradient": 6e-6}


def _row(
    made: dict[str, Any],
    *shapes: tuple[int, ...],
    masks: str = "",
    first_weights: bool = False,
    **arguments: Any,
) -> dict[str, Any]:
    """A row of the table.

    Args:
        made: The layer.
        *shapes: Shapes of the inputs.
        masks: A letter for each input; "m" says that it has a mask.
        first_weights: Whether to keep the weights of the initializers, and compare them, and what
            regularizers add to the loss, in place of gradients.
        **arguments: Further arguments of the call.
    """
    row = {"layer": made, "shapes": list(shapes), "masks": masks or "-" * len(shapes)}
    row |= {"arguments": arguments} if arguments else {}
    return row | ({"first_weights": True} if first_weights else {})


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

# ------------------------------------------------------------------------------- several heads

_MHA = "MultiHeadAttention"
_HEADS = {"num_heads": 2, "key_dim": 3}
_SEEN = [[[(q + 2 * s) % 3 > 0 for s in range(6)] for q in range(4)]]
_OUTER = (2, 3, 2, 4)  # of steps in steps
for _title, _config, _shapes, _masks, _call in (
    ("keys", {}, [_QUERY, _VALUE, (3, 6, 4)], "", {}),
    ("values as keys", {"value_dim": 4, "output_shape": 3}, [_QUERY, _KEY], "", {}),
    ("masked", {"use_bias": False}, [_QUERY, _KEY], "mm", {}),
    ("keys masked", {"use_gate": True}, [_QUERY, _VALUE, _KEY], "-mm", {}),
    ("causal", {}, [_QUERY, _KEY], "m-", _CAUSAL),
    ("causal alone", {"output_shape": [2, 3]}, [_QUERY, _VALUE, _KEY], "", _CAUSAL),
    ("window", {"sliding_window": 2}, [_QUERY, _KEY], "-m", {}),
    ("seen", {"use_gate": True}, [_QUERY, _KEY], "-m", {"attention_mask": _SEEN}),
    ("dropout off", {"dropout": 0.3}, [_QUERY, _VALUE, _KEY], "mmm", _CAUSAL),
    ("outer steps", {"attention_axes": [1]}, [_OUTER, (2, 5, 2, 3)], "", _CAUSAL),
    ("inner steps", {"attention_axes": -2}, [_OUTER, (2, 3, 5, 4)], "", {}),
    ("all steps", {}, [_OUTER, (2, 2, 3, 4)], "", {}),
):
    CASES[f"{_MHA} {_title}"] = _row(
        layer(_MHA, **_HEADS, **_config), *_shapes, masks=_masks, **_call
    )
CASES[f"{_MHA} first weights"] = _row(
    layer(
        _MHA,
        **_HEADS,
        kernel_initializer=initializer("Constant", value=0.25),
        bias_initializer=initializer("Ones"),
        kernel_regularizer=regularizer("L2", l2=0.5),
        bias_regularizer=regularizer("L1", l1=0.25),
        activity_regularizer=regularizer("L2", l2=0.125),
        kernel_constraint=constraint("NonNeg"),
        bias_constraint=constraint("MaxNorm", max_value=0.25),
    ),
    (2, 3, 4),
    (2, 2, 3),
    first_weights=True,
)


def _is_spread(row: dict[str, Any]) -> bool:
    """Whether the inputs are arguments of their own, and not one list."""
    return bool(row["layer"]["class_name"] == _MHA)


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    shapes = [tuple(shape) for shape in row["shapes"]]
    given = numbered("x", [draws.draw(rng, "normal", shape) for shape in shapes])
    for k, (has, shape) in enumerate(zip(row["masks"], shapes, strict=True)):
        if has == "m":
            given[f"mask {k}"] = ~draws.padding(rng, shape[:2])
    merge, inputs = keras_object(row["layer"]), sequence(given, "x")
    y = merge(*inputs) if _is_spread(row) else merge(inputs)
    if not row.get("first_weights"):
        given |= numbered("weights", draws.weights_of(rng, merge.weights))
    return given | {"d": draws.draw(rng, "normal", tuple(y.shape))}


def _masks(row: dict[str, Any], given: Arrays) -> list[np.ndarray | None]:
    return [given.get(f"mask {k}") for k in range(len(row["shapes"]))]


def _arguments(row: dict[str, Any]) -> dict[str, Any]:
    arguments = row.get("arguments", {})
    is_list = {key: isinstance(value, list) for key, value in arguments.items()}
    return {key: np.array(value) if is_list[key] else value for key, value in arguments.items()}


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    import tensorflow as tf
    from keras.src.backend import set_keras_mask

    merge = keras_object(row["layer"])
    inputs = [tf.constant(x) for x in sequence(given, "x")]
    masks = [None if mask is None else tf.constant(mask) for mask in _masks(row, given)]
    for x, mask in zip(inputs, masks, strict=True):
        set_keras_mask(x, mask)
    shapes = [tuple(x.shape) for x in inputs]
    if _is_spread(row):
        merge.build(*shapes)
    else:
        merge.build(shapes)
    if "weights/0" in given:
        merge.set_weights(sequence(given, "weights"))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = merge(*(inputs if _is_spread(row) else [inputs]), **_arguments(row))
        loss = tf.reduce_sum(y * given["d"])
    # That of an attention goes on from within the call.
    mask = masks[0] if _is_spread(row) else merge.compute_mask(inputs, masks)
    if row.get("first_weights"):
        return _answers(y, mask, []) | _first(merge, sum(merge.losses))
    weights = _with_gradients(merge.trainable_weights)
    gradients = tape.gradient(loss, inputs + [merge.trainable_weights[k].value for k in weights])
    return _answers(y, mask, gradients)


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    merge = fastrnn_object(row["layer"])
    inputs, masks = merge.as_input(sequence(given, "x")), _masks(row, given)
    assert merge.compute_output_shape([x.shape for x in inputs]) == given["d"].shape
    merge.build([x.shape for x in inputs])
    if "weights/0" in given:
        merge.set_weights(sequence(given, "weights"))
    values_are_keys = _is_spread(row) and len(inputs) == 2
    if values_are_keys:
        inputs, masks = [*inputs, inputs[1]], [*masks, masks[1]]
    options = [masks] if merge.uses_mask else []
    # As Keras's call: without dropout.
    y, cache = merge.run(inputs, False, *options, **_arguments(row))
    mask = merge.compute_mask(inputs, masks)
    if row.get("first_weights"):
        return _answers(y, mask, []) | _first(
            merge, merge.activity_penalty(y, cache) + sum(merge.losses)
        )
    gradients, of_weights = merge.backward(cache, given["d"])
    if values_are_keys:
        gradients = [gradients[0], gradients[1] + gradients[2]]
    kept = [of_weights[k] for k in _with_gradients(merge.weights)]
    return _answers(y, mask, [*gradients, *kept])


def _with_gradients(weights: Any) -> list[int]:
    """Return which weights have a gradient.

    A bias of the keys adds the same to all scores of a query, which softmax does not see: its
    gradient is 0 but for rounding.
    """
    return [k for k, weight in enumerate(weights) if not weight.path.endswith("/key/bias")]


def _first(merge: Any, penalty: Any) -> Arrays:
    return numbered("weights", merge.get_weights()) | {"penalty": np.float32(penalty)}


def _answers(y: Any, mask: Any, gradients: Any) -> Arrays:
    answers = {"output": np.asarray(y)} | numbered("gradient", map(np.asarray, gradients))
    return answers if mask is None else answers | {"output mask": np.asarray(mask)}
