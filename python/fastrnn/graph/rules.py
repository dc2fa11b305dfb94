"""What neighbours in a plan do better as one. A rule changes how values come about, not which."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from fastrnn.graph.plan import Plan, Step
from fastrnn.layers.activation import Activation
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.global_max_pooling1d import GlobalMaxPooling1D
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.masking import Masking
from fastrnn.layers.operation import Operation
from fastrnn.layers.softmax import Softmax
from fastrnn.layers.text_layer import TextLayer
from fastrnn.symbolic import map_shapes


def hand_tokens(plan: Plan) -> None:
    """Let an Embedding hand its tokens and its table to recurrent layers, if they alone read it.

    They project each distinct token once, no tensor of all vectors is made, and they return the
    gradient of the table (see `kernels.Embedded`). An Embedding with an activity regularizer makes
    the tensor, for its penalty.
    """
    for step in plan.steps:
        step.hands_tokens = (
            isinstance(step.layer, Embedding)
            and not step.layer.is_own_call
            and not step.layer.regularizes_activity
            and only_recurrent_layers_read(plan, step.results[0])
        )


def numbers_as_floats(plan: Plan) -> None:
    """Let layers of floats read the integers of a text layer as floats.

    An Embedding, another text layer, an operation and a layer of the user's take integers as they
    are. Others may not: a mean that is written into an array of integers is none.
    """
    for step in list(plan.steps):
        if not isinstance(step.layer, TextLayer) or step.layer.output_dtype != "int64":
            continue
        (slot,) = step.results
        readers = [each for each in plan.readers(slot) if not _takes_integers(each.layer)]
        if readers:
            (floats,) = plan.new_slots(1)
            layer = _Floats(name=f"{step.layer.name}_floats")
            layer.build(())
            cast = Step(layer, (slot,), (floats,))
            plan.steps.insert(plan.steps.index(step) + 1, cast)
        for each in readers:
            each.sources = tuple(floats if own == slot else own for own in each.sources)


def _takes_integers(layer: Layer) -> bool:
    return isinstance(layer, (Embedding, Operation, TextLayer)) or layer.traced is not None


class _Floats(Layer):
    """Makes float32 of integers, which have no gradient."""

    def call(self, x: np.ndarray, *args: Any, **options: Any) -> np.ndarray:
        return x.astype(np.float32)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        return x.astype(np.float32), None

    def backward(
        self, cache: None, d_y: Any, input_gradient: bool = True
    ) -> tuple[None, list[np.ndarray | None]]:
        return None, []


def only_recurrent_layers_read(plan: Plan, slot: int) -> bool:
    """Return whether layers that take tokens read a value as their sequences, and nobody else.

    Args:
        plan: The plan.
        slot: Where the value stands.
    """
    readers = plan.readers(slot)
    return (
        slot not in plan.outputs
        and bool(readers)
        and all(
            each.takes_tokens and each.sources[0] == slot and not each.masks for each in readers
        )
        and all(slot not in each.sources[1:] for each in readers)
    )


def score(plan: Plan, output: int, fused_activation: str | None) -> bool:
    """Let a loss see the scores before the activation at the end of the model, if it can.

    A sigmoid below its binary crossentropy and a softmax below its categorical crossentropy are
    computed with it: exact where probabilities have rounded to 0 or 1, as in Keras. Where others
    read the activation's output too, it stays as a step of its own.

    Args:
        plan: The plan, which is changed.
        output: Number of the model's output that the loss reads.
        fused_activation: The activation that the loss can see through, or None.

    Returns:
        Whether the output now holds the scores.
    """
    slot = plan.outputs[output]
    step = plan.maker(slot)
    if step is None or step.several or fused_activation is None:
        return False
    if step.output_activation != fused_activation:
        return False
    step.layer = step.layer.without_activation()
    if plan.readers(slot) or plan.outputs.count(slot) > 1:
        (scores,) = plan.new_slots(1)
        step.results = (scores,)
        activation = Activation(fused_activation, name=f"{step.layer.name}_activation")
        plan.steps.insert(plan.steps.index(step) + 1, Step(activation, (scores,), (slot,)))
        plan.outputs[output] = scores
    return True


def with_padding(layer: Layer) -> Layer:
    """Return the layer that takes the place of another where sequences of a list are padded.

    There no layer loses the mask of the padding. An Embedding and a Masking join their own masks
    with it: a token 0 may be padding, a word, or with `mask_zero` a step to skip. Pooling takes
    the largest of a sequence's own steps, and a softmax over the features needs no mask.

    Args:
        layer: The layer, whose weights the other one shares.
    """
    if layer.is_own_call:
        return layer
    if isinstance(layer, (Embedding, Masking)):
        return _joining(layer)
    if isinstance(layer, GlobalMaxPooling1D):
        return _with_attributes(layer, supports_masking=True, uses_mask=True)
    if isinstance(layer, Softmax):
        return _with_attributes(layer, supports_masking=True, uses_mask=False)
    return layer


def check_padding(plan: Plan, input_shape: Shape) -> None:
    """Refuse a layer that mixes the padding of a list's sequences into their own steps.

    Args:
        plan: The plan of a model with one input.
        input_shape: Shape of the input, batch first, with None for the steps.

    Raises:
        ValueError: If there is such a layer.
    """
    shapes: dict[int, Shape] = {plan.inputs[0]: input_shape}
    for step in plan.steps:
        given = [shapes[slot] for slot in step.sources]
        made = check_padding_of(step.layer, given if step.listed else given[0])
        shapes |= dict(zip(step.results, made, strict=True))


def check_padding_of(layer: Layer, given: Any) -> list[Shape]:
    """Return the shapes of a layer's outputs; refuse it if it mixes padding into other steps.

    Args:
        layer: The layer.
        given: Shape of its input, or a list of them; None for the steps.

    Raises:
        ValueError: If it does so.
    """
    padded = any(None in shape[1:] for shape in (given if isinstance(given, list) else [given]))
    made: list[Shape] = []
    if not padded or layer.takes_padding:
        map_shapes(made.append, layer.compute_output_shape(given))
    if not padded:
        return made
    own_of_result = not any(None in shape[1:] for shape in made)
    penalizes = layer.regularizes_activity and not (
        layer.activity_regularizer is not None and own_of_result
    )
    if penalizes or not layer.takes_padding:
        why = "its `activity_regularizer` counts" if penalizes else "it would mix in"
        raise ValueError(
            f"Layer '{layer.name}' (of type {type(layer).__name__}) takes no sequences of "
            f"differing lengths: {why} their padding. Give an array that you have padded, for "
            "example by `fastrnn.utils.pad_sequences`. A layer of yours that keeps the steps "
            "apart sets `supports_masking`."
        )
    return made


def _joining(layer: Layer) -> Layer:
    """Return a copy of a layer whose mask is the one that it makes and the one that it gets."""

    def compute_mask(inputs: Any, mask: Any = None) -> Any:
        own = layer.compute_mask(inputs)
        return mask if own is None else own if mask is None else own & mask

    twin = copy.copy(layer)
    twin.supports_masking = True
    vars(twin)["compute_mask"] = compute_mask
    return twin


def _with_attributes(layer: Layer, **attributes: Any) -> Layer:
    """Return a copy of a layer with other attributes."""
    twin = copy.copy(layer)
    vars(twin).update(attributes)
    return twin
