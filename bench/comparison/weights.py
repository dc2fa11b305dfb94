"""The initial weights that every system starts from, and PyTorch's layout of them.

Shapes: F features, H units, G gates (SimpleRNN 1, LSTM 4, GRU 3).

Keras's layout, which is fastrnn's: kernel [F, G*H], recurrent_kernel [H, G*H], bias [G*H], GRU's
[2, 3*H]; gates i,f,c,o and z,r,h. PyTorch's: weight_ih [G*H, F], weight_hh [G*H, H], bias_ih and
bias_hh [G*H]; gates i,f,g,o and r,z,n.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from comparison.workloads import LayerSpec

# For each gate of PyTorch the position of the same gate in Keras. Each order is its own inverse.
TORCH_GATES = {"SimpleRNN": (0,), "LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2)}


def _glorot_uniform(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    limit = np.sqrt(6.0 / (rows + columns))
    return generator.uniform(-limit, limit, (rows, columns))


def _orthogonal(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    q, r = np.linalg.qr(generator.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diagonal(r))
    return q if rows >= columns else q.T


def _recurrent(cell: str, features: int, units: int, generator: np.random.Generator) -> list:
    # Not above: the workers of the peers import this module, and must not load fastrnn.
    from fastrnn import _core
    from fastrnn.naming import to_snake_case

    traits = _core.CELLS[to_snake_case(cell)]
    gates, rows = traits.gates, traits.bias_rows
    bias = np.zeros((rows, gates * units) if rows > 1 else gates * units)
    if cell == "LSTM":
        bias[units : 2 * units] = 1.0  # Keras's unit_forget_bias
    return [
        _glorot_uniform(generator, features, gates * units),
        _orthogonal(generator, units, gates * units),
        bias,
    ]


def _layer(
    layer: LayerSpec, features: int | list[int], generator: np.random.Generator
) -> tuple[list, int]:
    """The weights of one layer, and the size of its output's last axis."""
    kind, options = layer
    if kind == "Embedding":
        rows, columns = options["input_dim"], options["output_dim"]
        return [generator.uniform(-0.05, 0.05, (rows, columns))], columns
    if kind == "Dense":
        units = options["units"]
        return [_glorot_uniform(generator, features, units), np.zeros(units)], units
    if kind == "Bidirectional":
        there, back = (_layer(options["layer"], features, generator) for _ in range(2))
        return there[0] + back[0], there[1] + back[1]
    if kind == "TimeDistributed":
        return _layer(options["layer"], features, generator)
    if kind == "EncoderDecoder":
        encoder, decoder = (_layer(options["layer"], size, generator) for size in features)
        return encoder[0] + decoder[0], decoder[1]
    if kind == "Conv1D":
        taps, filters = options["kernel_size"], options["filters"]
        limit = np.sqrt(6.0 / (taps * (features + filters)))
        return [
            generator.uniform(-limit, limit, (taps, features, filters)),
            np.zeros(filters),
        ], filters
    if kind in ("Dropout", "MaxPooling1D"):
        return [], features
    if kind in TORCH_GATES:
        return _recurrent(kind, features, options["units"], generator), options["units"]
    raise ValueError(f"no initial weights are known for the layer {kind}")


def initial_weights(
    layers: Sequence[LayerSpec], features: int | list[int], seed: int
) -> list[np.ndarray]:
    """Draws the weights of a model from Keras's default distributions.

    Args:
        layers: The layers of the model, first to last.
        features: Size of the last axis of the model's input, or of each of several; an Embedding
            does without.
        seed: The same seed gives the same weights.

    Returns:
        float32 arrays in the order of Keras's `get_weights()`.
    """
    generator = np.random.default_rng(seed)
    weights: list[np.ndarray] = []
    for layer in layers:
        arrays, features = _layer(layer, features, generator)
        weights += arrays
    return [np.ascontiguousarray(array, dtype=np.float32) for array in weights]


def _reorder_gates(array: np.ndarray, cell: str) -> np.ndarray:
    """Brings the blocks of the last axis from Keras's order of gates into PyTorch's, or back."""
    blocks = np.split(array, len(TORCH_GATES[cell]), axis=-1)
    return np.concatenate([blocks[gate] for gate in TORCH_GATES[cell]], axis=-1)


def recurrent_to_torch(cell: str, weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Kernel, recurrent kernel and bias of Keras as weight_ih, weight_hh, bias_ih, bias_hh.

    Where Keras has one bias, PyTorch's second one is zero (and must stay so: `pytorch.py`).
    """
    kernel, recurrent_kernel, bias = (_reorder_gates(array, cell) for array in weights)
    input_bias, recurrent_bias = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
    return [kernel.T, recurrent_kernel.T, input_bias, recurrent_bias]


def recurrent_from_torch(cell: str, weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """weight_ih, weight_hh, bias_ih, bias_hh as Keras's kernel, recurrent kernel and bias."""
    kernel, recurrent_kernel, input_bias, recurrent_bias = weights
    bias = np.stack((input_bias, recurrent_bias)) if cell == "GRU" else input_bias + recurrent_bias
    return [_reorder_gates(array, cell) for array in (kernel.T, recurrent_kernel.T, bias)]


def save_weights(weights: Sequence[np.ndarray], path: Path) -> None:
    """Writes weights in the order of `get_weights()`."""
    np.savez(path, *weights)


def load_weights(path: Path) -> list[np.ndarray]:
    """Reads what `save_weights` wrote."""
    with np.load(path) as archive:
        return [archive[f"arr_{index}"] for index in range(len(archive.files))]
