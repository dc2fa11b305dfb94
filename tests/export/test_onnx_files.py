"""The files that `Model.export` writes, their names, and what is refused."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers as L  # noqa: N812
from fastrnn.export.model import to_onnx
from support.exported import chain, masked, onnx, onnxruntime, run, with_random_weights

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
