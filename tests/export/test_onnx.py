"""Exported models give the same predictions in ONNX Runtime, whose kernels are others'."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import activations, ops
from fastrnn import layers as L  # noqa: N812
from fastrnn.export.model import to_onnx
from fastrnn.symbolic import flatten
from support.graphs import KINDS, in_structure, inputs_of

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

CELLS = [L.SimpleRNN, L.LSTM, L.GRU]
KIND_OF = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(bool)": np.bool_}


def chain(*layers: Any) -> Any:
    return fastrnn.Sequential(list(layers))


def with_random_weights(model: Any, rng: np.random.Generator) -> Any:
    for weight in model.weights:
        value = rng.normal(0, 0.5, weight.shape)
        weight.assign(np.abs(value) + 0.1 if "variance" in weight.name else value)
    return model


def run(model: Any, x: list[np.ndarray], **options: Any) -> list[np.ndarray]:
    """What ONNX Runtime makes of the exported model."""
    proto = to_onnx(model, **options)
    onnx.checker.check_model(proto, full_check=True)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    feed = {
        each.name: value.astype(KIND_OF[each.type])
        for each, value in zip(session.get_inputs(), x, strict=True)
    }
    found: list[np.ndarray] = session.run(None, feed)
    return found


def check(model: Any, rng: np.random.Generator, *x: np.ndarray) -> None:
    with_random_weights(model, rng)
    structure = model.inner_graph.input_structure
    want = flatten(model.predict(in_structure(list(x), structure), verbose=0))
    for got, expected in zip(run(model, list(x)), want, strict=True):
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-6)


@pytest.fixture
def tokens(rng: np.random.Generator) -> np.ndarray:
    """Padding in front, behind, in the middle, everywhere, and none."""
    found = rng.integers(1, 9, (5, 6))
    found[0, :3] = found[1, 4:] = found[2, 2] = found[3] = 0
    return found


def masked(*layers: Any) -> Any:
    return chain(L.Input((None,)), L.Embedding(9, 3, mask_zero=True), *layers)


@pytest.mark.parametrize("backwards", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("sequences", [False, True], ids=["last", "all"])
@pytest.mark.parametrize("cls", CELLS)
class TestRecurrentLayers:
    def test_without_a_mask(
        self, cls: Any, sequences: bool, backwards: bool, rng: np.random.Generator
    ) -> None:
        layer = cls(4, return_sequences=sequences, go_backwards=backwards)
        check(chain(L.Input((None, 3)), layer), rng, rng.normal(size=(4, 7, 3)))

    @pytest.mark.parametrize("zeros", [False, True])
    def test_masks_of_any_pattern(
        self,
        cls: Any,
        sequences: bool,
        backwards: bool,
        zeros: bool,
        tokens: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        options = {"return_sequences": sequences, "go_backwards": backwards}
        check(masked(cls(4, zero_output_for_mask=zeros, **options)), rng, tokens)

    @pytest.mark.parametrize("merge", ["concat", "sum", "mul", "ave"])
    def test_both_directions(
        self,
        cls: Any,
        sequences: bool,
        backwards: bool,
        merge: str,
        tokens: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        first, second = (
            cls(4, return_sequences=sequences, go_backwards=way)
            for way in (backwards, not backwards)
        )
        layer = L.Bidirectional(first, backward_layer=second, merge_mode=merge)
        check(masked(layer, L.Dense(2)), rng, tokens)


@pytest.mark.parametrize("cls", CELLS)
def test_states_go_in_and_out(cls: Any, tokens: np.ndarray, rng: np.random.Generator) -> None:
    source, target = L.Input((None,)), L.Input((None, 3))
    embedded = L.Embedding(9, 3, mask_zero=True)(source)
    last, *states = cls(4, return_state=True)(embedded)
    decoder = cls(4, return_sequences=True, return_state=True)
    outputs = decoder(target, initial_state=states)
    model = fastrnn.Model([source, target], [*outputs, last])
    check(model, rng, tokens, rng.normal(size=(5, 2, 3)))


def test_states_of_a_stack_go_to_their_cells(rng: np.random.Generator) -> None:
    x, *states = L.Input((None, 3)), L.Input((4,)), L.Input((4,)), L.Input((4,))
    stack = L.RNN([L.GRUCell(4), L.LSTMCell(4)], return_state=True, return_sequences=True)
    outputs = stack(L.Masking()(x), initial_state=[[states[0]], states[1:]])
    values = rng.normal(size=(5, 7, 3))
    values[0, :2] = values[1, 4:] = 0
    check(fastrnn.Model([x, *states], outputs), rng, values, *rng.normal(size=(3, 5, 4)))


def test_rows_without_steps_keep_their_initial_states(
    tokens: np.ndarray, rng: np.random.Generator
) -> None:
    source, first, counts = L.Input((None,)), L.Input((4,)), L.Input((None,), dtype="bool")
    embedded = L.Embedding(9, 3)(source)
    options = {"return_state": True, "return_sequences": True}
    outputs = L.GRU(4, **options)(embedded, initial_state=first, mask=counts)
    model = fastrnn.Model([source, first, counts], outputs)
    check(model, rng, tokens, rng.normal(size=(5, 4)), tokens > 0)


@pytest.mark.parametrize("layer", [
    L.GRU(4, reset_after=False),
    L.GRU(4, reset_after=False, use_bias=False),
    L.GRU(4, use_bias=False),
    L.LSTM(4, use_bias=False),
    L.RNN(L.LSTMCell(4), return_sequences=True),
    L.RNN([L.GRUCell(4), L.LSTMCell(3), L.SimpleRNNCell(2)], return_state=True),
    L.Bidirectional(L.LSTM(2, return_state=True, return_sequences=True)),
    L.Bidirectional(L.GRU(2), merge_mode=None),
], ids=lambda layer: layer.name)  # fmt: skip
def test_other_recurrent_layers(layer: Any, tokens: np.ndarray, rng: np.random.Generator) -> None:
    x = L.Input((None, 3))
    check(fastrnn.Model(x, layer(x)), rng, rng.normal(size=(4, 7, 3)))
    if getattr(layer, "merge_mode", "") is not None:
        x = L.Input((None, 3))
        check(fastrnn.Model(x, layer(L.Masking()(x))), rng, tokens[..., np.newaxis] * [1, 2, 1.5])


@pytest.mark.parametrize("name", [
    *("linear", "relu", "softsign", "softplus", "elu", "leaky_relu", "hard_sigmoid"),
    "hard_sigmoid_keras2",
])  # fmt: skip
@pytest.mark.parametrize("cls", CELLS)
def test_activations_of_cells(cls: Any, name: str, rng: np.random.Generator) -> None:
    of_gates = {} if cls is L.SimpleRNN else {"recurrent_activation": name}
    for layer in (cls(2, activation=name), cls(2, **of_gates)):
        check(chain(L.Input((3, 3)), layer), rng, rng.normal(0, 0.3, (4, 3, 3)))


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


OF_OPERATIONS = {"attention_by_operators", "functions", "masks_of_operations"}


@pytest.mark.parametrize("name", sorted(set(KINDS) - OF_OPERATIONS))
def test_graphs_of_every_shape(name: str, rng: np.random.Generator) -> None:
    model = KINDS[name](fastrnn)
    check(model, rng, *inputs_of(model, rng))


@pytest.mark.parametrize("name", sorted(OF_OPERATIONS))
def test_other_operations_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"there is no ONNX for `|for float32 alone"):
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


# ------------------------------------------------------------------------- the file and its names


def test_export_writes_a_file_with_the_models_names(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    words = L.Input((None,), name="words")
    hidden = L.Embedding(9, 3)(words)
    head = L.Dense(2, name="head")
    model = fastrnn.Model(words, [head(L.LSTM(4)(hidden)), head(L.GRU(4)(hidden))], name="two")
    path = tmp_path / "model.onnx"
    path.write_bytes(b"an older file")
    model.export(path, format="onnx")
    assert capsys.readouterr().out == ""
    assert [each.name for each in tmp_path.iterdir()] == ["model.onnx"]
    proto = onnx.load(path)
    assert proto.graph.name == "two"
    assert [each.version for each in proto.opset_import] == [17]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [(each.name, each.type) for each in session.get_inputs()] == [("words", "tensor(int32)")]
    assert [each.name for each in session.get_outputs()] == ["head", "head_1"]
    x = rng.integers(0, 9, (3, 5)).astype(np.int32)
    for got, want in zip(session.run(None, {"words": x}), model.predict(x, verbose=0), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    model.export(path, format="onnx", verbose=True)
    assert "model.onnx" in capsys.readouterr().out


@pytest.mark.parametrize("version", [17, 18, 20, 22, 23])
def test_versions_of_the_operators(
    version: int, tokens: np.ndarray, rng: np.random.Generator
) -> None:
    model = with_random_weights(
        masked(
            L.Bidirectional(L.GRU(3, return_sequences=True)),
            L.LayerNormalization(),
            L.LSTM(3, return_sequences=True, zero_output_for_mask=True),
            L.Conv1D(2, 2, padding="same"),
            L.ZeroPadding1D(1),
            L.AveragePooling1D(2),
            L.GlobalMaxPooling1D(),
        ),
        rng,
    )
    (got,) = run(model, [tokens], opset_version=version)
    with pytest.warns(UserWarning, match="does not support masks"):
        want = model.predict(tokens, verbose=0)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    assert to_onnx(model, version).opset_import[0].version == version


# --------------------------------------------------------------------------------------- refusals


class Mine(L.Dense):
    pass


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [Mine(2)],
            "Layer 'mine' cannot be exported to ONNX: there is no ONNX for layers of type Mine",
        ),
        ([L.Lambda(lambda x: x)], "no ONNX for layers of type Lambda"),
        ([L.Dense(2, activation="sparsemax")], "activation `sparsemax` cannot be exported"),
        ([L.LSTM(2, activation="selu")], "cell with the activation `selu` cannot be exported"),
        ([L.Softmax(axis=(1, 2))], "activation `softmax` cannot be exported to ONNX with these"),
        ([L.Masking(), L.Softmax()], "it has a mask, which cannot be exported"),
        ([L.TimeDistributed(Mine(2))], "no ONNX for layers of type Mine"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_onnx_does_not_have_is_refused(
    layers: list[Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"an older file")
    with pytest.raises(ValueError, match=re.escape(message)):
        chain(L.Input((5, 3)), *layers).export(path, format="onnx")
    assert path.read_bytes() == b"an older file"


def test_states_between_batches_and_training_are_refused() -> None:
    stateful = chain(L.Input(batch_shape=(2, 5, 3)), L.LSTM(2, stateful=True))
    with pytest.raises(ValueError, match="states that are kept between batches"):
        to_onnx(stateful)
    x = L.Input((3,))
    with pytest.raises(ValueError, match="called with `training=True`"):
        to_onnx(fastrnn.Model(x, L.Dropout(0.5)(x, training=True)))
    with pytest.raises(ValueError, match="must have a graph of layers to be exported"):
        to_onnx(chain(L.Dense(2)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "`format` must be 'onnx'. Received: format='tf_saved_model'"),
        ({"format": "litert"}, "Received: format='litert'"),
        ({"format": "onnx", "opset_version": 12}, "`opset_version` must be an integer from 17 to"),
        ({"format": "onnx", "opset_version": "17"}, "Received: opset_version='17'"),
        (
            {"format": "onnx", "input_signature": [1]},
            "`input_signature` of export is not supported",
        ),
        ({"format": "onnx", "opsetversion": 17}, "Did you mean `opset_version`?"),
    ],
    ids=str,
)
def test_bad_arguments(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        chain(L.Input((3,)), L.Dense(2)).export(tmp_path / "model.onnx", **options)
    assert list(tmp_path.iterdir()) == []


def test_without_onnx_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"needs onnx: `pip install onnx`"):
        chain(L.Input((3,)), L.Dense(2)).export(tmp_path / "model.onnx", format="onnx")
    assert list(tmp_path.iterdir()) == []
