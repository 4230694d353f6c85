"""How does a mission send a photo that an observation of its organisation names? Its bytes, and a signed statement beside them.

The statement is signed as an entry is, says where in the record the observation stands and how many bytes come, travels in
the header `Authorization: Dauys BASE64`, and enters no record. Both sides make and read it here; nothing of it needs a database.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import BadInput, DauysError
from dauys.observe.accreditation.entries import PREFIX, author_of, is_sha256
from dauys.record.entry import Entry, sign_entry

KIND = "photo"
SCHEME = "Dauys "
LONGEST = 2_000
"""Characters of the header: a statement has some hundred."""
NO_PASS, MISSHAPEN = "O.006", "O.007"


@dataclass(frozen=True, slots=True)
class Offer:
    """A photo of `size` bytes that the observation at place `of` of the poll's record names."""

    poll: str
    organisation: str
    sha256: str
    of: int
    size: int

    def statement(self, at: datetime) -> Entry:
        """What is signed."""
        body = {"organisation": self.organisation, "of": self.of, "size": self.size}
        by = f"{PREFIX}{self.organisation}"
        return Entry(self.poll, KIND, f"{KIND}/{self.sha256}", at.isoformat(timespec="seconds"), by, body)


def photo_address(site: str, poll: str, sha256: str) -> str:
    """Where the commission's site takes the bytes (PUT)."""
    return f"{site}/api/polls/{poll}/observers/photos/{sha256}"


def pass_of(offer: Offer, key: Ed25519PrivateKey, at: datetime) -> str:
    """The header that goes with the bytes."""
    return SCHEME + b64encode(sign_entry(offer.statement(at), key).to_bytes()).decode()


def read_pass(header: str) -> tuple[Offer, Entry]:
    """What is offered, and the statement whose signature is still to be checked. Raises BadInput O.006 without one, O.007."""
    if not header.startswith(SCHEME):
        raise BadInput(
            "nobody signed this: a photo comes with a statement signed by the organisation (docs/observers.md)",
            field="Authorization", expected="Dauys BASE64", check=NO_PASS,
        )  # fmt: skip
    try:
        if len(header) > LONGEST:
            raise DauysError(f"a statement has at most {LONGEST:,} characters")
        entry = Entry.from_bytes(b64decode(header.removeprefix(SCHEME), validate=True))
        return _offer(entry), entry
    except (DauysError, binascii.Error, ValueError) as error:
        raise BadInput(f"this is no statement of a photo: {error}", field="Authorization", check=MISSHAPEN) from None


def _offer(entry: Entry) -> Offer:
    code, body, (kind, _, sha256) = author_of(entry.by), entry.body, entry.id.partition("/")
    if entry.kind != KIND or kind != KIND or not is_sha256(sha256) or code is None or entry.checks:
        raise DauysError("it is an entry of the kind photo, by organisation/CODE, its id photo/SHA256")
    match body:
        case {"organisation": str(organisation), "of": int(of), "size": int(size), **rest} if (
            not rest and organisation == code and type(of) is type(size) is int and of >= 0 and size > 0
        ):
            return Offer(entry.poll, code, sha256, of, size)
    raise DauysError("it says organisation, of (the observation's place in the record) and size, and nothing else")
