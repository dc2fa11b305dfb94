"""Mean crossentropies and divergences; the functions are those of the losses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.binary_crossentropy import binary_crossentropy
from fastrnn.losses.categorical_crossentropy import categorical_crossentropy
from fastrnn.losses.loss import check_axis
from fastrnn.losses.sparse_categorical_crossentropy import sparse_categorical_crossentropy
from fastrnn.metrics.mean import MeanMetricWrapper


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean crossentropy of labels in [0, 1] and independent probabilities.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: In [0, 1]: how far labels are moved towards 0.5.

    Example:
        >>> round(BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]]), 6)
        0.693147
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean crossentropy of one-hot labels and class probabilities.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: In [0, 1]: how far labels are moved towards an even distribution.
        axis: -1, the axis of the classes.

    Example:
        >>> round(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]), 6)
        0.693147
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        check_axis(axis)
        super().__init__(
            categorical_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean crossentropy of class ids and class probabilities.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        ignore_class: Class id whose crossentropy is 0, such as -1; None for no such id. As in
            Keras, such a sample counts in the mean where there are no sample weights.
        axis: -1, the axis of the classes.

    Example:
        >>> round(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]), 6)
        0.693147
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        check_axis(axis)
        super().__init__(
            sparse_categorical_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def update_state(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> None:
        """Add a batch; see `MeanMetricWrapper`."""
        if sample_weight is not None and self.ignore_class is not None:
            weight = np.asarray(sample_weight, dtype=np.float32)
            valid = np.not_equal(y_true, self.ignore_class)
            if valid.ndim == np.ndim(y_pred):
                valid = valid[..., 0]
            if weight.ndim == valid.ndim + 1 and weight.shape[-1] == 1:
                weight = weight[..., 0]
            sample_weight = weight.reshape(weight.shape + (1,) * (valid.ndim - weight.ndim)) * valid
        super().update_state(y_true, y_pred, sample_weight)
