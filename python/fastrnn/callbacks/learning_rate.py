"""The learning rate in the logs, for callbacks that set it."""

from __future__ import annotations

from typing import Any

from fastrnn.callbacks.callback import Logs


def log_learning_rate(model: Any, logs: Logs) -> None:
    """Add the learning rate of a model to the logs, for the History and other callbacks."""
    if logs is not None:
        logs["learning_rate"] = float(model.optimizer.learning_rate)
