"""The callbacks of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastrnn import parallel
from fastrnn.callbacks.callback import HOOKS, Callback, Logs, overrides
from fastrnn.callbacks.history import History
from fastrnn.callbacks.progress import ProgbarLogger


class CallbackList(Callback):
    """Notifies several callbacks, each hook reaching only those that override it.

    A step of a small model takes less time than a dozen calls of empty hooks.

    The callbacks of a hook share one copy of the logs, sorted by name, as in Keras: later
    callbacks see what earlier ones add. History and progress bar come last.

    Args:
        callbacks: A callback, or a list of callbacks or of lists of them, or None.
        add_history: Whether to add a History if there is none yet.
        add_progbar: Whether to add a ProgbarLogger if there is none yet.
        model: The model that runs. Its `history` becomes the History among the callbacks.
        **params: `verbose`, `epochs` and `steps` of the run.

    Attributes:
        callbacks: All callbacks, in the order in which they are called.
        history: The History among them, or None.

    Hook arguments:
        number: Number of the epoch or of the step in it; the first is 0.
        logs: Dict of loss and metrics by name.

    Raises:
        TypeError: If an element of `callbacks` is not a callback.

    Example:
        >>> from fastrnn.callbacks import CallbackList, LambdaCallback
        >>> each = CallbackList([LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))])
        >>> each.on_epoch_end(0, {"loss": 0.5, "accuracy": 1.0})
        {'accuracy': 1.0, 'loss': 0.5}
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Any] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks = list(_flat(callbacks))
        if add_history and not any(isinstance(each, History) for each in self.callbacks):
            self.callbacks.append(History())
        if add_progbar and not any(isinstance(each, ProgbarLogger) for each in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        self.callbacks.sort(key=lambda each: each.runs_last)
        self.history = next((each for each in self.callbacks if isinstance(each, History)), None)
        # by hook, for the hooks that were called so far
        self._listeners: dict[str, list[Callable[..., None]]] = {}
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hand the model to all callbacks.

        Args:
            model: The model that runs.
        """
        super().set_model(model)
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Hand the parameters of the run to all callbacks.

        Args:
            params: Dict with `verbose`, `epochs` and `steps`.
        """
        super().set_params(params)
        if params:
            for callback in self.callbacks:
                callback.set_params(params)
        self._listeners.clear()

    def close(self) -> None:
        """Close the progress bar after an exception has ended the run."""
        for callback in self.callbacks:
            if isinstance(callback, ProgbarLogger):
                callback.close()

    def listens(self, hook: str) -> bool:
        """Return whether a callback overrides the hook.

        Args:
            hook: Its name, such as `"on_epoch_end"`.
        """
        return bool(self._listeners_of(hook))

    def user_listens(self, hook: str) -> bool:
        """Return whether a callback other than the progress bar overrides the hook.

        Args:
            hook: Its name, such as `"on_epoch_end"`.
        """
        users = (each for each in self.callbacks if not isinstance(each, ProgbarLogger))
        return any(overrides(each, hook) for each in users)

    def notify(self, hook: str, *arguments: Any) -> None:
        """Call a hook of all callbacks that override it.

        Args:
            hook: Its name.
            *arguments: The number of the epoch or batch, if the hook has one, and the logs.
        """
        listeners = self._listeners_of(hook)
        if not listeners:
            return
        *number, logs = arguments
        logs = dict(sorted(logs.items())) if logs else {}
        for listener in listeners:
            listener(*number, logs)

    def _listeners_of(self, hook: str) -> list[Callable[..., None]]:
        listeners = self._listeners.get(hook)
        if listeners is None:
            listeners = [
                getattr(each, hook)
                for each in self.callbacks
                if overrides(each, hook) and (not each.first_rank_only or parallel.is_first())
            ]
            self._listeners[hook] = listeners
        return listeners


def _flat(callbacks: Any) -> Iterator[Callback]:
    if isinstance(callbacks, CallbackList):
        yield from callbacks.callbacks
    elif isinstance(callbacks, Callback):
        yield callbacks
    elif isinstance(callbacks, Iterable) and not isinstance(callbacks, str):
        for each in callbacks:
            yield from _flat(each)
    elif callbacks is not None:
        raise TypeError(
            "`callbacks` must be a list of `fastrnn.callbacks.Callback` objects. "
            f"Received: {callbacks!r}"
        )


def _notifier(hook: str) -> Callable[..., None]:
    def numbered(self: CallbackList, number: int, logs: Logs = None) -> None:
        self.notify(hook, number, logs)

    def plain(self: CallbackList, logs: Logs = None) -> None:
        self.notify(hook, logs)

    made = numbered if "epoch" in hook or "batch" in hook else plain
    made.__name__, made.__doc__ = hook, f"Call `{hook}` of all callbacks."
    return made


for _hook in HOOKS:
    setattr(CallbackList, _hook, _notifier(_hook))
