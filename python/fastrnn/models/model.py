"""What all models share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from fastrnn.arguments import refuse_unsupported
from fastrnn.layers.layer import Layer
from fastrnn.saving import api as saving
from fastrnn.saving.model_config import to_json
from fastrnn.trainers import Trainer
from fastrnn.utils.summary_utils import summary_text


class Model(Trainer):
    """A layer made of layers, with the methods for training it: the base of `Sequential`.

    Args:
        name: Name of the model. By default `sequential`, `sequential_1` and so on.
        trainable: Whether training may change the weights.
        dtype: Only float32 (or None).
        activity_regularizer: Adds a penalty on the output to the loss.
        autocast: Accepted for Keras's sake; without effect.
        **kwargs: Those of a layer.

    Call arguments:
        inputs: Array, the batch first, as the first layer takes it.
        training: Whether dropout is active.
        mask: `[batch, steps]`, False for steps of the input that recurrent layers skip.

    Returns of a call:
        The output of the last layer, a float32 array.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> from fastrnn import layers
        >>> isinstance(Sequential([layers.LSTM(4)]), Model)
        True
    """

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
            expand_nested: Not supported yet.
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
            {"positions": positions, "expand_nested": expand_nested, "layer_range": layer_range},
            {"positions": None, "expand_nested": False, "layer_range": None},
        )
        (print_fn or print)(summary_text(self, line_length, show_trainable))

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes that a copy or a pickle needs; the others are made when needed."""
        return {**super().__getstate__(), "_train_step": None, "_train_step_key": (), "_run": None}

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

    def to_json(self, **kwargs: Any) -> str:
        """Return layers and compile settings as JSON text, without weights.

        Args:
            **kwargs: Arguments of `json.dumps`, such as `indent`.

        Returns:
            The text, of which `models.model_from_json` makes such a model.
        """
        return to_json(self, **kwargs)
