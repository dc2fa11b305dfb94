"""Ctrl-C and SIGTERM: steps that have begun are finished first."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any


class DeferredSignals:
    """Context in which Ctrl-C and SIGTERM wait until a step has ended.

    Python may raise KeyboardInterrupt between any two instructions: also between the updates of two
    weights, or of a weight and its momentum. Between `hold` and `release` signals wait; outside of
    a step, for example while data are read, they act at once. A signal that no Python function
    handles keeps its effect (SIGTERM by default ends the process). In other threads than the main
    one this context does nothing.

    Example:
        >>> with DeferredSignals() as signals:
        ...     signals.hold()
        ...     # what must not be torn
        ...     signals.release()
    """

    def __init__(self) -> None:
        self._held = False
        self._pending: dict[int, FrameType | None] = {}
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> DeferredSignals:
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):
                try:
                    signal.signal(number, self._handle)
                except ValueError:  # not the first thread, the only one that signals reach
                    break
                self._handlers[number] = handler
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._held = False
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if kind is None:
            self._deliver()

    def hold(self) -> None:
        """Let signals wait from here on."""
        self._held = True

    def release(self) -> None:
        """Let signals act again, those that came meanwhile first.

        Raises:
            KeyboardInterrupt: If Ctrl-C was pressed (unless another handler is set).
        """
        self._held = False
        if self._pending:
            self._deliver()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._pending[number] = frame
        if not self._held:
            self._deliver()

    def _deliver(self) -> None:
        while self._pending:
            number, frame = self._pending.popitem()
            self._handlers[number](number, frame)
