"""Features brought to mean 0 and variance 1 over a batch (Ioffe and Szegedy, 2015)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastrnn import constraints, initializers, regularizers
from fastrnn.arguments import check_number, own_arguments, refuse_unsupported
from fastrnn.layers.inputs import as_numbers
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.normalization_axes import add_scale_and_shift
from fastrnn.layers.serialization import serializable
from fastrnn.variable import Variable

_NOT_BUILT = {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99}
# Keras adds its `epsilon()` to the number of the steps that a mask leaves.
_AGAINST_NO_STEPS = np.float32(1e-7)


class _Cache(NamedTuple):
    """What `forward` keeps for `backward`, each of a shape that broadcasts to the input's.

    Attributes:
        normalized: What is multiplied with gamma.
        inverse: 1 / sqrt(variance + epsilon).
        counted: Which entries make mean and variance; None for all.
        entries: Number of those entries for each feature; None if mean and variance are the
            moving ones.
    """

    normalized: np.ndarray
    inverse: np.ndarray
    counted: np.ndarray | None
    entries: Any


@serializable("keras.layers")
class BatchNormalization(Layer):
    """Computes `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`.

    While training, mean and variance are those of each feature over the batch and its steps, and
    the moving ones follow: `moving = momentum * moving + (1 - momentum) * own`. Otherwise, and
    with `trainable=False`, the moving ones are used (Ioffe and Szegedy, 2015).

    Args:
        axis: The dimension of the features.
        momentum: Share of the moving statistics that stays, in [0, 1].
        epsilon: Added to the variance, against divisions by 0.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: First value of beta.
        gamma_initializer: First value of gamma.
        moving_mean_initializer: First value of the moving mean.
        moving_variance_initializer: First value of the moving variance.
        beta_regularizer: Adds a penalty on beta to the loss.
        gamma_regularizer: Adds a penalty on gamma to the loss.
        beta_constraint: Projects beta after each update.
        gamma_constraint: Projects gamma after each update.
        renorm: Not supported.
        renorm_clipping: Not supported.
        renorm_momentum: Not supported.
        synchronized: Accepted for Keras's sake; without effect. Several processes that train one
            model must not train this layer.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: Array of any shape, the size along `axis` known.
        training: Whether the batch's own statistics are used.
        mask: Of one dimension less than the inputs: which steps make the statistics.

    Returns of a call:
        An array of the same shape. Masked steps are normalized too.

    Raises:
        ValueError: If an argument is not valid or not supported.

    Example:
        >>> BatchNormalization(epsilon=0.0)([[1.0], [3.0]], training=True)
        array([[-1.],
               [ 1.]], dtype=float32)
    """

    supports_masking = True
    uses_mask = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unsupported("BatchNormalization", own_arguments(locals()), _NOT_BUILT)
        super().__init__(**kwargs)
        # Keras's files of before version 3 hold a list of one.
        axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) or axis == 0:
            raise ValueError(
                f"`axis` must be an integer, and not 0, the batch. Received: axis={axis!r}"
            )
        self.axis = int(axis)
        self.momentum = check_number("momentum", momentum, 0.0, 1.0)
        self.epsilon = check_number("epsilon", epsilon, 0.0)
        self.center = bool(center)
        self.scale = bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.renorm = renorm
        self.renorm_clipping = renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    # ------------------------------------------------------------------------ shapes, building

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse shapes without a known size along `axis`, or of another size than the weights'."""
        rank = len(shape)
        if not -rank < self.axis < rank or shape[self.axis] is None:
            raise ValueError(
                f"The input of layer '{self.name}' must have a known size along `axis`, "
                f"{self.axis}, behind the batch. Received: shape={shape}"
            )
        if self.built and shape[self.axis] != self.moving_mean.shape[0]:
            raise ValueError(
                f"The input of layer '{self.name}' must have the size "
                f"{self.moving_mean.shape[0]} along `axis`, {self.axis}. Received: shape={shape}"
            )

    def _create_weights(self, input_shape: Shape) -> None:
        sizes = (input_shape[self.axis] or 0,)
        add_scale_and_shift(self, sizes, self.scale, self.center)
        self.moving_mean = self.add_weight(
            sizes, self.moving_mean_initializer, "moving_mean", trainable=False
        )
        self.moving_variance = self.add_weight(
            sizes, self.moving_variance_initializer, "moving_variance", trainable=False
        )

    # ------------------------------------------------------------------------------ computation

    def __call__(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:  # type: ignore[override]
        """Apply the layer to an array; see the class for the arguments."""
        checked = None if mask is None else as_numbers(mask, "mask").astype(np.bool_)
        return super().__call__(inputs, training=training, mask=checked)

    def call(
        self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """Apply the layer to a checked array that is not empty.

        Args:
            x: Array, as `as_input` returns it.
            training: Whether the batch's own statistics are used.
            mask: Booleans of one dimension less than x, or None.
        """
        return self.forward(x, training, mask)[0]

    def forward(
        self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, _Cache]:
        """Normalize, scale and shift the input; while training, update the moving statistics.

        Args:
            x: Array, as `as_input` returns it.
            training: Whether the batch's own statistics are used.
            mask: Booleans of one dimension less than x, or None.
        """
        if mask is not None and mask.shape != x.shape[:-1]:
            raise ValueError(
                f"`mask` of layer '{self.name}' must have the shape {x.shape[:-1]}, that of the "
                f"inputs without the last dimension. Received: shape={mask.shape}"
            )
        if training and self.trainable:
            counted = None if mask is None else mask[..., np.newaxis]
            count = self._count(x.shape, counted)
            mean = self._sum(x, counted) / count
            centered = x - mean
            variance = self._sum(np.square(centered), counted) / count
            for moving, own in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.value += np.float32(1.0 - self.momentum) * (own.ravel() - moving.value)
        else:
            counted, count = None, None
            mean, variance = (
                self._spread(self.moving_mean, x),
                self._spread(self.moving_variance, x),
            )
            centered = x - mean
        inverse = np.float32(1.0) / np.sqrt(variance + np.float32(self.epsilon))
        normalized = centered
        normalized *= inverse
        y = normalized
        if self.gamma is not None:
            y = y * self._spread(self.gamma, x)
        if self.beta is not None:
            y = y + self._spread(self.beta, x)
        return y, _Cache(normalized, inverse, counted, count)

    def backward(
        self, cache: _Cache, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        d_gamma = self._sum(d_y * cache.normalized)
        d_beta = self._sum(d_y)
        d_weights = [d_gamma] if self.gamma is not None else []
        d_weights += [d_beta] if self.beta is not None else []
        d_weights = [d.ravel() for d in d_weights]
        d_weights += [np.zeros_like(self.moving_mean.value)] * 2  # no gradient trains them
        if not input_gradient:
            return None, d_weights
        factor = cache.inverse
        if self.gamma is not None:
            factor = factor * self._spread(self.gamma, d_y)
        if cache.entries is None:
            return d_y * factor, d_weights
        # n = (x - m) r with r = (v + epsilon)^(-1/2): m has the gradient -r sum(d n's), and v
        # -r^2 sum(d n) / 2; each counted entry has a share 1 / count of both.
        d_shared = (d_beta + cache.normalized * d_gamma) / cache.entries
        if cache.counted is not None:
            d_shared = np.where(cache.counted, d_shared, np.float32(0.0))
        return (d_y - d_shared) * factor, d_weights

    def _others(self, rank: int) -> tuple[int, ...]:
        """Return the dimensions over which statistics are taken."""
        return tuple(set(range(rank)) - {self.axis % rank})

    def _sum(self, array: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
        """Return the sums over all but the features, of sizes that broadcast to the array's."""
        if counted is not None:
            array = np.where(counted, array, np.float32(0.0))
        total: np.ndarray = array.sum(axis=self._others(array.ndim), keepdims=True)
        return total

    def _count(self, shape: tuple[int, ...], counted: np.ndarray | None) -> Any:
        """Return the number of entries that make the statistics of each feature."""
        if counted is None:
            return np.float32(np.prod([shape[axis] for axis in self._others(len(shape))]))
        entries = np.broadcast_to(counted, shape).astype(np.float32)
        return self._sum(entries) + _AGAINST_NO_STEPS

    def _spread(self, weight: Variable, x: np.ndarray) -> np.ndarray:
        """Return a weight in a shape that broadcasts to that of the input."""
        axis = self.axis % x.ndim
        return weight.value.reshape([-1 if each == axis else 1 for each in range(x.ndim)])
