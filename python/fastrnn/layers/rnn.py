"""What SimpleRNN, LSTM and GRU share: arguments, weights, states, forward and backward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastrnn import activations, constraints, initializers, kernels, regularizers
from fastrnn.arguments import check_seed, positive_integer, refuse_unsupported
from fastrnn.docstrings import complete_docstring
from fastrnn.layers.dropout import draw_mask, generator_of, rate_of
from fastrnn.layers.inputs import as_floats
from fastrnn.layers.layer import Shape
from fastrnn.layers.sequence_layer import SequenceLayer
from fastrnn.naming import to_snake_case
from fastrnn.variable import Variable

_NOT_BUILT = {"time_major": False}


class RNN(SequenceLayer):
    """Base of the recurrent layers.

    A subclass names its cell of `fastrnn.kernels.CELLS` and, if it has gates, sets
    `recurrent_activation` before it calls this constructor. What follows is about all of them and
    becomes a part of their docstrings.

    Args:
        units: Size of the state and of the output, a positive integer.
        activation: Name or function of `fastrnn.activations`, one of `fastrnn.kernels.ACTIVATIONS`;
            None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: First value of the kernel, `[features, gates * units]`, where gates is
            1 for SimpleRNN, 3 for GRU and 4 for LSTM.
        recurrent_initializer: First value of the recurrent kernel, `[units, gates * units]`.
        bias_initializer: First value of the bias.
        kernel_regularizer: Adds a penalty on the kernel to the loss; name or object of
            `fastrnn.regularizers`, or None.
        recurrent_regularizer: The same for the recurrent kernel.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output, divided by the size of the batch.
        kernel_constraint: Projects the kernel after each update; name or object of
            `fastrnn.constraints`, a function, or None.
        recurrent_constraint: The same for the recurrent kernel.
        bias_constraint: The same for the bias.
        dropout: Probability with which a feature of a sequence is set to 0 while training, at all
            steps alike; the others are scaled by `1 / (1 - dropout)` (Gal and Ghahramani, 2016).
        recurrent_dropout: The same for the units of the state where they enter the product with
            the recurrent kernel. With it, LSTM and GRU draw a mask for each gate, of the features
            too. As in Keras, they take a rate of exactly 1 for 0.
        seed: Integer from which the masks of the dropout are drawn, or None to draw one.
        return_sequences: Whether to return the output of every step, or of the last.
        return_state: Whether to return the last states too.
        go_backwards: Whether to walk the steps from the last to the first. The outputs are in
            the order of the walk.
        stateful: Whether a batch starts with the states that the batch before it left, row by
            row, until `reset_state`. All batches must have one size; no gradient goes from a
            batch into the one before.
        unroll: Accepted for Keras's sake; without effect.
        use_cudnn: Accepted for Keras's sake; without effect.
        **kwargs: `name`, `trainable`, `input_shape`, `batch_input_shape`; `input_dim` and
            `input_length`, the features and steps of a first layer, as in tf.keras 2; and:
            `zero_output_for_mask`, whether the output of a masked step is zeros, and not that of
            the step before it in the walk; `implementation`, of which 1 makes LSTM and GRU draw a
            mask of the dropout for each gate, as `recurrent_dropout` does; `time_major`, only
            False.

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
        ValueError: If an argument is not valid or not supported.
    """

    not_called = SequenceLayer.not_called | {"get_initial_state", "inner_loop"}

    kernel_cell: str
    """Name in `fastrnn.kernels.CELLS`."""
    recurrent_activation: activations.Activation | None = None
    """Activation of the gates, None in a layer without gates."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        complete_docstring(cls)

    def __init__(
        self,
        *,
        units: int,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        return_sequences: bool,
        return_state: bool,
        go_backwards: bool,
        stateful: bool,
        unroll: bool,
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        implementation: int = 2,
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        refuse_unsupported(type(self).__name__, locals(), _NOT_BUILT)
        if use_cudnn not in ("auto", True, False):
            raise ValueError(
                f"`use_cudnn` must be 'auto', True or False. Received: use_cudnn={use_cudnn!r}"
            )
        if {"input_dim", "input_length"} & set(kwargs):
            stated = kwargs.pop("input_length", None), kwargs.pop("input_dim", None)
            if not {"input_shape", "batch_input_shape"} & set(kwargs):
                kwargs["input_shape"] = stated
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_integer("units", units)
        self.activation = recurrent_activation_of(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = rate_of("dropout", dropout)
        self.recurrent_dropout = rate_of("recurrent_dropout", recurrent_dropout)
        self.seed = check_seed(seed)
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self._stateful = bool(stateful)
        self.states: list[Variable] | None = None
        self.unroll = unroll
        self.implementation = implementation
        self.use_cudnn = use_cudnn
        self.zero_output_for_mask = bool(zero_output_for_mask)
        rates = {"dropout_mask": self.dropout, "recurrent_dropout_mask": self.recurrent_dropout}
        # In Keras a rate of 1 gives zeros in SimpleRNN, and no dropout in LSTM and GRU.
        self._rates = {
            name: rate for name, rate in rates.items() if 0 < rate < 1 or rate == self.gates == 1
        }
        self._mask_per_gate = self.gates > 1 and (
            self.recurrent_dropout > 0 or self.implementation == 1
        )
        if self._rates:
            self._generator = generator_of(self.seed)
        self.bias: Variable | None = None

    @property
    def gates(self) -> int:
        """Number of gates, the blocks of columns of the kernels."""
        return kernels.CELLS[self.kernel_cell].gates

    @property
    def state_names(self) -> tuple[str, ...]:
        """The states, in the order in which they are passed and returned."""
        return ("h", "c")[: kernels.CELLS[self.kernel_cell].states]

    # ------------------------------------------------------------------------ shapes, building

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Number of units of each state."""
        return (self.units,) * len(self.state_names)

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
        if self.built and shape[2] != self.kernel.shape[0]:
            raise ValueError(
                f"The input of layer '{self.name}' must have {self.kernel.shape[0]} features. "
                f"Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs; with `return_state` a tuple of it and the states'."""
        batch, steps, *_ = self._sequence_shape(input_shape)
        output = (batch, steps, self.units) if self.return_sequences else (batch, self.units)
        if self.return_state:
            return (output, *[(batch, self.units) for _ in self.state_names])
        return output

    def _create_weights(self, input_shape: Shape) -> None:
        cell = f"{to_snake_case(type(self).__name__)}_cell"
        columns = self.gates * self.units
        self.kernel = self.add_weight(
            (input_shape[2] or 0, columns),
            self.kernel_initializer,
            f"{cell}/kernel",
            self.kernel_regularizer,
            self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            (self.units, columns),
            self.recurrent_initializer,
            f"{cell}/recurrent_kernel",
            self.recurrent_regularizer,
            self.recurrent_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                self._bias_shape(),
                self._first_bias,
                f"{cell}/bias",
                self.bias_regularizer,
                self.bias_constraint,
            )
        if self._stateful and input_shape[0] is not None:
            self._make_states(input_shape[0])

    def _bias_shape(self) -> tuple[int, ...]:
        rows, columns = kernels.CELLS[self.kernel_cell].bias_rows, self.gates * self.units
        return (rows, columns) if rows > 1 else (columns,)

    def _first_bias(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.bias_initializer(shape)

    @classmethod
    def _argument_names(cls) -> list[str]:
        # An argument of all cells, among their `kwargs` as in Keras.
        return [*super()._argument_names(), "zero_output_for_mask"]

    # ------------------------------------------------------------------------------ computation

    @property
    def takes_padding(self) -> bool:
        """Whether padding reaches no own step: outputs of all steps must keep their order."""
        return not (self.go_backwards and self.return_sequences)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the outputs, that of the inputs, if there is one for every step."""
        mask = mask[0] if isinstance(mask, list) else mask
        output_mask = mask if self.return_sequences else None
        return [output_mask, *[None] * len(self.state_names)] if self.return_state else output_mask

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
        return (outputs, *states) if self.return_state else outputs

    def forward(self, x: Any, training: bool = False, mask: Any = None) -> tuple[Any, Any]:
        """Walk the steps. The cache is the tape of the kernel, and whether x has states."""
        x, mask, given = self._parted(x, mask)
        outputs, states, tape = self.walk(x, training, mask, given)
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
        if d_outputs is not None:
            d_outputs = self._in_order_of_walk(d_outputs)
        d = self.walk_back(tape, d_outputs, input_gradient, d_states or None, consume)
        d_weights = self._weight_gradients(d)
        return [d.x, *(d.initial_state or ())] if has_states else d.x, d_weights

    def walk(
        self,
        x: np.ndarray | kernels.Embedded,
        training: bool,
        mask: np.ndarray | None,
        initial_state: Sequence[np.ndarray] | None = None,
        keep_tape: bool = True,
    ) -> kernels.RnnOutput:
        """Run the kernel. Unlike `forward` it leaves all outputs in the order of the time.

        Args:
            x: `[batch, steps, features]`, or embedded tokens.
            training: Whether dropout is active.
            mask: `[batch, steps]`, booleans, or None.
            initial_state: The states before the first step, `[batch, units]` each, or None.
            keep_tape: False where no backward pass will follow.

        Returns:
            Outputs, last states and tape.
        """
        if self._stateful:
            carried = self._carried_states(_batch_size(x))
            if initial_state is None:
                initial_state = [state.value for state in carried]
        gate = self.recurrent_activation
        walked = kernels.rnn_forward(
            self.kernel_cell,
            x,
            self.kernel.value,
            self.recurrent_kernel.value,
            None if self.bias is None else self.bias.value,
            initial_state,
            mask=mask,
            **(self._dropout_masks(x) if training and self._rates else {}),
            go_backwards=self.go_backwards,
            zero_output_for_mask=self.zero_output_for_mask,
            return_sequences=self.return_sequences,
            keep_tape=keep_tape,
            activation=self.activation.__name__,
            recurrent_activation=None if gate is None else gate.__name__,
        )
        if self._stateful:
            for state, last in zip(carried, walked.states, strict=True):
                state.assign(last)
        return walked

    def walk_back(
        self,
        tape: kernels.Tape,
        d_outputs: np.ndarray | None,
        input_gradient: bool = True,
        d_states: Sequence[np.ndarray | None] | None = None,
        consume: bool = False,
    ) -> kernels.RnnGradients:
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
        return kernels.rnn_backward(
            tape, d_outputs, d_states, input_gradient=input_gradient, consume=consume
        )

    def _weight_gradients(self, d: kernels.RnnGradients) -> list[np.ndarray]:
        """Return the gradients of the weights, in the order of `weights`."""
        d_weights = [d.kernel, d.recurrent_kernel]
        return d_weights if d.bias is None else [*d_weights, d.bias]

    def _in_order_of_walk(self, outputs: np.ndarray) -> np.ndarray:
        """Turn the outputs of all steps from the order of the time to that of the walk, or back."""
        if self.go_backwards and self.return_sequences:
            return np.ascontiguousarray(outputs[:, ::-1])
        return outputs

    def _dropout_masks(self, x: np.ndarray | kernels.Embedded) -> dict[str, np.ndarray]:
        """Draw the masks of a batch, each for all of its steps, as the kernels take them."""
        batch = _batch_size(x)
        sizes = {"dropout_mask": self.kernel.shape[0], "recurrent_dropout_mask": self.units}
        return {
            name: draw_mask(
                self._generator,
                (batch, self.gates, sizes[name]) if self._mask_per_gate else (batch, sizes[name]),
                rate,
            )
            for name, rate in self._rates.items()
        }

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
            Variable(np.zeros(state.shape), name=state.name, trainable=False)
            for state in self.states
        ]
        return {**super().__getstate__(), "states": states}

    def reset_state(self) -> None:
        """Set the states that a stateful layer keeps between batches back to zeros."""
        for state in self.states or ():
            state.assign(np.zeros(state.shape))

    def _make_states(self, batch: int) -> list[Variable]:
        self.states = [
            Variable(np.zeros((batch, self.units)), name=name, trainable=False)
            for name in self.state_names
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
        given = initial_state if isinstance(initial_state, (tuple, list)) else [initial_state]
        expected = (batch, self.units)
        if len(given) != len(self.state_names):
            raise ValueError(
                f"`initial_state` of layer '{self.name}' must be {len(self.state_names)} array(s), "
                f"{', '.join(self.state_names)}. Received: {len(given)}"
            )
        states = tuple(as_floats(state, "initial_state") for state in given)
        for state in states:
            if state.shape != expected:
                raise ValueError(
                    f"Each initial state of layer '{self.name}' must have the shape (batch, "
                    f"units), {expected}. Received: shape={state.shape}"
                )
        return states


def _batch_size(x: np.ndarray | kernels.Embedded) -> int:
    return len(np.asarray(x.tokens if isinstance(x, kernels.Embedded) else x))


def recurrent_activation_of(activation: Any) -> activations.Activation:
    """Look up an activation for use inside a recurrence.

    Raises:
        ValueError: If it is softmax, which mixes the units.
    """
    function = activations.get(activation)
    if function.__name__ not in kernels.ACTIVATIONS:
        raise ValueError(
            f"A recurrent layer's activation must be one of {', '.join(kernels.ACTIVATIONS)}. "
            f"Received: {function.__name__!r}"
        )
    return function
