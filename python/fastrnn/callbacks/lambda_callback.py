"""Callbacks made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastrnn.arguments import refuse_unknown
from fastrnn.callbacks.callback import HOOKS, Callback

_Function = Callable[..., Any] | None


class LambdaCallback(Callback):
    """A callback whose hooks are functions.

    Args:
        on_epoch_begin: Function of the epoch, from 0, and the logs.
        on_epoch_end: The same.
        on_train_begin: Function of the logs.
        on_train_end: The same.
        on_train_batch_begin: Function of the batch, from 0, and the logs.
        on_train_batch_end: The same.
        **kwargs: A function for any other hook of `Callback`.

    Raises:
        TypeError: If one of them is not a function.
        ValueError: If there is no such hook.

    Example:
        >>> import numpy as np
        >>> from fastrnn import callbacks, layers, models
        >>> model = models.Sequential([layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> show = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: print(epoch))
        >>> _ = model.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=0, callbacks=[show])
        0
        1
    """

    def __init__(
        self,
        on_epoch_begin: _Function = None,
        on_epoch_end: _Function = None,
        on_train_begin: _Function = None,
        on_train_end: _Function = None,
        on_train_batch_begin: _Function = None,
        on_train_batch_end: _Function = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        refuse_unknown(
            type(self).__name__, {k: v for k, v in kwargs.items() if k not in HOOKS}, HOOKS
        )
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for hook, function in functions.items():
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"`{hook}` must be a function. Received: {hook}={function!r}")
            setattr(self, hook, function)
