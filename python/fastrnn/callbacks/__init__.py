"""Callbacks: the base class and the History."""

from fastrnn.callbacks.callback import Callback
from fastrnn.callbacks.callback_list import CallbackList
from fastrnn.callbacks.history import History
from fastrnn.callbacks.progress import ProgressBar, ProgressLines, progress_for

__all__ = [
    "Callback",
    "CallbackList",
    "History",
    "ProgressBar",
    "ProgressLines",
    "progress_for",
]
