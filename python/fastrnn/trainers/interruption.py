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

    @property
    def pending(self) -> int:
        """The number of a signal that waits, or 0."""
        return next(iter(self._pending), 0)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._pending[number] = frame
        if not self._held:
            self._deliver()

    def _deliver(self) -> None:
        while self._pending:
            number, frame = self._pending.popitem()
            self._handlers[number](number, frame)


class AgreedSignals(DeferredSignals):
    """Signals in a job of several processes: they wait until all ranks know of them.

    A signal that has reached one rank takes effect after the same step on all of them.

    Args:
        step: The train step, by which ranks tell each other.
    """

    def __init__(self, step: Any) -> None:
        super().__init__()
        self._step = step

    def __enter__(self) -> AgreedSignals:
        super().__enter__()
        self._held = True
        self._step.pending = lambda: self.pending
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._step.pending = lambda: 0
        super().__exit__(kind, error, traceback)

    def release(self) -> None:
        """Let the signal act that some rank got in the last step.

        Raises:
            KeyboardInterrupt: If that was Ctrl-C (unless another handler is set).
        """
        number, self._step.signal = self._step.signal, 0
        if number:
            frame = self._pending.pop(number, None)
            self._handlers.get(number, signal.default_int_handler)(number, frame)
