"""Ctrl-C and SIGTERM: steps that have begun are finished first."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any


class WholeSteps:
    """Context in which Ctrl-C and SIGTERM wait for the end of a step.

    Python interrupts between any two instructions, so also between the updates of two weights, or
    of a weight and its momentum. Elsewhere than in a step, as while data are read, signals act at
    once. Where no Python function handles a signal, as by default SIGTERM, which then ends the
    process, and in other threads than the first, nothing is changed.

    Example:
        >>> with WholeSteps() as steps:
        ...     steps.begin()
        ...     # what must not be torn
        ...     steps.end()
    """

    def __init__(self) -> None:
        self._inside = False
        self._pending: dict[int, FrameType | None] = {}
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> WholeSteps:
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
        self._inside = False
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if kind is None:
            self._deliver()

    def begin(self) -> None:
        """From here on signals wait."""
        self._inside = True

    def end(self) -> None:
        """Let signals act, also those that have come meanwhile.

        Raises:
            KeyboardInterrupt: If Ctrl-C has come (unless somebody else handles the signal).
        """
        self._inside = False
        if self._pending:
            self._deliver()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._pending[number] = frame
        if not self._inside:
            self._deliver()

    def _deliver(self) -> None:
        while self._pending:
            number, frame = self._pending.popitem()
            self._handlers[number](number, frame)
