"""Does an entry about observers follow from the record before it (check V.15)? The same question for a verifier and a receiver.

Who signs is accredited, not suspended, within its time and territory; what an entry points at says what the entry says of it; a
seed that is told is the one that was committed to.
"""

from __future__ import annotations

import csv
import io
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from dauys.observe.accreditation.entries import EVERYWHERE, OWN, SENT, author_of
from dauys.record.entry import Entry, check_signature
from dauys.registers.poll import COMMISSION, Station

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """An accredited organisation as the record has it: its entry's body, and whether it is suspended now."""

    body: Body
    suspended: bool = False


class Known(Protocol):
    """What the record says before an entry. Places are those of entries in the record, from 0."""

    @property
    def zone(self) -> str:
        """The poll's time zone: by its days an accreditation ends."""

    def standing(self, code: str) -> Standing | None:
        """The organisation, where it is accredited."""

    def badge(self, commitment: str) -> bool:
        """Whether a badge is suspended."""

    def area_of(self, station: str) -> str | None:
        """The territory of a station; None where it is not in the list."""

    def listed(self) -> Iterable[Station]:
        """All stations, in the order of the record."""

    def said(self, place: int) -> tuple[str, Body] | None:
        """Kind and body of an entry about observers, of a correction or of an annulment."""

    def values(self, place: int, contest: str, station: str) -> Mapping[str, int] | None:
        """The values of the station's protocol, or of its correction, that stands at this place."""

    def sampled(self, organisation: str) -> int | None:
        """The place of the sample that the organisation committed to."""

    def committed(self, organisation: str, contest: str, name: str) -> str | None:
        """The SHA-256 of the seed that an audit of this name was begun with."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong: `author` with who says it, `content` with what is said."""

    author: tuple[str, ...] = ()
    content: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.author or self.content)

    def __str__(self) -> str:
        return "; ".join((*self.author, *self.content))


def follows(seq: int, entry: Entry, known: Known) -> Faults:
    """What speaks against an entry of a good shape at this place of the record; the commission's signature is not looked at."""
    body, content = entry.body, list[str]()
    if entry.kind in ("organisation", "organisation-suspended", "badge-suspended"):
        content += _of_commission(entry.kind, body, known)
    elif entry.kind == "observer-sample":
        content += _sample(seq, body, known)
    elif entry.kind == "observer-seed":
        content += _seed(seq, body, known)
    elif entry.kind == "observation":
        content += _observation(seq, body, known)
    elif entry.kind == "observation-answer":
        content += _answer(seq, body, known)
    elif entry.kind == "observer-audit":
        content += _audit(body, known)
    return Faults(tuple(author_faults(entry, known)) if entry.kind in SENT else (), tuple(content))


def unsigned(entry: Entry, said: Body | None) -> str:
    """Why it is not signed by the organisation that it names; empty where it is. `said`: its accreditation's body."""
    code = author_of(entry.by)
    if code is None or said is None:
        return f"{entry.by} is no organisation that was accredited before"
    if not said["key"]:
        return f"{code} has no key in the record"
    return "" if check_signature(entry, b64decode(said["key"])) else f"the signature of {code} is not valid"


def author_faults(entry: Entry, known: Known) -> list[str]:
    """Who signs is an organisation that may, and says so of itself only; or the commission, of an audit of its own."""
    if entry.by == COMMISSION:
        own = entry.kind == "observer-audit" and entry.body["organisation"] == COMMISSION
        return [] if own else ["the commission says what an organisation says itself"]
    code = author_of(entry.by)
    standing = None if code is None else known.standing(code)
    if standing is None:
        return [unsigned(entry, None)]
    found, said = [], standing.body
    if entry.body["organisation"] != code:
        found.append(f"{entry.by} speaks for {entry.body['organisation']}")
    if why := unsigned(entry, said):
        found.append(why)
    if standing.suspended:
        found.append(f"{code} is suspended")
    if datetime.fromisoformat(entry.at).astimezone(ZoneInfo(known.zone)).date().isoformat() > said["until"]:
        found.append(f"the accreditation of {code} ended on {said['until']}")
    if entry.kind == "observation" and said["scope"] != [EVERYWHERE]:
        area = known.area_of(entry.body["station"])
        if area not in said["scope"]:
            found.append(f"{code} is not accredited in {area}")
    return found


def _of_commission(kind: str, body: Body, known: Known) -> list[str]:
    if kind == "organisation":
        lead = body.get("coalition")
        good = lead is None or (lead != body["code"] and known.standing(lead) is not None)
        return [] if good else [f"{lead} leads a coalition and is no organisation that was accredited before"]
    standing = known.standing(body["organisation"])
    if standing is None:
        return [f"{body['organisation']} is no organisation that was accredited before"]
    now = standing.suspended if kind == "organisation-suspended" else known.badge(body["badge"])
    return ["it says what holds already"] if now == body["suspended"] else []


def _sample(seq: int, body: Body, known: Known) -> list[str]:
    """One sample of an organisation; a list that is said to be the record's is the record's.

    Of a file (`record_size` 0) the list is the mission's own.
    """
    if (first := known.sampled(body["organisation"])) is not None:
        return [f"it committed to a sample in entry {first}: who has several could choose among them"]
    if body["record_size"] > seq:
        return ["the list was read from a record that was not that long yet"]
    if body["record_size"] and body["frame_sha256"] != listed_sha256(known.listed()):
        return ["the list is not the one of the record"]
    return []


def listed_sha256(stations: Iterable[Station]) -> str:
    """SHA-256 of the record's list of stations as a sample is drawn from it: CSV, as `sample.frame.record_frame` writes it."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("id", "area", "eligible", "abroad"))
    rows.writerows((one.id, one.area, one.eligible, int(one.abroad)) for one in stations)
    return _sha256(text.getvalue())


def _seed(seq: int, body: Body, known: Known) -> list[str]:
    kind, sample = (known.said(body["of"]) if body["of"] < seq else None) or ("", {})
    if kind != "observer-sample" or sample["organisation"] != body["organisation"]:
        return [f"entry {body['of']} is no sample of {body['organisation']}"]
    if _sha256(body["seed"]) != sample["commitment"]:
        return ["the seed is not the one that was committed to"]
    return []


def _observation(seq: int, body: Body, known: Known) -> list[str]:
    contest, station, of = body["contest"], body["station"], body["of"]
    if known.area_of(station) is None:
        return [f"{station} is not in the list of stations"]
    if of is None:
        return []
    values = known.values(of, contest, station) if of < seq else None
    if values is None:
        return [f"entry {of} is no protocol of {station} ({contest})"]
    wrong = [name for name, pair in body["fields"].items() if pair["published"] != values.get(name)]
    return [f"entry {of} says otherwise: {', '.join(sorted(wrong))}"] if wrong else []


def _answer(seq: int, body: Body, known: Known) -> list[str]:
    kind, about = (known.said(body["of"]) if body["of"] < seq else None) or ("", {})
    if kind != "observation":
        return [f"entry {body['of']} is no observation"]
    if (body["answer"] == "corrected") != (body["because"] is not None):
        return ["an answer names an entry exactly where it says that the number was corrected"]
    if body["because"] is None:
        return []
    kind, change = (known.said(body["because"]) if body["because"] < seq else None) or ("", {})
    station = about["station"]
    place = change.get("station") or change.get("area")
    if (
        kind not in ("correction", "annulment")
        or change["contest"] != about["contest"]
        or place not in (station, known.area_of(station))
    ):
        return [f"entry {body['because']} corrects nothing of {station}"]
    return []


def _audit(body: Body, known: Known) -> list[str]:
    before = known.committed(body["organisation"], body["contest"], body["name"])
    committed = before or body.get("commitment")
    if "seed" in body and committed is not None and _sha256(body["seed"]) != committed:
        return ["the seed is not the one that was committed to"]
    if before is not None and body.get("commitment", before) != before:
        return ["the audit was begun with another commitment"]
    return []


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class Register:
    """The organisations, badges and entries about observers so far: what `Known` asks of them, folded entry by entry."""

    organisations: dict[str, Standing] = field(default_factory=dict)
    badges: dict[str, bool] = field(default_factory=dict)
    entries: dict[int, tuple[str, Body]] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)
    audits: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def take(self, seq: int, kind: str, body: Body) -> None:
        """Folds one entry of a good shape in, whatever speaks against it; the first of an id stays."""
        if kind == "organisation":
            self.organisations.setdefault(body["code"], Standing(body))
        elif kind == "organisation-suspended" and body["organisation"] in self.organisations:
            standing = self.organisations[body["organisation"]]
            self.organisations[body["organisation"]] = replace(standing, suspended=body["suspended"])
        elif kind == "badge-suspended":
            self.badges[body["badge"]] = body["suspended"]
        elif kind == "observer-sample":
            self.samples.setdefault(body["organisation"], seq)
        elif kind == "observer-audit" and "commitment" in body:
            self.audits.setdefault((body["organisation"], body["contest"], body["name"]), body["commitment"])
        if kind in SENT or kind in OWN:
            self.entries[seq] = kind, body
