"""Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import check_number, own_arguments
from fastrnn.optimizers.optimizer import LearningRate, Optimizer
from fastrnn.variable import Variable


class Adadelta(Optimizer):
    """Gradient descent by gradients scaled to the size of the last steps.

    `s = rho * s + (1 - rho) * g**2`, `step = sqrt(d + epsilon) / sqrt(s + epsilon) * g`,
    `d = rho * d + (1 - rho) * step**2`, then `w -= lr * step` (Zeiler, 2012, where `lr` is 1).

    Args:
        rho: In [0, 1]: how slowly the running means forget.
        epsilon: Added to the mean squares; it is what the first steps are made of.

    Raises:
        ValueError: If an argument is out of range or not known.

    Example:
        >>> Adadelta(learning_rate=1.0).rho
        0.95
    """

    config_arguments: tuple[str, ...] = (*Optimizer.config_arguments, "rho", "epsilon")

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.95,
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
        self.rho = check_number("rho", arguments.pop("rho"), 0.0, 1.0)
        self.epsilon = check_number("epsilon", arguments.pop("epsilon"), 0.0)
        super().__init__(**arguments, **kwargs)
        self._squared_gradients: list[np.ndarray] = []
        self._squared_steps: list[np.ndarray] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots: running means of the squares of gradients and steps."""
        if self.built:
            return
        super().build(variables)
        self._squared_gradients, self._squared_steps = self.add_slots(
            "accumulated_grad", "accumulated_delta_var"
        )

    def update_step(
        self, gradient: np.ndarray, variable: Variable, learning_rate: np.float32, decay: float
    ) -> None:
        """Change one variable in place."""
        index = self.index_of(variable)
        kernels.adadelta_update(
            variable.value,
            gradient,
            self._squared_gradients[index],
            self._squared_steps[index],
            learning_rate=float(learning_rate),
            rho=self.rho,
            epsilon=self.epsilon,
            decay=decay,
        )
