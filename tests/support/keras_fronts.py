"""Keras on any of its backends: results and gradients of a layer, as NumPy arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Arrays = list[np.ndarray]

# Set by `fronts/test_keras_backends.py` for a run of its tests in a process of its own.
BACKEND = os.environ.get("FASTRNN_TEST_KERAS_BACKEND", "tensorflow")


def results_and_gradients(
    layer: Any,
    x: np.ndarray,
    states: Sequence[np.ndarray] = (),
    mask: np.ndarray | None = None,
    training: bool = False,
    in_graph: bool | None = None,
) -> Arrays:
    """Results of a call, then the gradients of x, of the initial states and of the weights.

    Every result has a weight of its own in the loss, which is the sum of the weighted results.
    Without a word about graphs, Keras's own code on TensorFlow runs eagerly: that takes less time.
    """
    import keras
    from fastrnn.keras.layers import KernelLayer

    if in_graph is None:
        ours = any(isinstance(each, KernelLayer) for each in layer._flatten_layers())
        in_graph = ours or keras.backend.backend() != "tensorflow"

    def outputs_of(call: Callable[..., Any], x: Any, states: Any) -> list[Any]:
        arguments: dict[str, Any] = {"training": training}
        if states:
            arguments["initial_state"] = list(states)
        if mask is not None:
            arguments["mask"] = keras.ops.convert_to_tensor(mask)
        outputs = call(x, **arguments)
        return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]

    def loss_of(outputs: list[Any]) -> Any:
        rng = np.random.default_rng(len(outputs))
        weights = [rng.normal(size=tuple(out.shape)).astype("float32") for out in outputs]
        weights = [keras.ops.convert_to_tensor(weight) for weight in weights]
        return sum(keras.ops.sum(out * w) for out, w in zip(outputs, weights, strict=True))

    if not layer.built:
        layer.build(x.shape)
    on = {"tensorflow": _on_tensorflow, "torch": _on_torch, "jax": _on_jax}
    made = on[keras.backend.backend()](layer, x, states, outputs_of, loss_of, in_graph)
    return [keras.ops.convert_to_numpy(each) for each in made]


def _on_tensorflow(
    layer: Any, x: Any, states: Any, outputs_of: Any, loss_of: Any, in_graph: bool
) -> list[Any]:
    import tensorflow as tf

    weights = [weight.value for weight in layer.trainable_weights]

    def run(x: Any, *states: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch([x, *states])
            outputs = outputs_of(layer, x, states)
            loss = loss_of(outputs)
        return [*outputs, *tape.gradient(loss, [x, *states, *weights])]

    return (tf.function(run) if in_graph else run)(tf.constant(x), *map(tf.constant, states))


def _on_torch(
    layer: Any, x: Any, states: Any, outputs_of: Any, loss_of: Any, in_graph: bool
) -> list[Any]:
    import torch

    inputs = [torch.tensor(each, requires_grad=True) for each in (x, *states)]
    outputs = outputs_of(layer, inputs[0], inputs[1:])
    weights = [weight.value for weight in layer.trainable_weights]
    return [*outputs, *torch.autograd.grad(loss_of(outputs), [*inputs, *weights])]


def _on_jax(
    layer: Any, x: Any, states: Any, outputs_of: Any, loss_of: Any, in_graph: bool
) -> list[Any]:
    import jax

    others = [variable.value for variable in layer.non_trainable_variables]

    def run(weights: Any, x: Any, states: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            return layer.stateless_call(weights, others, *arguments, **options)[0]

        outputs = outputs_of(call, x, states)
        return loss_of(outputs), outputs

    run = jax.value_and_grad(run, argnums=(0, 1, 2), has_aux=True)
    weights = [variable.value for variable in layer.trainable_variables]
    (_, outputs), (d_weights, d_x, d_states) = (jax.jit(run) if in_graph else run)(
        weights, x, list(states)
    )
    return [*outputs, d_x, *d_states, *d_weights]


def twins(
    rng: np.random.Generator, theirs: Any, ours: Any, shape: Sequence[int | None]
) -> tuple[Any, Any]:
    """Build both, and give them the same distinct random weights."""
    for layer in (theirs, ours):
        if not layer.built:
            layer.build(shape)
    weights = [rng.normal(0, 0.4, weight.shape).astype("float32") for weight in theirs.weights]
    for layer in (theirs, ours):
        for variable, weight in zip(layer.weights, weights, strict=True):
            variable.assign(weight)
    return theirs, ours


def assert_same(got: Arrays, wanted: Arrays, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    assert [each.shape for each in got] == [each.shape for each in wanted]
    for number, (one, other) in enumerate(zip(got, wanted, strict=True)):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol, err_msg=f"array {number}")
