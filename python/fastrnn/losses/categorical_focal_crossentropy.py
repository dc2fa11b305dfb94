"""Categorical crossentropy that counts easy samples less."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastrnn.losses.binary_focal_crossentropy import check_gamma, power
from fastrnn.losses.categorical_crossentropy import (
    through_softmax,
    through_total,
    warn_of_one_class,
)
from fastrnn.losses.crossentropy import Crossentropy, clip
from fastrnn.losses.loss import Differential, Shape, of_samples
from fastrnn.results import returns_numpy


class CategoricalFocalCrossentropy(Crossentropy):
    """Categorical crossentropy, each class weighted by `alpha (1 - p)**gamma`.

    `-sum(alpha (1 - p)**gamma t log(p))`, so easy samples hardly count (Lin et al.,
    2017, "Focal Loss for Dense Object Detection"). `p` is scaled to a sum of 1, then clipped to
    [1e-7, 1 - 1e-7]. On logits, `p = softmax(z)`.

    Args:
        alpha: Weight of all classes, or of each one.
        gamma: How fast the weight falls with `p`; 0 for plain crossentropy.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: In [0, 1]: how far labels are moved towards `1 / classes`.
        axis: -1, the axis of the classes.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"` or None.

    Example:
        >>> float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))
        0.043321698904037476
    """

    config_arguments: tuple[str, ...] = (*Crossentropy.config_arguments, "alpha", "gamma")

    def __init__(
        self,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        check_gamma(gamma)
        self.alpha = alpha
        self.gamma = gamma

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the losses and their derivative; the labels are smoothed first."""
        t = self._smoothed(y_true, y_true.shape[-1])
        if from_logits or self.from_logits:
            p, through = through_softmax(y_pred)
        else:
            p, through = through_total(y_pred)
        clipped = clip(p)
        logarithm, alpha = np.log(clipped), np.asarray(self.alpha, np.float32)
        focus, d_focus = power(np.float32(1.0) - clipped, self.gamma)
        d_p = alpha * t * (d_focus * logarithm - focus / clipped)
        d_p *= clipped == p
        return Differential(-np.add.reduce(alpha * focus * t * logarithm, axis=-1), through(d_p))

    def _check_labels(self, labels: np.ndarray, y_pred_shape: Shape) -> None:
        warn_of_one_class(y_pred_shape)


@returns_numpy
def categorical_focal_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """Return the categorical focal crossentropy of each sample.

    Args:
        y_true: Probability of each class, shape [batch, ..., classes]; usually one-hot.
        y_pred: Probabilities or logits of the same shape.
        alpha: Weight of all classes, or of each one.
        gamma: How fast the weight of a class falls with its probability.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: In [0, 1]: how far labels are moved towards `1 / classes`.
        axis: -1, the axis of the classes.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.2, 0.8]]).round(3)
        array([0.002], dtype=float32)
    """
    loss = CategoricalFocalCrossentropy(
        alpha, gamma, from_logits, label_smoothing, axis, reduction=None
    )
    return of_samples(loss, y_true, y_pred)
