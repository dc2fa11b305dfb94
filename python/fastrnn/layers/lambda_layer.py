"""A function as a layer."""

from __future__ import annotations

import inspect
from typing import Any

from fastrnn.layers.layer import Layer
from fastrnn.layers.serialization import serializable
from fastrnn.utils.named_function import function_config, function_from


@serializable("keras.layers")
class Lambda(Layer):
    """Applies a function of yours, made of operators and functions of `fastrnn.ops`.

    Files hold the function's name alone, never its code: `load_model` needs the function itself, as
    `custom_objects={"name": function}`. For a lambda expression that is the name of the layer.

    Args:
        function: Takes an array, or a list of arrays; and `mask` and `training` if it has such
            arguments.
        output_shape: Shape of the output without the batch, or a function of the input shape; found
            by a call if None.
        mask: The mask of the output, or a function of inputs and mask; None for none.
        arguments: Dict of further arguments of the function.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: Array, or list of arrays, the batch first.

    Returns of a call:
        What the function returns.

    Raises:
        ValueError: If `function` is not callable, or comes from a file and was not handed over.

    Example:
        >>> Lambda(lambda x: x[:, -1] * 2)([[[1.0], [3.0]]])
        array([[6.]], dtype=float32)
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function = function_from(function, f"Lambda layer '{self.name}'", [self.name])
        self._output_shape = output_shape
        self.mask = mask
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None
        parameters = inspect.signature(self.function).parameters
        self._passes = [name for name in ("mask", "training") if name in parameters]
        self.uses_mask = "mask" in self._passes

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        """Apply the function.

        Args:
            inputs: Array, or list of arrays.
            mask: Their mask.
            training: Whether dropout is active.
        """
        given = {"mask": mask, "training": training}
        return self.function(
            inputs, **self.arguments, **{name: given[name] for name in self._passes}
        )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask that the layer was given for its output.

        Args:
            inputs: What the layer is called on.
            mask: Their mask.
        """
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output.

        Args:
            input_shape: Shape of the input, or list of shapes.
        """
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return tuple(self._output_shape(input_shape))
        first = input_shape[0]
        return (first[0] if isinstance(first, list | tuple) else first, *self._output_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; of the function its name."""
        name = self.function.__name__
        own = self.name if name == "<lambda>" else name
        return self._shared_config() | {
            "function": function_config(self.function, own),
            "arguments": dict(self.arguments),
            **(
                {}
                if self._output_shape is None or callable(self._output_shape)
                else {"output_shape": list(self._output_shape)}
            ),
        }
