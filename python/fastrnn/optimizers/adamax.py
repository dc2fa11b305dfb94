"""Adamax: Adam by the largest gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import check_number, own_arguments
from fastrnn.optimizers.bias_correction import bias_correction
from fastrnn.optimizers.optimizer import LearningRate, Optimizer
from fastrnn.variable import Variable


class Adamax(Optimizer):
    """Adam with the infinity norm in the place of the root mean square.

    At update `t`, `m += (1 - beta_1) * (g - m)`, `u = max(beta_2 * u, abs(g))` and
    `w -= lr / (1 - beta_1**t) * m / (u + epsilon)` (Kingma and Ba, 2014, section 7.1).

    Args:
        beta_1: In [0, 1): how slowly the mean of gradients forgets.
        beta_2: In [0, 1): how slowly the largest gradient fades.
        epsilon: Added to the largest gradient.

    Raises:
        ValueError: If an argument is out of range or not known.

    Example:
        >>> Adamax(learning_rate=0.01).beta_2
        0.999
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
        self._norms: list[np.ndarray] = []
        self._step_size = 0.0

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots: momentums and norms."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._norms = self.add_slots("momentum", "norm")

    def begin_step(self, learning_rate: np.float32) -> None:
        """Compute the step size, in float32 as Keras does."""
        self._step_size = float(learning_rate / bias_correction(self.beta_1, self._updates + 1))

    def update_step(
        self, gradient: np.ndarray, variable: Variable, learning_rate: np.float32, decay: float
    ) -> None:
        """Change one variable in place."""
        index = self.index_of(variable)
        kernels.adamax_update(
            variable.value,
            gradient,
            self._momentums[index],
            self._norms[index],
            step_size=self._step_size,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            decay=decay,
        )
