"""What pooling over windows of steps has in common, whatever it makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastrnn.layers.arguments import data_format_of
from fastrnn.layers.layer import Shape
from fastrnn.layers.windows import WindowLayer, integers_of, padding_of


class Pooling1D(WindowLayer):
    """Base of MaxPooling1D and AveragePooling1D."""

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None,
        padding: str,
        data_format: str | None,
        name: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = integers_of("pool_size", pool_size, 1, 1)
        self.strides = self.pool_size if strides is None else integers_of("strides", strides, 1, 1)
        self.padding = padding_of(padding, ("valid", "same"))
        self.data_format = data_format_of(data_format)
        self.built = True  # there are no weights to make

    @property
    def _span(self) -> int:
        return self.pool_size[0]

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the input shape with the number of windows in place of that of the steps."""
        return self._shape_of(input_shape, input_shape[3 - self._axis])

    def _taps(self, padded: np.ndarray, windows: int) -> Iterator[np.ndarray]:
        """Yield the first step of all windows, then their second, and so on, as views."""
        stride = self.strides[0]
        for first in range(self._span):
            yield padded[:, first : first + (windows - 1) * stride + 1 : stride]
