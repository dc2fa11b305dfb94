"""What SimpleRNNCell, LSTMCell and GRUCell share: arguments, weights, steps and walks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from fastrnn import activations, constraints, initializers, kernels, regularizers
from fastrnn.arguments import check_seed, positive_integer
from fastrnn.docstrings import complete_docstring
from fastrnn.layers import cell_equations
from fastrnn.layers.calls import trains_now
from fastrnn.layers.dropout import draw_mask, generator_of, rate_of
from fastrnn.layers.inputs import as_floats
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.traced import current
from fastrnn.symbolic import KerasTensor, Node, flatten
from fastrnn.tracing import is_tracing, native, plain
from fastrnn.variable import Variable


class Walked(NamedTuple):
    """What a walk over the steps returns.

    Attributes:
        outputs: `[batch, steps, units]` in the order of the time, or `[batch, units]`.
        states: The last states, flat, `[batch, units]` each.
        tape: What `walk_back` needs, None without `keep_tape`.
    """

    outputs: np.ndarray
    states: tuple[np.ndarray, ...]
    tape: Any


class WalkGradients(NamedTuple):
    """The gradients that `walk_back` returns.

    Attributes:
        x: That of the sequences, for `kernels.Embedded` that of the table; None if not wanted.
        weights: Those of the weights, in the order of `weights`.
        initial_state: Those of the initial states, flat; None if the walk had none.
    """

    x: np.ndarray | None
    weights: list[np.ndarray]
    initial_state: tuple[np.ndarray, ...] | None


class RecurrentCell(Layer):
    """Base of the cells that the kernels have.

    A subclass names its cell of `fastrnn.kernels.CELLS` and, if it has gates, sets
    `recurrent_activation` before it calls this constructor. What follows is about all of them and
    becomes a part of their docstrings.

    Args:
        units: Size of the state and of the output, a positive integer.
        activation: Name or function of `fastrnn.activations`, or a function; None for none. Those
            of `fastrnn.kernels.ACTIVATIONS` are fast; others walk step by step, traced.
        use_bias: Whether there is a bias.
        kernel_initializer: First value of the kernel, `[features, gates * units]`, where gates is
            1 for SimpleRNN, 3 for GRU and 4 for LSTM.
        recurrent_initializer: First value of the recurrent kernel, `[units, gates * units]`.
        bias_initializer: First value of the bias.
        kernel_regularizer: Adds a penalty on the kernel to the loss; name or object of
            `fastrnn.regularizers`, or None.
        recurrent_regularizer: The same for the recurrent kernel.
        bias_regularizer: The same for the bias.
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
        **kwargs: `name`, `trainable`, `dtype`; and `implementation`, of which 1 makes LSTM and GRU
            draw a mask of the dropout for each gate, as `recurrent_dropout` does.

    Call arguments:
        inputs: `[batch, features]`, one step.
        states: The states before it, `[batch, units]` each.
        training: Whether dropout is active. A step that is taken alone draws masks of its own; in
            an `RNN` all steps have the same.

    Returns of a call:
        A tuple of the output `[batch, units]` and the list of the new states.

    Raises:
        ValueError: If an argument is not valid or not supported.
    """

    not_called = Layer.not_called | {"backward", "forward"}
    takes_traced = True

    kernel_cell: str
    """Name in `fastrnn.kernels.CELLS`."""
    recurrent_activation: activations.Activation | None = None
    """Activation of the gates, None in a cell without gates."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        complete_docstring(cls)

    def _prepare_trace(self) -> None:
        self.traced = None  # `RNN` walks with the cell; nothing trains one that stands alone

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
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
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
        self.implementation = implementation
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
        # Within `one_draw` the masks of the dropout, once they are drawn.
        self._drawn: dict[str, np.ndarray] | None = None

    @property
    def gates(self) -> int:
        """Number of gates, the blocks of columns of the kernels."""
        return kernels.CELLS[self.kernel_cell].gates

    @property
    def state_names(self) -> tuple[str, ...]:
        """The states, in the order in which they are passed and returned."""
        return ("h", "c")[: kernels.CELLS[self.kernel_cell].states]

    @property
    def features(self) -> int | None:
        """Number of features; None before the cell is built."""
        return self.kernel.shape[0] if self.built else None

    @property
    def state_size(self) -> Any:
        """Number of units of the state; of several states a list, as in Keras."""
        sizes = [self.units] * len(self.state_names)
        return sizes if len(sizes) > 1 else self.units

    @property
    def output_size(self) -> int:
        """Number of units of the output."""
        return self.units

    @property
    def is_native(self) -> bool:
        """Whether the kernels have the activations; else a loop calls the cell for each step."""
        own = (self.activation, self.recurrent_activation or self.activation)
        return all(each.__name__ in kernels.ACTIVATIONS for each in own)

    def get_initial_state(self, batch_size: int | None = None) -> list[np.ndarray]:
        """Return the states before the first step where none are given: zeros.

        Args:
            batch_size: Number of rows.
        """
        return [np.zeros((batch_size or 0, self.units), np.float32) for _ in self.state_names]

    # ------------------------------------------------------------------------ shapes, building

    def check_input_shape(self, shape: Any) -> None:
        """Refuse what is not `[batch, features]` with the features of the kernel."""
        features = self.features
        if len(shape) != 2 or not shape[1] or features not in (None, shape[1]):
            raise ValueError(
                f"The input of cell '{self.name}' must have two dimensions, (batch, "
                f"{'features' if features is None else features}). Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        """Return the shapes of the output and of the states of one step.

        Args:
            input_shape: `(batch, features)`.
            states_shape: Accepted for Keras's sake; without effect.
        """
        shape = (input_shape[0], self.units)
        return shape, [shape for _ in self.state_names]

    def _create_weights(self, input_shape: Shape) -> None:
        columns = self.gates * self.units
        self.kernel = self.add_weight(
            (input_shape[1] or 0, columns),
            self.kernel_initializer,
            "kernel",
            self.kernel_regularizer,
            self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            (self.units, columns),
            self.recurrent_initializer,
            "recurrent_kernel",
            self.recurrent_regularizer,
            self.recurrent_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                self._bias_shape(),
                self._first_bias,
                "bias",
                self.bias_regularizer,
                self.bias_constraint,
            )

    def _bias_shape(self) -> tuple[int, ...]:
        rows, columns = kernels.CELLS[self.kernel_cell].bias_rows, self.gates * self.units
        return (rows, columns) if rows > 1 else (columns,)

    def _first_bias(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.bias_initializer(shape)

    # --------------------------------------------------------------------------------- one step

    def __call__(self, inputs: Any, states: Any, training: bool | None = None) -> Any:  # type: ignore[override]
        """Take one step; see the class for the arguments.

        Raises:
            ValueError: If an argument is symbolic, or the states do not fit.
        """
        if any(isinstance(each, KerasTensor) for each in flatten([inputs, states])):
            self._node_of_call(inputs)
        return super().__call__(inputs, states, training)

    def _node_of_call(self, inputs: Any, *args: Any, **options: Any) -> Node:
        raise ValueError(
            f"Cell '{self.name}' cannot be called on symbolic tensors: put it into an `RNN`, which "
            f"takes `initial_state`. Received: inputs={inputs!r}"
        )

    def _checked_arguments(
        self, x: np.ndarray, states: Any = None, training: bool | None = None
    ) -> tuple[Any, dict[str, Any]]:
        self.check_input_shape(x.shape)
        given = states if isinstance(states, (list, tuple)) else [states]
        expected = (len(x), self.units)
        arrays = [as_floats(state, "states") for state in given if state is not None]
        if len(arrays) != len(self.state_names) or any(each.shape != expected for each in arrays):
            raise ValueError(
                f"`states` of cell '{self.name}' must be {len(self.state_names)} array(s), "
                f"{', '.join(self.state_names)}, of the shape {expected}. "
                f"Received: {[each.shape for each in arrays]}"
            )
        return (), {"states": arrays, "training": bool(training)}

    def _empty_result(self, input_shape: Any, **options: Any) -> Any:
        output, states = self.compute_output_shape(input_shape)
        return np.zeros(output, np.float32), [np.zeros(shape, np.float32) for shape in states]

    def call(self, x: Any, states: Any = (), training: bool | None = None) -> Any:
        """Take one step on checked arrays, or within the trace of a cell around this one.

        Args:
            x: `[batch, features]`.
            states: The states before it, `[batch, units]` each.
            training: Whether dropout is active; None for what holds for a cell around this one.

        Returns:
            The output and the list of the new states.
        """
        if not self.is_native:
            drawn = self._dropout_masks(plain(x)) if trains_now(training) and self._rates else {}
            return cell_equations.step(self, x, flatten(states), drawn)
        if is_tracing():
            return self._traced_step(x, flatten(states), trains_now(training))
        walked = self.walk(x[:, np.newaxis], bool(training), None, states, keep_tape=False)
        return walked.outputs, list(walked.states)

    def _traced_step(self, x: Any, states: list[Any], training: bool) -> Any:
        """Take one step by the kernel, as one operation of a trace."""
        count = len(states)
        weights = [self.kernel, self.recurrent_kernel, *([] if self.bias is None else [self.bias])]

        def forward(*values: Any) -> tuple[Any, Any]:
            x, *others = (as_floats(value, "inputs") for value in values)
            options = {"return_sequences": False, "keep_tape": True}
            call = self.kernel_call(
                x[:, np.newaxis], training, None, others[:count], others[count:], **options
            )
            outputs, states, tape = kernels.rnn_forward(**call)
            return (outputs, *states), tape

        def backward(tape: Any, d_y: Any) -> list[Any]:
            d_output, *d_states = (as_floats(each, "gradient") for each in d_y)
            d = self.walk_back(tape, d_output, True, d_states)
            assert d.x is not None
            return [d.x[:, 0], *(d.initial_state or ()), *d.weights]

        value = native(forward, backward, x, *states, *map(current, weights))
        return value[0], [value[1 + number] for number in range(count)]

    # -------------------------------------------------------------------------------- all steps

    def walk(
        self,
        x: np.ndarray | kernels.Embedded,
        training: bool,
        mask: np.ndarray | None,
        initial_state: Sequence[np.ndarray] | None,
        **options: Any,
    ) -> Walked:
        """Run the kernel over all steps.

        Args:
            x: `[batch, steps, features]`, or embedded tokens.
            training: Whether dropout is active.
            mask: `[batch, steps]`, booleans, or None.
            initial_state: The states before the first step, `[batch, units]` each, or None.
            **options: `go_backwards`, `zero_output_for_mask`, `return_sequences` and `keep_tape`,
                as `kernels.rnn_forward` has them.

        Returns:
            Outputs, last states and tape.
        """
        call = self.kernel_call(x, training, mask, initial_state, **options)
        return Walked(*kernels.rnn_forward(**call))

    def kernel_call(
        self,
        x: np.ndarray | kernels.Embedded,
        training: bool,
        mask: np.ndarray | None,
        initial_state: Sequence[np.ndarray] | None,
        weights: Sequence[Any] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Return the arguments with which `walk` calls the kernel; see there.

        Args:
            x: As in `walk`.
            training: As in `walk`.
            mask: As in `walk`.
            initial_state: As in `walk`.
            weights: Values in place of those of the weights, in their order.
            **options: As in `walk`.
        """
        if weights is None:
            own = (self.kernel, self.recurrent_kernel, self.bias)
            weights = [each.value for each in own if each is not None]
        gate = self.recurrent_activation
        drawn = self._dropout_masks(x) if training and self._rates else {}
        return {
            "cell": self.kernel_cell,
            "x": x,
            "kernel": weights[0],
            "recurrent_kernel": weights[1],
            "bias": weights[2] if len(weights) > 2 else None,
            "initial_state": initial_state,
            "mask": mask,
            "compute_dtype": self._dtype_policy.compute_dtype,
            "activation": self.activation.__name__,
            "recurrent_activation": None if gate is None else gate.__name__,
            **drawn,
            **options,
        }

    def walk_back(
        self,
        tape: kernels.Tape,
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
        return gradients_of_walk(
            kernels.rnn_backward(
                tape, d_outputs, d_states, input_gradient=input_gradient, consume=consume
            )
        )

    def _dropout_masks(self, x: np.ndarray | kernels.Embedded) -> dict[str, np.ndarray]:
        """Draw the masks of a batch, each for all of its steps, as the kernels take them."""
        if self._drawn:
            return self._drawn
        batch = batch_size_of(x)
        sizes = {"dropout_mask": self.kernel.shape[0], "recurrent_dropout_mask": self.units}
        drawn = {
            name: draw_mask(
                self._generator,
                (batch, self.gates, sizes[name]) if self._mask_per_gate else (batch, sizes[name]),
                rate,
            )
            for name, rate in self._rates.items()
        }
        if self._drawn is not None:
            self._drawn.update(drawn)
        return drawn


def gradients_of_walk(d: kernels.RnnGradients) -> WalkGradients:
    """Return what the kernel returned as a walk returns it.

    Args:
        d: The gradients of the kernel's arguments.
    """
    d_weights = [d.kernel, d.recurrent_kernel, *([] if d.bias is None else [d.bias])]
    return WalkGradients(d.x, d_weights, d.initial_state)


@contextmanager
def one_draw(cell: Any) -> Iterator[None]:
    """Within the `with` block, a cell and those in it draw the masks of their dropout only once.

    Args:
        cell: A cell.
    """
    inside = [cell]
    for each in inside:
        inside += each._sublayers() if isinstance(each, Layer) else getattr(each, "cells", ())
    cells = [each for each in inside if isinstance(each, RecurrentCell)]
    for each in cells:
        each._drawn = {}
    try:
        yield
    finally:
        for each in cells:
            each._drawn = None


def batch_size_of(x: np.ndarray | kernels.Embedded) -> int:
    """Return the number of sequences, of arrays or of embedded tokens."""
    return len(np.asarray(x.tokens if isinstance(x, kernels.Embedded) else x))


def recurrent_activation_of(activation: Any) -> activations.Activation:
    """Look up an activation for use inside a recurrence; see `activations.of_layer`."""
    return activations.of_layer(activation)
