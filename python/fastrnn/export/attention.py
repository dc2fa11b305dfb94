"""Layers of attention as ONNX operators."""

from __future__ import annotations

from typing import Any

from fastrnn.export.activations import activation
from fastrnn.export.builder import Builder, Tensor, integers
from fastrnn.export.registry import Call, exports, masks, refuse
from fastrnn.layers.attention import FAR, AdditiveAttention, Attention
from fastrnn.layers.multi_head_attention import MultiHeadAttention


@exports(Attention, AdditiveAttention, takes_mask=True)
def _attention(builder: Builder, call: Call) -> str:
    if set(call.options) - {"use_causal_mask"}:
        refuse(call.layer, f"there is no ONNX for the arguments {sorted(call.options)}")
    query, value, key = (*call.inputs, call.inputs[1])[:3]
    of_query, of_value = call.mask[:2]
    scores = _scores(builder, call.layer, query, key)
    if of_value is not None:
        scores = _far(builder, scores, builder.add("Unsqueeze", of_value, integers(1)))
    if call.options.get("use_causal_mask"):
        scores = _without_later(builder, scores)
    weights = builder.add("Softmax", scores, axis=-1)
    result = builder.add("MatMul", weights, value)
    if of_query is not None:
        counts = builder.add("Cast", builder.add("Unsqueeze", of_query, integers(-1)), to="float32")
        result = builder.add("Mul", result, counts)
    return result


def _without_later(builder: Builder, scores: str) -> str:
    """Return scores `[..., queries, steps]` that are far below the others for later steps."""
    ones = builder.add("Expand", 1.0, builder.add("Shape", scores))
    lower = builder.add("Trilu", ones, upper=0)
    return _far(builder, scores, builder.add("Cast", lower, to="bool"))


def _far(builder: Builder, scores: str, counts: str) -> str:
    """Return scores that are far below the others where something does not count."""
    return builder.add("Where", counts, scores, builder.add("Sub", scores, float(FAR)))


def _scores(builder: Builder, layer: Any, query: Tensor, key: Tensor) -> str:
    scale = None if layer.scale is None else builder.weight(layer.scale)
    if type(layer) is Attention and layer.score_mode == "dot":
        scores = builder.add("MatMul", query, builder.add("Transpose", key, perm=[0, 2, 1]))
        return scores if scale is None else builder.add("Mul", scores, scale)
    together = builder.add(
        "Add",
        builder.add("Unsqueeze", query, integers(2)),
        builder.add("Unsqueeze", key, integers(1)),
    )
    if scale is not None and type(layer) is Attention:
        together = builder.add("Mul", together, scale)
    terms = builder.add("Tanh", together)
    if scale is not None and type(layer) is AdditiveAttention:
        terms = builder.add("Mul", terms, scale)
    scores = builder.add("ReduceSum", terms, integers(-1), keepdims=0)
    if layer.concat_score_weight is None:
        return scores
    return builder.add("Mul", scores, builder.weight(layer.concat_score_weight))


@masks(Attention, AdditiveAttention)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    return given[0]


@exports(MultiHeadAttention)
def _multi_head_attention(builder: Builder, call: Call) -> str:
    layer = call.layer
    if set(call.options) - {"use_causal_mask"} or len(call.inputs) > 3:
        refuse(layer, "an attention mask and the scores cannot be exported")
    if len(call.input.shape) != 3 or layer.sliding_window or len(layer.output_dense.sizes) > 1:
        refuse(layer, "it is exported for (batch, steps, features), and without a sliding window")
    query, value, key = (*call.inputs, call.inputs[1])[:3]
    q, k, v = (
        builder.add("Transpose", _heads(builder, projection, each), perm=order)
        for projection, each, order in (
            (layer.query_dense, query, [0, 2, 1, 3]),
            (layer.key_dense, key, [0, 2, 3, 1]),
            (layer.value_dense, value, [0, 2, 1, 3]),
        )
    )
    scores = builder.add("MatMul", builder.add("Mul", q, float(layer.key_dim**-0.5)), k)
    if call.options.get("use_causal_mask"):
        scores = _without_later(builder, scores)
    context = builder.add("MatMul", builder.add("Softmax", scores, axis=-1), v)
    context = builder.add("Transpose", context, perm=[0, 2, 1, 3])
    if layer.use_gate:
        context = builder.add("Mul", context, _heads(builder, layer._gate_dense, query))
    joined = builder.add("Reshape", context, integers(0, 0, layer.num_heads * layer.value_dim))
    return _projected(builder, layer.output_dense, joined)


def _heads(builder: Builder, projection: Any, x: Tensor) -> str:
    """Return the heads of x, `[batch, steps, heads, size]`."""
    y = _projected(builder, projection, x)
    return builder.add("Reshape", y, integers(0, 0, *projection.sizes))


def _projected(builder: Builder, projection: Any, x: str | Tensor) -> str:
    """Return `[batch, steps, all sizes]`."""
    kernel = builder.weight(projection.kernel, "_matrix", projection._as_matrix())
    y = builder.add("MatMul", x, kernel)
    if projection.bias is not None:
        bias = projection.bias.value.reshape(-1)
        y = builder.add("Add", y, builder.weight(projection.bias, "_vector", bias))
    return activation(builder, y, projection.activation.__name__)
