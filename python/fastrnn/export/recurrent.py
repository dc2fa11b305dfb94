"""Recurrent layers as the ONNX operators RNN, LSTM and GRU.

The operators skip steps at the end of a sequence alone. So that masks of any pattern hold, the
steps that count are moved to the front before, and the outputs are moved back behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.export.activations import of_cell
from fastrnn.export.builder import Builder, integers
from fastrnn.export.registry import Call, exports, masks, refuse
from fastrnn.layers.bidirectional import Bidirectional
from fastrnn.layers.gru import GRU, GRUCell
from fastrnn.layers.lstm import LSTM, LSTMCell
from fastrnn.layers.recurrent_cell import RecurrentCell
from fastrnn.layers.rnn import RNN
from fastrnn.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from fastrnn.layers.stacked_rnn_cells import StackedRNNCells

_OPERATORS: dict[type[RecurrentCell], tuple[str, list[int]]] = {
    SimpleRNNCell: ("RNN", [0]),
    LSTMCell: ("LSTM", [0, 3, 1, 2]),  # i, f, c, o here; i, o, f, c there
    GRUCell: ("GRU", [0, 1, 2]),
}
"""Cell -> operator, and for each of its gates the number of the gate here."""


class _Walk(NamedTuple):
    """What a walk returns, by name.

    Attributes:
        outputs: `[batch, steps, units]` in the order of the time, or `[batch, units]`.
        states: The last states.
    """

    outputs: str
    states: list[str]


@exports(RNN, SimpleRNN, LSTM, GRU, takes_mask=True)
def _recurrent(builder: Builder, call: Call) -> list[str]:
    layer = call.layer
    states = [each.name for each in call.inputs[1:]]
    outputs, last = _walk(builder, layer, call.input.name, states, _mask_of(call))
    if layer.go_backwards and layer.return_sequences:
        outputs = _turned(builder, outputs)
    return [outputs, *last] if layer.return_state else [outputs]


@exports(Bidirectional, takes_mask=True)
def _bidirectional(builder: Builder, call: Call) -> list[str]:
    layer = call.layer
    states = [each.name for each in call.inputs[1:]]
    half = len(states) // 2
    walks = [
        _walk(builder, each, call.input.name, own, _mask_of(call))
        for each, own in (
            (layer.forward_layer, states[:half]),
            (layer.backward_layer, states[half:]),
        )
    ]
    forward, backward = (each.outputs for each in walks)
    if layer.merge_mode is None:
        merged = [forward, backward]
    elif layer.merge_mode == "concat":
        merged = [builder.add("Concat", forward, backward, axis=-1)]
    else:
        operator = "Mul" if layer.merge_mode == "mul" else "Add"
        merged = [builder.add(operator, forward, backward)]
        if layer.merge_mode == "ave":
            merged = [builder.add("Mul", merged[0], 0.5)]
    if layer.forward_layer.go_backwards and layer.return_sequences:
        merged = [_turned(builder, each) for each in merged]
    return [*merged, *walks[0].states, *walks[1].states] if layer.return_state else merged


@masks(RNN, SimpleRNN, LSTM, GRU, Bidirectional)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    if call.layer.return_sequences and getattr(call.layer, "merge_mode", "") is None:
        if given[0] is not None:
            refuse(call.layer, "the masks of two outputs cannot be exported")
        return None
    return given[0] if call.layer.return_sequences else None


def _mask_of(call: Call) -> str | None:
    return call.mask[0] if call.mask else None


def _turned(builder: Builder, x: str) -> str:
    """Return `[batch, steps, units]` with its steps in the opposite order."""
    least = np.iinfo(np.int64).min
    return builder.add("Slice", x, integers(-1), integers(least), integers(1), integers(-1))


def _walk(builder: Builder, layer: RNN, x: str, initial: Sequence[str], mask: str | None) -> _Walk:
    """Append the walk of a layer over the steps of x, `[batch, steps, features]`.

    Args:
        builder: What collects the nodes.
        layer: The layer.
        x: Name of the sequences.
        initial: Names of the initial states; empty for zeros.
        mask: Name of the mask, or None.
    """
    packed = None if mask is None else _Packed(builder, mask, layer.go_backwards)
    if packed is not None:
        x = packed.pack(x)
    states: list[str] = []
    for cell in _cells(layer, layer.cell):
        own = initial[len(states) : len(states) + len(cell.state_names)]
        lengths = None if packed is None else packed.lengths
        x, last = _of_cell(builder, cell, x, own, lengths, layer.go_backwards)
        states += last
    outputs = x if layer.return_sequences else last[0]
    if packed is not None:
        place = packed.unpack if layer.return_sequences else packed.last
        outputs = place(outputs, layer.zero_output_for_mask)
        states = packed.states(states, initial)
    return _Walk(outputs, states)


def _cells(layer: RNN, cell: Any) -> list[Any]:
    """Return the cells of a stack, or the only one."""
    if type(cell) is StackedRNNCells:
        return [inside for each in cell.cells for inside in _cells(layer, each)]
    if type(cell) not in _OPERATORS:
        refuse(layer, f"there is no ONNX for cells of type {type(cell).__name__}")
    return [cell]


def _of_cell(
    builder: Builder,
    cell: Any,
    x: str,
    initial: Sequence[str],
    lengths: str | None,
    backwards: bool,
) -> tuple[str, list[str]]:
    """Append the walk of a cell; return its outputs `[batch, steps, units]` and last states."""
    operator, _ = _OPERATORS[type(cell)]
    names = [cell.activation.__name__]
    if cell.recurrent_activation is not None:
        names = [cell.recurrent_activation.__name__, *names]
    if operator == "LSTM":
        names.append(names[-1])
    every, *last = builder.add_several(
        operator,
        1 + len(cell.state_names),
        builder.add("Transpose", x, perm=[1, 0, 2]),
        *_weights(builder, cell),
        lengths,
        *[builder.add("Unsqueeze", each, integers(0)) for each in initial],
        hidden_size=cell.units,
        direction="reverse" if backwards else "forward",
        linear_before_reset=int(cell.reset_after) if operator == "GRU" else None,
        **of_cell(names),
    )
    outputs = builder.add("Squeeze", every, integers(1))  # of the only direction
    states = [builder.add("Squeeze", each, integers(0)) for each in last]
    return builder.add("Transpose", outputs, perm=[1, 0, 2]), states


def _weights(builder: Builder, cell: Any) -> list[str]:
    """Return the names of both kernels, `[1, gates * units, ...]`, and of the bias, if any."""
    _, gates = _OPERATORS[type(cell)]

    def turned(array: np.ndarray) -> np.ndarray:
        parts = np.split(array, len(gates), axis=-1)
        return np.concatenate([parts[gate] for gate in gates], axis=-1).T[np.newaxis]

    names = []
    for weight in (cell.kernel, cell.recurrent_kernel):
        names.append(builder.weight(weight, "_of_onnx", turned(weight.value)))
    if cell.bias is not None:
        # That of the input first, then that of the state.
        bias = np.atleast_2d(cell.bias.value)
        both = bias if len(bias) == 2 else np.concatenate([bias, np.zeros_like(bias)])
        value = np.concatenate([turned(each) for each in both], axis=-1)
        names.append(builder.weight(cell.bias, "_of_onnx", value))
    else:
        names.append("")
    return names


class _Packed:
    """A mask, and how the steps that count move to the front.

    Args:
        builder: What collects the nodes.
        mask: Name of the mask, `[batch, steps]`.
        backwards: Whether the walk goes from the last step to the first.

    Attributes:
        lengths: Name of the number of steps that count in each row, at least 1.
    """

    def __init__(self, builder: Builder, mask: str, backwards: bool) -> None:
        self._add, self._mask, self._backwards = builder.add, mask, backwards
        counts = self._add("Cast", mask, to="int64")
        shape = self._add("Shape", mask)
        steps = self._add("Squeeze", self._add("Slice", shape, integers(1), integers(2)))
        numbers = self._add("Range", np.int64(0), steps, np.int64(1))
        # Sorted by these keys, steps that count come first, each kind in its order.
        keys = self._add("Where", mask, numbers, self._add("Add", numbers, steps))
        _, self._order = builder.add_several(
            "TopK", 2, keys, self._add("Unsqueeze", steps, integers(0)), axis=1, largest=0
        )
        total = self._add("ReduceSum", counts, integers(1), keepdims=1)
        self._any = self._add("Greater", total, np.int64(0))  # [batch, 1]
        until = self._add("CumSum", counts, np.int64(1))
        # Which of the outputs stands at each step: that of the last step before that counts.
        if backwards:
            place = self._add("Sub", until, counts)
            self._begun = self._add("Less", place, total)
            self._place = self._add("Min", place, self._add("Sub", steps, np.int64(1)))
        else:
            self._begun = self._add("Greater", until, np.int64(0))
            self._place = self._add("Max", self._add("Sub", until, np.int64(1)), np.int64(0))
        short = self._add("Squeeze", self._add("Max", total, np.int64(1)), integers(1))
        self.lengths = self._add("Cast", short, to="int32")

    def pack(self, x: str) -> str:
        """Return sequences with the steps that count in front."""
        return self._gathered(x, self._order)

    def unpack(self, outputs: str, zeros: bool) -> str:
        """Return the outputs of all steps in their places.

        Args:
            outputs: Those of the packed sequences.
            zeros: Whether those of masked steps are zeros.
        """
        shown = self._mask if zeros else self._begun
        moved = self._gathered(outputs, self._place)
        return self._add("Where", self._add("Unsqueeze", shown, integers(-1)), moved, 0.0)

    def last(self, output: str, zeros: bool) -> str:
        """Return the output of the last step of the walk."""
        shown = self._any
        if zeros:
            first = 0 if self._backwards else -1
            end = 1 if self._backwards else np.iinfo(np.int64).max
            shown = self._add("Slice", self._mask, integers(first), integers(end), integers(1))
        return self._add("Where", shown, output, 0.0)

    def states(self, states: Sequence[str], initial: Sequence[str]) -> list[str]:
        """Return the last states; where no step counts they are the initial ones."""
        before: Sequence[Any] = initial or [0.0] * len(states)
        return [
            self._add("Where", self._any, each, first)
            for each, first in zip(states, before, strict=True)
        ]

    def _gathered(self, x: str, places: str) -> str:
        rows = self._add("Unsqueeze", places, integers(-1))
        return self._add("GatherND", x, rows, batch_dims=1)
