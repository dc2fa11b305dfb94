"""What pooling over all steps has in common, whatever it makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.arguments import data_format_of
from fastrnn.layers.layer import Layer, Shape


class GlobalPooling1D(Layer):
    """Base of GlobalMaxPooling1D and GlobalAveragePooling1D.

    Args:
        data_format: "channels_last" (or None) for `[batch, steps, features]`, "channels_first"
            for `[batch, features, steps]`.
        keepdims: Whether the dimension of the steps stays, with the size 1.
        **kwargs: `name`, `input_shape`.

    Raises:
        ValueError: If `data_format` is not valid.
    """

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format_of(data_format)
        self.keepdims = bool(keepdims)
        self.built = True  # there are no weights to make

    @property
    def _axis(self) -> int:
        """The dimension of the steps."""
        return 1 if self.data_format == "channels_last" else 2

    @property
    def takes_padding(self) -> bool:
        """Whether padding reaches no own step: where the steps are the second dimension."""
        return self._axis == 1

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what has not three dimensions and at least one step."""
        if len(shape) != 3 or shape[self._axis] == 0:
            names = "(batch, steps, features)" if self._axis == 1 else "(batch, features, steps)"
            raise ValueError(
                f"The input of layer '{self.name}' must have three dimensions, {names}, and at "
                f"least one step. Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the input shape without the steps, or with one if the dimension is kept."""
        before, after = input_shape[: self._axis], input_shape[self._axis + 1 :]
        return (*before, *((1,) if self.keepdims else ()), *after)

    def _with_steps(self, pooled: np.ndarray) -> np.ndarray:
        """Return an output, or its gradient, with a dimension of size 1 for the steps."""
        return pooled if self.keepdims else np.expand_dims(pooled, self._axis)
