"""Pictures of models: nodes and edges; what is needed for them."""

from __future__ import annotations

import sys
from pathlib import Path

import fastrnn
import pytest
from fastrnn import layers
from fastrnn.utils import model_to_dot, plot_model


def encoder_decoder() -> fastrnn.Model:
    source, target = fastrnn.Input((None, 3), name="source"), fastrnn.Input((None, 2), name="goal")
    _, h, c = layers.LSTM(4, return_state=True, name="encoder")(source)
    outputs = layers.LSTM(4, return_sequences=True, name="decoder")(target, initial_state=[h, c])
    head = fastrnn.Sequential(
        [layers.Input((None, 4)), layers.Dense(2, "softmax", name="scores")], name="head"
    )
    return fastrnn.Model([source, target], head(outputs))


def edges(dot: object) -> list[tuple[str, str]]:
    found = [(e.get_source().strip('"'), e.get_destination().strip('"')) for e in dot.get_edges()]
    return sorted(found)


def test_there_is_a_node_for_each_layer_and_an_edge_for_each_tensor() -> None:
    pytest.importorskip("pydot")
    dot = model_to_dot(encoder_decoder(), show_shapes=True, show_layer_activations=True)
    assert edges(dot) == [
        ("decoder", "head"),
        ("encoder", "decoder"),
        ("encoder", "decoder"),
        ("goal", "decoder"),
        ("source", "encoder"),
    ]
    labels = {node.get_name().strip('"'): node.get_label() for node in dot.get_nodes()}
    assert "decoder (LSTM)" in labels["decoder"]
    assert "output: (None, None, 4)" in labels["decoder"]
    assert "activation: tanh" in labels["decoder"]


def test_models_among_the_layers_may_be_clusters() -> None:
    pytest.importorskip("pydot")
    dot = model_to_dot(encoder_decoder(), expand_nested=True, show_trainable=True)
    (cluster,) = dot.get_subgraphs()
    inside = [node.get_name().strip('"') for node in cluster.get_nodes()]
    assert "head/scores" in inside
    assert [end for start, end in edges(dot) if start == "decoder"] == [edges(cluster)[0][0]]


def test_without_pydot_or_graphviz_the_error_names_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = encoder_decoder()
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(ImportError, match="pydot and Graphviz"):
        plot_model(model, tmp_path / "model.png")
    monkeypatch.undo()
    pytest.importorskip("pydot")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ImportError, match="pydot and Graphviz"):
        plot_model(model, tmp_path / "model.png")


def test_bad_input() -> None:
    pytest.importorskip("pydot")
    with pytest.raises(ValueError, match="must be built"):
        model_to_dot(fastrnn.Sequential([layers.GRU(2)]))
    with pytest.raises(ValueError, match="does not know"):
        model_to_dot(encoder_decoder(), layer_range=["a", "b"])
