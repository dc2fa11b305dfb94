"""Losses, by string, object, function or config as in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn.losses.binary_crossentropy import BinaryCrossentropy, binary_crossentropy
from fastrnn.losses.binary_focal_crossentropy import (
    BinaryFocalCrossentropy,
    binary_focal_crossentropy,
)
from fastrnn.losses.categorical_crossentropy import (
    CategoricalCrossentropy,
    categorical_crossentropy,
)
from fastrnn.losses.categorical_focal_crossentropy import (
    CategoricalFocalCrossentropy,
    categorical_focal_crossentropy,
)
from fastrnn.losses.categorical_hinge import CategoricalHinge, categorical_hinge
from fastrnn.losses.cosine_similarity import CosineSimilarity, cosine_similarity
from fastrnn.losses.ctc import CTC, ctc
from fastrnn.losses.function_loss import FunctionLoss
from fastrnn.losses.hinge import Hinge, hinge
from fastrnn.losses.huber import Huber, huber
from fastrnn.losses.kl_divergence import KLDivergence, kl_divergence
from fastrnn.losses.log_cosh import LogCosh, log_cosh
from fastrnn.losses.loss import Differential, Loss
from fastrnn.losses.mean_absolute_error import MeanAbsoluteError, mean_absolute_error
from fastrnn.losses.mean_absolute_percentage_error import (
    MeanAbsolutePercentageError,
    mean_absolute_percentage_error,
)
from fastrnn.losses.mean_squared_error import MeanSquaredError, mean_squared_error
from fastrnn.losses.mean_squared_logarithmic_error import (
    MeanSquaredLogarithmicError,
    mean_squared_logarithmic_error,
)
from fastrnn.losses.poisson import Poisson, poisson
from fastrnn.losses.sparse_categorical_crossentropy import (
    SparseCategoricalCrossentropy,
    sparse_categorical_crossentropy,
)
from fastrnn.losses.squared_hinge import SquaredHinge, squared_hinge
from fastrnn.utils import registry

__all__ = [
    "CTC",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Differential",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Reduction",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

# The short names of Keras 2 for functions.
KLD = kld = kullback_leibler_divergence = kl_divergence
MAE = mae = mean_absolute_error
MAPE = mape = mean_absolute_percentage_error
MSE = mse = mean_squared_error
MSLE = msle = mean_squared_logarithmic_error
bce = BCE = binary_crossentropy
logcosh = log_cosh


class Reduction:
    """The names of Keras 2 for `reduction` of a loss.

    Example:
        >>> MeanSquaredError(reduction=Reduction.NONE)([[1.0], [2.0]], [[1.0], [4.0]])
        array([0., 4.], dtype=float32)
    """

    AUTO = "sum_over_batch_size"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


_CLASS_OF_FUNCTION: dict[Callable[..., np.ndarray], type[Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_hinge: CategoricalHinge,
    cosine_similarity: CosineSimilarity,
    ctc: CTC,
    hinge: Hinge,
    huber: Huber,
    kl_divergence: KLDivergence,
    log_cosh: LogCosh,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
}
_ALIASES: dict[str, type[Loss]] = {
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
}
_REGISTRY: registry.Registry[Loss] = registry.Registry(
    "loss",
    Loss,
    {
        **{cls.__name__: cls for cls in _CLASS_OF_FUNCTION.values()},
        **{function.__name__: cls for function, cls in _CLASS_OF_FUNCTION.items()},
        **_ALIASES,
        **{alias.upper(): cls for alias, cls in _ALIASES.items()},
    },
    namespace="losses",
)


def get(identifier: Any) -> Loss:
    """Make a loss.

    Unlike Keras's, this always returns a `Loss`, also for the name of a function.

    Args:
        identifier: A name (`"mse"`, `"binary_crossentropy"`, `"BinaryCrossentropy"`), a `Loss` or
            its class, a function of this module or of labels and predictions (`FunctionLoss`), or
            a config dict.

    Returns:
        The loss.

    Raises:
        ValueError: If `identifier` is not one of these, or the name is not known.

    Example:
        >>> get("mse").name
        'mean_squared_error'
    """
    function = registry.function_of(identifier)
    if function is None:
        return _REGISTRY.get(identifier)
    if _REGISTRY.knows(twin := registry.config_of_keras(function)):
        return _REGISTRY.get(twin)
    known = _CLASS_OF_FUNCTION.get(function)
    return FunctionLoss(function) if known is None else known()


def serialize(loss: Loss) -> dict[str, Any]:
    """Return the config dict of a loss, in Keras's form.

    Args:
        loss: The loss.

    Returns:
        Dict of plain values with `class_name` and `config`, from which `deserialize` makes an equal
        loss.

    Example:
        >>> serialize(Huber(delta=0.5))["config"]["delta"]
        0.5
    """
    return registry.serialize(loss, "keras.losses")


def deserialize(name: dict[str, Any] | str) -> Loss:
    """Make a loss from the result of `serialize` (Keras's works too).

    Args:
        name: What `serialize` or Keras's returned, or a name.

    Returns:
        The loss.

    Raises:
        ValueError: If it is not such a dict, or names nothing known.

    Example:
        >>> deserialize(serialize(Huber(delta=0.5))).delta
        0.5
    """
    return get(name)
