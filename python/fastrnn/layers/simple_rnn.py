"""The simple recurrent layer (Elman, 1990)."""

from __future__ import annotations

from typing import Any

from fastrnn.arguments import own_arguments
from fastrnn.layers.recurrent_cell import RecurrentCell
from fastrnn.layers.recurrent_layer import RecurrentLayer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class SimpleRNNCell(RecurrentCell):
    """One step of a SimpleRNN, which states the equations.

    Example:
        >>> import numpy as np
        >>> y, states = SimpleRNNCell(4)(np.zeros((2, 3)), [np.zeros((2, 4))])
        >>> y.shape, len(states)
        ((2, 4), 1)
    """

    kernel_cell = "simple_rnn"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**own_arguments(locals()), **kwargs)


@serializable("keras.layers")
class SimpleRNN(RecurrentLayer):
    """Feeds its output back into itself.

    With x_t `[batch, features]`, the kernel W, the recurrent kernel U and the bias b:

        h_t = activation(x_t W + h_{t-1} U + b)

    The equation is Elman's, "Finding structure in time", 1990.

    Example:
        >>> import numpy as np
        >>> SimpleRNN(4)(np.zeros((2, 5, 3))).shape
        (2, 4)
    """

    cell_class = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**own_arguments(locals()), **kwargs)
