"""Do totals, states and decisions of a contest follow from its protocols, and does the record say the same as the database?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import DauysError
from dauys.polls.declaring import declare
from dauys.polls.keys import Keys, new_keys
from dauys.polls.opening import load_poll, load_stations, open_poll
from dauys.polls.replay import Replay
from dauys.polls.result import Held, Sheet, contest_standing, results_json, stage_of
from dauys.polls.standing import snapshot, standing, station_view
from dauys.publish.exports import state_of
from dauys.record import log
from dauys.record.entry import Entry
from dauys.record.merkle import leaf_hash, verify_inclusion
from dauys.registers.poll import BallotLimit, Contest, Poll, Station
from dauys.registers.poll_file import read_poll, read_stations
from dauys.stations.batch import Batch
from dauys.stations.corrections import annul, correct
from dauys.stations.intake import receive

FILE = read_poll(Path(__file__).parents[1] / "end_to_end/small/poll.yaml")
assert FILE.stations is not None
STATIONS = read_stations(FILE.stations)
CHARTER, RIVER = FILE.poll.contests

Values = dict[str, int]


@st.composite
def protocols(draw: st.DrawFn, stations: Sequence[Station] = STATIONS) -> dict[str, Held]:
    """Any mix of stations without, with good, and with contradictory protocols of the charter."""
    held = {}
    for number, station in enumerate(stations):
        if draw(st.booleans()):
            yes, no, invalid, both = (draw(st.integers(0, 200)) for _ in range(4))
            wrong = draw(st.integers(0, 4)) == 0
            values = {
                "eligible": 1000, "received": 900, "participated": yes + no + invalid + both + wrong,
                "yes": yes, "no": no, "invalid": invalid, "not_counted": both,
            }  # fmt: skip
            held[station.id] = Held(number, values, ("F.101",) if wrong else ())
    return held


@given(protocols(), st.dictionaries(st.sampled_from(["A1-01", "A1-02", "A3-01", "A2", "A3"]), st.booleans()))
@settings(max_examples=60, deadline=None)
def test_every_station_is_in_one_state(held: dict[str, Held], void: dict[str, bool]) -> None:
    sheet = Sheet.of(FILE.poll, CHARTER, STATIONS, held, {("charter", where): again for where, again in void.items()})
    result = contest_standing(sheet)
    for part in (result, *result.areas):
        assert part.expected == part.counted + part.quarantined + part.missing + part.annulled
        assert 0 <= part.repeat_pending <= part.missing + part.annulled + part.quarantined
    if not void:
        assert (result.annulled, result.repeat_pending) == (0, 0)


@given(protocols())
@settings(max_examples=60, deadline=None)
def test_sums_cover_exactly_the_accepted_protocols(held: dict[str, Held]) -> None:
    result = contest_standing(Sheet.of(FILE.poll, CHARTER, STATIONS, held))
    good = {station: protocol for station, protocol in held.items() if not protocol.quarantined}
    assert result.counted == len(good)
    assert result.quarantined == len(held) - len(good)
    assert result.missing == len(STATIONS) - len(held)
    for field, total in result.totals.items():
        assert total == sum(protocol.values[field] for protocol in good.values())
        assert total == sum(area.totals[field] for area in result.areas)
    assert result.expected == sum(area.expected for area in result.areas) == len(STATIONS)


@given(protocols())
@settings(max_examples=40, deadline=None)
def test_what_is_missing_decides_only_within_the_bounds(held: dict[str, Held]) -> None:
    """Fill every station that is open with everyone voting yes, then no: the outcome is among those called possible."""
    now = contest_standing(Sheet.of(FILE.poll, CHARTER, STATIONS, held))
    for option in ("yes", "no"):
        filled = {station: protocol for station, protocol in held.items() if not protocol.quarantined}
        for station in STATIONS:
            if station.id not in filled:
                everyone = dict.fromkeys(CHARTER.form.required, 0)
                everyone |= dict.fromkeys(("eligible", "received", "participated", option), station.eligible)
                filled[station.id] = Held(0, everyone)
        outcome = contest_standing(Sheet.of(FILE.poll, CHARTER, STATIONS, filled)).decision.outcome
        assert outcome in now.bounds.possible
    if now.missing + now.quarantined == 0:
        assert now.bounds.can_change is False


def test_annulled_stations_and_areas_leave_the_sums() -> None:
    values = {"eligible": 100, "received": 60, "participated": 60, "yes": 40, "no": 20, "invalid": 0, "not_counted": 0}
    held = {station.id: Held(0, values) for station in STATIONS}
    whole = contest_standing(Sheet.of(FILE.poll, CHARTER, STATIONS, held))
    one = contest_standing(Sheet.of(FILE.poll, CHARTER, STATIONS, held, {("charter", "A1-01"): False}))
    assert whole.totals["yes"] - one.totals["yes"] == 40
    assert (one.counted, one.missing, one.annulled, one.repeat_pending) == (len(STATIONS) - 1, 0, 1, 0)
    area = contest_standing(Sheet.of(FILE.poll, CHARTER, STATIONS, held, {("charter", "A2"): True}))
    assert area.areas[1].counted == 0
    assert area.areas[1].totals["yes"] == 0
    assert area.annulled == area.repeat_pending == area.areas[1].expected > 1
    assert area.decision.repeat_pending == ("A2",)
    again = contest_standing(Sheet.of(FILE.poll, CHARTER, STATIONS, held, {("charter", "A1-01"): True}))
    assert (again.counted, again.missing, again.annulled, again.repeat_pending) == (len(STATIONS) - 1, 1, 0, 1)
    other = contest_standing(Sheet.of(FILE.poll, CHARTER, STATIONS, held, {("river", "A2"): True}))
    assert other.totals == whole.totals


@pytest.mark.parametrize("contest", [CHARTER, RIVER], ids=["charter", "river"])
def test_a_repeat_in_a_whole_area_is_bounded_as_that_of_its_stations(contest: Contest) -> None:
    """Voters can be added on the day in either: ceil(1.01 x list) at each station."""
    limits = [replace(FILE.poll, ballot_limit=BallotLimit(Fraction(share, 100), "art. 37")) for share in (100, 101)]
    here = {station.id for station in STATIONS if station.area == "A2"}
    void = {(contest.id, "A2"): True}, {(contest.id, station): True for station in here}
    bounds = [
        [contest_standing(Sheet.of(poll, contest, STATIONS, {}, ended)).bounds for ended in void] for poll in limits
    ]
    for whole, single in bounds:
        assert whole.to_json() == single.to_json()
    assert bounds[0][0].to_json() != bounds[1][0].to_json()


@pytest.mark.parametrize(
    ("kinds", "declared", "stage"),
    [({}, [], "opening"), ({"check-ins": 1}, [], "voting"), ({"turnout": 3}, [], "voting"), ({"turnout": 3, "protocol": 1}, [], "counting"),
     ({"protocol": 1}, ["preliminary"], "preliminary"), ({"protocol": 1}, ["preliminary", "final"], "final")],
)  # fmt: skip
def test_stage(kinds: dict[str, int], declared: list[str], stage: str) -> None:
    assert stage_of(kinds, declared) == stage


# --- in the database -----------------------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return new_keys(FILE.poll, tmp_path)


@pytest.fixture
def opened(connection: sa.Connection, keys: Keys) -> Iterator[tuple[sa.Connection, Poll]]:
    open_poll(connection, FILE.poll, STATIONS, keys, FILE.poll.closing() - timedelta(hours=20))
    yield connection, FILE.poll


def batch_of(contest: str, rows: dict[str, Values]) -> Batch:
    fields = next(iter(rows.values()))
    columns = {name: np.array([values[name] for values in rows.values()], np.int64) for name in fields}
    return Batch(contest, list(rows), columns)


def replayed(connection: sa.Connection, poll_id: str) -> Replay:
    replay = Replay()
    for seq, data in log.read(connection, poll_id):
        replay.apply(seq, Entry.from_bytes(data))
    replay.check_identities()
    return replay


def a_night(connection: sa.Connection, poll: Poll, keys: Keys, random: Random) -> None:
    """Protocols, errors, corrections and annulments in an order that the seed decides."""
    at = poll.closing()
    for station in random.sample(STATIONS, len(STATIONS)):
        yes, no = random.randrange(200), random.randrange(200)
        row = {"eligible": station.eligible, "received": yes + no, "participated": yes + no + random.choice((0, 0, 0, 1)),
               "yes": yes, "no": no, "invalid": 0, "not_counted": 0}  # fmt: skip
        if random.random() < 0.9:
            receive(connection, poll, batch_of("charter", {station.id: row}), by="import", at=at)
            if random.random() < 0.3:
                after = row | {"participated": yes + no, "received": yes + no + 1}
                correct(connection, poll, contest="charter", station=station.id, after=after, reason="recount",
                        by="aigul", at=at, seal=keys.commission)  # fmt: skip
        if random.random() < 0.1:
            annul(connection, poll, contest="charter", station=station.id, reason="box", cite="31(5)",
                  repeat=random.random() < 0.5, by="aigul", at=at, seal=keys.commission)  # fmt: skip
    declare(connection, poll, keys, "preliminary", at + timedelta(hours=9), close=False)
    if random.random() < 0.5:
        annul(connection, poll, contest="charter", area="A2", reason="fire", cite="31(5)", repeat=False, by="aigul",
              at=at + timedelta(hours=10), seal=keys.commission)  # fmt: skip
    declare(connection, poll, keys, "final", at + timedelta(hours=20), close=True)


@pytest.mark.database
@pytest.mark.parametrize("seed", range(6))
def test_the_record_says_what_the_database_says(opened: tuple[sa.Connection, Poll], keys: Keys, seed: int) -> None:
    connection, poll = opened
    a_night(connection, poll, keys, Random(seed))
    here = snapshot(connection, poll.id)
    replay = replayed(connection, poll.id)
    assert replay.faults == []
    there = replay.snapshot(here.size)
    ours = results_json(here, [contest_standing(sheet) for sheet in here.sheets])
    theirs = results_json(there, [contest_standing(sheet) for sheet in there.sheets])
    assert ours == theirs
    assert standing(connection, poll.id).stage == "final"


@pytest.mark.database
def test_a_station_page_proves_its_protocol(opened: tuple[sa.Connection, Poll], keys: Keys) -> None:
    connection, poll = opened
    a_night(connection, poll, keys, Random(11))
    seen = 0
    for station in STATIONS:
        view = station_view(connection, poll.id, station.id).protocols[0]
        if view.proof is None:
            continue
        seen += 1
        data = next(body for _, body in log.read(connection, poll.id, view.proof["index"], view.proof["index"] + 1))
        hashes = [bytes.fromhex(part) for part in view.proof["hashes"]]
        root = bytes.fromhex(view.proof["root"])
        verify_inclusion(leaf_hash(data), view.proof["index"], view.proof["size"], hashes, root)
        assert [item.seq for item in view.history] == sorted(item.seq for item in view.history)
        assert [item.values for item in view.history if item.values][-1] == view.values
        assert {item.clerk for item in view.history if item.kind == "correction"} <= {"aigul"}
    assert seen > 10


@pytest.mark.database
@pytest.mark.parametrize("seed", range(3))
def test_a_station_page_says_what_stations_csv_says(opened: tuple[sa.Connection, Poll], keys: Keys, seed: int) -> None:
    connection, poll = opened
    a_night(connection, poll, keys, Random(seed))
    sheet = snapshot(connection, poll.id).sheets[0]
    states = set()
    for row, station in enumerate(sheet.stations):
        view = station_view(connection, poll.id, station.id).protocols[0]
        assert view.state == state_of(sheet, row)
        ended = [item for item in view.history if item.kind == "annulment"]
        assert bool(ended) == (view.state in ("annulled", "repeat-pending"))
        assert all((item.cite, item.clerk) == ("31(5)", "aigul") and item.reason in ("box", "fire") for item in ended)
        states.add(view.state)
    assert len(states) >= 3


@pytest.mark.database
def test_a_poll_is_opened_once_and_never_redefined(opened: tuple[sa.Connection, Poll], keys: Keys) -> None:
    connection, poll = opened
    at = FILE.poll.closing() - timedelta(hours=20)
    size = log.size(connection, poll.id)
    open_poll(connection, poll, STATIONS, keys, at)
    assert log.size(connection, poll.id) == size
    assert load_poll(connection, poll.id) == poll
    assert load_stations(connection, poll.id) == sorted(STATIONS, key=lambda station: station.id)
    with pytest.raises(DauysError, match="another description"):
        open_poll(connection, poll, STATIONS[:-1], keys, at)


@pytest.mark.database
def test_an_entry_can_neither_be_changed_nor_removed(opened: tuple[sa.Connection, Poll]) -> None:
    connection, _ = opened
    for statement in ("UPDATE entry SET kind = 'x'", "DELETE FROM entry"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), connection.begin_nested():
            connection.execute(sa.text(statement))


def test_a_poll_survives_its_json() -> None:
    assert Poll.from_json(FILE.poll.to_json()) == FILE.poll


def test_local_closing_is_later_by_capital_time_in_the_west() -> None:
    assert FILE.poll.closing("A1") == datetime.fromisoformat("2022-06-05T20:00:00+06:00")
    assert FILE.poll.closing("A3") == datetime.fromisoformat("2022-06-05T21:00:00+06:00")


@pytest.mark.database
def test_the_list_of_stations_is_fixed_before_anything_comes_in(opened: tuple[sa.Connection, Poll], keys: Keys) -> None:
    connection, poll = opened
    a_night(connection, poll, keys, Random(3))
    entries = [Entry.from_bytes(data) for _, data in log.read(connection, poll.id)]
    late = Replay()
    for seq, entry in enumerate([entries[0], *entries[2:4], entries[1], *entries[4:]]):
        late.apply(seq, entry)
    assert "the list of stations goes on after the poll has begun" in [fault.what for fault in late.faults]


def test_an_unsigned_protocol_of_a_station_with_a_key_must_be_marked() -> None:
    station = replace(STATIONS[0], key=bytes(32))
    values = {"eligible": 9, "received": 3, "participated": 3, "yes": 2, "no": 1, "invalid": 0, "not_counted": 0}
    body = {"station": station.id, "contest": "charter", "values": values}
    stamp = FILE.poll.closing().isoformat()
    for checks, faults in (((), ["V.06"]), (("W.109",), [])):
        replay = Replay(poll=FILE.poll, stations={station.id: station})
        replay.apply(
            7, Entry(FILE.poll.id, "protocol", f"protocol/charter/{station.id}", stamp, "import", body, None, checks)
        )
        assert [fault.check for fault in replay.faults] == faults
        assert replay.unsigned == 1


@pytest.mark.parametrize(("checks", "faults"), [(("F.110",), []), ((), ["V.08"]), (("F.199",), ["V.08"])])
def test_who_holds_a_protocol_back_or_lets_it_in_is_found(checks: tuple[str, ...], faults: list[str]) -> None:
    """Ten ballots were reported handed out and nine are in the protocol: F.110, and nothing else."""
    station, stamp = STATIONS[0], FILE.poll.closing().isoformat()
    values = {"eligible": 99, "received": 9, "participated": 9, "yes": 5, "no": 4, "invalid": 0, "not_counted": 0}
    body = {"station": station.id, "contest": "charter", "values": values}
    report = {"station": station.id, "time": "18:00", "eligible": 99, "received": 10}
    replay = Replay(poll=FILE.poll, stations={station.id: station})
    replay.apply(5, Entry(FILE.poll.id, "turnout", f"turnout/{station.id}/18:00", stamp, "import", report))
    replay.apply(
        6, Entry(FILE.poll.id, "protocol", f"protocol/charter/{station.id}", stamp, "import", body, None, checks)
    )
    replay.check_identities()
    assert [fault.check for fault in replay.faults] == faults
