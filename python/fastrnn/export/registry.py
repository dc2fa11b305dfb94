"""Which function exports which layer, and the walk over the steps of a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from fastrnn.export.builder import Builder, Tensor
from fastrnn.graph.graph import Graph
from fastrnn.graph.plan import Plan
from fastrnn.layers.layer import Layer
from fastrnn.symbolic import map_shapes


@dataclass(frozen=True)
class Call:
    """A call of a layer.

    Attributes:
        layer: The layer.
        inputs: Its inputs.
        listed: Whether the layer takes a list of them.
        mask: Names of the masks that its computation takes, one for each input; None for none.
        options: Further keyword arguments of the call.
    """

    layer: Any
    inputs: list[Tensor]
    listed: bool = False
    mask: list[str | None] = field(default_factory=list)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def input(self) -> Tensor:
        """The first input."""
        return self.inputs[0]


Exporter = Callable[[Builder, Call], str | list[str]]
MaskRule = Callable[[Builder, Call, list[str | None]], str | None]
AnyExporter = TypeVar("AnyExporter", bound=Exporter)
AnyRule = TypeVar("AnyRule", bound=MaskRule)

_EXPORTERS: dict[type[Layer], Exporter] = {}
_MASKS: dict[type[Layer], MaskRule] = {}
_TAKES_MASK: set[type[Layer]] = set()


def exports(
    *classes: type[Layer], takes_mask: bool = False
) -> Callable[[AnyExporter], AnyExporter]:
    """Return a decorator for the function that exports layers of some classes.

    The function appends the nodes of a call and returns the names of its outputs.

    Args:
        *classes: The classes; a subclass needs a function of its own.
        takes_mask: Whether it regards the masks of the inputs, where the layer does.
    """

    def register(function: AnyExporter) -> AnyExporter:
        _EXPORTERS.update(dict.fromkeys(classes, function))
        if takes_mask:
            _TAKES_MASK.update(classes)
        return function

    return register


def masks(*classes: type[Layer]) -> Callable[[AnyRule], AnyRule]:
    """Return a decorator for the function that returns the mask of a layer's first output.

    It stands for the layer's `compute_mask`, where that is not what all layers have.

    Args:
        *classes: The classes.
    """

    def register(function: AnyRule) -> AnyRule:
        _MASKS.update(dict.fromkeys(classes, function))
        return function

    return register


def export_call(builder: Builder, call: Call) -> list[Tensor]:
    """Append the nodes of a call of a layer and return its outputs.

    Args:
        builder: What collects them.
        call: The call; its inputs have the masks that came with them.

    Raises:
        ValueError: If the layer, or something about the call, cannot be said in ONNX.
    """
    layer = call.layer
    if layer.inner_graph is not None:
        return export_graph(builder, layer.inner_graph, call.inputs)
    function = _EXPORTERS.get(type(layer))
    if function is None:
        refuse(layer, f"there is no ONNX for layers of type {type(layer).__name__}")
    if layer.stateful:
        refuse(layer, "states that are kept between batches cannot be exported")
    if layer.uses_mask and any(call.mask) and type(layer) not in _TAKES_MASK:
        refuse(layer, "it has a mask, which cannot be exported for this layer")
    before, builder.scope = builder.scope, f"{builder.scope}/{layer.name}".lstrip("/")
    made = function(builder, call)
    names = [made] if isinstance(made, str) else made
    mask = _mask_above(builder, call)
    builder.scope = before
    shapes: list[Any] = []
    given = [each.shape for each in call.inputs]
    map_shapes(shapes.append, layer.compute_output_shape(given if call.listed else given[0]))
    return [
        Tensor(name, shape, mask if number == 0 else None)
        for number, (name, shape) in enumerate(zip(names, shapes, strict=True))
    ]


def export_graph(builder: Builder, graph: Graph, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Append the nodes of a graph and return its outputs.

    Args:
        builder: What collects them.
        graph: The graph.
        inputs: Its inputs.

    Raises:
        ValueError: As `export_call`.
    """
    return export_plan(builder, Plan(graph), inputs)


def export_plan(builder: Builder, plan: Plan, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Append the nodes of a plan and return its outputs; see `export_graph`."""
    values: dict[int, Tensor] = dict(zip(plan.inputs, inputs, strict=True))
    for step in plan.steps:
        if step.training:
            refuse(step.layer, "it is called with `training=True`")
        sources = [values[slot] for slot in step.sources]
        if step.masks is not None:
            own = [
                each.mask if slot is None else builder.add("Cast", values[slot], to="bool")
                for each, slot in zip(sources, step.masks, strict=True)
            ]
            sources = [
                Tensor(each.name, each.shape, mask) for each, mask in zip(sources, own, strict=True)
            ]
        told = step.masks is not None or not step.listed or step.layer.uses_masks_of_list
        mask = [each.mask if told else None for each in sources]
        call = Call(step.layer, sources, step.listed, mask, step.options)
        values |= zip(step.results, export_call(builder, call), strict=True)
    return [values[slot] for slot in plan.outputs]


def _mask_above(builder: Builder, call: Call) -> str | None:
    layer, given = call.layer, [each.mask for each in call.inputs]
    if not layer.supports_masking:
        return None
    rule = _MASKS.get(type(layer))
    if rule is not None:
        return rule(builder, call, given)
    if not any(given):
        return None
    if type(layer).compute_mask is not Layer.compute_mask or call.listed:
        refuse(layer, "it has a mask, which cannot be exported for this layer")
    return given[0]


def refuse(layer: Layer, why: str) -> NoReturn:
    """Refuse a layer.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"Layer '{layer.name}' cannot be exported to ONNX: {why}.")
