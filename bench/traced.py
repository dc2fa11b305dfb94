"""Times losses and layers of a user's own, whose derivatives come from a trace.

    python bench/traced.py

A training step with a loss of the user's own beside the built-in loss, and the attention layer
that scripts copy beside the same layer compiled by JAX, value and gradients, in turns. Medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from comparison.machine import cores, describe_machine
from comparison.text_table import text_table
from measure.command_line import positive


def seconds(call: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def losses() -> dict[str, Callable[[Any, Any], Any]]:
    """The losses, written as scripts write them."""
    from fastrnn import ops

    def squared(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    def root(y_true: Any, y_pred: Any) -> Any:
        return ops.sqrt(ops.mean(ops.square(y_pred - y_true)))

    def pinball(y_true: Any, y_pred: Any) -> Any:
        error = y_true - y_pred
        return ops.mean(ops.maximum(0.9 * error, -0.1 * error), axis=-1)

    def log_cosh(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.log(ops.cosh(y_pred - y_true)), axis=-1)

    return {"squared": squared, "root": root, "pinball": pinball, "log_cosh": log_cosh}


def steps_with(loss: Any) -> Callable[[], Any]:
    """A training step on 64 windows of 10 steps with a small LSTM, to one number each."""
    import fastrnn
    from fastrnn import layers

    rng = np.random.default_rng(0)
    model = fastrnn.Sequential([layers.Input((10, 1)), layers.LSTM(8), layers.Dense(1)])
    model.compile("sgd", loss)
    x = rng.normal(size=(64, 10, 1)).astype("float32")
    y = rng.normal(size=(64, 1)).astype("float32")
    return lambda: model.train_on_batch(x, y)


def weights_of(shape: tuple[int, ...], units: int | None) -> list[np.ndarray]:
    """The same small weights for both."""
    wide, high = (1, shape[1]) if units is None else (units, 1)
    shapes = ((shape[-1], wide), (high, wide), (wide, 1))
    rng = np.random.default_rng(1)
    return [rng.normal(0, 0.05, each).astype("float32") for each in shapes]


def attention_here(x: np.ndarray, d_y: np.ndarray, units: int | None) -> Callable[[], Any]:
    """Value and gradients of the layer here, of scores by a hidden layer if it has units."""
    from fastrnn import backend as K  # noqa: N812  as scripts name it
    from fastrnn import layers

    class Attention(layers.Layer):
        def build(self, input_shape: Any) -> None:
            wide, high = (1, input_shape[1]) if units is None else (units, 1)
            self.W = self.add_weight(name="W", shape=(input_shape[-1], wide), initializer="normal")
            self.b = self.add_weight(name="b", shape=(high, wide), initializer="zeros")
            self.u = self.add_weight(name="u", shape=(wide, 1), initializer="normal")

        def call(self, x: Any) -> Any:
            scores = K.tanh(K.dot(x, self.W) + self.b)
            if units is not None:
                scores = K.dot(scores, self.u)
            return K.sum(x * K.softmax(scores, axis=1), axis=1)

    layer = Attention()
    layer(x)
    layer.set_weights(weights_of(x.shape, units))

    def step() -> Any:
        _, cache = layer.run(x, True)
        return layer.backward(cache, d_y)

    return step


def attention_of_jax(x: np.ndarray, d_y: np.ndarray, units: int | None) -> Callable[[], Any] | None:
    """The same on JAX, compiled; None where it is not installed."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    weights = weights_of(x.shape, units)

    @jax.jit
    def values(x: Any, weights: Any, d_y: Any) -> Any:
        def attention(x: Any, weights: Any) -> Any:
            scores = jnp.tanh(x @ weights[0] + weights[1])
            if units is not None:
                scores = scores @ weights[2]
            return jnp.sum(x * jax.nn.softmax(scores, axis=1), axis=1)

        y, pullback = jax.vjp(attention, x, weights)
        return y, pullback(d_y)

    return lambda: jax.block_until_ready(values(x, weights, d_y))


def main(arguments: list[str] | None = None) -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=positive, default=300, help="turns of each")
    parser.add_argument("--threads", type=positive, default=cores())
    options = parser.parse_args(arguments)
    threads = options.threads
    os.environ |= {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()} "
        f"intra_op_parallelism_threads={threads}",
    }
    import fastrnn

    fastrnn.set_num_threads(threads)
    machine = describe_machine([])
    print(f"{machine['cpu']}, {threads} threads, medians of {options.rounds}\n")

    steps = {"mse, built in": steps_with("mse")}
    steps |= {name: steps_with(loss) for name, loss in losses().items()}
    found = in_turns(steps, options.rounds)
    first = found["mse, built in"]
    rows = [(name, f"{time:.3f}", f"{time - first:.3f}") for name, time in found.items()]
    print(text_table(("loss at (64, 1)", "step, ms", "more, ms"), rows))

    rng = np.random.default_rng(0)
    x, d_y = (rng.normal(size=shape).astype("float32") for shape in ((64, 100, 64), (64, 64)))
    for units in (None, 64):
        calls = {"fastrnn, traced": attention_here(x, d_y, units)}
        if (jax := attention_of_jax(x, d_y, units)) is not None:
            calls["JAX, compiled"] = jax
        found = in_turns(calls, options.rounds)
        last = list(found.values())[-1]
        rows = [(name, f"{time:.3f}", f"{time / last:.1f}") for name, time in found.items()]
        hidden = "" if units is None else f", {units} hidden units"
        print()
        print(text_table((f"attention over [64, 100, 64]{hidden}", "ms", "times"), rows))


def in_turns(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the median time of each call in milliseconds, one turn of each after the other."""
    for call in calls.values():
        call(), call()  # not counted: what is compiled and allocated once
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(seconds(call))
    return {name: statistics.median(each) * 1e3 for name, each in times.items()}


if __name__ == "__main__":
    sys.exit(main())
