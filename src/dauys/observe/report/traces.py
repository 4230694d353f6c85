"""By which event of the mission's log did it come? The log is looked through once; later only what is new."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from dauys.observe.known.model import Event
from dauys.observe.office.visit import Keeping

NAMED = ("note", "audit")
SINGLE = ("identity", "frame", "plan", "drawn")


@dataclass
class _Seen:
    size: int = 0
    newest: dict[tuple[str, str], Event] = field(default_factory=dict)
    """By kind and name (empty for a kind whose events have none)."""
    sent: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_SEEN: WeakKeyDictionary[Keeping, _Seen] = WeakKeyDictionary()


def note_of(keep: Keeping, name: str) -> Event | None:
    """The newest note of that name."""
    return _known(keep).newest.get(("note", name))


def notes_of(keep: Keeping, prefix: str) -> dict[str, Event]:
    """The newest note of each name that begins so, by the rest of the name."""
    return _named(keep, "note", prefix)


def audits_of(keep: Keeping, prefix: str) -> dict[str, Event]:
    """The newest event of an audit of each name that begins so, by the rest of the name."""
    return _named(keep, "audit", prefix)


def _named(keep: Keeping, kind: str, prefix: str) -> dict[str, Event]:
    return {
        name.removeprefix(prefix): event
        for (of, name), event in list(_known(keep).newest.items())
        if of == kind and name.startswith(prefix)
    }


def newest(keep: Keeping, kind: str) -> Event | None:
    """The newest event of a kind in `SINGLE`."""
    return _known(keep).newest.get((kind, ""))


def sent_events(keep: Keeping) -> Mapping[str, int]:
    """The event by which each entry's receipt came, by the entry's id."""
    return _known(keep).sent


def _known(keep: Keeping) -> _Seen:
    seen = _SEEN.setdefault(keep, _Seen())
    with seen.lock:
        for event in keep.events(seen.size):
            seen.size = event.n + 1
            if event.kind in NAMED:
                seen.newest[event.kind, str(event.body["name"])] = event
            elif event.kind in SINGLE:
                seen.newest[event.kind, ""] = event
            elif event.kind == "sent":
                seen.sent[str(event.body["id"])] = event.n
    return seen
