"""Keras's layers out of PyTorch's, with weights that come and go in Keras's layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from comparison.weights import recurrent_from_torch, recurrent_to_torch
from comparison.workloads import LayerSpec

LEFT_TO_THE_LOSS = ("sigmoid", "softmax")
RECURRENT = {"SimpleRNN": torch.nn.RNN, "LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}


def _assign(parameter: torch.nn.Parameter, array: np.ndarray) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


class Embedding(torch.nn.Embedding):
    """Keras's Embedding; what `mask_zero` masks is left to `Model`."""

    def __init__(
        self, features: int, *, input_dim: int, output_dim: int, mask_zero: bool = False
    ) -> None:
        super().__init__(input_dim, output_dim)
        self.features, self.mask_zero = output_dim, mask_zero

    def load(self, weights: list[np.ndarray]) -> None:
        """Takes its weights, in Keras's layout, from the front of the list."""
        _assign(self.weight, weights.pop(0))

    def dump(self) -> list[np.ndarray]:
        """Its weights in Keras's layout."""
        return [self.weight.detach().numpy()]


class Recurrent(torch.nn.Module):
    """Keras's SimpleRNN, LSTM or GRU, or its Bidirectional around one.

    Args:
        features: Size of the last axis of the input, F.
        cell: Keras's name of the layer.
        units: Units of one direction, H.
        return_sequences: Whether the outputs of all steps are returned.
        activation: tanh, or relu for a SimpleRNN.
        bidirectional: Whether a second layer walks back, and both outputs stand side by side.
        packed: Whether sequences that end early are packed. Otherwise all steps are walked and each
            row's output is taken at its last one, which gives the same numbers.
    """

    def __init__(
        self,
        features: int,
        *,
        cell: str,
        units: int,
        return_sequences: bool = False,
        activation: str = "tanh",
        bidirectional: bool = False,
        packed: bool = False,
    ) -> None:
        super().__init__()
        if cell != "SimpleRNN" and activation != "tanh":
            raise ValueError(f"activation of {cell} must be tanh. Received: {activation}")
        self.cell, self.features = cell, units * (1 + bidirectional)
        self.return_sequences, self.packed = return_sequences, packed
        options = {"nonlinearity": activation} if cell == "SimpleRNN" else {}
        self.rnn = RECURRENT[cell](
            features, units, batch_first=True, bidirectional=bidirectional, **options
        )
        if cell != "GRU":
            # Keras has one bias here. Two trained ones would move twice as fast under Adam.
            for name, parameter in self.rnn.named_parameters():
                if name.startswith("bias_hh"):
                    parameter.requires_grad_(False)

    def forward(
        self, x: torch.Tensor, lengths: torch.Tensor | None = None, states: Any = None
    ) -> torch.Tensor:
        """[B, T, F] to [B, H], or [B, T, H] with `return_sequences`.

        `lengths`, [B], is the number of steps that each row is walked; `states` are the first ones.
        """
        if lengths is not None:
            return self._masked(x, lengths)
        outputs, states = self.rnn(x, states)
        return outputs if self.return_sequences else self._last(states)

    def _masked(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        if self.return_sequences:
            raise ValueError("a masked layer that returns sequences is not built here")
        if self.packed:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            return self._last(self.rnn(packed)[1])
        if self.rnn.bidirectional:
            raise ValueError("a masked layer in two directions must be packed")
        return self.rnn(x)[0][torch.arange(len(x)), lengths - 1]

    def _last(self, states: Any) -> torch.Tensor:
        """Each direction's last h, [directions, B, H], side by side."""
        h = states[0] if self.cell == "LSTM" else states
        return h[0] if len(h) == 1 else torch.cat(tuple(h), dim=-1)

    def load(self, weights: list[np.ndarray]) -> None:
        """Takes its weights, in Keras's layout, from the front of the list."""
        for parameters in self.rnn.all_weights:  # an entry for each direction
            converted = recurrent_to_torch(self.cell, weights[:3])
            del weights[:3]
            for parameter, array in zip(parameters, converted, strict=True):
                _assign(parameter, array)

    def dump(self) -> list[np.ndarray]:
        """Its weights in Keras's layout."""
        arrays = []
        for parameters in self.rnn.all_weights:
            values = [parameter.detach().numpy() for parameter in parameters]
            arrays += recurrent_from_torch(self.cell, values)
        return arrays


class EncoderDecoder(torch.nn.Module):
    """Two recurrent layers; the second begins with the final states of the first.

    Args:
        features: Sizes of the last axes of the two inputs.
        layer: Specification of both layers.
    """

    def __init__(self, features: list[int], *, layer: LayerSpec) -> None:
        super().__init__()
        (cell, options), (source, target) = layer, features
        self.encoder = Recurrent(source, cell=cell, **options)
        self.decoder = Recurrent(target, cell=cell, return_sequences=True, **options)
        self.features = self.decoder.features

    def forward(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """[B, S, F], [B, T, G] to [B, T, H]."""
        source, target = inputs
        return self.decoder(target, states=self.encoder.rnn(source)[1])

    def load(self, weights: list[np.ndarray]) -> None:
        """Takes its weights, in Keras's layout, from the front of the list."""
        self.encoder.load(weights)
        self.decoder.load(weights)

    def dump(self) -> list[np.ndarray]:
        """Its weights in Keras's layout."""
        return self.encoder.dump() + self.decoder.dump()


class Conv1D(torch.nn.Conv1d):
    """Keras's Conv1D, with the features last."""

    def __init__(
        self, features: int, *, filters: int, kernel_size: int, activation: str = "linear"
    ) -> None:
        super().__init__(features, filters, kernel_size)
        if activation not in ("linear", "relu"):
            raise ValueError(f"activation must be linear or relu. Received: {activation}")
        self.features, self.activation = filters, activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, T, F] to [B, windows, filters]; PyTorch has the steps last."""
        y = super().forward(x.transpose(1, 2))
        return (torch.relu(y) if self.activation == "relu" else y).transpose(1, 2)

    def load(self, weights: list[np.ndarray]) -> None:
        """Takes its weights, in Keras's layout, from the front of the list."""
        _assign(self.weight, weights.pop(0).transpose(2, 1, 0))
        _assign(self.bias, weights.pop(0))

    def dump(self) -> list[np.ndarray]:
        """Its weights in Keras's layout."""
        return [self.weight.detach().numpy().transpose(2, 1, 0), self.bias.detach().numpy()]


class MaxPooling1D(torch.nn.MaxPool1d):
    """Keras's MaxPooling1D, with the features last."""

    def __init__(self, features: int, *, pool_size: int) -> None:
        super().__init__(pool_size)
        self.features = features

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, T, F] to [B, windows, F]."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)

    def load(self, weights: list[np.ndarray]) -> None:
        """Takes nothing: it has no weights."""

    def dump(self) -> list[np.ndarray]:
        """No weights."""
        return []


class Dropout(torch.nn.Dropout):
    """Keras's Dropout."""

    def __init__(self, features: int, *, rate: float) -> None:
        super().__init__(rate)
        self.features = features

    def load(self, weights: list[np.ndarray]) -> None:
        """Takes nothing: it has no weights."""

    def dump(self) -> list[np.ndarray]:
        """No weights."""
        return []


class Dense(torch.nn.Linear):
    """Keras's Dense, on its own or in a TimeDistributed.

    A sigmoid or softmax is left to the loss, which takes logits as PyTorch's users do.
    """

    def __init__(self, features: int, *, units: int, activation: str = "linear") -> None:
        super().__init__(features, units)
        if activation not in ("linear", "relu", *LEFT_TO_THE_LOSS):
            raise ValueError(
                f"activation must be linear, relu, sigmoid or softmax. Received: {activation}"
            )
        self.features, self.activation = units, activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, F] to [B, units], or [B, T, F] to [B, T, units]."""
        y = super().forward(x)
        return torch.relu(y) if self.activation == "relu" else y

    def load(self, weights: list[np.ndarray]) -> None:
        """Takes its weights, in Keras's layout, from the front of the list."""
        _assign(self.weight, weights.pop(0).T)
        _assign(self.bias, weights.pop(0))

    def dump(self) -> list[np.ndarray]:
        """Its weights in Keras's layout."""
        return [self.weight.detach().numpy().T, self.bias.detach().numpy()]


class Model(torch.nn.Sequential):
    """A stack of these layers; a sigmoid or softmax at its end is left out (see `Dense`)."""

    def forward(self, x: Any) -> torch.Tensor:
        """An input or a list of them to logits or values, [B, units] or [B, T, units]."""
        lengths = None
        for module in self:
            if isinstance(module, Embedding) and module.mask_zero:
                lengths = (x != 0).sum(dim=1)
            x = module(x, lengths) if isinstance(module, Recurrent) else module(x)
        return x


def build(
    layers: Sequence[LayerSpec],
    weights: Sequence[np.ndarray],
    features: int | list[int],
    packed: bool,
) -> Model:
    """A model with its initial weights.

    Args:
        layers: The layers, first to last.
        weights: Their weights in the layout and order of Keras's `get_weights()`.
        features: Size of the last axis of the input, or of each of several; an Embedding does
            without.
        packed: How recurrent layers treat sequences that end early (see `Recurrent`).

    Returns:
        The model.
    """
    modules: list[torch.nn.Module] = []
    remaining = list(weights)
    for number, (kind, options) in enumerate(layers, start=1):
        if kind == "TimeDistributed":
            kind, options = options["layer"]
        activation = options.get("activation")
        if activation in LEFT_TO_THE_LOSS and number < len(layers):
            raise ValueError(f"a {activation} must be the last activation: the loss stands for it")
        module = _module(kind, dict(options), features, packed)
        module.load(remaining)
        features = module.features
        modules.append(module)
    return Model(*modules)


def _module(
    kind: str, options: dict[str, Any], features: int | list[int], packed: bool
) -> torch.nn.Module:
    if kind == "Bidirectional":
        kind, inner = options.pop("layer")
        options |= {**inner, "bidirectional": True}
    if kind in RECURRENT:
        return Recurrent(features, cell=kind, packed=packed, **options)
    kinds = (Embedding, Dense, Dropout, Conv1D, MaxPooling1D, EncoderDecoder)
    return {each.__name__: each for each in kinds}[kind](features, **options)
