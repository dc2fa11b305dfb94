"""The rectified linear unit with a slope that is learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn import constraints, initializers, ops, regularizers
from fastrnn.layers.layer import Layer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class PReLU(Layer):
    """Returns x where it is positive, else `alpha * x` with a weight alpha (He et al., 2015).

    Args:
        alpha_initializer: Initializer of alpha.
        alpha_regularizer: Regularizer of alpha.
        alpha_constraint: Constraint of alpha.
        shared_axes: Axes along which alpha is one number, 1 for the steps of a sequence; None for
            an alpha of each element of a sample.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If the shape of a sample is not known.

    Example:
        >>> PReLU(alpha_initializer="ones")([[-1.0, 2.0]])
        array([[-1.,  2.]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else list(axes)

    def check_input_shape(self, shape: Any) -> None:
        """Refuse samples of an open shape.

        Args:
            shape: Shape of the input, batch first.

        Raises:
            ValueError: If a size that alpha has is not known.
        """
        if None in self._alpha_shape(shape):
            raise ValueError(
                f"PReLU '{self.name}' needs the sizes of all axes that are not in `shared_axes`. "
                f"Received: shape={shape}"
            )

    def _alpha_shape(self, shape: Any) -> tuple[int | None, ...]:
        shared = [axis % len(shape) for axis in self.shared_axes or ()]
        return tuple(1 if axis in shared else shape[axis] for axis in range(1, len(shape)))

    def _create_weights(self, input_shape: Any) -> None:
        self.alpha = self.add_weight(
            self._alpha_shape(input_shape),
            self.alpha_initializer,
            "alpha",
            self.alpha_regularizer,
            self.alpha_constraint,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the input.

        Args:
            input_shape: Shape of the input, batch first.
        """
        return tuple(input_shape)

    def call(self, inputs: Any) -> Any:
        """Apply the layer.

        Args:
            inputs: Array.
        """
        return ops.maximum(inputs, np.float32(0)) + self.alpha * ops.minimum(inputs, np.float32(0))
