"""A cell over the steps of sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastrnn.layers.cell_loop import build_inside, check_cell
from fastrnn.layers.inputs import as_floats
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.recurrent_cell import Walked, WalkGradients, batch_size_of
from fastrnn.layers.sequence_layer import SequenceLayer
from fastrnn.layers.serialization import deserialize, serializable, serialize
from fastrnn.layers.stacked_rnn_cells import StackedRNNCells, on_kernels, walker_of
from fastrnn.results import with_numpy
from fastrnn.symbolic import flatten, map_structure, pack
from fastrnn.variable import Variable


@serializable("keras.layers")
class RNN(SequenceLayer):
    """Applies a cell to one step after another.

    A `SimpleRNNCell`, `LSTMCell` or `GRUCell`, and a `StackedRNNCells` of them, run on the kernels:
    `RNN(LSTMCell(8))` computes what `LSTM(8)` does, to the bit and at its speed. Any other cell is
    called once for each step, in Python; to train it, it must be made of operators and functions
    of `fastrnn.ops`, since its derivative comes from a trace over all steps.

    Args:
        cell: A cell, or a list of cells, which are stacked. A cell of your own is an object with
            `call(inputs, states)`, which takes one step `[batch, features]` and a list of states
            and returns the output and the list of the new states; `state_size`, the number of
            units of the state or a list of such numbers; if you like `output_size` (else that of
            the first state) and `get_initial_state(batch_size)` (else zeros). A `Layer` is also
            built, with the shape of a step, and its weights are trained.
        return_sequences: Whether to return the output of every step, or of the last.
        return_state: Whether to return the last states too.
        go_backwards: Whether to walk the steps from the last to the first. The outputs are in
            the order of the walk.
        stateful: Whether a batch starts with the states that the batch before it left, row by
            row, until `reset_state`. All batches must have one size; no gradient goes from a
            batch into the one before.
        unroll: Accepted for Keras's sake; without effect.
        zero_output_for_mask: Whether the output of a masked step is zeros, and not that of the
            step before it in the walk.
        **kwargs: `name`, `trainable`, `activity_regularizer`, `input_shape`, `batch_input_shape`;
            `input_dim` and `input_length`, the features and steps of a first layer, as in
            tf.keras 2.

    Call arguments:
        inputs: `[batch, steps, features]`, at least one step.
        initial_state: The states before the first step, `[batch, units]` each; None for zeros,
            with `stateful` for those that the last batch left.
        mask: `[batch, steps]`, False where a step is skipped: it leaves the states as they are.
        training: Whether dropout is active.

    Returns of a call:
        The last output `[batch, units]`, or all of them `[batch, steps, units]`. With
        `return_state` a tuple of that and of the last states, `[batch, units]` each.

    Raises:
        ValueError: If an argument is not valid, or a cell lacks `call` or `state_size`.

    Example:
        >>> import numpy as np
        >>> from fastrnn.layers import GRUCell, LSTMCell
        >>> RNN([GRUCell(4), LSTMCell(6)], return_sequences=True)(np.zeros((2, 5, 3))).shape
        (2, 5, 6)
    """

    not_called = SequenceLayer.not_called | {"get_initial_state", "inner_loop"}

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        check_cell(cell)
        if {"input_dim", "input_length"} & set(kwargs):
            stated = kwargs.pop("input_length", None), kwargs.pop("input_dim", None)
            if not {"input_shape", "batch_input_shape"} & set(kwargs):
                kwargs["input_shape"] = stated
        super().__init__(**kwargs)
        self.cell = cell
        self._walker: Any = walker_of(cell)
        self.takes_tokens = on_kernels(cell)
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self._stateful = bool(stateful)
        self.states: list[Variable] | None = None
        self.unroll = unroll
        self.zero_output_for_mask = bool(zero_output_for_mask)
        if not self.trainable:
            self.trainable = False  # that of the cell too

    def _sublayers(self) -> tuple[Layer, ...]:
        return (self.cell,) if isinstance(self.cell, Layer) else ()

    def get_initial_state(self, batch_size: int | None = None) -> list[np.ndarray]:
        """Return the states before the first step where none are given.

        Args:
            batch_size: Number of sequences.

        Returns:
            Those of the cell, flat: zeros, unless a cell of your own says otherwise.
        """
        own = getattr(self.cell, "get_initial_state", None)
        rows = batch_size or 0
        if own is None:
            return [np.zeros((rows, size), np.float32) for size in flatten(self.cell.state_size)]
        return list(map(with_numpy, flatten(own(batch_size=rows))))

    # ------------------------------------------------------------------------ shapes, building

    @property
    def units(self) -> int:
        """Number of units of the output."""
        size = getattr(self.cell, "output_size", None)
        return int(self.state_sizes[0] if size is None else size)

    @property
    def state_size(self) -> list[Any]:
        """Number of units of each state, nested as the cell's states are."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Number of units of each state, the states of several cells in one row."""
        return tuple(flatten(self.state_size))

    def nested(self, states: Sequence[Any]) -> list[Any]:
        """Return the last states in the form in which Keras returns them.

        Args:
            states: The states in one row.

        Returns:
            Of a stack of cells a list for each cell, also of one state.
        """
        if not isinstance(self.cell, StackedRNNCells):
            return list(states)
        form = [size if isinstance(size, (list, tuple)) else [size] for size in self.state_size]
        nested: list[Any] = pack(form, states)
        return nested

    @property
    def state_names(self) -> tuple[str, ...]:
        """The states, in the order in which they are passed and returned."""
        names = getattr(self.cell, "state_names", None)
        return names or tuple(f"state {number}" for number in range(len(self.state_sizes)))

    def check_input_shape(self, shape: Any) -> None:
        """Refuse what is not `[batch, steps, features]` with the features of the kernel."""
        shape = self._sequence_shape(shape)
        if len(shape) != 3 or shape[2] is None:
            raise ValueError(
                f"The input of layer '{self.name}' must have three dimensions, (batch, steps, "
                f"features), the last of a known size. Received: shape={shape}"
            )
        if shape[1] == 0 or shape[2] == 0:
            raise ValueError(
                f"The input of layer '{self.name}' must have at least one step and one feature. "
                f"Received: shape={shape}"
            )
        features = self._walker.features
        if features not in (None, shape[2]):
            raise ValueError(
                f"The input of layer '{self.name}' must have {features} features. "
                f"Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs; with `return_state` a tuple of it and the states'."""
        batch, steps, *_ = self._sequence_shape(input_shape)
        output = (batch, steps, self.units) if self.return_sequences else (batch, self.units)
        if self.return_state:
            return (output, *map_structure(lambda units: (batch, units), self.state_size))
        return output

    def _create_weights(self, input_shape: Shape) -> None:
        cell = self.cell
        if isinstance(cell, Layer) and not cell.built:
            cell.scope = f"{self.scope}{self.name}/"
            cell.build((input_shape[0], input_shape[2]))
            cell.built = True  # a `build` of the user's may not say so
        build_inside(cell, input_shape)
        if self._stateful and input_shape[0] is not None:
            self._make_states(input_shape[0])

    # ------------------------------------------------------------------------------ computation

    @property
    def takes_padding(self) -> bool:
        """Whether padding reaches no own step: outputs of all steps must keep their order."""
        return not (self.go_backwards and self.return_sequences)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the outputs, that of the inputs, if there is one for every step."""
        mask = mask[0] if isinstance(mask, list) else mask
        output_mask = mask if self.return_sequences else None
        return [output_mask, *[None] * len(self.state_sizes)] if self.return_state else output_mask

    def call(
        self,
        x: Any,
        training: bool = False,
        mask: Any = None,
        initial_state: Sequence[np.ndarray] | None = None,
    ) -> Any:
        """Apply the layer without keeping a tape."""
        x, mask, given = self._parted(x, mask)
        outputs, states, _ = self.walk(x, training, mask, given or initial_state, keep_tape=False)
        outputs = self._in_order_of_walk(outputs)
        return (outputs, *self.nested(states)) if self.return_state else outputs

    def forward(self, x: Any, training: bool = False, mask: Any = None) -> tuple[Any, Any]:
        """Walk the steps. The cache is the tape of the kernel, and whether x has states."""
        x, mask, given = self._parted(x, mask)
        outputs, states, tape = self.walk(x, training, mask, given)
        if self.go_backwards:
            outputs = self._in_order_of_walk(outputs)
        y = (outputs, *states) if self.return_state else outputs
        return y, (tape, given is not None)

    def backward(
        self, cache: Any, d_y: Any, input_gradient: bool = True, consume: bool = False
    ) -> tuple[Any, list[np.ndarray]]:
        """Go back through `forward`.

        Args:
            cache: What `forward` returned.
            d_y: Gradient with respect to the outputs; with `return_state` a list of it and those of
                the last states.
            input_gradient: Whether the gradient of the inputs is wanted.
            consume: Whether the cache may be overwritten; it then serves no other call.

        Returns:
            The gradients of the inputs and of the weights.
        """
        tape, has_states = cache
        d_outputs, *d_states = d_y if self.return_state else [d_y]
        if d_outputs is not None and self.go_backwards:
            d_outputs = self._in_order_of_walk(d_outputs)
        d = self.walk_back(tape, d_outputs, input_gradient, d_states or None, consume)
        return [d.x, *(d.initial_state or ())] if has_states else d.x, d.weights

    def walk(
        self,
        x: Any,
        training: bool,
        mask: np.ndarray | None,
        initial_state: Sequence[np.ndarray] | None = None,
        keep_tape: bool = True,
    ) -> Walked:
        """Walk the steps. Unlike `forward` it leaves all outputs in the order of the time.

        Args:
            x: `[batch, steps, features]`, or embedded tokens.
            training: Whether dropout is active.
            mask: `[batch, steps]`, booleans, or None.
            initial_state: The states before the first step, `[batch, units]` each, or None.
            keep_tape: False where no backward pass will follow.

        Returns:
            Outputs, last states and tape.
        """
        call = self.walker_call(x, training, mask, initial_state, keep_tape)
        walked: Walked = self._walker.walk(**call)
        self.carry(walked.states)
        return walked

    def walker_call(
        self,
        x: Any,
        training: bool,
        mask: np.ndarray | None,
        initial_state: Sequence[np.ndarray] | None,
        keep_tape: bool,
    ) -> dict[str, Any]:
        """Return the arguments with which `walk` calls the walker; see there.

        Args:
            x: As in `walk`.
            training: As in `walk`.
            mask: As in `walk`.
            initial_state: As in `walk`.
            keep_tape: As in `walk`.
        """
        if self._stateful:
            carried = self._carried_states(batch_size_of(x))
            if initial_state is None:
                initial_state = [state.value for state in carried]
        return {
            "x": x,
            "training": training,
            "mask": mask,
            "initial_state": initial_state,
            "go_backwards": self.go_backwards,
            "zero_output_for_mask": self.zero_output_for_mask,
            "return_sequences": self.return_sequences,
            "keep_tape": keep_tape,
        }

    def carry(self, last_states: Sequence[np.ndarray]) -> None:
        """Keep the last states of a batch, if the layer is stateful.

        Args:
            last_states: The states, flat.
        """
        if self._stateful:
            for state, last in zip(self.states or (), last_states, strict=True):
                state.assign(last)

    def walk_back(
        self,
        tape: Any,
        d_outputs: np.ndarray | None,
        input_gradient: bool = True,
        d_states: Sequence[np.ndarray | None] | None = None,
        consume: bool = False,
    ) -> WalkGradients:
        """Go back through `walk`.

        Args:
            tape: The tape that it returned.
            d_outputs: Gradient with respect to its outputs, in the order of the time, or None.
            input_gradient: Whether the gradient with respect to x is wanted.
            d_states: Gradients with respect to its last states; None, or None for one, for zeros.
            consume: Whether the tape may be overwritten.

        Returns:
            The gradients of x, of the weights and of the initial states.
        """
        d: WalkGradients = self._walker.walk_back(
            tape, d_outputs, input_gradient, d_states, consume
        )
        return d

    def _in_order_of_walk(self, outputs: np.ndarray) -> np.ndarray:
        """Turn the outputs of all steps from the order of the time to that of the walk, or back."""
        if self.go_backwards and self.return_sequences:
            return np.ascontiguousarray(outputs[:, ::-1])
        return outputs

    # ----------------------------------------------------------------------------------- states

    def get_state(self) -> dict[str, Any]:
        """Return the state of the random numbers, and the states that the last batch left."""
        carried = None if self.states is None else [state.numpy() for state in self.states]
        return {**super().get_state(), "carried": carried}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned.

        Args:
            state: The dict that `get_state` returned.
        """
        others = dict(state)
        if (carried := others.pop("carried")) is not None:
            for variable, value in zip(self._make_states(len(carried[0])), carried, strict=True):
                variable.assign(value)
        super().set_state(others)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle needs. As in Keras, a copy starts from zero states."""
        states = self.states and [
            Variable(np.zeros(state.shape), trainable=False, name=state.name, path=state.path)
            for state in self.states
        ]
        return {**super().__getstate__(), "states": states}

    def reset_state(self) -> None:
        """Set the states that a stateful layer keeps between batches back to zeros."""
        for state in self.states or ():
            state.assign(np.zeros(state.shape))

    def _make_states(self, batch: int) -> list[Variable]:
        self.states = [
            Variable(
                np.zeros((batch, units)), trainable=False, name=name, path=f"{self.name}/{name}"
            )
            for name, units in zip(self.state_names, self.state_sizes, strict=True)
        ]
        return self.states

    def _carried_states(self, batch: int) -> list[Variable]:
        """Return the states that the last batch left, zeros if there was none.

        Raises:
            ValueError: If they are those of another number of rows.
        """
        states = self._make_states(batch) if self.states is None else self.states
        if states[0].shape[0] != batch:
            raise ValueError(
                f"Layer '{self.name}' is stateful and keeps a state per row: all its batches must "
                f"have the size {states[0].shape[0]}. Received: a batch of {batch}"
            )
        return states

    def _as_states(self, initial_state: Any, batch: int) -> tuple[np.ndarray, ...] | None:
        """Convert initial states from outside, or refuse them."""
        if initial_state is None:
            return None
        given = flatten(initial_state)
        if len(given) != len(self.state_names):
            raise ValueError(
                f"`initial_state` of layer '{self.name}' must be {len(self.state_names)} array(s), "
                f"{', '.join(self.state_names)}. Received: {len(given)}"
            )
        states = tuple(as_floats(state, "initial_state") for state in given)
        for state, units in zip(states, self.state_sizes, strict=True):
            if state.shape != (batch, units):
                raise ValueError(
                    f"Each initial state of layer '{self.name}' must have the shape (batch, "
                    f"units), {(batch, units)}. Received: shape={state.shape}"
                )
        return states

    # ----------------------------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        if not isinstance(self.cell, Layer):
            raise ValueError(
                f"The cell of layer '{self.name}' must be a `Layer` to have a config. "
                f"Received: cell={self.cell!r}"
            )
        names = [name for name in self._argument_names() if name != "cell"]
        own = {name: getattr(self, name) for name in names}
        return {**self._shared_config(), **own, "cell": serialize(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RNN:
        """Make a layer, without weights, from the result of `get_config` (Keras's works too)."""
        if isinstance(config.get("cell"), Mapping):
            config = {**config, "cell": deserialize(config["cell"])}
        return super().from_config(config)
