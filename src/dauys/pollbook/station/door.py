"""Which officer is it? PINs as scrypt hashes, a pause after wrong ones, sessions: all in the station's own store.

Nobody chooses a PIN without a release: the command `dauys station enrol` makes the chair's first PIN and prints it once;
the chair makes those of the others, and new ones for who forgot. A first PIN opens one page only, on which its officer
chooses his own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput
from dauys.pollbook.machine.acts import Refused
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.station.key_seal import keep_key, open_key
from dauys.pollbook.wire.package import Officer, Voter

COST = 1 << 14
"""scrypt's N (RFC 7914), with r = 8 and p = 1: 16 MiB and some 50 ms for each try, on a laptop of a school."""

DIGITS = 6
SESSION = timedelta(hours=14)
"""A polling day; who goes home signs out."""
TRIES, PAUSE = 5, timedelta(minutes=5)


@dataclass(slots=True)
class Session:
    """An officer at one browser. What he looked for is kept in memory alone; `token` is the secret of the cookie."""

    officer: str
    token: str
    until: datetime
    found: list[UUID] = field(default_factory=list)
    sought: str = field(default="", repr=False)
    elsewhere: Voter | None = field(default=None, repr=False)
    signing: Ed25519PrivateKey | None = field(default=None, repr=False)
    """The officer's own key, while it is open (station_keys)."""

    @property
    def mark(self) -> str:
        """The mark of this session's forms: other sites cannot know it."""
        return hmac.digest(self.token.encode(), b"dauys station form", hashlib.sha256).hex()[:32]


@dataclass(frozen=True, slots=True)
class Pin:
    """What is kept of an officer's PIN. `first`: made by the chair, to be replaced. `wrong`: tries since the last good one."""

    salt: str
    hash: str
    first: bool
    wrong: int = 0
    again: str = ""

    def waits(self, at: datetime) -> datetime | None:
        """Until when no try is taken; None where one is."""
        until = datetime.fromisoformat(self.again) if self.again else None
        return until if until is not None and at < until <= at + PAUSE else None


class Door:
    """Sign-in, sign-out and PINs of a station's officers. Used by several threads."""

    def __init__(self, keep: Keep, clock: Callable[[], datetime]) -> None:
        self._keep = keep
        self._clock = clock
        self._lock = threading.Lock()
        self._pins = {name: Pin(**value) for name, value in json.loads(keep.kept("pins") or "{}").items()}
        self._sessions: dict[str, Session] = {}
        self._kept: dict[str, list[str]] = json.loads(keep.kept("sessions") or "{}")

    def pin_of(self, officer: str) -> Pin | None:
        return self._pins.get(officer)

    def first_pin(self, officer: str) -> str:
        """A new first PIN for an officer, who is signed out everywhere. Raises BadInput P.029."""
        self._officer(officer)
        pin = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
        with self._lock:
            self._set(officer, _pin(pin, first=True))
            self._end(officer)
        return pin

    def sign_in(self, officer: str, pin: str) -> Session:
        """A new session. Raises BadInput P.043 where officer or PIN are wrong, Refused P.044 while he has to wait."""
        at = self._clock()
        known = self._try(officer, pin)
        signing = open_key(self._keep, officer, pin, COST)
        with self._lock:
            self._set(officer, Pin(known.salt, known.hash, known.first))
            session = Session(officer, secrets.token_urlsafe(32), at + SESSION, signing=signing)
            self._sessions[_name(session.token)] = session
            self._kept[_name(session.token)] = [officer, session.until.isoformat()]
            self._keep_sessions()
        return session

    def unlock(self, session: Session, pin: str) -> Ed25519PrivateKey | None:
        """The officer's own key that holds now, if he has one that this PIN opens. Raises as `sign_in` does."""
        known = self._try(session.officer, pin)
        with self._lock:
            self._set(session.officer, Pin(known.salt, known.hash, known.first))
        return open_key(self._keep, session.officer, pin, COST)

    def keep_key(self, officer: str, pin: str, private: Ed25519PrivateKey) -> None:
        """Keeps an officer's own key for his PIN."""
        keep_key(self._keep, officer, pin, private, COST)

    def _try(self, officer: str, pin: str) -> Pin:
        """The PIN, if it is this one; each try is counted before, so that many at once are many tries."""
        with self._lock:
            known, at = self._pins.get(officer), self._clock()
            if known is not None and (until := known.waits(at)) is not None:
                raise Refused("too many wrong PINs", "P.044", facts={"until": until.isoformat()})
            if known is not None:
                wrong = known.wrong + 1
                again = (at + PAUSE).isoformat() if wrong >= TRIES else ""
                self._set(officer, Pin(known.salt, known.hash, known.first, 0 if again else wrong, again))
        if known is None or not hmac.compare_digest(_hash(pin, known.salt), known.hash):
            raise BadInput("the officer or the PIN is wrong", check="P.043")
        return known

    def choose(self, session: Session, pin: str, again: str, present: str = "") -> None:
        """The officer's own PIN; wherever else he is signed in, he is so no more: others may have seen the one before.

        A first PIN was just typed; another one is asked for (`present`), for the browser may have been left open. Raises
        BadInput P.045 where it is no PIN, is too easy, or was typed differently; P.043, P.044 as `sign_in` does.
        """
        easy = len(set(pin)) < 3 or pin in "01234567890" or pin in "09876543210"
        if len(pin) < DIGITS or len(pin) > 20 or not pin.isdecimal() or not pin.isascii() or easy:
            expected = f"{DIGITS} digits or more, not all alike and not in a row"
            raise BadInput("this PIN is too easy", expected=expected, check="P.045")
        if pin != again:
            raise BadInput("the two PINs differ", check="P.045")
        known = self._pins.get(session.officer)
        if known is not None and known.first and hmac.compare_digest(_hash(pin, known.salt), known.hash):
            raise BadInput("choose another PIN than the first one", check="P.045")
        if known is None or not known.first:
            self._try(session.officer, present)
            session.signing = session.signing or open_key(self._keep, session.officer, present, COST)
        if session.signing is not None:
            keep_key(self._keep, session.officer, pin, session.signing, COST)
        with self._lock:
            self._set(session.officer, _pin(pin, first=False))
            self._end(session.officer, but=session)

    def session(self, token: str | None) -> Session | None:
        """Who has this cookie; None where nobody, or no more."""
        if not token:
            return None
        name = _name(token)
        with self._lock:
            session = self._sessions.get(name)
            if session is None and name in self._kept:
                officer, until = self._kept[name]
                session = self._sessions[name] = Session(officer, token, datetime.fromisoformat(until))
        if session is None or session.until < self._clock() or self._keep.package.officer(session.officer) is None:
            return None
        return session

    def sign_out(self, session: Session) -> None:
        with self._lock:
            self._sessions.pop(_name(session.token), None)
            self._kept.pop(_name(session.token), None)
            self._keep_sessions()

    def _officer(self, officer: str) -> Officer:
        found = self._keep.package.officer(officer)
        if found is None:
            names = ", ".join(one.id for one in self._keep.package.officers)
            raise BadInput("this station has no such officer", found=officer, expected=names, check="P.029")
        return found

    def _set(self, officer: str, pin: Pin) -> None:
        self._pins[officer] = pin
        kept = {
            name: {"salt": one.salt, "hash": one.hash, "first": one.first, "wrong": one.wrong, "again": one.again}
            for name, one in self._pins.items()
        }
        self._keep.keep("pins", json.dumps(kept))

    def _end(self, officer: str, but: Session | None = None) -> None:
        """Signs an officer out everywhere, `but` in one session."""
        stays = "" if but is None else _name(but.token)
        for name in [name for name, (whose, _) in self._kept.items() if whose == officer and name != stays]:
            self._sessions.pop(name, None)
            self._kept.pop(name)
        self._keep_sessions()

    def _keep_sessions(self) -> None:
        at = self._clock()
        self._kept = {name: one for name, one in self._kept.items() if datetime.fromisoformat(one[1]) > at}
        self._keep.keep("sessions", json.dumps(self._kept))


def first_pins(keep: Keep, clock: Callable[[], datetime]) -> Sequence[tuple[Officer, str]]:
    """The first PINs of a station on which nobody has one yet: for each chair, or for all where there is no chair."""
    door = Door(keep, clock)
    officers = [one for one in keep.package.officers if one.role == "chair"] or list(keep.package.officers)
    return [(one, door.first_pin(one.id)) for one in officers if door.pin_of(one.id) is None]


def _pin(pin: str, *, first: bool) -> Pin:
    salt = secrets.token_hex(16)
    return Pin(salt, _hash(pin, salt), first)


def _hash(pin: str, salt: str) -> str:
    return hashlib.scrypt(pin.encode("utf-8", "replace")[:100], salt=bytes.fromhex(salt), n=COST, r=8, p=1).hex()


def _name(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
