"""The layers around recurrent ones as ONNX operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.export.activations import activation
from fastrnn.export.builder import Builder, Tensor, integers
from fastrnn.export.registry import Call, export_call, exports, masks, refuse
from fastrnn.layers.activation import Activation
from fastrnn.layers.activity_regularization import ActivityRegularization
from fastrnn.layers.alpha_dropout import AlphaDropout
from fastrnn.layers.cropping1d import Cropping1D
from fastrnn.layers.dense import Dense
from fastrnn.layers.dropout import Dropout
from fastrnn.layers.elu import ELU
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.flatten import Flatten
from fastrnn.layers.gaussian_dropout import GaussianDropout
from fastrnn.layers.gaussian_noise import GaussianNoise
from fastrnn.layers.identity import Identity
from fastrnn.layers.leaky_relu import LeakyReLU
from fastrnn.layers.masking import Masking
from fastrnn.layers.permute import Permute
from fastrnn.layers.prelu import PReLU
from fastrnn.layers.relu import ReLU
from fastrnn.layers.repeat_vector import RepeatVector
from fastrnn.layers.reshape import Reshape
from fastrnn.layers.softmax import Softmax
from fastrnn.layers.spatial_dropout1d import SpatialDropout1D
from fastrnn.layers.time_distributed import TimeDistributed
from fastrnn.layers.up_sampling1d import UpSampling1D
from fastrnn.layers.zero_padding1d import ZeroPadding1D

_LAST = np.iinfo(np.int64).max
"""The end of a slice that leaves nothing out."""


@exports(
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    Identity,
    SpatialDropout1D,
)
def _nothing(builder: Builder, call: Call) -> str:
    return call.input.name


@exports(Activation, ReLU, LeakyReLU, ELU, Softmax)
def _elementwise(builder: Builder, call: Call) -> str:
    layer = call.layer
    return activation(builder, call.input.name, layer.activation.__name__, **layer._arguments)


@exports(PReLU)
def _prelu(builder: Builder, call: Call) -> str:
    return builder.add("PRelu", call.input, builder.weight(call.layer.alpha))


# ------------------------------------------------------------------------------- with weights


@exports(Dense)
def _dense(builder: Builder, call: Call) -> str:
    layer = call.layer
    y = builder.add("MatMul", call.input, builder.weight(layer.kernel))
    if layer.bias is not None:
        y = builder.add("Add", y, builder.weight(layer.bias))
    return activation(builder, y, layer.activation.__name__)


@exports(Embedding)
def _embedding(builder: Builder, call: Call) -> str:
    tokens = builder.add("Cast", call.input, to="int64")
    return builder.add("Gather", builder.weight(call.layer.embeddings), tokens, axis=0)


@masks(Embedding)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    if not call.layer.mask_zero:
        return None
    tokens = builder.add("Cast", call.input, to="int64")
    return builder.add("Not", builder.add("Equal", tokens, np.int64(0)))


# ----------------------------------------------------------------------------- with other shapes


@exports(Flatten)
def _flatten(builder: Builder, call: Call) -> str:
    x, rank = call.input.name, len(call.input.shape)
    if call.layer.data_format == "channels_first" and rank > 2:
        x = builder.add("Transpose", x, perm=[0, *range(2, rank), 1])
    return builder.add("Reshape", x, integers(0, -1))


@exports(Reshape)
def _reshape(builder: Builder, call: Call) -> str:
    return builder.add("Reshape", call.input, integers(0, *call.layer.target_shape))


@exports(Permute)
def _permute(builder: Builder, call: Call) -> str:
    return builder.add("Transpose", call.input, perm=[0, *call.layer.dims])


@exports(RepeatVector)
def _repeat_vector(builder: Builder, call: Call) -> str:
    steps = builder.add("Unsqueeze", call.input, integers(1))
    return builder.add("Expand", steps, integers(1, call.layer.n, 1))


@exports(UpSampling1D)
def _up_sampling1d(builder: Builder, call: Call) -> str:
    steps = builder.add("Unsqueeze", call.input, integers(2))
    copies = builder.add("Expand", steps, integers(1, 1, call.layer.size, 1))
    features = _known(call.layer, call.input.shape[2:])
    return builder.add("Reshape", copies, integers(0, -1, *features))


@exports(ZeroPadding1D)
def _zero_padding1d(builder: Builder, call: Call) -> str:
    front, behind = call.layer.padding
    axis = call.layer._axis
    counts = [0] * 6
    counts[axis], counts[3 + axis] = front, behind
    return builder.add("Pad", call.input, integers(*counts), 0.0)


@exports(Cropping1D)
def _cropping1d(builder: Builder, call: Call) -> str:
    front, behind = call.layer.cropping
    end = -behind if behind else _LAST
    return builder.add("Slice", call.input, integers(front), integers(end), integers(1))


@exports(Masking)
def _masking(builder: Builder, call: Call) -> str:
    counts = builder.add("Unsqueeze", _not_masked(builder, call), integers(-1))
    return builder.add("Where", counts, call.input, 0.0)


@masks(Masking)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    return _not_masked(builder, call)


def _not_masked(builder: Builder, call: Call) -> str:
    other = builder.add("Not", builder.add("Equal", call.input, float(call.layer.mask_value)))
    number = builder.add(
        "ReduceSum", builder.add("Cast", other, to="int64"), integers(-1), keepdims=0
    )
    return builder.add("Greater", number, np.int64(0))


@exports(TimeDistributed, takes_mask=True)
def _time_distributed(builder: Builder, call: Call) -> str:
    layer, x = call.layer, call.input
    if layer.layer.uses_mask and any(call.mask):
        refuse(layer, "a mask for the layer inside cannot be exported")
    rows = builder.add("Reshape", x, integers(-1, *_known(layer, x.shape[2:])))
    (y,) = export_call(builder, Call(layer.layer, [Tensor(rows, (x.shape[0], *x.shape[2:]))]))
    shape = builder.add("Slice", builder.add("Shape", x), integers(0), integers(2))
    if sizes := _known(layer, y.shape[1:]):
        shape = builder.add("Concat", shape, integers(*sizes), axis=0)
    return builder.add("Reshape", y, shape)


def _known(layer: Any, sizes: Sequence[int | None]) -> list[int]:
    """Return sizes, of which none may be open."""
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        refuse(layer, f"the sizes of a step must be known. Received: {tuple(sizes)}")
    return known
