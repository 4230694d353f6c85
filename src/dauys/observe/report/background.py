"""What takes long is made beside the pages, once for each thing asked for: is it being made, and did it fail?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from dauys.errors import DauysError

PATIENCE = 1.5
"""Seconds that a page waits before it says that something is being made."""


@dataclass
class Background:
    """Works by name. Used by several threads."""

    _running: dict[str, threading.Thread] = field(default_factory=dict)
    _faults: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, name: str, work: Callable[[], None], patience: float = PATIENCE) -> None:
        """Does the work, unless it is being done already; waits a little for what is quick."""

        def run() -> None:
            fault = ""
            try:
                work()
            except DauysError as error:
                fault = str(error)
            except Exception as error:  # noqa: BLE001 - a thread has nobody above it: the page says what happened
                fault = f"{type(error).__name__}: {error}"
            with self._lock:
                self._running.pop(name, None)
                self._faults[name] = fault

        with self._lock:
            thread = self._running.get(name)
            if thread is None:
                self._faults.pop(name, None)
                thread = self._running[name] = threading.Thread(target=run, name=name, daemon=True)
                thread.start()
        thread.join(patience)

    def running(self, name: str) -> bool:
        with self._lock:
            return name in self._running

    def fault(self, name: str) -> str:
        """Why the last work of that name failed; empty where it did not."""
        with self._lock:
            return self._faults.get(name, "")


def background(extra: dict[str, object]) -> Background:
    """The works of an office (`Office.extra`)."""
    found = extra.setdefault("background", Background())
    assert isinstance(found, Background)
    return found
