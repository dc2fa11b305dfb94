"""Attention of queries to the steps of a sequence: a sum of values, weighted by scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import ops
from fastrnn.arguments import check_number, check_seed
from fastrnn.layers.dropout import generator_of
from fastrnn.layers.layer import Layer
from fastrnn.layers.serialization import serializable
from fastrnn.variable import Variable

# What is taken from a score that does not count; e^-1e9 is 0 in float32.
FAR = np.float32(1e9)


@serializable("keras.layers")
class Attention(Layer):
    """Sums values by the softmax of products of queries and keys (Luong et al., 2015).

    Args:
        use_scale: Whether a weight, 1 at first, multiplies the scores.
        score_mode: `"dot"` for products; `"concat"` for a weight times the sum of
            `tanh(scale (query + key))`.
        dropout: Share of the weights of values that is dropped in training.
        seed: Integer, or None to draw one.
        **kwargs: `name`, `trainable`.

    Call arguments:
        inputs: List of queries `[batch, queries, features]`, values `[batch, steps, values]`, and
            keys `[batch, steps, features]`; without keys the values are the keys.
        mask: List of the masks of queries `[batch, queries]` and values `[batch, steps]`, each may
            be None. Values of False do not count; results of queries of False are zeros.
        training: Whether dropout is active.
        return_attention_scores: Whether the weights are returned too.
        use_causal_mask: Whether query i takes the values up to step i alone.

    Returns of a call:
        Array `[batch, queries, values]`; with `return_attention_scores` a tuple of it and the
        weights `[batch, queries, steps]`.

    Raises:
        ValueError: If the inputs are not such a list, or `score_mode` is another.

    Example:
        >>> import numpy as np
        >>> query, value = [[[1000.0, 0.0]]], [[[1.0, 0.0], [0.0, 5.0]]]
        >>> Attention()([np.array(query), np.array(value)])
        array([[[1., 0.]]], dtype=float32)
    """

    takes_list = True
    supports_masking = True
    scale: Variable | None
    concat_score_weight: Variable | None

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"`score_mode` must be 'dot' or 'concat'. Received: score_mode={score_mode!r}"
            )
        self.use_scale = bool(use_scale)
        self.score_mode = score_mode
        self.dropout = check_number("dropout", dropout, 0.0, 1.0)
        self.seed = check_seed(seed)
        self._generator = generator_of(self.seed)

    @property
    def takes_padding(self) -> bool:
        """False: the steps of two sequences would have to be told apart."""
        return False

    def check_input_shape(self, shape: Any) -> None:
        """Refuse inputs that are not queries, values and keys.

        Args:
            shape: List of shapes, batch first.

        Raises:
            ValueError: If they are not.
        """
        listed = isinstance(shape, list | tuple) and isinstance(shape[0], list | tuple)
        if not listed or len(shape) not in (2, 3) or any(len(each) != 3 for each in shape):
            raise ValueError(
                f"Layer '{self.name}' must be called on a list [query, value] or [query, value, "
                f"key] of arrays of 3 dimensions. Received: shapes {shape}"
            )
        query, value, key = (*shape, shape[1])[:3]
        if query[2] != key[2] or (None not in (value[1], key[1]) and value[1] != key[1]):
            raise ValueError(
                f"Layer '{self.name}' needs queries and keys of as many features, and as many keys "
                f"as values. Received: shapes {shape}"
            )

    def _create_weights(self, input_shape: Any) -> None:
        self.scale = self.add_weight((), "ones", "scale") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", "concat_score_weight")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the sums.

        Args:
            input_shape: List of the shapes of the inputs.
        """
        self.check_input_shape(input_shape)
        return (*input_shape[0][:2], input_shape[1][2])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the queries.

        Args:
            inputs: What the layer is called on.
            mask: List of masks, or None.
        """
        return None if mask is None else mask[0]

    def output_shape_of_call(
        self, input_shape: Any, return_attention_scores: bool = False, **options: Any
    ) -> Any:
        """Return the shape of the sums, and that of the weights if they are returned.

        Args:
            input_shape: List of the shapes of the inputs.
            return_attention_scores: Whether the weights are returned.
            **options: Further keyword arguments of the call.
        """
        sums = self.compute_output_shape(input_shape)
        if not return_attention_scores:
            return sums
        return sums, (*input_shape[0][:2], input_shape[1][1])

    def call(
        self,
        inputs: Any,
        mask: Sequence[Any] | None = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Apply the layer; see the class.

        Args:
            inputs: List of queries, values and perhaps keys.
            mask: List of their masks.
            training: Whether dropout is active.
            return_attention_scores: Whether the weights are returned too.
            use_causal_mask: Whether query i takes the values up to step i alone.
        """
        query, value, key = (*inputs, inputs[1])[:3]
        scores = self._scores(query, key)
        counts = None
        if mask is not None and mask[1] is not None:
            counts = np.asarray(mask[1], np.bool_)[:, np.newaxis, :]
        if use_causal_mask:
            causal = np.tril(np.ones(scores.shape[1:], np.bool_))[np.newaxis]
            counts = causal if counts is None else counts & causal
        if counts is not None:
            scores = scores - FAR * (~counts).astype(np.float32)
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout > 0:
            kept = self._generator.random(weights.shape) >= self.dropout
            weights = weights * (kept / np.float32(1 - self.dropout)).astype(np.float32)
        result = ops.matmul(weights, value)
        if mask is not None and mask[0] is not None:
            result = result * np.asarray(mask[0], np.float32)[:, :, np.newaxis]
        return (result, weights) if return_attention_scores else result

    def _scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
            return scores if self.scale is None else scores * self.scale
        together = ops.expand_dims(query, 2) + ops.expand_dims(key, 1)
        if self.scale is not None:
            together = together * self.scale
        return self.concat_score_weight * ops.sum(ops.tanh(together), axis=-1)


@serializable("keras.layers")
class AdditiveAttention(Attention):
    """Sums values by the softmax of `sum(scale tanh(query + key))` (Bahdanau et al., 2015).

    Args:
        use_scale: Whether a weight for each feature multiplies the terms.
        dropout: Share of the weights of values that is dropped in training.
        seed: Integer, or None to draw one.
        **kwargs: `name`, `trainable`.

    Call arguments:
        inputs: List of queries, values and perhaps keys, as for `Attention`.
        mask: As for `Attention`.
        training: Whether dropout is active.

    Returns of a call:
        As for `Attention`.

    Raises:
        ValueError: If the inputs are not such a list.

    Example:
        >>> import numpy as np
        >>> value = np.array([[[1.0, 0.0], [0.0, 5.0]]])
        >>> AdditiveAttention()([np.zeros((1, 3, 2)), value]).shape
        (1, 3, 2)
    """

    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, seed=seed, **kwargs)

    def _create_weights(self, input_shape: Any) -> None:
        features = (input_shape[0][2],)
        self.scale = (
            self.add_weight(features, "glorot_uniform", "scale") if self.use_scale else None
        )
        self.concat_score_weight = None

    def _scores(self, query: Any, key: Any) -> Any:
        terms = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(key, 1))
        return ops.sum(terms if self.scale is None else terms * self.scale, axis=-1)
