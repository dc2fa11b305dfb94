"""The recurrent kernels: a cell over whole sequences, back through them, and one step.

The layers SimpleRNN, LSTM and GRU state the equations of their cells.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastrnn import _core
from fastrnn._core import Tape
from fastrnn.kernels.arrays import Floats, States


class Embedded(NamedTuple):
    """The sequences `table[tokens]`, in place of x of `rnn_forward`.

    The row of each distinct token is multiplied by the kernel once, however often it occurs, and no
    array [B, T, F] is made. The results are those of `x=embedding_forward(tokens, table)` up to
    rounding. `RnnGradients.x` is then the gradient of the table.

    Attributes:
        tokens: [B, T], whole numbers in [0, vocabulary).
        table: [vocabulary, F].

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> x = kernels.Embedded([[2, 0, 2]], np.eye(3))
        >>> weights = np.eye(3), np.zeros((3, 3))
        >>> kernels.rnn_forward("simple_rnn", x, *weights, activation="linear").outputs
        array([[0., 0., 1.]], dtype=float32)
    """

    tokens: ArrayLike
    table: ArrayLike


class RnnOutput(NamedTuple):
    """What `rnn_forward` returns.

    Attributes:
        outputs: [B, T, H] with `return_sequences`, else [B, H] of the last step in the walk.
        states: the last states, each [B, H]: (h,), for LSTM (h, c).
        tape: what backward needs, or None without `keep_tape`.
    """

    outputs: Floats
    states: tuple[Floats, ...]
    tape: Tape | None


class RnnGradients(NamedTuple):
    """What `rnn_backward` returns: gradients, each of the shape of its argument.

    Attributes:
        x: [B, T, F], for `Embedded` sequences the gradient of the table [vocabulary, F]; None if
            `input_gradient` was False.
        kernel: [F, G*H].
        recurrent_kernel: [H, G*H].
        bias: like the bias, or None without one.
        initial_state: each [B, H]: (h,), for LSTM (h, c); None if forward had no initial state.
    """

    x: Floats | None
    kernel: Floats
    recurrent_kernel: Floats
    bias: Floats | None
    initial_state: tuple[Floats, ...] | None


def rnn_forward(
    cell: str,
    x: ArrayLike | Embedded,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    initial_state: States | None = None,
    *,
    mask: ArrayLike | None = None,
    batch_sizes: ArrayLike | None = None,
    dropout_mask: ArrayLike | None = None,
    recurrent_dropout_mask: ArrayLike | None = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    activation: str = "tanh",
    recurrent_activation: str | None = None,
    return_sequences: bool = False,
    keep_tape: bool = True,
    compute_dtype: str = "float32",
) -> RnnOutput:
    """Runs a recurrent cell over a batch of sequences.

    ====================  =  ======  =============================  ============================
    cell                  G  states  gates, in blocks of H columns  layer
    ====================  =  ======  =============================  ============================
    `"simple_rnn"`        1  h       none                           SimpleRNN
    `"lstm"`              4  h, c    i, f, c, o                     LSTM
    `"gru"`               3  h       z, r, h                        GRU
    `"gru_reset_before"`  3  h       z, r, h                        GRU with `reset_after=False`
    ====================  =  ======  =============================  ============================

    The layers state the equations.

    Args:
        cell: one of `CELLS`.
        x: [B, T, F], or `Embedded` tokens.
        kernel: [F, G*H].
        recurrent_kernel: [H, G*H].
        bias: [G*H], for `"gru"` [2, 3*H] (input side, recurrent side); None for no bias.
        initial_state: (h,), for `"lstm"` (h, c), each [B, H]; None for zeros.
        mask: [B, T], False where a step is skipped: it leaves the states as they are. None for no
            such step.
        batch_sizes: [T], how many rows have a step at each time, none greater than the one before.
            Then x is [N, F] and the outputs of all steps are [N, H]: they hold the rows of the
            first time, then those of the second, and so on. A walk that goes backwards begins with
            a row's own last step. Not with `mask` or `Embedded`. None for x [B, T, F].
        dropout_mask: factors of x, the same at every step (Gal & Ghahramani 2016): [B, F], or
            [B, G, F] with a mask for each gate.
        recurrent_dropout_mask: factors of h in its product with the recurrent kernel, and nowhere
            else: [B, H] or [B, G, H].
        go_backwards: whether to walk from the last step to the first; the outputs of all steps
            stay in the order of the time.
        zero_output_for_mask: whether the output of a skipped step is zeros, not the output of the
            step before it in the walk (zeros if there is none).
        activation: one of `ACTIVATIONS`.
        recurrent_activation: the activation of the gates, one of `ACTIVATIONS`; None for sigmoid.
            Must be None for `"simple_rnn"`, which has no gates.
        return_sequences: whether to return the outputs of all steps, not only of the last in the
            walk.
        keep_tape: False where no backward pass will follow; saves memory and time.
        compute_dtype: "float32", or "bfloat16" to round what is multiplied to bfloat16, to nearest
            even: x and the kernel, h and the recurrent kernel, and in the backward pass the
            gradients of the gates with each of them. (Where the gradients of a token's positions
            are summed before they are multiplied, the sum is rounded.) Everything else stays
            float32: sums, states, activations, the arrays that go in and come out. On CPUs with
            AVX512-BF16 such products take about half the time; elsewhere they are emulated, to
            the same bits, at the speed of float32.

    Returns:
        An `RnnOutput`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> x = np.ones((2, 5, 3), "float32")
        >>> y, (h, c), tape = kernels.rnn_forward("lstm", x, np.ones((3, 16)), np.ones((4, 16)))
        >>> y.shape, bool((y == h).all())
        ((2, 4), True)
    """
    return RnnOutput(*_core.rnn_forward(**_with_tokens(locals())))


def rnn_forward_both(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> tuple[RnnOutput, RnnOutput]:
    """Makes two calls of `rnn_forward`, side by side.

    Threads that have done what they can do of the one take rows of the other. So two directions
    over the same few sequences take the time of one. The results are those of two calls, to the
    bit.

    Args:
        first: the arguments of the one call, by their names.
        second: those of the other, which need not be like it.

    Returns:
        What both calls return.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> there = {"cell": "simple_rnn", "x": np.ones((1, 5, 3)), "kernel": np.ones((3, 4)),
        ...          "recurrent_kernel": np.ones((4, 4))}
        >>> y, z = kernels.rnn_forward_both(there, there | {"go_backwards": True})
        >>> bool((y.outputs == z.outputs).all())
        True
    """
    calls = (_with_tokens({**_FORWARD_DEFAULTS, **given}) for given in (first, second))
    one, other = _core.rnn_forward_both(*calls)
    return RnnOutput(*one), RnnOutput(*other)


def rnn_backward(
    tape: Tape,
    d_outputs: ArrayLike | None = None,
    d_states: States | None = None,
    *,
    input_gradient: bool = True,
    consume: bool = False,
) -> RnnGradients:
    """Inverts `rnn_forward`: the gradients of its arguments from those of its results.

    Args:
        tape: what forward returned.
        d_outputs: gradient of `outputs`, of its shape; None for zeros.
        d_states: gradients of the last states, (dh,) or (dh, dc); None, or None for an entry, for
            zeros.
        input_gradient: whether the gradient of x is wanted.
        consume: whether the tape may be overwritten, which saves memory and time. It then serves
            no other call.

    Returns:
        An `RnnGradients`.

    Raises:
        ValueError: If the tape has been consumed.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> x, kernel, recurrent_kernel = np.ones((2, 5, 3)), np.ones((3, 16)), np.ones((4, 16))
        >>> y, _, tape = kernels.rnn_forward("lstm", x, kernel, recurrent_kernel)
        >>> gradients = kernels.rnn_backward(tape, np.ones_like(y))
        >>> gradients.x.shape, gradients.recurrent_kernel.shape, gradients.bias
        ((2, 5, 3), (4, 16), None)
    """
    return RnnGradients(*_core.rnn_backward(**locals()))


def rnn_backward_both(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> tuple[RnnGradients, RnnGradients]:
    """Makes two calls of `rnn_backward`, side by side; see `rnn_forward_both`.

    Args:
        first: the arguments of the one call, by their names.
        second: those of the other, with another tape.

    Returns:
        What both calls return.

    Raises:
        ValueError: If both have the same tape, or as `rnn_backward`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> there = {"cell": "simple_rnn", "x": np.ones((1, 5, 3)), "kernel": np.ones((3, 4)),
        ...          "recurrent_kernel": np.ones((4, 4))}
        >>> both = kernels.rnn_forward_both(there, there | {"go_backwards": True})
        >>> d = [{"tape": each.tape, "d_outputs": np.ones((1, 4))} for each in both]
        >>> [each.kernel.shape for each in kernels.rnn_backward_both(*d)]
        [(3, 4), (3, 4)]
    """
    one, other = _core.rnn_backward_both(*({**_BACKWARD_DEFAULTS, **d} for d in (first, second)))
    return RnnGradients(*one), RnnGradients(*other)


def _with_tokens(arguments: dict[str, Any]) -> dict[str, Any]:
    """Part embedded tokens, as the native module takes them."""
    if isinstance(arguments.get("x"), Embedded):
        arguments["tokens"], arguments["table"] = arguments.pop("x")
    return arguments


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


_FORWARD_DEFAULTS, _BACKWARD_DEFAULTS = _defaults(rnn_forward), _defaults(rnn_backward)


def rnn_step(
    cell: str,
    x: ArrayLike,
    states: States,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    activation: str = "tanh",
    recurrent_activation: str | None = None,
    compute_dtype: str = "float32",
) -> tuple[Floats, ...]:
    """Takes one step of a recurrent cell, for streams. See `rnn_forward`.

    Args:
        cell: one of `CELLS`.
        x: [B, F].
        states: (h,), for `"lstm"` (h, c), each [B, H].
        kernel: [F, G*H].
        recurrent_kernel: [H, G*H].
        bias: [G*H], for `"gru"` [2, 3*H]; or None.
        activation: one of `ACTIVATIONS`.
        recurrent_activation: as in `rnn_forward`.
        compute_dtype: as in `rnn_forward`.

    Returns:
        The new states.

    Raises:
        ValueError: If x has another number of dimensions, or as `rnn_forward`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> kernel, recurrent_kernel = np.ones((3, 12)), np.ones((4, 12))
        >>> states = (np.zeros((1, 4)),)
        >>> for x in np.ones((5, 1, 3)):
        ...     states = kernels.rnn_step("gru", x, states, kernel, recurrent_kernel)
        >>> states[0].shape
        (1, 4)
    """
    sequence = np.asarray(x)
    if sequence.ndim != 2:
        raise ValueError(f"`x` must have shape (None, None). Received: shape={sequence.shape}")
    return rnn_forward(
        cell,
        sequence[:, np.newaxis],
        kernel,
        recurrent_kernel,
        bias,
        states,
        activation=activation,
        recurrent_activation=recurrent_activation,
        compute_dtype=compute_dtype,
        keep_tape=False,
    ).states
