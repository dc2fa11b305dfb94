"""The layers around recurrent ones, and graphs, give the same results when exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import activations, ops
from fastrnn import layers as L  # noqa: N812
from fastrnn.export.model import to_onnx
from support.exported import chain, check, masked
from support.graphs import KINDS, inputs_of

NO_ONNX = {"glu", "sparse_plus", "sparse_sigmoid", "sparsemax", "threshold"}
ACTIVATIONS = sorted(
    name
    for name in activations.__all__
    if isinstance(getattr(activations, name), activations.Activation)
)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - NO_ONNX))
def test_activations(name: str, rng: np.random.Generator) -> None:
    layer = L.Dense(4, activation=name)
    check(chain(L.Input((5, 3)), layer, L.Activation(name)), rng, rng.normal(size=(4, 5, 3)))


LAYERS: dict[str, Callable[[], Any]] = {
    text: eval(f"lambda: L.{text}", {"L": L})
    for text in [
        "ReLU()",
        "ReLU(max_value=0.5)",
        "ReLU(max_value=1.0, negative_slope=0.1, threshold=0.3)",
        "LeakyReLU(0.2)",
        "ELU(0.7)",
        "Softmax(axis=1)",
        "PReLU()",
        "PReLU(shared_axes=[1])",
        "Flatten()",
        "Flatten('channels_first')",
        "Reshape((2, -1))",
        "Permute((2, 1))",
        "UpSampling1D(3)",
        "ZeroPadding1D((1, 2))",
        "ZeroPadding1D(2, data_format='channels_first')",
        "Cropping1D((2, 1))",
        "Cropping1D((2, 0))",
        "LayerNormalization()",
        "LayerNormalization(axis=(1, 2))",
        "LayerNormalization(axis=1, center=False)",
        "BatchNormalization()",
        "BatchNormalization(axis=1, scale=False, center=False)",
        "RMSNormalization()",
        "RMSNormalization(axis=(1, 2))",
        "UnitNormalization()",
        "UnitNormalization(axis=1)",
        "GroupNormalization(3)",
        "GroupNormalization(-1, center=False)",
        "GroupNormalization(7, axis=1)",
        "AlphaDropout(0.5)",
        "ActivityRegularization(0.1)",
        "SeparableConv1D(4, 3, depth_multiplier=2, activation='tanh')",
        "SeparableConv1D(4, 2, padding='same', data_format='channels_first')",
        "DepthwiseConv1D(3, dilation_rate=2, depth_multiplier=2)",
        "DepthwiseConv1D(2, strides=2, padding='same', use_bias=False)",
        "GlobalAveragePooling1D()",
        "GlobalAveragePooling1D(keepdims=True)",
        "GlobalAveragePooling1D('channels_first')",
        "GlobalMaxPooling1D()",
        "GlobalMaxPooling1D(keepdims=True)",
        "GlobalMaxPooling1D('channels_first', keepdims=True)",
        "Dropout(0.5)",
        "SpatialDropout1D(0.5)",
        "GaussianNoise(0.5)",
        "GaussianDropout(0.5)",
        "Identity()",
        "Masking(0.5)",
        "TimeDistributed(L.Dense(2))",
        "TimeDistributed(L.RepeatVector(3))",
        "MaxPooling1D(2)",
        "MaxPooling1D(3, strides=1, padding='same')",
        "MaxPooling1D(3, strides=2, padding='same')",
        "AveragePooling1D(2, strides=1, padding='same')",
        "AveragePooling1D(3, strides=2, padding='same')",
        "AveragePooling1D(3, data_format='channels_first')",
        "Conv1D(4, 3, activation='gelu')",
        "Conv1D(4, 2, padding='same', dilation_rate=2)",
        "Conv1D(4, 3, padding='same', strides=2, groups=2)",
        "Conv1D(4, 2, padding='causal', strides=2, use_bias=False)",
        "Conv1D(4, 3, padding='causal', dilation_rate=2)",
        "Conv1D(4, 3, padding='same', data_format='channels_first')",
    ]
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str, rng: np.random.Generator) -> None:
    check(chain(L.Input((7, 6)), LAYERS[name]()), rng, rng.normal(size=(4, 7, 6)))


@pytest.mark.parametrize("layers", [
    [L.Dense(3), L.Dropout(0.5), L.GRU(2)],
    [L.TimeDistributed(L.Dense(2)), L.BatchNormalization(), L.LayerNormalization(), L.LSTM(2)],
    [L.LSTM(3, return_sequences=True), L.Bidirectional(L.SimpleRNN(2, return_sequences=True))],
    [L.Activation("tanh"), L.ReLU(), L.Masking(0.7), L.GRU(2)],
    [L.Conv1D(2, 2), L.LSTM(2)],
], ids=lambda layers: "-".join(layer.name for layer in layers))  # fmt: skip
@pytest.mark.filterwarnings("ignore:Layer 'conv1d.*does not support masks")  # as meant here
def test_masks_pass_as_in_predict(
    layers: list[Any], tokens: np.ndarray, rng: np.random.Generator
) -> None:
    check(masked(*layers), rng, tokens)


def test_pooling_leaves_masked_steps_out(tokens: np.ndarray, rng: np.random.Generator) -> None:
    some = tokens[[0, 1, 2, 4]]  # the mean of no step is none
    check(masked(L.GRU(3, return_sequences=True), L.GlobalAveragePooling1D()), rng, some)
    check(masked(L.GlobalAveragePooling1D(keepdims=True), L.Dense(2)), rng, some)


ATTENTIONS = {
    "dot": lambda: L.Attention(use_scale=True),
    "concat": lambda: L.Attention(score_mode="concat", use_scale=True),
    "additive": L.AdditiveAttention,
    "additive without scale": lambda: L.AdditiveAttention(use_scale=False),
}


@pytest.mark.parametrize("kind", ATTENTIONS)
@pytest.mark.parametrize("how", ["plain", "masked", "causal"])
def test_attention(kind: str, how: str, rng: np.random.Generator) -> None:
    query, value = L.Input((None, 6)), L.Input((None, 6))
    x, y = rng.normal(size=(4, 7, 6)), rng.normal(size=(4, 7, 6))
    read = [query, value]
    if how == "masked":
        x[0, 2] = x[1, 4:] = y[1, :3] = y[2, 6] = 0
        read = [L.Masking()(each) for each in read]
    options = {"use_causal_mask": True} if how == "causal" else {}
    check(fastrnn.Model([query, value], ATTENTIONS[kind]()(read, **options)), rng, x, y)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("options", [
    {},
    {"value_dim": 2, "use_bias": False},
    {"output_shape": 4, "use_gate": True, "dropout": 0.5},
], ids=str)  # fmt: skip
def test_attention_of_several_heads(
    options: dict[str, Any], causal: bool, rng: np.random.Generator
) -> None:
    query, value, key = L.Input((None, 6)), L.Input((None, 5)), L.Input((None, 7))
    layer = L.MultiHeadAttention(2, 3, **options)
    model = fastrnn.Model([query, value, key], layer(query, value, key, use_causal_mask=causal))
    sizes = ((4, 7, 6), (4, 5, 5), (4, 5, 7))
    check(model, rng, *[rng.normal(size=size) for size in sizes])
    x = L.Input((None, 6))
    model = fastrnn.Model(x, L.MultiHeadAttention(2, 3, **options)(x, x))
    check(model, rng, rng.normal(size=(4, 7, 6)))


def test_masks_and_scores_of_several_heads_are_refused() -> None:
    x = L.Input((7, 6))
    masked = L.Masking()(x)
    with pytest.raises(ValueError, match="it has a mask, which cannot be exported"):
        to_onnx(fastrnn.Model(x, L.MultiHeadAttention(2, 3)(masked, masked)))
    outputs = L.MultiHeadAttention(2, 3)(x, x, return_attention_scores=True)
    with pytest.raises(ValueError, match="an attention mask and the scores cannot be exported"):
        to_onnx(fastrnn.Model(x, outputs))
    with pytest.raises(ValueError, match="without a sliding window"):
        to_onnx(fastrnn.Model(x, L.MultiHeadAttention(2, 3, sliding_window=2)(x, x)))


MERGES: dict[str, Callable[[], Any]] = {
    "Add": L.Add,
    "Subtract": L.Subtract,
    "Multiply": L.Multiply,
    "Average": L.Average,
    "Maximum": L.Maximum,
    "Minimum": L.Minimum,
    "Concatenate": L.Concatenate,
    "Concatenate of steps": lambda: L.Concatenate(axis=1),
    "Dot of features": lambda: L.Dot(2),
    "Dot of steps, normalized": lambda: L.Dot(1, normalize=True),
    "Dot of two axes": lambda: L.Dot((2, 2), normalize=True),
}


@pytest.mark.parametrize("name", MERGES)
def test_merges(name: str, rng: np.random.Generator) -> None:
    x = [L.Input((7, 6)), L.Input((7, 6))]
    check(fastrnn.Model(x, MERGES[name]()(x)), rng, *rng.normal(size=(2, 4, 7, 6)))


@pytest.mark.parametrize("layer", [L.Add(), L.Multiply(), L.Dot((2, 1))], ids=lambda x: x.name)
def test_merges_of_two_ranks(layer: Any, rng: np.random.Generator) -> None:
    x = [L.Input((7, 6)), L.Input((6,))]
    model = fastrnn.Model(x, layer(x))
    check(model, rng, rng.normal(size=(4, 7, 6)), rng.normal(size=(4, 6)))


@pytest.mark.parametrize("name", sorted(set(MERGES) - {each for each in MERGES if "Dot" in each}))
@pytest.mark.parametrize("both", [False, True])
def test_masks_of_merges(name: str, both: bool, rng: np.random.Generator) -> None:
    x = [L.Input((7, 6)), L.Input((7, 6))]
    first, second = L.Masking()(x[0]), L.Masking()(x[1]) if both else x[1]
    values = rng.normal(size=(2, 4, 7, 6))
    values[0, 0, :3] = values[0, 1, 2] = values[1, 2, 5:] = values[1, 0, :2] = 0
    merged = MERGES[name]()([first, second])
    check(fastrnn.Model(x, [merged, L.LSTM(3)(merged)]), rng, *values)


REFUSED = {
    "attention_by_operators": "there is no ONNX for `einsum`",
    "attention_of_heads": "it has a mask, which cannot be exported",
    "functions": "there is no ONNX for `split`",
    "masks_of_operations": "is exported for float32 alone",
}


@pytest.mark.parametrize("name", sorted(set(KINDS) - set(REFUSED)))
def test_graphs_of_every_shape(name: str, rng: np.random.Generator) -> None:
    model = KINDS[name](fastrnn)
    check(model, rng, *inputs_of(model, rng))


@pytest.mark.parametrize("name", REFUSED)
def test_other_graphs_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=REFUSED[name]):
        to_onnx(KINDS[name](fastrnn))


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "arithmetic": lambda x, y: -(x + y) * 2 - y / 3 + 1 - 0.5 * x,
    "powers": lambda x, y: x**2 + ops.square(y) + ops.sqrt(ops.abs(x) + 1),
    "products": lambda x, y: x @ ops.transpose(y, (0, 2, 1)),
    "the last step": lambda x, y: x[:, -1] + y[:, 2, :],
    "slices": lambda x, y: x[:, 1:-1:2, ::-1] + y[:, :3],
    "slices to the front": lambda x, y: x[:, ::-2][..., :2] * y[:, 3::-1, -2:],
    "new axes": lambda x, y: x[:, None, 1] + y[:, 2:3, :][:, :, :, None],
    "sums": lambda x, y: (
        ops.sum(x, axis=1) + ops.mean(y, axis=-2) * ops.mean(x, (1, 2), True)[:, 0]
    ),
    "sums that keep axes": lambda x, y: x - ops.mean(y, axis=1, keepdims=True),
    "shapes": lambda x, y: ops.reshape(ops.squeeze(ops.expand_dims(x, 1), axis=1), (-1, 21)),
    "functions": lambda x, y: ops.tanh(x) + ops.sigmoid(y) + ops.exp(-ops.relu(x)),
    "choices": lambda x, y: ops.maximum(x, y) - ops.minimum(x, 0.1),
    "softmax": lambda x, y: ops.concatenate([ops.softmax(x, axis=1), ops.softmax(y)], axis=-1),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str, rng: np.random.Generator) -> None:
    x = [L.Input((7, 3)), L.Input((7, 3))]
    outputs = [OPERATIONS[name](*x), L.Dense(2)(x[1])]
    check(fastrnn.Model(x, outputs), rng, *rng.normal(size=(2, 4, 7, 3)))


def test_models_inside_share_their_weights(rng: np.random.Generator) -> None:
    inner = chain(L.Input((5, 3)), L.LSTM(4, return_sequences=True), L.Dense(2))
    first, second = L.Input((5, 3)), L.Input((5, 3))
    model = fastrnn.Model([first, second], L.Concatenate()([inner(first), inner(second)]))
    check(model, rng, *rng.normal(size=(2, 4, 5, 3)))
    sizes = [int(np.prod(each.dims)) for each in to_onnx(model).graph.initializer]
    assert sum(sizes) < model.count_params() + 4 * 4 + 10  # the bias of an LSTM stands there twice
    steps = L.Input((6, 5, 3))
    check(fastrnn.Model(steps, L.TimeDistributed(inner)(steps)), rng, rng.normal(size=(2, 6, 5, 3)))
