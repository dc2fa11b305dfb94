"""The base of all callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fastrnn import parallel
from fastrnn.state import get_attributes, set_attributes

Logs = dict[str, Any] | None
"""Loss and metrics by name."""

_ALIASES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class Callback:
    """An object that `fit`, `evaluate` and `predict` notify; override the hooks you need.

    Attributes:
        model: The model that runs.
        params: `verbose`, `epochs` and `steps` of the run.

    Hook arguments:
        epoch: Number of the epoch; the first is 0.
        batch: Number of the step in its epoch, evaluation or prediction; the first is 0.
        logs: Dict of the loss and metrics that are known, by name; None if there are none.

    Example:
        >>> import numpy as np
        >>> from fastrnn import callbacks, layers, models
        >>> class Print(callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, sorted(logs))
        >>> model = models.Sequential([layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x, y = np.ones((4, 2)), np.ones(4)
        >>> _ = model.fit(x, y, verbose=0, validation_data=(x, y), callbacks=[Print()])
        0 ['loss', 'val_loss']
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    """Attributes that change in a training: what `get_state` returns."""

    runs_last: ClassVar[bool] = False
    """Whether the callback is called after all others, whatever its place in the list."""

    first_rank_only: ClassVar[bool] = False
    """Whether only the first of several processes that train together calls it, since it writes."""

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self.model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive the parameters of the run.

        Args:
            params: Dict with `verbose`, `epochs` and `steps`.
        """
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model.

        Args:
            model: The model that runs.
        """
        self.model = model

    def get_state(self) -> dict[str, Any]:
        """Return what `BackupAndRestore` keeps: the attributes that `state_names` lists.

        Raises:
            TypeError: If one of them holds anything but plain values and arrays.
        """
        return get_attributes(self, self.state_names)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned.

        Args:
            state: The dict that `get_state` returned.
        """
        set_attributes(self, {key: state[key] for key in self.state_names if key in state})

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called before the first epoch."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Called after the last epoch, with its logs."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called before an epoch; the first is 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called after an epoch and its validation, with the results of both."""

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a step of training; the first of an epoch is 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a step of training, with the means of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Called before an evaluation or a validation."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Called after an evaluation or a validation, with its results."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a step of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a step of an evaluation, with the means so far."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Called before a prediction."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Called after a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a step of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a step of a prediction, with `{"outputs": ...}`."""


def say(text: str) -> None:
    """Print a line; of several processes that train together only the first one does."""
    if parallel.is_first():
        print(text, flush=True)


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


def overrides(callback: Callback, hook: str) -> bool:
    """Return whether a callback does anything in a hook, by its class or by an attribute."""
    function = getattr(getattr(callback, hook), "__func__", None)
    if function is not getattr(Callback, hook):
        return True
    return hook in _ALIASES and overrides(callback, _ALIASES[hook])
