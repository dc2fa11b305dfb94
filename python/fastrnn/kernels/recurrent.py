"""What the recurrent cells share: inputs, results, and the way into the kernels and back.

The keyword arguments that all forwards take beside those of their cell:

- `mask` [B, T], booleans: True where a step is walked. A masked step leaves the states as they are
  and repeats the output of the step before it in the walk (zeros if there was none).
- `zero_output_for_mask`: the output of a masked step is zeros instead.
- `dropout_mask` [B, F], or [B, G, F] with a mask for each gate: factors of x, the same at every
  step (Gal & Ghahramani 2016).
- `recurrent_dropout_mask` [B, H] or [B, G, H]: factors of h where it enters the product with the
  recurrent kernel.
- `go_backwards`: the walk goes from the last step to the first. The outputs of all steps are in
  the order of the time, not of the walk.
- `return_sequences`: the outputs of all steps are wanted, not only that of the walk's last.
- `keep_tape`: False where no backward pass will follow; saves memory and time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastrnn import _core
from fastrnn._core import Tape
from fastrnn.kernels.arrays import Floats, States


class Embedded(NamedTuple):
    """Stands for the sequences `table[tokens]` where a recurrent forward takes x.

    Each distinct token's row goes through the input kernel once, however often it occurs, and
    nothing of size [B, T, F] is made; the results are those of `x=embedding_forward(tokens, table)`
    up to rounding. The gradient `x` of backward is then that of the table.

    Attributes:
        tokens: [B, T], whole numbers in [0, vocabulary).
        table: [vocabulary, F].

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> x = kernels.Embedded([[2, 0, 2]], np.eye(3))
        >>> kernels.simple_rnn_forward(x, np.eye(3), np.zeros((3, 3)), activation="linear").outputs
        array([[0., 0., 1.]], dtype=float32)
    """

    tokens: ArrayLike
    table: ArrayLike


class RnnOutput(NamedTuple):
    """What a recurrent forward returns.

    Attributes:
        outputs: [B, T, H] with `return_sequences`, else that of the walk's last step, [B, H].
        states: the last states, each [B, H]: (h,), for LSTM (h, c).
        tape: what backward needs, or None without `keep_tape`.
    """

    outputs: Floats
    states: tuple[Floats, ...]
    tape: Tape | None


class RnnGradients(NamedTuple):
    """What a recurrent backward returns: the gradients, each of its argument's shape.

    Attributes:
        x: [B, T, F], for `Embedded` sequences the gradient of the table [vocabulary, F]; None if
            it was not wanted.
        kernel: [F, G*H].
        recurrent_kernel: [H, G*H].
        bias: like the bias, or None without one.
        initial_state: each [B, H]: (h,), for LSTM (h, c); None where forward was given none.
    """

    x: Floats | None
    kernel: Floats
    recurrent_kernel: Floats
    bias: Floats | None
    initial_state: tuple[Floats, ...] | None


def forward(
    cell: str,
    x: ArrayLike | Embedded,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None,
    initial_state: States | None,
    *,
    mask: ArrayLike | None,
    dropout_mask: ArrayLike | None,
    recurrent_dropout_mask: ArrayLike | None,
    go_backwards: bool,
    zero_output_for_mask: bool,
    activation: str,
    recurrent_activation: str = "linear",
    return_sequences: bool,
    keep_tape: bool,
) -> RnnOutput:
    """Runs a cell of the native module over a batch; the `*_forward` of the cells document it."""
    sequences, tokens, table = (None, *x) if isinstance(x, Embedded) else (x, None, None)
    return RnnOutput(
        *_core.rnn_forward(
            cell,
            sequences,
            tokens,
            table,
            kernel,
            recurrent_kernel,
            bias,
            initial_state,
            mask,
            dropout_mask,
            recurrent_dropout_mask,
            go_backwards,
            zero_output_for_mask,
            activation,
            recurrent_activation,
            return_sequences,
            keep_tape,
        )
    )


def backward(
    cell: str,
    tape: Tape,
    d_outputs: ArrayLike | None,
    d_states: States | None,
    input_gradient: bool,
) -> RnnGradients:
    """Goes back through `forward`, whose tape must be one of `cell`."""
    if not isinstance(tape, Tape) or tape.cell.removesuffix("_reset_before") != cell:
        received = f"a tape of {tape.cell}_forward" if isinstance(tape, Tape) else repr(tape)
        raise ValueError(f"`tape` must be what {cell}_forward returned. Received: {received}")
    return RnnGradients(*_core.rnn_backward(tape, d_outputs, d_states, input_gradient))


def one_step(x: ArrayLike) -> NDArray[np.generic]:
    """Returns x [B, F] as a sequence of one step."""
    array = np.asarray(x)
    if array.ndim != 2:
        raise ValueError(f"`x` must have shape (None, None). Received: shape={array.shape}")
    return array[:, np.newaxis]
