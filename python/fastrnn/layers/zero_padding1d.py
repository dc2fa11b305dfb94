"""Steps of zeros in front of and behind a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.arguments import data_format_of
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable
from fastrnn.layers.windows import integers_of, pad_steps


@serializable("keras.layers")
class ZeroPadding1D(Layer):
    """Adds steps of zeros to both ends of sequences.

    As in Keras a mask ends here.

    Args:
        padding: Number of steps at each end, or a tuple of those in front and behind.
        data_format: "channels_last" (or None) for `[batch, steps, features]`, "channels_first"
            for `[batch, features, steps]`.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`.

    Returns of a call:
        `[batch, front + steps + behind, features]`.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> ZeroPadding1D((1, 2))([[[5.0]]]).tolist()
        [[[0.0], [5.0], [0.0], [0.0]]]
    """

    def __init__(
        self, padding: int | Sequence[int] = 1, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.padding = integers_of("padding", padding, 2, 0)
        self.data_format = data_format_of(data_format)
        self.built = True  # there are no weights to make

    @property
    def _axis(self) -> int:
        return 1 if self.data_format == "channels_last" else 2

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what has not three dimensions."""
        if len(shape) != 3:
            raise ValueError(
                f"The input of layer '{self.name}' must have three dimensions. "
                f"Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the input shape with more steps."""
        shape = list(input_shape)
        steps = shape[self._axis]
        shape[self._axis] = None if steps is None else steps + sum(self.padding)
        return tuple(shape)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, int]:
        """Pad the steps. The cache is their number before."""
        steps = x.shape[self._axis]
        if self._axis == 1:
            return pad_steps(x, self.padding), steps
        return np.ascontiguousarray(pad_steps(x.swapaxes(1, 2), self.padding).swapaxes(1, 2)), steps

    def backward(
        self, cache: int, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Return the gradient of the steps between the padding."""
        if not input_gradient:
            return None, []
        inner = slice(self.padding[0], self.padding[0] + cache)
        return np.ascontiguousarray(d_y[:, inner] if self._axis == 1 else d_y[:, :, inner]), []
