"""The mean of each feature over all steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastrnn.layers.global_pooling import GlobalPooling1D
from fastrnn.layers.inputs import as_mask
from fastrnn.layers.serialization import serializable


class _Cache(NamedTuple):
    """What `forward` keeps for `backward`.

    Attributes:
        shape: That of the input.
        mask: The mask, with a dimension of size 1 for the features; or None.
        counts: The number of steps that count: of each sample `[batch, 1, 1]`, or of all.
    """

    shape: tuple[int, ...]
    mask: np.ndarray | None
    counts: np.ndarray | np.float32


@serializable("keras.layers")
class GlobalAveragePooling1D(GlobalPooling1D):
    """Returns the mean of each feature over all steps, or over those that a mask leaves.

    As in Keras the mean of no steps, of a sample that is all masked, is NaN.

    Args:
        data_format: "channels_last" (or None) for `[batch, steps, features]`, "channels_first"
            for `[batch, features, steps]`.
        keepdims: Whether the dimension of the steps stays, with the size 1.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`, at least one step.
        mask: `[batch, steps]`, False where a step does not count.

    Returns of a call:
        `[batch, features]`.

    Raises:
        ValueError: If `data_format` is not valid.

    Example:
        >>> GlobalAveragePooling1D()([[[1.0], [3.0], [8.0]]], mask=[[True, True, False]])
        array([[2.]], dtype=float32)
    """

    supports_masking = True
    uses_mask = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return None: there are no steps left that could be masked."""

    def _checked_arguments(
        self, x: np.ndarray, mask: Any = None, training: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        self.check_input_shape(x.shape)
        steps_second = x if self._axis == 1 else x.swapaxes(1, 2)
        checked = None if mask is None else as_mask(mask, steps_second)
        return (), {"training": training, "mask": checked}

    def forward(
        self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, _Cache]:
        """Take the mean over the steps.

        Args:
            x: Array, as `as_input` returns it.
            training: Whether dropout and the like are active.
            mask: `[batch, steps]`, booleans, or None.
        """
        counts: np.ndarray | np.float32 = np.float32(x.shape[self._axis])
        if mask is not None:
            mask = np.expand_dims(mask, 3 - self._axis)
            x = np.where(mask, x, np.float32(0.0))
            counts = mask.sum(axis=self._axis, keepdims=True, dtype=np.float32)
        with np.errstate(invalid="ignore"):  # 0 / 0 is NaN
            y = x.sum(axis=self._axis, keepdims=True) / counts
        if not self.keepdims:
            y = y.squeeze(self._axis)
        return y, _Cache(x.shape, mask, counts)

    def backward(
        self, cache: _Cache, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Share the gradient out equally among the steps that count."""
        if not input_gradient:
            return None, []
        with np.errstate(divide="ignore", invalid="ignore"):  # no step counts: none gets it
            d_step = self._with_steps(d_y) / cache.counts
        counted = True if cache.mask is None else cache.mask
        d_x = np.where(counted, np.broadcast_to(d_step, cache.shape), np.float32(0.0))
        return d_x, []
