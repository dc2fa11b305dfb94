"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import check_number, own_arguments
from fastrnn.optimizers.optimizer import LearningRate, Optimizer
from fastrnn.variable import Variable


class RMSprop(Optimizer):
    """Gradient descent by gradients scaled to a running root mean square.

    `v = rho * v + (1 - rho) * g**2`, then `w -= lr * g / sqrt(v + epsilon)` (Tieleman and Hinton,
    2012). `centered` keeps a running mean of the gradients too and takes its square from `v`.
    With momentum, `m = momentum * m + lr * g / sqrt(v + epsilon)` is what `w` loses.

    Args:
        rho: In [0, 1]: how slowly the running means forget.
        momentum: Share of the last change that is repeated.
        epsilon: Added to the mean square.
        centered: Whether to scale by the variance rather than the mean square.

    Raises:
        ValueError: If an argument is out of range or not known.

    Example:
        >>> RMSprop().rho
        0.9
    """

    config_arguments: tuple[str, ...] = (
        *Optimizer.config_arguments,
        "rho",
        "momentum",
        "epsilon",
        "centered",
    )

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.momentum = check_number("momentum", arguments.pop("momentum"), 0.0)
        self.epsilon = check_number("epsilon", arguments.pop("epsilon"), 0.0)
        self.centered = bool(arguments.pop("centered"))
        super().__init__(**arguments, **kwargs)
        self._velocities: list[np.ndarray] = []
        self._momentums: list[np.ndarray] = []
        self._average_gradients: list[np.ndarray] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots: velocities, and momentums and average gradients where they are used."""
        if self.built:
            return
        super().build(variables)
        (self._velocities,) = self.add_slots("velocity")
        if self.momentum:
            (self._momentums,) = self.add_slots("momentum")
        if self.centered:
            (self._average_gradients,) = self.add_slots("average_gradient")

    def update_step(
        self, gradient: np.ndarray, variable: Variable, learning_rate: np.float32, decay: float
    ) -> None:
        """Change one variable in place."""
        RMSprop._update_steps(self, [gradient], [variable], learning_rate, [decay])

    def _update_steps(
        self,
        gradients: list[np.ndarray],
        variables: list[Variable],
        learning_rate: np.float32,
        decays: list[float],
    ) -> None:
        kernels.rmsprop_update(
            [variable.value for variable in variables],
            gradients,
            self._slots_of(self._velocities, variables),
            learning_rate=float(learning_rate),
            rho=self.rho,
            epsilon=self.epsilon,
            decay=decays,
            momentum=self.momentum,
            momentum_buffer=self._slots_of(self._momentums, variables),
            average_gradient=self._slots_of(self._average_gradients, variables),
        )
