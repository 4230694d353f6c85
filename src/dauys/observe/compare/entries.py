"""What goes into the official record of a difference, and what did the commission answer?

An `observation` names the entry that it was compared with, each field as copied and as published, and the photos by their hash:
facts that anyone can check against the record. It holds no observer's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dauys.observe.compare.standing import Standing
from dauys.observe.known.model import Mission
from dauys.observe.known.official import Official

NOTE_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class Said:
    """One observation of a station as the record has it, with the commission's last answer to it.

    `stands` whether it says the same as the copy and the protocol do now. `answer`: stands, corrected, open, or empty.
    """

    id: str
    index: int
    at: str
    body: Mapping[str, Any]
    answer: str = ""
    answered: int | None = None
    reason: str = ""
    because: int | None = None


def observation(code: str, contest: str, one: Standing, n: int, note: str = "") -> tuple[str, dict[str, Any]]:
    """(id, body) of the n-th observation of a station. Where nothing is published yet, all that was copied is named."""
    published = one.published
    fields: dict[str, Any] = {d.field: {"copy": d.copy, "published": d.published} for d in one.differences}
    if published is None and one.copy is not None:
        fields = {name: {"copy": value, "published": None} for name, value in sorted(one.copy.values.items())}
    body: dict[str, Any] = {
        "organisation": code,
        "contest": contest,
        "station": one.station,
        "of": None if published is None else published.index,
        "fields": fields,
        "photos": sorted(set(one.copy.photos)) if one.copy else [],
        "note": note[:NOTE_LENGTH],
    }
    return f"observation/{code}/{contest}/{one.station}/{n}", body


def observations(official: Official, code: str, contest: str) -> dict[str, list[Said]]:
    """What one organisation (empty: every one) has observed of a contest in the record, by station, oldest first."""
    answers = _answers(official)
    found: dict[str, list[Said]] = {}
    for index, entry in official.observers.items():
        body = entry.body
        if entry.kind != "observation" or body.get("contest") != contest or (code and body.get("organisation") != code):
            continue
        said = Said(entry.id, index, entry.at, body)
        if index in answers:
            place, answer = answers[index]
            said = Said(
                entry.id, index, entry.at, body, str(answer.get("answer", "")), place, str(answer.get("reason", "")),
                answer.get("because"),
            )  # fmt: skip
        found.setdefault(str(body.get("station", "")), []).append(said)
    return found


def next_number(mission: Mission, official: Official, code: str, contest: str, station: str) -> int:
    """The number of the next observation of a station: after those in the record and those sent and not seen there yet."""
    prefix = f"observation/{code}/{contest}/{station}/"
    ids = {entry.id for entry in official.observers.values()} | set(mission.sent)
    numbers = [
        int(name) for name in (one.removeprefix(prefix) for one in ids if one.startswith(prefix)) if name.isdecimal()
    ]
    return max(numbers, default=0) + 1


def same(body: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two observations say the same of the same entry; the note does not count."""
    return all(body.get(name) == other.get(name) for name in ("contest", "station", "of", "fields", "photos"))


def _answers(official: Official) -> dict[int, tuple[int, Mapping[str, Any]]]:
    """The last answer to each entry that was answered."""
    return {
        int(body["of"]): (index, body) for index, body in _bodies(official, "observation-answer") if _whole(body, "of")
    }


def _bodies(official: Official, kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return ((index, entry.body) for index, entry in official.observers.items() if entry.kind == kind)


def _whole(body: Mapping[str, Any], name: str) -> bool:
    return type(body.get(name)) is int
