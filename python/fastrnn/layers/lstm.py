"""Long short-term memory (Hochreiter and Schmidhuber, 1997)."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.arguments import own_arguments
from fastrnn.layers.recurrent_cell import RecurrentCell, recurrent_activation_of
from fastrnn.layers.recurrent_layer import OfCell, RecurrentLayer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class LSTMCell(RecurrentCell):
    """One step of an LSTM, which states the equations.

    Args:
        recurrent_activation: Activation of the three gates, as of `activation`.
        unit_forget_bias: Whether the bias of the gate f starts at 1, and so at remembering
            (Jozefowicz, Zaremba and Sutskever, 2015).

    Example:
        >>> import numpy as np
        >>> y, states = LSTMCell(4)(np.zeros((2, 3)), [np.zeros((2, 4)), np.zeros((2, 4))])
        >>> y.shape, len(states)
        ((2, 4), 2)
    """

    kernel_cell = "lstm"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        arguments = own_arguments(locals())
        self.recurrent_activation = recurrent_activation_of(arguments.pop("recurrent_activation"))
        self.unit_forget_bias = bool(arguments.pop("unit_forget_bias"))
        super().__init__(**arguments, **kwargs)

    def _first_bias(self, shape: tuple[int, ...]) -> np.ndarray:
        if not self.unit_forget_bias:
            return super()._first_bias(shape)
        units = self.units
        i, c_and_o = self.bias_initializer((units,)), self.bias_initializer((2 * units,))
        return np.concatenate([i, np.ones(units), c_and_o])


@serializable("keras.layers")
class LSTM(RecurrentLayer):
    """Keeps a carry c beside the output h; gates decide what enters, stays and leaves.

    With x_t `[batch, features]`, and the columns of the kernel W, the recurrent kernel U and the
    bias b in four blocks i, f, c, o:

        i = recurrent_activation(x_t W_i + h_{t-1} U_i + b_i)
        f = recurrent_activation(x_t W_f + h_{t-1} U_f + b_f)
        o = recurrent_activation(x_t W_o + h_{t-1} U_o + b_o)
        c_t = f * c_{t-1} + i * activation(x_t W_c + h_{t-1} U_c + b_c)
        h_t = o * activation(c_t)

    The equations are those of Gers, Schmidhuber and Cummins, "Learning to forget", 2000.

    Example:
        >>> import numpy as np
        >>> y, h, c = LSTM(4, return_sequences=True, return_state=True)(np.zeros((2, 5, 3)))
        >>> y.shape, h.shape, c.shape
        ((2, 5, 4), (2, 4), (2, 4))
    """

    cell_class = LSTMCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**own_arguments(locals()), **kwargs)

    unit_forget_bias = OfCell()
