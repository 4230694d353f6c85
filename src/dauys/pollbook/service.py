"""What does the centre answer to a station? One signed answer to each batch: what it has, what it asks for, what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.law.files import Node
from dauys.pollbook import centre, lists, moves, visitors
from dauys.pollbook.centre import Outcome
from dauys.pollbook.channels import Channels, NotAllowed
from dauys.pollbook.custody import CERTIFICATE, CustodyError
from dauys.pollbook.decided import unlisted
from dauys.pollbook.grants import Answer
from dauys.pollbook.log import Event, LogError, LogId
from dauys.pollbook.package import Enrolment, proves
from dauys.pollbook.questions import Question
from dauys.pollbook.received import Sent
from dauys.pollbook.together import stirred, take_together
from dauys.pollbook.visitors import Asked
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

KeyOf = Callable[[str], Ed25519PrivateKey]
"""The centre's key for a poll."""

LEASE = timedelta(hours=16)
"""How long a station may check in after it was last heard: a polling day and its evening. No right moves when it ends."""


def enrol(connection: Connection, enrolment: Enrolment, at: datetime) -> None:
    """Begins a station's log under the key that whoever has the code sends; the first one counts.

    Raises CustodyError P.019.
    """
    log = enrolment.log
    moves.lock_station(
        centre.cursor(connection), log.poll, log.station
    )  # a package is not voided between look and note
    row = (
        centre.cursor(connection)
        .execute(
            "SELECT proof FROM pollbook_package WHERE (poll, station, generation) = (%s, %s, %s)",
            (log.poll, log.station, log.generation),
        )
        .fetchone()
    )
    if row is None or not proves(enrolment, bytes(row.proof)):
        raise CustodyError(
            "the enrolment is not made with the code of this package; ask the centre for a new one", "P.019"
        )
    centre.enrol(connection, log, enrolment.key, at)


def answer(connection: Connection, batches: Sequence[Sent], at: datetime, key: KeyOf) -> list[bytes | LogError]:
    """Takes batches, and says to each station what the centre has of its log now. Commit before anything is sent.

    A LogError (P.003, P.004) stands in the place of a batch that was refused; the others are taken all the same.
    """
    said = answers(connection, batches, at, key)
    return [one if isinstance(one, LogError) else one.to_bytes(key(one.log.poll)) for one in said]


def answers(connection: Connection, batches: Sequence[Sent], at: datetime, key: KeyOf) -> list[Answer | LogError]:
    """The same, not signed yet: what the transaction has no part in can wait for its end."""
    outcomes = take_together(connection, batches, at)
    heard = [batch.log for batch, outcome in zip(batches, outcomes, strict=True) if isinstance(outcome, Outcome)]
    stir = stirred(connection, heard) if heard else set()
    said: list[Answer | LogError] = []
    for batch, outcome in zip(batches, outcomes, strict=True):
        log = batch.log
        if isinstance(outcome, LogError):
            said.append(outcome)
        elif (log.poll, log.holder) in stir and not outcome.stopped:
            said.append(_with_rights(connection, log, outcome, at, key(log.poll)))
        else:  # a stopped station gets neither lease nor rights
            lease = None if outcome.stopped else at + LEASE
            said.append(Answer(log, outcome.acknowledged, outcome.send_from, outcome.stopped, lease))
    return said


def _with_rights(connection: Connection, log: LogId, outcome: Outcome, at: datetime, key: Ed25519PrivateKey) -> Answer:
    """The answer to a station that asked for rights, is asked for some, or is given some."""
    grants = tuple(given.signed(key) for given in moves.grant_what_can_be(connection, log, at))
    requests = moves.asked_of(connection, log)
    return Answer(log, outcome.acknowledged, outcome.send_from, "", at + LEASE, requests, grants)


def reply(connection: Connection, asked: Question, vault: Vault, channels: Channels, at: datetime) -> dict[str, Any]:
    """Answers a question of an enrolled station, and writes down that it was asked; commit before it is sent.

    `find` brings the right of who was added since his station's list was made. Raises LogError P.003, P.004, and P.007 where it
    was asked before; CustodyError as `moves.ask` does, and P.026, P.035 where the law does not let the voter vote there; BadInput
    for a body that is none.
    """
    log = asked.log
    cur = centre.cursor(connection)
    row = cur.execute(
        "SELECT id, key, stopped FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s)",
        (log.poll, log.station, log.generation),
    ).fetchone()
    if row is None:
        raise LogError(f"{log} is not enrolled here", "P.003")
    if row.stopped or not asked.good(bytes(row.key)):
        raise LogError(f"the question is not signed by the key with which station {log.station} was enrolled", "P.004")
    body = Node.of(dict(asked.body))
    if asked.what == "find":
        found, said = _find(connection, vault, log, body.mapping(("iin",))["iin"].text(), channels, at)
    else:
        parts = body.mapping(("request", "entitlement"))
        found, request = _uuid(parts["entitlement"]), parts["request"].text()
        _must_be_allowed(connection, log, found, channels)
        moves.ask(connection, request, found, log, at)
        said = {"request": request}
    noted = cur.execute(
        "INSERT INTO pollbook_question (log, at, what, entitlement, sig) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (row.id, at, asked.what, found, asked.sig),
    )
    if not noted.rowcount:
        raise LogError("this question was asked before; it is answered once", "P.007")
    return said


def _find(
    connection: Connection, vault: Vault, log: LogId, iin: str, channels: Channels, at: datetime
) -> tuple[UUID | None, dict[str, Any]]:
    """Where a voter's right is. Who he is goes only to a station at which the law of the day may let him vote."""
    standing = lists.find(connection, vault, log.poll, iin)
    if standing is not None and standing.holder == unlisted(log.station):
        with suppress(CustodyError):  # this station cannot take it: the answer says who holds it
            given = moves.add(connection, f"addition/{standing.voter.entitlement}", standing.voter.entitlement, log, at)
            voter = replace(standing.voter, epoch=given.epoch, away=given.to)
            standing = replace(standing, holder=given.to, voter=voter)
    if standing is None:
        return None, {"found": False}
    asked, address = _asked(connection, log, standing.home, standing.holder)
    said = visitors.found(log, asked, channels, used=standing.used, address=address, line=standing.voter)
    if said["line"] is not None and standing.holder == CERTIFICATE:
        said["certificate"] = _certificate(connection, log.poll, standing.voter.entitlement)
    return standing.voter.entitlement, said


def _certificate(connection: Connection, poll: str, who: UUID) -> str:
    """The number printed on the certificate that a voter carries; empty where it is not known."""
    row = centre.cursor(connection).execute(
        "SELECT e.body FROM pollbook_event e JOIN pollbook_log l ON l.id = e.log "
        "WHERE l.poll = %s AND e.entitlement = %s AND e.kind = 'certificate' ORDER BY e.at DESC, e.n DESC LIMIT 1",
        (poll, who),
    ).fetchone()  # fmt: skip
    return "" if row is None else str(Event.from_bytes(bytes(row.body)).body["number"])


def _asked(connection: Connection, log: LogId, home: str, holder: str) -> tuple[Asked, str]:
    """What decides whether a voter of `home` may vote here, and the address of his own station."""
    place, here = (lists.place_of(connection, log.poll, station) for station in (home, log.station))
    query = "SELECT closed AND stopped = '' AS complete FROM pollbook_log WHERE poll = %s AND holder = %s"
    row = centre.cursor(connection).execute(query, (log.poll, holder)).fetchone()
    left = row is not None and row.complete
    return Asked(home, holder, place.settlement, here.settlement, left), place.address


def _must_be_allowed(connection: Connection, log: LogId, who: UUID, channels: Channels) -> None:
    """Raises CustodyError P.026, P.035: the centre grants nothing that the law does not know, whatever a station asks."""
    row = centre.cursor(connection).execute(
        "SELECT home, holder FROM entitlement WHERE poll = %s AND id = %s", (log.poll, who)
    ).fetchone()  # fmt: skip
    if row is None:
        return  # asking says so
    try:
        visitors.must_be_allowed(log, _asked(connection, log, row.home, row.holder)[0], channels)
    except NotAllowed as error:
        raise CustodyError(str(error).removeprefix(f"[{error.check}] "), error.check) from None


def _uuid(node: Node) -> UUID:
    try:
        return UUID(node.text())
    except ValueError:
        node.fail("not an entitlement", expected="a UUID")
