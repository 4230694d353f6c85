"""How does the centre hear of what happened here, and what does the station do with the centre's answers?

`Wire` speaks with the centre over HTTP. `Link.once` is one exchange: the enrolment while it is not known there, what is
not acknowledged, and the answer: rights that came are taken, rights that are asked for are let go where they are unused.
Each part can be lost or repeated at any point. `Syncing` does it again and again in a thread; whatever the centre or the
wire does, the officers' work goes on.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from dauys.errors import DauysError
from dauys.pollbook import acts
from dauys.pollbook.book import Book
from dauys.pollbook.custody import CustodyError, Standing
from dauys.pollbook.enrolling import CENTRE, TO_TELL
from dauys.pollbook.grants import Answer, Request
from dauys.pollbook.keep import Keep
from dauys.pollbook.log import Event, LogError
from dauys.pollbook.questions import Question

PREFIX = "/api/pollbook"
EVERY = 10.0
"""Seconds between signs of life; a right that is asked for here is let go within about this time."""

IMPATIENT = 1.5
"""Seconds between exchanges while a voter stands here and waits for his right."""

LONGEST = 120.0
"""Seconds that a station waits at most, after failures, before it tries again."""

LARGEST_ANSWER = 8 << 20
TIMEOUT = httpx.Timeout(10.0, connect=4.0)
WAITING = httpx.Timeout(75.0, connect=4.0)
"""The centre lets a station wait for less (pollbook.waiting)."""

BREATH, PATIENT = 1.0, 3
"""Seconds between words that come at once, so many times; then it may be one that nothing can be done about: the pause."""


class Unreached(DauysError):
    """The wire is cut, or what answers is not the centre. It may work later; nothing was lost."""


class CentreRefused(DauysError):
    """The centre heard and said no. `check` is its number."""

    def __init__(self, message: str, check: str = "") -> None:
        self.message = message
        self.check = check
        super().__init__(f"the centre refuses: {message}")


class Wire:
    """The way to the centre. `client` has the centre's address as its base."""

    def __init__(self, keep: Keep, client: httpx.Client, clock: Callable[[], datetime]) -> None:
        self.keep = keep
        self._client = client
        self._clock = clock

    def tell(self) -> None:
        """Tells the centre the station's key, until it has answered a batch of that key once under its own signature.

        Whatever else answers (a school's login page) tells nothing. Raises Unreached, CentreRefused; a key that the centre
        does not take (P.019: the package is void, or another machine has it) stops this machine for good.
        """
        if self.keep.book.told:
            return
        try:
            if (data := self.keep.kept(TO_TELL)) is not None:
                self._post("/enrol", data.encode())
            self.keep.hear(self.send())
        except LogError as error:
            raise Unreached(f"what answers at the centre's address is not the centre ({error})") from None
        except CentreRefused as error:
            if error.check != "P.019":
                raise
            why = f"{error.message}; get a new package from the centre, and enrol with it in an empty folder"
            self.keep.stop(f"the centre does not take this machine: {why}")
            raise CentreRefused(why, error.check) from None

    def send(self, first: int | None = None) -> Answer:
        """Sends what is not acknowledged, or from `first` on. Raises Unreached, CentreRefused, LogError."""
        data = self._post("/sync", self.keep.batch(first).to_bytes())
        return Answer.from_bytes(data, self.keep.log, self.keep.package.centre)

    def question(self, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Asks the centre about one voter (dauys.pollbook.questions). Raises Unreached, CentreRefused."""
        asked = Question(self.keep.log, self._clock().isoformat(), what, body)
        response = self._answered("/question", asked.to_bytes(self.keep.key))
        try:
            value = response.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Unreached("what answers at the centre's address is not the centre")
        return value

    def wait(self) -> bool:
        """Stays at the centre until there is word for this station: True: sync now. Raises Unreached, CentreRefused."""
        asked = Question(self.keep.log, self._clock().isoformat(), "wait", {})
        return self._answered("/wait", asked.to_bytes(self.keep.key), WAITING).status_code == 200

    def close(self) -> None:
        self._client.close()

    def _post(self, path: str, data: bytes) -> bytes:
        return self._answered(path, data).content

    def _answered(self, path: str, data: bytes, timeout: httpx.Timeout = TIMEOUT) -> httpx.Response:
        headers = {"content-type": "application/json"}
        try:
            response = self._client.post(PREFIX + path, content=data, headers=headers, timeout=timeout)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise Unreached(f"the centre cannot be reached ({type(error).__name__})") from None
        if len(response.content) > LARGEST_ANSWER or response.status_code in (429, *range(500, 600)):
            raise Unreached(f"the centre cannot answer now (HTTP {response.status_code})")
        if response.is_success:
            return response
        try:
            said = response.json()["error"]
            raise CentreRefused(str(said["message"])[:500], str(said.get("check", "")))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Unreached(f"what answers is not the centre (HTTP {response.status_code})") from None


def connect(keep: Keep, clock: Callable[[], datetime], transport: httpx.BaseTransport | None = None) -> Wire:
    """The wire to the centre whose address the store keeps."""
    return Wire(keep, httpx.Client(base_url=keep.kept(CENTRE) or "", timeout=TIMEOUT, transport=transport), clock)


@dataclass(frozen=True, slots=True)
class Status:
    """What the officers see of the connection. `heard`: when the centre last answered; `cut`: since when it does not."""

    heard: datetime | None = None
    cut: datetime | None = None
    fault: str = ""
    check: str = ""


class Link:
    """One exchange at a time. `taken` hears each event that came of an answer."""

    def __init__(self, wire: Wire, clock: Callable[[], datetime]) -> None:
        self.wire = wire
        self.keep = wire.keep
        self.clock = clock
        self.status = Status()
        self._one = threading.Lock()

    def once(self) -> bool:
        """One exchange; True where another should follow at once. Raises nothing of the wire: see `status`."""
        with self._one:
            try:
                again = self._exchange()
            except (Unreached, CentreRefused, LogError) as error:
                check = getattr(error, "check", "")
                cut = self.status.cut or self.clock()
                self.status = replace(self.status, cut=cut, fault=str(error), check=check)
                return False
            self.status = Status(heard=self.clock())
            return again

    @property
    def waiting(self) -> int:
        """How many events the centre has not acknowledged."""
        return self.keep.book.head.n - self.keep.acknowledged

    def _exchange(self) -> bool:
        self.wire.tell()
        answer = self.wire.send()
        if answer.send_from is not None and not answer.stopped:
            answer = self.wire.send(answer.send_from)
        if self.keep.hear(answer):
            return False
        for grant in answer.grants:
            self._do(partial(acts.do_receive, grant=grant, at=self.clock()))  # told again, it is refused: it is here
        for request in answer.requests:
            self._do(partial(_release, request=request, at=self.clock()))
        return self.waiting > 0

    def _do(self, act: Callable[[Book], Event | None]) -> None:
        """An act of the station itself; what the rules forbid now is left as it is: the centre asks and gives again."""
        with self.keep.acting() as book:
            try:
                event = act(book)
                if event is not None:
                    self.keep.append(event)
            except (acts.Refused, CustodyError, LogError):
                return


def _release(book: Book, request: Request, at: datetime) -> Event | None:
    """Lets an unused right go. A used one stays, and its check-in, sent before, says so to the centre."""
    place = book.places.get(request.entitlement)
    here = place is not None and place.standing is Standing.HERE and place.epoch == request.epoch
    return acts.do_release(book, request, at) if here else None


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
            # while the wire is cut, a tap does not hurry the next try
            (self._ended if failures else self._poked).wait(self.pause_after(failures))
