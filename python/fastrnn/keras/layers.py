"""`SimpleRNN`, `LSTM` and `GRU` of Keras, run by the kernels."""

from __future__ import annotations

import warnings
import weakref
from typing import Any

import keras
import numpy as np
from keras import ops

# What gives a class its name in files; Keras has no public way to say it of a subclass.
from keras.src.api_export import REGISTERED_OBJS_TO_NAMES

from fastrnn import kernels
from fastrnn.keras import backend
from fastrnn.keras.walk import Walk

_backend = backend.load()


class KernelLayer:
    """What the three layers share: the loop over the steps is one call of the kernels.

    All else is Keras's: weights, config, states between batches, masks of the dropout. Instances
    have no attributes of their own, so that a layer of Keras becomes one of these by its class.
    """

    own: type[keras.layers.RNN]
    """Keras's class of this one."""

    own_cell: type[keras.layers.Layer]
    """The class of cell that the kernels compute."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "own" in cls.__dict__:
            # Files name Keras's class, so that Keras reads them alone. Loading is as before.
            REGISTERED_OBJS_TO_NAMES[cls] = REGISTERED_OBJS_TO_NAMES[cls.own]

    @property
    def supports_jit(self) -> bool:
        """Whether XLA can compile the layer: it cannot where TensorFlow calls into Python."""
        calls_python = keras.backend.backend() == "tensorflow" and hasattr(self, "cell")
        if calls_python and self._reason_of_arguments() is None:
            return False
        own: bool = self.__dict__.get("supports_jit", True)
        return own

    @supports_jit.setter
    def supports_jit(self, value: bool) -> None:
        self.__dict__["supports_jit"] = value

    def inner_loop(
        self: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Walk the steps; Keras calls it.

        Args:
            sequences: [B, T, F].
            initial_state: The states before the first step, each [B, H].
            mask: Bool [B, T], or None.
            training: Whether dropout is active.

        Returns:
            The output of the last step [B, H], those of all steps [B, T, H], and the last states.
            Of the first two only the one that `return_sequences` asks for.
        """
        states = (
            list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
        )
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        reason = self._reason_of_arguments()
        if reason is None:
            reason = _reason_of_call([sequences, *states], mask)
        if reason is not None:
            _warn_once(self, reason)
            return super().inner_loop(sequences, initial_state, mask, training)  # type: ignore[misc]
        if self.stateful:
            # The tape refers to them until the backward pass, and Keras overwrites them before.
            states = [ops.copy(state) for state in states]
        others = {} if mask is None else {"mask": ops.cast(mask, "bool")}
        if training:
            others |= self._dropout_masks(sequences[:, 0, :], states[0])
        cell = self.cell
        weights = [cell.kernel, cell.recurrent_kernel, *([cell.bias] if cell.use_bias else [])]
        outputs, *last = _backend.run(
            self._walk(tuple(others)),
            [sequences, *map(ops.convert_to_tensor, weights), *states],
            list(others.values()),
            bool(training),
        )
        if self.go_backwards and self.return_sequences:
            outputs = ops.flip(outputs, axis=1)  # Keras's are in the order of the walk
        return outputs, outputs, last

    def _walk(self: Any, others: tuple[str, ...]) -> Walk:
        activation = name_of(self.cell.activation)
        assert activation is not None, "`_reason_of_arguments` comes first"
        recurrent_activation = getattr(self.cell, "recurrent_activation", None)
        return Walk(
            cell=self._kernel_cell(),
            activation=activation,
            recurrent_activation=recurrent_activation and name_of(recurrent_activation),
            go_backwards=bool(self.go_backwards),
            zero_output_for_mask=bool(self.zero_output_for_mask),
            return_sequences=bool(self.return_sequences),
            bias=bool(self.cell.use_bias),
            others=others,
        )

    def _kernel_cell(self) -> str:
        """Return the kernels' name of the cell."""
        raise NotImplementedError

    def _dropout_masks(self: Any, x: Any, h: Any) -> dict[str, Any]:
        """Return the masks that Keras has drawn for this call, [B, N] or for each gate [B, G, N].

        Args:
            x: A step [B, F].
            h: A state [B, H].
        """
        cell, masks = self.cell, {}
        # Keras's LSTM and GRU take a rate of 1 for none.
        highest = 1.0 if self.own is keras.layers.SimpleRNN else np.nextafter(1.0, 0.0)
        if 0 < cell.dropout <= highest:
            masks["dropout_mask"] = _one_array(cell.get_dropout_mask(x))
        if 0 < cell.recurrent_dropout <= highest:
            masks["recurrent_dropout_mask"] = _one_array(cell.get_recurrent_dropout_mask(h))
        return masks

    def _reason_of_arguments(self: Any) -> str | None:
        """Return what about the layer is not for the kernels, "" if none need know; else None."""
        cell = self.cell
        if type(cell) is not self.own_cell:
            return f"its cell is a {type(cell).__name__}"
        if self.unroll:
            return "it has unroll=True"
        if getattr(self, "use_cudnn", "auto") is True:
            return ""  # Keras says itself that there is no cuDNN
        for name in ("activation", "recurrent_activation"):
            function = getattr(cell, name, keras.activations.tanh)
            if name_of(function) is None:
                return f"its {name} is {getattr(function, '__name__', function)}"
        for dtype in (cell.compute_dtype, cell.variable_dtype, self.compute_dtype):
            if dtype != "float32":
                return f"its dtype is {self.dtype_policy.name}"
        return None


def _one_array(mask: Any) -> Any:
    return ops.stack(mask, axis=1) if isinstance(mask, (list, tuple)) else mask


def name_of(activation: Any) -> str | None:
    """Return the kernels' name of one of Keras's activations; None if they do not have it."""
    for name in kernels.ACTIVATIONS:
        if activation is getattr(keras.activations, name, None):
            return name
    return None


def _reason_of_call(tensors: list[Any], mask: Any) -> str | None:
    """Return what about a call is not for the kernels, "" if none need know; None if all is."""
    if mask is not None and len(mask.shape) != 2:
        return f"its mask has {len(mask.shape)} dimensions"
    for tensor in tensors:
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        if dtype != "float32":
            return f"a tensor has dtype {dtype}"
    if 0 in tuple(tensors[0].shape)[1:] or _backend.is_exporting(tensors[0]):
        return ""
    reason: str | None = _backend.reason_against(*tensors)
    return reason


_warned: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()


def _warn_once(layer: Any, reason: str) -> None:
    """Say once that a layer runs Keras's own code; nothing where the reason is ""."""
    said = _warned.setdefault(layer, {""})
    if reason not in said:
        said.add(reason)
        warnings.warn(
            f"Layer '{layer.name}' runs Keras's own code and not fastrnn's kernels: {reason}.",
            stacklevel=2,
        )


class SimpleRNN(KernelLayer, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN`, whose forward and backward pass run on fastrnn's kernels.

    Arguments, weights, results and files are Keras's. What the kernels do not take runs Keras's own
    code, with a warning.

    Example:
        >>> import numpy as np
        >>> SimpleRNN(4)(np.zeros((2, 5, 3), "float32")).shape == (2, 4)
        True
    """

    own, own_cell = keras.layers.SimpleRNN, keras.layers.SimpleRNNCell

    def _kernel_cell(self) -> str:
        return "simple_rnn"


class LSTM(KernelLayer, keras.layers.LSTM):
    """`keras.layers.LSTM`, whose forward and backward pass run on fastrnn's kernels.

    Arguments, weights, results and files are Keras's. What the kernels do not take runs Keras's own
    code, with a warning.

    Example:
        >>> import numpy as np
        >>> LSTM(4, return_sequences=True)(np.zeros((2, 5, 3), "float32")).shape == (2, 5, 4)
        True
    """

    own, own_cell = keras.layers.LSTM, keras.layers.LSTMCell

    def _kernel_cell(self) -> str:
        return "lstm"


class GRU(KernelLayer, keras.layers.GRU):
    """`keras.layers.GRU`, whose forward and backward pass run on fastrnn's kernels.

    Arguments, weights, results and files are Keras's. What the kernels do not take runs Keras's own
    code, with a warning.

    Example:
        >>> import numpy as np
        >>> GRU(4, reset_after=False)(np.zeros((2, 5, 3), "float32")).shape == (2, 4)
        True
    """

    own, own_cell = keras.layers.GRU, keras.layers.GRUCell

    def _kernel_cell(self) -> str:
        return "gru" if self.cell.reset_after else "gru_reset_before"
