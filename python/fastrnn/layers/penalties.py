"""What a layer adds to the loss: terms of `add_loss`, penalties on its output and its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import regularizers
from fastrnn.layers.attributes import all_inside
from fastrnn.layers.calls import running_call
from fastrnn.layers.inside import penalty_of
from fastrnn.layers.passes import Passes
from fastrnn.symbolic import flatten


class Penalized(Passes):
    """Base of all layers: what they add to the loss.

    Attributes:
        activity_regularizer: Adds a penalty on the output, divided by the size of the batch.
    """

    activity_regularizer: regularizers.Regularizer | None
    _added: list[Any]  # to the loss, by the last call

    def _sublayers(self) -> Sequence[Penalized]:
        raise NotImplementedError

    def add_loss(self, loss: Any) -> None:
        """Add to the loss, from within `call`.

        Args:
            loss: A scalar made of inputs and weights by operators and `fastrnn.ops`; or a list of
                them.

        Raises:
            ValueError: If no `call` of a layer or model of your own runs.
        """
        if (call := running_call()) is None:
            raise ValueError(
                "`add_loss` must be called within `call` of a layer or model of your own. "
                f"Received: a call of it on layer '{self.name}' outside of one"
            )
        added = flatten(loss)
        call.losses += added
        self._added += added

    @property
    def losses(self) -> list[Any]:
        """What the last call has added to the loss, and the penalties of trainable weights."""
        added = [loss for layer in all_inside(self) for loss in layer._added]
        return [
            *added,
            *map(penalty_of, (each for each in self.trainable_weights if each.regularizer)),
        ]

    @property
    def regularizes_activity(self) -> bool:
        """Whether the output of this layer, or of one inside, adds a penalty to the loss."""
        if self.activity_regularizer is not None:
            return True
        if self.is_own_call:  # its call gathers what the layers inside add
            return False
        return any(layer.regularizes_activity for layer in self._sublayers())

    def activity_penalty(self, y: np.ndarray, cache: Any) -> float:
        """Return what the activity regularizers of this layer and of those inside add to the loss.

        Args:
            y: Output of `forward`.
            cache: The cache that `forward` returned with it.

        Returns:
            The penalty, 0 without regularizers.
        """
        if self.activity_regularizer is None:
            return 0.0
        return sum(self.activity_regularizer(each) / len(each) for each in flatten(y))

    def add_activity_gradient(self, d_y: Any, y: Any) -> Any:
        """Add the gradient of this layer's own activity regularizer to that of its output y.

        Args:
            d_y: Gradient of the loss with respect to y; of several outputs a list.
            y: Output of `forward`.

        Returns:
            The sum, d_y itself without a regularizer.
        """
        if self.activity_regularizer is None:
            return d_y
        if isinstance(y, (list, tuple)):
            return [self.add_activity_gradient(d, one) for d, one in zip(d_y, y, strict=True)]
        own = self.activity_regularizer.gradient(y) / np.float32(len(y))
        return own if d_y is None else d_y + own
