"""What layers that walk sequences share: how they are called and what they do with masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.layers.inputs import as_mask
from fastrnn.layers.layer import Layer


class SequenceLayer(Layer):
    """Base of the recurrent layers and of `Bidirectional`.

    `call` and `forward` take a mask, and an `kernels.Embedded` in place of an Embedding's output.
    """

    supports_masking = True
    uses_mask = True

    def __call__(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
    ) -> Any:
        """Apply the layer to an array; see the class for the arguments."""
        x = self.as_input(sequences)
        self.check_input_shape(x.shape)
        arguments = {
            "initial_state": self._as_states(initial_state, len(x)),
            "mask": None if mask is None else as_mask(mask, x),
        }
        return super().__call__(x, training=training, **arguments)

    def call(
        self,
        x: np.ndarray | kernels.Embedded,
        training: bool = False,
        mask: np.ndarray | None = None,
        initial_state: Sequence[np.ndarray] | None = None,
    ) -> Any:
        """Apply the layer to a checked array that is not empty, without keeping a tape.

        Args:
            x: `[batch, steps, features]`, or embedded tokens.
            training: Whether dropout is active.
            mask: `[batch, steps]`, booleans, or None.
            initial_state: The states before the first step, `[batch, units]` each, or None.

        Returns:
            The outputs; with `return_state` a tuple of them and the last states.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `call`.")

    def forward(
        self,
        x: np.ndarray | kernels.Embedded,
        training: bool = False,
        mask: np.ndarray | None = None,
    ) -> tuple[Any, Any]:
        """Walk the steps from zero states and keep what the backward pass needs.

        Args:
            x: `[batch, steps, features]`, or embedded tokens.
            training: Whether dropout is active.
            mask: `[batch, steps]`, booleans, or None.

        Returns:
            The outputs and a cache for `backward`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `forward`.")

    def _as_states(self, initial_state: Any, batch: int) -> tuple[np.ndarray, ...] | None:
        """Convert initial states from outside, or refuse them."""
        raise NotImplementedError(f"{type(self).__name__} must implement `_as_states`.")
