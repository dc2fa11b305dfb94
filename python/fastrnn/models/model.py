"""What all models share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from fastrnn.layers.arguments import refuse_not_built
from fastrnn.layers.layer import Layer
from fastrnn.trainers import Trainer
from fastrnn.utils.summary_utils import summary_text


class Model(Trainer):
    """A layer made of layers, with the methods for training it."""

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or by its position.

        Args:
            name: The layer's name.
            index: Its position, from 0; negative from the end.

        Raises:
            ValueError: If there is no such layer, or not exactly one argument.
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
        """
        refuse_not_built(
            "summary",
            {"positions": positions, "expand_nested": expand_nested, "layer_range": layer_range},
            {"positions": None, "expand_nested": False, "layer_range": None},
        )
        (print_fn or print)(summary_text(self, line_length, show_trainable))

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle needs: all but what is made anew when it is missing."""
        return {**vars(self), "_made": None}

    # ------------------------------------------------------------------------------------ files

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Save everything to a `.keras` or `.h5` file; see `fastrnn.saving.save_model`."""
        from fastrnn.saving import save_model

        save_model(self, filepath, overwrite, zipped, **kwargs)

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
        """
        from fastrnn.saving import save_weights

        refuse_not_built(
            "save_weights", {"max_shard_size": max_shard_size}, {"max_shard_size": None}
        )
        save_weights(self, filepath, overwrite)

    def load_weights(
        self, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any
    ) -> None:
        """Load weights from a file; see `fastrnn.saving.load_weights`."""
        from fastrnn.saving import load_weights

        load_weights(self, filepath, skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """Return layers and compile settings as JSON text, without weights.

        Args:
            **kwargs: Arguments of `json.dumps`, such as `indent`.
        """
        from fastrnn.saving.model_config import to_json

        return to_json(self, **kwargs)
