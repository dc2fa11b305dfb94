"""Binary crossentropy that counts easy outputs less."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.binary_crossentropy import of_logits, of_probabilities
from fastrnn.losses.crossentropy import Crossentropy
from fastrnn.losses.loss import Differential, mean_of_elements, of_samples
from fastrnn.results import returns_numpy


class BinaryFocalCrossentropy(Crossentropy):
    """Binary crossentropy, each output weighted by `(1 - q)**gamma`.

    `q = t p + (1 - t) (1 - p)` is the probability that the prediction gives to the label, so
    outputs that are predicted well hardly count (Lin et al., 2017, "Focal Loss for Dense Object
    Detection").

    Args:
        apply_class_balancing: Whether to weigh label 1 by `alpha` and label 0 by `1 - alpha`.
        alpha: Weight of label 1.
        gamma: How fast the weight falls with `q`; 0 for plain crossentropy.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: In [0, 1]: how far labels are moved towards 0.5.
        axis: -1, the axis of the mean.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"` or None.

    Example:
        >>> float(BinaryFocalCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]]))
        0.1732867956161499
    """

    fused_activation = "sigmoid"
    config_arguments: tuple[str, ...] = (
        *Crossentropy.config_arguments,
        "apply_class_balancing",
        "alpha",
        "gamma",
    )

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        check_gamma(gamma)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the means and their derivative; the labels are smoothed first."""
        t = self._smoothed(y_true, 2)
        one = np.float32(1.0)
        if from_logits or self.from_logits:
            entropy, d_entropy = of_logits(t, y_pred)
            p = one / (one + np.exp(-y_pred))
            d_p = p * (one - p)
        else:
            entropy, d_entropy = of_probabilities(t, y_pred)
            p, d_p = y_pred, one
        distance = one - (t * p + (one - t) * (one - p))
        focus, d_focus = power(distance, self.gamma)
        d_focus *= (one - (t + t)) * d_p
        elements, derivative = focus * entropy, d_focus * entropy + focus * d_entropy
        if self.apply_class_balancing:
            alpha = np.float32(self.alpha)
            balance = t * alpha + (one - t) * (one - alpha)
            elements, derivative = elements * balance, derivative * balance
        return mean_of_elements(elements, derivative)


@returns_numpy
def binary_focal_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """Return the binary focal crossentropy of each sample.

    Args:
        y_true: Labels in [0, 1], shape [batch, ..., outputs].
        y_pred: Probabilities or logits of the same shape.
        apply_class_balancing: Whether to weigh label 1 by `alpha` and label 0 by `1 - alpha`.
        alpha: Weight of label 1.
        gamma: How fast the weight of an output falls with its probability.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: In [0, 1]: how far labels are moved towards 0.5.
        axis: -1, the axis of the mean.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> binary_focal_crossentropy([[1.0], [0.0]], [[0.5], [0.8]]).round(3)
        array([0.173, 1.03 ], dtype=float32)
    """
    loss = BinaryFocalCrossentropy(
        apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis, reduction=None
    )
    return of_samples(loss, y_true, y_pred)


def check_gamma(gamma: float) -> None:
    """Refuse exponents below 0, which would count easy outputs more."""
    if not gamma >= 0.0:
        raise ValueError(f"`gamma` must be a number of at least 0. Received: gamma={gamma!r}")


def power(x: np.ndarray, exponent: float) -> tuple[np.ndarray, np.ndarray]:
    """Return `x**exponent` and its derivative."""
    if exponent == 0.0:  # of which 0**-1 would be a part
        return np.ones_like(x), np.zeros_like(x)
    below = np.power(x, np.float32(exponent - 1.0))
    return np.power(x, np.float32(exponent)), np.float32(exponent) * below
