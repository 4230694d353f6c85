"""Do the pages of indicators, audit and report say what the record and the log say, with each number's trace?"""

from __future__ import annotations

import csv
import json
import re
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from compared_world import CONTEST, World, fetch_of_files, protocol
from reported_world import LATE, PAGES, Night

from dauys.errors import BadInput, DauysError
from dauys.observe.audit import macro, sheets
from dauys.observe.indicators.report import Options, report
from dauys.observe.known.model import MissionError
from dauys.observe.report import paper, report_pages
from dauys.observe.report.audit_state import Frozen, _frozen, frozen, state_of
from dauys.observe.report.background import Background
from dauys.observe.report.contests import chosen_contest
from dauys.observe.report.counts_of import counts_of
from dauys.observe.report.figures import chance, decimal, share
from dauys.observe.report.gather import gather
from dauys.observe.report.labels import labels
from dauys.observe.report.limits import limits
from dauys.record.merkle import leaf_hash

SEED = "4 6 1 1 3 5 2 6 6 2"


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def test_indicators_of_the_record_are_kept_with_their_event(night: Night) -> None:
    assert night.model("/indicators")["made"] is None
    assert night.act("/indicators", act="record") == f"/indicators?of={CONTEST}"
    model = night.model("/indicators")
    contest = chosen_contest(night.official.poll, "")
    wanted = report(counts_of(night.official, contest), Options(draws=0)).body
    found = model["answer"]
    assert (
        found["stations"] == 204
        and found["indicators"]["fingerprint"]["log_rate"] == wanted["indicators"]["fingerprint"]["log_rate"]
    )
    assert found["made_of"]["record_size"] == night.official.size and found["made_of"]["root"] == night.official.root
    event = night.book.events()[found["event"]]
    assert event.kind == "note" and event.body["sha256"] == found["made_of"]["sha256"]
    path = night.book.folder / "indicators" / f"{event.body['sha256']}.json"
    assert sha256(path.read_bytes()).hexdigest() == event.body["sha256"]
    assert [card["id"] for card in model["cards"]][:3] == ["arithmetic", "fingerprint", "integers"] and not model[
        "stale"
    ]
    page = night.html("/indicators", lang="kk")
    assert (
        page.count("<svg") == 2
        and 'aria-labelledby="own-t own-d"' in page
        and 'aria-labelledby="clean-t clean-d"' in page
    )
    night.world.correct("KZ11-0001", yes=1)
    night.official = night.world.official(night.official)
    assert night.model("/indicators")["stale"]


def test_indicators_of_a_table(night: Night, tmp_path: Path) -> None:
    path = tmp_path / "sent.csv"
    path.write_text("uik,in_box,yes\n" + "".join(f"{n},{200 + n},{100 + n % 9}\n" for n in range(60)))
    visit = night.visit(
        "/indicators", {"act": "file", "columns": "station=uik,cast=in_box,yes=yes"}, files={"table": path}
    )
    assert PAGES["/indicators"].act(visit) == "/indicators?of=file"
    found = night.model("/indicators", "of=file")
    assert found["answer"]["stations"] == 60 and found["pictures"] == []
    assert found["answer"]["made_of"]["file_sha256"] == sha256(path.read_bytes()).hexdigest()
    path.write_text("uik,in_box,yes\n1,many,3\n")
    with pytest.raises(BadInput, match="whole number"):
        PAGES["/indicators"].act(visit)
    with pytest.raises(BadInput, match="no file"):
        night.act("/indicators", act="file")


def test_an_audit_from_its_seed_to_its_entry(night: Night) -> None:
    with pytest.raises(MissionError, match="commit"):
        night.act("/audit", act="draw", risk="1/20")
    with pytest.raises(BadInput, match="too short"):
        night.act("/audit", act="commit", seed="6 6 6")
    night.act("/audit", act="commit", seed=SEED)
    assert SEED not in json.dumps([dict(one.body) for one in night.book.events()])
    assert night.sent[-1][1]["commitment"] == sha256(SEED.encode()).hexdigest()
    with pytest.raises(MissionError, match="already"):
        night.act("/audit", act="commit", seed=SEED)
    night.act("/audit", act="draw", risk="1/20")
    name, body = night.sent[-1]
    assert (
        name == f"observer-audit/echo/{CONTEST}/2"
        and body["seed"] == SEED
        and body["plan"]["record_size"] == night.official.size
    )
    state = state_of(night.book, CONTEST)
    assert state.plan is not None
    results = frozen(night.book, state.plan["results_sha256"])
    with (night.book.folder / "audit" / f"{state.plan['results_sha256']}.csv").open() as file:
        rows = {row["station"]: row for row in csv.DictReader(file)}
    assert len(rows) == 204 and all(
        int(row["entry"]) == night.official.protocols[CONTEST, one].index for one, row in rows.items()
    )
    draws = state.plan["stations"]["*"]
    for station in state.drawn:
        page = night.html("/audit/count", f"of={CONTEST}&station={station}")
        assert "In the record" not in page and f"{protocol(night.world.stations[station])['yes']:,}" not in re.sub(
            r"[0-9a-f]{40,}", "", page
        )
        night.recount(station)
    shown = night.model("/audit")["shown"]
    assert shown["outcome"] == "confirmed" and shown["done"] == len(state.drawn)
    bound = sum(_bounds(results).values())
    answer = night.model("/audit")["answer"]["contests"][0]
    assert answer["p_value"] == pytest.approx(float((1 - 1 / bound) ** len(draws)))
    night.act("/audit", act="record")
    assert night.sent[-1][1]["result"]["outcome"] == "confirmed" and night.model("/audit")["shown"]["recorded"]
    with pytest.raises(BadInput, match="not drawn"):
        night.recount(next(one for one in night.official.stations if one not in state.drawn))
    with pytest.raises(BadInput, match="reason"):
        night.recount(state.drawn[0])


def test_an_audit_that_goes_on_keeps_its_first_draws(night: Night) -> None:
    night.act("/audit", act="commit")
    night.act("/audit", act="draw", risk="1/100")
    first = state_of(night.book, CONTEST)
    assert first.plan is not None
    with pytest.raises(MissionError, match="recounted"):
        night.act("/audit", act="next")
    for number, station in enumerate(first.drawn):
        night.recount(station, yes=-99 if number == 0 else 0, no=99 if number == 0 else 0)
    shown = night.model("/audit")["shown"]
    assert shown["outcome"] == "go-on" and shown["can_go_on"] and shown["contests"][0]["more"] > 0
    night.act("/audit", act="next")
    second = state_of(night.book, CONTEST)
    assert second.plan is not None and len(second.rounds) == 2
    before, after = first.plan["stations"]["*"], second.plan["stations"]["*"]
    assert after[: len(before)] == before and len(after) > len(before)
    results = frozen(night.book, first.plan["results_sha256"])
    assert after == macro.draw(_bounds(results), second.plan["plan"]["seed"], len(after))
    path = night.book.folder / "audit" / f"{first.plan['results_sha256']}.csv"
    _frozen.cache_clear()
    path.write_bytes(path.read_bytes().replace(b"KZ11-0001", b"KZ11-0009", 1))
    with pytest.raises(BadInput, match="changed"):
        night.model("/audit")


def test_what_the_record_refuses_is_sent_again_in_its_order(night: Night) -> None:
    send = night.office.send

    def refuse(kind: str, name: str, body: object) -> int:
        raise MissionError("echo is not accredited")

    night.office.send = refuse
    night.act("/audit", act="commit", seed=SEED)
    night.act("/audit", act="draw", risk="1/20")
    assert night.sent == [] and night.model("/audit")["stage"] == "plan"
    assert [one["why"] for one in night.model("/audit")["unsent"]] == ["echo is not accredited"] * 2
    assert "not accredited" in night.html("/audit") and gather(night.office, LATE)["waiting"] == 2
    night.office.send = send
    night.act("/audit", act="again")
    assert [name for name, _ in night.sent] == [f"observer-audit/echo/{CONTEST}/{n}" for n in (1, 2)]
    assert "commitment" in night.sent[0][1] and "seed" in night.sent[1][1] and not night.model("/audit")["unsent"]


def _bounds(results: Frozen) -> dict[str, Fraction]:
    """The most that each station can hide for "yes > half", from its definition: (2 yes - cast + cast) / margin."""
    margin = sum(2 * one.yes - one.cast for one in results.stations)
    return {one.id: Fraction(2 * one.yes, margin) for one in results.stations}


def test_counts_that_do_not_add_up_are_refused(night: Night) -> None:
    night.act("/audit", act="commit", seed=SEED)
    night.act("/audit", act="draw", risk="1/20")
    station = state_of(night.book, CONTEST).drawn[0]
    typed = {"n-yes": "5", "n-no": "1", "n-invalid": "0", "n-not_counted": "0", "n-all": "7"}
    with pytest.raises(BadInput, match="add up"):
        night.act("/audit/count", station=station, **typed)
    assert not state_of(night.book, CONTEST).counts


def test_sheets_do_not_say_what_was_announced(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "browser", lambda: None)
    night.act("/audit", act="commit", seed=SEED)
    night.act("/audit", act="draw", risk="1/20")
    answer = PAGES["/audit/sheets"].act(night.visit("/audit/sheets", query="boards=2"))
    page = bytes(answer.body).decode()  # type: ignore[union-attr]
    drawn = state_of(night.book, CONTEST).drawn
    assert all(f"<h2>{one}</h2>" in page for one in drawn) and page.count("<h2>") == len(drawn)
    counts = {str(protocol(night.world.stations[one])["participated"]) for one in drawn}
    assert not counts & set(re.findall(r">(\d+)<", page))


def test_every_number_of_the_report_leads_somewhere(night: Night) -> None:
    night.act("/indicators", act="record")
    night.act("/audit", act="commit", seed=SEED)
    night.act("/audit", act="draw", risk="1/20")
    body = gather(night.office, LATE)
    events = night.book.events()
    assert body["log"] == {"size": len(events), "head": night.book.head()}
    assert body["observed"]["stages"]["planned"] == 51 and body["observed"]["stages"]["verified"] == 46
    (contest,) = body["contests"]
    copies = [events[n] for n in contest["estimates"][0]["trace"]["events"]]
    assert len(copies) == 46 and all(one.kind == "report" and one.body["form"] == "protocol" for one in copies)
    stations = {one.body["station"]: one.body["values"] for one in copies}
    apart = {one["station"]: one for one in contest["comparison"]["differences"] if one["fields"]}
    assert (
        set(apart) == {night.differs}
        and apart[night.differs]["fields"]["yes"]["copy"] == stations[night.differs]["yes"]
    )
    place = apart[night.differs]["of"]
    assert json.loads(night.world.entries[place])["body"]["station"] == night.differs
    assert contest["audit"]["rounds"][0]["event"] == next(
        one.n for one in events if one.kind == "audit" and "plan" in one.body
    )
    assert contest["indicators"]["trace"]["events"] == [next(one.n for one in events if one.kind == "note")]
    assert body["design"]["sample"]["seed"] is None  # not revealed in the record: not in the report
    names = {one["name"] for one in body["limits"]}
    assert {"limit_missing", "limit_seed", "limit_accredited", "limit_reconstruction", "limit_declared"} <= names
    assert names <= labels().keys() and "limit_no_audit" not in names
    json.dumps(body, allow_nan=False)


def test_the_report_as_a_page_and_as_a_file(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "browser", lambda: None)
    for lang, word in (("en", "What was observed"), ("ru", "Выбрано"), ("kk", "Іріктелген")):
        page = night.html("/report", lang=lang)
        assert word in page and night.differs in page and night.official.root in page and "<svg" in page
    with pytest.raises(BadInput, match="Chromium"):
        night.model("/report.pdf")
    night.act("/report")
    (name, entry) = night.sent[-1]
    assert name == "observer-report/echo/1" and entry["log_size"] == len(night.book.events()) - 2
    _, data, kind = paper.kept_file(night.book, entry["sha256"])
    assert kind == "application/json" and sha256(data).hexdigest() == entry["sha256"]
    assert json.loads(data)["record"]["root"] == night.official.root
    assert night.model("/report")["kept"][0].body["sha256"] == {"json": entry["sha256"]}
    with pytest.raises(BadInput, match="no report"):
        night.model("/report/kept", "sha256=" + "0" * 64)


def test_what_is_printed_needs_nothing_from_anywhere(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "browser", lambda: "a browser")
    printed: list[str] = []

    def pdf(page: Path) -> Path:
        printed.append(page.read_text("utf-8"))
        return page

    monkeypatch.setattr(sheets, "pdf", pdf)
    night.act("/report")
    assert len(printed) == 1 and "/static/" not in printed[0] and "table.data" in printed[0] and "<form" in printed[0]
    hashes = {entry["sha256"] for _, entry in night.sent}
    assert sha256(printed[0].encode()).hexdigest() in hashes and len(hashes) == 2


def test_events_and_entries_are_shown_as_they_are(night: Night) -> None:
    report_event = next(one for one in night.book.events() if one.kind == "report")
    assert json.loads(night.model("/report/event", f"n={report_event.n}")["text"]) == dict(report_event.body)
    place = night.official.protocols[CONTEST, night.differs].index
    model = night.model("/report/entry", f"n={place}")
    assert (
        model["leaf"] == leaf_hash(night.world.entries[place]).hex() and json.loads(model["text"])["kind"] == "protocol"
    )
    assert night.differs in night.html("/report/entry", f"n={place}")
    for wrong in ("", "-1", "99999999", "1e3", "²"):
        with pytest.raises(BadInput, match="no such place"):
            night.model("/report/entry", f"n={wrong}")


def test_an_entry_is_held_to_the_root_that_was_read(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source says something else now, at the same place: it is not shown as the record's."""
    place = night.official.protocols[CONTEST, night.differs].index
    lie = night.world.entries[place].replace(night.differs.encode(), b"KZ00-9999")
    entries = [*night.world.entries]
    entries[place] = lie
    liar = World(1)
    liar.entries = entries
    for files in (liar.files(), night.world.files() | {n: d for n, d in liar.files().items() if "entries" in n}):
        monkeypatch.setattr(report_pages, "fetch_of", lambda source, files=files: fetch_of_files(files))
        with pytest.raises(DauysError, match="does not stand under the root"):
            night.model("/report/entry", f"n={place}")
    assert night.model("/report/entry", "n=0")["kind"] == "poll"


def test_a_commitment_after_the_first_protocol_is_no_commitment_before_the_count() -> None:
    body: dict[str, Any] = {
        "poll": {"reconstruction": False}, "mission": {"accredited": 2}, "record": {"declared": True}, "waiting": 0,
        "observed": {"stages": {"planned": 5, "verified": 5}, "forms": []}, "contests": [],
        "design": {
            "sample": {"detects": {}, "population": 9}, "committed": 40, "revealed": 41, "first_protocol": 12,
        },
    }  # fmt: skip
    found = {one["name"]: one for one in limits(body)}
    assert {"limit_late_commitment", "limit_own_seed"} <= found.keys()
    for lang in ("kk", "ru", "en"):
        said = report_pages.limit_text(found["limit_late_commitment"], lang)
        assert "40" in said and "12" in said
    for first in (41, None):
        body["design"]["first_protocol"] = first
        assert "limit_late_commitment" not in {one["name"] for one in limits(body)}


def test_the_report_knows_where_the_commitment_and_the_first_protocol_stand(night: Night) -> None:
    first = min(night.world.held.values())
    assert gather(night.office, LATE)["design"]["first_protocol"] == first
    night.world.correct(next(name for name, place in night.world.held.items() if place == first), yes=-1, no=1)
    place = night.world.say(
        "observer-sample", "observer-sample/echo/1", {"organisation": "echo", "commitment": "00" * 32}
    )
    night.official = night.world.official()
    body = gather(night.office, LATE)
    assert (body["design"]["first_protocol"], body["design"]["committed"]) == (first, place)
    assert "limit_late_commitment" in {one["name"] for one in body["limits"]}


def test_work_beside_the_pages_is_done_once_and_says_why_it_failed() -> None:
    works, done = Background(), []
    works.start("a", lambda: done.append(1))
    assert done == [1] and not works.running("a") and works.fault("a") == ""

    def fails() -> None:
        raise BadInput("the disk is full")

    works.start("a", fails)
    assert works.fault("a") == "the disk is full"


def test_numbers_in_three_languages() -> None:
    assert decimal(-1234.5, "en") == "\N{MINUS SIGN}1,234.50" and decimal(1234.5, "ru", 1) == "1\N{NO-BREAK SPACE}234,5"
    assert share(Fraction(6163516, 7985769), "kk") == "77,18\N{NO-BREAK SPACE}%" and share(0.5, "en") == "50.00%"
    assert (
        chance(0.00001, "en") == "<\N{NO-BREAK SPACE}0.0001"
        and decimal(None, "en") == decimal(float("nan"), "ru") == "–"
    )
    assert decimal(-0.0001, "en") == "0.00"
