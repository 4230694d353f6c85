"""Which photos has the commission not got yet, and how do they get there? Each one whose observation stands in the record.

What is to be sent follows from the mission's log alone: an observation that was taken (`sent`) names photos by their SHA-256, and
a photo that the commission took is noted (`photo-sent/SHA256`). So nothing is forgotten when the wire is cut or the program
stops; and a photo sent twice is one photo there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from dauys.errors import DauysError
from dauys.observe.accreditation.offer import Offer, pass_of, photo_address
from dauys.observe.known.keep import Keep
from dauys.observe.known.model import Event, Mission

NOTE = "photo-sent/"
"""Notes of the mission's log: the commission has this photo."""
SECONDS, CONNECTING = 60.0, 5.0
AGAIN = timedelta(minutes=30)
"""A photo that was refused is tried again after this time: a suspension may have ended. A cut wire costs no waiting."""

AT_ONCE = 10
"""Photos of one `flush`: the official record is read again between them."""

Put = Callable[[str, bytes, str], tuple[int, str]]
"""put(address, bytes, authorization): status and text of the answer. Raises DauysError where there is none."""


def put(address: str, data: bytes, authorization: str) -> tuple[int, str]:
    """Over HTTP."""
    try:
        answer = httpx.put(
            address,
            content=data,
            headers={"Content-Type": "application/octet-stream", "Authorization": authorization},
            timeout=httpx.Timeout(SECONDS, connect=CONNECTING),
        )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise DauysError(f"the commission's site cannot be reached: {error}") from None
    return answer.status_code, answer.text[:2000]


@dataclass(frozen=True, slots=True)
class Waits:
    """A photo on its way: the poll, the place in its record of the observation that names it. `why`: what stood in the way."""

    poll: str
    of: int
    why: str = ""
    refused: datetime | None = None


def is_sent(mission: Mission, sha256: str) -> bool:
    """Whether the commission has said that it has the photo."""
    return f"{NOTE}{sha256}" in mission.notes


class Photos:
    """The photos that wait. Used by several threads; one of them sends. `site`: of which site a record's address is."""

    def __init__(self, keep: Keep, clock: Callable[[], datetime], site: Callable[[str], str], put: Put = put) -> None:
        self._keep, self._clock, self._site, self._put = keep, clock, site, put
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._seen = 0
        self._waiting: dict[str, Waits] = {}
        self.more = False
        """Whether the last `flush` ended before it had tried all."""

    def waiting(self) -> Mapping[str, Waits]:
        """By SHA-256, those named first first."""
        with self._lock:
            for event in self._keep.events(self._seen):
                self._seen = event.n + 1
                self._take(event)
            return dict(self._waiting)

    def flush(self) -> None:
        """Sends what waits; stops where the wire is cut. What is refused stays, with its reason, and is tried again later."""
        with self._sending:
            self.more, at = False, self._clock()
            due = [
                (name, one) for name, one in self.waiting().items() if one.refused is None or one.refused + AGAIN <= at
            ]
            for sha256, one in due[:AT_ONCE]:
                try:
                    refusal = self._deliver(sha256, one)
                except DauysError as error:  # the others would not get through either
                    self._note(sha256, replace(one, why=str(error)))
                    return
                if refusal:
                    self._note(sha256, replace(one, why=refusal, refused=self._clock()))
            self.more = len(due) > AT_ONCE

    def _deliver(self, sha256: str, one: Waits) -> str:
        """Why the photo was refused; empty where the commission has it now. Raises DauysError where it may have it later."""
        identity = self._keep.mission.identity
        if identity is None or identity.poll != one.poll or "://" not in identity.source:
            return f"the mission follows no site that takes photos of {one.poll}"
        path = self._keep.photo(sha256)
        if not path.is_file():
            return "the photo is not in the mission's folder: put it back from a copy"
        try:
            data = path.read_bytes()
        except OSError as error:
            return f"the photo cannot be read: {error.strerror}"
        offer = Offer(one.poll, identity.code, sha256, one.of, len(data))
        address = photo_address(self._site(identity.source), one.poll, sha256)
        status, text = self._put(address, data, pass_of(offer, self._keep.key, self._clock()))
        if status in (200, 201):
            self._keep.append("note", {"name": f"{NOTE}{sha256}", "of": one.of}, "office", self._clock())
            return ""
        said = f"the commission did not take it ({status}): {said_of(text)}"
        if 400 <= status < 500 and status not in (408, 425, 429):
            return said
        raise DauysError(said)

    def _note(self, sha256: str, one: Waits) -> None:
        with self._lock:
            if sha256 in self._waiting:
                self._waiting[sha256] = one

    def _take(self, event: Event) -> None:
        if event.kind == "sent" and event.body["entry_kind"] == "observation" and event.body.get("index") is not None:
            entry: dict[str, Any] = json.loads(event.body["entry"])
            for name in entry["body"]["photos"]:
                if not is_sent(self._keep.mission, name):
                    self._waiting.setdefault(name, Waits(entry["poll"], event.body["index"]))
        elif event.kind == "note" and str(event.body["name"]).startswith(NOTE):
            self._waiting.pop(event.body["name"].removeprefix(NOTE), None)


def said_of(text: str) -> str:
    """What a site's answer says of a failure."""
    try:
        body = json.loads(text)
        detail = body.get("detail", body)
        error = detail.get("error", detail) if isinstance(detail, dict) else detail
        return str(error.get("message", error) if isinstance(error, dict) else error)[:400]
    except (ValueError, AttributeError):
        return text[:400]
