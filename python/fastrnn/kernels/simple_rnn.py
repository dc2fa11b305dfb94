"""The simple recurrent cell."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastrnn._core import Tape
from fastrnn.kernels import recurrent
from fastrnn.kernels.arrays import Floats, States
from fastrnn.kernels.recurrent import Embedded, RnnGradients, RnnOutput


def simple_rnn_forward(
    x: ArrayLike | Embedded,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    initial_state: States | None = None,
    *,
    mask: ArrayLike | None = None,
    dropout_mask: ArrayLike | None = None,
    recurrent_dropout_mask: ArrayLike | None = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    activation: str = "tanh",
    return_sequences: bool = False,
    keep_tape: bool = True,
) -> RnnOutput:
    """Runs a SimpleRNN over a batch of sequences.

    At each step `h = activation(x @ kernel + h @ recurrent_kernel + bias)` (Elman 1990).

    Args:
        x: [B, T, F], or `Embedded` tokens.
        kernel: [F, H].
        recurrent_kernel: [H, H].
        bias: [H] or None.
        initial_state: (h,) with h [B, H], or None for zeros.
        mask: [B, T], False where a step is skipped; None for no such step.
        dropout_mask: [B, F], factors of x at every step.
        recurrent_dropout_mask: [B, H], factors of h in `h @ recurrent_kernel`.
        go_backwards: whether to walk from the last step to the first; the outputs of all steps
            stay in the order of the time.
        zero_output_for_mask: whether a skipped step's output is zeros, and not that of the step
            before it in the walk.
        activation: one of `ACTIVATIONS`.
        return_sequences: whether to return the outputs of all steps.
        keep_tape: False where no backward pass will follow; saves memory and time.

    Returns:
        An `RnnOutput`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> x = np.ones((2, 5, 3), "float32")
        >>> outputs, (h,), tape = kernels.simple_rnn_forward(x, np.ones((3, 4)), np.eye(4))
        >>> outputs.shape
        (2, 4)
    """
    return recurrent.forward("simple_rnn", **locals())


def simple_rnn_backward(
    tape: Tape,
    d_outputs: ArrayLike | None = None,
    d_states: States | None = None,
    *,
    input_gradient: bool = True,
) -> RnnGradients:
    """Inverts `simple_rnn_forward`: the gradients of everything from those of its results.

    Args:
        tape: what forward returned.
        d_outputs: gradient of `outputs`, of its shape; None for zeros.
        d_states: gradients of the last states, (dh,); None, or None for an entry, for zeros.
        input_gradient: whether the gradient of x is wanted.

    Returns:
        An `RnnGradients`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> x, kernel, recurrent_kernel = np.ones((2, 5, 3)), np.ones((3, 4)), np.ones((4, 4))
        >>> y, _, tape = kernels.simple_rnn_forward(x, kernel, recurrent_kernel)
        >>> gradients = kernels.simple_rnn_backward(tape, np.ones_like(y))
        >>> gradients.x.shape, gradients.recurrent_kernel.shape, gradients.bias
        ((2, 5, 3), (4, 4), None)
    """
    return recurrent.backward("simple_rnn", tape, d_outputs, d_states, input_gradient)


def simple_rnn_step(
    x: ArrayLike,
    states: States,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    activation: str = "tanh",
) -> tuple[Floats, ...]:
    """Takes one step of a SimpleRNN, for streams. See `simple_rnn_forward`.

    Args:
        x: [B, F].
        states: (h,) with h [B, H].
        kernel: [F, H].
        recurrent_kernel: [H, H].
        bias: [H] or None.
        activation: one of `ACTIVATIONS`.

    Returns:
        The new states (h,).

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> kernel, recurrent_kernel, states = np.ones((3, 4)), np.ones((4, 4)), (np.zeros((1, 4)),)
        >>> for x in np.ones((5, 1, 3)):
        ...     states = kernels.simple_rnn_step(x, states, kernel, recurrent_kernel)
        >>> states[0].shape
        (1, 4)
    """
    return simple_rnn_forward(
        recurrent.one_step(x),
        kernel,
        recurrent_kernel,
        bias,
        states,
        activation=activation,
        keep_tape=False,
    ).states
