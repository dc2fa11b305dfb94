"""Updates of the optimizers, in place.

Each updates one variable, or those of a list in one call. Then the gradient, the other arrays and
`decay` are lists too, with an item for each variable; None stays None. All are checked before one
is changed.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastrnn import _core
from fastrnn.kernels.arrays import EachFloats


def sgd_update(
    variable: EachFloats,
    gradient: ArrayLike,
    *,
    learning_rate: float,
    decay: float | list[float] = 0.0,
    momentum: float = 0.0,
    nesterov: bool = False,
    momentum_buffer: EachFloats | None = None,
) -> None:
    """Takes one step of gradient descent, in place.

    `w -= learning_rate * g`; with a momentum buffer v, `v = momentum * v - learning_rate * g` and
    `w += v`, with `nesterov` `w += momentum * v - learning_rate * g`. All arrays have one shape.

    Args:
        variable: w, float32 in C order; or a list of such arrays.
        gradient: g.
        learning_rate: step size.
        decay: w is first multiplied by `1 - decay`: weight decay times learning rate.
        momentum: share of the last step that is kept.
        nesterov: whether the step is taken from where the momentum leads (Nesterov 1983).
        momentum_buffer: v, or None for no momentum.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> w = np.array([1.0, 2.0], "float32")
        >>> kernels.sgd_update(w, [1.0, -1.0], learning_rate=0.5)
        >>> w.round(3)
        array([0.5, 2.5], dtype=float32)
    """
    _core.sgd_update(variable, gradient, learning_rate, decay, momentum, nesterov, momentum_buffer)


def rmsprop_update(
    variable: EachFloats,
    gradient: ArrayLike,
    velocity: EachFloats,
    *,
    learning_rate: float,
    rho: float,
    epsilon: float,
    decay: float | list[float] = 0.0,
    momentum: float = 0.0,
    momentum_buffer: EachFloats | None = None,
    average_gradient: EachFloats | None = None,
) -> None:
    """Takes one step of RMSprop (Hinton 2012), in place.

    `v = rho * v + (1 - rho) * g**2`, then `step = learning_rate * g / sqrt(v + epsilon)` and
    `w -= step`. With `average_gradient` (centered) its square is taken off v under the root
    (Graves 2013); with a momentum buffer p, `p = momentum * p + step` and `w -= p`. All arrays have
    one shape.

    Args:
        variable: w, float32 in C order; or a list of such arrays.
        gradient: g.
        velocity: v, the running mean of g**2.
        learning_rate: step size.
        rho: share of the running means that is kept.
        epsilon: keeps the root from zero.
        decay: w is first multiplied by `1 - decay`: weight decay times learning rate.
        momentum: share of the last step that is kept.
        momentum_buffer: p, or None for no momentum.
        average_gradient: the running mean of g, or None if not centered.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> w = np.array([1.0, 2.0], "float32")
        >>> v = np.zeros(2, "float32")
        >>> kernels.rmsprop_update(w, [1.0, -1.0], v, learning_rate=0.1, rho=0.75, epsilon=0.0)
        >>> w.round(3)
        array([0.8, 2.2], dtype=float32)
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
    variable: EachFloats,
    gradient: ArrayLike,
    m: EachFloats,
    v: EachFloats,
    *,
    step_size: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    decay: float | list[float] = 0.0,
    v_max: EachFloats | None = None,
) -> None:
    """Takes one step of Adam (Kingma & Ba 2015), in place.

    `m += (1 - beta_1) * (g - m)`, `v += (1 - beta_2) * (g**2 - v)`,
    `w -= step_size * m / (sqrt(v) + epsilon)`. All arrays have one shape.

    Args:
        variable: w, float32 in C order; or a list of such arrays.
        gradient: g.
        m: running mean of g.
        v: running mean of g**2.
        step_size: `learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t)` at step t = 1, 2, ...
        beta_1: share of m that is kept.
        beta_2: share of v that is kept.
        epsilon: keeps the denominator from zero.
        decay: w is first multiplied by `1 - decay`: weight decay times learning rate (AdamW).
        v_max: the largest v so far, which then takes v's place (AMSGrad), or None.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> w, g = np.array([1.0, 2.0], "float32"), [1.0, -1.0]
        >>> m, v = np.zeros(2, "float32"), np.zeros(2, "float32")
        >>> kernels.adam_update(w, g, m, v, step_size=0.1, beta_1=0.5, beta_2=0.75, epsilon=0.0)
        >>> w.round(3)
        array([0.9, 2.1], dtype=float32)
    """
    _core.adam_update(variable, gradient, m, v, step_size, beta_1, beta_2, epsilon, decay, v_max)


def adagrad_update(
    variable: EachFloats,
    gradient: ArrayLike,
    accumulator: EachFloats,
    *,
    learning_rate: float,
    epsilon: float,
    decay: float | list[float] = 0.0,
) -> None:
    """Takes one step of Adagrad (Duchi, Hazan & Singer 2011), in place.

    `a += g**2`, `w -= learning_rate * g / sqrt(a + epsilon)`. All arrays have one shape.

    Args:
        variable: w, float32 in C order; or a list of such arrays.
        gradient: g.
        accumulator: a, the sum of g**2.
        learning_rate: step size.
        epsilon: keeps the root from zero.
        decay: w is first multiplied by `1 - decay`: weight decay times learning rate.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> w, g = np.array([1.0, 2.0], "float32"), [1.0, -1.0]
        >>> a = np.zeros(2, "float32")
        >>> kernels.adagrad_update(w, g, a, learning_rate=0.1, epsilon=0.0)
        >>> w.round(3)
        array([0.9, 2.1], dtype=float32)
    """
    _core.adagrad_update(variable, gradient, accumulator, learning_rate, epsilon, decay)


def adadelta_update(
    variable: EachFloats,
    gradient: ArrayLike,
    squared_gradient: EachFloats,
    squared_step: EachFloats,
    *,
    learning_rate: float,
    rho: float,
    epsilon: float,
    decay: float | list[float] = 0.0,
) -> None:
    """Takes one step of Adadelta (Zeiler 2012), in place.

    `s = rho * s + (1 - rho) * g**2`, `step = sqrt(d + epsilon) / sqrt(s + epsilon) * g`,
    `d = rho * d + (1 - rho) * step**2`, `w -= learning_rate * step`. All arrays have one shape.

    Args:
        variable: w, float32 in C order; or a list of such arrays.
        gradient: g.
        squared_gradient: s, the running mean of g**2.
        squared_step: d, the running mean of step**2.
        learning_rate: share of the step that is taken; 1 in the paper.
        rho: share of the running means that is kept.
        epsilon: keeps the roots from zero, and the steps from never starting.
        decay: w is first multiplied by `1 - decay`: weight decay times learning rate.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> w, g = np.array([1.0, 2.0], "float32"), [1.0, -1.0]
        >>> s, d = np.zeros(2, "float32"), np.zeros(2, "float32")
        >>> kernels.adadelta_update(w, g, s, d, learning_rate=1.0, rho=0.75, epsilon=0.01)
        >>> w.round(3)
        array([0.804, 2.196], dtype=float32)
    """
    _core.adadelta_update(
        variable, gradient, squared_gradient, squared_step, learning_rate, rho, epsilon, decay
    )


def adamax_update(
    variable: EachFloats,
    gradient: ArrayLike,
    m: EachFloats,
    u: EachFloats,
    *,
    step_size: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    decay: float | list[float] = 0.0,
) -> None:
    """Takes one step of Adamax (Kingma & Ba 2015, section 7.1), in place.

    `m += (1 - beta_1) * (g - m)`, `u = max(beta_2 * u, abs(g))`,
    `w -= step_size * m / (u + epsilon)`. All arrays have one shape.

    Args:
        variable: w, float32 in C order; or a list of such arrays.
        gradient: g.
        m: running mean of g.
        u: the largest abs(g), fading.
        step_size: `learning_rate / (1 - beta_1**t)` at step t = 1, 2, ...
        beta_1: share of m that is kept.
        beta_2: share of u that is kept.
        epsilon: keeps the denominator from zero.
        decay: w is first multiplied by `1 - decay`: weight decay times learning rate.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> w, g = np.array([1.0, 2.0], "float32"), [1.0, -1.0]
        >>> m, u = np.zeros(2, "float32"), np.zeros(2, "float32")
        >>> kernels.adamax_update(w, g, m, u, step_size=0.1, beta_1=0.5, beta_2=0.75, epsilon=0.0)
        >>> w.round(3)
        array([0.95, 2.05], dtype=float32)
    """
    _core.adamax_update(variable, gradient, m, u, step_size, beta_1, beta_2, epsilon, decay)


def nadam_update(
    variable: EachFloats,
    gradient: ArrayLike,
    m: EachFloats,
    v: EachFloats,
    *,
    step_size: float,
    gradient_step_size: float,
    v_correction: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    decay: float | list[float] = 0.0,
) -> None:
    """Takes one step of Nadam (Dozat 2016), in place.

    `m += (1 - beta_1) * (g - m)`, `v += (1 - beta_2) * (g**2 - v)`,
    `w -= (step_size * m + gradient_step_size * g) / (sqrt(v_correction * v) + epsilon)`. All
    arrays have one shape. With the momentum mu_t of step t = 1, 2, ... and P_t, the product of
    mu_1 to mu_t:

    Args:
        variable: w, float32 in C order; or a list of such arrays.
        gradient: g.
        m: running mean of g.
        v: running mean of g**2.
        step_size: `learning_rate * mu_{t+1} / (1 - P_{t+1})`.
        gradient_step_size: `learning_rate * (1 - mu_t) / (1 - P_t)`.
        v_correction: `1 / (1 - beta_2**t)`.
        beta_1: share of m that is kept.
        beta_2: share of v that is kept.
        epsilon: keeps the denominator from zero.
        decay: w is first multiplied by `1 - decay`: weight decay times learning rate.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> w, m, v = np.ones(2, "float32"), np.zeros(2, "float32"), np.zeros(2, "float32")
        >>> kernels.nadam_update(
        ...     w, [1.0, -1.0], m, v, step_size=0.1, gradient_step_size=0.05, v_correction=4.0,
        ...     beta_1=0.5, beta_2=0.75, epsilon=0.0,
        ... )
        >>> w.round(3)
        array([0.9, 1.1], dtype=float32)
    """
    _core.nadam_update(
        variable, gradient, m, v, step_size, gradient_step_size, v_correction, beta_1, beta_2,
        epsilon, decay,
    )  # fmt: skip
