"""The oracle: what fastrnn's kernels must compute, slow and obvious.

Every function is its equation in NumPy, one time step after the other, and every backward function
stands below its forward, with the same names; `d_name` is the derivative of the loss by `name`.
Nothing here is shared with fastrnn. `test_reference.py` checks the gradients by central differences
and the outputs against published numbers.

Shapes: B batch, T steps, F features, H units, G gates (SimpleRNN 1, LSTM 4, GRU 3).
    x [B, T, F]    kernel w [F, G*H]    recurrent_kernel u [H, G*H]    bias b [G*H]    states [B, H]
Gates lie side by side in the last axis: LSTM i, f, c, o; GRU z, r, h. The bias of GRU with
reset_after=True is [2, 3*H]: the input bias above the recurrent bias. A step is walked where `mask`
[B, T] is True. Dropout masks of x are [B, F] or, each gate its own, [B, G, F]; of h [B, H] or
[B, G, H].

The arithmetic is float64. `dtype=np.float32` runs the same equations in float32: the error of that
run is the yardstick for a kernel's error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray
States = tuple[Array, ...]


# --- Activations ----------------------------------------------------------------------------------


class Activation(NamedTuple):
    """y = forward(a), and the slope dy/da as a function of y."""

    forward: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def sigmoid(a: Array) -> Array:
    """1 / (1 + exp(-a)), written so that exp cannot overflow and small values keep their digits."""
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1, e) / (1 + e)


def softplus(a: Array) -> Array:
    """log(1 + exp(a)), written so that exp cannot overflow."""
    return np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a)))


def elu(a: Array) -> Array:
    """a above zero, exp(a) - 1 below (Clevert et al. 2016)."""
    return np.where(a > 0, a, np.expm1(np.minimum(a, 0)))


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017

ACTIVATIONS = {
    "linear": Activation(lambda a: a, np.ones_like),
    "tanh": Activation(np.tanh, lambda y: 1 - y * y),
    "sigmoid": Activation(sigmoid, lambda y: y * (1 - y)),
    "relu": Activation(lambda a: np.maximum(a, 0), lambda y: (y > 0).astype(y.dtype)),
    "hard_sigmoid": Activation(
        lambda a: np.clip(a + 3, 0, 6) / 6, lambda y: ((y > 0) & (y < 1)).astype(y.dtype) / 6
    ),
    "softsign": Activation(lambda a: a / (1 + np.abs(a)), lambda y: (1 - np.abs(y)) ** 2),
    "softplus": Activation(softplus, lambda y: -np.expm1(-y)),
    "elu": Activation(elu, lambda y: np.where(y > 0, np.ones_like(y), y + 1)),
    "selu": Activation(
        lambda a: SELU_SCALE * np.where(a > 0, a, SELU_ALPHA * elu(a)),
        lambda y: np.where(y < 0, y + SELU_SCALE * SELU_ALPHA, np.full_like(y, SELU_SCALE)),
    ),
    "leaky_relu": Activation(
        lambda a: np.where(a > 0, a, 0.2 * a), lambda y: np.where(y > 0, np.ones_like(y), 0.2)
    ),
    "relu6": Activation(lambda a: np.clip(a, 0, 6), lambda y: ((y > 0) & (y < 6)).astype(y.dtype)),
    "hard_tanh": Activation(lambda a: np.clip(a, -1, 1), lambda y: (np.abs(y) < 1).astype(y.dtype)),
    "log_sigmoid": Activation(lambda a: -softplus(-a), lambda y: -np.expm1(y)),
    "hard_sigmoid_keras2": Activation(
        lambda a: np.clip(0.2 * a + 0.5, 0, 1), lambda y: 0.2 * ((y > 0) & (y < 1)).astype(y.dtype)
    ),
}


# --- One step of each cell ------------------------------------------------------------------------
#
# forward(x, states, weights, dropped, g, s) -> (new states, cache)
# backward(d_states, cache, weights, dropped, g, s) -> (d_x, d_states before the step, d_weights)
#
# with g the activation and s the recurrent activation.


class Weights(NamedTuple):
    """The weights of a cell, or their gradients."""

    kernel: Array
    recurrent_kernel: Array
    bias: Array


class Dropped(NamedTuple):
    """What x and h_ are multiplied by where they enter a gate's product, the same at all steps
    (Y. Gal and Z. Ghahramani, NIPS 2016); None without dropout.
    """

    x: Array | None  # [B, G, F]
    h: Array | None  # [B, G, H]


def of_gates(columns: Array, gates: int) -> Array:
    """The columns of each gate, [G, rows, H]."""
    return columns.reshape(len(columns), gates, -1).swapaxes(0, 1)


def to_bfloat16(a: Array) -> Array:
    """The nearest numbers of 8 significant bits, of two the even one; 0 for what is denormal."""
    fraction, exponent = np.frexp(a)
    return np.where(exponent < -125, 0, np.ldexp(np.rint(fraction * 256) / 256, exponent))


_rounds_operands = ContextVar("_rounds_operands", default=False)


@contextmanager
def bfloat16_operands() -> Iterator[None]:
    """Within the `with` block, what the cells multiply by each other is rounded to bfloat16."""
    token = _rounds_operands.set(True)
    try:
        yield
    finally:
        _rounds_operands.reset(token)


def matmul(a: Array, b: Array) -> Array:
    """a b, the operands rounded within `bfloat16_operands`."""
    return to_bfloat16(a) @ to_bfloat16(b) if _rounds_operands.get() else a @ b


def product(v: Array, mask: Array | None, w: Array) -> Array:
    """v w, of which each gate has its own columns and its own mask of v."""
    if mask is None:
        return matmul(v, w)
    parts = [matmul(v * mask[:, k], w_k) for k, w_k in enumerate(of_gates(w, mask.shape[1]))]
    return np.concatenate(parts, axis=1)


def product_backward(v: Array, mask: Array | None, w: Array, d_y: Array) -> tuple[Array, Array]:
    """d_v and d_w from the gradient of y = product(v, mask, w)."""
    if mask is None:
        return matmul(d_y, w.T), matmul(v.T, d_y)
    d_v, d_w, gates = np.zeros_like(v), [], mask.shape[1]
    for k, (w_k, d_k) in enumerate(zip(of_gates(w, gates), of_gates(d_y, gates), strict=True)):
        d_v = d_v + matmul(d_k, w_k.T) * mask[:, k]
        d_w.append(matmul((v * mask[:, k]).T, d_k))
    return d_v, np.concatenate(d_w, axis=1)


class SimpleRNN:
    """J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990):

    h = g(x w + h_ u + b)      with h_ the state before the step
    """

    states = 1

    @staticmethod
    def forward(
        x: Array, states: States, weights: Weights, dropped: Dropped, g: Activation, s: Activation
    ) -> Any:
        w, u, b = weights
        (h_,) = states
        h = g.forward(product(x, dropped.x, w) + product(h_, dropped.h, u) + b)
        return (h,), (x, h_, h)

    @staticmethod
    def backward(
        d_states: States, cache: Any, weights: Weights, dropped: Dropped, g: Activation,
        s: Activation,
    ) -> Any:  # fmt: skip
        w, u, _ = weights
        x, h_, h = cache
        (d_h,) = d_states
        d_a = d_h * g.slope(h)
        d_x, d_w = product_backward(x, dropped.x, w, d_a)
        d_h_, d_u = product_backward(h_, dropped.h, u, d_a)
        return d_x, (d_h_,), Weights(d_w, d_u, d_a.sum(axis=0))


class LSTM:
    """S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997), with
    the forget gate of F. Gers, J. Schmidhuber and F. Cummins, "Learning to forget", Neural
    Computation 12 (2000), without peepholes:

    i = s(x wi + h_ ui + bi)    f = s(x wf + h_ uf + bf)    o = s(x wo + h_ uo + bo)
    n = g(x wc + h_ uc + bc)    c = f * c_ + i * n          h = o * g(c)
    """

    states = 2

    @staticmethod
    def forward(
        x: Array, states: States, weights: Weights, dropped: Dropped, g: Activation, s: Activation
    ) -> Any:
        w, u, b = weights
        h_, c_ = states
        a = product(x, dropped.x, w) + product(h_, dropped.h, u) + b
        a_i, a_f, a_n, a_o = np.split(a, 4, axis=1)
        i, f, n, o = s.forward(a_i), s.forward(a_f), g.forward(a_n), s.forward(a_o)
        c = f * c_ + i * n
        y = g.forward(c)
        h = o * y
        return (h, c), (x, h_, c_, i, f, n, o, y)

    @staticmethod
    def backward(
        d_states: States, cache: Any, weights: Weights, dropped: Dropped, g: Activation,
        s: Activation,
    ) -> Any:  # fmt: skip
        w, u, _ = weights
        x, h_, c_, i, f, n, o, y = cache
        d_h, d_c = d_states
        d_o, d_y = d_h * y, d_h * o
        d_c = d_c + d_y * g.slope(y)
        d_i, d_f, d_n = d_c * n, d_c * c_, d_c * i
        d_a = np.concatenate(
            [d_i * s.slope(i), d_f * s.slope(f), d_n * g.slope(n), d_o * s.slope(o)], axis=1
        )
        d_x, d_w = product_backward(x, dropped.x, w, d_a)
        d_h_, d_u = product_backward(h_, dropped.h, u, d_a)
        return d_x, (d_h_, d_c * f), Weights(d_w, d_u, d_a.sum(axis=0))


class GRUResetAfter:
    """K. Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014 (arXiv
    1406.1078v1), with the reset gate after the recurrent product, which is Keras's default:

    z = s(x wz + bz + h_ uz + qz)      r = s(x wr + br + h_ ur + qr)
    m = h_ uh + qh                     n = g(x wh + bh + r * m)         h = z * h_ + (1 - z) * n

    with b the first row of the bias and q the second.
    """

    states = 1

    @staticmethod
    def forward(
        x: Array, states: States, weights: Weights, dropped: Dropped, g: Activation, s: Activation
    ) -> Any:
        w, u, (b, q) = weights
        (h_,) = states
        x_z, x_r, x_n = np.split(product(x, dropped.x, w) + b, 3, axis=1)
        h_z, h_r, m = np.split(product(h_, dropped.h, u) + q, 3, axis=1)
        z, r = s.forward(x_z + h_z), s.forward(x_r + h_r)
        n = g.forward(x_n + r * m)
        h = z * h_ + (1 - z) * n
        return (h,), (x, h_, z, r, m, n)

    @staticmethod
    def backward(
        d_states: States, cache: Any, weights: Weights, dropped: Dropped, g: Activation,
        s: Activation,
    ) -> Any:  # fmt: skip
        w, u, _ = weights
        x, h_, z, r, m, n = cache
        (d_h,) = d_states
        d_z, d_n = d_h * (h_ - n), d_h * (1 - z)
        d_a_n = d_n * g.slope(n)
        d_r, d_m = d_a_n * m, d_a_n * r
        d_a_z, d_a_r = d_z * s.slope(z), d_r * s.slope(r)
        d_x_side = np.concatenate([d_a_z, d_a_r, d_a_n], axis=1)  # gradient of x w + b
        d_h_side = np.concatenate([d_a_z, d_a_r, d_m], axis=1)  # gradient of h_ u + q
        d_bias = np.stack([d_x_side.sum(axis=0), d_h_side.sum(axis=0)])
        d_x, d_w = product_backward(x, dropped.x, w, d_x_side)
        d_h_, d_u = product_backward(h_, dropped.h, u, d_h_side)
        return d_x, (d_h_ + d_h * z,), Weights(d_w, d_u, d_bias)


class GRUResetBefore:
    """K. Cho et al., EMNLP 2014 (arXiv 1406.1078v3), the reset gate before the recurrent product:

    z = s(x wz + h_ uz + bz)    r = s(x wr + h_ ur + br)
    p = r * h_                  n = g(x wh + p uh + bh)      h = z * h_ + (1 - z) * n

    In p it is h_ that is dropped from, so p is too.
    """

    states = 1

    @staticmethod
    def forward(
        x: Array, states: States, weights: Weights, dropped: Dropped, g: Activation, s: Activation
    ) -> Any:
        w, u, b = weights
        (h_,) = states
        u_z, u_r, u_n = np.split(u, 3, axis=1)
        m_z, m_r, m_n = (None,) * 3 if dropped.h is None else np.split(dropped.h, 3, axis=1)
        x_z, x_r, x_n = np.split(product(x, dropped.x, w) + b, 3, axis=1)
        z = s.forward(x_z + product(h_, m_z, u_z))
        r = s.forward(x_r + product(h_, m_r, u_r))
        p = r * h_
        n = g.forward(x_n + product(p, m_n, u_n))
        h = z * h_ + (1 - z) * n
        return (h,), (x, h_, z, r, p, n)

    @staticmethod
    def backward(
        d_states: States, cache: Any, weights: Weights, dropped: Dropped, g: Activation,
        s: Activation,
    ) -> Any:  # fmt: skip
        w, u, _ = weights
        u_z, u_r, u_n = np.split(u, 3, axis=1)
        m_z, m_r, m_n = (None,) * 3 if dropped.h is None else np.split(dropped.h, 3, axis=1)
        x, h_, z, r, p, n = cache
        (d_h,) = d_states
        d_z, d_n = d_h * (h_ - n), d_h * (1 - z)
        d_a_n = d_n * g.slope(n)
        d_p, d_u_n = product_backward(p, m_n, u_n, d_a_n)
        d_r = d_p * h_
        d_a_z, d_a_r = d_z * s.slope(z), d_r * s.slope(r)
        d_h_r, d_u_r = product_backward(h_, m_r, u_r, d_a_r)
        d_h_z, d_u_z = product_backward(h_, m_z, u_z, d_a_z)
        d_h_ = d_h * z + d_p * r + d_h_z + d_h_r
        d_a = np.concatenate([d_a_z, d_a_r, d_a_n], axis=1)
        d_x, d_w = product_backward(x, dropped.x, w, d_a)
        d_u = np.concatenate([d_u_z, d_u_r, d_u_n], axis=1)
        return d_x, (d_h_,), Weights(d_w, d_u, d_a.sum(axis=0))


CELLS = {
    "simple_rnn": SimpleRNN,
    "lstm": LSTM,
    "gru": GRUResetAfter,
    "gru_reset_before": GRUResetBefore,
}


# --- A sequence -----------------------------------------------------------------------------------


class Output(NamedTuple):
    outputs: Array
    states: States
    tape: Any


class Gradients(NamedTuple):
    x: Array
    kernel: Array
    recurrent_kernel: Array
    bias: Array | None
    initial_state: States


class Tape(NamedTuple):
    """What `rnn_forward` leaves for `rnn_backward`."""

    cell: Any
    weights: Weights
    dropped: Dropped
    activations: tuple[Activation, Activation]
    has_bias: bool
    times: range  # in the order of the walk
    walked: Array  # [B, T]
    zero_output_for_mask: bool
    return_sequences: bool
    caches: list[Any]  # one a step, in the order of the walk


def per_gate(mask: Array | None, gates: int, dtype: Any) -> Array | None:
    """A dropout mask [B, G, n] from one of that shape or one for all gates [B, n]."""
    if mask is None:
        return None
    mask = np.asarray(mask, dtype)
    return mask if mask.ndim == 3 else np.repeat(mask[:, None], gates, axis=1)


def rnn_forward(
    cell: Any,
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    initial_state: States | None = None,
    *,
    mask: Array | None = None,
    dropout_mask: Array | None = None,
    recurrent_dropout_mask: Array | None = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    return_sequences: bool = False,
    dtype: Any = np.float64,
) -> Output:
    """Walks the cell over the steps.

    The output y of a step is h. Where `mask` [B, T] is False the states stay as they are, and y is
    that of the step before it in the walk (zeros at the first), or zeros. `outputs` is y of all
    steps [B, T, H], each at its own time, or of the last one of the walk [B, H].
    """
    x, w, u = (np.asarray(array, dtype) for array in (x, kernel, recurrent_kernel))
    batch, steps, _ = x.shape
    bias_shape = (2, u.shape[1]) if cell is GRUResetAfter else (u.shape[1],)
    b = np.zeros(bias_shape, dtype) if bias is None else np.asarray(bias, dtype)
    weights = Weights(w, u, b)
    dropped = Dropped(
        *(per_gate(m, u.shape[1] // len(u), dtype) for m in (dropout_mask, recurrent_dropout_mask))
    )
    g, s = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
    zeros = np.zeros((batch, len(u)), dtype)
    states = (zeros,) * cell.states if initial_state is None else initial_state
    states = tuple(np.asarray(state, dtype) for state in states)
    times = range(steps)[::-1] if go_backwards else range(steps)
    walked = np.ones((batch, steps), bool) if mask is None else mask
    y, y_of_step, caches = zeros, [zeros] * steps, []
    for t in times:
        walk = walked[:, t, None]
        new_states, cache = cell.forward(x[:, t], states, weights, dropped, g, s)
        states = tuple(np.where(walk, n, old) for n, old in zip(new_states, states, strict=True))
        y = np.where(walk, new_states[0], zeros if zero_output_for_mask else y)
        y_of_step[t] = y
        caches.append(cache)
    tape = Tape(
        cell, weights, dropped, (g, s), bias is not None, times, walked, zero_output_for_mask,
        return_sequences, caches,
    )  # fmt: skip
    return Output(np.stack(y_of_step, axis=1) if return_sequences else y, states, tape)


def rnn_backward(
    tape: Tape,
    d_outputs: Array | None = None,
    d_states: tuple[Array | None, ...] | None = None,
) -> Gradients:
    """Walks the steps back, from the gradients of what `rnn_forward` returned."""
    cell, weights, dropped, (g, s), has_bias, times, walked, zero_output_for_mask, *_ = tape
    dtype, (batch, steps) = weights.kernel.dtype, walked.shape
    zeros = np.zeros((batch, len(weights.recurrent_kernel)), dtype)
    d_states = (None,) * cell.states if d_states is None else d_states
    d_states = tuple(zeros if d is None else np.asarray(d, dtype) for d in d_states)
    d_y_of_step = [zeros] * steps
    if d_outputs is not None and tape.return_sequences:
        d_y_of_step = list(np.moveaxis(np.asarray(d_outputs, dtype), 1, 0))
    elif d_outputs is not None:
        d_y_of_step[times[-1]] = np.asarray(d_outputs, dtype)
    d_weights = Weights(*(np.zeros_like(w) for w in weights))
    d_x_of_step = [zeros] * steps
    d_y = zeros  # from the masked steps that repeat the output
    for t, cache in zip(reversed(times), reversed(tape.caches), strict=True):
        walk = walked[:, t, None]
        d_y = d_y + d_y_of_step[t]
        d_new = tuple(np.where(walk, d, zeros) for d in (d_states[0] + d_y, *d_states[1:]))
        d_x_of_step[t], d_old, d_step = cell.backward(d_new, cache, weights, dropped, g, s)
        d_states = tuple(np.where(walk, old, d) for old, d in zip(d_old, d_states, strict=True))
        d_y = np.where(walk | zero_output_for_mask, zeros, d_y)
        d_weights = Weights(*(total + d for total, d in zip(d_weights, d_step, strict=True)))
    kernel, recurrent_kernel, bias = d_weights
    d_x = np.stack(d_x_of_step, axis=1)
    return Gradients(d_x, kernel, recurrent_kernel, bias if has_bias else None, d_states)


# --- Embedding and Dense --------------------------------------------------------------------------


def embedding_forward(tokens: Array, table: Array) -> Array:
    """The table's row of each token: [*tokens.shape, E]."""
    return np.asarray(table, np.float64)[tokens]


def embedding_backward(tokens: Array, d_outputs: Array, vocabulary: int) -> Array:
    """Each token adds its gradient to its row of d_table [vocabulary, E]."""
    d_outputs = np.asarray(d_outputs, np.float64)
    d_table = np.zeros((vocabulary, d_outputs.shape[-1]))
    np.add.at(d_table, tokens, d_outputs)
    return d_table


def dense_forward(
    x: Array, kernel: Array, bias: Array | None = None, *, activation: str = "linear"
) -> Array:
    """y = g(x w + b) over the last axis of x."""
    x, w = np.asarray(x, np.float64), np.asarray(kernel, np.float64)
    b = np.zeros(w.shape[1]) if bias is None else np.asarray(bias, np.float64)
    return ACTIVATIONS[activation].forward(x @ w + b)


def dense_backward(
    x: Array, y: Array, kernel: Array, d_y: Array, *, activation: str = "linear"
) -> tuple[Array, Array, Array]:
    """d_x, d_kernel, d_bias, from what `dense_forward` took and returned."""
    x, y, w, d_y = (np.asarray(array, np.float64) for array in (x, y, kernel, d_y))
    d_a = d_y * ACTIVATIONS[activation].slope(y)
    rows, d_rows = x.reshape(-1, w.shape[0]), d_a.reshape(-1, w.shape[1])
    return d_a @ w.T, rows.T @ d_rows, d_rows.sum(axis=0)
