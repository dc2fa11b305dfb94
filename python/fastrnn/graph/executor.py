"""Runs a plan: forward over its steps, and back with gradients summed where paths meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn import kernels
from fastrnn.graph.one_hot import as_tokens_if_one_hot
from fastrnn.graph.plan import Plan, Step
from fastrnn.graph.rules import (
    hand_tokens,
    numbers_as_floats,
    only_recurrent_layers_read,
    with_padding,
)
from fastrnn.layers.calls import take_extras, warn_of_lost_mask
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.layer import Layer
from fastrnn.symbolic import flatten
from fastrnn.table_gradient import table_gradient
from fastrnn.variable import Variable


class Passed(NamedTuple):
    """What a plan made of a batch.

    Attributes:
        outputs: The outputs.
        masks: The mask of each, or None.
        caches: What `backward` needs of each step; empty if there will be no `backward`.
        penalty: What the activity regularizers of the layers add to the loss.
    """

    outputs: list[np.ndarray]
    masks: list[np.ndarray | None]
    caches: list[Any]
    penalty: float


class Executor:
    """A plan as one function with a backward pass.

    Args:
        plan: The plan, to which no further rule will be applied.
        trained: The weights whose gradients are wanted. A weight that the outputs of
            `with_gradient` do not depend on gets none.
        input_gradient: Whether the gradients of the inputs are wanted too.
        with_gradient: The outputs that `backward` gets gradients for; by default all.
        pads: Whether masks of the inputs are those of the padding of a list's sequences, which no
            layer may lose; else they are masks in Keras's sense.

    Attributes:
        variables: The weights that `backward` returns gradients for, in the order of `trained`.
        stages: For each step of the backward pass the places of the variables whose gradients are
            complete after it.
    """

    def __init__(
        self,
        plan: Plan,
        trained: Sequence[Variable] = (),
        input_gradient: bool = False,
        with_gradient: Sequence[int] | None = None,
        pads: bool = False,
    ) -> None:
        numbers_as_floats(plan)
        hand_tokens(plan)
        self.plan = plan
        self._pads = pads
        self._steps = [_Prepared(step) for step in plan.steps]
        self._takes_masks_off = any(step.layer.takes_masks_off for step in plan.steps)
        self._free_after_last_use()
        # Inputs that may go on as tokens; their own gradient would be that of the table.
        self._may_be_tokens = {
            slot
            for slot in plan.inputs
            if not input_gradient and only_recurrent_layers_read(plan, slot)
        }
        self._with_gradient = range(len(plan.outputs)) if with_gradient is None else with_gradient
        self.variables: list[Variable] = []
        self._backward: list[tuple[int, _Prepared]] = []
        self._prepare_backward(trained, input_gradient)

    def _free_after_last_use(self) -> None:
        """Let each value go after the last step that takes it, unless it is an output."""
        seen = set(self.plan.outputs)
        for step in reversed(self._steps):
            slots = {*step.sources, *step.results}
            slots.update(slot for slot in step.masks or () if slot is not None)
            step.frees = sorted(slots - seen)
            seen |= slots

    def _prepare_backward(self, trained: Sequence[Variable], input_gradient: bool) -> None:
        """Find the steps that gradients go through, and where those of the weights go."""
        wanted = {id(variable) for variable in trained}
        # Going up: which values depend on a trained weight or on an input whose gradient counts.
        depends = set(self.plan.inputs) if input_gradient else set[int]()
        for step in self._steps:
            step.trains = any(id(variable) in wanted for variable in step.layer.weights)
            step.passes_on = [slot in depends for slot in step.sources]
            step.input_gradient = any(step.passes_on)
            if step.trains or step.input_gradient:
                depends.update(step.results)
        # Going down: which values the outputs depend on.
        needed = {self.plan.outputs[number] for number in self._with_gradient}
        reached: set[int] = set()
        for index in reversed(range(len(self._steps))):
            step = self._steps[index]
            if needed.intersection(step.results) and depends.intersection(step.results):
                needed.update(step.sources)
                self._backward.append((index, step))
                reached.update(id(variable) for variable in step.layer.weights)
        self.variables = [variable for variable in trained if id(variable) in reached]
        places = {id(variable): place for place, variable in enumerate(self.variables)}
        last: dict[int, int] = {}
        for number, (_, step) in enumerate(self._backward):
            step.targets = [places.get(id(variable)) for variable in step.layer.weights]
            if step.takes_tokens:  # the gradients of initial states come in any case
                step.input_gradient = step.passes_on[0]
            last.update((place, number) for place in step.targets if place is not None)
        self.stages = [
            [place for place, own in last.items() if own == number]
            for number in range(len(self._backward))
        ]

    def infer(
        self,
        inputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None] | None = None,
        training: bool | None = False,
        pads: bool = False,
    ) -> Passed:
        """Return the outputs and their masks without keeping tapes.

        Args:
            inputs: The inputs.
            masks: Their masks, or None.
            training: Whether dropout is active; None for what each call of a layer said.
            pads: Whether the masks are those of padding, also without `pads` of the executor.
        """
        return self._run(inputs, masks, training, keeps=False, pads=pads)

    def forward(
        self,
        inputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None] | None = None,
        training: bool = True,
    ) -> Passed:
        """Return the outputs, their masks, and each step's cache for `backward`."""
        return self._run(inputs, masks, training, keeps=True)

    def _run(
        self,
        inputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None] | None,
        training: bool | None,
        keeps: bool,
        pads: bool = False,
    ) -> Passed:
        values: list[Any] = [None] * self.plan.slots
        marks: list[Any] = [None] * self.plan.slots
        # The masks that calls find on their inputs: not those that an attention has taken off.
        found = [None] * self.plan.slots if self._takes_masks_off else marks
        for number, slot in enumerate(self.plan.inputs):
            x = inputs[number]
            values[slot] = as_tokens_if_one_hot(x) if keeps and slot in self._may_be_tokens else x
            if masks is not None:
                marks[slot] = found[slot] = masks[number]
        caches: list[Any] = []
        penalty = 0.0
        padded = (pads or self._pads) and masks is not None
        for step in self._steps:
            layer = step.padded_layer if padded else step.layer
            known = marks if step.mask_is_argument else found
            if step.is_plain:
                x, mask = values[step.sources[0]], known[step.sources[0]]
            else:
                x, mask = step.gathered(values, known)
            mask_above: Any = None
            if step.is_own_call:  # its call makes the masks
                pass
            elif layer.supports_masking:
                mask_above = layer.compute_mask(x, mask)
            elif mask is not None:
                warn_of_lost_mask(layer)
            trains = bool(step.training) if training is None else training
            cache: Any = None
            if step.hands_tokens:
                x = step.embedding.tokens_of(x)
                y: Any = kernels.Embedded(x, step.embedding.embeddings.value)
                cache = x
            else:
                arguments = (
                    (x, trains, mask)
                    if (step.padded_uses_mask if padded else step.uses_mask)
                    else (x, trains)
                )
                if keeps or step.penalizes:  # the penalty needs what only `forward` keeps
                    y, cache = layer.run(*arguments, **step.options)
                else:
                    y = layer.infer(*arguments, **step.options)
            if step.is_own_call:
                extras = take_extras()
                penalty += extras.loss
                mask_above = list(extras.masks) if step.several else extras.masks[0]
            if step.penalizes:
                penalty += layer.activity_penalty(y, cache)
                cache = (cache, y)
            if keeps:
                caches.append(cache)
            if step.several:
                _spread(step.results, flatten(y), values)
                if mask_above is not None:
                    _spread(step.results, flatten(mask_above), found)
            else:
                (result,) = step.results
                values[result], found[result] = y, mask_above
            if self._takes_masks_off:
                step.hand_on_masks(values, x, marks, found)
            for slot in step.frees:
                values[slot] = None
        outputs = self.plan.outputs
        return Passed(
            list(map(values.__getitem__, outputs)),
            list(map(found.__getitem__, outputs)),
            caches,
            penalty,
        )

    def backward(
        self,
        caches: Sequence[Any],
        d_outputs: Sequence[np.ndarray | None],
        consume: bool = False,
        before_step: Callable[[int, Sequence[Any]], None] | None = None,
    ) -> tuple[list[np.ndarray | None], list[np.ndarray]]:
        """Go back through one `forward`.

        Args:
            caches: Those that `forward` returned.
            d_outputs: Gradient with respect to each output; None where nothing depends on it.
            consume: Whether the caches may be overwritten; they then serve no other call.
            before_step: Called before each step back, with how many of them (`stages`) are done and
                with the gradients so far, None where there is none.

        Returns:
            The gradients of the inputs (None without `input_gradient`, or where there is none),
            and those of `variables`, in their order.
        """
        d_values: list[Any] = [None] * self.plan.slots
        gradients: list[Any] = [None] * len(self.variables)
        # A gradient is added to what is there. Arrays may be shared, so that none is changed.
        for slot, d_y in zip(self.plan.outputs, d_outputs, strict=True):
            if d_y is not None:
                there = d_values[slot]
                d_values[slot] = d_y if there is None else there + d_y
        for number, (index, step) in enumerate(self._backward):
            if before_step is not None:
                before_step(number, gradients)
            if step.several:
                d: Any = [d_values[slot] for slot in step.results]
                if all(each is None for each in d):
                    continue
            elif (d := d_values[step.results[0]]) is None:
                continue
            for slot in step.results:
                d_values[slot] = None
            if step.hands_tokens:
                d_x: Any = None
                d_weights: Sequence[Any] = [table_gradient(d, caches[index])]
            else:
                cache = caches[index]
                if step.penalizes:
                    cache, y = cache
                    d = step.layer.add_activity_gradient(d, y)
                options = {"consume": True} if consume and step.keeps_tape else {}
                d_x, d_weights = step.layer.run_back(cache, d, step.input_gradient, **options)
            for place, gradient in zip(step.targets, d_weights, strict=True):
                if place is not None and gradient is not None:
                    there = gradients[place]
                    gradients[place] = gradient if there is None else there + gradient
            if d_x is not None:
                if not step.listed:
                    d_x = [d_x]
                for slot, passes_on, gradient in zip(
                    step.sources, step.passes_on, d_x, strict=True
                ):
                    if passes_on and gradient is not None:
                        there = d_values[slot]
                        d_values[slot] = gradient if there is None else there + gradient
        for place, variable in enumerate(self.variables):
            if gradients[place] is None:  # all paths to it ended on the way
                gradients[place] = np.zeros(variable.shape, np.float32)
        return list(map(d_values.__getitem__, self.plan.inputs)), gradients


class _Prepared:
    """A step with what the executor found out about it.

    Attributes:
        padded_layer: What takes the layer's place where a list's sequences are padded.
        is_plain: Whether it has one input, whose mask comes with it.
        uses_mask: Whether its layer is told the mask.
        padded_uses_mask: Whether `padded_layer` is told it.
        mask_is_argument: Whether the graph hands it the mask, as a tensor of its own; else the call
            finds it on the input.
        frees: Slots whose values nobody takes after it.
        penalizes: Whether its layer adds to the loss.
        is_own_call: Whether a user wrote its `call`, which makes its masks and adds its losses.
        trains: Whether a weight of its layer is trained.
        passes_on: For each source whether its gradient is wanted.
        input_gradient: Whether one of them is.
        targets: For each weight of its layer the place of its gradient; None if not wanted.
        embedding: The layer, where it is one that hands on its tokens.
    """

    embedding: Embedding

    def __init__(self, step: Step) -> None:
        self.layer: Layer = step.layer
        self.padded_layer = with_padding(step.layer)
        self.sources, self.results, self.masks = step.sources, step.results, step.masks
        self.listed, self.several = step.listed, step.several
        self.training, self.options = step.training, dict(step.options)
        self.hands_tokens, self.takes_tokens = step.hands_tokens, step.takes_tokens
        self.keeps_tape = step.keeps_tape
        self.penalizes = step.layer.regularizes_activity
        self.is_own_call = step.layer.is_own_call
        self.frees: list[int] = []
        self.trains = False
        self.passes_on: list[bool] = []
        self.input_gradient = False
        self.is_plain = not step.listed and step.masks is None
        from_list = step.listed and step.masks is None
        self.uses_mask = step.layer.uses_mask and (step.layer.uses_masks_of_list or not from_list)
        self.padded_uses_mask = self.uses_mask
        if self.is_plain:
            self.padded_uses_mask = self.padded_layer.uses_mask
        self.mask_is_argument = self.uses_mask and not step.layer.finds_masks
        self.targets: list[int | None] = []
        if step.hands_tokens:
            assert isinstance(step.layer, Embedding)
            self.embedding = step.layer

    def gathered(self, values: Sequence[Any], marks: Sequence[Any]) -> tuple[Any, Any]:
        """Return the inputs of the layer and their masks; None if no input has one."""
        x: Any = [values[slot] for slot in self.sources]
        mask: Any = [marks[slot] for slot in self.sources]
        if self.masks is not None:
            mask = [
                own if slot is None else np.asarray(values[slot], dtype=np.bool_)
                for own, slot in zip(mask, self.masks, strict=True)
            ]
        if not self.listed:
            return x[0], mask[0]
        return x, None if all(each is None for each in mask) else mask

    def hand_on_masks(
        self, values: Sequence[Any], x: Any, marks: list[Any], found: list[Any]
    ) -> None:
        """Set the masks of the results as the graph knows them, and take off those of inputs.

        Args:
            values: The values of all slots.
            x: The inputs of the layer.
            marks: The masks of all slots that the graph knows.
            found: Those that calls find, where this step's results have theirs.
        """
        if self.mask_is_argument or not self.layer.supports_masking:
            own = [found[slot] for slot in self.results]
        else:
            own = flatten(self.layer.compute_mask(x, self.gathered(values, marks)[1]))
        _spread(self.results, own, marks)
        if self.layer.takes_masks_off:
            _spread(self.sources, [None] * 3, found)


def _spread(slots: Sequence[int], values: Sequence[Any], store: list[Any]) -> None:
    """Put values into slots; of masks there may be fewer than of outputs."""
    for slot, value in zip(slots, values, strict=False):
        store[slot] = value
