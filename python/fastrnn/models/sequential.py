"""A stack of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastrnn.graph import Graph, GraphLayer
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.input_layer import InputLayer
from fastrnn.layers.inputs import as_floats
from fastrnn.layers.layer import Layer, Shape, standardize_shape
from fastrnn.layers.overrides import NOT_CALLED_OF_GRAPHS
from fastrnn.layers.serialization import deserialize_all, serializable, serialize
from fastrnn.models.model import Model
from fastrnn.symbolic import KerasTensor, is_shape


@serializable("keras")
class Sequential(Model):
    """Layers, each of which takes the output of the one before.

    The weights are made as soon as the shape of the input is known: from an `Input`, an
    `input_shape=` or a model with a known input at the start, by `build`, or from the first data.

    Args:
        layers: The layers, first to last.
        trainable: Whether training may change the weights.
        name: Name of the model.

    Call arguments:
        inputs: Array, the batch first, as the first layer takes it.
        training: Whether dropout is active.
        mask: `[batch, steps]`, False for steps of the input that recurrent layers skip.

    Returns of a call:
        The output of the last layer, a float32 array.

    Raises:
        TypeError: If an element of `layers` is not a layer.
        ValueError: If an argument is not valid, or a layer does not fit.

    Example:
        >>> from fastrnn import layers
        >>> model = Sequential([layers.Input((10, 1)), layers.LSTM(4), layers.Dense(1)])
        >>> model.output_shape, model.count_params()
        ((None, 1), 101)
    """

    first_call_number = 0
    is_row = True
    not_called = NOT_CALLED_OF_GRAPHS

    def __init__(
        self,
        layers: Sequence[Layer | KerasTensor] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self._layers: list[Layer] = []
        self._tensors: list[KerasTensor] = []  # the input, and what each layer makes of it
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._build_if_known()
        if not self.trainable:
            self.trainable = False  # that of the layers too

    # ----------------------------------------------------------------------------------- layers

    @property
    def layers(self) -> list[Layer]:
        """The layers, first to last, without the InputLayer."""
        return self._layers[1 if self.input_layer else 0 :]

    @property
    def operations(self) -> list[Layer]:
        """The layers: between them there is nothing else."""
        return self.layers

    @property
    def input_layer(self) -> InputLayer | None:
        """The InputLayer in front of the layers, if there is one."""
        first = self._layers[0] if self._layers else None
        return first if isinstance(first, InputLayer) else None

    def _sublayers(self) -> list[Layer]:
        return self.layers

    @property
    def takes_texts(self) -> bool:
        """Whether the model is called on strings."""
        return bool(self.layers) and self.layers[0].takes_texts

    def add(self, layer: Layer | KerasTensor, rebuild: bool = True) -> None:
        """Put a layer on top.

        Args:
            layer: The layer, or the result of `Input` as the first.
            rebuild: Whether to make its weights, if the shape of its input is known.

        Raises:
            TypeError, ValueError: If it is not a layer, or does not fit; the model then stays as it
                was.

        Example:
            >>> from fastrnn import layers
            >>> model = Sequential()
            >>> model.add(layers.Input((10, 2)))
            >>> model.add(layers.GRU(4, return_sequences=True))
            >>> model.add(layers.Dense(1))
            >>> model.output_shape
            (None, 10, 1)
        """
        before, built = list(self._layers), self.built
        self._append(layer)
        if rebuild:
            try:
                self._build_if_known()
            except Exception:
                self._layers, self.built = before, built
                self._connect()
                raise

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off and return it.

        Args:
            rebuild: Accepted for Keras's sake; without effect.

        Returns:
            The layer.

        Raises:
            ValueError: If there is none.
        """
        if not self.layers:
            raise ValueError(f"Model '{self.name}' has no layer to pop.")
        layer = self._layers.pop()
        self.built = self.built and bool(self.layers)
        self._connect()
        return layer

    def _append(self, layer: Layer | KerasTensor) -> None:
        if isinstance(layer, KerasTensor) and layer.node.is_input:
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            raise TypeError(
                "Only layers can be added to a Sequential model. "
                f"Received: {layer!r} (of type {type(layer).__name__})"
            )
        graph = getattr(layer, "inner_graph", None)  # a Sequential may have none yet
        if graph is not None and len(graph.inputs) > 1:
            raise ValueError(
                "A layer of a Sequential model must have one input. Received: model "
                f"'{layer.name}' with {len(graph.inputs)}; `fastrnn.Model` takes it"
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(
                f"An Input must be the first element of a model. Received: {layer.name} after "
                f"{len(self._layers)} others in model '{self.name}'"
            )
        if any(layer.name == other.name for other in self._layers):
            raise ValueError(
                f"The layers of a model must have different names. Received: a second "
                f"'{layer.name}' in model '{self.name}'"
            )
        if not self._layers and layer.batch_input_shape is not None:
            dtype = "string" if layer.takes_texts else None
            self._layers.append(InputLayer(batch_shape=layer.batch_input_shape, dtype=dtype))
        self._layers.append(layer)
        self.built = False

    # ------------------------------------------------------------------------ shapes, building

    def _build_if_known(self) -> None:
        if self.layers and (shape := self._known_input_shape) is not None:
            self.build(shape)

    @property
    def _known_input_shape(self) -> Shape | None:
        """The input shape from an Input, from an earlier build, or from a model in front."""
        if self.input_layer:
            return self.input_layer.batch_shape
        first = self._layers[0] if self._layers else None
        built_for: Shape | None = self._build_shape
        if built_for is None and isinstance(first, GraphLayer):
            return first.only_input_shape
        return built_for

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the weights of all layers that have none yet.

        Args:
            input_shape: Shape of the input, batch first; by default that of the Input. Without
                either nothing happens.

        Raises:
            ValueError: If the model has no layers, or they do not fit the shape or each other.
                No weights are then made.
        """
        if input_shape is None:
            input_shape = self._known_input_shape
        if input_shape is None:
            return
        shape = standardize_shape(input_shape)
        if self.built:
            self.check_input_shape(shape)
            return
        for layer in self.layers:
            if not layer.built:
                layer.scope = f"{self.scope}{self.name}/"
        for layer, layer_shape in zip(self.layers, self._shapes(shape), strict=False):
            layer.build(layer_shape)
        self._build_shape = self._known_input_shape or shape
        self.built = True
        self._connect()

    def _connect(self) -> None:
        """Bring the graph up to date: call the layers that were not yet called, one on another."""
        self._set_graph(None)
        if not self.built:
            return
        if not self._tensors:
            entrance = self.input_layer or InputLayer(
                batch_shape=self._known_input_shape,
                dtype="string" if self.takes_texts else None,
                name=f"input_of_{self.name}",
            )
            self._tensors = [entrance.tensor]
        del self._tensors[len(self.layers) + 1 :]
        for layer in self.layers[len(self._tensors) - 1 :]:
            self._tensors.append(layer(self._tensors[-1]))
        self._set_graph(Graph(self._tensors[0], self._tensors[-1]))

    def _in_order(self, values: Any, what: str = "inputs") -> list[Any]:
        single = isinstance(values, (list, tuple)) and len(values) == 1
        return [values[0] if single and isinstance(values[0], KerasTensor) else values]

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse an input shape that one of the layers cannot take."""
        self._shapes(shape)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Any:
        """Return the shape of the output for an input shape, batch first."""
        return self._shapes(standardize_shape(input_shape))[-1]

    def _shapes(self, shape: Shape) -> list[Shape]:
        """Return the input shape of each layer, and the output shape; checks them all."""
        if not self.layers:
            raise ValueError(
                f"Model '{self.name}' has no layers: add one before it is built or used."
            )
        shapes = [shape]
        for layer in self.layers:
            layer.check_input_shape(shape)
            shape = layer.compute_output_shape(shape)
            if not is_shape(shape):
                raise ValueError(
                    "A layer of a Sequential model must have one output. Received: layer "
                    f"'{layer.name}' with {len(shape)}, of the shapes {shape}"
                )
            shapes.append(shape)
        return shapes

    @property
    def fixed_batch_size(self) -> int | None:
        """The batch size that the Input states, or None."""
        return None if (shape := self._known_input_shape) is None else shape[0]

    @property
    def input_shape(self) -> Shape:
        """Shape of the input, batch first.

        Raises:
            AttributeError: If it is not known yet.
        """
        if (shape := self._known_input_shape) is None:
            raise AttributeError(f"Model '{self.name}' has no input shape before it is built.")
        return shape

    # ------------------------------------------------------------------------------ computation

    def as_input(self, inputs: Any, name: str = "inputs") -> np.ndarray:
        """Convert inputs as the first layer does, and check that all layers fit them."""
        first = self.layers[0] if self.layers else self
        convert = as_floats if first is self else first.as_input
        given = self._of_name(inputs, name) if isinstance(inputs, Mapping) else inputs
        x: np.ndarray = convert(self._without_list(given), name)
        known = self._known_input_shape
        if known is not None and x.ndim == len(known) - 1 and known[-1] == 1:
            x = x[..., np.newaxis]  # as in Keras: one feature needs no dimension of its own
        self.check_input_shape(x.shape)
        return x

    def _of_name(self, inputs: Mapping[str, Any], name: str) -> Any:
        """Return what a dict has for the Input."""
        if self.input_layer is None:
            raise ValueError(
                f"`{name}` may be a dict only where the model begins with an Input, whose name is "
                f"the key. Received: the keys {list(inputs)}"
            )
        if list(inputs) != [self.input_layer.name]:
            raise ValueError(
                f"`{name}` must have the key '{self.input_layer.name}', the name of the Input of "
                f"model '{self.name}'. Received: the keys {list(inputs)}"
            )
        return inputs[self.input_layer.name]

    def _without_list(self, inputs: Any) -> Any:
        """Return the array of a list with a single array, which is one for each input, as in Keras.

        A list may also hold the samples. Which of both it is, the number of dimensions tells. Where
        that is open too, an array is the input, as in Keras, and nested lists are a sample.
        """
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 1:
            return inputs
        rank = np.ndim(inputs[0])
        if self.takes_texts:  # [batch] or [batch, 1]
            return inputs[0] if rank and hasattr(inputs[0], "__array__") else inputs
        if (known := self._known_input_shape) is not None:
            return inputs[0] if rank == len(known) else inputs
        if self.layers and isinstance(self.layers[0], Embedding):
            return inputs[0] if rank == 2 else inputs
        shape = np.shape(inputs[0])
        if hasattr(inputs[0], "__array__") and rank > 1 and self._fits(shape):
            return inputs[0]
        return inputs if self._fits((1, *shape)) else inputs[0]

    def _fits(self, shape: Shape) -> bool:
        """Return whether all layers take an input shape."""
        try:
            self.check_input_shape(shape)
        except ValueError:
            return False
        return True

    def _call_on_arrays(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Return the output for a batch; see `predict` for many samples."""
        if not self.built:
            self.build((None, *self.as_input(inputs).shape[1:]))
        return super()._call_on_arrays(inputs, training, mask)

    # ----------------------------------------------------------------------------------- copies

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle needs; the graph is made anew."""
        return {**super().__getstate__(), "_graph": None, "_tensors": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the state of another model."""
        vars(self).update(state)
        self._connect()

    # ----------------------------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Return name, layers and input shape as plain values, in Keras's form."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self._dtype_config(),
            "layers": [serialize(layer) for layer in self._layers],
        }
        if (shape := self._known_input_shape) is not None:
            config["build_input_shape"] = shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Sequential:
        """Make a model, with new weights, from the result of `get_config` (Keras's works too).

        Args:
            config: Dict with `layers`, the config dicts of the layers, and `name`.

        Returns:
            The model, not compiled.
        """
        if "layers" not in config:  # a subclass with a constructor and a config of its own
            return super(Model, cls).from_config(config)
        layers = deserialize_all(config["layers"])
        model = cls._with_flag(
            config.get("trainable"), lambda flag: cls(layers, name=config.get("name"), **flag)
        )
        shape = config.get("build_input_shape")
        if model.layers and not model.built and shape is not None:
            model.build(shape)
        return model
