"""How does the centre hear of what happened here, and what does the station do with the centre's answers?

`Wire` speaks with the centre over HTTP. `Link.once` is one exchange: the enrolment while it is not known there, what is
not acknowledged, and the answer: rights that came are taken, rights that are asked for are let go where they are unused.
Each part can be lost or repeated at any point. `machine.syncing` does it again and again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import httpx

from dauys.errors import DauysError, Numbered
from dauys.pollbook.log.events import Event, LogError
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.book import Book
from dauys.pollbook.machine.channel_acts import let_go
from dauys.pollbook.machine.enrolling import CENTRE, TO_TELL
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.machine.unnamed import Namer
from dauys.pollbook.rules.custody import CustodyError, Standing
from dauys.pollbook.rules.grants import BOOKS, Answer
from dauys.pollbook.rules.holders import NOBODY, WITHDRAWN
from dauys.pollbook.wire.package import Enrolment
from dauys.pollbook.wire.questions import PREFIX, Question
from dauys.pollbook.wire.replies import ERROR, SAID, Reply

FOR_GOOD = ("P.004", "P.019")
"""Refusals that no later try changes: the log has another key at the centre. What the machine has, another one may have, too."""

UNKNOWN = "P.003"
"""Refused to a machine that the centre answered before: it has forgotten."""

LARGEST_ANSWER = 8 << 20
TIMEOUT = httpx.Timeout(10.0, connect=4.0)
WAITING = httpx.Timeout(75.0, connect=4.0)
"""The centre lets a station wait for less (pollbook.serving.waiting)."""


class Unreached(DauysError):
    """The wire is cut, or what answers is not the centre. It may work later; nothing was lost."""


class NotTheCentre(Unreached):
    """Something answers that the centre did not sign to this request: nothing of it is believed. What it said is for people."""

    def __init__(self, message: str, check: str = "P.008") -> None:
        self.check = check
        super().__init__(message)


class CentreRefused(Numbered):
    """The centre heard and said no, under its signature; `check` is empty where it said no number."""

    def __init__(self, message: str, check: str = "") -> None:
        super().__init__(message, check)

    @property
    def words(self) -> str:
        return f"the centre refuses: {self.message}"


class Wire:
    """The way to the centre. `client` has the centre's address as its base."""

    def __init__(self, keep: Keep, client: httpx.Client, clock: Callable[[], datetime]) -> None:
        self.keep = keep
        self._client = client
        self._clock = clock
        self.answered: Callable[[], None] = lambda: None
        """Called when the centre has answered a question: so it can be reached."""

    def tell(self) -> None:
        """Tells the centre the station's key, until it has answered a batch of that key once under its own signature.

        Whatever else answers (a school's login page) tells nothing. Raises Unreached, CentreRefused.
        """
        if self.keep.book.told:
            return
        if why := self.keep.book.stopped:  # it has a list no more: the centre is not to begin its log now
            raise CentreRefused(why, "P.041")
        try:
            if (data := self.keep.kept(TO_TELL)) is not None:
                self._post("/enrol", Enrolment.from_bytes(data.encode()).to_bytes())
            self.keep.hear(self.send())
        except LogError as error:
            check = error.check if error.check == "P.009" else "P.008"
            raise NotTheCentre(f"what answers at the centre's address is not the centre ({error})", check) from None

    def send(self, first: int | None = None) -> Answer:
        """Sends what is not acknowledged, or from `first` on. Raises Unreached, CentreRefused, LogError."""
        data = self.keep.batch(first).to_bytes()
        said = self._post("/sync", data)
        return Answer.from_bytes(said, self.keep.log, self.keep.public, data, self.keep.package.centre)

    def sent(self) -> Answer:
        """Sends all that the centre lacks. A centre that has less than it acknowledged was put back from a copy: it is shown what
        it signed, and then everything again. Raises as `send`."""
        try:
            answer = self.send()
        except CentreRefused as error:
            if error.check in FOR_GOOD:  # another machine has this log: the centre is to know that it had this one
                with suppress(Unreached, CentreRefused):
                    self.show()
            if error.check != UNKNOWN or not self.show():
                raise
            answer = self.send()
        if answer.send_from is None or answer.stopped:
            return answer
        if answer.acknowledged.n < self.keep.acknowledged:
            self.show()
        begun, again = answer.acknowledged.n, self.send(answer.send_from)
        while begun < again.acknowledged.n < self.keep.acknowledged and not again.stopped:  # more than one batch
            begun, again = again.acknowledged.n, self.send(again.acknowledged.n + 1)
        return again if again.stopped else self.send(again.acknowledged.n + 1)  # that this is all

    def whole(self, mark: str) -> None:
        """Says to a centre that was put back how far the log goes; it asked by `mark`. Raises Unreached, CentreRefused.

        Not while a batch waits for its answer (`Link.once`): with this word the machine gives up what it was given and has not
        received, and no answer to anything that it sent before is believed any more.
        """
        with self.keep.acting() as book:
            head = book.head
        self.question("whole", {"mark": mark, "n": head.n, "head": head.hash})

    def show(self) -> bool:
        """Shows the centre the answer by which it acknowledged the most; False where there was none."""
        if not (said := self.keep.last_word):
            return False
        self._reply(said, self._answered("/shown", said, TIMEOUT), SAID)
        return True

    def question(self, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Asks the centre about one voter (dauys.pollbook.wire.questions). Raises Unreached, CentreRefused."""
        said = self._asked("/question", what, body, TIMEOUT)
        self.answered()
        return said

    def wait(self) -> bool:
        """Stays at the centre until there is word for this station: True: sync now. Raises Unreached, CentreRefused."""
        return self._asked("/wait", "wait", {}, WAITING).get("word") is True

    def close(self) -> None:
        self._client.close()

    def _asked(self, path: str, what: str, body: Mapping[str, Any], timeout: httpx.Timeout) -> dict[str, Any]:
        """What the centre says to a question, by a reply to this very one."""
        asked = Question(self.keep.log, self._clock().isoformat(), what, body)
        data = asked.to_bytes(self.keep.key)
        return dict(self._reply(data, self._answered(path, data, timeout), SAID).body)

    def _reply(self, data: bytes, response: httpx.Response, kind: str) -> Reply:
        """The reply in a response to `data`; raises NotTheCentre, with what an unsigned one says."""
        try:
            reply = Reply.from_bytes(response.content, self.keep.log, data, self.keep.package.centre)
        except LogError as error:
            said = _unsigned(response)
            raise NotTheCentre(f"{error.message} (HTTP {response.status_code}{said})") from None
        if reply.kind != kind:
            raise NotTheCentre(f"a reply of another kind (HTTP {response.status_code})")
        return reply

    def _post(self, path: str, data: bytes) -> bytes:
        """Sends an enrolment or a batch. What the centre will never take from this machine stops it for good."""
        try:
            return self._answered(path, data, TIMEOUT).content
        except CentreRefused as error:
            if error.check not in FOR_GOOD:
                raise
            why = f"{error.message}; get a new package from the centre, and enrol with it in an empty folder"
            self.keep.stop(f"[{error.check}] the centre does not take this machine: {why}")
            raise CentreRefused(why, error.check) from None

    def _answered(self, path: str, data: bytes, timeout: httpx.Timeout) -> httpx.Response:
        headers, said = {"content-type": "application/json"}, bytearray()
        until = time.monotonic() + 2 * (timeout.read or 0)
        try:
            with self._client.stream("POST", PREFIX + path, content=data, headers=headers, timeout=timeout) as answer:
                for part in answer.iter_bytes():
                    said += part
                    # somebody on the wire may send a byte now and then
                    if len(said) > LARGEST_ANSWER or time.monotonic() > until:
                        raise Unreached("the centre's answer has no end")
            response = httpx.Response(answer.status_code, content=bytes(said))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise Unreached(f"the centre cannot be reached ({type(error).__name__})") from None
        if response.status_code in (429, *range(500, 600)):
            raise Unreached(f"the centre cannot answer now (HTTP {response.status_code})")
        if response.is_success:
            return response
        why = self._reply(data, response, ERROR).body
        raise CentreRefused(str(why.get("message", ""))[:500], str(why.get("check", "")))


def _unsigned(response: httpx.Response) -> str:
    """What a refusal without a good signature says, for whoever looks for the cause; nothing where it is none."""
    try:
        said = str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {said[:200]}"


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
    """One exchange at a time, whatever thread or page asks for it: a batch is answered, or given up, before the next."""

    def __init__(self, wire: Wire, clock: Callable[[], datetime]) -> None:
        self.wire = wire
        self.keep = wire.keep
        self.clock = clock
        self.status = Status()
        self.fates: dict[UUID, str] = {}
        """What became of the rights that were asked for from here, by the centre's last answer (`grants.HOW`)."""
        self.offs: set[UUID] = set()
        """Rights that are asked for no more; the centre hears it with the next contact."""
        self._namer = Namer(wire.keep, wire.question)
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

    def call_off(self, who: UUID) -> tuple[bool, bool]:
        """Nobody waits here for this right any more: whether the centre forgets what was asked, for the right has not been let
        go; and whether the other station had heard of it. Raises Unreached: it is told with the next contact; CentreRefused."""
        self.offs.add(who)
        try:
            said = self.wire.question("call-off", {"entitlement": str(who)})
        except CentreRefused:  # it ends by itself
            self.offs.discard(who)
            raise
        self.offs.discard(who)
        self.fates.pop(who, None)
        return said.get("off") is True, said.get("heard") is True

    def show_withdrawn(self, who: UUID, had: Collection[str] = (WITHDRAWN,)) -> None:
        """Where the list that was enrolled with says that the commission had this right by then: a centre that was put back from
        a copy may have forgotten it, and hears it now, or with the next contact. `had`: who had it by the list."""
        book = self.keep.book
        place = book.places.get(who)
        if place is None or not place.epoch or place.standing is not Standing.AWAY or book.went.get(who) not in had:
            return
        with suppress(CentreRefused, Unreached):
            self.wire.question("withdrawn", {"entitlement": str(who), "n": book.head.n, "epoch": place.epoch})

    @property
    def waiting(self) -> int:
        """How many events the centre has not acknowledged."""
        return self.keep.book.head.n - self.keep.acknowledged

    def _exchange(self) -> bool:
        self.wire.tell()
        for who in list(self.offs):
            with suppress(CentreRefused):
                self.call_off(who)
        answer = self.wire.sent()
        if self.keep.hear(answer):
            return False
        self.fates = {one.entitlement: one.how for one in answer.fates}
        for grant in answer.grants:
            self._do(partial(acts.do_receive, grant=grant, at=self.clock()))  # told again, it is refused: it is here
        for request in answer.requests:
            if request.to == BOOKS:
                with suppress(CentreRefused):
                    self.wire.whole(request.id)
                continue
            if request.to == WITHDRAWN:
                self.show_withdrawn(request.entitlement, (WITHDRAWN, NOBODY))  # what nobody had, it may have
            while self._do(partial(let_go, request=request, at=self.clock())):  # a channel strikes a ballot first
                continue
        with suppress(Unreached, CentreRefused):  # whose envelopes they are can wait
            self._namer.name(self.clock())
        return self.waiting > 0

    def _do(self, act: Callable[[Book], Event | None]) -> bool:
        """An act of the station itself; whether there was one. What the rules forbid now is left; the centre says it again."""
        with self.keep.acting() as book:
            try:
                event = act(book)
                if event is not None:
                    self.keep.append(event)
            except (acts.Refused, CustodyError, LogError):
                return False
        return event is not None
