"""Layers as plain values and back."""

from __future__ import annotations

from typing import Any

from fastrnn.layers.bidirectional import Bidirectional
from fastrnn.layers.dense import Dense
from fastrnn.layers.dropout import Dropout
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.gru import GRU
from fastrnn.layers.input_layer import InputLayer
from fastrnn.layers.layer import Layer
from fastrnn.layers.lstm import LSTM
from fastrnn.layers.simple_rnn import SimpleRNN
from fastrnn.utils import registry

_CLASSES: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (Bidirectional, Dense, Dropout, Embedding, GRU, InputLayer, LSTM, SimpleRNN)
}


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the config dict of a layer, in Keras's form."""
    return registry.serialize(layer, "keras.layers")


def deserialize(config: dict[str, Any]) -> Layer:
    """Make a layer, without weights, from the result of `serialize` (Keras's works too).

    Raises:
        ValueError: If the config names no layer of fastrnn.
    """
    cls = _CLASSES.get(config.get("class_name", ""))
    if cls is None:
        raise ValueError(
            f"`class_name` must be one of {', '.join(_CLASSES)}. "
            f"Received: {config.get('class_name')!r}"
        )
    return cls.from_config(config["config"])
