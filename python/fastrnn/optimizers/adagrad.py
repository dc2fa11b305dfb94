"""Adagrad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import check_number, own_arguments
from fastrnn.optimizers.optimizer import LearningRate, Optimizer
from fastrnn.variable import Variable


class Adagrad(Optimizer):
    """Gradient descent by gradients scaled to the root of all their squares so far.

    `a += g**2`, then `w -= lr * g / sqrt(a + epsilon)` (Duchi, Hazan and Singer, 2011): what has
    moved often moves less.

    Args:
        initial_accumulator_value: What `a` starts at, at least 0.
        epsilon: Added to the sum of squares.

    Raises:
        ValueError: If an argument is out of range or not known.

    Example:
        >>> Adagrad(learning_rate=1.0).initial_accumulator_value
        0.1
    """

    config_arguments: tuple[str, ...] = (
        *Optimizer.config_arguments,
        "initial_accumulator_value",
        "epsilon",
    )

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value = check_number(
            "initial_accumulator_value", arguments.pop("initial_accumulator_value"), 0.0
        )
        self.epsilon = check_number("epsilon", arguments.pop("epsilon"), 0.0)
        super().__init__(**arguments, **kwargs)
        self._accumulators: list[np.ndarray] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots: accumulators."""
        if self.built:
            return
        super().build(variables)
        (self._accumulators,) = self.add_slots("accumulator", value=self.initial_accumulator_value)

    def update_step(
        self, gradient: np.ndarray, variable: Variable, learning_rate: np.float32, decay: float
    ) -> None:
        """Change one variable in place."""
        kernels.adagrad_update(
            variable.value,
            gradient,
            self._accumulators[self.index_of(variable)],
            learning_rate=float(learning_rate),
            epsilon=self.epsilon,
            decay=decay,
        )
