"""What all models share."""

from __future__ import annotations

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
