"""Nadam: Adam with Nesterov momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import check_number, own_arguments
from fastrnn.optimizers.bias_correction import bias_correction
from fastrnn.optimizers.optimizer import LearningRate, Optimizer
from fastrnn.variable import Variable


class Nadam(Optimizer):
    """Adam that looks ahead by the momentum of the next update (Dozat, 2016).

    At update `t`, with the momentum `mu_t = beta_1 * (1 - 0.96**t / 2)` and the product `P_t` of
    all momentums so far, `m += (1 - beta_1) * (g - m)`, `v += (1 - beta_2) * (g**2 - v)`,
    `m_hat = mu_{t+1} * m / (1 - P_{t+1}) + (1 - mu_t) * g / (1 - P_t)` and
    `w -= lr * m_hat / (sqrt(v / (1 - beta_2**t)) + epsilon)`.

    Args:
        beta_1: In [0, 1): how slowly the mean of gradients forgets.
        beta_2: In [0, 1): how slowly the mean of squares forgets.
        epsilon: Added to the root of the mean square.

    Raises:
        ValueError: If an argument is out of range or not known.

    Example:
        >>> Nadam(learning_rate=0.01).beta_1
        0.9
    """

    config_arguments: tuple[str, ...] = (*Optimizer.config_arguments, "beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        arguments = own_arguments(locals())
        self.beta_1 = check_number("beta_1", arguments.pop("beta_1"), 0.0, 1.0)
        self.beta_2 = check_number("beta_2", arguments.pop("beta_2"), 0.0, 1.0)
        self.epsilon = check_number("epsilon", arguments.pop("epsilon"), 0.0)
        super().__init__(**arguments, **kwargs)
        self._momentums: list[np.ndarray] = []
        self._velocities: list[np.ndarray] = []
        self._product = np.ones((), np.float32)
        self._sizes: dict[str, float] = {}

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots: momentums, velocities, and the product of the momentums so far."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_slots("momentum", "velocity")
        self._product = self.add_slot(1.0, "product")

    def begin_step(self, learning_rate: np.float32) -> None:
        """Compute the step sizes, in float32 as Keras does: 1 - beta_2**t is far from exact."""
        one, t = np.float32(1.0), np.float32(self._updates + 1)
        beta_1, beta_2 = np.float32(self.beta_1), np.float32(self.beta_2)
        mu, next_mu = (
            beta_1 * (one - np.float32(0.5) * np.power(np.float32(0.96), at)) for at in (t, t + one)
        )
        self._product *= mu
        self._sizes = {
            "step_size": float(learning_rate * (next_mu / (one - self._product * next_mu))),
            "gradient_step_size": float(learning_rate * ((one - mu) / (one - self._product))),
            "v_correction": float(one / bias_correction(self.beta_2, self._updates + 1)),
            # Keras rounds them to float32 before it takes them from 1, here only.
            "beta_1": float(beta_1),
            "beta_2": float(beta_2),
        }

    def update_step(
        self, gradient: np.ndarray, variable: Variable, learning_rate: np.float32, decay: float
    ) -> None:
        """Change one variable in place."""
        index = self.index_of(variable)
        kernels.nadam_update(
            variable.value,
            gradient,
            self._momentums[index],
            self._velocities[index],
            **self._sizes,
            epsilon=self.epsilon,
            decay=decay,
        )
