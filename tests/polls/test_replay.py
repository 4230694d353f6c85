"""The fold of the record holds every protocol against its form, also where protocols give different fields."""

from __future__ import annotations

import pytest

from dauys.polls.replay import Fault, Replay
from dauys.record.entry import Entry
from dauys.registers.poll import Poll, Station
from dauys.registers.poll_file import find_poll, read_poll

POLL: Poll = read_poll(find_poll("kz/2022-referendum")).poll
CONTEST = POLL.contests[0].id
AT = "2022-06-05T21:00:00+06:00"
GOOD = {"eligible": 1000, "received": 700, "participated": 690, "yes": 500, "no": 150, "invalid": 30, "not_counted": 10}
BALLOTS = {"delivered": 990, "cancelled": 290}


def replayed(*protocols: tuple[dict[str, int], tuple[str, ...]]) -> list[Fault]:
    """The faults of a record with these protocols, values and numbers of checks, each of a station of its own."""
    stations = [Station(f"s{n}", POLL.areas[0].code, 1000).to_json() for n in range(len(protocols))]
    replay = Replay()
    replay.apply(
        0, Entry(POLL.id, "poll", "poll", AT, "import", POLL.to_json() | {"keys": {}, "stations": len(stations)})
    )
    replay.apply(1, Entry(POLL.id, "stations", "stations/0", AT, "import", {"stations": stations}))
    for n, (values, checks) in enumerate(protocols):
        body = {"contest": CONTEST, "station": f"s{n}", "values": values}
        replay.apply(n + 2, Entry(POLL.id, "protocol", f"protocol/{CONTEST}/s{n}", AT, "import", body, checks=checks))
    replay.check_identities()
    return [fault for fault in replay.faults if fault.check != "V.06"]  # nobody signed


def test_protocols_with_other_fields_are_held_against_their_own_identities() -> None:
    faulty = GOOD | {"yes": 501}
    short = GOOD | BALLOTS | {"delivered": 989}
    assert (
        replayed((GOOD, ()), (faulty, ("F.101",)), (GOOD | BALLOTS, ()), (short, ("F.104",)), (GOOD, ("W.103",))) == []
    )
    found = replayed((GOOD, ("F.101",)), (GOOD | BALLOTS, ()), (faulty, ()), (short, ()))
    assert [(fault.check, fault.seq, fault.found, fault.expected) for fault in found] == [
        ("V.08", 2, ["F.101"], []),
        ("V.08", 4, [], ["F.101"]),
        ("V.08", 5, [], ["F.104"]),
    ]


@pytest.mark.parametrize("value", [10**9 + 1, 2**53 - 1, -1, True])
def test_a_number_that_is_no_count_is_a_fault_and_stops_nothing(value: int) -> None:
    found = replayed((GOOD | {"yes": value}, ()), (GOOD | {"yes": 501}, ()))
    assert [(fault.check, fault.seq) for fault in found] == [("V.05", 2), ("V.08", 3)]
