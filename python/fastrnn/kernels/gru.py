"""The gated recurrent unit."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastrnn._core import Tape
from fastrnn.kernels import recurrent
from fastrnn.kernels.arrays import Floats, States
from fastrnn.kernels.recurrent import Embedded, RnnGradients, RnnOutput


def gru_forward(
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
    reset_after: bool = True,
    return_sequences: bool = False,
    keep_tape: bool = True,
) -> RnnOutput:
    """Runs a GRU over a batch of sequences.

    At each step, with the columns of the weights in the order z, r, h::

        z, r = recurrent_activation(x @ kernel + h @ recurrent_kernel + bias)
        candidate = activation(x @ kernel_h + r * (h @ recurrent_kernel_h + bias_1h) + bias_0h)
        h = z * h + (1 - z) * candidate

    and with `reset_after=False`
    `candidate = activation(x @ kernel_h + (r * h) @ recurrent_kernel_h + bias_h)`
    (Cho et al. 2014). A recurrent dropout mask does not touch the h of `z * h`.

    Args:
        x: [B, T, F], or `Embedded` tokens.
        kernel: [F, 3*H].
        recurrent_kernel: [H, 3*H].
        bias: [2, 3*H] (input side, recurrent side), with `reset_after=False` [3*H]; or None.
        initial_state: (h,) with h [B, H], or None for zeros.
        mask: [B, T], False where a step is skipped; None for no such step.
        dropout_mask: factors of x at every step, [B, F] or for each gate its own, [B, 3, F].
        recurrent_dropout_mask: factors of h in its products with the recurrent kernel, [B, H] or
            [B, 3, H].
        go_backwards: whether to walk from the last step to the first; the outputs of all steps
            stay in the order of the time.
        zero_output_for_mask: whether a skipped step's output is zeros, and not that of the step
            before it in the walk.
        activation: one of `ACTIVATIONS`.
        recurrent_activation: one of `ACTIVATIONS`.
        reset_after: whether the reset gate is applied after the recurrent product.
        return_sequences: whether to return the outputs of all steps.
        keep_tape: False where no backward pass will follow; saves memory and time.

    Returns:
        An `RnnOutput`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> x = np.ones((2, 5, 3), "float32")
        >>> kernel, recurrent_kernel = np.ones((3, 12)), np.ones((4, 12))
        >>> y, (h,), _ = kernels.gru_forward(x, kernel, recurrent_kernel, return_sequences=True)
        >>> y.shape, bool((y[:, -1] == h).all())
        ((2, 5, 4), True)
    """
    arguments = locals()
    cell = "gru" if arguments.pop("reset_after") else "gru_reset_before"
    return recurrent.forward(cell, **arguments)


def gru_backward(
    tape: Tape,
    d_outputs: ArrayLike | None = None,
    d_states: States | None = None,
    *,
    input_gradient: bool = True,
) -> RnnGradients:
    """Inverts `gru_forward`: the gradients of everything from those of its results.

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
        >>> x, kernel, recurrent_kernel = np.ones((2, 5, 3)), np.ones((3, 12)), np.ones((4, 12))
        >>> y, _, tape = kernels.gru_forward(x, kernel, recurrent_kernel)
        >>> gradients = kernels.gru_backward(tape, np.ones_like(y))
        >>> gradients.x.shape, gradients.recurrent_kernel.shape, gradients.bias
        ((2, 5, 3), (4, 12), None)
    """
    return recurrent.backward("gru", tape, d_outputs, d_states, input_gradient)


def gru_step(
    x: ArrayLike,
    states: States,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    reset_after: bool = True,
) -> tuple[Floats, ...]:
    """Takes one step of a GRU, for streams. See `gru_forward`.

    Args:
        x: [B, F].
        states: (h,) with h [B, H].
        kernel: [F, 3*H].
        recurrent_kernel: [H, 3*H].
        bias: [2, 3*H], with `reset_after=False` [3*H]; or None.
        activation: one of `ACTIVATIONS`.
        recurrent_activation: one of `ACTIVATIONS`.
        reset_after: whether the reset gate is applied after the recurrent product.

    Returns:
        The new states (h,).

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> kernel, recurrent_kernel = np.ones((3, 12)), np.ones((4, 12))
        >>> states = (np.zeros((1, 4)),)
        >>> for x in np.ones((5, 1, 3)):
        ...     states = kernels.gru_step(x, states, kernel, recurrent_kernel)
        >>> states[0].shape
        (1, 4)
    """
    return gru_forward(
        recurrent.one_step(x),
        kernel,
        recurrent_kernel,
        bias,
        states,
        activation=activation,
        recurrent_activation=recurrent_activation,
        reset_after=reset_after,
        keep_tape=False,
    ).states
