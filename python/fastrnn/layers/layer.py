"""The base of all layers: names, weights, configs, and the way from outside into a kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastrnn import dtype_policies, regularizers
from fastrnn.arguments import refuse_unknown
from fastrnn.layers.attributes import NO_LAYERS, layers_of, metrics_of, variables_of
from fastrnn.layers.built_in_call import reached_by_super, replaces_call
from fastrnn.layers.calls import running_call
from fastrnn.layers.graph_member import GraphMember
from fastrnn.layers.inputs import as_floats, as_own_input
from fastrnn.layers.inside import call_inside
from fastrnn.layers.layer_config import LayerConfig
from fastrnn.layers.overrides import (
    NOT_CALLED_OF_LAYERS,
    is_of_fastrnn,
    refuse_overrides,
    refuse_replacement,
)
from fastrnn.layers.own_layers import call_on_arrays, inferred_output_shape, own_outputs
from fastrnn.layers.penalties import Penalized
from fastrnn.layers.shapes import Shape as Shape
from fastrnn.layers.shapes import build_once, pop_batch_input_shape
from fastrnn.layers.shapes import standardize_shape as standardize_shape
from fastrnn.layers.traced import NOT_GIVEN, TracedCall, first_argument
from fastrnn.layers.tracking import tracked
from fastrnn.naming import auto_name
from fastrnn.results import with_numpy
from fastrnn.state import generators_of, get_attributes, set_attributes
from fastrnn.symbolic import KerasTensor, has_symbolic, map_shapes
from fastrnn.tensors import records
from fastrnn.tracing import is_tracing
from fastrnn.variable import Variable


class Layer(GraphMember, Penalized, LayerConfig):
    """A function of an array with weights.

    A layer of yours needs `call`, made of operators and functions of `fastrnn.ops`, and `build` if
    it has weights: `self.kernel = self.add_weight(...)`. Its derivative comes from a trace. A pair
    `forward` and `backward` in place of `call` is faster.

    A layer can be called on arrays at any time, and on the symbolic tensors of `Input` to make a
    graph. For training there is another way in, which expects arrays that are already checked and
    converted: `forward` and `backward`.

    A layer that sets `takes_list` is called on a list of arrays: `forward` then gets a list, and
    a list of masks (each an array or None) if it sets `uses_mask`; `backward` returns a list of
    gradients, None for an input that has none; `check_input_shape`, `build` and
    `compute_output_shape` get a list of shapes, `compute_mask` lists of inputs and masks. A layer
    of several outputs returns a list or tuple of arrays from `forward`, and of shapes from
    `compute_output_shape`; `backward` gets a list of gradients, None for an output that nothing
    depends on. A weight that training changes in another way than by a gradient is made with
    `trainable=False` and changed in `forward(training=True)`; its gradient is None.

    Args:
        name: Unique name in its model. By default `lstm`, `lstm_1` and so on.
        trainable: Whether training may change the weights; False is for all layers inside too.
        dtype: "float32", or "mixed_bfloat16" for products of bfloat16 in recurrent layers; None for
            the global policy (see `config.set_dtype_policy`).
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

        With a weight, traced:

        >>> class Scaled(Layer):
        ...     def build(self, input_shape):
        ...         self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, inputs):
        ...         return inputs * self.scale
        >>> Scaled()([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    supports_masking = False
    """Whether a mask of the input reaches `compute_mask`; else it ends here, as in Keras."""

    uses_mask = False
    """Whether `call` and `forward` take the mask of the input too."""

    @property
    def takes_padding(self) -> bool:
        """Whether the padding of a list's sequences cannot reach the results of their own steps.

        Only then is a model with this layer trained on, and asked for, sequences of differing
        lengths. By default the layers that support masks do so.
        """
        return self.supports_masking

    takes_traced = False
    """Whether `call` itself takes the arrays of a trace, without being traced on its own."""

    hands_tokens = False
    """Whether the output is a vector for each token, from a table that is the only weight."""

    takes_tokens = False
    """Whether `forward` takes a `kernels.Embedded` in place of an Embedding's output."""

    not_called = NOT_CALLED_OF_LAYERS
    """Methods and properties that a user's class must not override: nothing would call them."""

    _builds = False  # whether a `build` that a user wrote runs

    keeps_tape = False
    """Whether `backward` takes `consume`: the cache may be overwritten and serves no other call."""

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
        self._dtype_policy = dtype_policies.get(dtype)
        refuse_overrides(type(self), self.not_called)
        self.batch_input_shape = pop_batch_input_shape(kwargs)
        refuse_unknown(owner, kwargs, self._argument_names())
        self.name = auto_name(owner) if name is None else str(name)
        self._trainable = trainable
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.scope = ""  # name of the model around the layer and a slash, for the weights' paths
        self._stateful = False
        self._weights: list[Variable] = []
        self._build_shape: Any = None
        self._inbound_nodes = []
        self._probed: dict[str, Any] = {}
        self._added: list[Any] = []  # to the loss, by the last call
        if not is_of_fastrnn(type(self)):
            self._adopt(variables_of(self))  # those that a user's constructor set before this one
        self._prepare_trace()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if is_of_fastrnn(cls):
            if "call" in vars(cls):
                cls.call = reached_by_super(cls.call)  # type: ignore[method-assign]
            return
        if "build" in vars(cls):
            cls.build = build_once(cls.build)  # type: ignore[method-assign]
        if "compute_mask" in vars(cls) and "supports_masking" not in vars(cls):
            cls.supports_masking = True  # as in Keras

    def _prepare_trace(self) -> None:
        """Find out whether the derivative is that of `call`, by a trace."""
        has_call_alone = type(self).call is not Layer.call and type(self).forward is Layer.forward
        self.replaces_call = replaces_call(type(self))
        self.traced = TracedCall(self) if has_call_alone or self.replaces_call else None
        if self.traced is not None and (self.traced.is_own or self.traced.uses_mask):
            self.uses_mask = True  # its own, or that of the layers that it calls

    def __setattr__(self, name: str, value: Any) -> None:
        refuse_replacement(self, name, value, self.not_called)
        if name not in NO_LAYERS and self.is_free and not is_of_fastrnn(type(self)):
            value = tracked(value, self._note_attributes)
            super().__setattr__(name, value)
            if isinstance(value, (GraphMember, Variable, list, tuple, dict)):
                self._note_attributes()
        else:
            super().__setattr__(name, value)

    def _note_attributes(self) -> None:
        """Take what an attribute holds: layers, and variables, which become weights."""
        self._note_layers()
        if "_weights" in vars(self):  # not before the constructor above
            self._adopt(variables_of(self))

    def _note_layers(self) -> list[Any]:
        """Return the layers among the attributes in the order in which they came there."""
        there = {id(layer): layer for layer in layers_of(self)}
        before = [layer for layer in vars(self).get("_layer_order", ()) if id(layer) in there]
        known = {id(layer) for layer in before}
        order = [*before, *(layer for key, layer in there.items() if key not in known)]
        vars(self)["_layer_order"] = order
        return order

    def _sublayers(self) -> Sequence[Layer]:
        """Return the layers inside this one, in the order of their weights."""
        return () if is_of_fastrnn(type(self)) else self._note_layers()

    def _own_metrics(self) -> list[Any]:
        """Return the metrics among the attributes of a user's layer."""
        return [] if is_of_fastrnn(type(self)) else metrics_of(self)

    @property
    def trainable(self) -> bool:
        """Whether training may change the weights; setting it sets that of all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable in self._weights:
            variable.trainable = variable.has_gradient and self._trainable
        for layer in self._sublayers():
            layer.trainable = value

    # ----------------------------------------------------------------------------------- states

    @property
    def stateful(self) -> bool:
        """Whether this layer, or one inside, starts a batch with the states that the last left."""
        return self._stateful or any(layer.stateful for layer in self._sublayers())

    def get_state(self) -> dict[str, Any]:
        """Return what the layer keeps from batch to batch beside its weights, as plain values.

        That is the state of its generators of random numbers, and of a stateful layer the states
        that the last batch left. A layer of yours that keeps more has to override this and
        `set_state`. Layers inside have states of their own.
        """
        return get_attributes(self, generators_of(self))

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned.

        Args:
            state: The dict that `get_state` returned.
        """
        set_attributes(self, state)

    def reset_state(self) -> None:
        """Set the states that stateful layers keep between batches back to zeros."""
        for layer in self._sublayers():
            layer.reset_state()

    def reset_states(self) -> None:
        """Do the same as `reset_state`, its older name."""
        self.reset_state()

    # ------------------------------------------------------------------------ shapes, building

    def check_input_shape(self, shape: Any) -> None:
        """Refuse an input shape (batch first) that the layer cannot take.

        Args:
            shape: Size of each dimension, None where it is left open; of several inputs a list.

        Raises:
            ValueError: Says the expected and the received shape.
        """

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, batch first, for an input shape.

        Args:
            input_shape: Shape of the input, batch first; None for sizes left open. Of several
                inputs a list.
        """
        if self.traced is not None:
            return inferred_output_shape(self, input_shape)
        return tuple(input_shape)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights, unless they exist.

        Args:
            input_shape: Shape of the input, batch first; None for sizes left open. Of several
                inputs a list.

        Raises:
            ValueError: If the layer cannot take such inputs.
        """
        shape = map_shapes(standardize_shape, input_shape)
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

    def _create_weights(self, input_shape: Any) -> None:
        """Make the weights for a checked input shape."""

    def build_own(self, input_shape: Any) -> None:
        """Build a layer before its `call`, a user's, runs and builds the layers inside.

        Args:
            input_shape: Shape of the first argument of the call, or a structure of them.
        """
        self.build(input_shape)

    def _after_own_build(self, input_shape: Any) -> None:
        """Called when a `build` that a user wrote has run."""

    @property
    def output_shape(self) -> Any:
        """Shape of the output for the input shape that the layer was built with.

        Raises:
            AttributeError: If no shape is known yet.
        """
        if self._build_shape is None:
            raise AttributeError(f"Layer '{self.name}' has no output shape before it is built.")
        return self.compute_output_shape(self._build_shape)

    @property
    def inner_graph(self) -> Any:
        """The graph of layers that a model is; None for what is not a model."""
        return None

    @property
    def is_free(self) -> bool:
        """Whether the layers inside are attributes, not those of a graph or a row."""
        return True

    @property
    def opened_graph(self) -> Any:
        """The graph that takes the place of the layer in a plan; None where it runs as one."""
        return None if self.is_own_call else self.inner_graph

    # ------------------------------------------------------------------------------ computation

    def __call__(self, inputs: Any = NOT_GIVEN, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to arrays, or to symbolic tensors; build it first if need be.

        Args:
            inputs: Array or nested lists, the batch first; or a symbolic tensor. Of several inputs
                a list. It may be given by the name that `call` of your own has for it.
            *args: Further arguments of the call.
            **kwargs: Further arguments of the call.

        Returns:
            Float32 array, which also has `numpy()`; a batch of no samples gives a result of no
            samples. Of symbolic tensors symbolic tensors.
        """
        if inputs is NOT_GIVEN:
            inputs = first_argument(self, kwargs)
        symbolic = has_symbolic(inputs, *args, *kwargs.values())
        if not symbolic and (is_tracing() or running_call() is not None or records()):
            return call_inside(self, inputs, args, kwargs)
        if not symbolic:
            if self.is_own_call:
                return with_numpy(call_on_arrays(self, inputs, args, kwargs))
            return with_numpy(self._call_on_arrays(inputs, *args, **kwargs))
        if self.traced is not None and self.traced.is_own:
            node = self.traced.node_of_call(inputs, args, kwargs)
            return self._record(node, own_outputs(self, node))
        if self.traced is not None:
            self.takes_list = isinstance(inputs, (list, tuple))
        node = self._node_of_call(inputs, *args, **kwargs)
        node.arguments = self._arguments_of_call(inputs, *args, **kwargs)
        shapes: Any = [tensor.shape for tensor in node.inputs]
        if not node.listed:
            (shapes,) = shapes
        self.build(shapes)
        made = self.output_shape_of_call(shapes, **node.options)
        return self._record(
            node, map_shapes(lambda shape: KerasTensor(shape, self.output_dtype), made)
        )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the output: which entries of its first dimensions count.

        Args:
            inputs: What the layer is called on.
            mask: Their mask: booleans, of the shape of their first dimensions; None for none.

        Returns:
            The mask of the output, None for none; that of the inputs unless a layer knows better.
        """
        return mask

    def as_input(self, inputs: Any, name: str = "inputs") -> Any:
        """Convert inputs from outside to the array that `forward` takes, or refuse them.

        Args:
            inputs: Array or nested lists, the batch first; of several inputs a list.
            name: What messages call them.

        Returns:
            The array, float32 or, for tokens, of integers; of several inputs a list.

        Raises:
            TypeError: If they hold no numbers.
            ValueError: If they do not fit the layer.
        """
        if self.traced is not None and isinstance(inputs, (list, tuple)):
            self.takes_list = all(isinstance(each, np.ndarray) for each in inputs)
        convert = as_own_input if self.is_own_call else as_floats
        if self.takes_list and isinstance(inputs, (list, tuple)):
            return [convert(each, name) for each in inputs]
        return convert(inputs, name)

    def _call_on_arrays(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to arrays; `args` and `kwargs` are further arguments of `call`."""
        x = self.as_input(inputs)
        args, kwargs = self._checked_arguments(x, *args, **kwargs)
        shapes: Any = [each.shape for each in x] if isinstance(x, list) else x.shape
        self.build(shapes)
        if not len(x[0] if isinstance(x, list) else x):
            return self._empty_result(shapes, **kwargs)
        return self.call(x, *args, **kwargs)

    def _checked_arguments(self, x: Any, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Check and convert the further arguments of a call on arrays.

        A layer whose call takes more than `training` overrides it, and so names them in the order
        of Keras.

        Args:
            x: The inputs, as `as_input` returns them; their shape is not checked yet.
            *args: The positional arguments behind the inputs.
            **kwargs: The keyword arguments.

        Returns:
            Positional and keyword arguments of the method `call`.
        """
        return args, kwargs

    def _empty_result(self, input_shape: Any, **options: Any) -> Any:
        made = self.output_shape_of_call(input_shape, **options)
        return map_shapes(lambda shape: np.zeros(shape, np.float32), made)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle needs: calls are those of the graph that keeps them."""
        return {**vars(self), "_inbound_nodes": [], "traced": None, "_probed": {}, "_added": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what `__getstate__` returned."""
        vars(self).update(state)
        self._prepare_trace()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"
