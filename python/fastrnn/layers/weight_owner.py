"""What layers and models share: a name, and weights of their own and of layers inside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn import constraints, initializers, regularizers
from fastrnn.layers.first_values import first_value
from fastrnn.layers.inputs import as_floats
from fastrnn.variable import Variable, check_dtype


class WeightOwner:
    """Base of all layers: what they have as owners of weights.

    Attributes:
        name: Unique name in its model.
        built: Whether the weights are made.
        scope: Name of the model around the layer and a slash, for the weights' paths.
    """

    name: str
    built: bool
    scope: str
    _weights: list[Variable]

    @property
    def trainable(self) -> bool:
        """Whether training may change the weights."""
        raise NotImplementedError

    def _sublayers(self) -> Sequence[WeightOwner]:
        raise NotImplementedError

    @property
    def weights(self) -> list[Variable]:
        """All weights, in Keras's order, each once; empty before the layer is built."""
        # By what they were made as: freezing one changes neither files nor `backward`'s order.
        own = sorted(self._weights, key=lambda variable: not variable.has_gradient)
        return _each_once(own, [layer.weights for layer in self._sublayers()])

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes, in the same order."""
        return self._thawed_weights() if self.trainable else []

    def _thawed_weights(self) -> list[Variable]:
        """Return the weights whose own layers are trainable, whatever stands around these.

        As in Keras 3, a layer that was thawed inside a frozen model is trained with the model
        around both.
        """
        own = [variable for variable in self._weights if variable.trainable and self.trainable]
        return _each_once(own, [layer._thawed_weights() for layer in self._sublayers()])

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
        # A weight may be a single number, of which `as_floats` makes an array of one dimension.
        values = [as_floats(value, "weights").reshape(np.shape(value)) for value in weights]
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

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = "glorot_uniform",
        name: str | None = None,
        regularizer: Any = None,
        constraint: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        aggregation: str | None = None,
    ) -> Variable:
        """Make a weight and append it to `weights`.

        Args:
            shape: Its shape, `()` by default. A string is the name, as in scripts for older Keras;
                the shape follows.
            initializer: Function of the shape that returns its first value, or the name of one.
            name: Its name within the layer; what stands before a slash names a part of the layer.
            regularizer: What adds a penalty on its value to the loss.
            constraint: What projects its value after each update.
            trainable: Whether training may change it by a gradient.
            dtype: Only float32 (or None).
            autocast: Accepted for Keras's sake; without effect.
            aggregation: Likewise.

        Returns:
            The weight.

        Raises:
            ValueError: If an argument names something unknown, or the initializer returns an array
                of another shape.
        """
        check_dtype(dtype)
        if isinstance(shape, str):
            shape, initializer, name = initializer, name or "glorot_uniform", shape
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        if not callable(initializer):
            initializer = initializers.get("glorot_uniform" if initializer is None else initializer)
        name = name or f"variable{f'_{count}' if (count := len(self._weights)) else ''}"
        value = first_value(initializer, shape)
        if value.shape != shape:
            raise ValueError(
                f"The initializer of `{name}` must return an array of shape {shape}. "
                f"Received: shape={value.shape}"
            )
        path = f"{self.scope}{self.name}/{name}"
        weight = Variable(
            value,
            name=name.rpartition("/")[2],
            path=path,
            trainable=trainable,
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
        )
        self._weights.append(weight)
        return weight

    def _adopt(self, variables: Iterable[Variable]) -> None:
        """Make weights of variables; as in Keras, one may be a weight of several layers."""
        known = {id(variable) for variable in self._weights}
        for variable in variables:
            if variable.is_free:
                variable.path = f"{self.scope}{self.name}/{variable.name}"
            elif not variable.has_gradient:  # the states of a recurrent layer
                continue
            if id(variable) not in known:
                self._weights.append(variable)


def _each_once(own: Sequence[Variable], inside: Sequence[Sequence[Variable]]) -> list[Variable]:
    """Return variables in their order, each once: a layer may stand in several others."""
    if not inside:
        return list(own)
    variables = [*own, *[variable for each in inside for variable in each]]
    return list({id(variable): variable for variable in variables}.values())
