"""Which words does a station believe? Those that the centre signed, to this machine, as the answer to what it has just sent."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pollbook_sample import CENTRE, MORNING
from station_world import ADDRESS, FakeCentre, enrolled, person
from sync_world import CLOCK, check_in, link_of, lists, opened

from dauys.pollbook.log.events import LogError
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.enrolling import enrol
from dauys.pollbook.machine.sync import Link, NotTheCentre, Unreached, connect
from dauys.pollbook.rules.grants import BOOKS, Answer, Request
from dauys.pollbook.wire.package import new_code
from dauys.pollbook.wire.questions import PREFIX, Question
from dauys.pollbook.wire.replies import Reply
from dauys.record.canonical import canonical


def test_only_the_centres_own_answer_says_that_it_knows_the_station(tmp_path: Path) -> None:
    """A school's login page answers everything with 200; another's signature is no answer either."""
    centre = FakeCentre(lists())
    keep = enrolled(centre, tmp_path, "1", tell=False)
    page = httpx.MockTransport(lambda request: httpx.Response(200, content=b"<html>Log in"))
    with pytest.raises(Unreached):
        connect(keep, CLOCK, page).tell()
    centre.key = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
    link = link_of(keep, centre)
    link.once()
    assert link.status.cut and not keep.book.told
    centre.key = CENTRE
    link.once()
    assert keep.book.told and not link.status.cut
    keep.close()


def test_a_forged_answer_changes_nothing(tmp_path: Path) -> None:
    centre = FakeCentre(lists())
    keep, link = opened(centre, tmp_path)
    link.once()
    lease = keep.book.lease
    check_in(keep, 1)
    centre.key = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
    centre.stopped = "hand over your list"
    assert not link.once()
    assert (link.status.check, link.waiting, keep.book.lease, keep.book.stopped) == ("P.014", 1, lease, "")
    keep.close()


def test_an_answer_to_another_machine_with_the_same_package_opens_nothing(tmp_path: Path) -> None:
    """What the centre said to the first one is played to the second one; then that one hears the centre itself."""
    centre = FakeCentre(lists())
    first = enrolled(centre, tmp_path, "1")
    answer = centre.handle(f"{PREFIX}/sync", first.batch().to_bytes())[1]
    code = new_code(b"1.1".ljust(16, b"."))
    second = enrol(tmp_path / "1.package", code, tmp_path / "second", ADDRESS)
    assert second.log == first.log and second.public != first.public
    played = httpx.MockTransport(lambda request: httpx.Response(200, content=answer))
    link = Link(connect(second, CLOCK, played), CLOCK)
    assert not link.once()
    assert (link.status.check, second.book.told, second.book.stopped) == ("P.009", False, "")
    with pytest.raises(Refused, match=r"P\.018"):
        acts.do_open(second.book, "c1", MORNING)
    assert not link_of(second, centre).once() and "[P.019]" in second.book.stopped
    first.close(), second.close()


def test_an_answer_for_another_station_is_not_heard(tmp_path: Path) -> None:
    centre = FakeCentre(lists())
    (keep, link), (other, its) = opened(centre, tmp_path, "1"), opened(centre, tmp_path, "2")
    link.once(), its.once()
    asked = other.batch().to_bytes()
    data = centre.handle(f"{PREFIX}/sync", asked)[1]
    with pytest.raises(LogError, match=r"P\.002"):
        Answer.from_bytes(data, keep.log, keep.public, asked, keep.package.centre)
    keep.close(), other.close()


@pytest.mark.parametrize("told", [False, True])
def test_a_refusal_that_the_centre_did_not_sign_stops_nobody(tmp_path: Path, told: bool) -> None:
    """Somebody on the wire says what would stop the machine: unsigned, under another key, or the centre's own to another."""
    centre = FakeCentre(lists())
    keep, other = enrolled(centre, tmp_path, "1", tell=told), enrolled(centre, tmp_path, "2")
    sent: list[bytes] = []

    def cut(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        raise httpx.ConnectError("cut", request=request)

    assert not Link(connect(keep, CLOCK, httpx.MockTransport(cut)), CLOCK).once()
    (before,) = sent  # the same enrolment, or events: only its `once` is another
    forger = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
    for said in (
        lambda batch: b'{"error": {"message": "go home", "check": "P.019"}}',
        lambda batch: Reply.refusing(keep.log, batch, "go home", "P.004").to_bytes(forger),
        lambda batch: Reply.refusing(keep.log, before, "go home", "P.004").to_bytes(CENTRE),
        lambda batch: Reply.refusing(other.log, batch, "go home", "P.004").to_bytes(CENTRE),
        lambda batch: Reply.to(keep.log, batch, {"message": "go home", "check": "P.004"}).to_bytes(CENTRE),
    ):
        wire = httpx.MockTransport(lambda request, said=said: httpx.Response(403, content=said(request.content)))
        link = Link(connect(keep, CLOCK, wire), CLOCK)
        assert not link.once()
        assert (link.status.check, keep.book.stopped, keep.book.told) == ("P.008", "", told)
    keep.close(), other.close()


def test_an_answer_that_comes_late_is_to_nothing_that_is_asked_now(tmp_path: Path) -> None:
    """The wire is slow: the machine gives up, sends the same events again, and the answer to the first batch comes."""
    late: list[bytes] = []
    centre = FakeCentre(lists())
    keep, _ = opened(centre, tmp_path)
    check_in(keep, 1)

    def slow(request: httpx.Request) -> httpx.Response:
        late.append(centre.handle(request.url.path, request.content)[1])
        if len(late) == 1:
            raise httpx.ReadTimeout("slow", request=request)
        return httpx.Response(200, content=late.pop(0))

    link = Link(connect(keep, CLOCK, httpx.MockTransport(slow)), CLOCK)
    waiting, lease = link.waiting, keep.book.lease
    for check in ("", "P.008", "P.008"):
        assert not link.once() and link.status.cut and link.status.check == check
        assert (link.waiting, keep.book.lease, keep.book.stopped) == (waiting, lease, "")
    link = link_of(keep, centre)
    assert not link.once() and not link.status.fault and link.waiting == 0
    keep.close()


def test_no_batch_waits_for_its_answer_while_a_machine_gives_its_word(tmp_path: Path) -> None:
    """Two tablets and the listener hurry the exchanges: each batch is answered before the next one goes, and before the word."""
    centre = FakeCentre(lists())
    keep, _ = opened(centre, tmp_path)
    asks = (Request("mark", UUID(int=0), 0, BOOKS),)
    busy, words = threading.Lock(), []

    def wire(request: httpx.Request) -> httpx.Response:
        assert busy.acquire(blocking=False), "two at once"
        try:
            time.sleep(0.002)
            if request.url.path.endswith("/question"):
                words.append(Question.from_bytes(request.content).body["mark"])
                reply = Reply.to(keep.log, request.content, {"whole": True})
                return httpx.Response(200, content=reply.to_bytes(CENTRE))
            said = Answer.of_centre(centre.handle(request.url.path, request.content)[1], keep.package.centre)
            return httpx.Response(200, content=replace(said, requests=asks).to_bytes(CENTRE))
        finally:
            busy.release()

    link = Link(connect(keep, CLOCK, httpx.MockTransport(wire)), CLOCK)
    hurried = [threading.Thread(target=lambda: [link.once() for _ in range(4)]) for _ in range(3)]
    for thread in hurried:
        thread.start()
    for thread in hurried:
        thread.join()
    assert words == ["mark"] * 12
    keep.close()


def test_a_reply_is_believed_only_to_its_own_question_and_by_the_centres_signature(tmp_path: Path) -> None:
    centre = FakeCentre(lists())
    (here, _), (there, _) = opened(centre, tmp_path, "1"), opened(centre, tmp_path, "2")
    heard: list[bytes] = []

    def listening(request: httpx.Request) -> httpx.Response:
        status, said = centre.handle(request.url.path, request.content)
        heard.append(said)
        return httpx.Response(status, content=said)

    asked = {"iin": person(1).iin}
    for keep in (here, there):
        assert connect(keep, CLOCK, httpx.MockTransport(listening)).question("find", asked)["home"] == "1"
    true = json.loads(heard[0])
    forger = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
    changed = canonical(true | {"said": true["said"] | {"home": "2"}})
    played = [
        *heard,
        changed,
        canonical(true["said"]),
        Reply(here.log, true["of"], "said", true["said"]).to_bytes(forger),
    ]
    for said in played:
        wire = connect(here, CLOCK, httpx.MockTransport(lambda request, said=said: httpx.Response(200, content=said)))
        with pytest.raises(NotTheCentre) as error:
            wire.question("find", asked)
        assert error.value.check == "P.008"
        with pytest.raises(NotTheCentre):
            wire.wait()
    here.close(), there.close()
