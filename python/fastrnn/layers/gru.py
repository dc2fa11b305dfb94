"""The gated recurrent unit (Cho et al., 2014)."""

from __future__ import annotations

from typing import Any

from fastrnn.arguments import own_arguments
from fastrnn.layers.recurrent_cell import RecurrentCell, recurrent_activation_of
from fastrnn.layers.recurrent_layer import OfCell, RecurrentLayer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class GRUCell(RecurrentCell):
    """One step of a GRU, which states the equations.

    Args:
        recurrent_activation: Activation of the two gates, as of `activation`.
        reset_after: Whether r is applied after the product with the recurrent kernel.

    Example:
        >>> import numpy as np
        >>> y, states = GRUCell(4)(np.zeros((2, 3)), [np.zeros((2, 4))])
        >>> y.shape, len(states)
        ((2, 4), 1)
    """

    kernel_cell = "gru"

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        arguments = own_arguments(locals())
        self.recurrent_activation = recurrent_activation_of(arguments.pop("recurrent_activation"))
        self.reset_after = bool(arguments.pop("reset_after"))
        if not self.reset_after:
            self.kernel_cell = "gru_reset_before"
        super().__init__(**arguments, **kwargs)


@serializable("keras.layers")
class GRU(RecurrentLayer):
    """Mixes the old output with a new one; gates decide how much, and from what.

    With x_t `[batch, features]`, and the columns of the kernel W, the recurrent kernel U and the
    biases b (for x) and d (for h) in three blocks z, r, h:

        z = recurrent_activation(x_t W_z + b_z + h_{t-1} U_z + d_z)
        r = recurrent_activation(x_t W_r + b_r + h_{t-1} U_r + d_r)
        n = activation(x_t W_h + b_h + r * (h_{t-1} U_h + d_h))
        h_t = z * h_{t-1} + (1 - z) * n

    That is `reset_after=True`; the bias is `[2, 3 * units]`, b above d. With `reset_after=False`,
    as in the paper of Cho et al., 2014, there is no d, and the reset comes before the product:
    `n = activation(x_t W_h + b_h + (r * h_{t-1}) U_h)`; the bias is `[3 * units]`.

    Example:
        >>> import numpy as np
        >>> GRU(4)(np.zeros((2, 5, 3))).shape
        (2, 4)
    """

    cell_class = GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**own_arguments(locals()), **kwargs)

    reset_after = OfCell()
