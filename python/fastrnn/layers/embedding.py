"""Vectors for tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import constraints, initializers, kernels, regularizers
from fastrnn.arguments import is_integer, own_arguments, positive_integer, refuse_unsupported
from fastrnn.layers.inputs import as_tokens
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable
from fastrnn.table_gradient import table_gradient

_NOT_BUILT = {
    "lora_rank": None,
    "lora_alpha": None,
    "quantization_config": None,
}


@serializable("keras.layers")
class Embedding(Layer):
    """Replaces each token by its row of a table: `y[b, t] = embeddings[x[b, t]]`.

    Args:
        input_dim: Number of different tokens, which are 0 to `input_dim - 1`.
        output_dim: Length of each vector.
        embeddings_initializer: First value of the table.
        embeddings_regularizer: Adds a penalty on the table to the loss; name or object of
            `fastrnn.regularizers`, or None.
        embeddings_constraint: Projects the table after each update; name or object of
            `fastrnn.constraints`, a function, or None.
        mask_zero: Whether token 0 stands for padding: layers above then skip its steps. Token 0
            keeps its row of the table.
        weights: Table to start from, `[input_dim, output_dim]`, or a list of that one array.
        lora_rank: Not supported.
        lora_alpha: Not supported.
        quantization_config: Not supported.
        **kwargs: `name`, `trainable`, `input_shape`; `input_length`, of older scripts, is
            the number of steps: as first layer it is enough to build the model, as in tf.keras 2.

    Call arguments:
        inputs: Integers `[batch, steps]`, or of any other shape.

    Returns of a call:
        `[batch, steps, output_dim]`.

    Raises:
        ValueError: If an argument is not valid or not supported.

    Example:
        >>> Embedding(10, 3)([[1, 2]]).shape
        (1, 2, 3)
    """

    hands_tokens = True

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        refuse_unsupported("Embedding", own_arguments(locals()), _NOT_BUILT)
        length = kwargs.pop("input_length", None)
        if is_integer(length) and not {"input_shape", "batch_input_shape"} & set(kwargs):
            kwargs["input_shape"] = (length,)
        super().__init__(**kwargs)
        self.input_dim = positive_integer("input_dim", input_dim)
        self.output_dim = positive_integer("output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = bool(mask_zero)
        self.supports_masking = self.mask_zero
        self.lora_rank = lora_rank
        self.lora_alpha = lora_alpha
        self.quantization_config = quantization_config
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    @classmethod
    def _argument_names(cls) -> list[str]:
        return [name for name in super()._argument_names() if name != "weights"]

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the table, which does not depend on the input shape."""
        super().build((None,) if input_shape is None else input_shape)

    def _create_weights(self, input_shape: Shape) -> None:
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            "embeddings",
            self.embeddings_regularizer,
            self.embeddings_constraint,
        )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the input shape with `output_dim` appended."""
        return (*input_shape, self.output_dim)

    @property
    def takes_padding(self) -> bool:
        """Whether padding reaches no own step: each token has its vector."""
        return True

    def as_input(self, inputs: Any, name: str = "inputs") -> np.ndarray:
        """Convert to int32 and check that the tokens are in the vocabulary."""
        return as_tokens(inputs, self.input_dim, name)

    def compute_mask(self, inputs: Any, mask: Any = None) -> np.ndarray | None:
        """Return which tokens are not 0, or None without `mask_zero`."""
        return np.not_equal(inputs, 0) if self.mask_zero else None

    def tokens_of(self, x: np.ndarray) -> np.ndarray:
        """Return what another layer made as checked tokens; inputs of a model are such already.

        Args:
            x: Whole numbers.
        """
        return x if x.dtype == np.int32 else self.as_input(x, f"The input of layer '{self.name}'")

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Gather rows of the table. The cache is the tokens."""
        tokens = self.tokens_of(x)
        return kernels.embedding_forward(tokens, self.embeddings.value), tokens

    def backward(
        self, cache: np.ndarray, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[None, list[np.ndarray]]:
        """Sum the gradients of each token's occurrences. Tokens have no gradient."""
        gradient = kernels.embedding_backward(cache, d_y, self.input_dim)
        return None, [table_gradient(gradient, cache)]
