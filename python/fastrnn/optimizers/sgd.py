"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import check_number, own_arguments
from fastrnn.optimizers.optimizer import LearningRate, Optimizer
from fastrnn.table_gradient import TableGradient
from fastrnn.variable import Variable


class SGD(Optimizer):
    """Gradient descent, with or without momentum.

    Without momentum `w -= lr * g`; with it `m = momentum * m - lr * g`, then `w += m`, or with
    `nesterov` `w += momentum * m - lr * g` (Sutskever et al., 2013).

    Without momentum, weight decay and clipping only the rows of an Embedding's table that occur in
    a batch are touched, with the same result. Momentum moves a row also in the batches after the
    one in which it occurred, and so do the means of Adam; so they touch all rows.

    Args:
        momentum: In [0, 1].
        nesterov: Whether to use Nesterov momentum.

    Raises:
        ValueError: If an argument is out of range or not known.

    Example:
        >>> SGD(0.1, momentum=0.9).momentum
        0.9
    """

    config_arguments: tuple[str, ...] = (*Optimizer.config_arguments, "momentum", "nesterov")

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum = check_number("momentum", arguments.pop("momentum"), 0.0, 1.0)
        self.nesterov = bool(arguments.pop("nesterov"))
        super().__init__(**arguments, **kwargs)
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
        """Change one variable in place; of a table only the rows of the batch, where that is exact.

        Without momentum and weight decay a row whose gradient is zero stays as it is.
        """
        SGD._update_steps(self, [gradient], [variable], learning_rate, [decay])

    def _update_steps(
        self,
        gradients: list[np.ndarray],
        variables: list[Variable],
        learning_rate: np.float32,
        decays: list[float],
    ) -> None:
        whole = list(range(len(variables)))
        if not self.momentum and np.isfinite(learning_rate):
            for place in reversed(whole):
                if not decays[place] and _update_rows(
                    gradients[place], variables[place].value, float(learning_rate)
                ):
                    del whole[place]
        if len(whole) < len(variables):
            gradients, variables = [gradients[i] for i in whole], [variables[i] for i in whole]
            decays = [decays[i] for i in whole]
        kernels.sgd_update(
            [variable.value for variable in variables],
            gradients,
            learning_rate=float(learning_rate),
            decay=decays,
            momentum=self.momentum,
            nesterov=self.nesterov,
            momentum_buffer=self._slots_of(self._momentums, variables),
        )


def _update_rows(gradient: np.ndarray, table: np.ndarray, learning_rate: float) -> bool:
    """Update the rows of a table that its gradient names; return whether it names any."""
    rows = gradient.rows() if isinstance(gradient, TableGradient) else None
    if rows is None:
        return False
    changed = table[rows]
    kernels.sgd_update(changed, gradient.view(np.ndarray)[rows], learning_rate=learning_rate)
    table[rows] = changed
    return True
