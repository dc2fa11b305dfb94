"""`RNN`, `LSTM` and `GRU` of `torch.nn`, run by the kernels."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from fastrnn.torch.layout import bias_of, enter_as_input, kernel_of
from fastrnn.torch.operators import reason_against, run_forward
from fastrnn.torch.rows import SegmentedRows

# PyTorch's `mode` of a module: the cell of the kernels, and the activation of its candidate.
MODES = {
    "RNN_TANH": ("simple_rnn", "tanh"),
    "RNN_RELU": ("simple_rnn", "relu"),
    "LSTM": ("lstm", "tanh"),
    "GRU": ("gru", "tanh"),
}


class KernelLayer(nn.RNNBase):
    """What `RNN`, `LSTM` and `GRU` share: `forward` of `torch.nn.RNNBase` by the kernels.

    Parameters, their names and first values, `state_dict` and the text of `print` are PyTorch's.
    The classes derive from `nn.RNNBase`, not from `nn.LSTM` and so on, whose instances
    `torch.compile` does not take into its graph.
    """

    own: type[nn.RNNBase]
    """PyTorch's class of this one."""

    unsupported = "torch"
    """What to do with tensors that the kernels do not take: "torch" or "error"."""

    def forward(self, input: Any, hx: Any = None, reset: Tensor | None = None) -> Any:
        """Run all layers over a batch of sequences.

        Args:
            input: [T, B, F], with `batch_first` [B, T, F], unbatched [T, F], or a
                `PackedSequence`.
            hx: Initial state [layers * directions, B, H], for an LSTM (h, c); unbatched [.., H].
                None for zeros.
            reset: Bool, of the shape of `input` without features. True where the state of all
                layers is set to zeros before the step, as where an episode begins.

        Returns:
            The outputs, of the kind of `input`, and the last state, of the kind of `hx`.

        Raises:
            ValueError: If `reset` does not fit, or `unsupported` is "error" and the kernels do not
                take a tensor.
            RuntimeError: As in PyTorch, if sizes do not fit.
        """
        packed = isinstance(input, PackedSequence)
        data = input.data if packed else input
        states = () if hx is None else (hx,) if isinstance(hx, Tensor) else tuple(hx)
        reason = reason_against(*(w for each in self.all_weights for w in each), data, *states)
        if reason is not None or data.numel() == 0:
            return self._by_torch(reason, input, hx, reset)
        if packed:
            return self._packed(input, states, reset)
        if data.dim() not in (2, 3):
            raise ValueError(
                f"{self.mode}: Expected input to be 2D or 3D, got {data.dim()}D instead"
            )
        unbatched = data.dim() == 2
        batch_axis = 0 if self.batch_first else 1
        if unbatched:
            data = data.unsqueeze(batch_axis)
            states = tuple(state.unsqueeze(1) for state in states)
        begin = self._checked(data, states, None)
        if reset is not None:
            reset = _as_reset(reset, input.shape[:-1])
            reset = reset.unsqueeze(batch_axis) if unbatched else reset
        steps, batch_sizes = data.shape[:2], None
        if not self.batch_first and reset is None:
            batch_sizes = torch.full((steps[0],), steps[1])
            data = data.flatten(0, 1)
        elif reset is not None and not self.batch_first:
            data, reset = data.transpose(0, 1), reset.t()
        outputs, last = self._layers(data, begin, bool(states), batch_sizes, reset)
        if batch_sizes is not None:
            outputs = outputs.view(*steps, outputs.shape[-1])
        elif not self.batch_first:
            outputs = outputs.transpose(0, 1).contiguous()
        if unbatched:
            outputs = outputs.squeeze(batch_axis)
            last = tuple(state.squeeze(1) for state in last)
        return outputs, self._as_hx(last)

    def _packed(
        self, input: PackedSequence, states: tuple[Tensor, ...], reset: Tensor | None
    ) -> tuple[PackedSequence, Any]:
        if reset is not None:
            raise ValueError("`reset` must be None where the input is a `PackedSequence`.")
        begin = self._checked(input.data, states, input.batch_sizes)
        if states and input.sorted_indices is not None:
            begin = tuple(state.index_select(1, input.sorted_indices) for state in begin)
        outputs, last = self._layers(input.data, begin, bool(states), input.batch_sizes, None)
        if input.unsorted_indices is not None:
            last = tuple(state.index_select(1, input.unsorted_indices) for state in last)
        return input._replace(data=outputs), self._as_hx(last)

    def _checked(
        self, data: Tensor, states: tuple[Tensor, ...], batch_sizes: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Return the initial states, zeros if there are none, after PyTorch's own checks."""
        if not states:
            size = self.get_expected_hidden_size(data, batch_sizes)
            states = (data.new_zeros(size),)
            if self.mode == "LSTM":
                states = (*states, data.new_zeros(*size[:2], self.hidden_size))
        self.check_forward_args(data, self._as_hx(states), batch_sizes)
        return states

    def _as_hx(self, states: tuple[Tensor, ...]) -> Any:
        return states if self.mode == "LSTM" else states[0]

    def _layers(
        self,
        x: Tensor,
        states: tuple[Tensor, ...],
        given: bool,
        batch_sizes: Tensor | None,
        reset: Tensor | None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run all layers, each in all directions.

        Args:
            x: [B, T, F], or [N, F] with `batch_sizes`.
            states: (h, c) or (h,), each [layers * directions, B, H].
            given: Whether the user gave the states, and they may not be zeros.
            batch_sizes: [T] as in a `PackedSequence`, or None.
            reset: Bool [B, T], or None; not with `batch_sizes`.

        Returns:
            The outputs, of x's shape with directions * H features, and the last states.
        """
        rows = mask = None
        if reset is not None:
            if self.bidirectional:
                raise ValueError("`reset` must be None where the layer is bidirectional.")
            rows = SegmentedRows(reset)
            x, mask = rows.split(x), rows.mask
        directions = 2 if self.bidirectional else 1
        weights = self.all_weights
        last: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                index = layer * directions + direction
                begin = tuple(state[index] for state in states)
                if rows is not None:
                    begin = tuple(rows.initial(state) for state in begin)
                result, end = self._one(
                    weights[index], x, begin, given, batch_sizes, mask, direction == 1
                )
                if rows is not None:
                    end = tuple(rows.last(state) for state in end)
                outputs.append(result)
                last.append(end)
            x = outputs[0] if directions == 1 else torch.cat(outputs, dim=-1)
            if self.dropout and self.training and layer < self.num_layers - 1:
                x = nn.functional.dropout(x, self.dropout)
        if rows is not None:
            x = rows.joined(x)
        if len(last) == 1:
            return x, tuple(state.unsqueeze(0) for state in last[0])
        return x, tuple(torch.stack(each) for each in zip(*last, strict=True))

    def _one(
        self,
        weights: list[nn.Parameter],
        x: Tensor,
        states: tuple[Tensor, ...],
        given: bool,
        batch_sizes: Tensor | None,
        mask: Tensor | None,
        go_backwards: bool,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run one layer in one direction: outputs like x and the last states, each [B, H]."""
        weight_ih, weight_hh, *others = weights
        projection = others.pop() if self.proj_size else None
        cell, activation = MODES[self.mode]
        kernel, recurrent_kernel = kernel_of(cell, weight_ih), kernel_of(cell, weight_hh)
        h, c = states[0], states[1] if cell == "lstm" else None
        if projection is not None:
            if given:
                x = enter_as_input(x, h, _first_steps(x, h.shape[0], batch_sizes, go_backwards))
                kernel = torch.cat([kernel, recurrent_kernel])
            recurrent_kernel = projection.t() @ recurrent_kernel
            h = h.new_zeros(h.shape[0], self.hidden_size)
        keep_tape = torch.is_grad_enabled() and any(
            tensor.requires_grad for tensor in (x, kernel, recurrent_kernel, *states)
        )
        outputs, h, last_c, _ = run_forward(
            cell,
            x,
            kernel,
            recurrent_kernel,
            bias_of(cell, *(others or (None, None))),
            h,
            c,
            mask,
            activation,
            go_backwards,
            keep_tape,
            batch_sizes=batch_sizes,
        )
        if projection is not None:
            outputs, h = outputs @ projection.t(), h @ projection.t()
        return outputs, (h,) if c is None else (h, last_c)

    def _by_torch(self, reason: str | None, input: Any, hx: Any, reset: Tensor | None) -> Any:
        if reason is not None:
            message = f"The kernels of fastrnn compute in float32 on the CPU, but {reason}"
            if self.unsupported == "error" or reset is not None:
                raise ValueError(message)
            warnings.warn(
                f"{message}: PyTorch's own {self.own.__name__} runs instead.", stacklevel=4
            )
        return self.own.forward(self, input, hx)


def _as_reset(reset: Any, shape: torch.Size) -> Tensor:
    if not isinstance(reset, Tensor) or reset.shape != shape:
        received = tuple(reset.shape) if isinstance(reset, Tensor) else type(reset).__name__
        raise ValueError(f"`reset` must be a tensor of shape {tuple(shape)}. Received: {received}")
    return reset.bool()


def _first_steps(x: Tensor, batch: int, batch_sizes: Tensor | None, go_backwards: bool) -> Tensor:
    """Return the step [B] with which each row's walk begins, as its number among those of x."""
    rows = torch.arange(batch)
    if batch_sizes is None:
        first = rows * x.shape[1]
        return first + x.shape[1] - 1 if go_backwards else first
    if not go_backwards:
        return rows
    lengths = (batch_sizes[:, None] > rows).sum(dim=0)
    begins = torch.cumsum(batch_sizes, 0) - batch_sizes
    return begins[lengths - 1] + rows


class RNN(KernelLayer):
    """`torch.nn.RNN`, whose forward and backward pass run on fastrnn's kernels.

    Constructor, weights and results are those of `torch.nn.RNN`. A call takes `reset` besides; see
    `KernelLayer.forward`.

    Example:
        >>> import torch
        >>> output, h = RNN(3, 4)(torch.zeros(5, 2, 3))
        >>> output.shape, h.shape
        (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """

    own = nn.RNN

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        mode = f"RNN_{nonlinearity}".upper()
        if mode not in MODES:
            raise ValueError(
                f"`nonlinearity` must be 'tanh' or 'relu'. Received: nonlinearity={nonlinearity!r}"
            )
        self.nonlinearity = nonlinearity
        super().__init__(
            mode,
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )


class LSTM(KernelLayer):
    """`torch.nn.LSTM`, whose forward and backward pass run on fastrnn's kernels.

    Constructor, weights and results are those of `torch.nn.LSTM`, also with `proj_size`. A call
    takes `reset` besides; see `KernelLayer.forward`.

    Example:
        >>> import torch
        >>> output, (h, c) = LSTM(3, 4, batch_first=True)(torch.zeros(2, 5, 3))
        >>> output.shape, h.shape, c.shape
        (torch.Size([2, 5, 4]), torch.Size([1, 2, 4]), torch.Size([1, 2, 4]))
    """

    own = nn.LSTM
    get_expected_cell_size = nn.LSTM.get_expected_cell_size
    check_forward_args = nn.LSTM.check_forward_args
    permute_hidden = nn.LSTM.permute_hidden

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )


class GRU(KernelLayer):
    """`torch.nn.GRU`, whose forward and backward pass run on fastrnn's kernels.

    Constructor, weights and results are those of `torch.nn.GRU`. A call takes `reset` besides; see
    `KernelLayer.forward`.

    Example:
        >>> import torch
        >>> output, h = GRU(3, 4, num_layers=2)(torch.zeros(5, 2, 3))
        >>> output.shape, h.shape
        (torch.Size([5, 2, 4]), torch.Size([2, 2, 4]))
    """

    own = nn.GRU

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
