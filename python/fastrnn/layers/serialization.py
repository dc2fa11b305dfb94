"""Layers as plain values and back."""

from __future__ import annotations

from typing import Any

from fastrnn.layers.activation import Activation
from fastrnn.layers.bidirectional import Bidirectional
from fastrnn.layers.dense import Dense
from fastrnn.layers.dropout import Dropout
from fastrnn.layers.elu import ELU
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.flatten import Flatten
from fastrnn.layers.gaussian_dropout import GaussianDropout
from fastrnn.layers.gaussian_noise import GaussianNoise
from fastrnn.layers.global_average_pooling1d import GlobalAveragePooling1D
from fastrnn.layers.global_max_pooling1d import GlobalMaxPooling1D
from fastrnn.layers.gru import GRU
from fastrnn.layers.input_layer import InputLayer
from fastrnn.layers.layer import Layer
from fastrnn.layers.layer_normalization import LayerNormalization
from fastrnn.layers.leaky_relu import LeakyReLU
from fastrnn.layers.lstm import LSTM
from fastrnn.layers.masking import Masking
from fastrnn.layers.permute import Permute
from fastrnn.layers.relu import ReLU
from fastrnn.layers.repeat_vector import RepeatVector
from fastrnn.layers.reshape import Reshape
from fastrnn.layers.simple_rnn import SimpleRNN
from fastrnn.layers.softmax import Softmax
from fastrnn.layers.spatial_dropout1d import SpatialDropout1D
from fastrnn.layers.time_distributed import TimeDistributed
from fastrnn.utils import registry
from fastrnn.utils.custom_objects import find_custom_object

_CLASSES: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Activation,
        Bidirectional,
        Dense,
        Dropout,
        ELU,
        Embedding,
        Flatten,
        GRU,
        GaussianDropout,
        GaussianNoise,
        GlobalAveragePooling1D,
        GlobalMaxPooling1D,
        InputLayer,
        LSTM,
        LayerNormalization,
        LeakyReLU,
        Masking,
        Permute,
        ReLU,
        RepeatVector,
        Reshape,
        SimpleRNN,
        Softmax,
        SpatialDropout1D,
        TimeDistributed,
    )
}
_MODULES: dict[str, str] = {}


def register(cls: type[Layer], module: str) -> None:
    """Make a class known that stands above the layers, a model.

    Args:
        cls: The class.
        module: Keras's module of it.
    """
    _CLASSES[cls.__name__] = cls
    _MODULES[cls.__name__] = module


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the config dict of a layer, in Keras's form.

    Args:
        layer: A layer or a Sequential model.

    Returns:
        Dict of plain values with `class_name` and `config`, without weights, from which
        `deserialize` makes such a layer.

    Example:
        >>> serialize(Dropout(0.5, name="drop"))["config"]["rate"]
        0.5
    """
    return registry.serialize(layer, _MODULES.get(type(layer).__name__, "keras.layers"))


def deserialize(config: dict[str, Any]) -> Layer:
    """Make a layer, without weights, from the result of `serialize` (Keras's works too).

    Args:
        config: Dict with `class_name` and `config`.

    Returns:
        The layer.

    Raises:
        ValueError: If the config names no layer of fastrnn.

    Example:
        >>> deserialize(serialize(LSTM(3))).units
        3
    """
    name = config.get("class_name", "")
    cls = find_custom_object(name) or _CLASSES.get(name)
    if cls is None:
        raise ValueError(
            f"`class_name` must be one of {', '.join(sorted(_CLASSES))}. Received: {name!r}"
        )
    return cls.from_config(config["config"])
