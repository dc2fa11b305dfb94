"""What layers share that are an activation and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from fastrnn import activations
from fastrnn.layers.layer import Layer


class ElementwiseLayer(Layer):
    """Base of Activation, ReLU, LeakyReLU, ELU and Softmax.

    A subclass sets `activation`, and names in `activation_arguments` those of its attributes that
    the activation takes.
    """

    supports_masking = True
    activation: activations.Activation
    activation_arguments: tuple[str, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True  # there are no weights to make

    @property
    def _arguments(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.activation_arguments}

    def forward(
        self, x: np.ndarray, training: bool = False
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Apply the activation. The cache is the input and the output."""
        y = self.activation.compute(x, **self._arguments)
        return y, (x, y)

    def backward(
        self,
        cache: tuple[np.ndarray, np.ndarray],
        d_y: np.ndarray,
        input_gradient: bool = True,
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        if not input_gradient:
            return None, []
        return self.activation.backward(*cache, d_y, **self._arguments), []

    def without_activation(self) -> ElementwiseLayer:
        """Return a layer that leaves its input as it is."""
        scores = copy.copy(self)
        scores.activation, scores.activation_arguments = activations.linear, ()
        return scores
