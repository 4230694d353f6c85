"""What joins the pollbook with its poll: the ways to vote, what enters the record, and the turnout reports out of it.

Each function works in the caller's transaction. `tend` is what the centre does by itself, again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.law.facts import Facts
from dauys.law.files import Node
from dauys.law.packs import pack_names
from dauys.law.rules import Book
from dauys.law.snapshot import Snapshot, rules_on
from dauys.law.system import load_system
from dauys.pollbook import envelopes_centre, hand_outs, returns, sealing, withdrawals
from dauys.pollbook.centre_sums import reaching, reports_at
from dauys.pollbook.channels import ENVELOPE, PAPER_FIRST, REMOTE, Channels, channels_on, voting_of
from dauys.pollbook.envelopes import Rule
from dauys.polls.opening import load_poll
from dauys.record import log
from dauys.record.entry import sign_entry
from dauys.registers.poll import Poll
from dauys.roll.lookup import terms_of
from dauys.stations.ledger import is_closed, lock
from dauys.stations.turnout import Reports, report_turnout
from dauys.store.engine import Connection

NO_LOG = (REMOTE, PAPER_FIRST)
NOT_HERE = "no electronic channel is connected: nothing would keep its log (docs/pollbook.md)"
"""What a poll's rules, or a law to come, may name and no command here makes."""

POLLBOOK = "pollbook"
"""Who sends in turnout reports that come out of the stations' logs."""

Seal = Callable[[str], Ed25519PrivateKey | None]
"""The commission's key of a poll; None where this installation does not hold it."""


def channels_of(poll: Poll) -> Channels:
    """The ways to vote in a poll: what it lays down itself, and the law of its day in the pack that its id begins with.

    A poll of no pack, or of one without law as data, has its own rules alone. Raises BadInput for rules that are none.
    """
    own = voting_of(None if poll.voting is None else Node.of(dict(poll.voting)))
    for name in NO_LOG:
        if name in own and own[name].on:
            raise BadInput(NOT_HERE, field=f"voting.{name}", expected="a poll without it")
    found = channels_on(_law_of(poll), poll.kind, poll.timezone, own)
    named = {name: found.rulings[name] for name in NO_LOG if name in found.rulings}
    off = {name: replace(one, state="off", reason=NOT_HERE) for name, one in named.items() if one.on}
    return replace(found, rulings={**found.rulings, **off})


def check_ways(poll: Poll, file: Path) -> None:
    """Raises BadInput, naming the file, where a poll's own rules (`voting:`) are none: before it is opened, not on the day."""
    if poll.voting is None:
        return
    try:
        channels_of(poll)
        terms_of(poll, _law_of(poll))
    except BadInput as fault:
        inside = (fault.field or "").removeprefix("voting").lstrip(".")
        field = f"voting.{inside}" if inside else "voting"
        raise BadInput(fault.message, file=file, field=field, found=fault.found, expected=fault.expected) from None


def _law_of(poll: Poll) -> Snapshot:
    pack = poll.id.partition("/")[0]
    if pack in pack_names():
        try:
            return load_system(pack).rules(poll.day)
        except DauysError:  # a pack of areas and forms alone
            pass
    return rules_on(Book({}), poll.day, Facts())


def seal(
    connection: Connection, poll: str, key: Ed25519PrivateKey, at: datetime, station: str | None = None
) -> int:  # fmt: skip
    """Puts every check-in (of one station) that is not in the record yet into it, as commitments signed by the commission.

    Returns how many entries that took.
    """
    lock(connection, poll)  # the record before the logs, as intake does: nobody waits for both
    entries = [sign_entry(entry, key) for entry in sealing.seal(connection, poll, at, station)]
    log.append(connection, poll, entries)
    return len(entries)


def withdraw(connection: Connection, poll: Poll, key: Ed25519PrivateKey, at: datetime) -> withdrawals.Settled:
    """Withdraws the rights that were asked back and that nobody can use any more, as entries signed by the commission."""
    lock(connection, poll.id)
    returns.hand_back_kept(connection, poll, at)
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
    return envelopes_centre.envelopes_of(connection, poll.id, rule_of_envelopes(poll))


def resolve_envelopes(connection: Connection, poll: Poll, key: Ed25519PrivateKey, at: datetime, final: bool) -> int:
    """Resolves the envelopes once every log is complete, or, `final`, without those that are missing; how many that were.

    What waits to be withdrawn or sealed goes before. Raises DauysError: the poll is closed; `final` before its closing hour.
    """
    lock(connection, poll.id)
    if is_closed(connection, poll.id):
        raise DauysError(f"{poll.id} is closed: an envelope that is not resolved does not count")
    if final and at < (last := max(poll.closing(area.code) for area in poll.areas)):
        raise DauysError(f"the last station closes at {last:%d.%m. %H:%M}: until then --final is too early")
    withdraw(connection, poll, key, at)
    seal(connection, poll.id, key, at)
    return envelopes_centre.settle(connection, poll.id, rule_of_envelopes(poll), key, at, final)


def report(connection: Connection, poll: Poll, at: datetime) -> int:
    """Sends in the turnout reports of the hours that are over, of each station whose log reaches past the hour.

    `received` are the check-ins that stood then by the station's own clock, `eligible` the rights held there. A station
    that reported by hand is left alone. Returns how many reports that made.
    """
    lock(connection, poll.id)
    if is_closed(connection, poll.id):
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

    Each poll by itself.
    """
    with engine.connect() as connection:
        polls = polls_with_logs(connection)
    for poll in polls:
        key = key_of(poll)
        if key is None:
            continue
        try:
            with engine.begin() as connection:
                seal(connection, poll, key, at)
            with engine.begin() as connection:
                opened = load_poll(connection, poll)
                withdraw(connection, opened, key, at)
                report(connection, opened, at)
            with engine.begin() as connection:
                hand_outs.check(connection, poll, at)
        except (DauysError, sa.exc.SQLAlchemyError) as error:
            yield f"{poll}: check-ins wait to be sealed, or reports to be made: {error}"
