"""The largest value of each feature over all steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.layers.global_pooling import GlobalPooling1D
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class GlobalMaxPooling1D(GlobalPooling1D):
    """Returns the largest value of each feature over all steps.

    As in Keras masked steps take part, and the mask ends here. Of a sequence in a list, its own
    steps alone take part.

    Args:
        data_format: "channels_last" (or None) for `[batch, steps, features]`, "channels_first"
            for `[batch, features, steps]`.
        keepdims: Whether the dimension of the steps stays, with the size 1.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`, at least one step.

    Returns of a call:
        `[batch, features]`.

    Raises:
        ValueError: If `data_format` is not valid.

    Example:
        >>> GlobalMaxPooling1D()([[[1.0, 5.0], [2.0, 3.0]]])
        array([[2., 5.]], dtype=float32)
    """

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return None: there are no steps left that could be masked."""

    def forward(
        self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Take the maximum. The cache is the input and the output.

        Args:
            x: Array, as `as_input` returns it.
            training: Without effect.
            mask: `[batch, steps]`, False for the padding of sequences of a list; or None.
        """
        if mask is not None:
            x = np.where(mask[..., np.newaxis], x, np.float32(-np.inf))
        y: np.ndarray = x.max(axis=self._axis, keepdims=self.keepdims)
        return y, (x, y)

    def backward(
        self,
        cache: tuple[np.ndarray, np.ndarray],
        d_y: np.ndarray,
        input_gradient: bool = True,
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Share the gradient out equally among the steps that hold the maximum."""
        if not input_gradient:
            return None, []
        x, y = cache
        largest = x == self._with_steps(y)
        counts = largest.sum(axis=self._axis, keepdims=True, dtype=np.float32)
        return largest * (self._with_steps(d_y) / counts), []
