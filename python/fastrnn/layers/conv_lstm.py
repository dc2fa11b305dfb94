"""LSTM whose products are convolutions (Shi et al., 2015): for films and maps of sensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn import activations, constraints, initializers, regularizers
from fastrnn.arguments import check_seed, positive_integer, refuse_unsupported
from fastrnn.layers.dropout import generator_of, rate_of
from fastrnn.layers.fields import (
    Sliding,
    check_field,
    convolve,
    convolve_backward,
    only_channels_last,
)
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.windows import integers_of, padding_of, refuse_dilated_strides
from fastrnn.variable import Variable

_GATES = 4
_NOT_BUILT = {"return_state": False, "stateful": False}


class _Step(NamedTuple):
    """What a step keeps for the backward pass, `[batch, *sizes, filters]` each.

    Attributes:
        h: The output before the step.
        c: The cell state before it.
        scores: What the activations got: of i, f, the candidate and o.
        gates: What they returned.
        c_new: The cell state after the step.
        c_out: The activation of it.
    """

    h: np.ndarray
    c: np.ndarray
    scores: list[np.ndarray]
    gates: list[np.ndarray]
    c_new: np.ndarray
    c_out: np.ndarray


class _Cache(NamedTuple):
    x: np.ndarray
    x_masks: list[np.ndarray] | None
    h_masks: list[np.ndarray] | None
    steps: list[_Step]


class ConvLSTMCell(Layer):
    """Holds the weights of a ConvLSTM, as Keras's files have them; the layer around it computes."""

    kernel: Variable
    recurrent_kernel: Variable
    bias: Variable | None = None

    def __init__(self, layer: ConvLSTM, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._layer = [layer]  # in a list: it is around this cell, not inside

    def _create_weights(self, input_shape: Shape) -> None:
        layer = self._layer[0]
        columns = _GATES * layer.filters
        self.kernel = self.add_weight(
            (*layer.kernel_size, input_shape[-1], columns),
            layer.kernel_initializer,
            "kernel",
            layer.kernel_regularizer,
            layer.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            (*layer.kernel_size, layer.filters, columns),
            layer.recurrent_initializer,
            "recurrent_kernel",
            layer.recurrent_regularizer,
            layer.recurrent_constraint,
        )
        if not layer.use_bias:
            return
        self.bias = self.add_weight(
            (columns,),
            layer.bias_initializer,
            "bias",
            layer.bias_regularizer,
            layer.bias_constraint,
        )
        if layer.unit_forget_bias:
            self.bias.value[layer.filters : 2 * layer.filters] = 1


class ConvLSTM(Layer):
    """Base of ConvLSTM1D and ConvLSTM2D; `*` is a convolution.

    i, f, o = recurrent_activation(x_t * W + h_prev * U + b)    three gates
    c_t = f c_prev + i activation(x_t * W_c + h_prev * U_c + b_c)
    h_t = o activation(c_t)
    """

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        given = {"return_state": return_state, "stateful": stateful}
        refuse_unsupported(type(self).__name__, given, _NOT_BUILT)
        for of_keras in ("unroll", "zero_output_for_mask"):  # in its configs; without effect here
            kwargs.pop(of_keras, None)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_integer("filters", filters)
        self.kernel_size = integers_of("kernel_size", kernel_size, self.rank, 1)
        self.strides = integers_of("strides", strides, self.rank, 1)
        self.padding = padding_of(padding, ("valid", "same"))
        self.data_format = only_channels_last(data_format)
        self.dilation_rate = integers_of("dilation_rate", dilation_rate, self.rank, 1)
        refuse_dilated_strides(strides, dilation_rate)
        self.activation = activations.of_layer(activation)
        self.recurrent_activation = activations.of_layer(recurrent_activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.unit_forget_bias = bool(unit_forget_bias)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = rate_of("dropout", dropout)
        self.recurrent_dropout = rate_of("recurrent_dropout", recurrent_dropout)
        self.seed = check_seed(seed)
        self.return_sequences = bool(return_sequences)
        self.return_state = return_state
        self.go_backwards = bool(go_backwards)
        self._generator = generator_of(self.seed)
        self.cell = ConvLSTMCell(self, name="conv_lstm_cell")
        if not self.trainable:
            self.trainable = False  # that of the cell too

    def _sublayers(self) -> tuple[Layer, ...]:
        return (self.cell,)

    # ------------------------------------------------------------------------ shapes, building

    @property
    def _sliding(self) -> Sliding:
        return Sliding(self.kernel_size, self.strides, self.dilation_rate, self.padding)

    @property
    def _recurrent_sliding(self) -> Sliding:
        ones = (1,) * self.rank
        return Sliding(self.kernel_size, ones, ones, "same")

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what is not `[batch, steps, *sizes, features]`, or does not fit the kernel."""
        if len(shape) != self.rank + 3 or shape[1] == 0:
            raise ValueError(
                f"The input of layer '{self.name}' must have {self.rank + 3} dimensions, (batch, "
                f"steps, {self.rank} sizes, features), and at least one step. "
                f"Received: shape={shape}"
            )
        check_field(self.name, (shape[0], *shape[2:]), self.rank, self._sliding)
        if self.cell.built and shape[-1] != self.cell.kernel.shape[-2]:
            raise ValueError(
                f"The input of layer '{self.name}' must have {self.cell.kernel.shape[-2]} "
                f"features. Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the batch, the steps if all are returned, the numbers of windows, the filters."""
        steps = (input_shape[1],) if self.return_sequences else ()
        return (input_shape[0], *steps, *self._sliding.counts(input_shape[2:-1]), self.filters)

    def _create_weights(self, input_shape: Shape) -> None:
        self.cell.scope = f"{self.scope}{self.name}/"
        self.cell.build((input_shape[0], *input_shape[2:]))

    # ------------------------------------------------------------------------------ computation

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, _Cache]:
        """Walk the steps."""
        cell, batch, count = self.cell, x.shape[0], x.shape[1]
        if self.go_backwards:
            x = x[:, ::-1]
        flat = x.reshape(batch * count, *x.shape[2:])
        x_masks = self._masks((batch, 1, *x.shape[2:]), self.dropout, training)
        if x_masks is not None:
            x_masks = [np.repeat(mask, count, axis=1).reshape(flat.shape) for mask in x_masks]
        scores_of_x = _products(flat, cell.kernel.value, self._sliding, x_masks)
        if cell.bias is not None:
            scores_of_x += cell.bias.value
        scores_of_x = scores_of_x.reshape(batch, count, *scores_of_x.shape[1:])
        h = c = np.zeros((batch, *scores_of_x.shape[2:-1], self.filters), np.float32)
        h_masks = self._masks(h.shape, self.recurrent_dropout, training)
        steps: list[_Step] = []
        outputs = []
        functions = self._functions
        for step in range(count):
            recurrent = _products(h, cell.recurrent_kernel.value, self._recurrent_sliding, h_masks)
            scores = np.split(scores_of_x[:, step] + recurrent, _GATES, axis=-1)
            gates = [own.compute(z) for own, z in zip(functions, scores, strict=True)]
            i, f, candidate, o = gates
            c_new = f * c + i * candidate
            c_out = self.activation.compute(c_new)
            steps.append(_Step(h, c, scores, gates, c_new, c_out))
            h, c = o * c_out, c_new
            if self.return_sequences:
                outputs.append(h)
        y = np.stack(outputs, axis=1) if self.return_sequences else h
        return y, _Cache(flat, x_masks, h_masks, steps)

    def backward(
        self, cache: _Cache, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        cell, count = self.cell, len(cache.steps)
        d_recurrent = np.zeros(cell.recurrent_kernel.shape, np.float32)
        d_h = np.zeros(cache.steps[0].h.shape, np.float32) if self.return_sequences else d_y
        d_c = np.zeros(cache.steps[0].c.shape, np.float32)
        d_scores: list[np.ndarray] = []
        for step in reversed(range(count)):
            kept = cache.steps[step]
            if self.return_sequences:
                d_h = d_h + d_y[:, step]
            i, f, candidate, o = kept.gates
            d_c = d_c + self.activation.backward(kept.c_new, kept.c_out, d_h * o)
            d_gates = [d_c * candidate, d_c * kept.c, d_c * i, d_h * kept.c_out]
            backs = zip(self._functions, kept.scores, kept.gates, d_gates, strict=True)
            d_z = np.concatenate([own.backward(z, y, d) for own, z, y, d in backs], axis=-1)
            d_scores.append(d_z)
            d_c = d_c * f
            d_h, d_own = _products_backward(
                kept.h, cell.recurrent_kernel.value, self._recurrent_sliding, cache.h_masks, d_z
            )
            d_recurrent += d_own
        d_all = np.stack(d_scores[::-1], axis=1)
        d_flat = d_all.reshape(-1, *d_all.shape[2:])
        d_x, d_kernel = _products_backward(
            cache.x, cell.kernel.value, self._sliding, cache.x_masks, d_flat
        )
        gradients = [d_kernel, d_recurrent]
        if cell.bias is not None:
            gradients.append(d_flat.sum(axis=tuple(range(d_flat.ndim - 1))))
        d_x = d_x.reshape(-1, count, *d_x.shape[1:])
        return np.ascontiguousarray(d_x[:, ::-1] if self.go_backwards else d_x), gradients

    @property
    def _functions(self) -> list[activations.Activation]:
        """The activations of i, f, the candidate and o."""
        gate = self.recurrent_activation
        return [gate, gate, self.activation, gate]

    def _masks(self, shape: Sequence[int], rate: float, training: bool) -> list[np.ndarray] | None:
        """Draw a mask for each gate, the same at every step; None without dropout."""
        if not training or not 0 < rate < 1:
            return None
        kept = np.float32(1 / (1 - rate))
        drawn = (self._generator.random(tuple(shape), dtype=np.float32) for _ in range(_GATES))
        return [(each >= rate) * kept for each in drawn]


def _products(
    x: np.ndarray, kernel: np.ndarray, sliding: Sliding, masks: list[np.ndarray] | None
) -> np.ndarray:
    """Return the convolutions of all gates, side by side."""
    if masks is None:
        return convolve(x, kernel, sliding)
    parts = zip(masks, np.split(kernel, _GATES, axis=-1), strict=True)
    return np.concatenate([convolve(x * mask, own, sliding) for mask, own in parts], axis=-1)


def _products_backward(
    x: np.ndarray,
    kernel: np.ndarray,
    sliding: Sliding,
    masks: list[np.ndarray] | None,
    d_z: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of x and of the kernel."""
    pieces = [(np.float32(1.0), kernel, d_z)]
    if masks is not None:
        split = (np.split(each, _GATES, axis=-1) for each in (kernel, d_z))
        pieces = list(zip(masks, *split, strict=True))
    total = np.zeros(x.shape, np.float32)
    d_kernels = []
    for mask, own, d in pieces:
        d_x, d_kernel = convolve_backward(x * mask, own, sliding, d)
        assert d_x is not None
        total += d_x * mask
        d_kernels.append(d_kernel)
    return total, np.concatenate(d_kernels, axis=-1)
