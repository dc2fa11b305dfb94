"""Weights of PyTorch modules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.layers import GRU, LSTM, Bidirectional, Dense, Embedding, Input, SimpleRNN
from fastrnn.layers.layer import Layer
from fastrnn.models.sequential import Sequential

_RECURRENT = re.compile(r"(weight|bias)_(ih|hh)_l(\d+)(_reverse)?")
_SUPPORTED = (
    "fastrnn takes the weights of torch.nn.Embedding, RNN, LSTM, GRU and Linear: remove other "
    "entries, and add what they did as layers of fastrnn"
)


class _Module(NamedTuple):
    """The entries of a state dict that belong to one module.

    Attributes:
        name: What stands before the last dot of their keys.
        arrays: The entries by what stands behind it.
    """

    name: str
    arrays: dict[str, np.ndarray]


def from_torch(
    state_dict: Any,
    *,
    return_sequences: bool = False,
    nonlinearity: str = "tanh",
    activations: Any = None,
    order: Sequence[str] | None = None,
) -> Sequential:
    """Return a model with the weights of PyTorch modules in a row.

    The modules are `Embedding`, `RNN`, `LSTM`, `GRU` (stacked, bidirectional, with or without
    biases; of `batch_first` the weights tell nothing: a model of fastrnn takes the batch first) and
    `Linear`. Gates are put into Keras's order, kernels transposed, and the two biases of PyTorch
    added, or for a GRU kept side by side. A matrix without a bias that comes before all recurrent
    modules is an Embedding, another one a Linear. A state dict does not tell how the modules are
    put together; that is said by the arguments.

    Args:
        state_dict: What `module.state_dict()` returns, or the module; values may be tensors or
            arrays.
        return_sequences: Whether what follows the last recurrent module gets all its outputs, and
            not only the last ones. Of a bidirectional module the last ones are those of either
            direction, `torch.cat([h_n[-2], h_n[-1]], 1)`, not `output[:, -1]`.
        nonlinearity: That of `nn.RNN`, `"tanh"` or `"relu"`.
        activations: Activation after each Linear, in a list; one alone is that of the last one.
        order: Names of the modules (their prefixes in the state dict) in the order in which they
            are applied. By default that of the state dict, in which `__init__` made them.

    Returns:
        A model, built, not compiled; layers are named after the modules.

    Raises:
        TypeError: If `state_dict` is not a state dict.
        ValueError: If there is an entry that is not supported, or modules do not fit together.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> shapes = {"rnn.weight_ih_l0": (4, 3), "rnn.weight_hh_l0": (4, 4), "out.weight": (1, 4)}
        >>> state = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        >>> from_torch(state, activations="sigmoid").output_shape
        (None, 1)
    """
    modules = _modules(_mapping(state_dict))
    if order is not None:
        if sorted(order) != sorted(modules):
            raise ValueError(f"`order` must name {sorted(modules)}. Received: order={list(order)}")
        modules = {name: modules[name] for name in order}
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(
            f"`nonlinearity` must be 'tanh' or 'relu'. Received: nonlinearity={nonlinearity!r}"
        )
    names = list(modules)
    recurrent = [name for name in names if _is_recurrent(modules[name])]
    linear = [name for name in names if _is_linear(modules[name], names, recurrent)]
    functions = _activations(activations, linear)
    layers: list[Layer] = []
    values: list[list[np.ndarray]] = []
    for name, module in modules.items():
        if name in recurrent:
            sequences = return_sequences or name != recurrent[-1]
            made = _recurrent_layers(module, sequences, nonlinearity)
        elif name in linear:
            made = [_dense(module, functions[name])]
        else:
            made = [_embedding(module)]
        for layer, weights in made:
            layers.append(layer)
            values.append(weights)
    start: tuple[int | None, ...] = (None,)
    if not isinstance(layers[0], Embedding):
        features = values[0][0].shape[0]
        start = (None, features) if recurrent else (features,)
    model = Sequential([Input(start), *layers])
    for layer, weights in zip(layers, values, strict=True):
        layer.set_weights(weights)
    return model


def _mapping(state_dict: Any) -> dict[str, np.ndarray]:
    if callable(getattr(state_dict, "state_dict", None)):
        state_dict = state_dict.state_dict()
    if not isinstance(state_dict, Mapping):
        raise TypeError(
            "`state_dict` must be a module of PyTorch or its state dict. "
            f"Received: {type(state_dict).__name__}"
        )
    return {str(key): _array(str(key), value) for key, value in state_dict.items()}


def _array(key: str, value: Any) -> np.ndarray:
    if hasattr(value, "detach"):  # a tensor, maybe on another device or of a type NumPy lacks
        value = value.detach().cpu().float().numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"`state_dict` must hold numbers. Received: '{key}', {array.dtype}")
    return array.astype(np.float32)


def _modules(entries: Mapping[str, np.ndarray]) -> dict[str, _Module]:
    modules: dict[str, _Module] = {}
    for key, array in entries.items():
        name, _, entry = key.rpartition(".")
        rank = 1 if entry.startswith("bias") else 2
        known = entry in ("weight", "bias") or _RECURRENT.fullmatch(entry)
        if not known or array.ndim != rank:
            raise ValueError(
                f"{_SUPPORTED}. Received: '{key}' in `state_dict`, of shape {array.shape}"
            )
        modules.setdefault(name, _Module(name, {})).arrays[entry] = array
    if not modules:
        raise ValueError("`state_dict` must not be empty.")
    for name, module in modules.items():
        if not _is_recurrent(module) and "weight" not in module.arrays:
            raise ValueError(f"{_SUPPORTED}. Received: module '{name}' with only a bias")
    return modules


def _is_recurrent(module: _Module) -> bool:
    return "weight_hh_l0" in module.arrays


def _is_linear(module: _Module, names: Sequence[str], recurrent: Sequence[str]) -> bool:
    if _is_recurrent(module):
        return False
    first = names.index(recurrent[0]) if recurrent else 0
    return "bias" in module.arrays or names.index(module.name) > first or not recurrent


def _activations(activations: Any, linear: Sequence[str]) -> dict[str, Any]:
    if not isinstance(activations, (list, tuple)):
        activations = [None] * (len(linear) - 1) + [activations] * bool(linear)
    if len(activations) != len(linear):
        raise ValueError(
            f"`activations` must have one entry for each Linear, {list(linear)}. "
            f"Received: activations={activations!r}"
        )
    return dict(zip(linear, activations, strict=True))


def _layer_name(module: str) -> str:
    return module.replace(".", "_")


def _embedding(module: _Module) -> tuple[Layer, list[np.ndarray]]:
    table = module.arrays["weight"]
    return Embedding(*table.shape, name=_layer_name(module.name) or "embedding"), [table]


def _dense(module: _Module, activation: Any) -> tuple[Layer, list[np.ndarray]]:
    kernel, bias = module.arrays["weight"].T, module.arrays.get("bias")
    layer = Dense(
        kernel.shape[1],
        activation=activation,
        use_bias=bias is not None,
        name=_layer_name(module.name) or "dense",
    )
    return layer, [kernel] if bias is None else [kernel, bias]


# Rows of PyTorch's matrices per unit, and what has as many: which layer, and where in PyTorch's
# rows Keras's blocks of columns stand. LSTM: i, f, g, o; GRU: r, z, n, of which Keras has z first.
_CELLS: dict[int, tuple[Callable[..., Any], tuple[int, ...]]] = {
    1: (SimpleRNN, (0,)),
    3: (GRU, (1, 0, 2)),
    4: (LSTM, (0, 1, 2, 3)),
}


def _recurrent_layers(
    module: _Module, return_sequences: bool, nonlinearity: str
) -> list[tuple[Layer, list[np.ndarray]]]:
    """Return a layer for each of a module's, with its weights in Keras's layout."""
    count = 1 + max(int(match[3]) for entry in module.arrays if (match := _match(entry)))
    made = []
    for number in range(count):
        last = number == count - 1
        name = _layer_name(module.name)
        name = f"{name}_l{number}" if count > 1 and name else name
        made.append(_one_layer(module, number, return_sequences or not last, nonlinearity, name))
    return made


def _match(entry: str) -> re.Match[str] | None:
    return _RECURRENT.fullmatch(entry)


def _one_layer(
    module: _Module, number: int, return_sequences: bool, nonlinearity: str, name: str
) -> tuple[Layer, list[np.ndarray]]:
    forward = _direction(module, f"_l{number}")
    matrix = module.arrays[f"weight_hh_l{number}"]
    make, _ = _CELLS[matrix.shape[0] // matrix.shape[1]]
    arguments: dict[str, Any] = {
        "return_sequences": return_sequences,
        "use_bias": len(forward) == 3,
    }
    if make is SimpleRNN:
        arguments["activation"] = nonlinearity
    if f"weight_ih_l{number}_reverse" not in module.arrays:
        return make(matrix.shape[1], name=name or None, **arguments), forward
    layer = Bidirectional(make(matrix.shape[1], **arguments), name=name or None)
    return layer, [*forward, *_direction(module, f"_l{number}_reverse")]


def _direction(module: _Module, end: str) -> list[np.ndarray]:
    """Return kernel, recurrent kernel and bias of Keras for one direction of one layer."""
    arrays = module.arrays
    for entry in (f"weight_ih{end}", f"weight_hh{end}"):
        if entry not in arrays:
            raise ValueError(f"`state_dict` must hold '{module.name}.{entry}'. It is missing")
    inner, outer = arrays[f"weight_hh{end}"], arrays[f"weight_ih{end}"]
    units = inner.shape[1]
    gates = inner.shape[0] // units if units else 0
    if gates not in _CELLS or inner.shape[0] != gates * units or outer.shape[0] != gates * units:
        raise ValueError(
            f"{_SUPPORTED}, without `proj_size`. Received: '{module.name}', with matrices of "
            f"shapes {outer.shape} and {inner.shape}"
        )
    _, blocks = _CELLS[gates]

    def in_keras_order(array: np.ndarray) -> np.ndarray:
        return np.concatenate([array[units * block : units * (block + 1)] for block in blocks])

    kernels = [in_keras_order(outer).T, in_keras_order(inner).T]
    biases = [arrays[f"bias_{of}{end}"] for of in ("ih", "hh") if f"bias_{of}{end}" in arrays]
    if not biases:
        return kernels
    if len(biases) != 2 or any(bias.shape != (gates * units,) for bias in biases):
        raise ValueError(
            f"`state_dict` must hold two biases of {gates * units} for '{module.name}{end}'. "
            f"Received: shapes {[bias.shape for bias in biases]}"
        )
    outer_bias, inner_bias = map(in_keras_order, biases)
    # Keras's GRU has two biases as well (`reset_after`); elsewhere they only ever add up.
    stacked = np.stack([outer_bias, inner_bias])
    return [*kernels, stacked if gates == 3 else outer_bias + inner_bias]
