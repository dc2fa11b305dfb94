"""A graph as a layer: what all models are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from fastrnn.graph import own_call
from fastrnn.graph.executor import Executor
from fastrnn.graph.graph import Graph
from fastrnn.graph.plan import Plan
from fastrnn.layers.calls import Extras, leave_extras
from fastrnn.layers.inputs import as_mask, as_numbers
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.overrides import is_of_fastrnn
from fastrnn.layers.own_layers import inferred_output_shape
from fastrnn.layers.string_arrays import as_objects
from fastrnn.layers.traced import TracedCall
from fastrnn.symbolic import KerasTensor, Node, flatten, is_shape, map_shapes, pack


class GraphLayer(Layer):
    """Base of models: a layer that runs a graph of layers.

    Arrays and symbolic tensors may come and go in the structure in which the graph was made: one
    of them, a list or tuple, or a dict; also as a list in the order of `inputs`, or as a dict by
    the names of the inputs.
    """

    uses_mask = True
    first_call_number = 1

    _graph: Graph | None = None
    _form = ""  # of the data for which a user's `call` was made a graph
    _defers = False  # whether the layers are built by the call that comes, not by `build`
    _inference: tuple[list[Graph], Executor] | None = None  # after the graphs that it was made of

    def _prepare_trace(self) -> None:
        owner = next(cls for cls in type(self).__mro__ if "call" in vars(cls))
        self.traced = None if is_of_fastrnn(owner) else TracedCall(self)

    def _set_graph(self, graph: Graph | None) -> None:
        self._graph = graph
        self._inference = None
        self.takes_list = graph is not None and len(graph.inputs) > 1

    @property
    def inner_graph(self) -> Graph:
        """The graph.

        Raises:
            AttributeError: If there is none yet.
        """
        if self._graph is None:
            raise AttributeError(
                f"Model '{self.name}' (of type {type(self).__name__}) has no graph of layers: make "
                "it of inputs and outputs, or of the layers of a Sequential, or write a `call`."
            )
        return self._graph

    # ---------------------------------------------------------------------- inputs and outputs

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic tensors of the inputs."""
        return list(self.inner_graph.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic tensors of the outputs."""
        return list(self.inner_graph.outputs)

    @property
    def input(self) -> Any:
        """The inputs as they were given: a symbolic tensor, or several in a list, tuple or dict."""
        return self.inner_graph.input_structure

    @property
    def output(self) -> Any:
        """The outputs as they were given, likewise."""
        return self.inner_graph.output_structure

    @property
    def input_names(self) -> list[str]:
        """The names by which data may be given to the inputs."""
        return [tensor.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that make the outputs; of a user's `call` numbers."""
        if self.is_own_call:
            return [f"output_{number + 1}" for number in range(len(self.outputs))]
        return [tensor.node.layer.name for tensor in self.outputs]

    @property
    def input_shape(self) -> Any:
        """Shape of the input, batch first; of several a list."""
        return _only_or_all([tensor.shape for tensor in self.inputs])

    @property
    def output_shape(self) -> Any:
        """Shape of the output, batch first; of several a list."""
        return _only_or_all([tensor.shape for tensor in self.outputs])

    @property
    def only_input_shape(self) -> Shape | None:
        """Shape of the input, batch first; None if it is not known, or there are several."""
        known = self._graph is not None and len(self._graph.inputs) == 1 and not self.is_own_call
        return self.inner_graph.inputs[0].shape if known else None

    # --------------------------------------------------------------- models with a `call` of a user

    def connect(self, arrays: Any) -> None:
        """Make the graph of a user's `call` on such data, and the weights of its layers.

        Args:
            arrays: Arrays, converted, in the structure in which `call` gets them.
        """
        form = own_call.form_of(arrays)
        if self._graph is None or self._form != form:
            self._set_graph(own_call.graph_of(self, arrays))
            self._form = form
            self.built = True
            self._outputs_changed()

    def _outputs_changed(self) -> None:
        """Called when it has become known which outputs there are."""

    def build_own(self, input_shape: Any) -> None:
        """Run a `build` that a user wrote; the layers are built by the call that comes.

        Args:
            input_shape: Shape of the first argument of the call, or a structure of them.
        """
        owner = next(cls for cls in type(self).__mro__ if "build" in vars(cls))
        if self._build_shape is None:
            self._build_shape = input_shape
        if not self.is_own_call or is_of_fastrnn(owner):
            return
        self._defers = True
        try:
            self.build(input_shape)
        finally:
            self._defers = False

    def _after_own_build(self, input_shape: Any) -> None:
        if self.is_own_call and not self._defers:
            self._connect_to_shapes(input_shape)

    def _connect_to_shapes(self, input_shape: Any) -> None:
        self.connect(
            map_shapes(
                lambda shape: np.zeros([1 if size is None else size for size in shape], np.float32),
                input_shape,
            )
        )

    # ------------------------------------------------------------------------- data of the inputs

    def _in_order(self, values: Any, what: str = "inputs") -> list[Any]:
        """Return what is given for the inputs, in their order.

        Raises:
            ValueError: If it is not one for each.
        """
        structure, tensors = self.inner_graph.input_structure, self.inner_graph.inputs
        names = [tensor.name for tensor in tensors]
        if isinstance(values, Mapping):
            own = dict(zip(names, tensors, strict=True))
            parts = structure if isinstance(structure, Mapping) else own
            keys = sorted(structure) if isinstance(structure, Mapping) else names
            missing = [key for key in keys if key not in values]
            if missing:
                raise ValueError(
                    f"`{what}` must have the keys {keys}, those of the inputs of model "
                    f"'{self.name}'. Received: {sorted(values)}, without {missing}"
                )
            given = []
            for key in keys:
                part = parts[key]
                given += (
                    [_without_list(values[key], part)]
                    if isinstance(part, KerasTensor)
                    else _leaves_of(values[key])
                )
        elif len(tensors) == 1:
            return [_without_list(values, tensors[0])]
        else:
            given = _leaves_of(values)
        if len(given) != len(tensors):
            shapes = [tensor.shape for tensor in tensors]
            raise ValueError(
                f"`{what}` must be {len(tensors)} arrays, one for each input of model "
                f"'{self.name}': {names}, of the shapes {shapes}. Received: "
                f"{len(given)} of them ({type(values).__name__})"
            )
        return given

    def as_input(self, inputs: Any, name: str = "inputs") -> Any:
        """Convert inputs as the layers that read them do, and check that all layers fit them."""
        if self.is_own_call:
            given = own_call.converted(inputs, name)
            self.connect(given)
            return _only_or_all(flatten(given))
        graph = self.inner_graph
        plan = self._executor.plan
        arrays = []
        for number, value in enumerate(self._in_order(inputs, name)):
            tensor = graph.inputs[number]
            own = name if len(graph.inputs) == 1 else f"{name}['{tensor.name}']"
            if isinstance(value, KerasTensor):
                raise TypeError(f"`{own}` must be an array. Received: {value!r}")
            texts = plan.takes_texts(number)
            array = as_objects(value, own) if texts else as_numbers(value, own)
            arrays.append(plan.convert(number, _of_rank(array, tensor), own))
        if len({len(array) for array in arrays}) > 1:
            raise ValueError(
                f"The arrays of `{name}` must have the same number of samples. "
                f"Received: shapes {[array.shape for array in arrays]}"
            )
        self.check_input_shape(_only_or_all([array.shape for array in arrays]))
        return _only_or_all(arrays)

    def packed_outputs(self, values: Sequence[Any]) -> Any:
        """Return something for each output in the structure of the outputs.

        Args:
            values: One for each output, in the order of `outputs`.

        Returns:
            The values; in place of a list or tuple of one that one, as in Keras.
        """
        return _packed(self.inner_graph.output_structure, values)

    # ------------------------------------------------------------------------ shapes, building

    def check_input_shape(self, shape: Any) -> None:
        """Refuse input shapes that one of the layers cannot take."""
        if self.is_own_call:
            return  # the layers see them when they are called
        shapes = self._shapes_in_order(shape)
        tensors = self.inner_graph.inputs
        for tensor, own in zip(tensors, shapes, strict=True):
            if len(own) != tensor.ndim or any(
                None not in (size, wanted) and size != wanted
                for size, wanted in zip(own[1:], tensor.shape[1:], strict=True)
            ):
                raise ValueError(
                    f"Input '{tensor.name}' of model '{self.name}' must have the shape "
                    f"{tensor.shape}. Received: shape={tuple(own)}"
                )
        self.inner_graph.shapes(shapes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shapes of the outputs, in their structure, for those of the inputs."""
        if self.is_own_call:
            return inferred_output_shape(self, input_shape)
        shapes = self.inner_graph.shapes(self._shapes_in_order(input_shape))
        return _packed(self.inner_graph.output_structure, shapes)

    def _shapes_in_order(self, shape: Any) -> list[Shape]:
        shapes = [shape] if is_shape(shape) else list(shape)
        if len(shapes) != len(self.inner_graph.inputs):
            raise ValueError(
                f"Model '{self.name}' has {len(self.inner_graph.inputs)} inputs. "
                f"Received: {len(shapes)} shapes, {shape}"
            )
        return [tuple(each) for each in shapes]

    # ------------------------------------------------------------------------------ computation

    @property
    def _executor(self) -> Executor:
        """What computes outputs without gradients."""
        graph = self.inner_graph
        opened = graph.opened()
        if self._inference is None or self._inference[0] != opened:
            self._inference = opened, Executor(Plan(graph))
        return self._inference[1]

    def _node_of_call(
        self, inputs: Any, training: Any = None, mask: Any = None, **options: Any
    ) -> Node:
        tensors = self._in_order(inputs)
        if len(tensors) == 1:
            (tensors,) = tensors
        return super()._node_of_call(tensors, training, mask, **options)

    def _call_on_arrays(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Return the outputs for a batch; see `predict` for many samples."""
        x = self.as_input(inputs)
        if self.is_own_call:
            outputs = self._executor.infer(_listed(x), None, bool(training)).outputs
            return _packed(self.inner_graph.output_structure, outputs)
        masks = None
        if mask is not None:
            given = flatten(mask) if isinstance(x, list) else [mask]
            arrays = x if isinstance(x, list) else [x]
            masks = [
                None if own is None else as_mask(own, array)
                for own, array in zip(given, arrays, strict=True)
            ]
        if not len(x[0] if isinstance(x, list) else x):
            shapes = self._shapes_in_order(
                [each.shape for each in x] if isinstance(x, list) else x.shape
            )
            empty = [
                np.zeros(cast(Any, own), np.float32) for own in self.inner_graph.shapes(shapes)
            ]
            return _packed(self.inner_graph.output_structure, empty)
        return self.call(x, training, masks if masks is None or isinstance(x, list) else masks[0])

    def call(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the outputs for a checked batch that is not empty.

        Args:
            x: Array, as `as_input` returns it; of several inputs a list.
            training: Whether dropout is active; None for what the calls of the layers said, which
                is no if they said nothing.
            mask: `[batch, steps]`, booleans, or None; of several inputs a list.
        """
        masks = None if mask is None else _listed(mask)
        passed = self._executor.infer(_listed(x), masks, training)
        leave_extras(Extras(passed.penalty, passed.masks))
        return _packed(self.inner_graph.output_structure, passed.outputs)

    def forward(self, x: Any, training: bool = False, mask: Any = None) -> tuple[Any, Any]:
        """Return the outputs for a checked batch, and what `backward` needs, as a layer does.

        Args:
            x: Array, as `as_input` returns it; of several inputs a list.
            training: Whether dropout is active.
            mask: `[batch, steps]`, booleans, or None; of several inputs a list.
        """
        if self.traced is not None:
            return self.traced.forward(x, training, mask)
        executor = Executor(Plan(self.inner_graph), self.weights, input_gradient=True)
        passed = executor.forward(_listed(x), None if mask is None else _listed(mask), training)
        leave_extras(Extras(passed.penalty, passed.masks))
        y = _packed(self.inner_graph.output_structure, passed.outputs)
        return y, (executor, passed.caches)

    def backward(
        self, cache: Any, d_y: Any, input_gradient: bool = True
    ) -> tuple[Any, list[np.ndarray | None]]:
        """Go back through one `forward`."""
        if self.traced is not None:
            return self.traced.backward(cache, d_y)
        executor, caches = cache
        d_inputs, gradients = executor.backward(caches, flatten(d_y))
        of = dict(zip(map(id, executor.variables), gradients, strict=True))
        return _only_or_all(d_inputs), [of.get(id(variable)) for variable in self.weights]

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle needs: all but what is made anew when it is missing."""
        return {**super().__getstate__(), "_inference": None} | (
            {"_graph": None, "_form": ""} if self.is_own_call else {}
        )


def _only_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _packed(structure: Any, values: Sequence[Any]) -> Any:
    """Return values in a structure; in place of a list or tuple of one that one, as in Keras."""
    if isinstance(structure, (list, tuple)) and len(values) == 1:
        return values[0]
    return pack(structure, values)


def _without_list(value: Any, tensor: KerasTensor) -> Any:
    """Return the array of a list with a single array, which as in Keras is that array."""
    if isinstance(value, (list, tuple)) and len(value) == 1:
        (only,) = value
        if isinstance(only, KerasTensor) or np.ndim(only) == tensor.ndim:
            return only
    return value


def _leaves_of(values: Any) -> list[Any]:
    """Return the arrays or symbolic tensors in a structure; nested lists of numbers are one."""
    if isinstance(values, Mapping):
        return [leaf for key in sorted(values) for leaf in _leaves_of(values[key])]
    if isinstance(values, (list, tuple)) and any(
        isinstance(each, (KerasTensor, Mapping)) or np.ndim(each) for each in values
    ):
        return list(values)
    return [values]


def _of_rank(array: np.ndarray, tensor: KerasTensor) -> np.ndarray:
    """Add or take a last dimension of size 1, as in Keras, where an input needs it."""
    if array.ndim == tensor.ndim - 1 and tensor.shape[-1] == 1:
        return array[..., np.newaxis]
    if array.ndim == tensor.ndim + 1 and array.shape[-1] == 1:
        return array[..., 0]
    return array
