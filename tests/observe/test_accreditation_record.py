"""Decisions about organisations and what they send: each is one entry, and nothing goes in that a verifier would refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from accredited_world import ASKED, AT, CONTEST, KEYS, MISSION, POLL, World, world_of
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput
from dauys.observe.accreditation import api
from dauys.observe.accreditation.applications import (
    accredit,
    answer,
    applications_of,
    apply,
    get_application,
    judged,
    refuse,
    suspend,
)  # fmt: skip
from dauys.observe.accreditation.badge import VALID, commitment, look_at, read
from dauys.observe.accreditation.badges import issue, issued, suspend_badge
from dauys.observe.accreditation.known import Stored
from dauys.observe.accreditation.quota import QUOTA, Quota
from dauys.observe.accreditation.received import receive
from dauys.observe.sample.draw import seed_sha256
from dauys.record import log
from dauys.record.entry import sign_entry

pytestmark = pytest.mark.database
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
HASH = "ab" * 32


@pytest.fixture
def world(connection: sa.Connection) -> World:
    return world_of(connection)


def test_an_application_waits_with_its_day_and_is_accredited_once(world: World) -> None:
    number = world.apply()
    assert world.apply() == number  # the same form sent twice
    (waiting,) = applications_of(world.connection, POLL.id)
    assert waiting.asked == ASKED and waiting.due is not None and waiting.cite.startswith("Elections law 20-1")
    assert not waiting.overdue(world.now) and waiting.overdue(waiting.due)
    until = judged(POLL, waiting, world.now).until
    assert until == date(2025, 8, 20)
    place = accredit(world.connection, POLL, number, "qala", until, "named", "", "anna", KEYS.commission, world.now)
    entry = log.entry_at(world.connection, POLL.id, place)
    assert entry.id == "organisation/qala" and entry.body["key"] == ASKED.key and "contact" not in str(entry.body)
    assert entry.body["cite"].startswith("Elections law 20-1")  # the article of the rule, where the clerk names none
    assert (get_application(world.connection, number).state, get_application(world.connection, number).seq) == (
        "accredited",
        place,
    )
    with pytest.raises(BadInput, match=r"O\.003"):
        refuse(world.connection, POLL, number, [("x", "")], "anna", KEYS.commission, world.now)
    with pytest.raises(BadInput, match=r"O\.012"):
        world.accredited("qala")
    assert world.faults() == []


@pytest.mark.parametrize("until", [date(2024, 8, 19), date(2025, 8, 21)])
def test_an_accreditation_ends_neither_before_today_nor_after_the_laws_year(world: World, until: date) -> None:
    number = world.apply()
    with pytest.raises(BadInput, match=r"O\.004.*2025-08-20"):
        accredit(world.connection, POLL, number, "q", until, "named", "", "anna", KEYS.commission, world.now)


def test_the_law_holds_the_commission_too(world: World) -> None:
    number = world.apply(charter="")
    with pytest.raises(BadInput, match=r"O\.004"):
        accredit(world.connection, POLL, number, "q", AT.date(), "because", "", "anna", KEYS.commission, world.now)
    with pytest.raises(BadInput, match=r"O\.005"):
        refuse(world.connection, POLL, number, [(" ", "20-1")], "anna", KEYS.commission, world.now)
    refuse(
        world.connection,
        POLL,
        number,
        [("no word of observing", "Elections law 20-1")],
        "anna",
        KEYS.commission,
        world.now,
    )
    assert world.kinds()[-1] == "organisation-refused" and world.faults() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "state"}, "kind"), ({"names": {}}, "names"), ({"names": {"en": "x" * 401}}, "names"),
        ({"scope": ("nowhere",)}, "scope"), ({"key": "AAAA"}, "key"), ({"charter": "x" * 2001}, "charter"),
        ({"coalition": "No Code"}, "coalition"),
    ],
)  # fmt: skip
def test_a_form_that_is_wrong_is_refused_whole(world: World, change: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput, match=r"O\.001") as fault:
        apply(world.connection, POLL, replace(ASKED, **change), b"x", world.now)  # type: ignore[arg-type]
    assert fault.value.field == field
    assert applications_of(world.connection, POLL.id) == []


def test_nobody_writes_into_the_record_as_the_commission(world: World) -> None:
    """Its entries enter at the desk, under its key: one that only says so would stand there, unsigned, for ever."""
    world.accredited()
    size = len(world.kinds())
    audit = world.entry("observer-audit", "commission/q1/1", contest="q1", name="a", method="m", plan={}, result={})
    forged = replace(audit, by="commission", body={**audit.body, "organisation": "commission", "seed": "x"}, sig=None)
    with pytest.raises(BadInput, match=r"O\.007.*organisation/CODE"):
        receive(world.connection, POLL, forged.to_bytes(), world.now)
    assert len(world.kinds()) == size


@pytest.mark.parametrize("station", ["\0", "s1\0"])
def test_a_nul_is_refused_before_the_database(world: World, station: str) -> None:
    world.accredited()
    seen = world.observed(None, station=station, yes=(1, None))
    with pytest.raises(BadInput, match=r"O\.007"):
        receive(world.connection, POLL, seen.to_bytes(), world.now)


def test_a_mission_sends_its_sample_its_seed_what_it_saw_and_its_report(world: World) -> None:
    world.accredited()
    sample = world.entry(
        "observer-sample", "qala/1", frame_sha256=HASH, record_size=0, design={"n": 1}, stations=1,
        commitment=seed_sha256("quiet rivers"),
    )  # fmt: skip
    place, new = receive(world.connection, POLL, sample.to_bytes(), world.now)
    assert new and receive(world.connection, POLL, sample.to_bytes(), world.now) == (place, False)
    of = world.protocol()
    seed = world.entry("observer-seed", "qala/1", of=place, seed="loud rivers")
    with pytest.raises(BadInput, match=r"O\.008.*committed"):
        receive(world.connection, POLL, seed.to_bytes(), world.now)
    seed = world.entry("observer-seed", "qala/1", of=place, seed="quiet rivers")
    assert receive(world.connection, POLL, seed.to_bytes(), world.now)[1]
    with pytest.raises(BadInput, match=r"O\.008.*says otherwise: yes"):
        receive(world.connection, POLL, world.observed(of, yes=(490, 501)).to_bytes(), world.now)
    seen, _ = receive(world.connection, POLL, world.observed(of, yes=(490, 500)).to_bytes(), world.now)
    with pytest.raises(BadInput, match=r"O\.008"):
        answer(world.connection, POLL, seen, "corrected", of, "x", KEYS.commission, world.now)
    answer(world.connection, POLL, seen, "open", None, "the station is asked", KEYS.commission, world.now)
    answer(world.connection, POLL, seen, "stands", None, "the paper says 500", KEYS.commission, world.now)
    report = world.entry("observer-report", "qala/1", sha256=HASH, title="Seen", log_size=3, log_head=HASH)
    assert receive(world.connection, POLL, report.to_bytes(), world.now)[1]
    assert world.faults() == []


def test_nobody_else_sends(world: World) -> None:
    world.accredited()
    report = {"sha256": HASH, "title": "Seen", "log_size": 3, "log_head": HASH}
    for key, code in ((OTHER, "qala"), (MISSION, "nobody")):
        forged = world.entry("observer-report", f"{code}/1", key, code, **report)
        with pytest.raises(BadInput, match=r"O\.006"):
            receive(world.connection, POLL, forged.to_bytes(), world.now)
    suspend(world.connection, POLL, "qala", True, "a breach", "Elections law 20-1", KEYS.commission, world.now)
    mine = world.entry("observer-report", "qala/1", **report).to_bytes()
    with pytest.raises(BadInput, match=r"O\.006.*suspended"):
        receive(world.connection, POLL, mine, world.now)
    with pytest.raises(BadInput, match=r"O\.008"):
        suspend(world.connection, POLL, "qala", True, "again", "", KEYS.commission, world.now)
    suspend(world.connection, POLL, "qala", False, "the court", "", KEYS.commission, world.now)
    assert receive(world.connection, POLL, mine, world.now)[1]
    other = world.entry("observer-report", "qala/1", **(report | {"title": "Other"})).to_bytes()
    with pytest.raises(BadInput, match=r"O\.009"):
        receive(world.connection, POLL, other, world.now)
    world.now = AT + timedelta(days=366)  # a year is over: its signature is good, its time is not
    late = world.entry("observer-report", "qala/2", **report).to_bytes()
    with pytest.raises(BadInput, match=r"O\.006.*ended"):
        receive(world.connection, POLL, late, world.now)
    with pytest.raises(BadInput, match=r"O\.007.*clock"):
        receive(world.connection, POLL, late, AT)
    assert world.faults() == []


def test_the_address_answers_as_the_contract_says(world: World) -> None:
    world.accredited()
    site = world.site(api.router(world.engine, lambda: world.now))
    path = f"/api/polls/{POLL.id}/observers/entries"
    entry = world.entry("observer-report", "qala/1", sha256=HASH, title="Seen", log_size=3, log_head=HASH)
    first = site.post(path, entry.to_bytes())
    assert first.status_code == 201
    again = site.post(path, entry.to_bytes())
    assert (again.status_code, again.json()) == (200, first.json())
    other = sign_entry(replace(entry, body={**entry.body, "title": "Other"}), MISSION)
    answers = {
        409: other, 403: world.entry("observer-report", "x/1", MISSION, "x", **{**entry.body, "organisation": "x"}),
        422: world.entry("observer-report", "qala/2", title="no hash"),
    }  # fmt: skip
    for status, sent in answers.items():
        said = site.post(path, sent.to_bytes())
        assert said.status_code == status, said.text
        assert said.json()["error"]["check"].startswith("O.00")
    assert site.post(path, b"not an entry").status_code == 422
    assert site.post(path, b" " * 70_000).status_code == 413
    assert site.post("/api/polls/kz/none/observers/entries", entry.to_bytes()).status_code == 404
    assert world.kinds().count("observer-report") == 1


def test_badges_are_numbered_signed_and_suspended_without_a_name(world: World) -> None:
    world.accredited()
    texts = issue(
        world.connection, POLL, "qala", [("Әлия Нұрланқызы", ""), ("Борис", "s1")], "anna", KEYS.commission, world.now
    )
    texts += issue(world.connection, POLL, "qala", [("Вера", "")], "anna", KEYS.commission, world.now)
    assert [one.number for one in issued(world.connection, POLL.id, "qala")] == ["qala/1", "qala/2", "qala/3"]
    assert [one.commitment for one in issued(world.connection, POLL.id, "qala")] == [
        commitment(read(text)[0]) for text in texts
    ]
    public = KEYS.commission.public_key().public_bytes_raw()
    assert all(look_at(text, POLL.id, public, {}, {}, POLL.day).state == VALID for text in texts)
    suspend_badge(world.connection, POLL, "qala", 2, True, "lost", "", KEYS.commission, world.now)
    now = Stored(world.connection, POLL).register
    states = [look_at(text, POLL.id, public, now.badges, {}, POLL.day).state for text in texts]
    assert states == ["valid", "suspended", "valid"]
    kept = str(world.connection.execute(sa.text("SELECT * FROM observer_badge")).all())
    kept += "".join(data.decode() for _, data in log.read(world.connection, POLL.id))
    assert "Нұрланқызы" not in kept and "Борис" not in kept and "qala/2" not in kept
    for people in ([], [("", "")], [("x", "nowhere")], [("x", "")] * 201):
        with pytest.raises(BadInput, match=r"O\.013"):
            issue(world.connection, POLL, "qala", people, "anna", KEYS.commission, world.now)
    with pytest.raises(BadInput, match=r"O\.006"):
        issue(world.connection, POLL, "nobody", [("x", "")], "anna", KEYS.commission, world.now)
    assert world.faults() == []


def test_a_coalition_works_under_one_mission(world: World) -> None:
    world.accredited()
    world.accredited("dala", coalition="qala", key="")
    with pytest.raises(BadInput, match=r"O\.008.*coalition"):
        world.accredited("third", coalition="none", key="")
    entry = world.entry("observation", f"dala/{CONTEST}/s1/1", MISSION, "dala", contest=CONTEST, station="s1", of=None, fields={},
                        photos=[], note="x")  # fmt: skip
    with pytest.raises(BadInput, match=r"O\.006.*no key"):  # the leading organisation speaks for all of them
        receive(world.connection, POLL, entry.to_bytes(), world.now)
    assert receive(world.connection, POLL, world.observed(None, yes=(1, None)).to_bytes(), world.now)[1]
    assert world.faults() == []


def test_an_organisation_speaks_of_its_own_territory_only(world: World) -> None:
    world.accredited(scope=(POLL.areas[0].code,))
    assert receive(world.connection, POLL, world.observed(None, yes=(1, None)).to_bytes(), world.now)[1]
    with pytest.raises(BadInput, match=r"O\.006.*not accredited in"):
        receive(world.connection, POLL, world.observed(None, 1, "s2", yes=(1, None)).to_bytes(), world.now)


def test_a_signature_is_looked_at_before_anything_is_locked(world: World) -> None:
    """Whoever has no key keeps nobody waiting, and nothing but the one entry of the accreditation is read for him."""
    world.accredited()
    statements: list[str] = []
    sa.event.listen(world.connection, "before_cursor_execute", lambda *said: statements.append(said[2]))
    mine = world.entry("observer-report", "qala/1", sha256=HASH, title="Seen", log_size=3, log_head=HASH)
    refused = {
        "signature": replace(mine, body={**mine.body, "title": "Other"}), "not valid": sign_entry(mine, OTHER),
        "not valid ": replace(mine, sig=None), "no organisation": world.entry("observer-report", "x/1", MISSION, "x"),
    }  # fmt: skip
    for why, entry in refused.items():
        statements.clear()
        with pytest.raises(BadInput, match=rf"O\.006.*{why.strip()}|{why.strip()}.*O\.006"):
            receive(world.connection, POLL, entry.to_bytes(), world.now)
        assert not any("FOR UPDATE" in text or "INSERT" in text for text in statements) and len(statements) <= 2
    assert receive(world.connection, POLL, mine.to_bytes(), world.now)[1]
    assert any("FOR UPDATE" in text for text in statements)


def test_an_organisation_sends_so_much_and_no_more(world: World) -> None:
    world.accredited()
    page = (Path(__file__).parents[2] / "docs/observers.md").read_text(encoding="utf-8")
    said = f"| entries | {QUOTA.entries_a_day:,}, and {QUOTA.bytes_a_day >> 20} MiB of them | {QUOTA.entries:,} |"
    assert said in page and f"| {QUOTA.photos:,}, and {QUOTA.photo_bytes >> 30} GiB of them |" in page
    small = Quota(entries_a_day=2, bytes_a_day=3_000, entries=3)

    def send(n: int, title: str = "Seen") -> bool:
        entry = world.entry("observer-report", f"qala/{n}", sha256=HASH, title=title, log_size=3, log_head=HASH)
        return receive(world.connection, POLL, entry.to_bytes(), world.now, small)[1]

    with pytest.raises(BadInput, match=r"O\.080.*MiB of entries on 2024-08-20.*tomorrow"):
        for n in range(1, 4):
            send(n, "x" * 1_400)
    assert send(2)
    with pytest.raises(BadInput, match=r"O\.080.*at most 2 entries on 2024-08-20"):
        send(3)
    assert not send(2)  # what stands there already may be asked for again
    world.tick(days=1)
    assert send(3)
    with pytest.raises(BadInput, match=r"O\.080.*at most 3 entries in this poll.*ask the commission"):
        send(4)
    site = world.site(api.router(world.engine, lambda: world.now, small))
    late = world.entry("observer-report", "qala/4", sha256=HASH, title="Seen", log_size=3, log_head=HASH)
    said = site.post(f"/api/polls/{POLL.id}/observers/entries", late.to_bytes())
    assert said.status_code == 429 and said.json()["error"]["check"] == "O.080"
    assert world.kinds().count("observer-report") == 3 and world.faults() == []
