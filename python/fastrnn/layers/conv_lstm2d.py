"""The LSTMs whose products are convolutions, over one dimension and over two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastrnn.arguments import own_arguments
from fastrnn.layers.conv_lstm import ConvLSTM
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class ConvLSTM1D(ConvLSTM):
    """LSTM whose products are convolutions over one dimension (Shi et al., 2015).

    It runs on NumPy, step by step.

    Args:
        filters: Number of features of the output.
        kernel_size: Size of a window.
        strides: Entries from one window of the input to the next.
        padding: "valid" or "same": whether zeros are put around the input. The products of the
            recurrence always keep the sizes.
        data_format: "channels_last" (or None).
        dilation_rate: Entries from one entry of an input's window to the next.
        activation: Activation of the candidate and of the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: First value of the kernel of the input.
        recurrent_initializer: First value of the kernel of the recurrence.
        bias_initializer: First value of the bias.
        unit_forget_bias: Whether the bias of the forget gate begins with ones.
        kernel_regularizer: Adds a penalty on the kernel to the loss.
        recurrent_regularizer: The same for the recurrent kernel.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output, divided by the size of the batch.
        kernel_constraint: Projects the kernel after each update.
        recurrent_constraint: The same for the recurrent kernel.
        bias_constraint: The same for the bias.
        dropout: Share of the input that is left out in training, for each gate another.
        recurrent_dropout: The same for the recurrence.
        seed: Seed of the dropout; None to draw one.
        return_sequences: Whether the outputs of all steps are returned, or the last alone.
        return_state: Only False.
        go_backwards: Whether to walk from the last step to the first.
        stateful: Only False.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, columns, features]`.
        training: Whether dropout is active.

    Returns of a call:
        `[batch, columns, filters]`, with the steps behind the batch if all are returned.

    Raises:
        ValueError: If an argument is not valid or not supported.

    Example:
        >>> import numpy as np
        >>> ConvLSTM1D(4, 3, padding="same")(np.zeros((2, 5, 8, 1))).shape
        (2, 8, 4)
    """

    rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**own_arguments(locals()), **kwargs)


@serializable("keras.layers")
class ConvLSTM2D(ConvLSTM):
    """LSTM whose products are convolutions over rows and columns (Shi et al., 2015).

    It runs on NumPy, step by step.

    Args:
        filters: Number of features of the output.
        kernel_size: Size of a window: one number, or one for each dimension.
        strides: Entries from one window of the input to the next.
        padding: "valid" or "same": whether zeros are put around the input. The products of the
            recurrence always keep the sizes.
        data_format: "channels_last" (or None).
        dilation_rate: Entries from one entry of an input's window to the next.
        activation: Activation of the candidate and of the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether there is a bias.
        kernel_initializer: First value of the kernel of the input.
        recurrent_initializer: First value of the kernel of the recurrence.
        bias_initializer: First value of the bias.
        unit_forget_bias: Whether the bias of the forget gate begins with ones.
        kernel_regularizer: Adds a penalty on the kernel to the loss.
        recurrent_regularizer: The same for the recurrent kernel.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output, divided by the size of the batch.
        kernel_constraint: Projects the kernel after each update.
        recurrent_constraint: The same for the recurrent kernel.
        bias_constraint: The same for the bias.
        dropout: Share of the input that is left out in training, for each gate another.
        recurrent_dropout: The same for the recurrence.
        seed: Seed of the dropout; None to draw one.
        return_sequences: Whether the outputs of all steps are returned, or the last alone.
        return_state: Only False.
        go_backwards: Whether to walk from the last step to the first.
        stateful: Only False.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, rows, columns, features]`.
        training: Whether dropout is active.

    Returns of a call:
        `[batch, rows, columns, filters]`, with the steps behind the batch if all are returned.

    Raises:
        ValueError: If an argument is not valid or not supported.

    Example:
        >>> import numpy as np
        >>> ConvLSTM2D(4, 3, padding="same")(np.zeros((2, 5, 8, 6, 1))).shape
        (2, 8, 6, 4)
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**own_arguments(locals()), **kwargs)
