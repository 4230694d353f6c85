"""What does a record say happened in the law? A published one, held against its checkpoint, or one that the site serves.

The poll's entry says which event an adopted result sets off (`publishes`), an entry of kind `publication` that it did:
{"event", "day", "cite", "because"}, the last being the place of the declaration that says adopted (docs/architecture.md).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dauys.errors import BadInput, DauysError
from dauys.law.facts import Fact, Facts
from dauys.record import checkpoint as checkpoints_of
from dauys.record.checkpoint import Checkpoint
from dauys.record.entry import Entry
from dauys.record.merkle import Frontier, leaf_hash
from dauys.record.note import VerifierKey
from dauys.record.note import parse as parse_note
from dauys.record.parts import Joining
from dauys.record.tiles import Fetch, read_entries

if TYPE_CHECKING:
    from dauys.registers.poll import Poll

MILESTONES = ("declaration", "closing", "publication")
"""The kinds of entries from which it follows whether a poll set something off in the law."""
_READ = (b'"kind":"poll"', b'"kind":"part"', b'"kind":"declaration"', b'"kind":"publication"')


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a poll decides in the law, and what its record says happened: no fact where it was not adopted."""

    poll: str
    decides: frozenset[str]
    facts: Facts


@dataclass(frozen=True, slots=True)
class Commencement:
    """What the record of a poll says of the event that its result decides.

    `state`: `published`, with the `fact` and its `entry`; `refused`, with the `outcomes` of the last declaration of a
    closed poll; or `open`, while nothing final is declared.
    """

    poll: str
    names: Mapping[str, str] = field(hash=False)
    event: str
    state: str
    outcomes: tuple[str, ...] = ()
    fact: Fact | None = None
    entry: int | None = None


def commencement(poll: Poll, milestones: Iterable[tuple[int, Entry]]) -> Commencement | None:
    """What a poll set off, from its `MILESTONES` with their places, in order; None where it decides no event.

    Raises `BadInput` where an entry contradicts the record.
    """
    if poll.publishes is None:
        return None
    adopted: set[int] = set()
    outcomes: tuple[str, ...] = ()
    closed = False
    for seq, entry in milestones:
        if entry.kind == "declaration":
            adopted |= {seq} if _is_adopted(entry) else set()
            outcomes = tuple(str(one["decision"]["outcome"]) for one in entry.body["contests"])
        elif entry.kind == "publication":
            fact = _fact(entry, f"{poll.id}, entry {seq}", adopted)
            if fact.event == poll.publishes.event:
                return Commencement(poll.id, poll.names, fact.event, "published", outcomes, fact, seq)
        closed = closed or entry.kind == "closing"
    refused = closed and any(outcome != "adopted" for outcome in outcomes)
    return Commencement(poll.id, poll.names, poll.publishes.event, "refused" if refused else "open", outcomes)


def facts_of_record(fetch: Fetch, place: str, log_key: str | None = None) -> Recorded:
    """What a record says; `place` is what the sources of its facts and all messages call it.

    The entries are those that the checkpoint commits to, and the checkpoint is signed by `log_key` (where None, by the key
    in keys.json). Whether the result was counted rightly is another question: `dauys verify`. Raises `DauysError`.
    """
    note = fetch("checkpoint")
    state = Checkpoint.parse(parse_note(note).text)
    checkpoints_of.verify(note, VerifierKey.parse(log_key or _own_key(fetch, place)))
    tree = Frontier()
    poll = ""
    decides: set[str] = set()
    adopted: set[int] = set()
    facts: list[Fact] = []
    for seq, entry in _told(read_entries(fetch, state.size), tree):
        if entry.kind == "poll":
            poll = entry.poll
            published = entry.body.get("publishes")
            decides |= {str(published.get("event"))} if isinstance(published, Mapping) else set()
        elif entry.kind == "declaration" and _is_adopted(entry):
            adopted.add(seq)
        elif entry.kind == "publication":
            facts.append(_fact(entry, f"{place}, entry {seq}", adopted))
    if tree.size != state.size or tree.root() != state.root:
        raise DauysError(f"{place}: the entries are not those that the checkpoint commits to; dauys verify says more")
    return Recorded(poll, frozenset(decides), Facts(facts))


def _told(entries: Iterable[bytes], tree: Frontier) -> Iterator[tuple[int, Entry]]:
    """Those of the entries that matter here, whole; all of them grow the tree."""
    joining = Joining()
    for seq, data in enumerate(entries):
        tree.append(leaf_hash(data))
        if any(kind in data for kind in _READ):
            yield from joining.take(seq, Entry.from_bytes(data))
    yield from joining.rest()


def _own_key(fetch: Fetch, place: str) -> str:
    try:
        said: Any = json.loads(fetch("keys.json"))
    except (ValueError, RecursionError):
        said = None
    key = said.get("log") if isinstance(said, Mapping) else None
    if not isinstance(key, str):
        raise DauysError(f"{place}: keys.json names no key of the log")
    return key


def _is_adopted(entry: Entry) -> bool:
    contests = entry.body.get("contests")
    if not isinstance(contests, list | tuple) or not contests:
        return False
    decisions = [one.get("decision") if isinstance(one, Mapping) else None for one in contests]
    return all(isinstance(one, Mapping) and one.get("outcome") == "adopted" for one in decisions)


def _fact(entry: Entry, place: str, adopted: set[int]) -> Fact:
    body = entry.body
    for name in ("event", "day", "cite"):
        if not isinstance(body.get(name), str):
            raise BadInput("not a publication", file=place, field=name, found=body.get(name), expected="a text")
    if body.get("because") not in adopted:
        raise BadInput(
            "a publication without a result", file=place, field="because", found=body.get("because"),
            expected="the place of an earlier declaration that says adopted",
        )  # fmt: skip
    try:
        day = datetime.date.fromisoformat(body["day"])
    except ValueError:
        raise BadInput("not a day", file=place, field="day", found=body["day"], expected="YYYY-MM-DD") from None
    return Fact(
        body["event"], day, f"{place}: {body['cite']}", f"Adopted by the declaration in entry {body['because']}."
    )
