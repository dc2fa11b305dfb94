"""Adam."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import check_number, own_arguments
from fastrnn.optimizers.bias_correction import bias_correction
from fastrnn.optimizers.optimizer import LearningRate, Optimizer
from fastrnn.variable import Variable


class Adam(Optimizer):
    """Gradient descent by running means of the gradient and of its square.

    At update `t`, `m += (1 - beta_1) * (g - m)`, `v += (1 - beta_2) * (g**2 - v)` and
    `w -= lr * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)` (Kingma and Ba,
    2014, "epsilon hat" form). `amsgrad` divides by the largest `v` so far (Reddi et al., 2018).

    Args:
        beta_1: In [0, 1): how slowly the mean of gradients forgets.
        beta_2: In [0, 1): how slowly the mean of squares forgets.
        epsilon: Added to the root of the mean square.
        amsgrad: Whether to divide by the largest mean square so far.

    Raises:
        ValueError: If an argument is out of range or not known.

    Example:
        >>> Adam(learning_rate=0.01).beta_1
        0.9
    """

    config_arguments: tuple[str, ...] = (
        *Optimizer.config_arguments,
        "beta_1",
        "beta_2",
        "epsilon",
        "amsgrad",
    )

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = bool(arguments.pop("amsgrad"))
        super().__init__(**arguments, **kwargs)
        self._momentums: list[np.ndarray] = []
        self._velocities: list[np.ndarray] = []
        self._velocity_hats: list[np.ndarray] = []
        self._step_size = 0.0

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots: momentums and velocities, and with `amsgrad` the largest velocities."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_slots("momentum", "velocity")
        if self.amsgrad:
            (self._velocity_hats,) = self.add_slots("velocity_hat")

    def begin_step(self, learning_rate: np.float32) -> None:
        """Compute the step size, in float32 as Keras does."""
        t = self._updates + 1
        root = np.float32(math.sqrt(bias_correction(self.beta_2, t)))
        self._step_size = float(learning_rate * root / bias_correction(self.beta_1, t))

    def update_step(
        self, gradient: np.ndarray, variable: Variable, learning_rate: np.float32, decay: float
    ) -> None:
        """Change one variable in place."""
        Adam._update_steps(self, [gradient], [variable], learning_rate, [decay])

    def _update_steps(
        self,
        gradients: list[np.ndarray],
        variables: list[Variable],
        learning_rate: np.float32,
        decays: list[float],
    ) -> None:
        kernels.adam_update(
            [variable.value for variable in variables],
            gradients,
            self._slots_of(self._momentums, variables),
            self._slots_of(self._velocities, variables),
            step_size=self._step_size,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            decay=decays,
            v_max=self._slots_of(self._velocity_hats, variables),
        )
