"""Models as ONNX files (Open Neural Network Exchange), which many programs run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import is_integer
from fastrnn.export import (  # noqa: F401  they register what they export
    attention,
    layers,
    merges,
    normalization,
    operations,
    recurrent,
    windows,
)
from fastrnn.export.builder import Builder, OnnxNode, Tensor
from fastrnn.export.registry import export_plan
from fastrnn.files.atomic import replace_file
from fastrnn.graph.plan import Plan
from fastrnn.layers.embedding import Embedding
from fastrnn.symbolic import KerasTensor

OLDEST_OPSET = 17
"""The operators that are used are the same in all later versions of the standard."""
_MOST_BYTES = 2**31 - 1
"""A file of Protocol Buffers is smaller than 2 GiB."""


def export_onnx(
    model: Any, filepath: str | os.PathLike[str], opset_version: int | None = None
) -> None:
    """Write a model as an ONNX file, in one step: an old file stays until the new one is whole.

    Args:
        model: The model, built.
        filepath: Name of the file.
        opset_version: Version of the operators, from 17 on; None for 17, which most programs know.

    Raises:
        ImportError: If onnx is not installed.
        ValueError: If the model has no graph, or something in it that ONNX does not have.
        OSError: If the file cannot be written.
    """
    replace_file(filepath, to_onnx(model, opset_version).SerializeToString())


def to_onnx(model: Any, opset_version: int | None = None) -> Any:
    """Return a model as an `onnx.ModelProto`; see `export_onnx` for the arguments."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            "`export` to ONNX needs onnx: `pip install onnx`, or `pip install fastrnn[onnx]`."
        ) from error
    newest = onnx.defs.onnx_opset_version()
    version = OLDEST_OPSET if opset_version is None else opset_version
    if not is_integer(version) or not OLDEST_OPSET <= version <= newest:
        raise ValueError(
            f"`opset_version` must be an integer from {OLDEST_OPSET} to {newest}. "
            f"Received: opset_version={opset_version!r}"
        )
    if not model.built or model._graph is None:
        raise ValueError(
            f"The model '{model.name}' must have a graph of layers to be exported: make it of "
            "inputs and outputs, or a Sequential with an `Input`."
        )
    builder = Builder()
    graph = model.inner_graph
    plan = Plan(graph)
    kinds = [_kind_of(plan, number, tensor) for number, tensor in enumerate(graph.inputs)]
    inputs = [Tensor(builder.new_name(tensor.name), tensor.shape) for tensor in graph.inputs]
    names = [builder.new_name(name) for name in _each_own(model.output_names)]
    outputs = export_plan(builder, plan, inputs)
    for name, output in zip(names, outputs, strict=True):
        builder.nodes.append(OnnxNode("Identity", f"output {name}", [output.name], [name]))
    if sum(each.nbytes for each in builder.constants.values()) > _MOST_BYTES:
        raise ValueError("The weights must have less than 2 GiB, the most that an ONNX file holds.")
    made = onnx.helper.make_graph(
        [_as_proto(onnx, node) for node in builder.nodes],
        model.name,
        [_described(onnx, *each) for each in zip(inputs, kinds, strict=True)],
        [
            _described(onnx, Tensor(name, output.shape), "float32")
            for name, output in zip(names, outputs, strict=True)
        ],
        [onnx.numpy_helper.from_array(value, name) for name, value in builder.constants.items()],
    )
    opsets = [onnx.helper.make_opsetid("", version)]
    found = onnx.helper.make_model(
        made,
        opset_imports=opsets,
        ir_version=onnx.helper.find_min_ir_version_for(opsets),
        producer_name="fastrnn",
    )
    onnx.checker.check_model(found)
    return found


def _kind_of(plan: Plan, number: int, tensor: KerasTensor) -> str:
    """Return the type of an input: tokens are int32, as `pad_sequences` makes them."""
    if plan.takes_texts(number):
        raise ValueError(
            "A model of texts cannot be exported to ONNX: export the layers behind the one that "
            f"makes numbers of them, as a model of their own. Received: input '{tensor.name}'"
        )
    kind = np.dtype(tensor.dtype)
    if kind.kind == "f":
        readers = plan.readers(plan.inputs[number])
        return "int32" if any(type(step.layer) is Embedding for step in readers) else "float32"
    return kind.name


def _each_own(names: Sequence[str]) -> list[str]:
    """Return names that differ: the second of one name gets a number."""
    times: Counter[str] = Counter()
    own = []
    for name in names:
        own.append(f"{name}_{times[name]}" if times[name] else name)
        times[name] += 1
    return own


def _described(onnx: Any, tensor: Tensor, kind: str) -> Any:
    sizes = ["batch" if axis == 0 else None for axis in range(len(tensor.shape))]
    shape = [size if size is not None else sizes[axis] for axis, size in enumerate(tensor.shape)]
    return onnx.helper.make_tensor_value_info(tensor.name, _type_of(onnx, kind), shape)


def _type_of(onnx: Any, kind: str) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind)))


def _as_proto(onnx: Any, node: OnnxNode) -> Any:
    attributes = dict(node.attributes)
    if node.operator == "Cast":
        attributes["to"] = _type_of(onnx, attributes["to"])
    return onnx.helper.make_node(
        node.operator, node.inputs, node.outputs, name=node.name, **attributes
    )
