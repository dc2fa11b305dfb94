"""PyTorch's recurrent layers on fastrnn's kernels, for training loops written in PyTorch.

    model = fastrnn.torch.accelerate(model)

`RNN`, `LSTM` and `GRU` stand for `torch.nn`'s classes of these names. Nothing else of fastrnn
imports PyTorch, and `import fastrnn` does not import this package.
"""

from __future__ import annotations

_NEEDED = 'fastrnn.torch needs PyTorch 2.4 or newer: pip install "fastrnn[torch]"'
try:
    import torch
except ImportError as error:
    raise ImportError(_NEEDED) from error
if not hasattr(torch.library, "custom_op"):
    raise ImportError(f"{_NEEDED}. Received: PyTorch {torch.__version__}")

from fastrnn.torch.acceleration import accelerate, restore
from fastrnn.torch.cells import GRUCell, LSTMCell, RNNCell
from fastrnn.torch.layers import GRU, LSTM, RNN

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell", "accelerate", "restore"]
