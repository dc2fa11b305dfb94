"""Layers one after another: the loop that every step of a model goes through."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn import ops
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.layer import Layer
from fastrnn.layers.sequence_layer import SequenceLayer
from fastrnn.variable import Variable


class Passed(NamedTuple):
    """What a chain made of a batch.

    Attributes:
        y: The output.
        mask: Its mask, or None.
        caches: What `backward` needs of each layer.
    """

    y: np.ndarray
    mask: np.ndarray | None
    caches: list[Any]


class Chain:
    """Built layers as one function with a backward pass.

    Whatever layers pass to each other passes through here, masks too, and so does what two
    neighbours do better as one: an Embedding hands a recurrent layer its tokens and its table in
    place of a tensor, and gets the gradient of the table back (see `ops.Embedded`).

    Args:
        layers: Built layers without others inside (see `Layer.leaves`), first to last.
        trained: The weights whose gradients are wanted, in the order of the layers.
    """

    def __init__(self, layers: Sequence[Layer], trained: Sequence[Variable] = ()) -> None:
        self._layers = tuple(layers)
        self._hands_tokens = [
            isinstance(layer, Embedding) and isinstance(above, SequenceLayer)
            for layer, above in zip(self._layers, (*self._layers[1:], None), strict=True)
        ]
        self.variables = list(trained)
        wanted = {id(variable) for variable in trained}
        self._wanted = [
            [id(variable) in wanted for variable in layer.weights] if wanted else []
            for layer in self._layers
        ]
        # Below the first trained layer nobody needs a gradient.
        trains = [any(each) for each in self._wanted]
        self._first = trains.index(True) if any(trains) else len(self._layers)

    def infer(
        self, x: np.ndarray, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the output and its mask, without dropout and without keeping tapes."""
        for layer, hands_tokens in zip(self._layers, self._hands_tokens, strict=True):
            mask_above = _mask_above(layer, x, mask)
            if hands_tokens:
                x = _embedded(layer, x)
            elif isinstance(layer, SequenceLayer):
                x = layer.call(x, mask=mask)
            else:
                x = layer.call(x)
            mask = mask_above
        return x, mask

    def forward(
        self, x: np.ndarray, mask: np.ndarray | None = None, training: bool = True
    ) -> Passed:
        """Return the output, its mask, and each layer's cache for `backward`."""
        caches = []
        for layer, hands_tokens in zip(self._layers, self._hands_tokens, strict=True):
            mask_above, cache = _mask_above(layer, x, mask), None
            if hands_tokens:
                x = _embedded(layer, x)
            elif isinstance(layer, SequenceLayer):
                x, cache = layer.forward(x, training, mask)
            else:
                x, cache = layer.forward(x, training)
            caches.append(cache)
            mask = mask_above
        return Passed(x, mask, caches)

    def backward(self, caches: list[Any], d_y: np.ndarray) -> list[np.ndarray]:
        """Go back through one `forward`.

        Args:
            caches: Those that `forward` returned.
            d_y: Gradient with respect to the output.

        Returns:
            The gradients of `variables`, in their order.
        """
        gradients: list[np.ndarray] = []
        d: np.ndarray | None = d_y
        for index in range(len(self._layers) - 1, self._first - 1, -1):
            if d is None:  # The layer above, an Embedding, has no input gradient.
                break
            if self._hands_tokens[index]:
                d_weights, d = [d], None
            else:
                d, d_weights = self._layers[index].backward(caches[index], d, index > self._first)
            pairs = zip(d_weights, self._wanted[index], strict=True)
            gradients = [gradient for gradient, wanted in pairs if wanted] + gradients
        return gradients


def _embedded(embedding: Layer, tokens: np.ndarray) -> Any:
    return ops.Embedded(tokens, embedding.weights[0].value)


def _mask_above(layer: Layer, x: np.ndarray, mask: np.ndarray | None) -> np.ndarray | None:
    """Return the mask of what a layer makes of x."""
    if layer.supports_masking:
        above: np.ndarray | None = layer.compute_mask(x, mask)
        return above
    if mask is not None:
        warnings.warn(
            f"Layer '{layer.name}' (of type {type(layer).__name__}) does not support masks: the "
            "layers above it see none. Set its `supports_masking` to let them pass.",
            stacklevel=2,
        )
    return None
