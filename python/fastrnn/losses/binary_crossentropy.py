"""Binary crossentropy, of probabilities and of logits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.crossentropy import Crossentropy, clip
from fastrnn.losses.loss import Differential, mean_of_elements, of_samples
from fastrnn.results import returns_numpy


class BinaryCrossentropy(Crossentropy):
    """Crossentropy of labels in [0, 1] and independent probabilities.

    `mean(-t log(p) - (1 - t) log(1 - p))` over the last axis, with `p` clipped to
    [1e-7, 1 - 1e-7]. On logits, `p = sigmoid(z)`, nothing needs clipping.

    Args:
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: In [0, 1]: how far labels are moved towards 0.5.
        axis: -1, the axis of the mean.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"` or None.

    Example:
        >>> float(BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]]))
        0.6931471824645996
    """

    fused_activation = "sigmoid"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the crossentropies and their derivative; the labels are smoothed first."""
        elements = of_logits if from_logits or self.from_logits else of_probabilities
        return mean_of_elements(*elements(self._smoothed(y_true, 2), y_pred))


@returns_numpy
def binary_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """Return the binary crossentropy of each sample.

    Args:
        y_true: Labels in [0, 1], shape [batch, ..., outputs].
        y_pred: Probabilities or logits of the same shape.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: In [0, 1]: how far labels are moved towards 0.5.
        axis: -1, the axis of the mean.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> binary_crossentropy([[1.0], [0.0]], [[0.5], [0.8]]).round(3)
        array([0.693, 1.609], dtype=float32)
    """
    loss = BinaryCrossentropy(from_logits, label_smoothing, axis, reduction=None)
    return of_samples(loss, y_true, y_pred)


def of_logits(t: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `-t log(sigmoid(z)) - (1 - t) log(1 - sigmoid(z))` and `sigmoid(z) - t`."""
    # exp of a non-positive number cannot overflow; tail is the smaller of p and 1 - p.
    power = np.exp(-np.abs(z))
    entropy = np.maximum(z, np.float32(0.0)) - z * t + np.log1p(power)
    tail = power / (power + np.float32(1.0))
    # Not sigmoid(z) - t, which would round the gradient of saturated predictions to zero.
    return entropy, np.where(z >= 0.0, (np.float32(1.0) - t) - tail, tail - t)


def of_probabilities(t: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `-t log(p) - (1 - t) log(1 - p)` and its derivative, zero where `p` is clipped."""
    clipped = clip(p)
    other, not_t = np.float32(1.0) - clipped, np.float32(1.0) - t
    entropy = -(t * np.log(clipped) + not_t * np.log(other))
    derivative = not_t / other - t / clipped
    derivative *= clipped == p
    return entropy, derivative
