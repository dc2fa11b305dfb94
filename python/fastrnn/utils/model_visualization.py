"""Pictures of models: the graph of their layers, drawn by Graphviz through pydot."""

from __future__ import annotations

import os
from typing import Any

from fastrnn.utils.summary_utils import class_name

_HINT = (
    "needs pydot and Graphviz: `pip install pydot`, and Graphviz from your system's packages or "
    "https://graphviz.org/download/"
)


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Return the graph of a model's layers as a graph of pydot.

    A layer that is called several times is one node, with an edge for each tensor that it takes.

    Args:
        model: A model, built.
        show_shapes: Whether to write the shapes of inputs and outputs.
        show_dtype: Whether to write the type of the output.
        show_layer_names: Whether to write the layers' names beside their classes.
        rankdir: "TB" to draw from top to bottom, "LR" from left to right.
        expand_nested: Whether to draw models among the layers as clusters of their layers.
        dpi: Resolution.
        subgraph: Whether to return a cluster, to be put into another graph.
        show_layer_activations: Whether to write the activations.
        show_trainable: Whether to write which layers are trainable.
        splines: How Graphviz draws edges: "ortho", "curved", "line", "polyline", "spline".
        **kwargs: `layer_range` is not supported.

    Returns:
        A `pydot.Dot`, or a `pydot.Cluster` with `subgraph`.

    Raises:
        ImportError: If pydot is not installed.
        ValueError: If the model is not built, or an argument is not known.

    Example:
        >>> import fastrnn
        >>> from fastrnn import layers
        >>> model = fastrnn.Sequential([layers.Input((5, 2)), layers.GRU(3)])
        >>> print(model_to_dot(model, show_shapes=True))  # doctest: +SKIP
    """
    unknown = {name: value for name, value in kwargs.items() if value is not None}
    if unknown:
        raise ValueError(f"`model_to_dot` got arguments that it does not know: {sorted(unknown)}")
    try:
        import pydot
    except ImportError as error:
        raise ImportError(f"`model_to_dot` {_HINT}") from error
    if not model.built:
        raise ValueError(f"`model` must be built, to know its layers' shapes. Received: {model!r}")
    write = _Labels(
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable
    )
    name = f"cluster_{model.name}" if subgraph else model.name
    made = pydot.Cluster(name, label=model.name) if subgraph else pydot.Dot(name)
    made.set("rankdir", rankdir)
    made.set("dpi", str(dpi))
    made.set("splines", splines)
    made.set_node_defaults(shape="record")
    _draw(pydot, made, model, write, expand_nested)
    return made


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> None:
    """Draw the graph of a model's layers into a file.

    Args:
        model: A model, built.
        to_file: Name of the file, whose end tells the format: png, svg, pdf.
        show_shapes: As in `model_to_dot`.
        show_dtype: As in `model_to_dot`.
        show_layer_names: As in `model_to_dot`.
        rankdir: As in `model_to_dot`.
        expand_nested: As in `model_to_dot`.
        dpi: As in `model_to_dot`.
        show_layer_activations: As in `model_to_dot`.
        show_trainable: As in `model_to_dot`.
        splines: As in `model_to_dot`.
        **kwargs: As in `model_to_dot`.

    Raises:
        ImportError: If pydot or Graphviz is not installed.
        ValueError: If the model is not built, or an argument is not known.

    Example:
        >>> import fastrnn
        >>> from fastrnn import layers
        >>> model = fastrnn.Sequential([layers.Input((5, 2)), layers.GRU(3)])
        >>> plot_model(model, "model.png", show_shapes=True)  # doctest: +SKIP
    """
    dot = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
        **kwargs,
    )
    name = os.fspath(to_file)
    end = os.path.splitext(name)[1].lstrip(".") or "png"
    try:
        dot.write(name, format=end)
    except (FileNotFoundError, OSError) as error:  # pydot found no program `dot`
        if os.path.isdir(os.path.dirname(name) or "."):
            raise ImportError(f"`plot_model` {_HINT}") from error
        raise


class _Labels:
    """What is written into the node of a layer."""

    def __init__(
        self, shapes: bool, dtype: bool, names: bool, activations: bool, trainable: bool
    ) -> None:
        self._shapes = shapes
        self._dtype = dtype
        self._names = names
        self._activations = activations
        self._trainable = trainable

    def of(self, layer: Any, node: Any) -> str:
        """Return the label of a layer, in the language of Graphviz's records."""
        title = class_name(layer)
        title = f"{layer.name} ({title})" if self._names else title
        parts = [title]
        if self._activations and hasattr(layer, "activation"):
            parts.append(f"activation: {getattr(layer.activation, '__name__', layer.activation)}")
        if self._dtype:
            parts.append(f"dtype: {node.outputs[0].dtype}")
        if self._shapes:
            shapes = [tensor.shape for tensor in node.outputs]
            if node.inputs:
                parts.append(f"input: {_texts([tensor.shape for tensor in node.inputs])}")
            parts.append(f"output: {_texts(shapes)}")
        if self._trainable and layer.weights:
            parts.append("trainable" if layer.trainable else "not trainable")
        escaped = [part.replace("<", r"\<").replace(">", r"\>") for part in parts]
        return "{" + "|".join(escaped) + "}"


def _texts(shapes: list[Any]) -> str:
    return ", ".join(str(shape) for shape in shapes)


def _draw(
    pydot: Any, made: Any, model: Any, write: _Labels, expand_nested: bool, prefix: str = ""
) -> dict[str, str]:
    """Draw layers and edges; return the node from which edges to each layer's readers begin."""
    graph = model.inner_graph
    leaving: dict[str, str] = {}
    entering: dict[str, str] = {}
    for layer in graph.members:
        key = f"{prefix}{layer.name}"
        if expand_nested and layer.inner_graph is not None:
            cluster = pydot.Cluster(f"cluster_{key}", label=layer.name)
            inner = _draw(pydot, cluster, layer, write, expand_nested, f"{key}/")
            made.add_subgraph(cluster)
            entering[layer.name] = f"{key}/{layer.inner_graph.inputs[0].node.layer.name}"
            leaving[layer.name] = inner[layer.inner_graph.outputs[0].node.layer.name]
        else:
            label = write.of(layer, graph.nodes_of(layer)[0])
            made.add_node(pydot.Node(_quoted(key), label=_quoted(label)))
            entering[layer.name] = leaving[layer.name] = key
    for node in graph.nodes_as_made():
        for tensor in node.parents:
            ends = leaving[tensor.node.layer.name], entering[node.layer.name]
            made.add_edge(pydot.Edge(*map(_quoted, ends)))
    return leaving


def _quoted(text: str) -> str:
    return '"' + text.replace('"', r"\"") + '"'
