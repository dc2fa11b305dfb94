"""The base of all layers: names, weights, configs, and the way from outside into a kernel."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn import regularizers
from fastrnn.arguments import refuse_unknown
from fastrnn.layers.arguments import check_dtype, plain_value
from fastrnn.layers.first_values import first_value
from fastrnn.layers.inputs import as_floats
from fastrnn.naming import auto_name
from fastrnn.variable import Variable

Shape = tuple[int | None, ...]
"""Size of each dimension, the batch first; None where it is left open."""


def standardize_shape(shape: Any) -> Shape:
    """Return a shape as a tuple of positive ints and Nones.

    Raises:
        ValueError: If it is no sequence of such.
    """
    if isinstance(shape, (tuple, list)) and all(
        size is None
        or (isinstance(size, (int, np.integer)) and not isinstance(size, bool) and size >= 0)
        for size in shape
    ):
        return tuple(None if size is None else int(size) for size in shape)
    raise ValueError(f"A shape must be a tuple of integers and None. Received: shape={shape!r}")


class Layer:
    """A function of an array with weights.

    A layer can be called on arrays at any time. For training there is a second way in, which
    expects arrays that are already checked and converted: `forward` and `backward`.

    Args:
        name: Unique name in its model. By default `lstm`, `lstm_1` and so on.
        trainable: Whether training may change the weights.
        dtype: Only float32 (or None).
        activity_regularizer: Adds a penalty on the output, divided by the size of the batch, to
            the loss.
        autocast: Accepted for Keras's sake; without effect.
        **kwargs: `input_shape` or `input_dim`, the shape of one sample, for the first layer of a
            Sequential model; with `batch_size` or as `batch_input_shape` for a fixed batch size.

    Call arguments:
        inputs: Array or nested lists, the batch first.

    Returns of a call:
        Float32 array, the batch first.

    Raises:
        ValueError: If an argument is unknown, not supported or of a wrong kind.

    Example:
        >>> class Doubled(Layer):
        ...     def forward(self, x, training=False):
        ...         return 2 * x, None
        ...     def backward(self, cache, d_y, input_gradient=True):
        ...         return 2 * d_y, []
        >>> Doubled()([[1.0, 2.0]])
        array([[2., 4.]], dtype=float32)
    """

    supports_masking = False
    """Whether a mask of the input reaches `compute_mask`; else it ends here, as in Keras."""

    uses_mask = False
    """Whether `call` and `forward` take the mask of the input too."""

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        activity_regularizer: Any = None,
        autocast: bool = True,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        if not isinstance(trainable, bool):
            raise ValueError(f"`trainable` must be a boolean. Received: trainable={trainable!r}")
        check_dtype(dtype)
        self.batch_input_shape = _pop_batch_input_shape(kwargs)
        refuse_unknown(owner, kwargs, self._argument_names())
        self.name = auto_name(owner) if name is None else str(name)
        self.trainable = trainable
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.scope = ""  # name of the model around the layer and a slash, for the weights' paths
        self._stateful = False
        self._weights: list[Variable] = []
        self._build_shape: Shape | None = None

    # ---------------------------------------------------------------------------------- weights

    def _sublayers(self) -> Sequence[Layer]:
        """Return the layers inside this one, in the order of their weights."""
        return ()

    @property
    def weights(self) -> list[Variable]:
        """All weights, in Keras's order; empty before the layer is built."""
        inside = [variable for layer in self._sublayers() for variable in layer.weights]
        return [*self._weights, *inside]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes, in the same order."""
        if not self.trainable:
            return []
        inside = [variable for layer in self._sublayers() for variable in layer.trainable_weights]
        return [*self._weights, *inside]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone, in the same order."""
        trained = {id(variable) for variable in self.trainable_weights}
        return [variable for variable in self.weights if id(variable) not in trained]

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights
    variables = weights

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the weights' values, in the order of `weights`."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Overwrite all weights.

        Args:
            weights: One array per weight, in the order and shapes of `get_weights`.

        Raises:
            ValueError: If their number or a shape differs; no weight is then changed.
        """
        variables = self.weights
        values = [as_floats(value, "weights") for value in weights]
        if len(values) != len(variables):
            raise ValueError(
                f"`weights` must be a list of {len(variables)} arrays for layer '{self.name}'. "
                f"Received: {len(values)} arrays"
            )
        for variable, value in zip(variables, values, strict=True):
            if variable.shape != value.shape:
                raise ValueError(
                    f"Weight `{variable.path}` of layer '{self.name}' has shape "
                    f"{variable.shape}. Received: shape={value.shape}"
                )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """Return the number of scalars in the weights.

        Raises:
            ValueError: If the layer is not built.
        """
        if not self.built:
            raise ValueError(
                f"`count_params` needs a layer that is built, by data, by an input shape or by "
                f"`build(input_shape)`. Received: layer '{self.name}', which is not"
            )
        return sum(math.prod(variable.shape) for variable in self.weights)

    @property
    def losses(self) -> list[float]:
        """The penalties of the regularizers of the trainable weights, in their order."""
        return [
            variable.regularizer(variable.value)
            for variable in self.trainable_weights
            if variable.regularizer is not None
        ]

    def add_weight(
        self,
        shape: Sequence[int],
        initializer: Callable[..., np.ndarray],
        name: str,
        regularizer: regularizers.Regularizer | None = None,
        constraint: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> Variable:
        """Make a weight and append it to `weights`.

        Args:
            shape: Its shape.
            initializer: Function of the shape that returns its first value.
            name: Its name within the layer; what stands before a slash names a part of the layer.
            regularizer: What adds a penalty on its value to the loss.
            constraint: What projects its value after each update.

        Returns:
            The weight.

        Raises:
            ValueError: If the initializer returns an array of another shape.
        """
        value = first_value(initializer, tuple(shape))
        if value.shape != tuple(shape):
            raise ValueError(
                f"The initializer of `{name}` must return an array of shape {tuple(shape)}. "
                f"Received: shape={value.shape}"
            )
        path = f"{self.scope}{self.name}/{name}"
        weight = Variable(
            value,
            name=name.rpartition("/")[2],
            path=path,
            regularizer=regularizer,
            constraint=constraint,
        )
        self._weights.append(weight)
        return weight

    # --------------------------------------------------------------------- penalties and states

    @property
    def regularizes_activity(self) -> bool:
        """Whether the output of this layer, or of one inside, adds a penalty to the loss."""
        inside = any(layer.regularizes_activity for layer in self._sublayers())
        return self.activity_regularizer is not None or inside

    def activity_penalty(self, y: np.ndarray, cache: Any) -> float:
        """Return what the activity regularizers of this layer and of those inside add to the loss.

        Args:
            y: Output of `forward`.
            cache: The cache that `forward` returned with it.

        Returns:
            The penalty, 0 without regularizers.
        """
        return 0.0 if self.activity_regularizer is None else self.activity_regularizer(y) / len(y)

    def add_activity_gradient(self, d_y: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Add the gradient of this layer's own activity regularizer to that of its output y.

        Args:
            d_y: Gradient of the loss with respect to y.
            y: Output of `forward`.

        Returns:
            The sum, d_y itself without a regularizer.
        """
        if self.activity_regularizer is None:
            return d_y
        return d_y + self.activity_regularizer.gradient(y) / np.float32(len(y))

    @property
    def stateful(self) -> bool:
        """Whether this layer, or one inside, starts a batch with the states that the last left."""
        return self._stateful or any(layer.stateful for layer in self._sublayers())

    def reset_state(self) -> None:
        """Set the states that stateful layers keep between batches back to zeros."""
        for layer in self._sublayers():
            layer.reset_state()

    def reset_states(self) -> None:
        """Do the same as `reset_state`, its older name."""
        self.reset_state()

    # ------------------------------------------------------------------------ shapes, building

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse an input shape (batch first) that the layer cannot take.

        Args:
            shape: Size of each dimension, None where it is left open.

        Raises:
            ValueError: Says the expected and the received shape.
        """

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Any:
        """Return the shape of the output, batch first, for an input shape.

        Args:
            input_shape: Shape of the inputs, batch first; None for sizes left open.
        """
        return tuple(input_shape)

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the weights, unless they exist.

        Args:
            input_shape: Shape of the inputs, batch first; None for sizes left open.

        Raises:
            ValueError: If the layer cannot take such inputs.
        """
        shape = standardize_shape(input_shape)
        self.check_input_shape(shape)
        if not self.built:
            try:
                self._create_weights(shape)
            except BaseException:
                self._weights.clear()  # an initializer failed: leave no half-built layer
                raise
            self.built = True
        if self._build_shape is None:
            self._build_shape = shape

    def _create_weights(self, input_shape: Shape) -> None:
        """Make the weights for a checked input shape."""

    @property
    def output_shape(self) -> Any:
        """Shape of the output for the input shape that the layer was built with.

        Raises:
            AttributeError: If no shape is known yet.
        """
        if self._build_shape is None:
            raise AttributeError(f"Layer '{self.name}' has no output shape before it is built.")
        return self.compute_output_shape(self._build_shape)

    def leaves(self) -> list[Layer]:
        """Return the layers that compute, first to last: the layer itself, a model's layers."""
        return [self]

    # ------------------------------------------------------------------------------ computation

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the output: which entries of its first dimensions count.

        Args:
            inputs: What the layer is called on.
            mask: Their mask: booleans, of the shape of their first dimensions; None for none.

        Returns:
            The mask of the output, None for none; that of the inputs unless a layer knows better.
        """
        return mask

    def as_input(self, inputs: Any, name: str = "inputs") -> np.ndarray:
        """Convert inputs from outside to the array that `forward` takes, or refuse them.

        Args:
            inputs: Array or nested lists, the batch first.
            name: What messages call them.

        Returns:
            The array, float32 or, for tokens, of integers.

        Raises:
            TypeError: If they hold no numbers.
            ValueError: If they do not fit the layer.
        """
        return as_floats(inputs, name)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to an array; build it first if need be.

        Args:
            inputs: Array or nested lists, the batch first.
            *args: Further arguments of `call`.
            **kwargs: Further arguments of `call`.

        Returns:
            Float32 array; a batch of no samples gives a result of no samples.
        """
        x = self.as_input(inputs)
        self.build(x.shape)
        if not len(x):
            return self._empty_result(x.shape)
        return self.call(x, *args, **kwargs)

    def call(self, x: np.ndarray, training: bool = False) -> Any:
        """Apply the layer to a checked array that is not empty, without keeping a tape.

        Args:
            x: Array, as `as_input` returns it.
            training: Whether dropout and the like are active.

        Returns:
            The output.
        """
        return self.forward(x, training)[0]

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Apply the layer and keep what its backward pass needs.

        Args:
            x: Checked array, as `as_input` returns it.
            training: Whether dropout and the like are active.

        Returns:
            The output and a cache for `backward`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `forward`.")

    def backward(
        self, cache: Any, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through one `forward`.

        Args:
            cache: What `forward` returned.
            d_y: Gradient with respect to the output.
            input_gradient: Whether the gradient with respect to the input is wanted.

        Returns:
            That gradient (or None), and those of the weights in the order of `weights`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `backward`.")

    @property
    def output_activation(self) -> str | None:
        """Name of an activation at the layer's end that `without_activation` can leave off."""
        return None

    def without_activation(self) -> Layer:
        """Return a layer with the same weights that stops before its `output_activation`."""
        raise NotImplementedError(f"{type(self).__name__} has no output activation.")

    def _empty_result(self, input_shape: tuple[int, ...]) -> Any:
        shape = self.compute_output_shape(input_shape)
        if isinstance(shape[0], tuple):
            return tuple(np.zeros(one, np.float32) for one in shape)
        return np.zeros(shape, np.float32)

    # ----------------------------------------------------------------------------------- config

    @classmethod
    def _argument_names(cls) -> list[str]:
        """Names of the constructor's own arguments; each is also an attribute of the layer."""
        return [
            name
            for name, parameter in inspect.signature(cls).parameters.items()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]

    def _shared_config(self) -> dict[str, Any]:
        """Return the part of the config that does not depend on the class."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": "float32"}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        return self._shared_config() | {
            name: plain_value(getattr(self, name)) for name in self._argument_names()
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """Make a layer, without weights, from the result of `get_config` (Keras's works too).

        Args:
            config: Dict of the constructor's arguments.

        Returns:
            The layer.
        """
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _pop_batch_input_shape(arguments: dict[str, Any]) -> Shape | None:
    """Take the shape of the input, batch first, out of a constructor's keyword arguments."""
    batch_shape = arguments.pop("batch_input_shape", None)
    sample_shape = arguments.pop("input_shape", None)
    input_dim, batch_size = arguments.pop("input_dim", None), arguments.pop("batch_size", None)
    if input_dim is not None:
        sample_shape = (input_dim,)
    if batch_shape is None and sample_shape is not None:
        batch_shape = (batch_size, *standardize_shape(sample_shape))
    return None if batch_shape is None else standardize_shape(batch_shape)
