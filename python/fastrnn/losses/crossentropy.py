"""The base of the crossentropies: logits and smoothed labels."""

from __future__ import annotations

import numpy as np

from fastrnn.losses.loss import EPSILON, Loss, check_axis

_LOWEST = np.float32(EPSILON)
_HIGHEST = np.float32(1.0 - EPSILON)


class Crossentropy(Loss):
    """Base of the losses that take probabilities or logits, and labels that may be smoothed.

    Args:
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: In [0, 1]: how far labels are moved towards equal probabilities.
        axis: -1, the last one.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"` or None.
    """

    config_arguments: tuple[str, ...] = (
        *Loss.config_arguments,
        "from_logits",
        "label_smoothing",
        "axis",
    )

    def __init__(
        self,
        from_logits: bool,
        label_smoothing: float,
        axis: int,
        reduction: str | None,
        name: str | None,
        dtype: str | None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        check_axis(axis)
        if not 0.0 <= label_smoothing <= 1.0:
            raise ValueError(
                "`label_smoothing` must be in [0, 1]. "
                f"Received: label_smoothing={label_smoothing!r}"
            )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def _smoothed(self, labels: np.ndarray, classes: int) -> np.ndarray:
        """Return the labels, moved towards `1 / classes`."""
        if not self.label_smoothing:
            return labels
        kept = np.float32(1.0 - self.label_smoothing)
        return labels * kept + np.float32(self.label_smoothing / classes)


def clip(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities clipped so that the logarithms of `p` and `1 - p` are finite."""
    return np.asarray(np.minimum(np.maximum(probabilities, _LOWEST), _HIGHEST))
