"""Who is it: the mission's office, or an observer? Codes and a password as scrypt marks, pauses after wrong ones, sessions.

The office is opened by a code that the command prints when it starts, good once and until it ends: whoever sees that screen
holds the machine. Its password is then chosen in the browser. An observer signs in with his id and the code on his paper;
a session of the one opens nothing of the other.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

from dauys.errors import BadInput, DauysError
from dauys.observe.known.model import Observer
from dauys.observe.office.visit import Keeping

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What a code is made of: no 0, 1, I, L, O, which are misread."""
PASSWORD_COST, CODE_COST = 1 << 14, 1 << 10
"""scrypt's N (RFC 7914), r = 8, p = 1. A code is 10 letters of 31 by chance: 49 bits, so that the cheaper one holds."""
LEAST, MOST = 10, 200
"""Characters of a password."""
OFFICE_SESSION, OBSERVER_SESSION = timedelta(hours=24), timedelta(hours=60)
"""The office signs in again each day; an observer's phone stays in over the night of the count."""
TRIES, PAUSE = 5, timedelta(minutes=1)
STRANGERS = 10_000
"""Addresses, and ids that nobody has, of which wrong tries are remembered."""
_Tries = dict[str, tuple[int, datetime]]
OFFICE = "office"


class Shut(DauysError):
    """Who has to wait, or has no business here."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody at one browser: `who` is `office` or an observer's id; `token` is the secret of the cookie."""

    who: str
    token: str
    until: datetime

    @property
    def mark(self) -> str:
        """The mark of this session's forms: other sites cannot know it."""
        return hmac.digest(self.token.encode(), b"dauys mission form", hashlib.sha256).hex()[:32]


class Door:
    """Sign-in and sign-out. Used by several threads."""

    def __init__(self, keep: Keeping, clock: Callable[[], datetime], name: str) -> None:
        """`name` tells this mission's cookies from those of another on the same host: cookies do not tell ports apart."""
        self._keep, self._clock = keep, clock
        self._lock = threading.Lock()
        self._code = new_code()
        self._wrong: _Tries = {}
        """Of observers, by id."""
        self._strangers: _Tries = {}
        """Of ids that nobody has."""
        self._offices: _Tries = {}
        """Of the office's password, by where they come from: who tries from elsewhere does not shut the office out."""
        mark = hashlib.sha256(name.encode()).hexdigest()[:12]
        self.office_cookie, self.observer_cookie = f"dauys_m_{mark}", f"dauys_o_{mark}"

    @property
    def code(self) -> str:
        """The code that opens the office now, once; then there is another."""
        return self._code

    @property
    def has_password(self) -> bool:
        return self._keep.kept("password") is not None

    def office_sign_in(self, typed: str, address: str = "") -> Session:
        """A session for the one-time code or the password. Raises BadInput O.023, Shut while that address has to wait."""
        code = normal(typed)
        with self._lock:
            if hmac.compare_digest(code.encode(), self._code.encode()):
                self._code = new_code()
                return self._begin(OFFICE, OFFICE_SESSION)
        place = _network(address)
        self._try(self._offices, place, STRANGERS)
        if not _fits(typed, self._keep.kept("password") or "", PASSWORD_COST):
            raise BadInput("this is neither the password nor the code on the screen", check="O.023")
        with self._lock:
            self._offices.pop(place, None)
            return self._begin(OFFICE, OFFICE_SESSION)

    def choose(self, password: str, again: str) -> None:
        """Sets the office's password. Raises BadInput O.011."""
        if not LEAST <= len(password) <= MOST or len(set(password)) < 4:
            raise BadInput(
                "this password is too short or too plain", expected=f"{LEAST} characters or more", check="O.011"
            )
        if password != again:
            raise BadInput("the two passwords differ", check="O.011")
        self._keep.keep("password", mark_of(password, PASSWORD_COST))

    def observer_sign_in(self, observer: str, code: str) -> Session:
        """A session for an observer. Raises BadInput O.023, Shut while he has to wait; a suspended one may still sign in."""
        named = observer.strip()[:40]
        observers = self._keep.mission.observers
        found = observers.get(named) or observers.get(named.upper())
        if found is not None:
            self._try(self._wrong, found.id)
        else:
            self._try(self._strangers, named.upper(), STRANGERS)
        if not _fits(normal(code), found.secret if found else "", CODE_COST) or found is None:
            raise BadInput("the observer's id or the code is wrong", check="O.023")
        with self._lock:
            self._wrong.pop(found.id, None)
            return self._begin(found.id, OBSERVER_SESSION)

    def office_session(self, request: Request) -> Session | None:
        """The office's session that a request bears."""
        found = self._session(request.cookies.get(self.office_cookie))
        return found if found is not None and found.who == OFFICE else None

    def observer_session(self, request: Request) -> tuple[Session, Observer] | None:
        """The observer's session that a request bears, and who he is now (suspended or not)."""
        found = self._session(request.cookies.get(self.observer_cookie))
        observer = None if found is None else self._keep.mission.observers.get(found.who)
        return None if found is None or observer is None else (found, observer)

    def sign_out(self, session: Session) -> None:
        with self._lock:
            self._forget(_name(session.token))

    def end(self, who: str) -> None:
        """Signs somebody out everywhere: an observer who got a new code."""
        with self._lock:
            for name in self._of(who):
                self._forget(name)
            self._keep.keep(f"sessions:{who}", "")

    def _begin(self, who: str, lasts: timedelta) -> Session:
        """A new session. What is kept of it is a row of its own, and its name with those of the same person."""
        session = Session(who, secrets.token_urlsafe(32), self._clock() + lasts)
        name = _name(session.token)
        others = [other for other in self._of(who) if self._there(other)]
        self._keep.keep(f"session:{name}", json.dumps([who, session.until.isoformat()]))
        self._keep.keep(f"sessions:{who}", json.dumps([*others, name]))
        return session

    def _session(self, token: str | None) -> Session | None:
        if not token:
            return None
        kept = self._keep.kept(f"session:{_name(token)}")
        if not kept:
            return None
        who, until = json.loads(kept)
        session = Session(who, token, datetime.fromisoformat(until))
        return None if session.until < self._clock() else session

    def _of(self, who: str) -> list[str]:
        """The names of somebody's sessions, old ones too."""
        found: list[str] = json.loads(self._keep.kept(f"sessions:{who}") or "[]")
        return found

    def _there(self, name: str) -> bool:
        """Whether a session still lasts; one that does not is forgotten."""
        kept = self._keep.kept(f"session:{name}")
        lasts = bool(kept) and datetime.fromisoformat(json.loads(kept or "")[1]) > self._clock()
        if not lasts:
            self._forget(name)
        return lasts

    def _forget(self, name: str) -> None:
        self._keep.keep(f"session:{name}", "")

    def _try(self, table: _Tries, who: str, most: int | None = None) -> None:
        """Counts a try before it is made: many at once are many. Raises Shut after too many.

        A table of strangers has `most` rows: the one that was not tried for the longest time makes room.
        """
        at = self._clock()
        with self._lock:
            tries, until = table.get(who, (0, at))
            if tries >= TRIES and at < until <= at + PAUSE:
                raise Shut("too many wrong codes: wait a minute, then try again")
            table.pop(who, None)
            table[who] = (1 if tries >= TRIES else tries + 1, at + PAUSE)
            if most is not None and len(table) > most:
                del table[next(iter(table))]


def _network(address: str) -> str:
    """Where a try comes from: an IPv4 address, or the /64 of an IPv6 one, which one line has whole."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)


def new_code() -> str:
    """A code by chance: 49 bits, as it is stored and compared."""
    return "".join(secrets.choice(LETTERS) for _ in range(10))


def shown(code: str) -> str:
    """The code as it is printed: in two groups."""
    return f"{code[:5]}-{code[5:]}"


def normal(typed: str) -> str:
    """The code that was meant: blanks, hyphens and small letters do not matter."""
    return "".join(typed.replace("-", "").split()).upper()[:40]


def mark_of(secret: str, cost: int = CODE_COST) -> str:
    """What is kept of a secret: its salt and hash, in hexadecimal."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{_hash(secret, salt, cost).hex()}"


def _fits(secret: str, mark: str, cost: int) -> bool:
    """Whether a secret is the one of a mark. Without a mark it takes as long."""
    salt, _, expected = mark.partition(":")
    found = _hash(secret, bytes.fromhex(salt) or b"nobody", cost)
    return hmac.compare_digest(found.hex(), expected)


def _hash(secret: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(secret.encode("utf-8", "replace")[:800], salt=salt, n=cost, r=8, p=1)


def _name(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
