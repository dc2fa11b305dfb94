"""The kernels as plain functions on NumPy arrays.

Sizes: B batch rows, T time steps, F features, H units. Arrays are float32 in C order; other real
dtypes and layouts are converted once, here. Layouts and gate orders are those of Keras: `kernel`
[F, G*H], `recurrent_kernel` [H, G*H], `bias` [G*H] with G = 1 for SimpleRNN, 4 for LSTM (i, f, c,
o) and 3 for GRU (z, r, h; `bias` [2, 3*H] with `reset_after=True`).

A `*_forward` returns a tape that its `*_backward` takes. The tape refers to the arrays that were
given to forward: they must not change in between. A tape can be used more than once.

`ACTIVATIONS` names the activations that the kernels have.

Every function raises a ValueError for a wrong shape, size or name and a TypeError for a wrong
dtype, before anything is computed.
"""

from fastrnn._core import ACTIVATIONS, Tape
from fastrnn.kernels.activation import activation_backward, activation_forward
from fastrnn.kernels.dense import DenseGradients, dense_backward, dense_forward
from fastrnn.kernels.embedding import embedding_backward, embedding_forward
from fastrnn.kernels.gru import gru_backward, gru_forward, gru_step
from fastrnn.kernels.lstm import lstm_backward, lstm_forward, lstm_step
from fastrnn.kernels.optimizer import (
    adadelta_update,
    adagrad_update,
    adam_update,
    adamax_update,
    nadam_update,
    rmsprop_update,
    sgd_update,
)
from fastrnn.kernels.recurrent import Embedded, RnnGradients, RnnOutput
from fastrnn.kernels.simple_rnn import simple_rnn_backward, simple_rnn_forward, simple_rnn_step

__all__ = [
    "ACTIVATIONS",
    "DenseGradients",
    "Embedded",
    "RnnGradients",
    "RnnOutput",
    "Tape",
    "activation_backward",
    "activation_forward",
    "adadelta_update",
    "adagrad_update",
    "adam_update",
    "adamax_update",
    "dense_backward",
    "dense_forward",
    "embedding_backward",
    "embedding_forward",
    "gru_backward",
    "gru_forward",
    "gru_step",
    "lstm_backward",
    "lstm_forward",
    "lstm_step",
    "nadam_update",
    "rmsprop_update",
    "sgd_update",
    "simple_rnn_backward",
    "simple_rnn_forward",
    "simple_rnn_step",
]
