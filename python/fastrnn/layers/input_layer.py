"""The shape of a model's input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import refuse_unsupported
from fastrnn.layers.layer import Layer, standardize_shape
from fastrnn.layers.serialization import serializable
from fastrnn.symbolic import KerasTensor, Node

_NOT_BUILT = {"sparse": False, "ragged": False, "input_tensor": None, "optional": False}


@serializable("keras.layers")
class InputLayer(Layer):
    """Says the shape of an input of a model.

    Args:
        shape: Shape of one sample, such as `(200,)` or `(None, 8)`; None for sizes left open.
        batch_size: Size of the batch, if it is known; shown by `summary`.
        dtype: "string" for an input of a TextVectorization or StringLookup. Others are accepted for
            Keras's sake: the first layer decides what it takes.
        sparse: Not supported.
        ragged: Not supported.
        batch_shape: The shape with the batch first, in place of `shape` and `batch_size`.
        input_tensor: Not supported.
        optional: Not supported.
        name: Unique name in its model.
        **kwargs: `input_shape` and `batch_input_shape`, older names.

    Raises:
        ValueError: If there is not exactly one shape.

    Example:
        >>> InputLayer(shape=(200,)).batch_shape
        (None, 200)
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        given = {"sparse": bool(sparse), "ragged": bool(ragged), "optional": optional}
        refuse_unsupported("Input", given | {"input_tensor": input_tensor}, _NOT_BUILT)
        shape = kwargs.pop("input_shape", shape)
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        if (shape is None) == (batch_shape is None):
            raise ValueError(
                "Input needs either `shape` or `batch_shape`. "
                f"Received: shape={shape}, batch_shape={batch_shape}"
            )
        if batch_shape is None:
            batch_shape = (batch_size, *standardize_shape(shape))
        elif batch_size is not None:
            raise ValueError(
                "`batch_size` is the first size of `batch_shape`: give one of them. "
                f"Received: batch_size={batch_size}, batch_shape={batch_shape}"
            )
        super().__init__(name=name, **kwargs)
        self.batch_shape = standardize_shape(batch_shape)
        # A type of NumPy or TensorFlow has a name, or in NumPy 1's manner is a class with one.
        named = getattr(dtype, "name", None) or getattr(dtype, "__name__", None)
        self.input_dtype = "float32" if dtype is None else str(named or dtype)
        self._build_shape = self.batch_shape
        self.built = True
        self._record(Node(self), KerasTensor(self.batch_shape, self.input_dtype, name))

    @property
    def tensor(self) -> KerasTensor:
        """The symbolic tensor that stands for the input."""
        tensor: KerasTensor = self.output
        return tensor

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the state of a copy, with a tensor of its own."""
        vars(self).update(state)
        self._record(Node(self), KerasTensor(self.batch_shape, self.input_dtype, self.name))

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return the input."""
        return x, None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.input_dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": False,
        }


def Input(  # a capital as in Keras, where it stands beside the layers
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """Return a symbolic tensor: an input of a model, that layers can be called on.

    It may also be the first element of a Sequential model, which then is built as layers are added.

    Args:
        shape: Shape of one sample, such as `(200,)` or `(None, 8)`; None for sizes left open.
        batch_size: Size of the batch, if it is known.
        dtype: "string" for an input of a TextVectorization or StringLookup. Others are accepted for
            Keras's sake: the first layer decides what it takes.
        sparse: Not supported.
        ragged: Not supported.
        batch_shape: The shape with the batch first, in place of `shape` and `batch_size`.
        name: Unique name in its model; data may be given to it by this name.
        tensor: Not supported.
        optional: Not supported.

    Returns:
        The tensor.

    Raises:
        ValueError: If there is not exactly one shape.

    Example:
        >>> import fastrnn
        >>> from fastrnn import layers
        >>> x = Input(shape=(200, 3))
        >>> y = layers.Dense(1)(layers.GRU(8)(x))
        >>> y.shape
        (None, 1)
    """
    layer = InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    )
    return layer.tensor
