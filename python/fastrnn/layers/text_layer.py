"""The base of the layers that take strings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from fastrnn.arguments import check_integer, refuse_unknown
from fastrnn.layers.layer import Layer
from fastrnn.layers.string_arrays import as_strings, check_encoding
from fastrnn.symbolic import Node

_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
_OLD_NAMES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


class TextLayer(Layer):
    """Base of the layers that take strings: their input, and the ways to their vocabulary.

    Integers have no derivative, so that gradients end here.

    Attributes:
        output_mode: What the layer makes of tokens.
        encoding: How bytes are to be read.
    """

    output_mode: str
    encoding: str

    def __init__(self, output_mode: Any, encoding: Any, **kwargs: Any) -> None:
        kwargs.pop("dtype", None)  # Keras's configs have one, which says nothing
        super().__init__(**kwargs)
        mode = _OLD_NAMES.get(output_mode, output_mode) if isinstance(output_mode, str) else None
        if mode not in _MODES:
            raise ValueError(
                f"`output_mode` must be one of {_MODES}. Received: output_mode={output_mode!r}"
            )
        self.output_mode = mode
        self.encoding = check_encoding(encoding)

    @property
    def output_dtype(self) -> str:
        """Type of the output's elements: numbers of tokens, counts, or weighted counts."""
        return "float32" if self.output_mode == "tf_idf" else "int64"

    def _node_of_call(
        self, inputs: Any, training: Any = None, mask: Any = None, **options: Any
    ) -> Node:
        node = super()._node_of_call(inputs, training, mask, **options)
        (tensor,) = node.inputs
        if self.takes_texts and tensor.dtype != "string":
            raise ValueError(
                f"Layer '{self.name}' takes strings, as of `Input(shape=(1,), dtype='string')`. "
                f"Received: {tensor!r}"
            )
        return node

    def as_input(self, inputs: Any, name: str = "inputs") -> np.ndarray:
        """Convert to an array of objects, the UTF-8 bytes of each text."""
        return as_strings(inputs, name, self.encoding)

    def _call_on_arrays(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to strings of any shape, also to a single one and to none."""
        known = ("training", "mask")  # which change nothing
        unknown = {name: value for name, value in kwargs.items() if name not in known}
        refuse_unknown(type(self).__name__, unknown, known)
        tf = sys.modules.get("tensorflow")
        if tf is not None and tf.is_symbolic_tensor(inputs):
            return self._called_by(tf, inputs)
        x = self.as_input(inputs)
        self.check_input_shape(x.shape)
        if x.ndim:
            self.build(x.shape)
        return self.call(x)

    def _called_by(self, tf: Any, inputs: Any) -> Any:
        """Return a symbolic tensor of TensorFlow, as in a function that `tf.data` maps.

        It stands for calls of this layer, which TensorFlow makes as data come.
        """
        made = tf.numpy_function(
            lambda x: np.asarray(self(x)), [inputs], self.output_dtype, stateful=False
        )
        if inputs.shape.rank is not None:
            made.set_shape(self.compute_output_shape(tuple(inputs.shape)))
        return made

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        """Return the output; there is nothing to keep for a backward pass."""
        return self.call(x), None

    def backward(
        self, cache: None, d_y: Any, input_gradient: bool = True
    ) -> tuple[None, list[np.ndarray | None]]:
        """Return that there is no gradient."""
        return None, []

    # ------------------------------------------------------------------------------ vocabulary

    @property
    def lookup(self) -> Any:
        """The StringLookup that has the vocabulary: the layer itself, or one inside."""
        raise NotImplementedError(f"{type(self).__name__} must implement `lookup`.")

    def update_state(self, data: Any) -> None:
        """Count the tokens of some texts, for `finalize_state`.

        Args:
            data: The texts.
        """
        self._count_texts(as_strings(data, "data", self.encoding))

    def _count_texts(self, texts: np.ndarray) -> None:
        """Count the tokens of texts, an array of UTF-8 bytes."""
        raise NotImplementedError(f"{type(self).__name__} must implement `_count_texts`.")

    def finalize_state(self) -> None:
        """Make the vocabulary of the tokens that were counted."""
        raise NotImplementedError(f"{type(self).__name__} must implement `finalize_state`.")

    def _adapt(self, data: Any, steps: int | None, batch_size: int | None = None) -> None:
        """Make the vocabulary of the tokens of some data; see `adapt`."""
        self.reset_state()
        for batch in _batches(data, steps, batch_size, self.encoding):
            self._count_texts(batch)
        self.finalize_state()


def _batches(
    data: Any, steps: int | None, batch_size: int | None, encoding: str
) -> Iterator[np.ndarray]:
    """Yield the texts of arrays, or of what yields batches; of an array each text is a row."""
    for name, value in (("steps", steps), ("batch_size", batch_size)):
        if value is not None:
            check_integer(name, value, 1)
    is_array = isinstance(data, (str, bytes, list, tuple)) or hasattr(data, "__array__")
    if is_array or not isinstance(data, Iterable):
        texts = as_strings(data, "data", encoding)
        yield texts[:, np.newaxis] if texts.ndim == 1 else texts
        return
    for batch in islice(data, steps):
        yield as_strings(batch, "data", encoding)
