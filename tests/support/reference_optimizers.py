"""The oracle of optimizers: their updates as equations in NumPy (see reference.py).

Each takes and returns (variable, *slots); nothing is changed in place. `decay` is
weight_decay * learning_rate (I. Loshchilov and F. Hutter, "Decoupled weight decay
regularization", ICLR 2019).
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def sgd_update(
    variable: Array,
    gradient: Array,
    momentum_buffer: Array,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    decay: float = 0.0,
) -> tuple[Array, Array]:
    """I. Sutskever et al., "On the importance of initialization and momentum", ICML 2013."""
    variable = variable * (1 - decay)
    buffer = momentum * momentum_buffer - learning_rate * gradient
    step = momentum * buffer - learning_rate * gradient if nesterov else buffer
    return variable + step, buffer


def rmsprop_update(
    variable: Array,
    gradient: Array,
    velocity: Array,
    average_gradient: Array,
    momentum_buffer: Array,
    *,
    learning_rate: float,
    rho: float,
    epsilon: float,
    momentum: float = 0.0,
    centered: bool = False,
    decay: float = 0.0,
) -> tuple[Array, Array, Array, Array]:
    """T. Tieleman and G. Hinton, lecture 6.5 (2012); centered as in A. Graves, arXiv 1308.0850."""
    variable = variable * (1 - decay)
    velocity = rho * velocity + (1 - rho) * gradient**2
    average_gradient = rho * average_gradient + (1 - rho) * gradient
    variance = velocity - average_gradient**2 if centered else velocity
    buffer = momentum * momentum_buffer + learning_rate * gradient / np.sqrt(variance + epsilon)
    return variable - buffer, velocity, average_gradient, buffer


def adam_update(
    variable: Array,
    gradient: Array,
    m: Array,
    v: Array,
    v_max: Array,
    *,
    learning_rate: float,
    step: int,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    amsgrad: bool = False,
    decay: float = 0.0,
) -> tuple[Array, Array, Array, Array]:
    """D. Kingma and J. Ba, "Adam", ICLR 2015; amsgrad of S. Reddi et al., ICLR 2018.

    `step` counts from 1.
    """
    variable = variable * (1 - decay)
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    v_max = np.maximum(v_max, v)
    step_size = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    variable = variable - step_size * m / (np.sqrt(v_max if amsgrad else v) + epsilon)
    return variable, m, v, v_max


def adagrad_update(
    variable: Array,
    gradient: Array,
    accumulator: Array,
    *,
    learning_rate: float,
    epsilon: float,
    decay: float = 0.0,
) -> tuple[Array, Array]:
    """J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods", JMLR 2011."""
    variable = variable * (1 - decay)
    accumulator = accumulator + gradient**2
    return variable - learning_rate * gradient / np.sqrt(accumulator + epsilon), accumulator


def adadelta_update(
    variable: Array,
    gradient: Array,
    squared_gradient: Array,
    squared_step: Array,
    *,
    learning_rate: float,
    rho: float,
    epsilon: float,
    decay: float = 0.0,
) -> tuple[Array, Array, Array]:
    """M. Zeiler, "ADADELTA", arXiv 1212.5701."""
    variable = variable * (1 - decay)
    squared_gradient = rho * squared_gradient + (1 - rho) * gradient**2
    step = gradient * np.sqrt(squared_step + epsilon) / np.sqrt(squared_gradient + epsilon)
    squared_step = rho * squared_step + (1 - rho) * step**2
    return variable - learning_rate * step, squared_gradient, squared_step


def adamax_update(
    variable: Array,
    gradient: Array,
    m: Array,
    u: Array,
    *,
    learning_rate: float,
    step: int,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    decay: float = 0.0,
) -> tuple[Array, Array, Array]:
    """D. Kingma and J. Ba, "Adam", ICLR 2015, section 7.1. `step` counts from 1."""
    variable = variable * (1 - decay)
    m = beta_1 * m + (1 - beta_1) * gradient
    u = np.maximum(beta_2 * u, np.abs(gradient))
    return variable - learning_rate / (1 - beta_1**step) * m / (u + epsilon), m, u


def nadam_momentum(beta_1: float, step: int) -> float:
    """Nadam's momentum of one step, which rises to beta_1."""
    return beta_1 * (1 - 0.5 * 0.96**step)


def nadam_update(
    variable: Array,
    gradient: Array,
    m: Array,
    v: Array,
    *,
    learning_rate: float,
    step: int,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    decay: float = 0.0,
) -> tuple[Array, Array, Array]:
    """T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop.

    `step` counts from 1. m is the plain running mean, as in Keras.
    """
    variable = variable * (1 - decay)
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    momentums = [nadam_momentum(beta_1, k) for k in range(1, step + 2)]
    m_hat = momentums[-1] * m / (1 - np.prod(momentums))
    g_hat = (1 - momentums[-2]) * gradient / (1 - np.prod(momentums[:-1]))
    v_hat = v / (1 - beta_2**step)
    return variable - learning_rate * (m_hat + g_hat) / (np.sqrt(v_hat) + epsilon), m, v
