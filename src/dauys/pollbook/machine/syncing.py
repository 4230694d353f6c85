"""When does a station speak with the centre? Again and again in a thread of its own, and at once where there is word.

Whatever the centre or the wire does, the officers' work goes on.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from dauys.errors import DauysError
from dauys.pollbook.machine.sync import Link

EVERY = 10.0
"""Seconds between signs of life; a right that is asked for here is let go within about this time."""

IMPATIENT = 1.5
"""Seconds between exchanges while a voter stands here and waits for his right."""

LONGEST = 1.5 * EVERY
"""Seconds that a station waits at most, about, after failures: so all together ask a centre that is back no oftener than in a
usual hour, and a voter from elsewhere does not wait for a minute after it is there."""

BREATH, PATIENT = 1.0, 3
"""Seconds between words that come at once, so many times; then it may be one that nothing can be done about: the pause."""


class Syncing:
    """The thread that keeps the centre informed. `poke` when something was stored; `impatient` while a voter waits.

    With `listens` a second one stays at the centre meanwhile: a right that is asked for here is let go within a second.
    """

    def __init__(
        self, link: Link, every: float = EVERY, jitter: Callable[[], float] = random.random, listens: bool = False
    ) -> None:
        self.link = link
        self.impatient: Callable[[], bool] = lambda: False
        self._every = every
        self._jitter = jitter
        self._poked = threading.Event()
        self._ended = threading.Event()
        self._reached = threading.Event()
        self.link.wire.answered = self._reached.set
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
        self._listener = threading.Thread(target=self._listen, name="listen", daemon=True) if listens else None

    def start(self) -> None:
        self._thread.start()
        if self._listener is not None:
            self._listener.start()

    def poke(self) -> None:
        """There is something to send."""
        self._poked.set()

    def stop(self) -> None:
        """Ends after the exchange that is going on, if any."""
        self._ended.set()
        self._begun.set()
        self._poked.set()
        self._reached.set()
        if self._thread.is_alive():
            self._thread.join(timeout=15)

    def pause_after(self, failures: int) -> float:
        """Seconds until the next exchange: doubled with each failure, and spread, so that stations do not come at once."""
        if failures:
            return float(min(LONGEST, 2.0 ** min(failures, 10)) * (0.5 + self._jitter()))
        return IMPATIENT if self.impatient() else self._every * (0.75 + self._jitter() / 2)

    def _listen(self) -> None:
        """Hears from the centre that there is word; where it cannot, the exchanges go on as without it."""
        soon = 0
        self._begun.wait()  # the first exchange tells the centre whose key it is: before that it knows nobody who waits
        while not self._ended.is_set():
            began = time.monotonic()
            try:
                word = self.link.wire.wait()
            except (DauysError, RuntimeError):  # the latter: the program ends, the wire is closed
                self._ended.wait(self.pause_after(0))
                continue
            if word:
                self.poke()
            soon = soon + 1 if time.monotonic() - began < BREATH else 0
            if soon:  # the same word again until it is dealt with
                self._ended.wait(BREATH if soon <= PATIENT else self.pause_after(0))

    def _run(self) -> None:
        failures = 0
        while not self._ended.is_set():
            self._poked.clear()
            again = False
            try:
                again = self.link.once()
            except DauysError as error:  # the store's own failure: the officers see it with the next act
                self.link.status = replace(self.link.status, fault=str(error))
            self._begun.set()
            failures = failures + 1 if self.link.status.cut or self.link.status.fault else 0
            if again and not failures:
                continue
            # while the wire is cut, a tap does not hurry the next try; that the centre has answered a question does
            self._reached.clear()
            if not self._ended.is_set():
                (self._reached if failures else self._poked).wait(self.pause_after(failures))
