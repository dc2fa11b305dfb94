"""What SimpleRNN, LSTM and GRU share: an `RNN` whose cell is made from the layer's arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastrnn.arguments import refuse_unsupported
from fastrnn.docstrings import complete_docstring
from fastrnn.layers.layer_config import LayerConfig
from fastrnn.layers.recurrent_cell import RecurrentCell
from fastrnn.layers.rnn import RNN
from fastrnn.naming import to_snake_case

_NOT_BUILT = {"time_major": False}


class OfCell:
    """An attribute of a layer that is one of its cell."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        return self if layer is None else getattr(layer.cell, self._name)

    def __set__(self, layer: Any, value: Any) -> None:
        setattr(layer.cell, self._name, value)


class RecurrentLayer(RNN):
    """Base of the recurrent layers.

    A subclass names the class of its cell. What the cell and `RNN` say about their arguments
    becomes a part of its docstring.

    Args:
        activity_regularizer: Adds a penalty on the output, divided by the size of the batch, to
            the loss.
        use_cudnn: Accepted for Keras's sake; without effect.
        **kwargs: `name`, `trainable`, `dtype`, `input_shape`, `batch_input_shape`; `input_dim` and
            `input_length`, the features and steps of a first layer, as in tf.keras 2; and:
            `zero_output_for_mask`, whether the output of a masked step is zeros, and not that of
            the step before it in the walk; `implementation`, of which 1 makes LSTM and GRU draw a
            mask of the dropout for each gate, as `recurrent_dropout` does; `time_major`, only
            False.
    """

    cell: RecurrentCell
    cell_class: type[RecurrentCell]
    """Class of the cell."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        complete_docstring(cls, RNN, cls.cell_class)

    def __init__(
        self,
        *,
        use_cudnn: bool | str = "auto",
        time_major: bool = False,
        **arguments: Any,
    ) -> None:
        refuse_unsupported(type(self).__name__, {"time_major": time_major}, _NOT_BUILT)
        if use_cudnn not in ("auto", True, False):
            raise ValueError(
                f"`use_cudnn` must be 'auto', True or False. Received: use_cudnn={use_cudnn!r}"
            )
        names = {*inspect.signature(self.cell_class).parameters, "implementation"} - {"kwargs"}
        of_cell = {name: arguments.pop(name) for name in names & set(arguments)}
        name = to_snake_case(self.cell_class.__name__)
        cell = self.cell_class(**of_cell, name=name, dtype=arguments.get("dtype"))
        super().__init__(cell, **arguments)
        self.use_cudnn = use_cudnn

    units = OfCell()
    activation = OfCell()
    use_bias = OfCell()
    kernel_initializer = OfCell()
    recurrent_initializer = OfCell()
    bias_initializer = OfCell()
    kernel_regularizer = OfCell()
    recurrent_regularizer = OfCell()
    bias_regularizer = OfCell()
    kernel_constraint = OfCell()
    recurrent_constraint = OfCell()
    bias_constraint = OfCell()
    dropout = OfCell()
    recurrent_dropout = OfCell()
    seed = OfCell()
    implementation = OfCell()
    kernel_cell = OfCell()
    gates = OfCell()
    kernel = OfCell()
    recurrent_kernel = OfCell()
    bias = OfCell()
    recurrent_activation = OfCell()

    @classmethod
    def _argument_names(cls) -> list[str]:
        # An argument of all of them, among their `kwargs` as in Keras.
        return [*super()._argument_names(), "zero_output_for_mask"]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        return LayerConfig.get_config(self)

    @classmethod
    def _with_flag(cls, trainable: Any, make: Callable[[dict[str, Any]], Any]) -> Any:
        # The cell has no config of its own, and so no flag but that of the layer.
        return make({} if trainable is None else {"trainable": trainable})
