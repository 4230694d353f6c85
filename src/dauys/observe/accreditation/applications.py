"""Which organisations have asked to observe a poll, and what was decided? Each decision is an entry of the record, in one step.

An organisation is accredited under a code; refused with reasons and their articles; suspended with a reason, and let in again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation.entries import EVERYWHERE, KINDS, is_code, observer_shape
from dauys.observe.accreditation.known import Stored, enter, next_number
from dauys.observe.accreditation.rules import REFUSE, Application, Judged, judge, law_of, terms_of
from dauys.registers.poll import Poll
from dauys.store.engine import Connection

LONGEST_NAME, LONGEST_TEXT = 400, 2000
MOST_OPEN = 1000
"""Applications of a poll that may wait at once: the form is public."""
OPEN = "open"
PROBE = "applicant"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an organisation wrote into the form. `key`: base64 of the mission's public key, or empty."""

    kind: str
    names: Mapping[str, str]
    charter: str = ""
    through: str = ""
    scope: tuple[str, ...] = (EVERYWHERE,)
    key: str = ""
    coalition: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An application as it stands. `seq` is the entry that says what was decided."""

    id: int
    poll: str
    at: datetime
    asked: Asked
    due: datetime | None
    cite: str
    state: str
    decided: datetime | None
    decided_by: str | None
    seq: int | None

    @property
    def terms(self) -> Application:
        """What the rules look at."""
        asked = self.asked
        return Application(asked.kind, asked.charter, bool(asked.through.strip()), asked.scope, self.at)

    def overdue(self, at: datetime) -> bool:
        return self.state == OPEN and self.due is not None and at >= self.due


def apply(connection: Connection, poll: Poll, asked: Asked, token: bytes, at: datetime) -> int:
    """Takes an application in and returns its number; the same `token` again is the same application.

    Raises BadInput O.001 for a field that is missing or wrong, O.002 where too many wait.
    """
    _look_at(poll, asked)
    found = judge(
        poll, terms_of(poll, law_of(poll)), Waiting(0, poll.id, at, asked, None, "", OPEN, None, None, None).terms, at
    )
    mark = sha256(token).digest()
    waiting = connection.scalar(
        sa.text("SELECT count(*) FROM observer_application WHERE poll = :poll AND state = 'open' AND token <> :token"),
        {"poll": poll.id, "token": mark},
    )
    if waiting is not None and waiting >= MOST_OPEN:
        raise BadInput("too many applications wait: bring it to the commission on paper", check="O.002")
    connection.execute(
        sa.text(
            "INSERT INTO observer_application (poll, token, at, kind, names, charter, through, scope, key, coalition, contact, "
            "due, cite) VALUES (:poll, :token, :at, :kind, CAST(:names AS jsonb), :charter, :through, :scope, :key, :coalition, "
            ":contact, :due, :cite) ON CONFLICT DO NOTHING"
        ),
        {
            "poll": poll.id, "token": mark, "at": at, "kind": asked.kind, "names": json.dumps(dict(asked.names)),
            "charter": asked.charter, "through": asked.through, "scope": list(asked.scope), "key": asked.key,
            "coalition": asked.coalition, "contact": asked.contact, "due": found.due, "cite": found.due_cite,
        },
    )  # fmt: skip
    number = connection.scalar(sa.text("SELECT id FROM observer_application WHERE token = :token"), {"token": mark})
    return int(number or 0)


def get_application(connection: Connection, number: int, *, lock: bool = False) -> Waiting:
    """An application by its number. Raises DauysError."""
    more = " FOR UPDATE" if lock else ""
    row = connection.execute(
        sa.text(f"SELECT * FROM observer_application WHERE id = :id{more}"),  # noqa: S608
        {"id": number},
    ).one_or_none()
    if row is None:
        raise DauysError(f"there is no application {number}")
    return _waiting(row)


def applications_of(connection: Connection, poll: str, *, open_only: bool = True, limit: int = 500) -> list[Waiting]:
    """Applications of a poll, the oldest first."""
    rows = connection.execute(
        sa.text(
            "SELECT * FROM observer_application WHERE poll = :poll AND (state = 'open' OR NOT :open) ORDER BY id LIMIT :limit"
        ),
        {"poll": poll, "open": open_only, "limit": limit},
    )
    return [_waiting(row) for row in rows]


def judged(poll: Poll, waiting: Waiting, at: datetime) -> Judged:
    """What may be decided about an application now."""
    return judge(poll, terms_of(poll, law_of(poll)), waiting.terms, at)


def accredit(
    connection: Connection, poll: Poll, number: int, code: str, until: date, reason: str, cite: str, by: str,
    key: Ed25519PrivateKey, at: datetime, scope: Sequence[str] = (),
) -> int:  # fmt: skip
    """Accredits the organisation under a code, until a day; returns the entry's place. `scope` other than asked for, or empty.

    Raises BadInput: O.003 decided already, O.004 the law's condition is not met, O.005 without reason, O.012 the code.
    """
    waiting = _to_decide(connection, poll, number, reason)
    found = judged(poll, waiting, at)
    if found.may == REFUSE:
        codes = ", ".join(one.code for one in found.grounds)
        raise BadInput(f"the law's condition is not met: {codes}", found=found.cite, check="O.004")
    today = at.astimezone(ZoneInfo(poll.timezone)).date()
    if until < today or (found.until is not None and until > found.until):
        last = f"{today} or later" if found.until is None else f"{today} to {found.until}, {found.until_cite}"
        raise BadInput(
            "the accreditation cannot end on that day", field="until", found=until, expected=last, check="O.004"
        )
    known = Stored(connection, poll, lock=True)
    if not is_code(code) or known.standing(code) is not None:
        raise BadInput("the code is taken, or is none", field="code", found=code, expected="a-z, 0-9, -", check="O.012")
    asked = waiting.asked
    body: dict[str, Any] = {
        "code": code, "names": dict(asked.names), "kind": asked.kind, "scope": list(scope or asked.scope), "key": asked.key,
        "until": until.isoformat(), "reason": reason.strip(), "cite": cite.strip() or found.cite,
    }  # fmt: skip
    if asked.coalition:
        body["coalition"] = asked.coalition
    seq = enter(connection, known, "organisation", code, body, key, at)
    _decided(connection, number, "accredited", by, at, seq)
    return seq


def refuse(
    connection: Connection, poll: Poll, number: int, reasons: Sequence[tuple[str, str]], by: str, key: Ed25519PrivateKey,
    at: datetime,
) -> int:  # fmt: skip
    """Refuses with reasons, each with its article; returns the entry's place. Raises BadInput O.003, O.005."""
    given = [(why.strip(), cite.strip()) for why, cite in reasons if why.strip()]
    waiting = _to_decide(connection, poll, number, given[0][0] if given else "")
    known = Stored(connection, poll, lock=True)
    place = str(next_number(connection, poll.id, "organisation-refused"))
    body = {
        "names": dict(waiting.asked.names), "kind": waiting.asked.kind,
        "reasons": [{"why": why, "cite": cite} for why, cite in given],
    }  # fmt: skip
    seq = enter(connection, known, "organisation-refused", place, body, key, at)
    _decided(connection, number, "refused", by, at, seq)
    return seq


def suspend(
    connection: Connection, poll: Poll, code: str, suspended: bool, reason: str, cite: str, key: Ed25519PrivateKey,
    at: datetime,
) -> int:  # fmt: skip
    """Suspends an organisation, or lets it in again; returns the entry's place. Raises BadInput O.005, O.008."""
    _reason(reason)
    known = Stored(connection, poll, lock=True)
    place = f"{code}/{next_number(connection, poll.id, 'organisation-suspended', f'{code}/')}"
    body = {"organisation": code, "suspended": suspended, "reason": reason.strip(), "cite": cite.strip()}
    return enter(connection, known, "organisation-suspended", place, body, key, at)


def answer(
    connection: Connection, poll: Poll, of: int, said: str, because: int | None, reason: str, key: Ed25519PrivateKey,
    at: datetime,
) -> int:  # fmt: skip
    """Answers an observation (the entry `of`): stands, corrected (`because` of an entry), open. Returns the entry's place."""
    _reason(reason)
    known = Stored(connection, poll, lock=True)
    place = f"{of}/{next_number(connection, poll.id, 'observation-answer', f'{of}/')}"
    body = {"of": of, "answer": said, "because": because, "reason": reason.strip()}
    return enter(connection, known, "observation-answer", place, body, key, at)


def _look_at(poll: Poll, asked: Asked) -> None:
    """Raises BadInput O.001. The members that go into the record are held against the shape they have there."""
    if asked.kind not in KINDS:
        raise BadInput("there is no such kind of organisation", field="kind", expected=", ".join(KINDS), check="O.001")
    if not asked.names or any(len(name) > LONGEST_NAME for name in asked.names.values()):
        raise BadInput("an organisation has a name", field="names", expected="up to 400 characters", check="O.001")
    for name in ("charter", "through", "contact"):
        if len(getattr(asked, name)) > LONGEST_TEXT:
            raise BadInput("a shorter text is needed", field=name, expected="up to 2,000 characters", check="O.001")
    body: dict[str, Any] = {
        "code": PROBE, "names": dict(asked.names), "kind": asked.kind, "scope": list(asked.scope), "key": asked.key,
        "until": poll.day.isoformat(), "reason": PROBE, "cite": "",
    }  # fmt: skip
    if asked.coalition:
        body["coalition"] = asked.coalition
    try:
        observer_shape("organisation", body, poll, f"organisation/{PROBE}")
    except DauysError as error:
        field = next((name for name in ("scope", "key", "coalition", "names") if name in str(error)), None)
        raise BadInput(str(error), field=field, check="O.001") from None


def _to_decide(connection: Connection, poll: Poll, number: int, reason: str) -> Waiting:
    waiting = get_application(connection, number, lock=True)
    if waiting.poll != poll.id or waiting.state != OPEN:
        raise BadInput(f"application {number} is decided already: {waiting.state}", check="O.003")
    _reason(reason)
    return waiting


def _reason(reason: str) -> None:
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise BadInput(
            "a decision has its reasons: everybody reads them", field="reason", expected="a text", check="O.005"
        )


def _decided(connection: Connection, number: int, state: str, by: str, at: datetime, seq: int) -> None:
    connection.execute(
        sa.text(
            "UPDATE observer_application SET state = :state, decided = :at, decided_by = :by, seq = :seq WHERE id = :id"
        ),
        {"state": state, "at": at, "by": by, "seq": seq, "id": number},
    )


def _waiting(row: Any) -> Waiting:
    asked = Asked(row.kind, row.names, row.charter, row.through, tuple(row.scope), row.key, row.coalition, row.contact)
    return Waiting(
        row.id, row.poll, row.at, asked, row.due, row.cite, row.state, row.decided, row.decided_by, row.seq
    )  # fmt: skip
