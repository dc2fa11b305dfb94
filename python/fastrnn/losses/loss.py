"""The base of all losses: shapes, weights, reduction and its gradient.

A loss maps labels and predictions to one value per sample (or per sample and time step). A
reduction turns these values into the number that training minimizes. The reference for the numbers,
all float32, is Keras's TensorFlow backend.

When a model ends in a sigmoid or softmax, Keras evaluates a crossentropy on the *inputs* of that
activation (the logits), so that saturated predictions keep their gradient. `fused_activation`
names the activation whose inputs the loss can take. A trainer that finds it at the end of its model
passes the logits with `from_logits=True` and gets the gradient of the logits.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from fastrnn.configurable import Configurable
from fastrnn.differentiable import Differentiable
from fastrnn.losses.reduction import REDUCTIONS, both_masks, reduce_values
from fastrnn.naming import auto_name, to_snake_case
from fastrnn.results import returns_numpy
from fastrnn.tensors import depends_on_weights, is_tensor, records
from fastrnn.tracing import is_traced, mask_of, native, plain

EPSILON = 1e-7
"""Probabilities are clipped to [EPSILON, 1 - EPSILON] before a logarithm: Keras's `epsilon()`."""

Shape = tuple[int | None, ...]


class Differential(NamedTuple):
    """The values of a loss and their derivative.

    Attributes:
        values: Loss of each sample, shape `y_pred.shape[:-1]`, or fewer of its first sizes.
        derivative: d values / d y_pred, shape `y_pred.shape`: entry `[..., j]` is the derivative
            of `values[...]`.
        mask: True where a value counts, shape of `values`; None if all do.
    """

    values: np.ndarray
    derivative: np.ndarray
    mask: np.ndarray | None = None


class Loss(Configurable):
    """Base of all losses.

    Subclasses implement `differentiate`, or only `call`. A `call` made of operators and functions
    of `fastrnn.ops` is differentiated by a trace, which takes more time.

    Args:
        name: Name of the loss. Defaults to the class name in snake case.
        reduction: `"sum_over_batch_size"` or `"mean"` (sum of the values divided by their
            number), `"sum"`, `"mean_with_sample_weight"` (divided by the sum of the weights),
            `"none"` or None (the values themselves).
        dtype: `"float32"` or None, which means the same.

    Call arguments:
        y_true: Labels.
        y_pred: Predictions, shape [batch, ..., classes or features].
        sample_weight: Factor of each value: a scalar, or an array of the shape of the values.
        mask: The mask of the predictions, of the shape of the values; False does not count.
        from_logits: Whether `y_pred` holds the inputs of `fused_activation`, not its results.

    Raises:
        ValueError: If `reduction` or `dtype` is not one of these.

    Example:
        >>> import numpy as np
        >>> class Cubes(Loss):
        ...     def differentiate(self, y_true, y_pred, from_logits=False):
        ...         error = y_pred - y_true
        ...         return Differential(np.abs(error[..., 0]) ** 3, 3 * error * np.abs(error))
        >>> loss, gradient = Cubes().value_and_gradient([[1.0]], [[3.0]])
        >>> loss, gradient.tolist()
        (8.0, [[12.0]])

        The same, traced:

        >>> from fastrnn import ops
        >>> class Traced(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.sum(ops.abs(y_pred - y_true) ** 3, axis=-1)
        >>> Traced().value_and_gradient([[1.0]], [[3.0]])[0]
        8.0
    """

    fused_activation: str | None = None

    symmetric = False
    """Whether labels and predictions may change places; then labels get a gradient too."""

    config_arguments: tuple[str, ...] = ("name", "reduction")

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: str | None = None,
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"`reduction` must be one of {REDUCTIONS}. Received: reduction={reduction!r}"
            )
        if dtype not in (None, "float32"):
            raise ValueError(f"`dtype` must be 'float32' or None. Received: dtype={dtype!r}")
        self.name = name or auto_name(type(self).__name__)
        self.reduction = reduction
        self._call: Differentiable | None = None
        self.dtype = "float32"

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the value of each sample and its derivative.

        Args:
            y_true: Float32 labels; of the rank of `y_pred` if Keras would expand them.
            y_pred: Float32 predictions.
            from_logits: Whether `y_pred` holds the inputs of `fused_activation`.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must implement `differentiate` for training."
        )

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Return the value of each sample, without reduction.

        Args:
            y_true: Float32 labels; of the rank of `y_pred` if Keras would expand them.
            y_pred: Float32 predictions.
        """
        return self.differentiate(y_true, y_pred).values

    def counted(self, y_true: np.ndarray) -> np.ndarray | None:
        """Return which values this loss counts by their labels alone, or None if it counts all.

        Args:
            y_true: Labels.

        Returns:
            Booleans, of the shape of the values of the loss or with a last dimension of 1.
        """
        return None

    @returns_numpy
    def __call__(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        mask: np.ndarray | None = None,
        from_logits: bool = False,
    ) -> Any:
        """Return the reduced loss: a float32 scalar, or an array if `reduction` is None.

        Raises:
            ValueError: If shapes or labels do not fit; see `check`.
        """
        if is_traced(y_pred, y_true) or (records() and is_tensor(y_pred)):
            return self._within_trace(y_true, y_pred, sample_weight, mask, from_logits)
        prediction = np.asarray(y_pred, dtype=np.float32)
        labels = np.asarray(y_true)
        self.check(labels, prediction.shape)
        labels, prediction = same_rank(labels.astype(np.float32), prediction)
        if self._is_traced:
            values = np.asarray(self.call(labels, prediction), dtype=np.float32)
            values = _one_for_each(values, sample_weight, mask)
            return reduce_values(values, sample_weight, mask, self.reduction)[0]
        with np.errstate(all="ignore"):
            result = self.differentiate(labels, prediction, from_logits)
            return reduce_values(
                result.values, sample_weight, both_masks(mask, result.mask), self.reduction
            )[0]

    def _within_trace(
        self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any, from_logits: bool
    ) -> Any:
        """Return the reduced loss of traced predictions, by the loss's own gradient."""
        labels_too = is_traced(y_true) or (is_tensor(y_true) and depends_on_weights(y_true))
        if labels_too:
            if not (self.symmetric and np.shape(plain(y_true)) == np.shape(plain(y_pred))):
                raise TypeError(
                    f"The labels of loss '{self.name}' must not depend on weights: it has the "
                    "gradient of the predictions alone. Give `fastrnn.ops.stop_gradient(labels)`, "
                    "or write the loss in functions of `fastrnn.ops`."
                )
        else:
            y_true = np.asarray(plain(y_true))
        mask = mask_of(y_pred) if mask is None else mask
        if self.reduction in (None, "none"):
            return self._values_within_trace(
                y_true, y_pred, sample_weight, mask, from_logits, labels_too
            )

        def forward(labels: np.ndarray, prediction: np.ndarray) -> tuple[Any, Any]:
            self.check(labels, prediction.shape)
            value, gradient = self.value_and_gradient(
                labels, prediction, sample_weight, mask=mask, from_logits=from_logits
            )
            return np.float32(value), (labels, prediction, gradient)

        def backward(cache: Any, d: Any) -> list[Any]:
            labels, prediction, gradient = cache
            of_labels = None
            if labels_too:
                _, of_labels = self.value_and_gradient(prediction, labels, sample_weight, mask=mask)
                of_labels = of_labels * np.float32(d)
            return [of_labels, gradient * np.float32(d)]

        return native(forward, backward, y_true, y_pred)

    def _values_within_trace(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any,
        mask: Any,
        from_logits: bool,
        labels_too: bool,
    ) -> Any:
        """Return the losses of the samples, or of their steps, of traced predictions."""
        if self._is_traced:
            values = self.call(y_true, y_pred)
        else:

            def forward(labels: np.ndarray, prediction: np.ndarray) -> tuple[Any, Any]:
                self.check(labels, prediction.shape)
                shape = prediction.shape
                labels, prediction = same_rank(labels.astype(np.float32), prediction)
                result = self.differentiate(labels, prediction, from_logits)
                of_labels = self.differentiate(prediction, labels) if labels_too else None
                own = 1.0 if result.mask is None else np.asarray(result.mask, np.float32)
                return result.values * own, (result.derivative, of_labels, own, shape)

            def backward(cache: Any, d: Any) -> list[Any]:
                derivative, of_labels, own, shape = cache
                factor = _of_each(np.asarray(d * own, np.float32), derivative)
                return [
                    None if of_labels is None else of_labels.derivative * factor,
                    (derivative * factor).reshape(shape),
                ]

            values = native(forward, backward, y_true, y_pred)
        for factor in (mask, sample_weight):
            if factor is not None:
                values = values * np.asarray(plain(factor), np.float32)
        return values

    def value_and_gradient(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        mask: np.ndarray | None = None,
        from_logits: bool = False,
    ) -> tuple[float, np.ndarray]:
        """Return the reduced loss and its gradient.

        This is the path of every training step, so it does not look at the labels: they must
        have passed `check`.

        Args:
            y_true: Labels.
            y_pred: Predictions, or logits with `from_logits=True`.
            sample_weight: Factor of each value.
            mask: The mask of the predictions, of the shape of the values; False does not count.
            from_logits: Whether `y_pred` holds the inputs of `fused_activation`, as at the end
                of a model; the gradient is then that of the logits.

        Returns:
            The loss, and d loss / d y_pred: float32, shape of `y_pred`.

        Raises:
            ValueError: If `reduction` is None, or `sample_weight` does not fit.
        """
        if self.reduction is None or self.reduction == "none":
            raise ValueError("A loss with `reduction=None` has no gradient: it is not a scalar.")
        prediction = np.asarray(y_pred, dtype=np.float32)
        shape = prediction.shape
        labels, prediction = same_rank(np.asarray(y_true, dtype=np.float32), prediction)
        # A diverged model gives a loss of NaN, as in Keras, and no warnings of NumPy.
        with np.errstate(all="ignore"):
            if self._is_traced:
                return self._traced(labels, prediction, shape, sample_weight, mask)
            values, derivative, own_mask = self.differentiate(labels, prediction, from_logits)
            loss, factor = reduce_values(
                values, sample_weight, both_masks(mask, own_mask), self.reduction
            )
            derivative *= _of_each(factor, derivative)
        return float(loss), derivative.reshape(shape)

    @property
    def _is_traced(self) -> bool:
        """Whether the derivative is that of `call`."""
        return type(self).differentiate is Loss.differentiate

    def _traced(
        self,
        labels: np.ndarray,
        prediction: np.ndarray,
        shape: tuple[int, ...],
        sample_weight: npt.ArrayLike | None,
        mask: np.ndarray | None,
    ) -> tuple[float, np.ndarray]:
        """Return the reduced loss and its gradient, of the given shape, by a trace of `call`."""
        self._labels = labels
        if self._call is None:
            self._call = Differentiable(lambda y: self.call(self._labels, y), f"Loss '{self.name}'")
        value, pullback = self._call.vjp(prediction)
        value = np.asarray(value, dtype=np.float32)
        values = _one_for_each(value, sample_weight, mask)
        loss, factor = reduce_values(values, sample_weight, mask, self.reduction)
        factors = np.array(np.broadcast_to(np.asarray(factor, dtype=np.float32), values.shape))
        if values.shape != value.shape:
            factors = np.asarray(factors.sum(dtype=np.float32))
        (gradient,) = pullback(factors)
        return float(loss), gradient.reshape(shape)

    def check(self, y_true: npt.ArrayLike, y_pred_shape: Shape) -> None:
        """Raise if this loss cannot take the labels; meant to be called once per data set.

        Args:
            y_true: Labels of a batch or of the whole data set.
            y_pred_shape: Shape of the predictions; None stands for any size.

        Raises:
            TypeError: If the labels are not numbers.
            ValueError: If they are not finite or do not fit the predictions.
        """
        labels = np.asarray(y_true)
        if labels.dtype.kind not in "biuf":
            raise TypeError(f"`y_true` must hold numbers. Received: y_true.dtype={labels.dtype}")
        self._check_shapes(labels.shape, tuple(y_pred_shape))
        if labels.dtype.kind == "f" and not np.isfinite(labels).all():
            bad = labels[~np.isfinite(labels)]
            raise ValueError(
                f"`y_true` must hold finite numbers. Received: {bad.size} of {labels.size} are "
                f"not, the first of them {bad[0]}"
            )
        self._check_labels(labels, tuple(y_pred_shape))

    def _check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        if not self._is_traced and not same_shapes(*same_rank_shapes(y_true, y_pred)):
            raise ValueError(
                "`y_true` and `y_pred` must have the same shape. "
                f"Received: y_true.shape={y_true}, y_pred.shape={y_pred}"
            )

    def _check_labels(self, labels: np.ndarray, y_pred_shape: Shape) -> None:
        """Raise if this loss in particular cannot take the labels."""


def _one_for_each(
    values: np.ndarray, sample_weight: npt.ArrayLike | None, mask: np.ndarray | None
) -> np.ndarray:
    """Return the values; one value for all samples as that of each that has a weight."""
    if values.ndim or (sample_weight is None and mask is None):
        return values
    shape = np.asarray(sample_weight).shape if mask is None else mask.shape
    return np.broadcast_to(values, shape)


def _of_each(factor: Any, derivative: np.ndarray) -> Any:
    """Return the factors of values, or the one of all, so that they multiply the derivative."""
    if np.ndim(factor) == 0:
        return factor
    return factor.reshape(*factor.shape, *(1,) * (derivative.ndim - factor.ndim))


class NamedLoss(Loss):
    """Base of losses that have no arguments of their own.

    Args:
        reduction: See `Loss`.
        name: Name of the loss; by default that of the class in snake case.
        dtype: `"float32"` or None.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name or to_snake_case(type(self).__name__), reduction, dtype)


def same_shapes(y_true: Shape, y_pred: Shape) -> bool:
    """Tell whether two shapes can be the same; None stands for any size."""
    return len(y_true) == len(y_pred) and all(
        t == p or t is None or p is None for t, p in zip(y_true, y_pred, strict=True)
    )


def floats(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Convert labels and predictions to float32 arrays."""
    return np.asarray(y_true, dtype=np.float32), np.asarray(y_pred, dtype=np.float32)


def check_same_shape(y_true: np.ndarray, y_pred: np.ndarray) -> None:
    """Raise if the shapes differ, because NumPy would broadcast the arrays."""
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "`y_true` and `y_pred` must have the same shape. "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )


def same_rank_shapes(y_true: Shape, y_pred: Shape) -> tuple[Shape, Shape]:
    """Return both shapes after Keras's rule for ranks that differ by one.

    The longer shape loses a last dimension of 1, except that a shape of rank 1 is expanded.
    So labels [batch] fit predictions [batch, 1]. Labels [batch, 1] or [batch] of predictions
    [batch, steps, 1] are those of each step; Keras would compare the latter with the predictions of
    all samples.
    """
    if len(y_pred) == 3 and y_pred[-1] == 1 and tuple(y_true[1:]) in ((), (1,)) and y_true:
        return (y_true[0], y_pred[1]), y_pred[:-1]
    for long, short, swapped in ((y_true, y_pred, False), (y_pred, y_true, True)):
        if len(long) == len(short) + 1 and long[-1] == 1:
            if len(short) == 1:
                short = (*short, 1)
            else:
                long = long[:-1]
            return (short, long) if swapped else (long, short)
    return y_true, y_pred


def same_rank(y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squeeze or expand the last dimension of one array where ranks differ by one."""
    if y_true.ndim == y_pred.ndim:
        return y_true, y_pred
    # The shapes come from arrays, so no entry is None.
    true, pred = cast(
        "tuple[tuple[int, ...], tuple[int, ...]]", same_rank_shapes(y_true.shape, y_pred.shape)
    )
    if math.prod(true) != y_true.size:
        y_true = np.broadcast_to(y_true.reshape(-1, 1), true)
    return y_true.reshape(true), y_pred.reshape(pred)


def mean_of_last_axis(x: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis; a view if its size is 1, which is the common case."""
    if x.shape[-1] == 1:
        return x[..., 0]
    return np.asarray(np.add.reduce(x, axis=-1) / np.float32(x.shape[-1]))


def mean_of_elements(elements: np.ndarray, derivative: np.ndarray) -> Differential:
    """Return the differential of a loss that is the mean of its elements over the last axis.

    Args:
        elements: Value of each output of a sample.
        derivative: d elements / d y_pred, of the same shape; is changed.
    """
    if elements.shape[-1] != 1:
        derivative *= np.float32(1.0 / elements.shape[-1])
    return Differential(mean_of_last_axis(elements), derivative)


def of_samples(loss: Loss, y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the values of a loss with `reduction=None`; traced if the predictions are.

    Args:
        loss: The loss.
        y_true: Labels.
        y_pred: Predictions; an array, or a traced one within a loss or step of a user's own.
    """
    values: np.ndarray = loss(y_true, y_pred)
    return values


def check_class_ids(labels: np.ndarray) -> None:
    """Raise if labels are no whole numbers."""
    bad = labels[labels != np.floor(labels)]
    if bad.size:
        raise ValueError(f"`y_true` must hold integral class ids. Received: {bad[0]}")


def check_axis(axis: int) -> None:
    """Raise if `axis` is not the last one."""
    if isinstance(axis, bool) or axis != -1:
        raise ValueError(f"`axis` must be -1, the last one. Received: axis={axis!r}")
