"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from fastrnn.optimizers.adam import Adam
from fastrnn.optimizers.optimizer import LearningRate


class AdamW(Adam):
    """Adam whose weight decay is on by default (Loshchilov and Hutter, 2017).

    Args:
        learning_rate: See `Optimizer`.
        weight_decay: See `Optimizer`; must be a number here.
        beta_1: See `Adam`.
        beta_2: See `Adam`.
        epsilon: See `Adam`.
        amsgrad: See `Adam`.
        clipnorm: See `Optimizer`.
        clipvalue: See `Optimizer`.
        global_clipnorm: See `Optimizer`.
        name: See `Optimizer`.
        **inert: See `Optimizer`.

    Raises:
        ValueError: If an argument is out of range or not known.

    Example:
        >>> AdamW().weight_decay
        0.004
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **inert: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("`weight_decay` must be a number >= 0.0. Received: weight_decay=None")
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            name,
            **inert,
        )
