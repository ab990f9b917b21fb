"""Simulated time: one thread runs everything that happens later, with durations divided by the speed-up.

A *process* is a generator that yields seconds to wait; so the life of a node reads as a script. Every callback keeps
the account and region of the call that started it. Callbacks run one at a time and must not block.
"""

from __future__ import annotations

import contextvars
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

from . import settings

logger = logging.getLogger("drowse.clock")

#: A generator that yields how many seconds to wait before it goes on.
Process = Generator[float, None, None]

#: Guards the patches' own state and multi-step changes of ministack's stores: calls are served on the event loop,
#: stacks and workflows on threads of their own, simulated time on the clock's thread.
LOCK = threading.RLock()


class Timer:
    """Something that will happen, and can be cancelled until then."""

    def __init__(self, action: Callable[[], Any]) -> None:
        self._action: Callable[[], Any] | None = action
        self._context = contextvars.copy_context()

    def cancel(self) -> None:
        """Make it not happen. Without effect once it has."""
        self._action = None

    def fire(self) -> None:
        """Let it happen now, in the account and region in which it was set."""
        action, self._action = self._action, None
        if action is not None:
            self._context.run(action)


class Clock:
    """Runs timers on one daemon thread, which starts with the first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None

    def after_real(self, seconds: float, action: Callable[[], Any]) -> Timer:
        """Call ``action`` after so many real seconds."""
        timer = Timer(action)
        with self._changed:
            heapq.heappush(self._queue, (time.monotonic() + seconds, next(self._order), timer))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="drowse-clock", daemon=True)
                self._thread.start()
            self._changed.notify()
        return timer

    def after(self, seconds: float, action: Callable[[], Any]) -> Timer:
        """Call ``action`` after so many simulated seconds."""
        return self.after_real(scaled(seconds), action)

    def start(self, process: Process) -> None:
        """Run a process: on to its next wait, again and again, until it returns."""

        def step() -> None:
            with LOCK:
                seconds = next(process, None)
            if seconds is not None:
                self.after(seconds, step)

        self.after_real(0, step)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue or self._queue[0][0] > time.monotonic():
                    self._changed.wait(self._queue[0][0] - time.monotonic() if self._queue else None)
                timer = heapq.heappop(self._queue)[2]
            try:
                timer.fire()
            except Exception:
                # The clock goes on for everyone else; the fault is a bug of ours and shows in the log.
                logger.exception("a simulated event failed")


def scaled(seconds: float) -> float:
    """Real seconds for so many simulated ones."""
    return seconds / settings.current().speedup


def now() -> float:
    """A real time in seconds that only goes forward."""
    return time.monotonic()


CLOCK = Clock()
