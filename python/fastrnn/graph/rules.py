"""What neighbours in a plan do better as one. A rule changes how values come about, not which."""

from __future__ import annotations

import copy
from typing import Any

from fastrnn.graph.plan import Plan, Step
from fastrnn.layers.activation import Activation
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.layer import Layer
from fastrnn.layers.masking import Masking


def hand_tokens(plan: Plan) -> None:
    """Let an Embedding hand its tokens and its table to recurrent layers, if they alone read it.

    They project each distinct token once, no tensor of all vectors is made, and they return the
    gradient of the table (see `kernels.Embedded`). An Embedding with an activity regularizer makes
    the tensor, for its penalty.
    """
    for step in plan.steps:
        (result, *_) = step.results
        readers = plan.readers(result)
        step.hands_tokens = (
            isinstance(step.layer, Embedding)
            and not step.layer.regularizes_activity
            and result not in plan.outputs
            and bool(readers)
            and all(
                each.layer.takes_tokens and each.sources[0] == result and not each.masks
                for each in readers
            )
            and all(result not in each.sources[1:] for each in readers)
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
    if step.layer.output_activation != fused_activation:
        return False
    step.layer = step.layer.without_activation()
    if plan.readers(slot) or plan.outputs.count(slot) > 1:
        (scores,) = plan.new_slots(1)
        step.results = (scores,)
        activation = Activation(fused_activation, name=f"{step.layer.name}_activation")
        plan.steps.insert(plan.steps.index(step) + 1, Step(activation, (scores,), (slot,)))
        plan.outputs[output] = scores
    return True


def pass_padding(plan: Plan) -> None:
    """Let no layer lose the mask of the padding of sequences of differing lengths.

    An Embedding and a Masking make their masks from their inputs alone. Here they join them with
    the mask of the padding: a token 0 may be padding, a word, or with `mask_zero` a step to skip.
    """
    for step in plan.steps:
        if isinstance(step.layer, (Embedding, Masking)):
            step.layer = _joining(step.layer)


def _joining(layer: Layer) -> Layer:
    """Return a copy of a layer whose mask is the one that it makes and the one that it gets."""

    def compute_mask(inputs: Any, mask: Any = None) -> Any:
        own = layer.compute_mask(inputs)
        return mask if own is None else own if mask is None else own & mask

    twin = copy.copy(layer)
    twin.supports_masking = True
    vars(twin)["compute_mask"] = compute_mask
    return twin
