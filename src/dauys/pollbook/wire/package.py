"""What does the centre give a station before the day? Its list, rules and officers: signed by the centre, sealed by a code.

A package is one file of canonical JSON

    {"dauys": "pollbook package v1", "poll", "station", "generation", "salt", "sealed", "sig"}

* `sealed` is a 12-byte nonce and AES-256-GCM of the content, with all members but `sealed` and `sig` as additional data.
* The key is HKDF-SHA256 of the enrolment code: 16 random bytes, spelled (dauys.pollbook.log.spelling), used once, and given
  by hand, never by the way the file goes. HKDF makes keys, it does not strengthen passwords: the code must be random.
* `sig` is the centre's Ed25519 signature over the canonical JSON of the other members. The centre's public key is inside:
  that the file opens with the code proves that key; the signature proves later who made the list.

The station makes its own signing key. An Enrolment tells the centre its public half, with a proof that only the holder
of the code can make; the first one counts.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dauys.errors import BadInput, DauysError
from dauys.law.files import Node
from dauys.pollbook.log.events import ONCE, LogId, read_base64, signed_by
from dauys.pollbook.log.spelling import spell, unspell
from dauys.pollbook.rules.channels import OFFICER_ID, ROLES, Channels
from dauys.record.canonical import canonical, parse

MAGIC = "pollbook package v1"
LARGEST_PACKAGE = 64 << 20
CODE_BYTES = 16
SALT_BYTES = 16
NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Officer:
    """A member of the station's commission. `key`: the Ed25519 key with which he signs each check-in, if he has one."""

    id: str
    role: str
    name: str
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A polling station as it is known: names in three languages, settlement and address (empty: not known)."""

    names: Mapping[str, str]
    settlement: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Voter:
    """One line of a station's list. `number` is the line's; `names` other spellings; `born` is YYYY-MM-DD.

    `away`: the holder of the right where it is not this station when the list is made (`station/12/1`, `certificate`).
    """

    entitlement: UUID
    number: int
    iin: str
    born: str
    surname: str
    given: str
    patronymic: str = ""
    names: tuple[str, ...] = ()
    address: str = ""
    epoch: int = 0
    away: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "entitlement": str(self.entitlement),
            "number": self.number,
            "iin": self.iin,
            "born": self.born,
            "surname": self.surname,
            "given": self.given,
            "patronymic": self.patronymic,
            "names": list(self.names),
            "address": self.address,
            "epoch": self.epoch,
            "away": self.away,
        }

    @classmethod
    def from_json(cls, value: object) -> Voter:
        """The line that `to_json` wrote; raises BadInput P.011, which shows nothing of the line."""
        match value:
            case {
                "entitlement": str(who), "number": int(number), "iin": str(iin), "born": str(born),
                "surname": str(surname), "given": str(given), "patronymic": str(patronymic), "names": list(names),
                "address": str(address), "epoch": int(epoch), "away": str(away), **rest,
            } if not rest and all(isinstance(name, str) for name in names):  # fmt: skip
                try:
                    day, entitlement = date.fromisoformat(born).isoformat(), UUID(who)
                except ValueError:
                    day = ""
                if day == born and type(number) is int and type(epoch) is int and 0 <= epoch < 1 << 15:
                    texts = (iin, born, surname, given, patronymic, tuple(names), address)
                    return cls(entitlement, number, *texts, epoch, away)
        raise BadInput("a line of the list is not readable; ask the centre for the package again", check="P.011")


@dataclass(frozen=True)
class Package:
    """What a station starts with. `centre` is the centre's 32-byte public key; `lease` how long it may work unheard.

    `names` are the poll's; `stations` the stations of its area by id, itself among them; `opens` and `closes` local times as
    the law has them. `trial`: its station may set its clock, and says on every page that nothing is a real vote.
    """

    log: LogId
    names: Mapping[str, str]
    centre: bytes
    lease: datetime
    opens: str
    closes: str
    channels: Channels
    officers: tuple[Officer, ...]
    voters: tuple[Voter, ...]
    stations: Mapping[str, Place] = field(default_factory=dict)
    trial: bool = False

    @cached_property
    def by_entitlement(self) -> Mapping[UUID, Voter]:
        return {voter.entitlement: voter for voter in self.voters}

    def officer(self, officer: str) -> Officer | None:
        return next((one for one in self.officers if one.id == officer), None)

    def content(self) -> dict[str, Any]:
        """The JSON that is sealed."""
        return {
            "names": dict(self.names),
            "centre": b64encode(self.centre).decode(),
            "lease": self.lease.isoformat(),
            "hours": {"open": self.opens, "close": self.closes},
            "channels": self.channels.to_json(),
            "officers": [
                {"id": one.id, "role": one.role, "name": one.name}
                | ({} if one.key is None else {"key": b64encode(one.key).decode()})
                for one in self.officers
            ],
            "stations": {
                name: {"names": dict(place.names), "settlement": place.settlement, "address": place.address}
                for name, place in self.stations.items()
            },
            "voters": [voter.to_json() for voter in self.voters],
            **({"trial": True} if self.trial else {}),
        }

    @classmethod
    def of_content(cls, log: LogId, content: Any) -> Package:
        """The package whose content this is; raises BadInput."""
        if not isinstance(content, dict) or not isinstance(content.get("voters"), list):
            raise BadInput("the package has no list of voters; ask the centre for it again", check="P.011")
        voters = tuple(map(Voter.from_json, content["voters"]))
        rest = {name: value for name, value in content.items() if name not in ("voters", "channels")}
        parts = Node.of(rest).mapping(("names", "centre", "lease", "hours", "officers", "stations"), ("trial",))
        hours = parts["hours"].mapping(("open", "close"))
        stations = {}
        for name, value in parts["stations"].entries():
            place = value.mapping(("names", "settlement"), ("address",))
            address = place["address"].text(empty=True) if "address" in place else ""
            stations[name.text()] = Place(place["names"].labels(), place["settlement"].text(empty=True), address)
        package = cls(
            log=log,
            names=parts["names"].labels(),
            centre=read_base64(parts["centre"].text(), 32, "the centre's key", "P.011"),
            lease=parts["lease"].moment(),
            opens=f"{hours['open'].time():%H:%M}",
            closes=f"{hours['close'].time():%H:%M}",
            channels=Channels.from_json(content.get("channels")),
            officers=tuple(_officer(item) for item in parts["officers"].items()),
            voters=voters,
            stations=stations,
            trial="trial" in parts and parts["trial"].boolean(),
        )
        if len(package.by_entitlement) < len(voters):
            raise BadInput("a voter stands on the list twice; ask the centre for the package again", check="P.011")
        if len({officer.id for officer in package.officers}) < len(package.officers):
            parts["officers"].fail("an officer is listed twice", expected="each id once")
        return package


def _officer(node: Node) -> Officer:
    parts = node.mapping(("id", "role", "name"), ("key",))
    key = read_base64(parts["key"].text(), 32, "an officer's key", "P.011") if "key" in parts else None
    name = parts["id"].matching(OFFICER_ID, "small letters, digits, hyphens, at most 20")
    return Officer(name, parts["role"].choice(*ROLES), parts["name"].text(), key)


def new_code(random: bytes) -> str:
    """The enrolment code of 16 random bytes: 26 characters and a check character."""
    if len(random) != CODE_BYTES:
        raise ValueError(f"an enrolment code has {CODE_BYTES} bytes, not {len(random)}")
    return spell(random)


def seal(package: Package, code: str, key: Ed25519PrivateKey, salt: bytes, nonce: bytes) -> bytes:
    """The file for a station. `salt` (16 bytes) and `nonce` (12) are random; `key` is the centre's."""
    if key.public_key().public_bytes_raw() != package.centre:
        raise DauysError("the package names another key of the centre than the one that signs it")
    header = _header(package.log, salt)
    sealed = nonce + AESGCM(_derive(code, salt, package.log, "seal")).encrypt(
        nonce, canonical(package.content()), canonical(header)
    )
    body = {**header, "sealed": b64encode(sealed).decode()}
    return canonical({**body, "sig": b64encode(key.sign(canonical(body))).decode()})


def unseal(data: bytes, code: str) -> Package:
    """The package in a file; raises BadInput: P.011 damaged, P.012 wrong code, P.014 not signed, P.038 code mistyped."""
    body, salt, log = _outer(data)
    sealed, sig = read_base64(body["sealed"], None, "the package", "P.011"), body.pop("sig")
    header = {name: value for name, value in body.items() if name != "sealed"}
    try:
        plain = AESGCM(_derive(code, salt, log, "seal")).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], canonical(header)
        )
    except (InvalidTag, ValueError):
        message = f"the package of station {log.station} does not open with this code"
        expected = f"the code for generation {log.generation}, and the file whole"
        raise BadInput(message, expected=expected, check="P.012") from None
    package = Package.of_content(log, parse(plain))
    if not signed_by(canonical(body), read_base64(sig, 64, "the signature", "P.011"), package.centre):
        raise BadInput("the package is not signed by the centre that it names; do not use it", check="P.014")
    return package


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A station's public key on its way to the centre, with the proof (32 bytes) that its holder has the code."""

    log: LogId
    key: bytes
    proof: bytes

    def to_bytes(self) -> bytes:
        """Canonical JSON: `{"poll","station","generation","key","proof","once"}`, with another `once` each time: what was refused
        before, while the last machine was not lost yet, is not refused by that for ever (pollbook.log.words)."""
        log, once = self.log, secrets.token_hex(ONCE)
        texts = {"key": b64encode(self.key).decode(), "proof": b64encode(self.proof).decode(), "once": once}
        return canonical({"poll": log.poll, "station": log.station, "generation": log.generation, **texts})

    @classmethod
    def from_bytes(cls, data: bytes) -> Enrolment:
        """Reads one; whether the proof is good says `proves`. Raises BadInput P.019."""
        match _json(data, "P.019", "an enrolment"):
            case {"poll": str(poll), "station": str(station), "generation": int(generation),
                  "key": str(key), "proof": str(proof), **rest} if rest.keys() <= {"once"}:  # fmt: skip
                parts = (read_base64(text, 32, "an enrolment", "P.019") for text in (key, proof))
                return cls(LogId(poll, station, generation), *parts)
        raise BadInput("not an enrolment of a station", expected="poll, station, generation, key, proof", check="P.019")


def enrolment(data: bytes, code: str, public: bytes) -> Enrolment:
    """What a station that opened the package `data` with the code tells the centre: its own public key."""
    _, salt, log = _outer(data)
    return Enrolment(log, public, _proof(proof_key(code, salt, log), log, public))


def proof_key(code: str, salt: bytes, log: LogId) -> bytes:
    """What the centre keeps instead of the code, to check the proof: it opens no package."""
    return _derive(code, salt, log, "proof")


def proves(enrolment: Enrolment, key: bytes) -> bool:
    """Whether who sent the enrolment has the code; `key` is its `proof_key`."""
    return hmac.compare_digest(enrolment.proof, _proof(key, enrolment.log, enrolment.key))


def _proof(key: bytes, log: LogId, public: bytes) -> bytes:
    return hmac.digest(key, b"dauys pollbook enrolment v1\0" + log.start.encode() + public, sha256)


def _header(log: LogId, salt: bytes) -> dict[str, Any]:
    if len(salt) != SALT_BYTES:
        raise ValueError(f"the salt of a package has {SALT_BYTES} bytes, not {len(salt)}")
    names = {"poll": log.poll, "station": log.station, "generation": log.generation}
    return {"dauys": MAGIC, **names, "salt": b64encode(salt).decode()}


def _outer(data: bytes) -> tuple[dict[str, Any], bytes, LogId]:
    """The members of the file, its salt and whose it is; nothing is proved yet."""
    if len(data) > LARGEST_PACKAGE:
        raise BadInput("the file is too large for a package", found=f"{len(data):,} bytes", check="P.011")
    match value := _json(data, "P.011", "a package"):
        case {"dauys": str(magic), "poll": str(poll), "station": str(station), "generation": int(generation),
              "salt": str(salt), "sealed": str(_), "sig": str(_), **rest} if magic == MAGIC and not rest:  # fmt: skip
            log = LogId(poll, station, generation)
            return dict(value), read_base64(salt, SALT_BYTES, "the package", "P.011"), log
    raise BadInput("not a package of a pollbook, or one of another version", check="P.011")


def _json(data: bytes, check: str, what: str) -> Any:
    try:
        return parse(data)
    except DauysError:
        message = f"{what} is damaged or not whole; copy it again"
        raise BadInput(message, expected="canonical JSON", check=check) from None


def _derive(code: str, salt: bytes, log: LogId, use: str) -> bytes:
    secret = unspell(code, CODE_BYTES, "the enrolment code")
    info = f"dauys {MAGIC}\0{use}\0{log.start}".encode()
    return HKDF(SHA256(), 32, salt, info).derive(secret)


SYSTEM = Officer("voting-system", "member", "Electronic voting system")
"""Who stands in the channel's log where a station has its officers."""
