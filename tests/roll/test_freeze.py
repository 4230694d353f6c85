"""A poll's roll: frozen, committed to the record without a name, added to with a reason; and the story that the record tells."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from roll_people import AT, COMMISSION, DAY, STATIONS, VAULT, apply_rows, bring_rows, empty, open_poll, rolled_back, row

from dauys.cli.roll_rights import of_those_added
from dauys.errors import DauysError
from dauys.pollbook.settling import additions
from dauys.record import log
from dauys.record.entry import Entry, check_signature
from dauys.record.merkle import leaf_hash, verify_inclusion
from dauys.registers.poll import Poll
from dauys.roll.changes import approve
from dauys.roll.freeze import add_set, freeze, proof, total
from dauys.roll.frozen import RollReader, StationRoll, bodies, change_body, commitment, roll_root, station_root
from dauys.roll.rights import EACH, Rights
from dauys.roll.story import story
from dauys.roll.vault import Vault

pytestmark = pytest.mark.database
ALMATY = timezone(timedelta(hours=6))
NOON = datetime(2022, 6, 5, 12, tzinfo=ALMATY)


def reader(connection: sa.Connection, poll: Poll) -> RollReader:
    """All of the record's entries about the roll, signed and held to one another."""
    found = RollReader(STATIONS)
    for _, data in log.read(connection, poll.id):
        entry = Entry.from_bytes(data)
        if entry.kind in {"roll", "roll-stations", "additions"}:
            assert entry.by == "commission" and check_signature(entry, COMMISSION.public_key().public_bytes_raw())
            found.read(entry.kind, entry.id, entry.body)
    found.close()
    return found


def some_roll(connection: sa.Connection, folder: Path) -> list[dict[str, str]]:
    rows = [row(n, station=["A-1", "B-1"][n % 2], source="registry") for n in range(1, 8)]
    rows.append(row(8, status="prison", since="2022-01-01", source="court 7"))
    rows.append(row(9, status="prison", since="2021-01-01", until="2022-01-01", source="court 8"))
    apply_rows(connection, folder, rows)
    return rows


def test_a_frozen_roll_is_who_may_vote_by_home_station(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    poll = open_poll(connection)
    some_roll(connection, tmp_path)
    apply_rows(
        connection, tmp_path, [row(2, station="B-1"), row(4, status="died", since="2022-05-01", source="registry")]
    )
    found = freeze(connection, VAULT, poll, COMMISSION, AT)
    assert (found.voters, found.stations, found.differ) == (7, 3, 2)
    stored = {
        line.station: line.voters for line in connection.execute(sa.text("SELECT station, voters FROM roll_station"))
    }
    assert stored == {"A-1": 2, "A-2": 0, "B-1": 5}
    rights = connection.execute(sa.text("SELECT * FROM entitlement ORDER BY id")).all()
    assert {(r.holder, r.home, r.epoch, r.state, r.addition) for r in rights} == {
        ("station/A-1/1", "A-1", 0, 0, 0), ("station/B-1/1", "B-1", 0, 0, 0),
    }  # fmt: skip
    assert {r.voter.bytes for r in rights if r.home == "B-1"} == {VAULT.voter(row(n)["iin"]) for n in (1, 2, 3, 5, 7)}
    assert all(r.id.bytes == VAULT.entitlement(poll.id, r.voter) for r in rights)
    assert reader(connection, poll).eligible == stored


def test_the_roots_follow_from_the_rights_by_hashlib_alone(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    poll = open_poll(connection)
    some_roll(connection, tmp_path)
    root = freeze(connection, VAULT, poll, COMMISSION, AT).root

    def node(hashes: list[bytes]) -> bytes:
        if len(hashes) < 2:
            return hashes[0] if hashes else sha256(b"").digest()
        half = 1 << (len(hashes) - 1).bit_length() - 1
        return sha256(b"\1" + node(hashes[:half]) + node(hashes[half:])).digest()

    leaves = []
    for station in sorted(STATIONS):
        ids = connection.scalars(sa.text("SELECT id FROM entitlement WHERE home = :home"), {"home": station}).all()
        ones = sorted(
            sha256(
                b"dauys roll v1\0test/roll\0" + station.encode() + b"\0" + VAULT.salt(b"roll", one.bytes) + one.bytes
            ).digest()
            for one in ids
        )
        made = node([sha256(b"\0" + one).digest() for one in ones])
        text = f'{{"id":"{station}","root":"{made.hex()}","voters":{len(ones)}}}'
        leaves.append(sha256(b"\0" + text.encode()).digest())
    assert node(leaves) == root


def test_nothing_personal_enters_the_record(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    poll = open_poll(connection)
    rows = some_roll(connection, tmp_path)
    freeze(connection, VAULT, poll, COMMISSION, AT)
    added = apply_rows(connection, tmp_path, [row(20)], kind="changes")
    add_set(connection, VAULT, poll, added, "registered at home after the list was made", COMMISSION, NOON, additions)
    everything = b"".join(data for _, data in log.read(connection, poll.id))
    for each in [*rows, row(20)]:
        voter = VAULT.voter(each["iin"])
        right = VAULT.entitlement(poll.id, voter)
        for secret in (each["iin"], each["surname"], each["born"], voter.hex(), right.hex(), str(UUID(bytes=right))):
            assert secret.encode() not in everything


def test_a_voter_proves_to_be_on_the_roll(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    poll = open_poll(connection)
    rows = some_roll(connection, tmp_path)
    freeze(connection, VAULT, poll, COMMISSION, AT)
    frozen = reader(connection, poll).frozen
    for each in rows[:7]:
        shown = proof(connection, VAULT, poll.id, UUID(bytes=VAULT.voter(each["iin"])))
        assert shown is not None and shown.station == each["station"]
        leaf = leaf_hash(commitment(poll.id, shown.station, shown.salt, shown.entitlement))
        verify_inclusion(leaf, shown.index, shown.size, shown.path, frozen[shown.station].root)
    assert proof(connection, VAULT, poll.id, UUID(bytes=VAULT.voter(rows[7]["iin"]))) is None  # in prison


def test_who_is_not_18_on_this_polls_day_is_left_out(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    poll = open_poll(connection)
    young = row(3, born=date(2004, 9, 1))
    apply_rows(connection, tmp_path, [row(1), row(2), young], day=date(2022, 11, 20))  # a roll made for a later poll
    assert freeze(connection, VAULT, poll, COMMISSION, AT).voters == 2


def test_what_cannot_be_frozen_is_one_message(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    poll = open_poll(connection)
    with pytest.raises(DauysError, match="nobody on the roll"), connection.begin_nested():
        freeze(connection, VAULT, poll, COMMISSION, AT)
    stray = bring_rows(connection, tmp_path, [row(1, station="Z-9")], stations=STATIONS | {"Z-9": "A"})
    connection.execute(sa.text("UPDATE roll_set SET state = 'applied', decided_by = 'boris', decided = made"))
    with pytest.raises(DauysError, match="at a station of this poll, 1 do elsewhere"), connection.begin_nested():
        freeze(connection, VAULT, poll, COMMISSION, AT)
    assert stray.set_id is not None
    rolled_back(connection, stray.set_id, "boris", AT, "wrong stations")
    some_roll(connection, tmp_path)
    freeze(connection, VAULT, poll, COMMISSION, AT)
    with pytest.raises(DauysError, match="was frozen at 2022-05-15"):
        freeze(connection, VAULT, poll, COMMISSION, AT)


def test_the_nations_roll_is_frozen_for_a_local_poll(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    poll = open_poll(connection)
    nation = STATIONS | {"Z-8": "Z", "Z-9": "Z"}
    rows = [row(1), row(2, station="B-1"), row(3, station="Z-8"), row(4, station="Z-9"), row(5, station="Z-9")]
    brought = bring_rows(connection, tmp_path, rows, stations=nation)
    assert brought.set_id is not None
    approve(connection, brought.set_id, "boris", AT)
    found = freeze(connection, VAULT, poll, COMMISSION, AT)
    assert (found.voters, found.elsewhere, found.elsewhere_stations) == (2, 3, 2)
    assert reader(connection, poll).eligible == {"A-1": 1, "A-2": 0, "B-1": 1}
    homes = connection.scalars(sa.text("SELECT home FROM entitlement WHERE poll = :poll"), {"poll": poll.id})
    assert sorted(homes) == ["A-1", "B-1"]
    later = bring_rows(connection, tmp_path, [row(6), row(7, station="Z-8")], kind="changes", stations=nation)
    assert later.set_id is not None
    approve(connection, later.set_id, "boris", AT)
    done = add_set(connection, VAULT, poll, later.set_id, "moved in", COMMISSION, NOON, additions)
    assert (done.added, done.elsewhere, done.total) == (1, 1, 3)


def test_an_addition_says_which_of_its_voters_a_later_set_has(connection: sa.Connection, tmp_path: Path) -> None:
    """A file brought in once more: its voters come with the later set, and with the first one nobody does."""
    empty(connection)
    poll = open_poll(connection)
    some_roll(connection, tmp_path)
    freeze(connection, VAULT, poll, COMMISSION, AT)
    rows = [row(20), row(21), row(22)]
    first = apply_rows(connection, tmp_path, rows, kind="changes")
    second = apply_rows(connection, tmp_path, [row(20), row(21, station="A-2")], kind="changes")
    third = apply_rows(connection, tmp_path, [row(21)], kind="changes")
    rolled_back(connection, third, "boris", AT, "by mistake")
    done = add_set(connection, VAULT, poll, first, "by the court", COMMISSION, NOON, additions)
    assert (done.added, done.on_list, done.later, done.later_sets) == (1, 0, 2, [second])
    assert f"2 of its voters are in force by later sets ({second})" in of_those_added(done)
    rest = add_set(connection, VAULT, poll, second, "by the court", COMMISSION, NOON, additions)
    assert (rest.added, rest.later, rest.total) == (2, 0, done.total + 2)
    assert "later" not in of_those_added(rest)


def test_additions_come_with_a_reason_once_and_not_after_the_closing(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    poll = open_poll(connection)
    some_roll(connection, tmp_path)
    with pytest.raises(DauysError, match="not frozen yet"):
        add_set(connection, VAULT, poll, 1, "moved in", COMMISSION, NOON, additions)
    freeze(connection, VAULT, poll, COMMISSION, AT)
    rows = [
        row(1, station="A-2"),
        row(20),
        row(21, station="A-2"),
        row(22, status="prison", since="2022-01-01", source="x"),
    ]
    number = apply_rows(connection, tmp_path, rows, kind="changes")
    early = AT - timedelta(seconds=1)
    for reason, at, message in (
        (" ", NOON, "a reason"), ("moved in", NOON.replace(hour=20), "has closed"), ("moved in", early, "before that"),
        ("moved in: 791028 302728", NOON, r"P\.077"),
    ):  # fmt: skip
        with pytest.raises(DauysError, match=message), connection.begin_nested():
            add_set(connection, VAULT, poll, number, reason, COMMISSION, at, additions)
    done = add_set(connection, VAULT, poll, number, "moved in", COMMISSION, NOON, additions)
    assert (done.added, done.on_list, done.may_not, done.total, done.stations) == (2, 1, 1, 10, 2)
    again = add_set(connection, VAULT, poll, number, "moved in", COMMISSION, NOON, additions)
    assert (again.added, again.on_list, again.total, again.later) == (0, 3, 10, 0)
    held = bring_rows(connection, tmp_path, [row(30)], kind="changes").set_id
    assert held is not None
    with pytest.raises(DauysError, match="a second person has to approve"):
        add_set(connection, VAULT, poll, held, "moved in", COMMISSION, NOON, additions)
    read = reader(connection, poll)
    assert read.eligible == {"A-1": 5, "A-2": 1, "B-1": 4} and read.total == total(connection, poll.id) == 10
    shown = proof(connection, VAULT, poll.id, UUID(bytes=VAULT.voter(row(21)["iin"])))
    assert shown is not None and (shown.station, shown.addition, shown.path) == ("A-2", 1, ())
    closing = Entry(poll.id, "closing", "closing", NOON.isoformat(), "commission", {})
    log.append(connection, poll.id, [closing])
    with pytest.raises(DauysError, match="is closed"):
        add_set(connection, VAULT, poll, number, "moved in", COMMISSION, NOON, additions)


class Pollbook:
    """Says of one right that it is here already, and remembers what it was asked, with how many rights there were then."""

    def __init__(self, here: UUID) -> None:
        self.here = here
        self.asked: list[tuple[str, str, int, int]] = []

    def _note(self, what: str, connection: sa.Connection, station: str, number: int) -> None:
        rights = connection.scalar(sa.text("SELECT count(*) FROM entitlement WHERE addition > 0"))
        self.asked.append((what, station, number, int(rights or 0)))

    def hold(self, connection: sa.Connection, poll: str) -> None:
        self._note("hold", connection, "", 0)

    def known(
        self, connection: sa.Connection, poll: str, station: str, number: int, whose: Mapping[UUID, bytes]
    ) -> Set[UUID]:
        self._note("known", connection, station, number)
        return whose.keys() & {self.here}

    def entered(self, connection: sa.Connection, poll: str, station: str, rights: Set[UUID]) -> None:
        self._note("entered", connection, station, len(rights))

    def paired(self, connection: sa.Connection, vault: Vault, poll: str, at: datetime) -> None:
        self._note("paired", connection, "", 0)


def test_no_right_is_added_before_the_pollbook_was_asked_where_it_is(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    poll = open_poll(connection)
    some_roll(connection, tmp_path)
    freeze(connection, VAULT, poll, COMMISSION, AT)
    rows = [row(20), row(21), row(22, station="A-2")]
    number = apply_rows(connection, tmp_path, rows, kind="changes")
    pollbook = Pollbook(VAULT.right(poll.id, VAULT.voter(rows[0]["iin"])))
    assert add_set(connection, VAULT, poll, number, "moved in", COMMISSION, NOON, pollbook).added == 3
    assert pollbook.asked == [
        ("hold", "", 0, 0), ("known", "A-1", 1, 0), ("entered", "A-1", 1, 1), ("known", "A-2", 1, 1), ("entered", "A-2", 1, 2),
        ("paired", "", 0, 2),
    ]  # fmt: skip


def test_the_story_of_a_roll_that_grows_during_the_day(connection: sa.Connection, tmp_path: Path) -> None:
    """2022 in small: 11,722 on the list, 10 more by the report of 20:00, 2 more after it, at the same moments of the day."""
    empty(connection)
    poll = open_poll(connection)
    assert story(connection, poll) == []
    some_roll(connection, tmp_path)
    freeze(connection, VAULT, poll, COMMISSION, AT)
    for hour, serials, why in (
        (9, [31], "moved in"),
        (13, [32, 33], "moved in"),
        (14, [34], "court"),
        (19, [35, 36], "court"),
    ):
        number = apply_rows(connection, tmp_path, [row(n) for n in serials], kind="changes")
        add_set(connection, VAULT, poll, number, why, COMMISSION, NOON.replace(hour=hour), additions)
    steps = story(connection, poll)
    assert [(step.total, step.added, dict(step.reasons)) for step in steps] == [
        (8, 0, {}), (9, 1, {"moved in": 1}), (12, 3, {"moved in": 2, "court": 1}), (14, 2, {"court": 2}),
    ]  # fmt: skip
    assert [f"{step.at.astimezone(ALMATY):%H:%M}" for step in steps[1:]] == ["10:00", "14:00", "20:00"]


hashes = st.binary(min_size=32, max_size=32)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(["s1", "s2", "s3", "s4"]), st.sets(hashes, max_size=6), min_size=1), st.data())
def test_a_reader_takes_a_true_roll_and_no_changed_one(stations: dict[str, set[bytes]], data: st.DataObject) -> None:
    rolls = [StationRoll(name, len(ones), station_root(ones)) for name, ones in stations.items()]
    entries = list(bodies(rolls, "2022-06-05"))
    good = RollReader(stations)
    for kind, name, body in entries:
        good.read(kind, name, body)
    good.close()
    assert good.total == sum(map(len, stations.values())) and good.frozen[rolls[0].id] == rolls[0]
    wrong = data.draw(st.sampled_from(["voters", "root", "station", "twice", "total", "other root"]))
    changed = list(rolls)
    if wrong == "voters":
        changed[0] = StationRoll(rolls[0].id, rolls[0].voters + 1, rolls[0].root)
    elif wrong == "root":
        changed[0] = StationRoll(rolls[0].id, rolls[0].voters, bytes(32))
    elif wrong == "station":
        changed = changed[1:]
    elif wrong == "twice":
        changed.append(rolls[0])
    lists = [body for kind, _, body in bodies(changed, "2022-06-05") if kind == "roll-stations"]
    roll = dict(entries[0][2])
    roll |= {"total": {"voters": roll["voters"] + 1}, "other root": {"root": "0" * 64}}.get(wrong, {})
    bad = RollReader(stations)
    with pytest.raises(DauysError):
        bad.read("roll", "roll", roll)
        for number, body in enumerate(lists):
            bad.read("roll-stations", f"roll-stations/{number}", body)
        bad.close()
        raise AssertionError("a changed roll was taken")


def test_a_reader_takes_each_commitment_once() -> None:
    rolls = [StationRoll("s1", 0, station_root(()))]
    found = RollReader(["s1"])
    for entry in bodies(rolls, "2022-06-05"):
        found.read(*entry)
    body = change_body("s1", "moved in", [b"1" * 32, b"2" * 32])
    found.read("additions", "additions/s1/1", body)
    for name, changed in (
        ("additions/s1/2", body), ("additions/s1/3", change_body("s1", "x", [b"3" * 32])),
        ("additions/s2/1", change_body("s2", "x", [b"3" * 32])), ("additions/s1/2", change_body("s1", "", [b"3" * 32])),
        ("additions/s1/2", change_body("s1", "x", [])), ("additions/s1/2", change_body("s1", "x", [b"3" * 32]) | {"count": 2}),
    ):  # fmt: skip
        with pytest.raises(DauysError):
            found.read("additions", name, changed)
    assert found.eligible == {"s1": 2}


def test_packed_rights_lie_in_the_order_of_their_ids() -> None:
    voters = b"".join(bytes([n]) * 16 + (7).to_bytes(8, "big") for n in range(9))
    packed, (roll,) = Rights(VAULT, "p")([("s1", voters)])
    ids = [VAULT.entitlement("p", voters[n : n + 16]) for n in range(0, len(voters), EACH)]
    places = [packed.index(one) for one in sorted(ids)]
    assert places == sorted(places) and roll.voters == 9
    assert roll_root([roll]) == leaf_hash(f'{{"id":"s1","root":"{roll.root.hex()}","voters":9}}'.encode())
    assert DAY
