"""What does the centre answer to a station? One signed answer to each batch: what it has, what it asks for, what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.law.files import Node
from dauys.pollbook.centre import decided, giving, moves, unasked
from dauys.pollbook.centre import take as centre
from dauys.pollbook.centre.locks import lock_log, lock_station
from dauys.pollbook.centre.mark import must_be_whole, newest
from dauys.pollbook.centre.predicates import COMPLETE
from dauys.pollbook.centre.take import Outcome
from dauys.pollbook.centre.together import stirred, take_together
from dauys.pollbook.log import words
from dauys.pollbook.log.events import Event, LogError, LogId, is_channel
from dauys.pollbook.packing import lists
from dauys.pollbook.put_back import enrolling, restored
from dauys.pollbook.rules.channels import Channels, NotAllowed
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.decided import unlisted
from dauys.pollbook.rules.grants import BOOKS, LEASE, Answer, Request
from dauys.pollbook.rules.holders import CERTIFICATE, WITHDRAWN
from dauys.pollbook.serving import visitors
from dauys.pollbook.serving.visitors import Asked
from dauys.pollbook.settling import homeward, named
from dauys.pollbook.wire.package import Enrolment, proves
from dauys.pollbook.wire.questions import Question
from dauys.pollbook.wire.received import Sent
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

KeyOf = Callable[[str], Ed25519PrivateKey]
"""The centre's key for a poll."""


HOUR = timedelta(hours=1)
QUESTIONS = 600
"""How many voters a station may ask for within an hour, unless the centre says otherwise: one each six seconds, or all at once.
Whoever steals a machine learns by it where some people vote, not a nation. The electronic channel asks for everybody."""

OF_A_VOTER = ("find", "envelope")
"""Questions with somebody's IIN."""


def enrol(connection: Connection, enrolment: Enrolment, at: datetime) -> None:
    """Begins a station's log under the key that whoever has the code sends; the first one counts.

    Raises CustodyError P.019, P.090.
    """
    log = enrolment.log
    lock_station(centre.cursor(connection), log.poll, log.station)  # a package is not voided between look and note
    must_prove(connection, enrolment)
    enrolling.may_enrol(connection, log, enrolment.key)
    if centre.enrol(connection, log, enrolment.key, at):
        homeward.welcome(connection, log, at)


def must_prove(connection: Connection, enrolment: Enrolment) -> None:
    """Raises CustodyError P.019 for an enrolment that is not made with the code of a package that there is."""
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


def answer(connection: Connection, batches: Sequence[Sent], at: datetime, key: KeyOf) -> list[bytes | LogError]:
    """Takes batches, and says to each station what the centre has of its log now. Commit before anything is sent.

    A LogError (P.003, P.004) stands in the place of a batch that was refused; the others are taken all the same.
    """
    said = answers(connection, batches, at, key)
    return [one if isinstance(one, LogError) else one.to_bytes(key(one.log.poll)) for one in said]


def answers(connection: Connection, batches: Sequence[Sent], at: datetime, key: KeyOf) -> list[Answer | LogError]:
    """The same, not signed yet: what the transaction has no part in can wait for its end."""
    outcomes = take_together(connection, batches, at, lambda poll: key(poll).public_key().public_bytes_raw())
    heard = [batch.log for batch, outcome in zip(batches, outcomes, strict=True) if isinstance(outcome, Outcome)]
    stir = stirred(connection, heard) if heard else set()
    said: list[Answer | LogError] = []
    for batch, outcome in zip(batches, outcomes, strict=True):
        if isinstance(outcome, LogError):
            said.append(outcome)
            continue
        log, machine = batch.log, outcome.machine
        lease = None if outcome.stopped else at + LEASE
        plain = Answer(
            log, outcome.key, words.digest(batch.to_bytes()), outcome.acknowledged, outcome.send_from, outcome.stopped, lease,
            lost=machine.lost,
        )  # fmt: skip
        if outcome.stopped:  # neither lease nor rights
            said.append(plain)
        elif not machine.sound and outcome.send_from is None:  # first of all
            asks = Request(newest(centre.cursor(connection), log.poll), UUID(int=0), 0, BOOKS)
            said.append(replace(plain, requests=(asks,)))
        elif (log.poll, log.holder) in stir:
            said.append(_with_rights(connection, plain, at, key(log.poll)))
        else:
            said.append(plain)
    return said


def _with_rights(connection: Connection, plain: Answer, at: datetime, key: Ed25519PrivateKey) -> Answer:
    """The answer to a station that asked for rights, is asked for some, or is given some."""
    log = plain.log
    grants = tuple(given.signed(key) for given in moves.grant_what_can_be(connection, log, at))
    requests = moves.asked_of(connection, log, at)
    unasked.told(connection, log, requests, at)
    fates = unasked.fates(connection, log, at)
    return replace(plain, requests=requests, grants=grants, fates=fates)


def reply(
    connection: Connection, asked: Question, vault: Vault, channels: Channels, at: datetime, most: int = QUESTIONS
) -> dict[str, Any]:
    """Answers a question of an enrolled station, and writes down that it was asked; commit before it is sent.

    `find` brings the right of who was added since his station's list was made; by `withdrawn` a list of since the copy shows that
    the commission has a right (`decided.off_its_list`). Raises LogError P.003, P.004, P.041 for a stopped
    station, P.078 for a machine that was declared lost (it may ask whose the envelopes in its log are), P.079 for the voter after
    `most` in an hour, and P.007 where it was asked before; CustodyError as `moves.ask` does, and P.026, P.035 where the law does
    not let the voter vote there; BadInput for a body that is none.
    """
    log = asked.log
    cur = centre.cursor(connection)
    row = cur.execute(
        "SELECT id, key, stopped, lost FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s)",
        (log.poll, log.station, log.generation),
    ).fetchone()
    if row is None or not row.key:
        raise LogError(f"{log} is not enrolled here", "P.003")
    if not asked.good(bytes(row.key)):
        raise LogError(f"the question is not signed by the key with which station {log.station} was enrolled", "P.004")
    if row.stopped:
        raise LogError(f"the station is stopped: {row.stopped}", "P.041")
    if asked.what == "whole":  # of a lost machine's log, too
        return {"whole": restored.whole(connection, log, Node.of(dict(asked.body)))}
    if row.lost and asked.what != "envelope":  # whose those are that lie in its log, it alone may know
        raise not_of_the_lost(log)
    if asked.what in OF_A_VOTER and not is_channel(log.holder) and _asked_since(cur, row.id, at - HOUR) >= most:
        raise LogError(f"station {log.station} has asked for {most:,} voters within an hour; call the centre", "P.079")
    must_be_whole(cur, log.poll)
    body = Node.of(dict(asked.body))
    if asked.what == "find":
        parts = body.mapping(("iin", "born")) if is_channel(log.holder) else body.mapping(("iin",), ("n", "epoch"))
        born = parts["born"].text() if "born" in parts else None
        without = {
            name: parts[name].integer(0, 32_767 if name == "epoch" else None) for name in parts.keys() - {"iin", "born"}
        }
        found, said = _find(connection, vault, log, parts["iin"].text(), born, without, channels, at)
    elif asked.what == "envelope":
        parts = body.mapping(("id", "iin"))
        found = named.whose(connection, vault, log, _uuid(parts["id"]), parts["iin"].text())
        said = {"entitlement": None if found is None else str(found)}
    elif asked.what == "withdrawn":
        parts = body.mapping(("entitlement", "n", "epoch"))
        found, n, epoch = _uuid(parts["entitlement"]), parts["n"].integer(0, None), parts["epoch"].integer(1, 32_767)
        said = {"withdrawn": decided.off_its_list(connection, found, log, n=n, epoch=epoch, to=WITHDRAWN)}
    elif asked.what == "call-off":
        found = _uuid(body.mapping(("entitlement",))["entitlement"])
        off, heard = unasked.call_off(connection, found, log)
        said = {"off": off, "heard": heard}
    else:
        parts = body.mapping(("request", "entitlement"))
        found, request = _uuid(parts["entitlement"]), parts["request"].text()
        paper = _must_be_allowed(connection, log, found, channels, at)
        moves.ask(connection, request, found, log, at, paper=paper)
        said = {"request": request}
    noted = cur.execute(
        "INSERT INTO pollbook_question (log, at, what, entitlement, sig) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (row.id, at, asked.what, found, asked.sig),
    )
    if not noted.rowcount:
        raise LogError("this question was asked before; it is answered once", "P.007")
    return said


def not_of_the_lost(log: LogId) -> LogError:
    """The refusal of whatever a machine that was declared lost sends, but its log."""
    return LogError(
        f"the machine {log.generation} of station {log.station} was declared lost: it may send its log", "P.078"
    )


def _asked_since(cur: centre.Cursor, log: int, since: datetime) -> int:
    """How many voters a station has asked for."""
    query = "SELECT count(*) AS n FROM pollbook_question WHERE log = %s AND at > %s AND what = ANY(%s)"
    row = cur.execute(query, (log, since, list(OF_A_VOTER))).fetchone()
    return int(row.n) if row else 0


def _find(
    connection: Connection, vault: Vault, log: LogId, iin: str, born: str | None, without: Mapping[str, int],
    channels: Channels, at: datetime,
) -> tuple[UUID | None, dict[str, Any]]:  # fmt: skip
    """Where a voter's right is. Who he is goes only to a station at which the law of the day may let him vote.

    `born`, from the electronic channel alone: of whom it does not say the day of birth nothing is said, as of nobody. Whoever
    types there is not seen by an officer. `without`: how far the log goes (`n`) that does not have him, and in which `epoch` not.
    """
    standing = lists.find(connection, vault, log.poll, iin)
    if born is not None and standing is not None and standing.voter.born != born:
        standing = None
    if standing is not None and standing.holder in (unlisted(log.station), log.holder):
        with suppress(CustodyError), connection.begin_nested():  # it cannot be given: the answer says who holds it
            lock_log(centre.cursor(connection), log)  # before the right (pollbook.centre.locks)
            if standing.holder == log.holder:
                decided.off_its_list(
                    connection, standing.voter.entitlement, log, n=without.get("n", -1), epoch=without.get("epoch", 0)
                )
            given = decided.add(
                connection, f"addition/{standing.voter.entitlement}", standing.voter.entitlement, log, at
            )
            voter = replace(standing.voter, epoch=given.epoch, away=given.to)
            standing = replace(standing, holder=given.to, voter=voter)
    if standing is None:
        return None, {"found": False}
    asked, address = _asked(connection, log, standing.home, standing.holder)
    # whoever asks first gets what was let go, also who let it go; but not what the commission has asked for
    if standing.let_go or standing.holder == log.holder:
        back = giving.asked_back(centre.cursor(connection), log.poll, standing.voter.entitlement)
        asked = replace(asked, left=standing.let_go or asked.left, holder=WITHDRAWN if back else asked.holder)
    asked = replace(asked, gone=decided.is_gone(connection, log.poll, standing.voter.entitlement))
    said = visitors.found(log, asked, channels, at, used=standing.used, address=address, line=standing.voter)
    if said["line"] is not None:
        said["let_go"] = standing.let_go
        if unasked.in_box(centre.cursor(connection), log.poll, standing.voter.entitlement, standing.holder):
            said["mobile"] = True
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
    query = f"SELECT FROM pollbook_log l WHERE poll = %s AND holder = %s AND {COMPLETE}"
    left = centre.cursor(connection).execute(query, (log.poll, holder)).rowcount > 0
    return Asked(home, holder, place.settlement, here.settlement, left), place.address


def _must_be_allowed(connection: Connection, log: LogId, who: UUID, channels: Channels, at: datetime) -> bool:
    """Raises CustodyError P.022, P.026, P.035: the centre grants nothing that the law does not know, whatever a station asks.

    Whether he may vote on paper here although he voted electronically.
    """
    row = centre.cursor(connection).execute(
        "SELECT home, holder FROM entitlement WHERE poll = %s AND id = %s", (log.poll, who)
    ).fetchone()  # fmt: skip
    if row is None:
        return False  # asking says so
    asked = _asked(connection, log, row.home, row.holder)[0]
    try:
        visitors.must_be_allowed(log, asked, channels)
    except NotAllowed as error:
        raise CustodyError(error.message, error.check, error.cite) from None
    return visitors.paper_replaces(log, asked, channels, at)


def _uuid(node: Node) -> UUID:
    try:
        return UUID(node.text())
    except ValueError:
        node.fail("not an entitlement", expected="a UUID")
