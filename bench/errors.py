"""Measures rounding errors of fastrnn, Keras and PyTorch against float64, beside each other.

Every system gets the same float32 numbers, weights and gradients of the outputs. The error of a
result is the root mean square of its difference to the oracle (`tests/support/reference.py`) over
the root mean square of the oracle's. What is not installed is left out.

    python bench/errors.py --quick         # T up to 100
    python bench/errors.py                 # T up to 1,000, about a minute
    python bench/errors.py --bfloat16      # fastrnn and Keras with mixed_bfloat16
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from comparison.text_table import text_table
from fastrnn import _core
from support import reference
from support.float32_error import root_mean_square
from support.keras_cells import KERAS_CELLS, layer_of
from support.rnn_cells import KERAS_HAS, Cell, flatten, normal

Results = dict[str, np.ndarray]
System = Callable[[Cell, np.ndarray, Any, np.ndarray], "Results | None"]

BATCH, FEATURES, UNITS = 16, 24, 50
STEPS = (2, 10, 100, 1000)
WEIGHTS = ("kernel", "recurrent_kernel", "bias")
SHOWN = ("outputs", "x", *WEIGHTS)


def fastrnn_results(
    cell: Cell,
    x: np.ndarray,
    weights: Any,
    d_outputs: np.ndarray,
    compute_dtype: str = "float32",
) -> Results:
    """Outputs of all steps and the gradients of input and weights."""
    output = cell.forward(x, *weights, return_sequences=True, compute_dtype=compute_dtype)
    return {**flatten(output), **flatten(cell.backward(output.tape, d_outputs))}


def oracle_results(cell: Cell, x: np.ndarray, weights: Any, d_outputs: np.ndarray) -> Results:
    """The same in float64."""
    output = reference.rnn_forward(cell.oracle, x, *weights, return_sequences=True)
    return {**flatten(output), **flatten(reference.rnn_backward(output.tape, d_outputs))}


def keras_results(
    cell: Cell, x: np.ndarray, weights: Any, d_outputs: np.ndarray, dtype: str = "float32"
) -> Results:
    """The same from Keras on TensorFlow."""
    import keras
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # of functions that are traced for one call
    layer = layer_of(keras.layers, cell.id, UNITS, return_sequences=True, dtype=dtype)
    layer.build(x.shape)
    layer.set_weights(list(weights))

    @tf.function
    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = tf.cast(layer(x), tf.float32)
            loss = tf.reduce_sum(outputs * d_outputs)
        return outputs, tape.gradient(loss, [x, [w.value for w in layer.trainable_weights]])

    outputs, (d_x, d_weights) = run(tf.constant(x))
    arrays = {"outputs": outputs, "x": d_x, **dict(zip(WEIGHTS, d_weights, strict=True))}
    return {name: array.numpy() for name, array in arrays.items()}


def torch_results(cell: Cell, x: np.ndarray, weights: Any, d_outputs: np.ndarray) -> Results | None:
    """The same from PyTorch, which has no GRU with the reset gate before the product."""
    import torch
    from comparison.torch_layers import RECURRENT
    from comparison.weights import recurrent_from_torch, recurrent_to_torch

    name, options = KERAS_CELLS[cell.id]
    if options:
        return None
    layer = RECURRENT[name](x.shape[2], UNITS, batch_first=True)
    with torch.no_grad():
        for parameter, array in zip(
            layer.parameters(), recurrent_to_torch(name, weights), strict=True
        ):
            parameter.copy_(torch.tensor(np.ascontiguousarray(array)))
    given = torch.tensor(x, requires_grad=True)
    outputs, _ = layer(given)
    (outputs * torch.tensor(d_outputs)).sum().backward()
    gradients = [parameter.grad.numpy() for parameter in layer.parameters()]
    if name != "GRU":
        gradients[3] = np.zeros_like(gradients[3])  # of the second bias, which Keras does not have
    return {
        "outputs": outputs.detach().numpy(),
        "x": given.grad.numpy(),
        **dict(zip(WEIGHTS, recurrent_from_torch(name, gradients), strict=True)),
    }


SYSTEMS: dict[str, tuple[System, str | None]] = {
    "fastrnn": (fastrnn_results, None),
    "Keras": (keras_results, "tensorflow"),
    "PyTorch": (torch_results, "torch"),
}
IN_BFLOAT16: dict[str, tuple[System, str | None]] = {
    "fastrnn": (partial(fastrnn_results, compute_dtype="bfloat16"), None),
    "Keras": (partial(keras_results, dtype="mixed_bfloat16"), "tensorflow"),
}


def installed(systems: dict[str, tuple[System, str | None]]) -> dict[str, System]:
    """Those of the systems whose packages can be imported."""
    found = {}
    for name, (system, module) in systems.items():
        try:
            if module:
                importlib.import_module(module)
        except ImportError:
            print(f"{name} is left out: {module} is not installed")
        else:
            found[name] = system
    return found


def relative_errors(
    systems: dict[str, System], cell: Cell, steps: int
) -> dict[str, dict[str, float]]:
    """Of each system, the error of each result."""
    rng = np.random.default_rng([steps, len(cell.id)])
    x, weights = normal(rng, BATCH, steps, FEATURES), cell.weights(rng, FEATURES, UNITS)
    d_outputs = normal(rng, BATCH, steps, UNITS)
    exact = oracle_results(cell, x, weights, d_outputs)
    errors = {}
    for name, system in systems.items():
        results = system(cell, x, weights, d_outputs)
        if results is not None:
            errors[name] = {
                what: root_mean_square(results[what] - exact[what]) / root_mean_square(exact[what])
                for what in SHOWN
            }
    return errors


def main(arguments: list[str] | None = None) -> None:
    """Prints one row per cell and length."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="walk at most 100 steps")
    parser.add_argument("--bfloat16", action="store_true", help="products of bfloat16")
    options = parser.parse_args(arguments)
    unit, unit_name = (1e-4, "1e-4") if options.bfloat16 else (1e-7, "1e-7")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    systems = installed(IN_BFLOAT16 if options.bfloat16 else SYSTEMS)
    sizes = f"B = {BATCH}, F = {FEATURES}, H = {UNITS}, ISA level {_core.isa()}"
    print(f"Relative errors in {unit_name}: {' / '.join(systems)}; {sizes}")
    rows = [["cell", "T", *(what if what == "outputs" else f"d {what}" for what in SHOWN)]]
    for cell in KERAS_HAS:
        for steps in STEPS[:3] if options.quick else STEPS:
            errors = relative_errors(systems, cell, steps)
            figures = [
                " / ".join(
                    f"{errors[name][what] / unit:.1f}" if name in errors else "-"
                    for name in systems
                )
                for what in SHOWN
            ]
            rows.append([cell.id, str(steps), *figures])
    print(text_table(rows[0], rows[1:]))


if __name__ == "__main__":
    main()
