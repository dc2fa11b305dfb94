"""Layers and models of Keras and of fastrnn side by side, with the same random weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

# Both round in float32, each in its own order.
RTOL, ATOL = 2e-5, 2e-6


def randomized(rng: np.random.Generator, theirs: Any, ours: Any) -> None:
    """Gives both, which are built, distinct random weights."""
    weights = [rng.normal(0, 0.4, w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)


def paths(model: Any) -> list[str]:
    """Paths of the weights, without the numbers in names: those count all layers of a process."""
    return [re.sub(r"_\d+", "", weight.path) for weight in model.weights]


def parts(result: Any) -> list[np.ndarray]:
    """The arrays that a call returned."""
    result = result if isinstance(result, (tuple, list)) else [result]
    return [np.asarray(part) for part in result]


def assert_same(got: Any, wanted: Any, rtol: float = RTOL, atol: float = ATOL) -> None:
    got, wanted = parts(got), parts(wanted)
    assert [part.shape for part in got] == [part.shape for part in wanted]
    for k, (one, other) in enumerate(zip(got, wanted, strict=True)):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol, err_msg=f"part {k}")


def assert_same_gradients(
    rng: np.random.Generator, theirs: Any, ours: Any, x: np.ndarray, mask: np.ndarray | None
) -> None:
    """Those of x and of every weight, of a layer called on x while training."""
    import tensorflow as tf

    inputs = tf.constant(x)
    arguments = {} if mask is None else {"mask": tf.constant(mask)}
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        wanted = theirs(inputs, training=True, **arguments)
        flat: Sequence[Any] = wanted if isinstance(wanted, (tuple, list)) else [wanted]
        d_y = [rng.normal(size=part.shape).astype("float32") for part in flat]
        loss = sum(tf.reduce_sum(part * d) for part, d in zip(flat, d_y, strict=True))
    weights = [weight.value for weight in theirs.trainable_weights]
    d_x, d_weights = tape.gradient(loss, [inputs, weights])
    got, cache = ours.forward(x, True, *([mask] if ours.uses_mask else []))
    assert_same(got, wanted)
    d_inputs, d_ours = ours.backward(cache, d_y[0] if len(d_y) == 1 else tuple(d_y))
    assert_same([d_inputs, *d_ours], [d_x, *d_weights], rtol=1e-4, atol=1e-5)
