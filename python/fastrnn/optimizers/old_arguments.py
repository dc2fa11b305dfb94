"""Arguments of optimizers in Keras 2 that Keras 3 accepts without effect."""

from __future__ import annotations

import warnings
from typing import Any


def ignore_decay(kwargs: dict[str, Any]) -> None:
    """Take `decay` out of the arguments of an optimizer; warn if it is given."""
    if kwargs.pop("decay", None) is not None:
        warnings.warn(
            "`decay` has no effect, as in Keras 3. Pass `learning_rate=InverseTimeDecay(...)` for "
            "a rate that decays, or `weight_decay` for weights that do.",
            stacklevel=4,
        )
