"""With what does a member sign for the ballots that he hands out? His own key, made at the station and opened by his PIN.

Nobody must have one. Who made one signs every ballot with it, without doing more than signing in: its private half lies in the
station's store, sealed by a key that scrypt makes of his PIN, and is open in memory while he is signed in. The public half is
an event of the log. A new key is signed by the one before, unless that one went with a forgotten PIN: the log says which.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput
from dauys.pollbook.machine import acts
from dauys.pollbook.machine.answers import clock_of
from dauys.pollbook.station.visit import Model, Page, Visit


def fingerprint(public: bytes) -> str:
    """What two people compare: the first 80 bits of SHA-256, in groups of four hexadecimal digits."""
    digits = hashlib.sha256(public).hexdigest()[:20].upper()
    return " ".join(digits[place : place + 4] for place in range(0, 20, 4))


def key(visit: Visit) -> Model | str:
    """Shows the officer's own key; makes one, or the next one. His PIN is asked for again: the browser may be left open."""
    own = visit.book.keys.get(visit.officer.id)
    shown = "" if own is None else fingerprint(own.key)
    if visit.form is not None:
        if visit.text("was") != shown:  # the same tap again
            return "/key"
        pin = "".join(visit.text("pin").split())
        before = visit.station.door.unlock(visit.session, pin)
        private = Ed25519PrivateKey.generate()
        visit.station.door.keep_key(visit.officer.id, pin, private)  # before the log says that it holds
        public = private.public_key().public_bytes_raw()
        sign = None if before is None else before.sign
        visit.act(lambda book: acts.do_officer_key(book, visit.officer.id, public, at=visit.at, sign=sign))
        visit.session.signing = private
        return "/key"
    return {
        "own": None if own is None else {
            "fingerprint": shown, "n": own.n, "signed": own.signed,
            "since": clock_of(visit.book, own.at) if own.at else "", "open": visit.session.signing is not None,
        },
        "others": [
            {"officer": one, "fingerprint": fingerprint(visit.book.keys[one.id].key)}
            for one in visit.book.package.officers if one.id in visit.book.keys and one.id != visit.officer.id
        ],
    }  # fmt: skip


def must_be_open(visit: Visit) -> None:
    """Raises BadInput P.042 where the officer has a key and this session does not: the program was started again since."""
    if visit.officer.id in visit.book.keys and visit.session.signing is None:
        raise BadInput("your key is closed: sign out and in again, or make a new key", check="P.042")


PAGES = (Page("/key", "station/key.html", key),)
