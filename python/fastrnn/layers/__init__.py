"""Layers, with the names, arguments and defaults of Keras."""

from fastrnn.layers.bidirectional import Bidirectional
from fastrnn.layers.dense import Dense
from fastrnn.layers.dropout import Dropout
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.gru import GRU
from fastrnn.layers.input_layer import Input, InputLayer
from fastrnn.layers.layer import Layer
from fastrnn.layers.lstm import LSTM
from fastrnn.layers.serialization import deserialize, serialize
from fastrnn.layers.simple_rnn import SimpleRNN

__all__ = [
    "GRU",
    "LSTM",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "Input",
    "InputLayer",
    "Layer",
    "SimpleRNN",
    "deserialize",
    "serialize",
]
