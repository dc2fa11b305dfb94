"""A recurrent layer in both directions (Schuster and Paliwal, 1997)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.layers.both_directions import walk_both, walk_both_back
from fastrnn.layers.layer import Shape
from fastrnn.layers.recurrent_cell import Walked
from fastrnn.layers.rnn import RNN
from fastrnn.layers.sequence_layer import SequenceLayer
from fastrnn.layers.serialization import deserialize, own_classes, serializable, serialize
from fastrnn.symbolic import flatten
from fastrnn.utils.custom_objects import custom_object_scope
from fastrnn.variable import Variable

_MERGE_MODES = ("concat", "sum", "mul", "ave", None)


class _Cache(NamedTuple):
    """What `forward` keeps for `backward`, of both directions.

    Attributes:
        tapes: What the kernels need.
        outputs: What both made, in the order of the time; None if `backward` does not need it.
        has_states: Whether the inputs are a list of sequences and initial states.
    """

    tapes: tuple[Any, Any]
    outputs: tuple[np.ndarray, np.ndarray] | None
    has_states: bool = False


@serializable("keras.layers")
class Bidirectional(SequenceLayer):
    """Walks sequences with one recurrent layer from the start and with another from the end.

    Both see the same inputs and the same mask; what they return for a time step is merged
    (Schuster and Paliwal, 1997). Where they return the outputs of all steps, those of masked steps
    are zeros.

    Args:
        layer: A SimpleRNN, LSTM, GRU or RNN. The layer of each direction is made from its config,
            with weights of its own. Its `activity_regularizer` counts for each direction's output.
        merge_mode: How the outputs are merged: "concat" along the units, "sum", "mul"
            (elementwise product), "ave" (mean), or None for a tuple of both.
        weights: Weights to start from, those of the forward layer before those of the backward
            layer; None for those of the initializers.
        backward_layer: The layer of the other direction, if it is not to be made from `layer`.
            It must differ in `go_backwards` and agree in `return_sequences`, `return_state` and
            `stateful`.
        **kwargs: `name`, `trainable`, `activity_regularizer` of the merged output, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`, at least one step.
        initial_state: The states of the forward layer before the first step, then those of the
            backward layer before the last; None for zeros, or for those that stateful layers keep.
        mask: `[batch, steps]`, False where a step is skipped.
        training: Whether dropout is active.

    Returns of a call:
        The merged outputs, `[batch, units]` or `[batch, steps, units]`, twice the units for
        "concat". With `return_state` a tuple of that (of two, if nothing is merged), the last
        states of the forward layer and those of the backward layer.

    Raises:
        ValueError: If an argument is not valid or not supported, or the layers do not fit.

    Example:
        >>> import numpy as np
        >>> from fastrnn.layers import LSTM
        >>> Bidirectional(LSTM(4, return_sequences=True))(np.zeros((2, 5, 3))).shape
        (2, 5, 8)
    """

    def __init__(
        self,
        layer: RNN,
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: RNN | None = None,
        **kwargs: Any,
    ) -> None:
        for name, value in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(value, RNN) and not (value is None and name == "backward_layer"):
                raise ValueError(
                    f"`{name}` must be a recurrent layer: SimpleRNN, LSTM, GRU or RNN. "
                    f"Received: {name}={value!r}"
                )
        if merge_mode not in _MERGE_MODES:
            raise ValueError(
                f"`merge_mode` must be one of {_MERGE_MODES}. Received: merge_mode={merge_mode!r}"
            )
        super().__init__(**kwargs)
        if self.batch_input_shape is None:
            self.batch_input_shape = layer.batch_input_shape
        self.forward_layer = _made_from(layer, "forward_", layer.go_backwards)
        if backward_layer is None:
            backward_layer = _made_from(layer, "backward_", go_backwards=True)
        self.backward_layer = backward_layer
        self.merge_mode = merge_mode
        self._check_layers()
        for each in self._sublayers():
            each.zero_output_for_mask = each.return_sequences
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self._first_weights = None if weights is None else list(weights)
        if not self.trainable:
            self.trainable = False  # that of the layers inside too

    def _check_layers(self) -> None:
        """Refuse layers that do not fit together."""
        forward, backward = self._sublayers()
        if forward.is_own_call or backward.is_own_call:
            raise ValueError(
                "The layers of a Bidirectional must not have a `call` of your own, which would not "
                f"be called. Received: layers of {type(forward).__name__} and "
                f"{type(backward).__name__}"
            )
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "The layers of a Bidirectional must have different `go_backwards`. "
                f"Received: go_backwards={forward.go_backwards} of both"
            )
        equal = ["return_sequences", "return_state", "stateful"]
        if self.merge_mode in ("sum", "mul", "ave"):
            equal.append("units")
        for name in equal:
            pair = getattr(forward, name), getattr(backward, name)
            if pair[0] != pair[1]:
                raise ValueError(
                    f"The layers of a Bidirectional (merge_mode={self.merge_mode!r}) must have "
                    f"the same `{name}`. Received: {name}={pair[0]} and {name}={pair[1]}"
                )

    def _sublayers(self) -> tuple[RNN, RNN]:
        return self.forward_layer, self.backward_layer

    def _create_weights(self, input_shape: Shape) -> None:
        for layer in self._sublayers():
            if not layer.built:
                layer.scope = f"{self.scope}{self.name}/"
            layer.build(input_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    # ------------------------------------------------------------------------ shapes, building

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Number of units of each state, those of the forward layer first."""
        return self.forward_layer.state_sizes + self.backward_layer.state_sizes

    def check_input_shape(self, shape: Any) -> None:
        """Refuse what one of the two layers cannot take."""
        shape = self._sequence_shape(shape)
        for layer in self._sublayers():
            layer.check_input_shape(shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the merged outputs; or a tuple of it and those of the states."""
        input_shape = self._sequence_shape(input_shape)
        forward, backward = (layer.compute_output_shape(input_shape) for layer in self._sublayers())
        states: tuple[Shape, ...] = ()
        if self.return_state:
            forward, *forward_states = forward
            backward, *backward_states = backward
            states = (*forward_states, *backward_states)
        if self.merge_mode is None:
            return (forward, backward, *states)
        if self.merge_mode == "concat":
            forward = (*forward[:-1], forward[-1] + backward[-1])
        return (forward, *states) if self.return_state else forward

    # ------------------------------------------------------------------------------ computation

    @property
    def takes_padding(self) -> bool:
        """Whether padding reaches no own step: the forward layer must keep the order of steps."""
        return self.forward_layer.takes_padding

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the outputs, that of the inputs, if there is one for every step."""
        mask = mask[0] if isinstance(mask, list) else mask
        output_mask = mask if self.return_sequences else None
        return (output_mask, output_mask) if self.merge_mode is None else output_mask

    def call(
        self,
        x: Any,
        training: bool = False,
        mask: Any = None,
        initial_state: Sequence[np.ndarray] | None = None,
    ) -> Any:
        """Apply the layer without keeping a tape."""
        x, mask, given = self._parted(x, mask)
        y = self._outputs(*self._walks(x, training, mask, given or initial_state, False))
        if not self.return_state:
            return y
        merged = 2 if self.merge_mode is None else 1
        halves = zip(self._sublayers(), self._per_direction(y[merged:]), strict=True)
        return (*y[:merged], *[each for layer, half in halves for each in layer.nested(half)])

    def forward(self, x: Any, training: bool = False, mask: Any = None) -> tuple[Any, _Cache]:
        """Walk the steps both ways."""
        x, mask, given = self._parted(x, mask)
        forward, backward = self._walks(x, training, mask, given)
        regularized = any(layer.regularizes_activity for layer in self._sublayers())
        keeps = self.merge_mode == "mul" or regularized
        kept = (forward.outputs, backward.outputs) if keeps else None
        y = self._outputs(forward, backward)
        return y, _Cache((forward.tape, backward.tape), kept, given is not None)

    def _walks(
        self, x: Any, training: bool, mask: Any, states: Any, keep_tape: bool = True
    ) -> Sequence[Walked]:
        """Walk with both layers."""
        states = self._per_direction(states)
        return walk_both(self._sublayers(), x, training, mask, states, keep_tape)

    def _outputs(self, forward: Walked, backward: Walked) -> Any:
        """Return what the layer returns: the merged outputs, and the states if they are wanted."""
        y = self._merge(forward.outputs, backward.outputs)
        if not self.return_state:
            return y
        outputs = y if isinstance(y, tuple) else (y,)
        return (*outputs, *forward.states, *backward.states)

    def backward(
        self, cache: _Cache, d_y: Any, input_gradient: bool = True, consume: bool = False
    ) -> tuple[Any, list[np.ndarray]]:
        """Go back through `forward`; the gradients of the input add up.

        Args:
            cache: What `forward` returned.
            d_y: Gradient with respect to the outputs; of several a list.
            input_gradient: Whether the gradient of the inputs is wanted.
            consume: Whether the cache may be overwritten; it then serves no other call.

        Returns:
            The gradients of the inputs and of the weights.
        """
        d_states: tuple[Any, Any] = (None, None)
        if self.return_state:
            merged = 2 if self.merge_mode is None else 1
            d_states = self._per_direction(list(d_y[merged:]))
            d_y = d_y[:2] if merged == 2 else d_y[0]
        d_outputs = self._split(cache, d_y)
        if cache.outputs is not None:
            pair = zip(self._sublayers(), d_outputs, cache.outputs, strict=True)
            first, second = (layer.add_activity_gradient(d, y) for layer, d, y in pair)
            d_outputs = first, second
        first, second = walk_both_back(
            self._sublayers(), cache.tapes, d_outputs, input_gradient, d_states, consume
        )
        d_x = first.x
        if d_x is not None and second.x is not None:
            d_x += second.x
        d_weights = first.weights + second.weights
        if cache.has_states:
            return [d_x, *(first.initial_state or ()), *(second.initial_state or ())], d_weights
        return d_x, d_weights

    def activity_penalty(self, y: np.ndarray, cache: _Cache) -> float:
        """Return what the regularizers of the merged output and of both directions add."""
        penalty = super().activity_penalty(y, cache)
        if cache.outputs is not None:
            for layer, outputs in zip(self._sublayers(), cache.outputs, strict=True):
                penalty += layer.activity_penalty(outputs, None)
        return penalty

    @property
    def states(self) -> tuple[Variable, ...] | None:
        """The states that stateful layers keep between batches; None before the first."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return None if forward is None or backward is None else (*forward, *backward)

    def _merge(self, forward: np.ndarray, backward: np.ndarray) -> Any:
        """Merge the outputs of both directions, which are in the order of the time."""
        if self.merge_mode is None:
            return self._in_order_of_walk(forward), self._in_order_of_walk(backward)
        if self.merge_mode == "concat":
            y = np.concatenate([forward, backward], axis=-1)
        elif self.merge_mode == "mul":
            y = forward * backward
        else:
            y = forward + backward
            if self.merge_mode == "ave":
                y *= np.float32(0.5)
        return self._in_order_of_walk(y)

    def _split(self, cache: _Cache, d_y: Any) -> tuple[Any, Any]:
        """Go back through `_merge`."""
        if self.merge_mode is None:
            forward, backward = (d if d is None else self._in_order_of_walk(d) for d in d_y)
            return forward, backward
        if d_y is None:
            return None, None
        d_y = self._in_order_of_walk(d_y)
        if self.merge_mode == "concat":
            units = self.forward_layer.units
            return d_y[..., :units], d_y[..., units:]
        if self.merge_mode == "mul" and cache.outputs is not None:
            forward, backward = cache.outputs
            return d_y * backward, d_y * forward
        if self.merge_mode == "ave":
            d_y = d_y * np.float32(0.5)
        return d_y, d_y

    def _in_order_of_walk(self, outputs: np.ndarray) -> np.ndarray:
        """Turn outputs into the order in which the forward layer walks, or back."""
        if self.forward_layer.go_backwards and self.return_sequences:
            return np.ascontiguousarray(outputs[:, ::-1])
        return outputs

    def _per_direction(self, states: Any) -> tuple[Any, Any]:
        """Share the initial states out: the first half is that of the forward layer."""
        if states is None:
            return None, None
        half = len(self.forward_layer.state_names)
        return states[:half], states[half:]

    def _as_states(self, initial_state: Any, batch: int) -> tuple[np.ndarray, ...] | None:
        if initial_state is None:
            return None
        names = [name for layer in self._sublayers() for name in layer.state_names]
        if isinstance(initial_state, (tuple, list)):
            initial_state = flatten(initial_state)
        if not isinstance(initial_state, list) or len(initial_state) != len(names):
            raise ValueError(
                f"`initial_state` of layer '{self.name}' must be a list of {len(names)} arrays, "
                f"{', '.join(names)}. Received: "
                f"{len(initial_state) if isinstance(initial_state, list) else 'no list'}"
            )
        states: list[np.ndarray] = []
        halves = self._per_direction(initial_state)
        for layer, half in zip(self._sublayers(), halves, strict=True):
            states += layer._as_states(half, batch) or ()
        return tuple(states)

    # ----------------------------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        return {
            **self._shared_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize(self.forward_layer),
            "backward_layer": serialize(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Bidirectional:
        """Make a layer, without weights, from the result of `get_config` (Keras's works too)."""
        layers = {
            name: deserialize(config[name])
            for name in ("layer", "backward_layer")
            if config.get(name) is not None
        }
        return super().from_config(config | layers)


def _made_from(layer: RNN, prefix: str, go_backwards: bool) -> RNN:
    """Return a layer like another one, with weights of its own."""
    name = prefix + layer.name.removeprefix(prefix)
    config = {**layer.get_config(), "name": name, "go_backwards": go_backwards}
    with custom_object_scope(own_classes(layer)):
        return type(layer).from_config(config)
