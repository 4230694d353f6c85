"""Intake in the database: what is accepted, held, refused and replayed; nothing doubled, nothing half-written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sample_stations import AT, GOOD, batch, labels, open_sample, sample_poll

from dauys.errors import BadInput
from dauys.law.form import Field, Form
from dauys.polls.opening import FORM_BYTES
from dauys.record.entry import MAX_ENTRY_BYTES, Entry, sign_entry
from dauys.record.log import append, entry_at, size
from dauys.registers.poll import Poll
from dauys.stations.batch import Batch
from dauys.stations.intake import annul, correct, receive, report_turnout
from dauys.stations.overview import outliers, raised
from dauys.stations.readers import read_protocols
from dauys.stations.stated import LONGEST_REASON
from dauys.stations.turnout import Reports

pytestmark = pytest.mark.database
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def poll(connection: sa.Connection) -> Poll:
    poll = sample_poll()
    open_sample(connection, poll, keys={"s5": KEY.public_key().public_bytes_raw()})
    return poll


def send(connection: sa.Connection, poll: Poll, given: Batch, at: str = AT) -> list[Any]:
    return receive(connection, poll, given, by="clerk", at=at)


def check_of(call: Any) -> str | None:
    with pytest.raises(BadInput) as caught:
        call()
    return caught.value.check


def stored(connection: sa.Connection, station: str) -> Any:
    return connection.execute(
        sa.text("SELECT state, version, seq, values AS given, checks FROM protocol WHERE station = :s"), {"s": station}
    ).one()


def test_good_and_faulty_protocols_are_stored_and_entered(connection: sa.Connection, poll: Poll) -> None:
    faulty = GOOD | {"yes": 501}
    receipts = send(connection, poll, batch({"s0": GOOD, "s1": faulty}))
    assert [(r.state, r.checks) for r in receipts] == [("accepted", ()), ("quarantined", ("F.101",))]
    assert stored(connection, "s1").given == faulty and stored(connection, "s1").checks == ["F.101"]
    entry = entry_at(connection, poll.id, receipts[1].seq)
    assert (entry.id, entry.checks, entry.body["values"]) == ("protocol/q1/s1", ("F.101",), faulty)


def test_a_replay_gives_the_same_receipt_and_doubles_nothing(connection: sa.Connection, poll: Poll) -> None:
    first = send(connection, poll, batch({"s0": GOOD, "s1": GOOD | {"yes": 501}}))
    before = size(connection, poll.id)
    again = send(
        connection, poll, batch({"s1": GOOD | {"yes": 501}, "s2": GOOD, "s0": GOOD}), "2022-06-05T23:00:00+06:00"
    )
    assert [again[2], again[0]] == first and again[0].replayed and not again[1].replayed
    assert size(connection, poll.id) == before + 1
    correct(connection, poll, contest=None, station="s1", after=GOOD, reason="typing error", by="clerk", at=AT)
    assert send(connection, poll, batch({"s1": GOOD | {"yes": 501}})) == [first[1]]


def test_other_numbers_for_the_same_station_are_refused_whole(connection: sa.Connection, poll: Poll) -> None:
    send(connection, poll, batch({"s0": GOOD}))
    before = size(connection, poll.id)
    with pytest.raises(BadInput) as caught:
        send(connection, poll, batch({"s1": GOOD, "s0": GOOD | {"no": 149, "invalid": 31}}))
    fault = caught.value
    assert (fault.check, fault.row, fault.field, fault.found) == ("F.025", 2, "no", "149")
    assert size(connection, poll.id) == before


@pytest.mark.parametrize(
    ("rows", "check", "row"),
    [
        ({"s0": GOOD, "x9": GOOD}, "F.020", 2),
        ({"s0": GOOD | {"yes": -1}}, "F.014", 1),
        ({"s0": GOOD | {"yes": 10**9 + 1}}, "F.015", 1),
        ({"s0": GOOD | {"maybe": 1}}, "F.035", 1),
        ({"s0": {"yes": 1}}, "F.011", 1),
    ],
)
def test_faults(connection: sa.Connection, poll: Poll, rows: dict[str, dict[str, int]], check: str, row: int) -> None:
    with pytest.raises(BadInput) as caught:
        send(connection, poll, batch(rows))
    assert (caught.value.check, caught.value.row) == (check, row)


def test_a_station_twice_a_bad_time_and_no_record(connection: sa.Connection, poll: Poll) -> None:
    twice = batch({"s0": GOOD, "s1": GOOD})
    assert check_of(lambda: send(connection, poll, replace(twice, stations=["s0", "s0"]))) == "F.021"
    assert check_of(lambda: send(connection, poll, batch({"s0": GOOD}, at=["yesterday"]))) == "F.027"
    assert check_of(lambda: send(connection, poll, batch({"s0": GOOD}, at=["2022-06-05T21:00:00"]))) == "F.027"


def test_a_closed_poll_takes_no_new_protocol_but_knows_the_old_ones(connection: sa.Connection, poll: Poll) -> None:
    first = send(connection, poll, batch({"s0": GOOD}))
    append(connection, poll.id, [Entry(poll.id, "closing", "closing", AT, "commission", {})])
    assert check_of(lambda: send(connection, poll, batch({"s1": GOOD}))) == "F.024"
    assert send(connection, poll, batch({"s0": GOOD})) == first
    changed = GOOD | {"yes": 499, "no": 151}
    receipt = correct(connection, poll, contest="q1", station="s0", after=changed, reason="recount", by="clerk", at=AT)
    assert receipt.state == "accepted"


def test_signatures_of_stations(connection: sa.Connection, poll: Poll) -> None:
    body = {"contest": "q1", "station": "s5", "values": GOOD}
    signed = sign_entry(Entry(poll.id, "protocol", "protocol/q1/s5", AT, "s5", body), KEY)
    good = batch({"s5": GOOD}, at=[AT], by=["s5"], sig=[signed.sig])
    assert (
        check_of(lambda: send(connection, poll, batch({"s5": GOOD | {"yes": 499}}, at=[AT], sig=[signed.sig])))
        == "F.026"
    )
    assert check_of(lambda: send(connection, poll, replace(good, sig=["AAAA"]))) == "F.026"
    assert check_of(lambda: send(connection, poll, replace(good, by=["someone"]))) == "F.026"
    assert check_of(lambda: send(connection, poll, batch({"s0": GOOD}, at=[AT], sig=[signed.sig]))) == "F.026"
    (receipt,) = send(connection, poll, good)
    assert receipt.checks == () and entry_at(connection, poll.id, receipt.seq).sig == signed.sig


def test_a_station_with_a_key_that_does_not_sign_is_taken_with_a_warning(connection: sa.Connection, poll: Poll) -> None:
    (receipt,) = send(connection, poll, batch({"s5": GOOD}))
    assert (receipt.state, receipt.checks) == ("accepted", ("W.109",))


def test_a_correction_leaves_quarantine_keeps_every_version_and_checks_its_station_only(
    connection: sa.Connection, poll: Poll
) -> None:
    faulty = GOOD | {"yes": 501}
    first, _ = send(connection, poll, batch({"s0": faulty, "s1": faulty}))
    receipt = correct(
        connection, poll, contest=None, station="s0", after=GOOD, before=faulty, of=first.seq, reason="typing error",
        by="clerk", at=AT,
    )  # fmt: skip
    assert (receipt.state, receipt.checks) == ("accepted", ())
    assert (stored(connection, "s0").version, stored(connection, "s1").state) == (1, "quarantined")
    entry = entry_at(connection, poll.id, receipt.seq)
    assert entry.id == "correction/q1/s0/1"
    assert entry.body == {
        "station": "s0", "contest": "q1", "of": first.seq, "before": faulty, "after": GOOD, "reason": "typing error"
    }  # fmt: skip
    assert entry_at(connection, poll.id, first.seq).body["values"] == faulty


def test_corrections_sent_again_in_order_give_the_same_receipts(connection: sa.Connection, poll: Poll) -> None:
    send(connection, poll, batch({"s0": GOOD}))
    steps = [GOOD | {"yes": 499, "no": 151}, GOOD | {"yes": 498, "no": 152, "invalid": 31}]

    def run() -> list[Any]:
        return [
            correct(connection, poll, contest=None, station="s0", after=step, reason=f"recount {n}", by="clerk", at=AT)
            for n, step in enumerate(steps)
        ]

    first, before = run(), size(connection, poll.id)
    assert run() == first and size(connection, poll.id) == before
    assert [r.state for r in first] == ["accepted", "quarantined"]


def test_corrections_that_are_refused(connection: sa.Connection, poll: Poll) -> None:
    def fix(station: str = "s0", **parts: Any) -> Any:
        parts = {"after": GOOD | {"yes": 499, "no": 151}, "reason": "recount", "by": "clerk", "at": AT} | parts
        return check_of(lambda: correct(connection, poll, contest=None, station=station, **parts))

    (receipt,) = send(connection, poll, batch({"s0": GOOD}))
    assert fix("x9") == "F.020"
    assert fix("s1") == "F.029"
    assert fix(reason=" ") == "F.031"
    assert fix(reason="\U0001f5f3" * 4_001) == "F.018"
    assert fix(after=GOOD) == "F.032"
    assert fix(of=receipt.seq + 1) == "F.030"
    assert fix(before=GOOD | {"yes": 1}) == "F.030"
    assert fix(sig="AAAA") == "F.026"


def test_the_longest_reason_over_the_longest_form_fits_into_an_entry() -> None:
    """What a poll may be opened with and what a clerk may write fit into one entry together, however they are written."""
    values = {"x" * (FORM_BYTES - 20): 10**9}
    for character in ("\U0001f5f3", "\x01", '"'):
        said = {
            "before": values,
            "after": values,
            "reason": character * LONGEST_REASON,
            "of": 10**9,
            "clerk": "account/anna",
        }
        body = {"station": "s" * 100, "contest": "c" * 50, **said}
        entry = Entry(
            "kz/2022-referendum", "correction", f"correction/{'c' * 50}/{'s' * 100}/1", AT, "commission", body
        )
        assert len(entry.to_bytes()) + 200 < MAX_ENTRY_BYTES


def test_a_number_in_words_that_is_too_long_names_its_row(connection: sa.Connection, poll: Poll) -> None:
    given = replace(batch({"s0": GOOD, "s1": GOOD}), words={"yes": ["", "five " * 61]})
    with pytest.raises(BadInput) as caught:
        send(connection, poll, given)
    assert (caught.value.check, caught.value.row, caught.value.field) == ("F.018", 2, "yes_words")
    assert size(connection, poll.id) == 1  # what opened it


def test_a_protocol_below_the_last_report_waits_until_it_is_confirmed(connection: sa.Connection, poll: Poll) -> None:
    report_turnout(connection, poll, hourly("18:00", s0=(1001, 705)), by="clerk", at=AT)
    (receipt,) = send(connection, poll, batch({"s0": GOOD}))
    assert (receipt.state, receipt.checks) == ("quarantined", ("F.110", "W.103"))
    confirmed = correct(
        connection, poll, contest=None, station="s0", after=GOOD, reason="the report was mistyped", by="clerk", at=AT
    )
    assert (confirmed.state, confirmed.checks) == ("accepted", ("W.103",))


def test_annulled_results_take_nothing_any_more(connection: sa.Connection, poll: Poll) -> None:
    send(connection, poll, batch({"s0": GOOD, "s1": GOOD}))
    terms: dict[str, Any] = {"reason": "breach", "cite": "art. 31(5)", "repeat": True, "by": "commission", "at": AT}
    seq = annul(connection, poll, contest=None, area="A", **terms)
    assert annul(connection, poll, contest=None, area="A", **terms) == seq
    assert (stored(connection, "s0").state, stored(connection, "s1").state) == ("annulled", "accepted")
    assert check_of(lambda: send(connection, poll, batch({"s3": GOOD}))) == "F.028"
    assert (
        check_of(
            lambda: correct(connection, poll, contest=None, station="s0", after=GOOD, reason="x", by="clerk", at=AT)
        )
        == "F.028"
    )
    annul(connection, poll, contest=None, station="s1", **terms)
    assert stored(connection, "s1").state == "annulled"
    assert check_of(lambda: annul(connection, poll, contest=None, station="x9", **terms)) == "F.020"


def hourly(hour: str, **reports: tuple[int, int]) -> Reports:
    pairs = np.array(list(reports.values()), np.int64)
    return Reports(hour, list(reports), pairs[:, 0], pairs[:, 1])


def test_turnout_reports(connection: sa.Connection, poll: Poll) -> None:
    def report(hour: str, **rows: tuple[int, int]) -> list[Any]:
        return report_turnout(connection, poll, hourly(hour, **rows), by="clerk", at=AT)

    assert [r.checks for r in report("10:00", s0=(1000, 100), s1=(1000, 50), s2=(1000, 0))] == [(), (), ()]
    first = report("12:00", s0=(1000, 90), s1=(1003, 50), s2=(1000, 0), s3=(1000, 1001))
    assert [r.checks for r in first] == [("W.102",), ("W.103", "W.105"), (), ("F.111",)]
    assert report("12:00", s0=(1000, 90), s1=(1003, 50), s2=(1000, 0), s3=(1000, 1001)) == first
    assert [r.checks for r in report("22:00", s0=(1000, 90), s1=(1003, 50))] == [(), ()]  # closed at 20:00: may stand
    assert check_of(lambda: report("12:00", s0=(1000, 91))) == "F.034"
    assert check_of(lambda: report("13:00", s0=(1000, 91))) == "F.033"
    assert check_of(lambda: report("18:00", x9=(1000, 91))) == "F.020"


def test_several_questions_on_one_day(connection: sa.Connection, tmp_path: Path) -> None:
    poll = sample_poll("test/several", ("q1", "q2"))
    open_sample(connection, poll)
    path = tmp_path / "p.csv"
    names = list(GOOD)
    lines = [",".join(["station", "contest", *names])]
    lines += [",".join([s, c, *(str(GOOD[n]) for n in names)]) for s in ("s0", "s1") for c in ("q1", "q2")]
    path.write_text("\n".join(lines))
    receipts = [r for given in read_protocols(path, poll) for r in send(connection, poll, given)]
    assert {(r.station, r.contest) for r in receipts} == {(s, c) for s in ("s0", "s1") for c in ("q1", "q2")}


def test_shares_far_from_their_neighbours_are_found_when_the_neighbours_are_in(
    connection: sa.Connection, poll: Poll
) -> None:
    large = sample_poll("test/neighbours")
    open_sample(connection, large, 75)
    rows = {f"s{n}": GOOD | {"yes": 500 - n % 5, "no": 150 + n % 5} for n in range(75)}
    rows["s30"] = GOOD | {"yes": 640, "no": 10}
    send(connection, large, batch(rows))
    found = outliers(connection, large)
    assert {(o.number, o.station, o.option, o.count, o.base) for o in found} == {
        ("W.104", "s30", "yes", 640, 690),
        ("W.104", "s30", "no", 10, 690),
    }
    assert raised(connection, large.id) == {} and outliers(connection, poll) == []


def test_shares_are_taken_of_the_base_that_the_form_names(connection: sa.Connection) -> None:
    """A form whose base is called `valid`, with an optional answer that no protocol gives."""
    words = labels("sample")
    fields = (
        Field("valid", None, words, "base"), Field("north", None, words, "option"), Field("south", None, words, "option"),
        Field("nobody", None, words, "option", optional=True),
    )  # fmt: skip
    poll = sample_poll("test/valid")
    form = Form("test/valid", fields, (), "for the test", "draft")
    poll = replace(poll, contests=(replace(poll.contests[0], form=form),))
    open_sample(connection, poll, 75)
    rows = {f"s{n}": {"valid": 690, "north": 500 - n % 5, "south": 190 + n % 5} for n in range(75)}
    rows["s30"] = {"valid": 690, "north": 640, "south": 50}
    send(connection, poll, batch(rows))
    assert {(o.station, o.option, o.count, o.base) for o in outliers(connection, poll)} == {
        ("s30", "north", 640, 690),
        ("s30", "south", 50, 690),
    }
