"""Layers one after another: the loop that every step of a model goes through."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn import kernels
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.layer import Layer
from fastrnn.layers.masking import Masking
from fastrnn.layers.sequence_layer import SequenceLayer
from fastrnn.variable import Variable


class Passed(NamedTuple):
    """What a chain made of a batch.

    Attributes:
        y: The output.
        mask: Its mask, or None.
        caches: What `backward` needs of each layer; empty if there will be no `backward`.
        penalty: What the activity regularizers of the layers add to the loss.
    """

    y: np.ndarray
    mask: np.ndarray | None
    caches: list[Any]
    penalty: float


class Chain:
    """Built layers as one function with a backward pass.

    Whatever layers pass to each other passes through here, masks too, and so does what two
    neighbours do better as one: an Embedding hands a recurrent layer its tokens and its table in
    place of a tensor, and gets the gradient of the table back (see `kernels.Embedded`).

    Args:
        layers: Built layers without others inside (see `Layer.leaves`), first to last.
        trained: The weights whose gradients are wanted, in the order of the layers.
        input_gradient: Whether the gradient of the input is wanted too.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        trained: Sequence[Variable] = (),
        input_gradient: bool = False,
    ) -> None:
        self._layers = tuple(layers)
        self._penalizes = [layer.regularizes_activity for layer in self._layers]
        self._hands_tokens = [
            isinstance(layer, Embedding) and not penalizes and isinstance(above, SequenceLayer)
            for layer, above, penalizes in zip(
                self._layers, (*self._layers[1:], None), self._penalizes, strict=True
            )
        ]
        self._walk = list(zip(self._layers, self._hands_tokens, self._penalizes, strict=True))
        self.variables = list(trained)
        wanted = {id(variable) for variable in trained}
        self._wanted = [
            [id(variable) in wanted for variable in layer.weights] if wanted else []
            for layer in self._layers
        ]
        # Below the first trained layer nobody needs a gradient.
        trains = [any(each) for each in self._wanted]
        self._first = trains.index(True) if any(trains) else len(self._layers)
        if input_gradient:
            self._first = 0
        self._input_gradient = input_gradient

    def infer(self, x: np.ndarray, mask: np.ndarray | None = None) -> Passed:
        """Return the output and its mask, without dropout and without keeping tapes."""
        penalty = 0.0
        for layer, hands_tokens, penalizes in self._walk:
            mask_above = _mask_above(layer, x, mask)
            if hands_tokens:
                x = _embedded(layer, x)
            elif penalizes:  # the penalty needs what only `forward` keeps
                x, cache = _forward(layer, x, mask, training=False)
                penalty += layer.activity_penalty(x, cache)
            else:
                x = _call(layer, x, mask)
            mask = mask_above
        return Passed(x, mask, [], penalty)

    def forward(
        self, x: np.ndarray, mask: np.ndarray | None = None, training: bool = True
    ) -> Passed:
        """Return the output, its mask, and each layer's cache for `backward`."""
        caches: list[Any] = []
        penalty = 0.0
        for layer, hands_tokens, penalizes in self._walk:
            mask_above, cache = _mask_above(layer, x, mask), None
            if hands_tokens:
                x = _embedded(layer, x)
            else:
                x, cache = _forward(layer, x, mask, training)
            if penalizes:
                penalty += layer.activity_penalty(x, cache)
                cache = (cache, x)
            caches.append(cache)
            mask = mask_above
        return Passed(x, mask, caches, penalty)

    def backward(self, caches: list[Any], d_y: np.ndarray) -> list[np.ndarray]:
        """Go back through one `forward`.

        Args:
            caches: Those that `forward` returned.
            d_y: Gradient with respect to the output.

        Returns:
            The gradients of `variables`, in their order.
        """
        return self.backward_to_input(caches, d_y)[1]

    def backward_to_input(
        self, caches: list[Any], d_y: np.ndarray
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Do the same as `backward`, and return the gradient of the input before the others."""
        gradients: list[np.ndarray] = []
        d: np.ndarray | None = d_y
        for index in range(len(self._layers) - 1, self._first - 1, -1):
            if d is None:  # The layer above, an Embedding, has no input gradient.
                break
            layer, cache = self._layers[index], caches[index]
            if self._hands_tokens[index]:
                d_weights, d = [d], None
            else:
                if self._penalizes[index]:
                    cache, y = cache
                    d = layer.add_activity_gradient(d, y)
                passes_on = index > self._first or self._input_gradient
                d, d_weights = layer.backward(cache, d, passes_on)  # type: ignore[assignment]
            pairs = zip(d_weights, self._wanted[index], strict=True)
            gradients = [gradient for gradient, wanted in pairs if wanted] + gradients
        return d if self._input_gradient else None, gradients


def _call(layer: Layer, x: np.ndarray, mask: np.ndarray | None) -> Any:
    """Return a layer's output."""
    if layer.uses_mask:
        return layer.call(x, mask=mask)
    return layer.call(x)


def _forward(layer: Layer, x: np.ndarray, mask: np.ndarray | None, training: bool) -> Any:
    """Return a layer's output and cache."""
    if layer.uses_mask:
        return layer.forward(x, training, mask)  # type: ignore[call-arg]
    return layer.forward(x, training)


def _embedded(embedding: Layer, tokens: np.ndarray) -> Any:
    return kernels.Embedded(tokens, embedding.weights[0].value)


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


def passing_padding(layers: Sequence[Layer]) -> list[Layer]:
    """Return layers, with the same weights, that do not lose the mask of padding.

    An Embedding and a Masking make their masks from their inputs alone. Here they join them with
    the mask of the padding: a token 0 may be padding, a word, or with `mask_zero` a step to skip.
    """
    own_masks = (Embedding, Masking)
    return [_joining(layer) if isinstance(layer, own_masks) else layer for layer in layers]


def _joining(layer: Layer) -> Layer:
    """Return a copy of a layer whose mask is the one that it makes and the one that it gets."""

    def compute_mask(inputs: Any, mask: Any = None) -> Any:
        own = layer.compute_mask(inputs)
        return mask if own is None else own if mask is None else own & mask

    twin = copy.copy(layer)
    twin.supports_masking = True
    vars(twin)["compute_mask"] = compute_mask
    return twin
