"""What becomes of a citizen's claim that the list is wrong? It has a number to follow it by, and is decided with reasons.

An accepted claim is a change set of kind `claim`, which a second person approves like any other. What the citizen wrote and what
he is answered is sealed under the id of his IIN; the number that he gets is not kept, only its hash.
"""

from __future__ import annotations

import json
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import polars as pl
import sqlalchemy as sa

from dauys.errors import BadInput, DauysError
from dauys.registers.parts import Texts
from dauys.registers.poll import Poll
from dauys.roll import rows as row_rules
from dauys.roll.catalogue import row_checks
from dauys.roll.free_text import no_iin
from dauys.roll.freeze import has_closed
from dauys.roll.importing import add_versions, new_set
from dauys.roll.lookup import LISTED, OPEN, Terms, standing
from dauys.roll.pairs import row_of
from dauys.roll.vault import Vault
from dauys.roll.versions import in_force
from dauys.roll.voter import ELIGIBLE, open_person
from dauys.store.engine import Connection

KINDS = ("missing", "name", "place", "gone")
"""Not on the list; a wrong name; a wrong address or station; somebody on the list who died or moved away."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "missing": ("surname", "given", "patronymic", "address"),
    "name": ("surname", "given", "patronymic"),
    "place": ("address",),
    "gone": ("who", "address"),
}
"""What each kind asks for, beside `text`. The first is needed."""

LONGEST, LONGEST_TEXT = 200, 1000


class OtherPerson(BadInput):
    """The entry that is to be corrected is not that of the person whom the claim is about."""


_MISREAD = str.maketrans("018", "OIB")
"""Digits that no number has, for the letters they are mistaken for."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a citizen claims. `fields` has the keys of FIELDS, and `text`."""

    kind: str
    iin: str = field(repr=False)
    born: date = field(repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as it stands. `state`: open, accepted, refused; `set_state` is what became of its set."""

    id: int
    poll: str
    at: datetime
    kind: str
    voter: UUID
    station: str
    due: datetime | None
    cite: str
    state: str
    decided_by: str | None
    decided: datetime | None
    set_id: int | None
    set_state: str | None
    sealed: bytes = field(repr=False)
    answer: bytes | None = field(repr=False)

    def overdue(self, at: datetime) -> bool:
        return self.state == OPEN and self.due is not None and at >= self.due


_COLUMNS = "id, poll, at, kind, voter, station, due, cite, now AS state, decided_by, decided, set_id, set_state, sealed, answer"


def claim(
    connection: Connection, vault: Vault, poll: Poll, terms: Terms, said: Said, token: bytes, at: datetime
) -> str:
    """Takes a claim in and returns the number to follow it by. The same `token` again is the same claim, and number.

    Nothing of it says whether the citizen is on the list. Raises BadInput for a text that is missing or too long, DauysError
    while the list is not open.
    """
    if terms.state(at) != OPEN:
        raise DauysError("the list is not open to voters now: no claims are taken")
    _look_at(said)
    number = _number(vault, token)
    voter = UUID(bytes=vault.voter(said.iin))
    home = standing(connection, vault, poll, said.iin, said.born)
    body = {"iin": said.iin, "born": said.born.isoformat(), "fields": dict(said.fields)}
    connection.execute(
        sa.text(
            "INSERT INTO roll_claim (number, token, poll, at, kind, voter, station, sealed, due, cite) VALUES "
            "(:number, :token, :poll, :at, :kind, :voter, :station, :sealed, :due, :cite) ON CONFLICT DO NOTHING"
        ),
        {
            "number": _hashed(number), "token": sha256(token).digest(), "poll": poll.id, "at": at, "kind": said.kind,
            "voter": voter, "station": home.station if home.outcome == LISTED else "",
            "sealed": vault.seal(voter.bytes, json.dumps(body, ensure_ascii=False).encode()),
            "due": terms.due(at), "cite": terms.claim_cite,
        },
    )  # fmt: skip
    return number


def follow(connection: Connection, vault: Vault, number: str, born: date) -> tuple[Claim, str] | None:
    """The claim of a number, and the reasons of its decision; None where the number or the birthday is another."""
    plain = "".join(char for char in number.upper() if char.isalnum()).translate(_MISREAD)
    row = connection.execute(
        sa.text(f"SELECT {_COLUMNS} FROM roll_claim_now WHERE number = :number"),  # noqa: S608
        {"number": _hashed(plain)},
    ).one_or_none()
    if row is None:
        return None
    found = _claim(row)
    return (found, reasons(vault, found)) if open_claim(vault, found).born == born else None


def get_claim(connection: Connection, claim_id: int) -> Claim:
    """A claim by its place. Raises DauysError."""
    row = connection.execute(
        sa.text(f"SELECT {_COLUMNS} FROM roll_claim_now WHERE id = :id"),  # noqa: S608
        {"id": claim_id},
    ).one_or_none()
    if row is None:
        raise DauysError(f"there is no claim {claim_id}")
    return _claim(row)


def claim_of_set(connection: Connection, set_id: int) -> Claim | None:
    """The claim whose acceptance made a set; None for a set of another kind."""
    row = connection.execute(
        sa.text(f"SELECT {_COLUMNS} FROM roll_claim_now WHERE set_id = :set"),  # noqa: S608
        {"set": set_id},
    ).one_or_none()
    return None if row is None else _claim(row)


def claims_of(connection: Connection, poll: str, station: str | None = None) -> list[Claim]:
    """The oldest 200 claims that wait for a decision or for its second person; of one station, or of all."""
    rows = connection.execute(
        sa.text(
            f"SELECT {_COLUMNS} FROM roll_claim_now WHERE poll = :poll AND (now = 'open' OR set_state = 'held') "  # noqa: S608
            "AND (CAST(:station AS text) IS NULL OR station = :station) ORDER BY id LIMIT 200"
        ),
        {"poll": poll, "station": station},
    )
    return [_claim(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many claims of a poll wait: `open` for a decision, the oldest since `oldest`, and `overdue` of them past their day;
    `second` for the person who confirms them."""

    open: int
    oldest: datetime | None
    overdue: int
    second: int


def waiting(connection: Connection, poll: str, station: str | None, at: datetime) -> Waiting:
    """What waits at the desk, of one station or of all."""
    row = connection.execute(
        sa.text(
            "SELECT count(*) FILTER (WHERE now = 'open') AS open, min(at) FILTER (WHERE now = 'open') AS oldest, "
            "count(*) FILTER (WHERE now = 'open' AND due <= :at) AS overdue, "
            "count(*) FILTER (WHERE now = 'accepted' AND set_state = 'held') AS second FROM roll_claim_now "
            "WHERE poll = :poll AND (CAST(:station AS text) IS NULL OR station = :station)"
        ),
        {"poll": poll, "station": station, "at": at},
    ).one()
    return Waiting(*row)


def open_claim(vault: Vault, claim: Claim) -> Said:
    """What the citizen wrote."""
    body = json.loads(vault.open(claim.voter.bytes, claim.sealed))
    return Said(claim.kind, body["iin"], date.fromisoformat(body["born"]), body["fields"])


def reasons(vault: Vault, claim: Claim) -> str:
    """The reasons of the decision that stands; empty where there is none."""
    if claim.answer is None or claim.state == OPEN:
        return ""
    return vault.open(claim.voter.bytes, claim.answer).decode()


def about_whom(said: Said, iin: str = "") -> str:
    """The IIN of the person whose entry a claim is about: the claimant's own; `iin` where somebody is said to be gone."""
    return iin if said.kind == "gone" else said.iin


def row_for(connection: Connection, vault: Vault, said: Said, iin: str = "") -> dict[str, str]:
    """The entry that a claim is about, as it is in force, to be corrected: his own, or that of the person with `iin`.

    For who is not on the roll: what he said of himself. Of somebody gone who is not on the roll there is none: all is empty.
    """
    about = about_whom(said, iin)
    version = in_force(connection, UUID(bytes=vault.voter(about))) if about else None
    if version is not None:
        return row_of(open_person(vault, version), version)
    row = dict.fromkeys((*row_rules.COLUMNS, "area"), "")
    if said.kind != "gone":
        row |= {"iin": said.iin, "born": said.born.isoformat(), "status": "eligible"}
        row |= {name: said.fields.get(name, "") for name in ("surname", "given", "patronymic")}
    return row


def accept(
    connection: Connection, vault: Vault, poll: Poll, claim_id: int, row: Mapping[str, str], by: str, at: datetime,
    reason: str, about: str = "",
) -> int:  # fmt: skip
    """Accepts a claim: `row` (columns `rows.COLUMNS`) becomes a held set, whose number is returned; a second person approves it.

    `about` is the IIN of the entry that was shown of somebody gone, who is on the roll. Raises OtherPerson for a row of anybody
    but the person whom the claim is about; BadInput R.0xx for one that an import would refuse; DauysError for a claim that is
    decided, and for whom a station that has closed would have to take onto its list.
    """
    found = _to_decide(connection, claim_id, at, poll, reason)
    said = open_claim(vault, found)
    gone = said.kind == "gone"
    whom = about_whom(said, about)
    if not whom or row["iin"] != whom or (gone and in_force(connection, UUID(bytes=vault.voter(whom))) is None):
        raise OtherPerson("the entry is not that of the person whom the claim is about", field="iin")
    stations = connection.execute(sa.text("SELECT id, area FROM station WHERE poll = :poll"), {"poll": poll.id})
    areas: dict[str, str] = {station.id: station.area for station in stations}
    source = f"claim {found.id}"
    good = _checked({**row, "source": row.get("source") or source}, row_rules.Terms(areas, poll.day, at.date(), source))
    on_list = standing(connection, vault, poll, whom, said.born)
    adds = not gone and on_list.final and on_list.outcome != LISTED and good["status"] == ELIGIBLE
    if adds and (closed := has_closed(poll, good["station"], good["area"], at)) is not None:
        raise closed
    set_id = new_set(connection, by, at, "claim", source, poll.day)
    add_versions(connection, vault, set_id, [good])
    connection.execute(
        sa.text("UPDATE roll_set SET summary = CAST(:summary AS jsonb) WHERE id = :id"),
        {"id": set_id, "summary": json.dumps({"rows": 1, "taken": 1})},
    )
    _decided(connection, vault, found, "accepted", by, at, reason, set_id)
    return set_id


def refuse(connection: Connection, vault: Vault, poll: Poll, claim_id: int, by: str, at: datetime, reason: str) -> None:
    """Refuses a claim, with reasons that the citizen reads. Raises DauysError for one that is decided."""
    found = _to_decide(connection, claim_id, at, poll, reason)
    _decided(connection, vault, found, "refused", by, at, reason, None)


def _to_decide(connection: Connection, claim_id: int, at: datetime, poll: Poll, reason: str) -> Claim:
    connection.execute(sa.text("SELECT FROM roll_claim WHERE id = :id FOR UPDATE"), {"id": claim_id})
    found = get_claim(connection, claim_id)
    if found.poll != poll.id or found.state != OPEN:
        raise DauysError(f"claim {claim_id} is decided already: {found.state}")
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise BadInput("a decision has its reasons: the citizen reads them", field="reason", expected="a text")
    no_iin(reason)
    return found


def _decided(
    connection: Connection, vault: Vault, claim: Claim, state: str, by: str, at: datetime, reason: str, set_id: int | None
) -> None:  # fmt: skip
    connection.execute(
        sa.text(
            "UPDATE roll_claim SET state = :state, decided_by = :by, decided = :at, answer = :answer, set_id = :set "
            "WHERE id = :id"
        ),
        {
            "id": claim.id, "state": state, "by": by, "at": at, "set": set_id,
            "answer": vault.seal(claim.voter.bytes, reason.strip().encode()),
        },
    )  # fmt: skip


def _checked(row: Mapping[str, str], terms: row_rules.Terms) -> dict[str, str]:
    """The row as an import takes it. Raises BadInput with the first check that it raises."""
    frame = pl.DataFrame({name: [row.get(name, "")] for name in row_rules.COLUMNS})
    found = row_rules.check_rows(Texts(1, frame, {}), terms)
    if found.faults:
        fault = found.faults[0]
        raise BadInput(row_checks()[fault.check].title["en"], field=fault.field, check=fault.check)
    good: dict[str, str] = found.good.to_dicts()[0]
    return good


def _look_at(said: Said) -> None:
    if said.kind not in KINDS:
        raise BadInput("there is no such kind of claim", field="kind", expected=", ".join(KINDS))
    needed = FIELDS[said.kind][0]
    if not said.fields.get(needed, "").strip():
        raise BadInput("this is needed", field=needed, expected="a text")
    for name, text in said.fields.items():
        longest = LONGEST_TEXT if name == "text" else LONGEST
        if len(text) > longest:
            raise BadInput(f"at most {longest} characters", field=name, expected="a shorter text")


def _number(vault: Vault, token: bytes) -> str:
    """Sixteen letters and digits that only the form's secret leads to."""
    return b32encode(vault.salt(b"claim", token)).decode()


def _hashed(number: str) -> bytes:
    return sha256(b"dauys claim\0" + number.encode()).digest()


def shown_number(number: str) -> str:
    """A number in groups of four, to be written down."""
    return "-".join(number[place : place + 4] for place in range(0, len(number), 4))


def _claim(row: Any) -> Claim:
    values = {name: getattr(row, name) for name in Claim.__slots__}
    answer = row.answer
    return Claim(**values | {"sealed": bytes(row.sealed), "answer": None if answer is None else bytes(answer)})
