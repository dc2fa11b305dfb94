"""Long short-term memory."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastrnn._core import Tape
from fastrnn.kernels import recurrent
from fastrnn.kernels.arrays import Floats, States
from fastrnn.kernels.recurrent import Embedded, RnnGradients, RnnOutput


def lstm_forward(
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
    recurrent_activation: str = "sigmoid",
    return_sequences: bool = False,
    keep_tape: bool = True,
) -> RnnOutput:
    """Runs an LSTM over a batch of sequences.

    At each step, with the columns of the weights in the order i, f, c, o::

        i, f, o = recurrent_activation(x @ kernel + h @ recurrent_kernel + bias)
        candidate = activation(x @ kernel + h @ recurrent_kernel + bias)
        c = f * c + i * candidate
        h = o * activation(c)

    (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000, without peepholes).

    Args:
        x: [B, T, F], or `Embedded` tokens.
        kernel: [F, 4*H].
        recurrent_kernel: [H, 4*H].
        bias: [4*H] or None.
        initial_state: (h, c), each [B, H], or None for zeros.
        mask: [B, T], False where a step is skipped; None for no such step.
        dropout_mask: factors of x at every step, [B, F] or for each gate its own, [B, 4, F].
        recurrent_dropout_mask: factors of h in its products with the recurrent kernel, [B, H] or
            [B, 4, H].
        go_backwards: whether to walk from the last step to the first; the outputs of all steps
            stay in the order of the time.
        zero_output_for_mask: whether a skipped step's output is zeros, and not that of the step
            before it in the walk.
        activation: one of `ACTIVATIONS`.
        recurrent_activation: one of `ACTIVATIONS`.
        return_sequences: whether to return the outputs of all steps.
        keep_tape: False where no backward pass will follow; saves memory and time.

    Returns:
        An `RnnOutput`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> x = np.ones((2, 5, 3), "float32")
        >>> y, (h, c), tape = kernels.lstm_forward(x, np.ones((3, 16)), np.ones((4, 16)))
        >>> kernels.lstm_backward(tape, np.ones_like(y)).kernel.shape
        (3, 16)
    """
    return recurrent.forward("lstm", **locals())


def lstm_backward(
    tape: Tape,
    d_outputs: ArrayLike | None = None,
    d_states: States | None = None,
    *,
    input_gradient: bool = True,
) -> RnnGradients:
    """Inverts `lstm_forward`: the gradients of everything from those of its results.

    Args:
        tape: what forward returned.
        d_outputs: gradient of `outputs`, of its shape; None for zeros.
        d_states: gradients of the last states, (dh, dc); None, or None for an entry, for zeros.
        input_gradient: whether the gradient of x is wanted.

    Returns:
        An `RnnGradients`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> x, kernel, recurrent_kernel = np.ones((2, 5, 3)), np.ones((3, 16)), np.ones((4, 16))
        >>> y, _, tape = kernels.lstm_forward(x, kernel, recurrent_kernel)
        >>> gradients = kernels.lstm_backward(tape, np.ones_like(y))
        >>> gradients.x.shape, gradients.recurrent_kernel.shape, gradients.bias
        ((2, 5, 3), (4, 16), None)
    """
    return recurrent.backward("lstm", tape, d_outputs, d_states, input_gradient)


def lstm_step(
    x: ArrayLike,
    states: States,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
) -> tuple[Floats, ...]:
    """Takes one step of an LSTM, for streams. See `lstm_forward`.

    Args:
        x: [B, F].
        states: (h, c), each [B, H].
        kernel: [F, 4*H].
        recurrent_kernel: [H, 4*H].
        bias: [4*H] or None.
        activation: one of `ACTIVATIONS`.
        recurrent_activation: one of `ACTIVATIONS`.

    Returns:
        The new states (h, c).

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> kernel, recurrent_kernel = np.ones((3, 16)), np.ones((4, 16))
        >>> states = (np.zeros((1, 4)), np.zeros((1, 4)))
        >>> for x in np.ones((5, 1, 3)):
        ...     states = kernels.lstm_step(x, states, kernel, recurrent_kernel)
        >>> states[0].shape
        (1, 4)
    """
    return lstm_forward(
        recurrent.one_step(x),
        kernel,
        recurrent_kernel,
        bias,
        states,
        activation=activation,
        recurrent_activation=recurrent_activation,
        keep_tape=False,
    ).states
