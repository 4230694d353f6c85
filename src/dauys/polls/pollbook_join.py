"""What joins the pollbook with its poll: the ways to vote, what enters the record, and the turnout reports out of it.

Each function works in the caller's transaction. `tend` is what the centre does by itself, again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from traceback import extract_tb

import numpy as np
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.law.files import Node
from dauys.pollbook.gathered import hand_outs, sealing
from dauys.pollbook.gathered.sums import reaching, reports_at
from dauys.pollbook.rules.channels import DAYS, ENVELOPE, Channels, channels_on, voting_of
from dauys.pollbook.rules.envelopes import Rule
from dauys.pollbook.settling import envelopes as envelopes_centre
from dauys.pollbook.settling import returns, withdrawals
from dauys.pollbook.settling.one_person import beside_a_used_one
from dauys.polls.opening import load_poll
from dauys.record import log
from dauys.record.entry import sign_entry
from dauys.registers.poll import Poll
from dauys.roll.lookup import areas_with_stations, law_of, terms_of
from dauys.stations.ledger import lock
from dauys.stations.turnout import Reports, report_turnout
from dauys.store.engine import FAULTS, Connection

POLLBOOK = "pollbook"
"""Who sends in turnout reports that come out of the stations' logs."""

Seal = Callable[[str], Ed25519PrivateKey | None]
"""The commission's key of a poll; None where this installation does not hold it."""


def channels_of(poll: Poll) -> Channels:
    """The ways to vote in a poll: what it lays down itself, and the law of its day in the pack that its id begins with.

    A poll of no pack, or of one without law as data, has its own rules alone. Raises BadInput for rules that are none.
    """
    own = voting_of(None if poll.voting is None else Node.of(dict(poll.voting)))
    for name in DAYS:
        if name in own and own[name].on and own[name].settings["last"] > poll.day.isoformat():
            last = f"up to {poll.day}"
            raise BadInput(
                "after the polling day", field=f"voting.{name}.last", found=own[name].settings["last"], expected=last
            )
    return channels_on(law_of(poll), poll.kind, poll.timezone, own)


def check_ways(poll: Poll, file: Path) -> None:
    """Raises BadInput, naming the file, where a poll's own rules (`voting:`) are none: before it is opened, not on the day."""
    if poll.voting is None:
        return
    try:
        channels_of(poll)
        terms_of(poll, law_of(poll))
    except BadInput as fault:
        inside = (fault.field or "").removeprefix("voting").lstrip(".")
        field = f"voting.{inside}" if inside else "voting"
        raise BadInput(fault.message, file=file, field=field, found=fault.found, expected=fault.expected) from None


def seal(
    connection: Connection, poll: str, key: Ed25519PrivateKey, at: datetime, station: str | None = None
) -> int:  # fmt: skip
    """Puts every check-in (of one station) that is not in the record yet into it, as commitments signed by the commission.

    Nothing before the first day of voting by the centre's clock, whatever a station's says: P.115 instead. Returns how many
    entries that took.
    """
    lock(connection, poll)  # the record before the logs, as intake does: nobody waits for both
    if too_early(load_poll(connection, poll), at) and sealing.too_early(connection, poll, at):
        return 0
    entries = [sign_entry(entry, key) for entry in sealing.seal(connection, poll, at, station)]
    log.append(connection, poll, entries)
    if station is None:
        sealing.note_sealed(connection, poll, at)
    return len(entries)


def too_early(poll: Poll, at: datetime) -> bool:
    """Whether at `at` nobody votes yet: no day of voting has begun in any of the poll's zones. Never in a rehearsal."""
    first = min(poll.moment(time(0), area.code) for area in poll.areas)
    if poll.trial or at >= first:
        return False
    channels = channels_of(poll)
    days = [date.fromisoformat(channels[name].settings["first"]) for name in DAYS if channels[name].on]
    return at < first + (min([poll.day, *days]) - poll.day)


def withdraw(connection: Connection, poll: Poll, key: Ed25519PrivateKey, at: datetime) -> withdrawals.Settled:
    """Withdraws the rights that were asked back and that nobody can use any more, as entries signed by the commission.

    Before, what is to be given back by itself goes back, nobody is asked any more for what it is too late for, and what was found
    used and is not any more is asked for again.
    """
    lock(connection, poll.id)
    returns.hand_back(connection, poll, key, at)
    returns.ask_no_more(connection, poll, at)
    returns.look_again(connection, poll, at)
    return withdrawals.settle(connection, poll, key, at)


def give_back(
    connection: Connection, poll: Poll, set_id: int, reason: str, by: str, key: Ed25519PrivateKey, at: datetime
) -> returns.Back:
    """Gives rights back that were withdrawn by mistake, as entries signed by the commission (`returns.give_back_set`)."""
    lock(connection, poll.id)
    return returns.give_back_set(connection, poll, set_id, reason, by, key, at)


def rule_of_envelopes(poll: Poll) -> Rule | None:
    """By which rule envelopes of a poll are resolved; None where its law knows none."""
    ruling = channels_of(poll)[ENVELOPE]
    return Rule(ruling.settings.get("two", "none"), ruling.cite) if ruling.on else None


def envelopes(connection: Connection, poll: Poll) -> envelopes_centre.Envelopes:
    """The provisional envelopes of a poll: resolved, or how they stand so far."""
    beside = beside_a_used_one(connection, poll)
    return envelopes_centre.envelopes_of(connection, poll.id, rule_of_envelopes(poll), beside)


def resolve_envelopes(
    connection: Connection, poll: Poll, key: Ed25519PrivateKey, at: datetime, final: Sequence[str] = ()
) -> int:
    """Resolves the envelopes once every log is complete, or without those that are missing, where two people say so by name
    (`final`); how many that were.

    What waits to be withdrawn or sealed goes before. Raises DauysError: the poll is closed; `final` before its closing hour, or
    as `settle` does.
    """
    lock(connection, poll.id, alone=bool(final))  # a machine that begins now is to be waited for, or is too late
    if log.is_closed(connection, poll.id):
        raise DauysError(f"{poll.id} is closed: an envelope that is not resolved does not count")
    if final and at < (last := poll.last_closing(areas_with_stations(connection, poll.id))):
        over = f"{last:%d.%m. %H:%M} ({poll.timezone})"
        raise DauysError(f"the last station closes at {over}: until then --final is too early")
    envelopes_centre.lock_homes(connection, poll.id)
    withdraw(connection, poll, key, at)
    seal(connection, poll.id, key, at)
    beside = beside_a_used_one(connection, poll)
    return envelopes_centre.settle(connection, poll.id, rule_of_envelopes(poll), key, at, final, beside)


def report(connection: Connection, poll: Poll, at: datetime) -> int:
    """Sends in the turnout reports of the hours that are over, of each station whose log reaches past the hour.

    `received` are the check-ins that stood then by the station's own clock, `eligible` the rights held there. A station
    that reported by hand is left alone. Returns how many reports that made.
    """
    lock(connection, poll.id)
    if log.is_closed(connection, poll.id):
        return 0
    made = 0
    for hour in poll.reports:
        if poll.moment(hour) > at:
            continue
        text = f"{hour:%H:%M}"
        found = reports_at(connection, poll.id, poll.moment(hour), reported(connection, poll.id, text))
        if found.ready:
            stations, eligible, received = zip(*found.ready, strict=True)
            reports = Reports(text, stations, np.array(eligible, np.int64), np.array(received, np.int64))
            made += len(report_turnout(connection, poll, reports, by=POLLBOOK, at=at))
    return made


def reported(connection: Connection, poll: str, hour: str) -> list[str]:
    """The stations whose report for an hour is in."""
    query = sa.text("SELECT station FROM turnout WHERE poll = :poll AND at = :hour")
    return list(connection.scalars(query, {"poll": poll, "hour": hour}))


def late(connection: Connection, poll: Poll, at: datetime) -> list[tuple[str, int, list[str]]]:
    """The hours of reports that are over: hour, how many stations reported, and those whose pollbook does not reach past it."""
    hours = []
    for hour in poll.reports:
        if poll.moment(hour) <= at:
            text = f"{hour:%H:%M}"
            told = reported(connection, poll.id, text)
            _, waiting = reaching(connection, poll.id, poll.moment(hour), told)
            hours.append((text, len(told), waiting))
    return hours


def polls_with_logs(connection: Connection) -> list[str]:
    """The polls of which a station has a log."""
    return list(connection.scalars(sa.text("SELECT DISTINCT poll FROM pollbook_log ORDER BY poll")))


def tend(engine: sa.Engine, key_of: Seal, at: datetime) -> Iterator[str]:
    """Seals, reports, and looks at members' signatures, once for every poll that can be signed for here; says what failed.

    Each poll by itself, and each of its acts: whatever fails, a defect included, keeps nothing else from being done.
    """
    with engine.connect() as connection:
        polls = polls_with_logs(connection)
    for poll in polls:
        key = key_of(poll)
        if key is None:
            continue
        faults = [fault for name, act in ACTS.items() if (fault := _failed(engine, name, act, poll, key, at))]
        with engine.begin() as connection:
            sealing.note_fault(connection, poll, "; ".join(faults))
        yield from (f"{poll}: {fault}" for fault in faults)


Act = Callable[[Connection, str, Ed25519PrivateKey, datetime], object]


def _withdraw(connection: Connection, poll: str, key: Ed25519PrivateKey, at: datetime) -> None:
    withdraw(connection, load_poll(connection, poll), key, at)


def _report(connection: Connection, poll: str, key: Ed25519PrivateKey, at: datetime) -> None:
    report(connection, load_poll(connection, poll), at)


def _look_at_signatures(connection: Connection, poll: str, key: Ed25519PrivateKey, at: datetime) -> None:
    hand_outs.check(connection, poll, at)


ACTS: Mapping[str, Act] = {
    "check-ins wait to be sealed": seal,
    "withdrawals wait": _withdraw,
    "turnout reports wait": _report,
    "members' signatures wait to be looked at": _look_at_signatures,
}
"""What is done every minute, each in a transaction of its own, and what it means when that fails."""


def _failed(engine: sa.Engine, name: str, act: Act, poll: str, key: Ed25519PrivateKey, at: datetime) -> str:
    """Why an act of the minute was not done; empty where it was."""
    try:
        with engine.begin() as connection:
            act(connection, poll, key, at)
    except (DauysError, *FAULTS) as error:
        return f"{name}: {str(error).partition(chr(10))[0]}"
    except Exception as error:  # noqa: BLE001 - the next minute tries again, and meanwhile the other polls are served
        return f"{name}: {defect(error)}"
    return ""


def defect(error: Exception) -> str:
    """A defect of the program: of which kind, and where; its text may name a voter."""
    last = extract_tb(error.__traceback__)[-1]
    return f"a defect, {type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
