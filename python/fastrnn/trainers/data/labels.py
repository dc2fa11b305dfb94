"""Labels and weights: what comes beside x is checked and converted here."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from fastrnn.layers.inputs import as_floats, as_numbers
from fastrnn.layers.layer import Shape
from fastrnn.losses.loss import same_rank_shapes


def as_targets(y: Any, samples: int) -> np.ndarray:
    """Return the labels as an array, one per sample.

    Args:
        y: Array or nested lists of numbers.
        samples: How many there are in x.

    Raises:
        TypeError: If the labels are not numbers.
        ValueError: If their number is not that of the samples.
    """
    if y is None:
        raise ValueError("`y` must be an array of labels. Received: y=None")
    labels = as_numbers(y, "y")
    if labels.ndim == 0 or len(labels) != samples:
        raise ValueError(
            "`x` and `y` must have the same number of samples. "
            f"Received: {samples} in x, y of shape {labels.shape}"
        )
    return labels


def as_sample_weight(
    value: Any, y_true_shape: Shape, y_pred_shape: Shape, name: str = "sample_weight"
) -> np.ndarray:
    """Return sample weights as a float32 array that fits the values of a loss.

    Args:
        value: Array or nested lists of numbers: one for each sample, or, where the model has an
            output for each step, one for each step.
        y_true_shape: Shape of the labels.
        y_pred_shape: Shape of the predictions; None stands for any size.
        name: The argument that they come from: `sample_weight` or `class_weight`.

    Raises:
        TypeError: If they are not numbers.
        ValueError: If they are not finite or do not fit.
    """
    weight = as_floats(value, name)
    values = (y_true_shape[0], *same_rank_shapes(y_true_shape, y_pred_shape)[1][1:-1])
    if weight.ndim == 1:  # the weight of a sample is that of each of its steps
        weight = weight.reshape(-1, *[1] * (len(values) - 1))
    elif weight.ndim == len(values) + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    fits = len(weight.shape) == len(values) and all(
        size == wanted or wanted is None or (size == 1 and axis > 0)
        for axis, (size, wanted) in enumerate(zip(weight.shape, values, strict=True))
    )
    if not fits:
        subject, received = "`sample_weight`", "sample_weight"
        if name == "class_weight":
            subject, received = "The weights of the labels by `class_weight`", "weights"
        raise ValueError(
            f"{subject} must have shape {values[:1]}, a weight for each sample"
            + (f", or {values}, one for each step. " if len(values) > 1 else ". ")
            + f"Received: {received}.shape={np.shape(value)}"
        )
    if not np.isfinite(weight).all():
        raise ValueError(
            f"`{name}` must hold finite numbers. "
            f"Received: {weight[~np.isfinite(weight)][0]} among them"
        )
    return weight


def check_class_weight(class_weight: Any) -> None:
    """Refuse what is not a dict from class ids to numbers.

    Raises:
        ValueError: If it is not.
    """
    if not isinstance(class_weight, Mapping) or not all(
        isinstance(key, (Real, np.number))
        and float(key).is_integer()  # 1.0 is class 1: keys are often taken from float labels
        and isinstance(value, (Real, np.number))
        for key, value in class_weight.items()
    ):
        raise ValueError(
            "`class_weight` must be a dict from class ids, which are integers, to numbers. "
            f"Received: class_weight={class_weight!r}"
        )


def weights_of_classes(
    labels: np.ndarray, class_weight: Mapping[int, float], y_pred_rank: int
) -> np.ndarray:
    """Return the weight of each label's class; 1 for classes that have none.

    Args:
        labels: Class ids, or probabilities of the classes (one-hot) along the last axis.
        class_weight: Weight of each class.
        y_pred_rank: Number of dimensions of the predictions.

    Returns:
        Float32 array, one weight for each class id.
    """
    classes = labels
    if labels.ndim == y_pred_rank:
        classes = labels[..., 0] if labels.shape[-1] == 1 else labels.argmax(axis=-1)
    found, places = np.unique(np.rint(classes), return_inverse=True)
    table = np.array([class_weight.get(int(each), 1.0) for each in found], np.float32)
    return np.asarray(table[places].reshape(classes.shape))
