"""What does a published record say happened in the law? Read from its entries, held against its signed checkpoint.

The poll's entry says which event an adopted result sets off (`publishes`), an entry of kind `publication` that it did:
{"event", "day", "cite", "because"}, the last being the place of the declaration that says adopted (docs/architecture.md).
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dauys.errors import BadInput, DauysError
from dauys.law.facts import Fact, Facts
from dauys.record import checkpoint as checkpoints_of
from dauys.record.checkpoint import Checkpoint
from dauys.record.entry import Entry
from dauys.record.merkle import Frontier, leaf_hash
from dauys.record.note import VerifierKey
from dauys.record.note import parse as parse_note
from dauys.record.tiles import Fetch, read_entries

_READ = (b'"kind":"poll"', b'"kind":"declaration"', b'"kind":"publication"')


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a poll decides in the law, and what its record says happened: no fact where it was not adopted."""

    poll: str
    decides: frozenset[str]
    facts: Facts


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
    for seq, data in enumerate(read_entries(fetch, state.size)):
        tree.append(leaf_hash(data))
        if not any(kind in data for kind in _READ):
            continue
        entry = Entry.from_bytes(data)
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
