"""Updates of the optimizers, in place."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastrnn import _core
from fastrnn.ops.arrays import Floats


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
