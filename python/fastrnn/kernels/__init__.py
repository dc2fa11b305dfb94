"""The kernels as plain functions on NumPy arrays.

Sizes: B batch rows, T time steps, F features, H units. Arrays are float32 in C order; other real
dtypes and layouts are converted once, here. Layouts and gate orders are those of Keras: `kernel`
[F, G*H], `recurrent_kernel` [H, G*H], `bias` [G*H] or [2, G*H], where a cell has G gates.

`rnn_forward` returns a tape, which `rnn_backward` takes. The tape refers to the arrays that forward
was given: they must not change in between. A tape can be used more than once.

`ACTIVATIONS` names the activations of the kernels, `LOSSES` the losses. `CELLS` has the recurrent
cells by name, each with its sizes, a `CellTraits`.

Every function raises a ValueError for a wrong shape, size or name and a TypeError for a wrong
dtype, before anything is computed.
"""

from fastrnn._core import ACTIVATIONS, CELLS, LOSSES, CellTraits, Tape
from fastrnn.kernels.activation import activation_backward, activation_forward
from fastrnn.kernels.conv1d import Conv1DGradients, conv1d_backward, conv1d_forward
from fastrnn.kernels.dense import DenseGradients, dense_backward, dense_forward
from fastrnn.kernels.dropout import dropout
from fastrnn.kernels.embedding import embedding_backward, embedding_forward, one_hot_tokens
from fastrnn.kernels.loss import BatchLoss, batch_loss
from fastrnn.kernels.optimizer import (
    adadelta_update,
    adagrad_update,
    adam_update,
    adamax_update,
    nadam_update,
    rmsprop_update,
    sgd_update,
)
from fastrnn.kernels.recurrent import (
    Embedded,
    RnnGradients,
    RnnOutput,
    rnn_backward,
    rnn_backward_both,
    rnn_forward,
    rnn_forward_both,
    rnn_step,
)

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "LOSSES",
    "BatchLoss",
    "CellTraits",
    "Conv1DGradients",
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
    "batch_loss",
    "conv1d_backward",
    "conv1d_forward",
    "dense_backward",
    "dense_forward",
    "dropout",
    "embedding_backward",
    "embedding_forward",
    "nadam_update",
    "one_hot_tokens",
    "rmsprop_update",
    "rnn_backward",
    "rnn_backward_both",
    "rnn_forward",
    "rnn_forward_both",
    "rnn_step",
    "sgd_update",
]
