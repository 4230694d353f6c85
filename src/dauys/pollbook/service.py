"""What does the centre answer to a station? One signed answer to each batch: what it has, what it asks for, what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.law.files import Node
from dauys.pollbook import centre, lists, moves
from dauys.pollbook.centre import Outcome
from dauys.pollbook.channels import ANY_STATION, Channels, NotAllowed, Ruling, certificate_elsewhere
from dauys.pollbook.custody import CERTIFICATE, CustodyError
from dauys.pollbook.grants import Answer
from dauys.pollbook.log import LogError, LogId
from dauys.pollbook.package import Enrolment, proves
from dauys.pollbook.questions import Question
from dauys.pollbook.received import Sent
from dauys.pollbook.together import stirred, take_together
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

    Raises LogError P.003, P.004; CustodyError as `moves.ask` and `moves.add` do; BadInput for a body that is none.
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
    match asked.what:
        case "find":
            found, said = _find(connection, vault, log, body.mapping(("iin",))["iin"].text(), channels)
        case "ask":
            parts = body.mapping(("request", "entitlement"))
            found = _uuid(parts["entitlement"])
            _not_at_home(connection, log, found, channels)
            moves.ask(connection, parts["request"].text(), found, log, at)
            said = {"request": parts["request"].text()}
        case _:
            parts = body.mapping(("request", "person"))  # who he is said to be; the roll knows him by the IIN alone
            person = parts["person"].mapping(("iin",), ("born", "surname", "given", "patronymic", "address"))
            iin = person["iin"].text()
            found = UUID(bytes=vault.entitlement(log.poll, vault.voter(iin)))
            moves.add(connection, parts["request"].text(), found, log, at)
            standing = lists.find(connection, vault, log.poll, iin)
            said = {"entitlement": str(found), "line": None if standing is None else standing.voter.to_json()}
    cur.execute(
        "INSERT INTO pollbook_question (log, at, what, entitlement) VALUES (%s, %s, %s, %s)",
        (row.id, at, asked.what, found),
    )
    return said


def _find(
    connection: Connection, vault: Vault, log: LogId, iin: str, channels: Channels
) -> tuple[UUID | None, dict[str, Any]]:
    """Where a voter's right is. Who he is goes only to a station at which the law of the day may let him vote."""
    standing = lists.find(connection, vault, log.poll, iin)
    if standing is None:
        return None, {"found": False}
    here, carried = standing.holder == log.holder, standing.holder == CERTIFICATE
    way = CERTIFICATE if carried else ANY_STATION
    home = lists.place_of(connection, log.poll, standing.home)
    said: dict[str, Any] = {"found": True, "home": standing.home, "home_address": home.address,
                            "holder": standing.holder, "used": standing.used}  # fmt: skip
    ruling = channels[way]
    if carried and ruling.on and (no := _at_home(connection, log, standing.home, ruling)) is not None:
        why = {"check": no.check, "cite": no.cite, "message": no.message}
        return standing.voter.entitlement, said | {"line": None, "why": why}
    if here or ruling.on:
        return standing.voter.entitlement, said | {"line": standing.voter.to_json(), "why": None}
    message = f"{way} is off: {ruling.reason}; the voter votes at station {standing.home}"
    return standing.voter.entitlement, said | {
        "line": None,
        "why": {"check": "P.026", "cite": ruling.cite, "message": message},
    }


def _at_home(connection: Connection, log: LogId, home: str, ruling: Ruling) -> NotAllowed | None:
    """Why a certificate of a voter of `home` is not for this station, if it is not (P.035)."""
    at_home, here = (lists.place_of(connection, log.poll, station).settlement for station in (home, log.station))
    try:
        certificate_elsewhere(at_home, here, ruling)
    except NotAllowed as error:
        return error
    return None


def _not_at_home(connection: Connection, log: LogId, who: UUID, channels: Channels) -> None:
    """Raises CustodyError P.035 for a certificate that is shown within the settlement of the voter's own station."""
    row = centre.cursor(connection).execute(
        "SELECT home, holder FROM entitlement WHERE poll = %s AND id = %s", (log.poll, who)
    ).fetchone()  # fmt: skip
    if row is not None and row.holder == CERTIFICATE:
        no = _at_home(connection, log, row.home, channels[CERTIFICATE])
        if no is not None:
            raise CustodyError(f"{no.message} ({no.cite})", no.check)


def _uuid(node: Node) -> UUID:
    try:
        return UUID(node.text())
    except ValueError:
        node.fail("not an entitlement", expected="a UUID")
