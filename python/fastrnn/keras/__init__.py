"""Keras's recurrent layers on fastrnn's kernels, for models and training loops of Keras itself.

    model = fastrnn.keras.accelerate(model)

`SimpleRNN`, `LSTM` and `GRU` stand for `keras.layers`' classes of these names. Nothing else of
fastrnn imports Keras at its top, and `import fastrnn` does not import this package.
"""

from __future__ import annotations

try:
    import keras
except ImportError as error:
    raise ImportError('fastrnn.keras needs Keras 3: pip install "fastrnn[keras]"') from error
if not keras.__version__.startswith("3."):
    raise ImportError(f"fastrnn.keras needs Keras 3. Received: Keras {keras.__version__}")

from fastrnn.keras.acceleration import accelerate, restore
from fastrnn.keras.layers import GRU, LSTM, SimpleRNN

__all__ = ["GRU", "LSTM", "SimpleRNN", "accelerate", "restore"]
