"""Loss of sequences of labels whose times are not known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import (
    Differential,
    NamedLoss,
    Shape,
    check_class_ids,
    of_samples,
    same_shapes,
)
from fastrnn.ops.ctc import check_labels, loss_and_gradient
from fastrnn.results import returns_numpy

BLANK = 0


class CTC(NamedLoss):
    """Connectionist temporal classification: `-log p(labels)`, summed over all alignments.

    Labels are class numbers from 1 on; 0 is the blank of the output, and fills up the labels of a
    sample behind the last. Predictions are logits, all of whose steps count.

    Args:
        reduction: See `Loss`.
        name: Name of the loss, "ctc" by default.
        dtype: `"float32"` or None.

    Call arguments:
        y_true: Class numbers, shape [batch, labels].
        y_pred: Logits, shape [batch, steps, classes].

    Raises:
        ValueError: If labels are no classes, or need more steps than there are.

    References:
        Graves et al. (2006), "Connectionist temporal classification: labelling unsegmented
        sequence data with recurrent neural networks".

    Example:
        >>> import numpy as np
        >>> float(CTC()([[1, 0]], np.zeros((1, 2, 2))))  # 3 of 4 paths read as a single 1
        0.28768208622932434
    """

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the loss of each sample, shape [batch], and its derivative, that of `y_pred`."""
        labels, counts = _labels(y_true)
        steps = np.full(len(y_pred), y_pred.shape[1])
        check_labels(labels, y_pred.shape, counts, steps, BLANK)
        return Differential(*loss_and_gradient(labels, y_pred, counts, steps, BLANK))

    def _check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        if len(y_true) != 2 or len(y_pred) != 3 or not same_shapes(y_true[:1], y_pred[:1]):
            raise ValueError(
                "`y_true` must have shape [batch, labels] and `y_pred` [batch, steps, classes]. "
                f"Received: y_true.shape={y_true}, y_pred.shape={y_pred}"
            )

    def _check_labels(self, labels: np.ndarray, y_pred_shape: Shape) -> None:
        check_class_ids(labels)
        _, longest, classes = y_pred_shape
        if longest is not None and classes is not None:
            labels, counts = _labels(labels)
            shape = len(labels), longest, classes
            check_labels(labels, shape, counts, np.full(len(labels), longest), BLANK)


def _labels(y_true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels as integers, and how many of each sample count: as many as are no blanks."""
    labels = y_true.astype(np.int64)
    return labels, np.count_nonzero(labels != BLANK, axis=1)


@returns_numpy
def ctc(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """Return minus the log-probability of the labels of each sample; see `CTC`.

    Args:
        y_true: Class numbers from 1 on, 0 behind the last; shape [batch, labels].
        y_pred: Logits, shape [batch, steps, classes].

    Returns:
        Float32 array of shape [batch].

    Raises:
        ValueError: If labels are no classes, or need more steps than there are.

    Example:
        >>> import numpy as np
        >>> ctc([[1], [0]], np.zeros((2, 2, 2))).round(3)
        array([0.288, 1.386], dtype=float32)
    """
    return of_samples(CTC(reduction=None), y_true, y_pred)
