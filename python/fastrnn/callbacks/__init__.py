"""Callbacks: objects that `fit`, `evaluate` and `predict` notify."""

from fastrnn.callbacks.backup_and_restore import BackupAndRestore
from fastrnn.callbacks.callback import Callback
from fastrnn.callbacks.callback_list import CallbackList
from fastrnn.callbacks.csv_logger import CSVLogger
from fastrnn.callbacks.early_stopping import EarlyStopping
from fastrnn.callbacks.history import History
from fastrnn.callbacks.lambda_callback import LambdaCallback
from fastrnn.callbacks.learning_rate_scheduler import LearningRateScheduler
from fastrnn.callbacks.model_checkpoint import ModelCheckpoint
from fastrnn.callbacks.progress import ProgbarLogger
from fastrnn.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from fastrnn.callbacks.tensor_board import TensorBoard
from fastrnn.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
]
