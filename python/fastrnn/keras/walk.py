"""What a layer's call asks of the kernels, and how they do it on NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.kernels import RnnOutput, Tape


@dataclass(frozen=True)
class Walk:
    """All about a call but its arrays. Equal walks are one to JAX, which then compiles once.

    Attributes:
        cell: One of `fastrnn.kernels.CELLS`.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates; None for a SimpleRNN.
        go_backwards: Whether to walk from the last step to the first.
        zero_output_for_mask: Whether the output of a skipped step is zeros.
        return_sequences: Whether the outputs of all steps are wanted, in the order of the time.
        bias: Whether there is a bias.
        others: Names of the arrays that have no gradient: "mask", "dropout_mask" and
            "recurrent_dropout_mask", as `fastrnn.kernels.rnn_forward` has them.
    """

    cell: str
    activation: str
    recurrent_activation: str | None
    go_backwards: bool
    zero_output_for_mask: bool
    return_sequences: bool
    bias: bool
    others: tuple[str, ...]

    @property
    def states(self) -> int:
        """How many states the cell has."""
        return kernels.CELLS[self.cell].states

    def output_shapes(self, x: Sequence[Any], units: int) -> list[tuple[Any, ...]]:
        """Return the shapes of the outputs and of the last states.

        Args:
            x: Shape of x, [B, T, F].
            units: H.
        """
        batch, steps, _ = x
        outputs = (batch, steps, units) if self.return_sequences else (batch, units)
        return [outputs, *[(batch, units)] * self.states]

    def forward(
        self, floats: Sequence[np.ndarray], others: Sequence[np.ndarray], keep_tape: bool
    ) -> RnnOutput:
        """Walk the steps.

        Args:
            floats: x [B, T, F], kernel, recurrent kernel, the bias if there is one, and the
                initial states.
            others: The arrays that `self.others` names.
            keep_tape: Whether the tape is wanted.
        """
        x, kernel, recurrent_kernel, *rest = floats
        bias = rest.pop(0) if self.bias else None
        return kernels.rnn_forward(
            self.cell,
            x,
            kernel,
            recurrent_kernel,
            bias,
            rest,
            **dict(zip(self.others, others, strict=True)),
            go_backwards=self.go_backwards,
            zero_output_for_mask=self.zero_output_for_mask,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            return_sequences=self.return_sequences,
            keep_tape=keep_tape,
            compute_dtype="float32",
        )

    def backward(
        self,
        tape: Tape | None,
        floats: Sequence[np.ndarray],
        others: Sequence[np.ndarray],
        gradients: Sequence[np.ndarray],
    ) -> list[np.ndarray]:
        """Go back through `forward`.

        Args:
            tape: The tape, which is consumed; None to walk forward again.
            floats: As in `forward`.
            others: As in `forward`.
            gradients: Those of the outputs and of the last states.

        Returns:
            The gradients of `floats`.
        """
        if tape is None:
            tape = self.forward(floats, others, keep_tape=True).tape
            assert tape is not None
        d_outputs, *d_states = gradients
        d = kernels.rnn_backward(tape, d_outputs, d_states, consume=True)
        assert d.x is not None
        assert d.initial_state is not None
        bias = [] if d.bias is None else [d.bias]
        return [d.x, d.kernel, d.recurrent_kernel, *bias, *d.initial_state]
