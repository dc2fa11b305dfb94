"""What all models share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from fastrnn.arguments import refuse_unknown, refuse_unsupported
from fastrnn.export.model import export_onnx
from fastrnn.graph import Graph
from fastrnn.graph.config import graph_config, graph_from_config
from fastrnn.layers.layer import Layer
from fastrnn.layers.overrides import NOT_CALLED_OF_GRAPHS, NOT_CALLED_OF_MODELS
from fastrnn.layers.serialization import constructor_config, serializable, with_layers
from fastrnn.saving import api as saving
from fastrnn.saving.model_config import to_json
from fastrnn.trainers import Trainer
from fastrnn.utils.summary_utils import summary_text


class Model(Trainer):
    """A graph of layers, with the methods for training it; the base of `Sequential`.

    Each output is what the layers make of the inputs on the way that their calls have recorded. A
    layer that is called several times uses the same weights each time. A model can be called as a
    layer of another one.

    Args:
        inputs: Symbolic tensors, as `Input` returns them: one, a list or tuple, or a dict. Where
            one is the output of a layer, the model begins there, with a new Input.
        outputs: Symbolic tensors that calls of layers have made of the inputs, likewise.
        name: Name of the model. By default `functional`, `functional_1` and so on.
        trainable: Whether training may change the weights.
        dtype: The model's own policy of dtypes; its layers have theirs, as in Keras.
        activity_regularizer: Not supported.
        autocast: Accepted for Keras's sake; without effect.
        **kwargs: Those of a layer.

    Call arguments:
        inputs: Arrays, the batch first, in the structure of the model's inputs; also a list in
            their order, or a dict by their names.
        training: Whether dropout is active.
        mask: `[batch, steps]`, False for steps of the input that recurrent layers skip; of several
            inputs a list, with None for an input without.

    Returns of a call:
        Float32 arrays in the structure of the model's outputs.

    Raises:
        ValueError: If an argument is not valid, the outputs do not depend on the inputs alone, an
            input leads to no output, two layers have one name, or a subclass overrides a method
            of training that would not be called.

    Example:
        >>> import fastrnn
        >>> from fastrnn import layers
        >>> past, today = fastrnn.Input((30, 2), name="past"), fastrnn.Input((5,), name="today")
        >>> hidden = layers.Dense(4)(layers.GRU(8)(past))
        >>> model = Model([past, today], [hidden, layers.Dense(1, name="price")(hidden)])
        Traceback (most recent call last):
        ...
        ValueError: Each input of a model must lead to an output. Received: 'today' of shape ...
        >>> model = Model(past, layers.Dense(1, name="price")(hidden))
        >>> model.input_shape, model.output_shape
        ((None, 30, 2), (None, 1))
    """

    not_called = NOT_CALLED_OF_GRAPHS | {"build"}  # its layers are built as they are called
    is_row = False
    """Whether it is a Sequential."""

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        activity_regularizer: Any = None,
        autocast: bool = True,
        **kwargs: Any,
    ) -> None:
        refuse_unsupported(
            "Model", {"activity_regularizer": activity_regularizer}, {"activity_regularizer": None}
        )
        has_graph = inputs is not None or outputs is not None
        if type(self) is Model and has_graph:
            self.__class__ = Functional  # Keras's name of it, which files hold
        if not has_graph and not self.is_row:
            self.not_called = NOT_CALLED_OF_MODELS
        super().__init__(name=name, trainable=trainable, dtype=dtype, **kwargs)
        if has_graph:
            self._set_graph(Graph(inputs, outputs))
            self.built = True
            if not self.trainable:
                self.trainable = False  # that of the layers too

    @property
    def is_free(self) -> bool:
        """Whether it is a user's class whose layers are its attributes."""
        return not self.is_row and (self._graph is None or self.is_own_call)

    @property
    def layers(self) -> list[Layer]:
        """The layers, those farthest from the outputs first, with the InputLayers.

        Operations such as `x + y` are not among them; see `operations`.

        Of a class of your own that is not made of inputs and outputs, its attributes that are
        layers, also in lists and dicts.
        """
        if self.is_free:
            return self._note_layers()
        return [] if self._graph is None else list(self._graph.layers)

    @property
    def operations(self) -> list[Layer]:
        """The layers and the operations on symbolic tensors, in the order of `layers`."""
        if self.is_free:
            return self.layers
        return [] if self._graph is None else list(self._graph.members)

    def _sublayers(self) -> list[Layer]:
        return self.layers

    @property
    def fixed_batch_size(self) -> int | None:
        """The batch size that the first Input states, or None."""
        if self._graph is None or self.is_own_call:
            return None
        return self._graph.inputs[0].shape[0]

    def build(self, input_shape: Any = None) -> None:
        """Check an input shape; the weights were made as the layers were called.

        With a `call` of your own the layers are called on zeros, which makes the weights.

        Args:
            input_shape: Shape of the input, batch first; of several inputs a list, or a dict.

        Raises:
            ValueError: If a layer cannot take such inputs, or the model has no graph.
        """
        if self.is_own_call:
            if input_shape is not None and not self._builds:
                self._connect_to_shapes(input_shape)
        elif input_shape is not None:
            super().build(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return name, layers and their calls as plain values, in Keras's form.

        Of a class of your own that is not made of inputs and outputs, the arguments of its
        constructor, which must be attributes of the same names; or else it overrides this method.
        """
        if self.is_free:
            return constructor_config(self, Model)
        return {"name": self.name, "trainable": self.trainable, **graph_config(self.inner_graph)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Model:
        """Make a model, with new weights, from the result of `get_config` (Keras's works too).

        Args:
            config: Dict with the configs of the layers and of their calls, and `name`.

        Returns:
            The model, not compiled.
        """
        graph = ("layers", "input_layers", "output_layers")
        if not any(key in config for key in graph):
            # A subclass with a constructor and a config of its own.
            return super().from_config(with_layers(config))
        others = {key: value for key, value in config.items() if key not in graph}
        inputs, outputs = graph_from_config(config)
        return cls._with_flag(
            config.get("trainable"),
            lambda flag: cls(inputs=inputs, outputs=outputs, **(others | flag)),
        )

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or by its position.

        Args:
            name: The layer's name.
            index: Its position, from 0; negative from the end.

        Returns:
            The layer.

        Raises:
            ValueError: If there is no such layer, or not exactly one argument.

        Example:
            >>> from fastrnn import layers, models
            >>> model = models.Sequential([layers.LSTM(4), layers.Dense(1, name="head")])
            >>> model.get_layer("head") is model.get_layer(index=-1)
            True
        """
        if (name is None) == (index is None):
            raise ValueError(f"Give `name` or `index`. Received: name={name!r}, index={index!r}")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(
                    f"`index` must be that of one of the {len(layers)} layers. "
                    f"Received: index={index}"
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"`name` must be one of {[layer.name for layer in layers]}. Received: name={name!r}"
        )

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers with their output shapes and numbers of weights.

        Args:
            line_length: Width of the table in characters; as wide as needed by default.
            positions: Not supported yet.
            print_fn: Called once with the whole text; `print` by default.
            expand_nested: Whether to list the layers of models among the layers too.
            show_trainable: Whether to add a column that tells which layers are trainable.
            layer_range: Not supported yet.

        Raises:
            ValueError: If an argument is not supported.

        Example:
            >>> from fastrnn import layers, models
            >>> model = models.Sequential([layers.Input((10, 2)), layers.LSTM(4)], name="small")
            >>> model.summary(print_fn=lambda text: print(text.splitlines()[0]))
            Model: "small"
        """
        refuse_unsupported(
            "summary",
            {"positions": positions, "layer_range": layer_range},
            {"positions": None, "layer_range": None},
        )
        (print_fn or print)(summary_text(self, line_length, show_trainable, expand_nested))

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes that a copy or a pickle needs; the others are made when needed."""
        return {
            **super().__getstate__(),
            "_train_step": None,
            "_train_step_key": (),
            "_run": None,
            "_own_terms": None,
        }

    # ------------------------------------------------------------------------------------ files

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Save everything to a `.keras` or `.h5` file; see `fastrnn.saving.save_model`.

        Args:
            filepath: Name of the file, which ends in `.keras`, `.h5` or `.hdf5`.
            overwrite: Whether to replace a file that is there without asking at the terminal.
            zipped: Only True, the default.
            **kwargs: `include_optimizer=False` leaves compile settings and optimizer out of `.h5`.

        Raises:
            ValueError: If the extension of the name, or an argument, is not supported.
            OSError: If the file cannot be written.

        Example:
            >>> import tempfile
            >>> from fastrnn import layers, models
            >>> model = models.Sequential([layers.Input((5, 2)), layers.GRU(3)])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     model.save(f"{folder}/gru.keras")
            ...     models.load_model(f"{folder}/gru.keras").count_params()
            63
        """
        saving.save_model(self, filepath, overwrite, zipped, **kwargs)

    def save_weights(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        max_shard_size: float | None = None,
    ) -> None:
        """Save the weights to a `.weights.h5` file; see `fastrnn.saving.save_weights`.

        Args:
            filepath: Name of the file.
            overwrite: Whether to replace a file that is there without asking at the terminal.
            max_shard_size: Not supported: there is always one file.

        Raises:
            ValueError: If the model is not built, or the extension of the name is not supported.
            OSError: If the file cannot be written.
        """
        refuse_unsupported(
            "save_weights", {"max_shard_size": max_shard_size}, {"max_shard_size": None}
        )
        saving.save_weights(self, filepath, overwrite)

    def load_weights(
        self, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any
    ) -> None:
        """Load weights from a file; see `fastrnn.saving.load_weights`.

        Args:
            filepath: Name of a `.weights.h5`, `.keras`, `.h5` or `.hdf5` file of fastrnn or Keras.
            skip_mismatch: Whether to warn about layers that do not fit, and leave them as they are.
            **kwargs: `by_name`, for `.h5` and `.hdf5`: whether layers are matched by their names.

        Raises:
            ValueError: If the model is not built, or the file is damaged or does not fit. The model
                then stays as it was.
            OSError: If there is no such file.
        """
        saving.load_weights(self, filepath, skip_mismatch, **kwargs)

    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write the model for inference in other programs, as an ONNX file.

        Masks of any pattern are exported too. Inputs that an Embedding reads are int32.

        Args:
            filepath: Name of the file.
            format: Only "onnx"; Keras's default is another.
            verbose: Whether to print where the file is.
            input_signature: Only None: shapes and types are those of the model.
            **kwargs: `opset_version`, the version of the operators, from 17 on.

        Raises:
            ImportError: If onnx is not installed.
            ValueError: If an argument is not supported, the model is not built, or it has something
                that cannot be said in ONNX; the message names it.
            OSError: If the file cannot be written.

        Example:
            >>> from fastrnn import layers, models
            >>> model = models.Sequential([layers.Input((5, 2)), layers.GRU(3)])
            >>> model.export("model.onnx", format="onnx")  # doctest: +SKIP
        """
        refuse_unsupported(
            "export", {"input_signature": input_signature}, {"input_signature": None}
        )
        if format != "onnx":
            raise ValueError(f"`format` must be 'onnx'. Received: format={format!r}")
        version = kwargs.pop("opset_version", None)
        refuse_unknown("export", kwargs, ["opset_version"])
        export_onnx(self, filepath, version)
        if verbose:
            print(f"The model is in '{os.fspath(filepath)}'.")

    def to_json(self, **kwargs: Any) -> str:
        """Return layers and compile settings as JSON text, without weights.

        Args:
            **kwargs: Arguments of `json.dumps`, such as `indent`.

        Returns:
            The text, of which `models.model_from_json` makes such a model.
        """
        return to_json(self, **kwargs)


@serializable("keras.src.models.functional")
class Functional(Model):
    """The class of the models that `Model` makes of inputs and outputs; see there."""
