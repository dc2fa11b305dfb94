"""Layers one after another: the loop that every step of a model goes through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import ops
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.layer import Layer
from fastrnn.layers.rnn import RNN


class Chain:
    """The layers of a built model as one function with a backward pass.

    Whatever layers pass to each other passes through here, and so does what two neighbours do
    better as one: an Embedding hands a recurrent layer its tokens and its table in place of a
    tensor, and gets the gradient of the table back (see `ops.Embedded`).

    Args:
        layers: Built layers, first to last. Which of them are trainable is looked up now.
        trainable: False if none of them is to be trained.
    """

    def __init__(self, layers: Sequence[Layer], trainable: bool = True) -> None:
        self._layers = tuple(layers)
        self._hands_tokens = [
            isinstance(layer, Embedding) and isinstance(above, RNN)
            for layer, above in zip(self._layers, (*self._layers[1:], None), strict=True)
        ]
        per_layer = [layer.trainable_weights if trainable else [] for layer in self._layers]
        self._trained = [bool(weights) for weights in per_layer]
        # Below the first trained layer nobody needs a gradient.
        self._first = self._trained.index(True) if any(self._trained) else len(self._layers)
        self.variables = [variable for weights in per_layer for variable in weights]

    def infer(self, x: np.ndarray) -> np.ndarray:
        """Return the output, without dropout and without keeping tapes."""
        for layer, hands_tokens in zip(self._layers, self._hands_tokens, strict=True):
            x = _embedded(layer, x) if hands_tokens else layer.call(x)
        return x

    def forward(self, x: np.ndarray, training: bool = True) -> tuple[np.ndarray, list[Any]]:
        """Return the output, and each layer's cache for `backward`."""
        caches = []
        for layer, hands_tokens in zip(self._layers, self._hands_tokens, strict=True):
            cache = None
            if hands_tokens:
                x = _embedded(layer, x)
            else:
                x, cache = layer.forward(x, training)
            caches.append(cache)
        return x, caches

    def backward(
        self, caches: list[Any], d_y: np.ndarray, input_gradient: bool = False
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through one `forward`.

        Args:
            caches: What `forward` returned.
            d_y: Gradient with respect to the output.
            input_gradient: Whether the gradient with respect to the input is wanted.

        Returns:
            That gradient (or None), and those of `variables`, in their order.
        """
        first = 0 if input_gradient else self._first
        gradients: list[np.ndarray] = []
        d: np.ndarray | None = d_y
        for index in range(len(self._layers) - 1, first - 1, -1):
            if d is None:  # The layer above, an Embedding, has no input gradient.
                break
            if self._hands_tokens[index]:
                d_weights = [d]
                d = None
            else:
                d, d_weights = self._layers[index].backward(
                    caches[index], d, input_gradient or index > first
                )
            if self._trained[index]:
                gradients = d_weights + gradients
        return (d if input_gradient else None), gradients


def _embedded(embedding: Layer, tokens: np.ndarray) -> Any:
    return ops.Embedded(tokens, embedding.weights[0].value)
