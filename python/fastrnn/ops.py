"""The kernels as plain functions on NumPy arrays.

Sizes: B batch rows, T time steps, F features, H units. Arrays are float32 in C order; other real
dtypes and layouts are converted once, here. Layouts and gate orders are those of Keras: `kernel`
[F, G*H], `recurrent_kernel` [H, G*H], `bias` [G*H] with G = 1 for SimpleRNN, 4 for LSTM (i, f, c,
o) and 3 for GRU (z, r, h; `bias` [2, 3*H] with `reset_after=True`).

A `*_forward` returns a tape that its `*_backward` takes. The tape refers to the arrays that were
given to forward: they must not change in between. A tape can be used more than once.

Every function raises a ValueError for a wrong shape, size or name and a TypeError for a wrong
dtype, before anything is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastrnn import _core
from fastrnn._core import ACTIVATIONS, Tape

__all__ = [
    "ACTIVATIONS",
    "DenseGradients",
    "Embedded",
    "RnnGradients",
    "RnnOutput",
    "Tape",
    "activation_backward",
    "activation_forward",
    "adam_update",
    "dense_backward",
    "dense_forward",
    "embedding_backward",
    "embedding_forward",
    "gru_backward",
    "gru_forward",
    "gru_step",
    "lstm_backward",
    "lstm_forward",
    "lstm_step",
    "rmsprop_update",
    "sgd_update",
    "simple_rnn_backward",
    "simple_rnn_forward",
    "simple_rnn_step",
]

Floats = NDArray[np.float32]
States = Sequence[ArrayLike | None]


class Embedded(NamedTuple):
    """Stands for the sequences `table[tokens]` where a recurrent forward takes x.

    Each distinct token's row goes through the input kernel once, however often it occurs, and
    nothing of size [B, T, F] is made; the results are those of `x=embedding_forward(tokens, table)`
    up to rounding. The gradient `x` of backward is then that of the table.

    Attributes:
        tokens: [B, T], whole numbers in [0, vocabulary).
        table: [vocabulary, F].
    """

    tokens: ArrayLike
    table: ArrayLike


class RnnOutput(NamedTuple):
    """What a recurrent forward returns.

    Attributes:
        outputs: [B, T, H] with `return_sequences`, else the last step's, [B, H].
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
        initial_state: each [B, H]: (h,), for LSTM (h, c); also where forward was given none.
    """

    x: Floats | None
    kernel: Floats
    recurrent_kernel: Floats
    bias: Floats | None
    initial_state: tuple[Floats, ...]


class DenseGradients(NamedTuple):
    """What `dense_backward` returns.

    Attributes:
        x: [..., F], or None if it was not wanted.
        kernel: [F, units].
        bias: [units], or None without one.
    """

    x: Floats | None
    kernel: Floats
    bias: Floats | None


def simple_rnn_forward(
    x: ArrayLike | Embedded,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    initial_state: States | None = None,
    *,
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
        activation: one of `ACTIVATIONS`.
        return_sequences: whether to return the outputs of all steps.
        keep_tape: False where no backward pass will follow; saves memory and time.

    Returns:
        An `RnnOutput`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import ops
        >>> x = np.ones((2, 5, 3), "float32")
        >>> outputs, (h,), tape = ops.simple_rnn_forward(x, np.ones((3, 4)), np.eye(4))
        >>> outputs.shape
        (2, 4)
    """
    return RnnOutput(
        *_core.rnn_forward(
            "simple_rnn",
            *_split(x),
            kernel,
            recurrent_kernel,
            bias,
            initial_state,
            activation,
            "linear",
            return_sequences,
            keep_tape,
        )
    )


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
    """
    return _backward("simple_rnn", tape, d_outputs, d_states, input_gradient)


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
    """
    return simple_rnn_forward(
        _one_step(x),
        kernel,
        recurrent_kernel,
        bias,
        states,
        activation=activation,
        keep_tape=False,
    ).states


def lstm_forward(
    x: ArrayLike | Embedded,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    initial_state: States | None = None,
    *,
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
        activation: one of `ACTIVATIONS`.
        recurrent_activation: one of `ACTIVATIONS`.
        return_sequences: whether to return the outputs of all steps.
        keep_tape: False where no backward pass will follow; saves memory and time.

    Returns:
        An `RnnOutput`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import ops
        >>> x = np.ones((2, 5, 3), "float32")
        >>> y, (h, c), tape = ops.lstm_forward(x, np.ones((3, 16)), np.ones((4, 16)))
        >>> ops.lstm_backward(tape, np.ones_like(y)).kernel.shape
        (3, 16)
    """
    return RnnOutput(
        *_core.rnn_forward(
            "lstm",
            *_split(x),
            kernel,
            recurrent_kernel,
            bias,
            initial_state,
            activation,
            recurrent_activation,
            return_sequences,
            keep_tape,
        )
    )


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
    """
    return _backward("lstm", tape, d_outputs, d_states, input_gradient)


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
    """
    return lstm_forward(
        _one_step(x),
        kernel,
        recurrent_kernel,
        bias,
        states,
        activation=activation,
        recurrent_activation=recurrent_activation,
        keep_tape=False,
    ).states


def gru_forward(
    x: ArrayLike | Embedded,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    initial_state: States | None = None,
    *,
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
    (Cho et al. 2014).

    Args:
        x: [B, T, F], or `Embedded` tokens.
        kernel: [F, 3*H].
        recurrent_kernel: [H, 3*H].
        bias: [2, 3*H] (input side, recurrent side), with `reset_after=False` [3*H]; or None.
        initial_state: (h,) with h [B, H], or None for zeros.
        activation: one of `ACTIVATIONS`.
        recurrent_activation: one of `ACTIVATIONS`.
        reset_after: whether the reset gate is applied after the recurrent product.
        return_sequences: whether to return the outputs of all steps.
        keep_tape: False where no backward pass will follow; saves memory and time.

    Returns:
        An `RnnOutput`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import ops
        >>> x = np.ones((2, 5, 3), "float32")
        >>> kernel, recurrent_kernel = np.ones((3, 12)), np.ones((4, 12))
        >>> y, (h,), _ = ops.gru_forward(x, kernel, recurrent_kernel, return_sequences=True)
        >>> y.shape, bool((y[:, -1] == h).all())
        ((2, 5, 4), True)
    """
    return RnnOutput(
        *_core.rnn_forward(
            "gru" if reset_after else "gru_reset_before",
            *_split(x),
            kernel,
            recurrent_kernel,
            bias,
            initial_state,
            activation,
            recurrent_activation,
            return_sequences,
            keep_tape,
        )
    )


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
    """
    return _backward("gru", tape, d_outputs, d_states, input_gradient)


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
    """
    return gru_forward(
        _one_step(x),
        kernel,
        recurrent_kernel,
        bias,
        states,
        activation=activation,
        recurrent_activation=recurrent_activation,
        reset_after=reset_after,
        keep_tape=False,
    ).states


def _split(x: ArrayLike | Embedded) -> tuple[ArrayLike | None, ArrayLike | None, ArrayLike | None]:
    return (None, x.tokens, x.table) if isinstance(x, Embedded) else (x, None, None)


def _one_step(x: ArrayLike) -> NDArray[np.generic]:
    array = np.asarray(x)
    if array.ndim != 2:
        raise ValueError(f"`x` must have shape (None, None). Received: shape={array.shape}")
    return array[:, np.newaxis]


def _backward(
    cell: str,
    tape: Tape,
    d_outputs: ArrayLike | None,
    d_states: States | None,
    input_gradient: bool,
) -> RnnGradients:
    if not isinstance(tape, Tape) or tape.cell.removesuffix("_reset_before") != cell:
        received = f"a tape of {tape.cell}_forward" if isinstance(tape, Tape) else repr(tape)
        raise ValueError(f"`tape` must be what {cell}_forward returned. Received: {received}")
    d_last: list[ArrayLike | None] = (
        list(d_states) if d_states is not None else [None, None] if cell == "lstm" else [None]
    )
    # The last step's output is the last h: where only that was returned, the two gradients add up.
    if not tape.return_sequences and d_outputs is not None and d_last:
        d_last[0] = d_outputs if d_last[0] is None else np.add(d_outputs, d_last[0])
        d_outputs = None
    return RnnGradients(*_core.rnn_backward(tape, d_outputs, d_last, input_gradient))


def dense_forward(
    x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None = None, *, activation: str = "linear"
) -> Floats:
    """Returns `activation(x @ kernel + bias)`.

    Args:
        x: [..., F].
        kernel: [F, units].
        bias: [units] or None.
        activation: one of `ACTIVATIONS`.

    Returns:
        y [..., units].

    Example:
        >>> import numpy as np
        >>> from fastrnn import ops
        >>> ops.dense_forward([[1.0, 2.0]], np.eye(2), [0.5, -3.0], activation="relu")
        array([[1.5, 0. ]], dtype=float32)
    """
    return _core.dense_forward(x, kernel, bias, activation)


def dense_backward(
    x: ArrayLike,
    y: ArrayLike,
    kernel: ArrayLike,
    d_y: ArrayLike,
    *,
    activation: str = "linear",
    use_bias: bool = True,
    input_gradient: bool = True,
) -> DenseGradients:
    """Inverts `dense_forward`: the gradients of its arguments from that of y.

    Args:
        x: [..., F], as given to forward.
        y: [..., units], what forward returned: the derivative is a function of it.
        kernel: [F, units], as given to forward.
        d_y: gradient of y.
        activation: as given to forward.
        use_bias: whether the gradient of a bias is wanted.
        input_gradient: whether the gradient of x is wanted.

    Returns:
        A `DenseGradients`.
    """
    return DenseGradients(
        *_core.dense_backward(x, y, kernel, d_y, activation, use_bias, input_gradient)
    )


def embedding_forward(tokens: ArrayLike, table: ArrayLike) -> Floats:
    """Looks up a row of the table for each token.

    Args:
        tokens: whole numbers in [0, len(table)), of any shape. Keras lets -1 wrap to the last row
            on some backends; here it is an error.
        table: [vocabulary, E].

    Returns:
        [*tokens.shape, E].

    Example:
        >>> import numpy as np
        >>> from fastrnn import ops
        >>> ops.embedding_forward([2, 0], np.array([[0.0], [1.0], [2.0]]))
        array([[2.],
               [0.]], dtype=float32)
    """
    return _core.embedding_forward(tokens, table)


def embedding_backward(tokens: ArrayLike, d_outputs: ArrayLike, vocabulary: int) -> Floats:
    """Inverts `embedding_forward`: adds up the gradients of each token's rows, in their order.

    Args:
        tokens: as given to forward.
        d_outputs: [*tokens.shape, E].
        vocabulary: rows of the table.

    Returns:
        The gradient of the table, [vocabulary, E].
    """
    return _core.embedding_backward(tokens, d_outputs, vocabulary)


def activation_forward(x: ArrayLike, activation: str) -> Floats:
    """Applies an activation, one of `ACTIVATIONS`, to each element.

    Example:
        >>> from fastrnn import ops
        >>> ops.activation_forward([-1.0, 0.0, 2.0], "relu")
        array([0., 0., 2.], dtype=float32)
    """
    return _core.activation_forward(x, activation)


def activation_backward(y: ArrayLike, d_y: ArrayLike, activation: str) -> Floats:
    """Inverts `activation_forward`, whose *output* is y: the gradient of x from that of y."""
    return _core.activation_backward(y, d_y, activation)


def sgd_update(
    variable: Floats,
    gradient: ArrayLike,
    *,
    learning_rate: float,
    decay: float = 0.0,
    momentum: float = 0.0,
    nesterov: bool = False,
    momentum_buffer: Floats | None = None,
) -> None:
    """Takes one step of gradient descent, in place.

    `w -= learning_rate * g`; with a momentum buffer v, `v = momentum * v - learning_rate * g` and
    `w += v`, with `nesterov` `w += momentum * v - learning_rate * g`. All arrays have one shape.

    Args:
        variable: w, float32 in C order.
        gradient: g.
        learning_rate: step size.
        decay: w is first multiplied by `1 - decay`: weight decay times learning rate.
        momentum: share of the last step that is kept.
        nesterov: whether the step is taken from where the momentum leads (Nesterov 1983).
        momentum_buffer: v, or None for no momentum.
    """
    _core.sgd_update(variable, gradient, learning_rate, decay, momentum, nesterov, momentum_buffer)


def rmsprop_update(
    variable: Floats,
    gradient: ArrayLike,
    velocity: Floats,
    *,
    learning_rate: float,
    rho: float,
    epsilon: float,
    decay: float = 0.0,
    momentum: float = 0.0,
    momentum_buffer: Floats | None = None,
    average_gradient: Floats | None = None,
) -> None:
    """Takes one step of RMSprop (Hinton 2012), in place.

    `v = rho * v + (1 - rho) * g**2`, then `step = learning_rate * g / sqrt(v + epsilon)` and
    `w -= step`. With `average_gradient` (centered) its square is taken off v under the root
    (Graves 2013); with a momentum buffer p, `p = momentum * p + step` and `w -= p`. All arrays have
    one shape.

    Args:
        variable: w, float32 in C order.
        gradient: g.
        velocity: v, the running mean of g**2.
        learning_rate: step size.
        rho: share of the running means that is kept.
        epsilon: keeps the root from zero.
        decay: w is first multiplied by `1 - decay`: weight decay times learning rate.
        momentum: share of the last step that is kept.
        momentum_buffer: p, or None for no momentum.
        average_gradient: the running mean of g, or None if not centered.
    """
    _core.rmsprop_update(
        variable,
        gradient,
        velocity,
        learning_rate,
        rho,
        epsilon,
        decay,
        momentum,
        momentum_buffer,
        average_gradient,
    )


def adam_update(
    variable: Floats,
    gradient: ArrayLike,
    m: Floats,
    v: Floats,
    *,
    step_size: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    decay: float = 0.0,
    v_max: Floats | None = None,
) -> None:
    """Takes one step of Adam (Kingma & Ba 2015), in place.

    `m += (1 - beta_1) * (g - m)`, `v += (1 - beta_2) * (g**2 - v)`,
    `w -= step_size * m / (sqrt(v) + epsilon)`. All arrays have one shape.

    Args:
        variable: w, float32 in C order.
        gradient: g.
        m: running mean of g.
        v: running mean of g**2.
        step_size: `learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t)` at step t = 1, 2, ...
        beta_1: share of m that is kept.
        beta_2: share of v that is kept.
        epsilon: keeps the denominator from zero.
        decay: w is first multiplied by `1 - decay`: weight decay times learning rate (AdamW).
        v_max: the largest v so far, which then takes v's place (AMSGrad), or None.
    """
    _core.adam_update(variable, gradient, m, v, step_size, beta_1, beta_2, epsilon, decay, v_max)
