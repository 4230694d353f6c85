"""Is this badge the commission's, and does it still hold? A text of a few lines, signed, that fits a QR code; no server is asked.

    {"badge":"qala/17","name":"...","of":"City Watch","organisation":"qala","poll":"...","salt":"...","sig":"...","until":"..."}

canonical JSON (RFC 8785); `sig` is base64 of Ed25519 by the commission over the canonical JSON of the other members. Nobody
keeps the name: it stands on the badge alone. In the record a badge is the SHA-256 of what is signed, which nobody
guesses: the salt has 128 bits.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import segno
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation.entries import is_code
from dauys.record.canonical import canonical, parse

MEMBERS = ("badge", "name", "of", "organisation", "poll", "salt", "station", "until")
"""What is signed; `station` is there only on a badge for one station."""
NAME, LONGEST = 120, 900
"""Characters of a name; bytes of a badge: more would make a code that no phone reads."""

VALID, SUSPENDED, ENDED, FORGED = "valid", "suspended", "ended", "forged"


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge says. `number` is `<organisation>/<n>`, `of` the organisation's name, `until` the last day."""

    number: str
    name: str
    of: str
    organisation: str
    poll: str
    salt: str
    until: str
    station: str = ""

    def signed(self) -> dict[str, str]:
        """The members that the signature covers."""
        members = {
            "badge": self.number, "name": self.name, "of": self.of, "organisation": self.organisation, "poll": self.poll,
            "salt": self.salt, "until": self.until,
        }  # fmt: skip
        return members | ({"station": self.station} if self.station else {})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a badge is worth: valid, suspended, ended or forged; `badge` is what it says, where the signature is good."""

    state: str
    badge: Badge | None
    commitment: str
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        said = None if self.badge is None else self.badge.signed()
        return {"state": self.state, "badge": said, "commitment": self.commitment, "why": self.why}


def write(badge: Badge, key: Ed25519PrivateKey) -> str:
    """The text of a signed badge. Raises BadInput O.013 for a name that is none or too long."""
    if not badge.name.strip() or len(badge.name) > NAME or not badge.name.isprintable():
        raise BadInput(
            "a badge has a name", field="name", found=badge.name, expected="1 to 120 characters", check="O.013"
        )
    said = badge.signed()
    text = canonical(said | {"sig": b64encode(key.sign(canonical(said))).decode()}).decode()
    if len(text.encode()) > LONGEST:
        raise BadInput("the badge is too long for a code", field="name", expected="shorter names", check="O.013")
    return text


def commitment(badge: Badge) -> str:
    """What stands in the record for a badge: SHA-256 of what its signature covers, in hexadecimal.

    Not of the whole text: one signature can be written in several ways, and a suspended badge has one name only.
    """
    return sha256(canonical(badge.signed())).hexdigest()


def read(text: str) -> tuple[Badge, bytes, bytes]:
    """The badge in a text, its signature and what that covers. Raises BadInput O.014 for any other text."""
    try:
        said = parse(text.strip().encode())
        if not isinstance(said, dict):
            raise TypeError
        members = {name: value for name, value in said.items() if name != "sig"}
        if not {*MEMBERS} - {"station"} <= members.keys() <= {*MEMBERS} or not all(
            isinstance(value, str) for value in said.values()
        ):
            raise ValueError
        named = {name: str(value) for name, value in members.items()}
        badge = Badge(number=named.pop("badge"), **named)
        if not is_code(badge.organisation) or not badge.number.startswith(f"{badge.organisation}/"):
            raise ValueError
        date.fromisoformat(badge.until)
        signature = b64decode(str(said["sig"]), validate=True)
        if b64encode(signature).decode() != said["sig"]:
            raise ValueError
    except (DauysError, ValueError, KeyError, TypeError):
        raise BadInput(
            "this is not a badge: scan the code again, whole", found=text[:60], expected='{"badge":...}', check="O.014"
        ) from None
    return badge, signature, canonical(members)


def look_at(
    text: str, poll: str, key: bytes, suspended: Mapping[str, bool], codes: Mapping[str, bool], on: date
) -> Answer:
    """What a badge is worth on a day, without a server. `key`: the commission's, 32 bytes; `suspended`: commitments of badges,
    `codes`: organisations, each true while suspended. Raises BadInput O.014 for a text that is no badge."""
    badge, signature, covered = read(text)
    mark = commitment(badge)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, covered)
    except (InvalidSignature, ValueError):
        return Answer(FORGED, None, mark, "the commission did not sign it")
    if badge.poll != poll:
        return Answer(FORGED, badge, mark, f"it is for {badge.poll}")
    if suspended.get(mark, False):
        return Answer(SUSPENDED, badge, mark, "the badge is suspended")
    if codes.get(badge.organisation, False):
        return Answer(SUSPENDED, badge, mark, "the organisation is suspended")
    if on.isoformat() > badge.until:
        return Answer(ENDED, badge, mark, f"it ended on {badge.until}")
    return Answer(VALID, badge, mark)


def picture(text: str) -> str:
    """The QR code as an SVG element that stands in a page."""
    return str(segno.make(text, error="m", micro=False).svg_inline(scale=4, border=4, omitsize=True))
