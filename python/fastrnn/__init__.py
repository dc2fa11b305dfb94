"""fastrnn trains SimpleRNN, LSTM and GRU models on CPUs, with the interface and the numbers of Keras."""

from __future__ import annotations

from fastrnn import ops
from fastrnn._core import __version__
from fastrnn.config import get_config, get_num_threads, set_num_threads, show_config

__all__ = [
    "__version__",
    "get_config",
    "get_num_threads",
    "ops",
    "set_num_threads",
    "show_config",
]
