"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from fastrnn.arguments import own_arguments
from fastrnn.optimizers.adam import Adam
from fastrnn.optimizers.optimizer import LearningRate


class AdamW(Adam):
    """Adam whose weight decay is on by default (Loshchilov and Hutter, 2017).

    Args:
        weight_decay: Each step first multiplies every variable by
            `1 - weight_decay * learning_rate`; a number, not None.

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
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("`weight_decay` must be a number >= 0.0. Received: weight_decay=None")
        super().__init__(**own_arguments(locals()), **kwargs)
