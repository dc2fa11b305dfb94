"""Exported models in ONNX Runtime, whose kernels are others', beside `predict`."""

from __future__ import annotations

from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers as L  # noqa: N812
from fastrnn.export.model import to_onnx
from fastrnn.symbolic import flatten

from support.graphs import in_structure

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

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


def masked(*layers: Any) -> Any:
    return chain(L.Input((None,)), L.Embedding(9, 3, mask_zero=True), *layers)
