"""How is a protocol corrected, or a result annulled? By a new entry that names the old one, its reason and who signs.

Only the station that is corrected is checked again. Nothing is overwritten: the record keeps every version.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.record.entry import Entry, EntryError, check_signature, sign_entry
from dauys.record.log import append, entry_at
from dauys.registers.poll import COMMISSION, Poll
from dauys.stations.batch import one
from dauys.stations.beside import NOTHING, Beside
from dauys.stations.catalogue import quarantines
from dauys.stations.checks import protocol_checks
from dauys.stations.ledger import Receipt, annulled, earlier, lock, look_up, moment
from dauys.stations.stated import stated
from dauys.stations.states import Event, Refusal, State, following
from dauys.store.engine import Connection

Seal = Callable[[str], Ed25519PrivateKey | None]
"""The commission's key of a poll, where this installation holds it."""


def correct(
    connection: Connection,
    poll: Poll,
    *,
    contest: str | None,
    station: str,
    after: Mapping[str, int],
    reason: str,
    by: str,
    at: datetime | str,
    of: int | None = None,
    before: Mapping[str, int] | None = None,
    sig: str | None = None,
    seal: Ed25519PrivateKey | None = None,
    beside: Beside = NOTHING,
) -> Receipt:
    """Replaces the values of a station's protocol and says which state it is in now.

    It is signed by the commission, whose key the poll publishes: `sig` is its signature over the very entry, by `by`; or
    `seal` is its key, held by this installation, and `by` is named in the entry as the `clerk` who did it.

    `of` (the entry that is replaced) and `before` (its values) are compared with what stands, where they are given, so
    that a correction never undoes one its author has not seen. A protocol in quarantine may be confirmed: the same
    values with a reason. `beside` adds checks of its own, as for a protocol. Sent twice it gives the same receipt. Raises
    BadInput F.018, F.020 to F.032.
    """
    found = poll.contest(contest)
    batch = one(found.id, station, after)
    batch.check_against(found.form)
    stated(reason, "reason", "a correction states its reason")
    lock(connection, poll.id)
    stations = look_up(connection, poll.id, batch)
    row = connection.execute(
        sa.text(
            "SELECT version, state, values AS present, seq FROM protocol "
            "WHERE poll = :poll AND contest = :contest AND station = :station"
        ),
        {"poll": poll.id, "contest": found.id, "station": station},
    ).one_or_none()
    if row is not None and row.version:
        replay = _replayed(connection, poll.id, row.version, found.id, station, after, reason, by, before, of)
        if replay is not None:
            return replay
    void = annulled(connection, poll.id, found.id)
    state = State.EXPECTED if row is None else State(row.state)
    if station in void or stations.areas[0] in void:
        state = State.ANNULLED
    checks = protocol_checks(found.form, batch, stations.known, corrected=True)[0]
    event = Event.CORRECTED_FAULTY if quarantines(checks) else Event.CORRECTED_CLEAN
    becomes = following(state, event)
    if isinstance(becomes, Refusal):
        raise BadInput(becomes.message, field="station", found=station, check=becomes.check)
    assert row is not None
    in_order = {name: row.present[name] for name in found.form.names if name in row.present}
    if (of is not None and of != row.seq) or (before is not None and dict(before) != row.present):
        raise BadInput(
            "the protocol has changed since: look at it again", field="before" if of in (None, row.seq) else "of",
            found=None if of is None else str(of), expected=f"entry {row.seq} with {in_order}", check="F.030",
        )  # fmt: skip
    if dict(after) == row.present and state is State.ACCEPTED:
        raise BadInput("the correction changes nothing", field="after", check="F.032", expected="other values")
    if beside is not NOTHING:
        checks += tuple(sorted(set(beside.numbers(connection, poll.id, station, after)) - set(checks)))
    version = row.version + 1
    body = {
        "contest": found.id,
        "station": station,
        "of": row.seq,
        "before": row.present,
        "after": dict(after),
        "reason": reason,
    }
    entry_id = f"correction/{found.id}/{station}/{version}"
    entry = sealed(connection, poll.id, "correction", entry_id, at, by, body, sig, seal, checks)
    (placed,) = append(connection, poll.id, [entry])
    connection.execute(
        sa.text(
            "UPDATE protocol SET version = :version, state = :state, values = CAST(:values AS jsonb), checks = :checks, "
            "seq = :seq WHERE poll = :poll AND contest = :contest AND station = :station"
        ),
        {"version": version, "state": becomes, "values": json.dumps(dict(after)), "checks": list(checks),
         "seq": placed.seq, "poll": poll.id, "contest": found.id, "station": station},
    )  # fmt: skip
    return Receipt(station, found.id, becomes, checks, placed.seq)


def annul(
    connection: Connection,
    poll: Poll,
    *,
    contest: str | None,
    reason: str,
    cite: str,
    repeat: bool,
    by: str,
    at: datetime | str,
    area: str | None = None,
    station: str | None = None,
    sig: str | None = None,
    seal: Ed25519PrivateKey | None = None,
) -> int:
    """Annuls the result of an area or of a station and returns the entry's place. `repeat`: a new vote is held there.

    Its protocols stay in the record and leave the sums; neither protocol nor correction is taken there any more.
    Raises BadInput F.018, F.020, F.028, F.031.
    """
    found = poll.contest(contest)
    if (area is None) == (station is None):
        raise DauysError("an annulment names an area or a station")
    for name, text in (("reason", reason), ("cite", cite)):
        stated(text, name, "an annulment states its reason and its article")
    lock(connection, poll.id)
    where = area or station or ""
    if area is not None:
        poll.area(area)
    else:
        look_up(connection, poll.id, one(found.id, where, {}))
    body: dict[str, Any] = {"contest": found.id, "reason": reason, "cite": cite, "repeat": repeat}
    body["area" if area is not None else "station"] = where
    entry_id = f"annulment/{found.id}/{where}"
    for seq, there in earlier(connection, poll.id, [entry_id]).values():
        if {**there.body, "clerk": by} == {**body, "clerk": by} and by in (there.by, there.body.get("clerk")):
            return seq
        raise BadInput("the result is annulled already", found=where, check="F.028", expected=f"as in entry {seq}")
    entry = sealed(connection, poll.id, "annulment", entry_id, at, by, body, sig, seal, ())
    (placed,) = append(connection, poll.id, [entry])
    connection.execute(
        sa.text(
            "UPDATE protocol SET state = 'annulled' WHERE poll = :poll AND contest = :contest AND (station = :station "
            "OR station IN (SELECT id FROM station WHERE poll = :poll AND area = :area))"
        ),
        {"poll": poll.id, "contest": found.id, "station": station, "area": area},
    )
    return placed.seq


def sealed(
    connection: Connection,
    poll_id: str,
    kind: str,
    entry_id: str,
    at: datetime | str,
    by: str,
    body: Mapping[str, Any],
    sig: str | None,
    seal: Ed25519PrivateKey | None,
    checks: tuple[str, ...],
) -> Entry:
    """The entry, signed with a key that the poll publishes. Raises BadInput F.026 otherwise; a poll without keys has none."""
    keys = entry_at(connection, poll_id, 0).body.get("keys", {})
    try:
        if sig is None and seal is not None:
            unsigned = Entry(poll_id, kind, entry_id, moment(at), COMMISSION, {**body, "clerk": by})
            entry = replace(sign_entry(unsigned, seal), checks=checks)
        else:
            entry = Entry(poll_id, kind, entry_id, moment(at), by, body, sig, checks)
    except EntryError as error:
        raise BadInput(str(error), field="sig", found=sig, check="F.026", expected="base64 of 64 bytes") from error
    if keys and (entry.by not in keys or not check_signature(entry, b64decode(keys[entry.by]))):
        raise BadInput(
            "the commission signs it: this is not its signature over this entry", field="sig", found=entry.by,
            check="F.026", expected="Ed25519 over the canonical JSON, by a name whose key the poll publishes",
        )  # fmt: skip
    if sig is not None and not keys:
        raise BadInput("the poll publishes no key to check the signature with", field="sig", check="F.026")
    return entry


def _replayed(
    connection: Connection,
    poll_id: str,
    versions: int,
    contest: str,
    station: str,
    after: Mapping[str, int],
    reason: str,
    by: str,
    before: Mapping[str, int] | None,
    of: int | None,
) -> Receipt | None:
    """The receipt of this very correction, if it was taken before; later ones may have followed it."""
    ids = [f"correction/{contest}/{station}/{number}" for number in range(1, versions + 1)]
    for seq, entry in earlier(connection, poll_id, ids).values():
        body = entry.body
        same = body["after"] == dict(after) and body["reason"] == reason and by in (entry.by, body.get("clerk"))
        same = same and of in (None, body["of"]) and (before is None or dict(before) == body["before"])
        if same:
            state = State.QUARANTINED if quarantines(entry.checks) else State.ACCEPTED
            return Receipt(station, contest, state, entry.checks, seq, True)
    return None
