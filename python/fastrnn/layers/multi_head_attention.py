"""Attention of several heads, each with projections of its own (Vaswani et al., 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn import constraints, initializers, regularizers
from fastrnn.arguments import (
    check_seed,
    own_arguments,
    positive_integer,
    refuse_unsupported,
)
from fastrnn.layers.arguments import drawn_anew, integers_or_none, plain_value
from fastrnn.layers.calls import running_call
from fastrnn.layers.dot_product_attention import Tape, attend, attend_backward, weights_of
from fastrnn.layers.dropout import draw_mask, generator_of, rate_of
from fastrnn.layers.head_projection import HeadProjection
from fastrnn.layers.heads import Heads
from fastrnn.layers.inputs import as_numbers
from fastrnn.layers.layer import Layer
from fastrnn.layers.serialization import serializable
from fastrnn.symbolic import has_symbolic, is_shape
from fastrnn.tracing import is_tracing


class _Cache(NamedTuple):
    """What `forward` keeps for `backward`.

    Attributes:
        passes: Output and cache of each projection, in the order of `_sublayers`.
        tape: That of the attention of the heads.
        context: The sums of values, as the output's projection takes them, before the gate.
        has_scores: Whether the weights were returned too.
        inputs: Number of inputs.
    """

    passes: list[tuple[np.ndarray, Any]]
    tape: Tape
    context: np.ndarray
    has_scores: bool
    inputs: int


@serializable("keras.layers")
class MultiHeadAttention(Layer):
    """Sums values by the softmax of products of queries and keys, for several heads at once.

    Each head projects queries and keys to `key_dim` features and values to `value_dim`, and
    computes `softmax(q k' / sqrt(key_dim)) v`. A last projection joins the heads (Vaswani et al.,
    2017, section 3.2.2).

    Args:
        num_heads: Number of heads.
        key_dim: Size of a head's queries and keys.
        value_dim: Size of a head's values; None for `key_dim`.
        dropout: Share of the weights of values that is dropped in training.
        use_bias: Whether the projections have biases.
        output_shape: Size of the output's last dimension, or sizes of its last dimensions; None
            for that of the queries.
        attention_axes: Dimension or dimensions that are attended over; None for all between the
            batch and the features.
        sliding_window: A query takes the steps that are less than this number of steps away; None
            for all steps.
        flash_attention: Not supported.
        kernel_initializer: First value of the projections' kernels.
        bias_initializer: First value of their biases.
        kernel_regularizer: Adds a penalty on the kernels to the loss.
        bias_regularizer: Adds a penalty on the biases to the loss.
        activity_regularizer: Adds a penalty on the output of each projection, divided by the size
            of the batch, to the loss.
        kernel_constraint: Projects the kernels after each update.
        bias_constraint: Projects the biases after each update.
        use_gate: Whether the sums of values are multiplied with the sigmoid of another projection
            of the queries (Qiu et al., 2025).
        seed: Integer, or None to draw one.
        **kwargs: `name`, `trainable`.

    Call arguments:
        query: `[batch, queries, features]`.
        value: `[batch, steps, features]`.
        key: `[batch, steps, features]`; None for the values.
        query_mask: `[batch, queries]`. What a query of False sees has no meaning. (Keras 3.15.1
            takes only the mask that comes with the queries.)
        value_mask: `[batch, steps]`, False where no query takes a value.
        key_mask: The same for the keys.
        attention_mask: Which query takes which step: of a shape that broadcasts to `[batch, heads,
            queries, steps]`; of three dimensions to `[batch, queries, steps]`.
        return_attention_scores: Whether the weights of the values are returned too.
        training: Whether dropout is active.
        use_causal_mask: Whether query i takes the values up to step i alone.

    Returns of a call:
        Array `[batch, queries, features]`; with `return_attention_scores` a tuple of it and the
        weights `[batch, heads, queries, steps]`. In a graph the mask of the queries goes on.

    Raises:
        ValueError: If an argument is not valid, the inputs do not fit each other, or a layer with
            `activity_regularizer` is called inside the `call` of another.

    Example:
        >>> import numpy as np
        >>> query, value = np.zeros((2, 3, 8)), np.zeros((2, 5, 4))
        >>> y, scores = MultiHeadAttention(2, 6)(query, value, return_attention_scores=True)
        >>> y.shape, scores.shape
        ((2, 3, 8), (2, 2, 3, 5))
    """

    takes_list = True
    supports_masking = True
    uses_mask = True
    finds_masks = True
    takes_masks_off = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        flash_attention = flash_attention or None  # Keras's default is no too
        refuse_unsupported("MultiHeadAttention", own_arguments(locals()), {"flash_attention": None})
        super().__init__(**kwargs)
        self.num_heads = positive_integer("num_heads", num_heads)
        self.key_dim = positive_integer("key_dim", key_dim)
        self.value_dim = self.key_dim
        if value_dim is not None:
            self.value_dim = positive_integer("value_dim", value_dim)
        self.dropout = rate_of("dropout", dropout)
        self.use_bias = bool(use_bias)
        self.attention_axes = integers_or_none("attention_axes", attention_axes)
        self.sliding_window = sliding_window
        if sliding_window is not None:
            self.sliding_window = positive_integer("sliding_window", sliding_window)
        self.use_gate = bool(use_gate)
        self.seed = check_seed(seed)
        self._generator = generator_of(self.seed)
        # An `output_shape` of every layer is what it computes.
        self._last_sizes = integers_or_none("output_shape", output_shape) or None
        if any(size < 1 for size in self._last_sizes or ()):
            raise ValueError(
                f"`output_shape` must hold positive integers. Received: output_shape={output_shape}"
            )
        self._of_projections = {
            "kernel_initializer": initializers.get(kernel_initializer),
            "bias_initializer": initializers.get(bias_initializer),
            "kernel_regularizer": regularizers.get(kernel_regularizer),
            "bias_regularizer": regularizers.get(bias_regularizer),
            "activity_regularizer": regularizers.get(activity_regularizer),
            "kernel_constraint": constraints.get(kernel_constraint),
            "bias_constraint": constraints.get(bias_constraint),
        }

    @property
    def takes_padding(self) -> bool:
        """False: the steps of two sequences would have to be told apart."""
        return False

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        config = self._shared_config()
        for name in self._argument_names():
            if name == "output_shape":
                config[name] = self._last_sizes
            elif name in self._of_projections:
                config[name] = plain_value(self._of_projections[name])
            elif name != "flash_attention":  # Keras does not write it either
                config[name] = getattr(self, name)
        return config

    # ------------------------------------------------------------------------ shapes, building

    def check_input_shape(self, shape: Any) -> None:
        """Refuse inputs that are not queries, values and keys that fit each other.

        Args:
            shape: List of shapes, batch first.

        Raises:
            ValueError: If they are not.
        """
        if is_shape(shape) or len(shape) < 2:
            raise ValueError(
                f"Layer '{self.name}' must be called on queries and values, and perhaps keys: "
                f"`layer(query, value, key)`. Received: shape={shape}"
            )
        query, value, key = (*shape, shape[1])[:3]
        if not len(query) == len(value) == len(key) >= 3:
            raise ValueError(
                f"Queries, values and keys of layer '{self.name}' must have as many dimensions, at "
                f"least 3: (batch, steps, features). Received: shapes {query}, {value}, {key}"
            )
        pairs = zip(value[:-1], key[:-1], strict=True)
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            raise ValueError(
                f"Values and keys of layer '{self.name}' must have equal shapes but for the last "
                f"size. Received: shapes {value} of the values and {key} of the keys"
            )
        Heads(len(query), self.attention_axes).check(self.name, query, value)
        for layer, its in zip(self._sublayers(), self._shapes_of_projections(shape), strict=False):
            layer.check_input_shape(its)

    def build(
        self, input_shape: Any = None, value_shape: Any = None, key_shape: Any = None
    ) -> None:
        """Make the weights, unless they exist.

        Args:
            input_shape: Shape of the queries; or a list of it and the two others.
            value_shape: Shape of the values.
            key_shape: Shape of the keys; None for that of the values.
        """
        super().build(_listed(input_shape, value_shape, key_shape))

    def compute_output_shape(
        self, input_shape: Any, value_shape: Any = None, key_shape: Any = None
    ) -> Any:
        """Return the shape of the output.

        Args:
            input_shape: Shape of the queries; or a list of it and the two others.
            value_shape: Shape of the values.
            key_shape: Shape of the keys; None for that of the values.
        """
        shapes = _listed(input_shape, value_shape, key_shape)
        self.check_input_shape(shapes)
        query = tuple(shapes[0])
        return (*query[:-1], *(self._last_sizes or query[-1:]))

    def output_shape_of_call(
        self, input_shape: Any, return_attention_scores: bool = False, **options: Any
    ) -> Any:
        """Return the shape of the output, and that of the weights if they are returned.

        Args:
            input_shape: List of the shapes of queries, values and keys.
            return_attention_scores: Whether the weights are returned.
            **options: Further keyword arguments of the call.
        """
        output = self.compute_output_shape(input_shape)
        if not return_attention_scores:
            return output
        heads = Heads(len(input_shape[0]), self.attention_axes)
        return output, heads.shape_of_scores(self.num_heads, *input_shape[:2])

    def _create_weights(self, input_shape: Any) -> None:
        rank = len(input_shape[0])
        self.attention_axes = Heads(rank, self.attention_axes).axes  # Keras's config has it so
        keys, values = (self.num_heads, self.key_dim), (self.num_heads, self.value_dim)
        # The names of attributes and layers are those of Keras's files, the order that of weights.
        self.query_dense = self._projection("query", 1, keys)
        self.key_dense = self._projection("key", 1, keys)
        if self.use_gate:
            self._gate_dense = self._projection("gate", 1, values, "sigmoid")
        self.value_dense = self._projection("value", 1, values)
        last = self._last_sizes or (input_shape[0][-1],)
        self.output_dense = self._projection("attention_output", 2, last)
        shapes = self._shapes_of_projections(input_shape)
        for layer, shape in zip(self._sublayers(), shapes, strict=True):
            layer.build(shape)

    def _projection(
        self, name: str, summed: int, sizes: tuple[int, ...], activation: str | None = None
    ) -> HeadProjection:
        options = {key: drawn_anew(value) for key, value in self._of_projections.items()}
        layer = HeadProjection(
            summed,
            sizes,
            activation,
            name=name,
            trainable=self.trainable,
            use_bias=self.use_bias,
            **options,
        )
        layer.scope = f"{self.scope}{self.name}/"
        return layer

    def _shapes_of_projections(self, shape: Any) -> list[Any]:
        """Return the shape of the input of each projection, in the order of `_sublayers`."""
        query, value, key = (*shape, shape[1])[:3]
        gate = [query] if self.use_gate else []
        return [query, key, *gate, value, (*query[:-1], self.num_heads, self.value_dim)]

    def _sublayers(self) -> tuple[HeadProjection, ...]:
        names = ("query_dense", "key_dense", "_gate_dense", "value_dense", "output_dense")
        return tuple(vars(self)[name] for name in names if name in vars(self))

    # ---------------------------------------------------------------------------------- the call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to arrays or symbolic tensors; see the class for the arguments."""
        inside = is_tracing() or running_call() is not None
        if inside and self._of_projections["activity_regularizer"] is not None:
            raise ValueError(
                f"Layer '{self.name}' with an `activity_regularizer` cannot be called inside the "
                "`call` of another layer: the penalty would not be counted."
            )
        inputs, options = _as_list(*args, **kwargs)
        result = super().__call__(inputs, **options)
        if has_symbolic(*inputs):
            given = {key: value for key, value in kwargs.items() if value is not None}
            self._inbound_nodes[-1].arguments = args, given
        return result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the queries.

        Args:
            inputs: What the layer is called on.
            mask: List of masks, or None.
        """
        return None if mask is None else mask[0]

    def _checked_arguments(
        self,
        x: Any,
        training: Any = None,
        mask: Any = None,
        attention_mask: Any = None,
        **options: Any,
    ) -> tuple[Any, dict[str, Any]]:
        self.check_input_shape([each.shape for each in x])
        names, masks = ("query_mask", "value_mask", "key_mask"), []
        for name, own, array in zip(names, mask or (), x, strict=False):
            own = None if own is None else as_numbers(own, name) != 0
            if own is not None and own.shape != array.shape[: max(own.ndim, 2)]:
                raise ValueError(
                    f"`{name}` of layer '{self.name}' must have the shape {array.shape[:2]}, "
                    f"(batch, steps). Received: shape={own.shape}"
                )
            masks.append(own)
        if attention_mask is not None:
            attention_mask = as_numbers(attention_mask, "attention_mask")
        checked = {"training": bool(training), "mask": masks or None}
        return (), {**checked, "attention_mask": attention_mask, **options}

    # ------------------------------------------------------------------------------ computation

    def forward(
        self,
        x: list[np.ndarray],
        training: bool = False,
        mask: Any = None,
        attention_mask: Any = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
    ) -> tuple[Any, _Cache]:
        """Compute the sums, and keep what the backward pass needs.

        Args:
            x: Queries, values and keys, and perhaps an attention mask.
            training: Whether dropout is active.
            mask: List of the masks of the inputs, each an array or None; or None.
            attention_mask: One that is the same for every batch, or None.
            use_causal_mask: Whether query i takes the values up to step i alone.
            return_attention_scores: Whether the weights are returned too.
        """
        query, value, key = x[:3]
        heads = Heads(query.ndim, self.attention_axes)
        below = [query, key, *([query] if self.use_gate else []), value]
        passes = [
            layer.forward(each) for layer, each in zip(self._sublayers(), below, strict=False)
        ]
        q, k, v = (heads.split(passes[number][0]) for number in (0, 1, -1))
        q = q * np.float32(self.key_dim**-0.5)
        shape = heads.shape_of_scores(self.num_heads, query.shape, value.shape)
        attention_masks = [x[3] if len(x) > 3 else None, attention_mask]
        counts = heads.counts(
            self.name, shape, mask, attention_masks, use_causal_mask, self.sliding_window
        )
        # Where no step counts, Keras takes the mean of the values; but nothing if it has to make
        # the weights as an array.
        zeros = bool(self.dropout) or return_attention_scores or query.ndim > 3
        weights, noise = weights_of(q, k, counts, zeros), None
        if training and self.dropout:
            noise = draw_mask(self._generator, weights.shape, self.dropout)
        tape = Tape(q, k, v, counts, weights, noise)
        context = heads.join(attend(tape), query.shape)
        passes.append(
            self.output_dense.forward(context * passes[2][0] if self.use_gate else context)
        )
        y, cache = passes[-1][0], _Cache(passes, tape, context, return_attention_scores, len(x))
        return ((y, weights.reshape(shape)) if return_attention_scores else y), cache

    def backward(
        self, cache: _Cache, d_y: Any, input_gradient: bool = True
    ) -> tuple[list[np.ndarray | None] | None, list[np.ndarray | None]]:
        """Go back through `forward`.

        Args:
            cache: What `forward` returned.
            d_y: Gradient of the output; with `return_attention_scores` a list of it and that of
                the weights, each may be None.
            input_gradient: Whether the gradients of the inputs are wanted.
        """
        d_output, d_scores = d_y if cache.has_scores else (d_y, None)
        heads = Heads(cache.passes[0][1].x.ndim, self.attention_axes)
        layers = self._sublayers()
        found: dict[str, Any] = {}  # gradients of input and weights, by the names of projections

        def back(number: int, d: np.ndarray | None, of_input: bool = input_gradient) -> Any:
            """Go back through a projection and return the gradient of its input."""
            y, its = cache.passes[number]
            layer = layers[number]
            d = layer.add_activity_gradient(d, y)
            if d is None:
                found[layer.name] = None, [None] * len(layer.weights)
            else:
                found[layer.name] = layer.backward(its, np.ascontiguousarray(d), of_input)
            return found[layer.name][0]

        d_context = back(len(layers) - 1, d_output, True)
        if self.use_gate:
            gate = cache.passes[2][0]
            back(2, None if d_context is None else d_context * cache.context)
            d_context = None if d_context is None else d_context * gate
        d_query, d_key, d_value = attend_backward(
            cache.tape,
            None if d_context is None else heads.split(d_context),
            None if d_scores is None else d_scores.reshape(cache.tape.weights.shape),
        )
        scale = np.float32(self.key_dim**-0.5)
        for number, d in ((0, d_query * scale), (1, d_key), (len(layers) - 2, d_value)):
            back(number, None if d is None else heads.join(d, cache.passes[number][0].shape))
        of_weights = [d for layer in layers for d in found[layer.name][1]]
        if not input_gradient:
            return None, of_weights
        d_queries = found["query"][0]
        if self.use_gate and found["gate"][0] is not None:
            d_queries = d_queries + found["gate"][0]
        d_inputs = [d_queries, found["value"][0], found["key"][0]]
        return [*d_inputs, *[None] * (cache.inputs - 3)], of_weights

    def activity_penalty(self, y: Any, cache: _Cache) -> float:
        """Return what the regularizers of the projections' outputs add to the loss.

        Args:
            y: Output of `forward`.
            cache: The cache that `forward` returned with it.
        """
        passes = zip(self._sublayers(), cache.passes, strict=True)
        return sum(layer.activity_penalty(output, None) for layer, (output, _) in passes)


def _as_list(
    query: Any,
    value: Any,
    key: Any = None,
    query_mask: Any = None,
    value_mask: Any = None,
    key_mask: Any = None,
    attention_mask: Any = None,
    return_attention_scores: bool = False,
    training: bool | None = None,
    use_causal_mask: bool = False,
) -> tuple[list[Any], dict[str, Any]]:
    """Return the inputs of a call in one list, and its other arguments as those of `forward`."""
    inputs = [query, value, value if key is None else key]
    masks = [query_mask, value_mask, key_mask]
    options: dict[str, Any] = {"training": training}
    if has_symbolic(attention_mask) or (attention_mask is not None and not has_symbolic(query)):
        inputs.append(attention_mask)
        masks.append(None)
    elif attention_mask is not None:  # one array for all batches
        options["attention_mask"] = np.asarray(attention_mask)
    if any(mask is not None for mask in masks):
        options["mask"] = masks
    if use_causal_mask:
        options["use_causal_mask"] = True
    if return_attention_scores:
        options["return_attention_scores"] = True
    return inputs, options


def _listed(shape: Any, value_shape: Any, key_shape: Any) -> Any:
    """Return the shapes of queries, values and keys in one list."""
    if value_shape is None:
        return shape
    return [shape, value_shape, value_shape if key_shape is None else key_shape]
