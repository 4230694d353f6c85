"""Am I on the list, and where do I vote? One voter's answer to himself, within the law's terms, and nothing to anybody else.

Whoever is not on the list and whoever gives another birthday get the same answer after the same work. Every look-up is logged
under keyed hashes; how many there may be is limited by client and by IIN. There is no listing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hmac import compare_digest
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from dauys.errors import BadInput, DauysError
from dauys.law.deadline import Deadline, Within
from dauys.law.facts import Facts
from dauys.law.packs import pack_names
from dauys.law.rules import Book, Value
from dauys.law.snapshot import LawNotLoaded, Snapshot, rules_on
from dauys.law.system import load_system
from dauys.registers.poll import Poll
from dauys.roll.vault import Vault
from dauys.roll.versions import HOLDS, applied_sets
from dauys.roll.voter import Person, may_vote, of_age
from dauys.store.engine import Connection

UNKNOWN, BEFORE, OPEN, AFTER = "unknown", "before", "open", "after"
LISTED, NOT_LISTED, LIMITED, CLAIM, FOLLOW = "listed", "not listed", "limited", "claim", "follow"
SHOWN = "shown"
"""To somebody of the commission, who is named; counts for no limit."""
OWN = "list"
"""What a poll's own file says of its list stands under this name in `voting:` (`{open: 15, claim: 0, cite: ...}`)."""

FORGOTTEN_AFTER = timedelta(days=1)
"""Which client asked is forgotten then."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How often one client, and one IIN, may be asked about. Many phones can stand behind one address."""

    client: int = 30
    client_within: timedelta = timedelta(minutes=10)
    client_day: int = 300
    iin: int = 10
    iin_within: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """When the list of a poll is open to its voters, and within what a claim of an error is decided; with the articles.

    `opens` is None where the law of the day is not loaded: `reason` says what is missing, and nothing is answered.
    """

    opens: date | None
    closes: datetime
    cite: str
    claim: Within | None
    claim_cite: str
    timezone: str
    reason: str = ""

    def state(self, at: datetime) -> str:
        """unknown, before, open or after. The list changes no more once counting has begun."""
        if at >= self.closes:
            return AFTER
        if self.opens is None:
            return UNKNOWN
        return OPEN if at.astimezone(ZoneInfo(self.timezone)).date() >= self.opens else BEFORE

    def due(self, at: datetime) -> datetime | None:
        """The first moment too late to decide about a claim made then: by the law, or when the list closes, if that is before.

        None where the law says nothing computable.
        """
        if self.claim is None:
            return None
        found = self.claim.due(at, zone=ZoneInfo(self.timezone))
        end = found.end if isinstance(found, Deadline) else None
        return end and min(end, self.closes)


def law_of(poll: Poll) -> Snapshot:
    """The law of the poll's day in the pack that its id begins with; an empty one where there is none."""
    pack = poll.id.partition("/")[0]
    if pack in pack_names():
        try:
            return load_system(pack).rules(poll.day)
        except DauysError:  # a pack of areas and forms alone
            pass
    return rules_on(Book({}), poll.day, Facts())


def areas_with_stations(connection: Connection, poll_id: str) -> list[str]:
    """The areas in which a poll has stations: a poll of a few districts knows all of its country's."""
    query = sa.text("SELECT DISTINCT area FROM station WHERE poll = :poll ORDER BY area")
    return list(connection.scalars(query, {"poll": poll_id}))


def terms_of(poll: Poll, law: Snapshot, areas: Iterable[str] = ()) -> Terms:
    """The terms of a poll: by its own file, else by the law (a referendum reads the elections law where its own refers to it).

    `areas`: those in which it has stations, the last of which closes the list; before that is known, all of its map.
    """
    closes = poll.last_closing(areas or [area.code for area in poll.areas])
    own: Mapping[str, Any] = (poll.voting or {}).get(OWN) or {}
    if own:
        return _own_terms(poll, own, closes)
    opens = _rule(poll, law, "election.list.open")
    if isinstance(opens, LawNotLoaded):
        return Terms(None, closes, "", None, "", poll.timezone, str(opens))
    value, cite = opens
    before = Within(int(str(value.value)), "calendar_day", direction="before").due(poll.day)
    assert isinstance(before, Deadline)
    claim_rule = _rule(poll, law, "election.list.claim")
    if isinstance(claim_rule, LawNotLoaded):
        return Terms(before.last, closes, cite, None, "", poll.timezone)
    within = Within(int(str(claim_rule[0].value)), "calendar_day")
    return Terms(before.last, closes, cite, within, claim_rule[1], poll.timezone)


def _own_terms(poll: Poll, own: Mapping[str, Any], closes: datetime) -> Terms:
    try:
        opens, cite = poll.day - timedelta(days=int(own["open"])), str(own["cite"])
        claim = Within(int(own["claim"]), "calendar_day") if "claim" in own else None
    except (KeyError, TypeError, ValueError, OverflowError):
        expected = "{open: DAYS, claim: DAYS, cite: TEXT}"
        raise BadInput(
            "the poll's own rule on its list cannot be read", field="voting.list", expected=expected
        ) from None
    return Terms(opens, closes, cite, claim, cite, poll.timezone)


def _rule(poll: Poll, law: Snapshot, key: str) -> tuple[Value, str] | LawNotLoaded:
    refers: Value | LawNotLoaded | None = law.get("referendum.otherwise") if poll.kind == "referendum" else None
    if isinstance(refers, LawNotLoaded):
        return refers
    found = law.get(key)
    if isinstance(found, LawNotLoaded):
        return found
    return found, found.cite if refers is None else f"{found.cite}, by {refers.cite}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a voter is told. `final`: the list is frozen for this poll; else it is the roll as it stands now.

    `settlement` and `address` are those of the station, where the list of stations has them.

    `retry` is when to ask again where there were too many look-ups.
    """

    outcome: str
    station: str = ""
    area: str = ""
    final: bool = False
    retry: datetime | None = None
    settlement: str = ""
    address: str = ""


def look_up(
    connection: Connection, vault: Vault, poll: Poll, iin: str, born: date, client: str, at: datetime,
    limits: Limits | None = None,
) -> Answer:  # fmt: skip
    """Answers one voter, and logs it. `iin` is a good one, `client` the address that asks. In the caller's transaction."""
    retry = admit(connection, vault, iin, client, at, limits or Limits())
    if retry is not None:
        note(connection, vault, poll.id, iin, client, at, LIMITED)
        return Answer(LIMITED, retry=retry)
    found = standing(connection, vault, poll, iin, born)
    note(connection, vault, poll.id, iin, client, at, found.outcome)
    return found


def standing(connection: Connection, vault: Vault, poll: Poll, iin: str, born: date) -> Answer:
    """Where a voter stands: on the poll's frozen list, or on the roll while none is frozen. The same steps for everybody."""
    voter = UUID(bytes=vault.voter(iin))
    right = vault.right(poll.id, voter)
    row = connection.execute(
        sa.text(
            "WITH frozen AS (SELECT EXISTS (SELECT FROM roll_freeze WHERE poll = :poll) AS is), "  # noqa: S608
            "now AS (SELECT v.* FROM voter v WHERE v.voter = :voter AND " + HOLDS + "), "
            "had AS (SELECT e.home, v.sealed FROM entitlement e JOIN voter v ON v.voter = e.voter AND v.set_id = e.set_id "
            "WHERE e.poll = :poll AND e.id = :right AND e.holder <> 'withdrawn') "
            "SELECT frozen.is AS frozen, had.home, had.sealed AS had, now.sealed AS now, now.station, now.status, now.since, "
            "now.until, now.sealed IS NOT NULL AS here FROM frozen LEFT JOIN now ON true LEFT JOIN had ON true"
        ),
        {"poll": poll.id, "voter": voter, "right": right} | applied_sets(connection),
    ).one()
    sealed = row.had if row.frozen else row.now
    who, what = (voter.bytes, bytes(sealed)) if sealed is not None else _nobody(vault)
    person = Person.from_bytes(vault.open(who, what))
    fits = compare_digest(person.born.isoformat(), born.isoformat())
    votes = row.frozen or (row.here and may_vote(row.status, row.since, row.until, poll.day))
    station = (row.home if row.frozen else row.station) or ""
    place = connection.execute(
        sa.text("SELECT area, settlement, address FROM station WHERE poll = :poll AND id = :id"),
        {"poll": poll.id, "id": station},
    ).one_or_none()
    if sealed is None or not fits or not votes or not of_age(person.born, poll.day):
        return Answer(NOT_LISTED, final=row.frozen)
    if place is None:
        return Answer(LISTED, station, "", row.frozen)
    return Answer(LISTED, station, place.area, row.frozen, None, place.settlement, place.address)


@lru_cache(maxsize=4)
def _nobody(vault: Vault) -> tuple[bytes, bytes]:
    """What is opened for who is not on the list, so that it takes as long."""
    voter = bytes(16)
    address = {"locality": "Астана", "street": "Абая", "house": "10", "flat": "10"}
    person = Person("000000000000", date(1900, 1, 1), "Ахметов", "Нурлан", "Абаевич", {"surname": "Ахметов"}, address)
    return voter, vault.seal(voter, person.to_bytes())


def admit(
    connection: Connection, vault: Vault, asked: str, client: str, at: datetime, limits: Limits
) -> datetime | None:
    """None where one more look-up is allowed, else when to try again. One request of a client, or about an IIN, at a time.

    After the look-ups of a day that is the next day, of UTC: a client's hash is another one then.
    """
    hashes = _client(vault, client, at), _asked(vault, asked)
    for lock in sorted(int.from_bytes(one, "big", signed=True) for one in hashes):
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
    row = connection.execute(
        sa.text(
            "SELECT (SELECT count(*) FROM roll_lookup WHERE client = :client AND at > :soon AND outcome <> 'limited') AS client, "
            "(SELECT count(*) FROM roll_lookup WHERE client = :client AND at > :day AND outcome <> 'limited') AS day, "
            "(SELECT count(*) FROM roll_lookup WHERE iin = :iin AND at > :hour "
            "AND outcome NOT IN ('limited', 'shown')) AS iin"
        ),
        {
            "client": hashes[0], "iin": hashes[1], "soon": at - limits.client_within, "day": at - FORGOTTEN_AFTER,
            "hour": at - limits.iin_within,
        },
    ).one()  # fmt: skip
    if row.day >= limits.client_day:
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=1)
    if row.client >= limits.client:
        return at + limits.client_within
    return at + limits.iin_within if row.iin >= limits.iin else None


def note(connection: Connection, vault: Vault, poll: str, asked: str, client: str, at: datetime, outcome: str) -> None:
    """Logs one look-up under keyed hashes, and forgets which client it was in those of yesterday.

    Who goes on asking beyond the limits is written down once a minute.
    """
    given = {
        "at": at, "poll": poll, "client": _client(vault, client, at), "iin": _asked(vault, asked), "outcome": outcome,
        "minute": at - timedelta(minutes=1), "old": at - FORGOTTEN_AFTER,
    }  # fmt: skip
    connection.execute(
        sa.text(
            "INSERT INTO roll_lookup (at, poll, client, iin, outcome) SELECT :at, :poll, :client, :iin, :outcome "
            "WHERE :outcome <> 'limited' OR NOT EXISTS (SELECT FROM roll_lookup WHERE client = :client AND at > :minute "
            "AND outcome = 'limited')"
        ),
        given,
    )
    connection.execute(
        sa.text(
            "UPDATE roll_lookup SET client = NULL WHERE id IN (SELECT id FROM roll_lookup WHERE client IS NOT NULL "
            "AND at <= :old LIMIT 100 FOR UPDATE SKIP LOCKED)"
        ),
        given,
    )


def note_shown(connection: Connection, vault: Vault, poll: str, iin: str, by: str, at: datetime) -> None:
    """Logs that somebody of the commission was shown what the roll says, or that it says nothing, of an IIN; with the name.

    `poll` may be empty. Raises BadInput without a name.
    """
    if not by.strip():
        raise BadInput("who asks? a name is needed: it stays in the log of look-ups", field="by")
    connection.execute(
        sa.text("INSERT INTO roll_lookup (at, poll, iin, outcome, by) VALUES (:at, :poll, :iin, :outcome, :by)"),
        {"at": at, "poll": poll, "iin": _asked(vault, iin), "outcome": SHOWN, "by": by.strip()},
    )


def _client(vault: Vault, client: str, at: datetime) -> bytes:
    return vault.block(f"client|{at.astimezone(UTC):%Y-%m-%d}|{client}".encode())


def _asked(vault: Vault, asked: str) -> bytes:
    return vault.block(f"asked|{asked}".encode())
