"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import ops
from fastrnn.optimizers.optimizer import LearningRate, Optimizer, check_number
from fastrnn.variable import Variable


class SGD(Optimizer):
    """Gradient descent, with or without momentum.

    Without momentum `w -= lr * g`; with it `m = momentum * m - lr * g`, then `w += m`, or with
    `nesterov` `w += momentum * m - lr * g` (Sutskever et al., 2013).

    Args:
        learning_rate: See `Optimizer`.
        momentum: In [0, 1].
        nesterov: Whether to use Nesterov momentum.
        weight_decay: See `Optimizer`.
        clipnorm: See `Optimizer`.
        clipvalue: See `Optimizer`.
        global_clipnorm: See `Optimizer`.
        name: See `Optimizer`.
        **inert: See `Optimizer`.

    Raises:
        ValueError: If an argument is out of range or not known.

    Example:
        >>> SGD(0.1, momentum=0.9).momentum
        0.9
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **inert: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name, **inert
        )
        self.momentum = check_number("momentum", momentum, 0.0, 1.0)
        self.nesterov = nesterov
        self._momentums: list[np.ndarray] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the momentum slots, if there is momentum."""
        if self.built:
            return
        super().build(variables)
        if self.momentum:
            (self._momentums,) = self.add_slots("momentum")

    def update_step(
        self, gradient: np.ndarray, variable: Variable, learning_rate: np.float32, decay: float
    ) -> None:
        """Change one variable in place."""
        ops.sgd_update(
            variable.value,
            gradient,
            learning_rate=float(learning_rate),
            decay=decay,
            momentum=self.momentum,
            nesterov=self.nesterov,
            momentum_buffer=self._momentums[self.index_of(variable)] if self.momentum else None,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
