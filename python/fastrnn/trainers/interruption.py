"""Ctrl-C: steps that have begun are finished first."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any


class WholeSteps:
    """Context in which Ctrl-C waits for the end of a step.

    Python interrupts between any two instructions, so also between the updates of two weights, or
    of a weight and its momentum. Elsewhere than in a step, as while data are read, Ctrl-C acts at
    once. Without Python's handler of the signal, as in other threads than the first, nothing is
    changed.

    Example:
        >>> with WholeSteps() as steps:
        ...     steps.begin()
        ...     # what must not be torn
        ...     steps.end()
    """

    def __init__(self) -> None:
        self._inside = False
        self._pending: FrameType | None = None
        self._handler: Any = None

    def __enter__(self) -> WholeSteps:
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            self._handler = handler
            try:
                signal.signal(signal.SIGINT, self._handle)
            except ValueError:  # not the first thread, the only one that signals reach
                self._handler = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._inside = False
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
            if kind is None:
                self._deliver()

    def begin(self) -> None:
        """From here on Ctrl-C waits."""
        self._inside = True

    def end(self) -> None:
        """Let Ctrl-C act, also the one that has come meanwhile.

        Raises:
            KeyboardInterrupt: If one has come (unless somebody else handles the signal).
        """
        self._inside = False
        if self._pending is not None:
            self._deliver()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._pending = frame
        if not self._inside:
            self._deliver()

    def _deliver(self) -> None:
        frame, self._pending = self._pending, None
        if frame is not None:
            self._handler(signal.SIGINT, frame)
