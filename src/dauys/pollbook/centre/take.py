"""What does the centre do with a station's batch? The rules of `pollbook.rules.custody`, by SQL, in the caller's transaction.

Each function does what the function of that name does to the pure `custody.Centre`; a test drives both with the same
events and compares. Batches of one log wait for each other, those of different logs do not. A run of check-ins is one
conditional UPDATE (holder is this log and state is unused): a right that is used twice cannot be written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dauys.pollbook.centre.late import off_an_earlier_list, onto_the_next_list
from dauys.pollbook.centre.locks import lock_station
from dauys.pollbook.centre.mark import asked_before, given_before, is_clear, let_go_before
from dauys.pollbook.centre.predicates import RELEASED, STRAY, UNUSED
from dauys.pollbook.centre.row import Cursor as Cursor
from dauys.pollbook.centre.row import Row as Row
from dauys.pollbook.centre.row import alarm
from dauys.pollbook.centre.row import cursor as cursor
from dauys.pollbook.centre.typed import line_of, used_by
from dauys.pollbook.log.events import AFTER_CLOSE, PAPER, Batch, Event, Head, LogError, LogId, verify_batch
from dauys.pollbook.rules.custody import CustodyError
from dauys.pollbook.rules.grants import back_request
from dauys.pollbook.rules.holders import CERTIFICATE, WITHDRAWN
from dauys.pollbook.rules.known import BESIDE_ITS_PAPER, HEARD, UNDONE_BESIDE_ITS_PAPER, Alarm, Heard, use_of_line
from dauys.store.engine import Connection

CHANNEL = "dauys_pollbook"
"""What processes of the centre listen to: poll and holder of whom there is word for (pollbook.serving.waiting)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a batch, signed with `key`: how far the log is acknowledged, and what the station is to do."""

    acknowledged: Head
    key: bytes
    send_from: int | None = None
    stopped: str = ""
    alarms: tuple[Alarm, ...] = ()
    machine: Heard = HEARD


def enrol(connection: Connection, log: LogId, key: bytes, at: datetime) -> bool:
    """A station's log begins, under its 32-byte public key; again with the same key changes nothing. Whether it begins now.

    Raises CustodyError P.019: another key, not the next generation, or the last generation is not declared lost.
    """
    cur = cursor(connection)
    lock_station(cur, log.poll, log.station)
    earlier = cur.execute(
        "SELECT generation, key, lost FROM pollbook_log WHERE poll = %s AND station = %s", (log.poll, log.station)
    ).fetchall()
    same = next((row for row in earlier if row.generation == log.generation), None)
    if same is not None:
        if bytes(same.key) != key:
            raise CustodyError(f"{log} is enrolled with another key; enrol the next generation", "P.019")
        return False
    machines = [row for row in earlier if row.generation <= PAPER]
    if log.paper_of is not None:
        machines = [row for row in machines if row.generation == log.paper_of.generation]
    elif log.generation != len(machines) + 1:
        raise CustodyError(f"{log} is not the next generation of a station of {log.poll}", "P.019")
    if not all(row.lost for row in machines) or (log.paper_of is not None and not machines):
        raise CustodyError(f"station {log.station} works; declare it lost before it is enrolled again", "P.019")
    cur.execute(
        "INSERT INTO pollbook_log (poll, station, generation, holder, key, head, heard) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (log.poll, log.station, log.generation, log.holder, key, log.start, at),
    )
    return True


def declare_lost(connection: Connection, log: LogId) -> None:
    """The commission gives a station's machine up. Custody stays where it is: the log may be found, or still grow."""
    cursor(connection).execute(
        "UPDATE pollbook_log SET lost = true WHERE (poll, station, generation) = (%s, %s, %s)",
        (log.poll, log.station, log.generation),
    )


def take(connection: Connection, batch: Batch, at: datetime, centre: bytes = b"") -> Outcome:
    """Stores and applies what is new in a batch (`Batch.from_bytes` has checked its chain).

    Raises LogError P.003 (not enrolled), P.004 (not its key). What breaks a rule of custody is stored with an alarm.
    """
    cur = cursor(connection)
    log = batch.log
    found = cur.execute(
        "SELECT id, key, n, head, closed, stopped, check_ins, sound, lost FROM pollbook_log "
        "WHERE (poll, station, generation) = (%s, %s, %s) FOR UPDATE",
        (log.poll, log.station, log.generation),
    ).fetchone()
    if found is None or not found.key:  # without: known by its number alone, since the centre was put back from a copy
        raise LogError(f"{log} is not enrolled here", "P.003")
    key = bytes(found.key)
    verify_batch(batch, key)
    here = Head(found.n, found.head)
    if found.stopped:
        return Outcome(here, key, stopped=found.stopped)
    if batch.first > here.n + 1:
        return Outcome(here, key, send_from=here.n + 1, machine=Heard(found.sound, found.lost))
    machine = Heard(found.sound, found.lost)
    row = Row(found.id, log, key, found.n, found.head, found.closed, found.check_ins, centre, machine)
    if (n := _parting(cur, row, batch)) is not None:
        text = f"two histories: event {n} was another one before"
        raised = alarm(cur, row, n, None, "P.106", text, at)
        cur.execute("UPDATE pollbook_log SET stopped = %s, heard = %s WHERE id = %s", (text, at, row.id))
        return Outcome(here, key, stopped=text, alarms=(raised,))
    new = batch.events[here.n + 1 - batch.first :]
    if new:
        _store(cur, row, new)
    alarms = tuple(_apply(cur, row, new, at))
    whole = None if batch.events else at  # a sign of life: there is nothing more to send
    cur.execute(
        "UPDATE pollbook_log SET n = %s, head = %s, closed = %s, check_ins = %s, heard = %s, whole = coalesce(%s, whole) "
        "WHERE id = %s",
        (row.n, row.head, row.closed, row.check_ins, at, whole, row.id),
    )
    if row.closed and not found.closed:
        onto_the_next_list(cur, log.poll, log.station)
    return Outcome(Head(row.n, row.head), key, alarms=alarms, machine=machine)


def _parting(cur: Cursor, row: Row, batch: Batch) -> int | None:
    """The first event in which a batch differs from what is here of the log; None where it does not."""
    said = [batch.events[0].prev if batch.events else batch.head, *(event.head.hash for event in batch.events)]
    theirs = dict(enumerate(said, batch.first - 1))
    ours = {0: row.log.start, row.n: row.head}
    if batch.first - 1 < row.n:
        rows = cur.execute(
            "SELECT n, encode(sha256(body), 'hex') AS hash FROM pollbook_event WHERE log = %s AND n BETWEEN %s AND %s",
            (row.id, batch.first - 1, max(theirs)),
        )
        ours |= {one.n: one.hash for one in rows}
    return next((n for n in sorted(theirs.keys() & ours.keys()) if theirs[n] != ours[n]), None)


def _store(cur: Cursor, row: Row, events: Sequence[Event]) -> None:
    with cur.copy("COPY pollbook_event (log, n, kind, entitlement, at, body) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int4", "int4", "text", "uuid", "timestamptz", "bytea"])
        for event in events:
            at = datetime.fromisoformat(event.at)
            copy.write_row((row.id, event.n, event.kind, event.entitlement, at, event.to_bytes()))
    row.n, row.head = events[-1].n, events[-1].head.hash


def _apply(cur: Cursor, row: Row, events: Sequence[Event], at: datetime) -> Iterator[Alarm]:
    """The new events in order, a run of check-ins at once."""
    run: dict[UUID, Event] = {}
    for event in events:
        who = event.entitlement
        if run and (event.kind != "check-in" or who in run):
            yield from _check_in(cur, row, run, at)
            run = {}
        if row.closed and event.kind not in AFTER_CLOSE:
            yield alarm(cur, row, event.n, who, "P.107", f"`{event.kind}` after the list was closed", at)
        match event.kind:
            case "check-in" if who is not None:
                run[who] = event
            case "undo":
                yield from _undo(cur, row, event, at)
            case "release" | "certificate" if who is not None:
                yield from _let_go(cur, row, event, who, at)
            case "certificate-back" if who is not None:
                yield from _certificate_back(cur, row, event, who, at)
            case "envelope-of" if who is not None:
                yield from _envelope_of(cur, row, event, who, at)
            case "envelope-undo":
                yield from _envelope_undo(cur, row, event, at)
            case "mobile-out" | "mobile-back" if who is not None:
                _box(cur, row, event, who)
            case "receive" if who is not None:
                yield from _receive(cur, row, event, who, at)
            case "officer-key":
                cur.execute("UPDATE pollbook_log SET keyed = true WHERE id = %s AND NOT keyed", (row.id,))
            case "close":
                row.closed = True
    if run:
        yield from _check_in(cur, row, run, at)


def _check_in(cur: Cursor, row: Row, run: dict[UUID, Event], at: datetime) -> Iterator[Alarm]:
    held = (row.log.paper_of or row.log).holder  # what a lost machine's paper shows as used, that machine held
    used = cur.execute(
        "UPDATE entitlement e SET holder = %s, state = 1, used = u.n FROM unnest(%s::uuid[], %s::int[]) AS u (id, n) "  # noqa: S608
        f"WHERE e.poll = %s AND e.id = u.id AND e.holder = %s AND e.state = {UNUSED} AND NOT {STRAY} RETURNING e.id",
        (row.log.holder, list(run), [event.n for event in run.values()], row.log.poll, held),
        prepare=True,
    ).fetchall()
    row.check_ins += len(run)
    if len(used) == len(run):
        return
    good = {one.id for one in used}
    for who, event in run.items():
        if who not in good:
            yield from stray(cur, row, event, who, at)


def stray(cur: Cursor, row: Row, event: Event, who: UUID, at: datetime) -> Iterator[Alarm]:
    """A check-in that was not this log's to make, or beside which one stands that was not: kept, with its alarms."""
    # of two at once the second one knows of the first
    cur.execute("SELECT pg_advisory_xact_lock(hashtext('pollbook stray'))")
    before = _uses(cur, row.log.poll, who)
    held = (row.log.paper_of or row.log).holder
    off_an_earlier_list(cur, row.log.paper_of or row.log, who)
    its_own = "UPDATE entitlement SET holder = %s, state = 1, used = %s WHERE poll = %s AND id = %s AND holder = %s AND state = 0"
    if cur.execute(its_own, (row.log.holder, event.n, row.log.poll, who, held)).rowcount:  # a stray one came before it
        if before and row.log.paper_of is None and _uses(cur, row.log.poll, who, but=row.log.paper) == 1:
            yield alarm(cur, row, event.n, who, "P.108", BESIDE_ITS_PAPER, at)
        elif before:
            yield alarm(cur, row, event.n, who, "P.102", "a right was used twice", at)
        return
    if _typed(cur, row.log, who):
        cur.execute(its_own, (row.log.holder, event.n, row.log.poll, who, held))
        yield alarm(cur, row, event.n, who, "P.108", BESIDE_ITS_PAPER, at)
        return
    cur.execute("INSERT INTO pollbook_stray VALUES (%s, %s, %s, %s)", (row.log.poll, who, row.id, event.n))
    yield alarm(cur, row, event.n, who, "P.101", "a right was used that was not this station's to use", at)
    if before:
        yield alarm(cur, row, event.n, who, "P.102", "a right was used twice", at)


def _typed(cur: Cursor, log: LogId, who: UUID) -> bool:
    """Whether what was typed from this machine's paper uses the right. What its own log says, once it is found, goes before: the
    right is the machine's again, and the typed check-in stands beside it."""
    if log.paper_of is not None:
        return False
    beside = cur.execute(
        "WITH typed AS (SELECT l.id AS log, e.used AS n FROM entitlement e JOIN pollbook_log l "
        "ON l.poll = e.poll AND l.holder = e.holder "
        "WHERE e.poll = %(poll)s AND e.id = %(who)s AND e.holder = %(paper)s AND e.state = 1 FOR UPDATE OF e"
        "), kept AS (INSERT INTO pollbook_stray SELECT %(poll)s, %(who)s, log, n FROM typed) "
        "UPDATE entitlement SET holder = %(machine)s, state = 0, used = 0 FROM typed WHERE poll = %(poll)s AND id = %(who)s",
        {"poll": log.poll, "who": who, "paper": log.paper.holder, "machine": log.holder},
    )
    return beside.rowcount > 0


def _uses(cur: Cursor, poll: str, who: UUID, but: LogId | None = None) -> int:
    """How many check-ins of this entitlement stand, in all logs, or all `but` one."""
    one = cur.execute(
        "SELECT (SELECT count(*) FROM entitlement WHERE poll = %(poll)s AND id = %(who)s AND state = 1) + "
        "(SELECT count(*) FROM pollbook_stray s JOIN pollbook_log l ON l.id = s.log WHERE s.poll = %(poll)s "
        "AND s.entitlement = %(who)s AND NOT s.undone AND l.holder IS DISTINCT FROM %(but)s) AS uses",
        {"poll": poll, "who": who, "but": None if but is None else but.holder},
    ).fetchone()
    return int(one.uses) if one else 0


def _undo(cur: Cursor, row: Row, event: Event, at: datetime) -> Iterator[Alarm]:
    of = int(event.body["of"])
    named = cur.execute(
        "SELECT entitlement FROM pollbook_event WHERE log = %s AND n = %s AND kind = 'check-in'", (row.id, of)
    ).fetchone()
    who = None if named is None else named.entitlement
    held = (row.log.paper_of or row.log).holder  # what was typed from a lost machine's paper is the machine's again
    taken_back = cur.execute(
        "UPDATE entitlement SET holder = %s, state = 0, used = 0 "
        "WHERE poll = %s AND id = %s AND holder = %s AND state = 1 AND used = %s",
        (held, row.log.poll, who, row.log.holder, of),
    ).rowcount or cur.execute(
        "UPDATE pollbook_stray SET undone = true "
        "WHERE poll = %s AND entitlement = %s AND log = %s AND n = %s AND NOT undone",
        (row.log.poll, who, row.id, of),
    ).rowcount  # fmt: skip
    if taken_back and who is not None:
        row.check_ins -= 1
        carried = "DELETE FROM pollbook_in_box WHERE poll = %s AND entitlement = %s AND holder = %s"
        cur.execute(carried, (row.log.poll, who, row.log.holder))  # the box was back when its ballot was noted
        yield from _by_hand(cur, row, event, who, at)
    else:
        yield alarm(cur, row, event.n, None, "P.104", f"event {of} is no check-in that stands", at)


def _by_hand(cur: Cursor, row: Row, event: Event, who: UUID, at: datetime) -> Iterator[Alarm]:
    """A lost machine took a check-in back, beside which its paper has a line that was only counted: that is a use now."""
    if row.log.paper_of is not None:
        return
    found = cur.execute(
        "SELECT id, key, n, head, check_ins FROM pollbook_log WHERE (poll, station, generation) = (%s, %s, %s) FOR UPDATE",
        (row.log.poll, row.log.station, row.log.paper.generation),
    ).fetchone()
    if found is None or (line := line_of(cur, found.id, who)) is None or used_by(cur, row.log, [who]):
        return
    yield alarm(cur, row, event.n, who, "P.108", UNDONE_BESIDE_ITS_PAPER, at)
    paper = Row(found.id, row.log.paper, bytes(found.key), found.n, found.head, False, found.check_ins)
    noted = use_of_line(line, event, Head(paper.n, paper.head))
    _store(cur, paper, [noted])
    yield from _check_in(cur, paper, {who: noted}, at)
    cur.execute(
        "UPDATE pollbook_log SET n = %s, head = %s, check_ins = %s WHERE id = %s",
        (paper.n, paper.head, paper.check_ins, paper.id),
    )


def _let_go(cur: Cursor, row: Row, event: Event, who: UUID, at: datetime) -> Iterator[Alarm]:
    holder, epoch, state = row.log.holder, int(event.body["epoch"]), RELEASED
    if event.kind == "certificate":
        holder, epoch, state = "certificate", epoch + 1, UNUSED
    goes = (
        "UPDATE entitlement SET holder = %s, epoch = %s, state = %s "
        "WHERE poll = %s AND id = %s AND holder = %s AND epoch = %s AND state = 0"
    )
    asked = (holder, epoch, state, row.log.poll, who, row.log.holder, int(event.body["epoch"]))
    went = cur.execute(goes, asked).rowcount
    if not went and off_an_earlier_list(cur, row.log, who):
        went = cur.execute(goes, asked).rowcount
    if not went and _typed(cur, row.log, who):
        yield alarm(cur, row, event.n, who, "P.108", "a found log let go what was typed from its paper", at)
        went = cur.execute(goes, asked).rowcount
    if went and row.machine.sound:  # since its machine's word: nobody was given it before
        is_clear(cur, row.log.poll, who, epoch)
    if went and not row.machine.sound and event.kind == "release" and event.body["to"] == WITHDRAWN:
        asked_before(cur, row.log, event, who, at)
    if went:  # whoever asked for it hears of it
        cur.execute(
            "SELECT pg_notify(%s, poll || E'\\n' || asker) FROM pollbook_request "
            "WHERE poll = %s AND entitlement = %s AND NOT granted",
            (CHANNEL, row.log.poll, who),
        )
    elif not let_go_before(cur, row.log.poll, who, int(event.body["epoch"])):
        text = "a right was let go that was not this station's to let go"
        yield alarm(cur, row, event.n, who, "P.103", text, at)


def _certificate_back(cur: Cursor, row: Row, event: Event, who: UUID, at: datetime) -> Iterator[Alarm]:
    """Asks for the right, as anybody may to whom the certificate is shown: while its voter holds it, the centre gives it."""
    epoch = int(event.body["epoch"])
    given = cur.execute(
        "SELECT body FROM pollbook_event WHERE log = %s AND kind = 'certificate' AND entitlement = %s AND n < %s "
        "ORDER BY n DESC LIMIT 1",
        (row.id, who, event.n),
    ).fetchone()
    if given is None or Event.from_bytes(bytes(given.body)).body["epoch"] != epoch:
        text = "a certificate was taken back that this station had not given"
        yield alarm(cur, row, event.n, who, "P.103", text, at)
        return
    cur.execute(
        "INSERT INTO pollbook_request (poll, id, entitlement, epoch, holder, asker, at) "
        "SELECT poll, %s, id, epoch, holder, %s, %s FROM entitlement "
        "WHERE poll = %s AND id = %s AND holder = %s AND epoch = %s AND state = 0",  # else it was shown meanwhile
        (back_request(row.log, event.n), row.log.holder, at, row.log.poll, who, CERTIFICATE, epoch + 1),
    )


def _envelope_of(cur: Cursor, row: Row, event: Event, who: UUID, at: datetime) -> Iterator[Alarm]:
    """Whose an envelope is of which that was not known when it was taken; the first word on it counts."""
    of = int(event.body["of"])
    named = cur.execute(
        "INSERT INTO pollbook_envelope_of (log, n, entitlement, told, at) SELECT log, n, %s, %s, %s FROM pollbook_event "
        "WHERE log = %s AND n = %s AND kind = 'envelope' AND entitlement IS NULL ON CONFLICT DO NOTHING",
        (who, event.n, at, row.id, of),
    ).rowcount
    if named:
        return
    same = "SELECT 1 FROM pollbook_envelope_of WHERE log = %s AND n = %s AND entitlement = %s"
    if cur.execute(same, (row.id, of, who)).fetchone() is None:
        yield alarm(cur, row, event.n, who, "P.112", f"event {of} is no envelope without a name", at)


def _envelope_undo(cur: Cursor, row: Row, event: Event, at: datetime) -> Iterator[Alarm]:
    """An envelope was noted by mistake: there is none. Too late once it is resolved, or its list closed."""
    of = int(event.body["of"])
    undone = cur.execute(
        "INSERT INTO pollbook_envelope_undone (log, n, undo_n) SELECT log, n, %s FROM pollbook_event v "
        "WHERE log = %s AND n = %s AND kind = 'envelope' AND NOT EXISTS (SELECT FROM pollbook_envelope d "
        "WHERE (d.log, d.n) = (v.log, v.n)) ON CONFLICT DO NOTHING",
        (event.n, row.id, of),
    ).rowcount if not row.closed else 0  # fmt: skip
    if not undone:
        yield alarm(cur, row, event.n, None, "P.104", f"event {of} is no envelope that can be taken back", at)


def _box(cur: Cursor, row: Row, event: Event, who: UUID) -> None:
    """The mobile box carries a right, or does so no more: whoever asks for it hears why it does not come."""
    cur.execute(
        "DELETE FROM pollbook_in_box WHERE poll = %s AND entitlement = %s AND holder = %s",
        (row.log.poll, who, row.log.holder),
    )
    if event.kind == "mobile-out":
        cur.execute("INSERT INTO pollbook_in_box VALUES (%s, %s, %s, %s)", (row.log.poll, who, row.log.holder, event.n))


def _receive(cur: Cursor, row: Row, event: Event, who: UUID, at: datetime) -> Iterator[Alarm]:
    given = cur.execute(
        "UPDATE pollbook_grant SET taken = true WHERE poll = %s AND request = %s AND NOT taken "
        "AND entitlement = %s AND epoch = %s AND receiver = %s",
        (row.log.poll, event.body["grant"]["request"], who, event.body["epoch"], row.log.holder),
    ).rowcount
    if not given and not given_before(cur, row.log, event, who, row.centre, at):
        yield alarm(cur, row, event.n, who, "P.105", "custody was taken that the centre did not give", at)
