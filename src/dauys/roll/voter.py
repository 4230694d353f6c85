"""Who is a voter: a person with a home station, and a status that says whether he may vote on a day?

Nothing personal stands in the text form of any value here (`repr`), so that none of it reaches a log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from uuid import UUID

from dauys.roll.vault import Vault, VaultError

ELIGIBLE = "eligible"
STATUSES: Mapping[str, Mapping[str, str]] = {
    ELIGIBLE: {"kk": "дауыс беруге құқылы", "ru": "имеет право голоса", "en": "may vote"},
    "incapable": {
        "kk": "сот әрекетке қабілетсіз деп таныған",
        "ru": "признан судом недееспособным",
        "en": "found incapable by a court",
    },
    "prison": {
        "kk": "сот үкімімен бас бостандығынан айырылған",
        "ru": "в местах лишения свободы по приговору суда",
        "en": "in prison by a court's sentence",
    },
    "died": {"kk": "қайтыс болған", "ru": "умер", "en": "died"},
    "abroad": {"kk": "шетелге көшкен", "ru": "выехал за границу", "en": "moved abroad"},
    "duplicate": {"kk": "басқа ЖСН бойынша тізімде", "ru": "состоит под другим ИИН", "en": "listed under another IIN"},
}
"""Constitution, article 33(3): who is found incapable by a court or is held in prison by its sentence does not vote."""

FOR_GOOD = frozenset({"died", "duplicate"})
"""Statuses that have no end."""

ADULT = 18
"""Years (Constitution, article 33(2))."""


NAMES_KK = ("surname", "given", "patronymic")
ADDRESS = ("locality", "street", "house", "flat")


@dataclass(frozen=True, slots=True)
class Person:
    """What the roll knows of a person; kept sealed. `names_kk` has keys of NAMES_KK, `address` of ADDRESS."""

    iin: str = field(repr=False)
    born: date = field(repr=False)
    surname: str = field(repr=False)
    given: str = field(repr=False)
    patronymic: str = field(default="", repr=False)
    names_kk: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: Mapping[str, str] = field(default_factory=dict, repr=False)

    def to_bytes(self) -> bytes:
        """What is sealed: compact JSON in UTF-8, members in one order, without empty ones."""
        kk, address = (tuple(of.get(name, "") for name in names) for of, names in self._parts())
        return plain(self.iin, self.born.isoformat(), self.surname, self.given, self.patronymic, kk, address).encode()

    def _parts(self) -> tuple[tuple[Mapping[str, str], tuple[str, ...]], ...]:
        return (self.names_kk, NAMES_KK), (self.address, ADDRESS)

    @classmethod
    def from_bytes(cls, data: bytes) -> Person:
        """The person that `to_bytes` wrote. Raises VaultError, without the data, for anything else."""
        try:
            body = json.loads(data)
            return cls(**body | {"born": date.fromisoformat(body["born"])})
        except (ValueError, TypeError, KeyError):
            raise VaultError("a sealed person is not in the form of this version of the roll") from None


def plain(
    iin: str, born: str, surname: str, given: str, patronymic: str, names_kk: Sequence[str], address: Sequence[str]
) -> str:
    """A person as the text that is sealed: written here once, for one person and for millions."""
    text = f'{{"iin":"{iin}","born":"{born}","surname":{_quoted(surname)},"given":{_quoted(given)}'
    if patronymic:
        text += f',"patronymic":{_quoted(patronymic)}'
    for member, names, values in (("names_kk", NAMES_KK, names_kk), ("address", ADDRESS, address)):
        given_ones = [f'"{name}":{_quoted(value)}' for name, value in zip(names, values, strict=True) if value]
        if given_ones:
            text += f',"{member}":{{{",".join(given_ones)}}}'
    return text + "}"


@dataclass(frozen=True, slots=True)
class Version:
    """A voter as one change set says. The person is sealed: `open_person` opens it."""

    voter: UUID
    set_id: int
    station: str
    area: str
    status: str
    since: date | None
    until: date | None
    source: str
    sealed: bytes = field(repr=False)

    def may_vote(self, on: date) -> bool:
        """Whether the status allows to vote on the day. The age is another question: `of_age`."""
        return may_vote(self.status, self.since, self.until, on)


def may_vote(status: str, since: date | None, until: date | None, on: date) -> bool:
    """A status holds from its first to its last day, both included; outside them an exclusion does not exclude."""
    holds = (since is None or since <= on) and (until is None or on <= until)
    return holds == (status == ELIGIBLE)


def of_age(born: date, on: date) -> bool:
    """Whether a person is 18 on the day: from the 18th birthday on; born on 29 February, from 1 March where it is missing."""
    return day_number(born) + ADULT * 10_000 <= day_number(on)


def day_number(day: date) -> int:
    """YYYYMMDD: dates that compare like numbers, and whose years can be added."""
    return day.year * 10_000 + day.month * 100 + day.day


def open_person(vault: Vault, version: Version) -> Person:
    """Who it is. Raises VaultError."""
    return Person.from_bytes(vault.open(version.voter.bytes, version.sealed))


_ALIKE = str.maketrans(
    {"ә": "а", "ғ": "г", "қ": "к", "ң": "н", "ө": "о", "ұ": "у", "ү": "у", "һ": "х", "і": "и", "ё": "е", "э": "е", "й": "и",
     "ь": None, "ъ": None, "-": None, " ": None, "'": None, "’": None}
)  # fmt: skip


@lru_cache(1 << 18)
def skeleton(name: str) -> str:
    """A name without what clerks write differently: case, Kazakh letters, soft signs, hyphens, doubled letters."""
    plain = name.casefold().translate(_ALIKE)
    return "".join(letter for letter, before in zip(plain, " " + plain, strict=False) if letter != before)


def blocks(born: str, surname: str, given: str, patronymic: str) -> tuple[bytes, bytes]:
    """Two texts, to be hashed with the vault's block key; people who share one are worth comparing. `born`: ISO 8601.

    1: born on one day, of one given name: finds another surname (marriage), another IIN, another address.
    2: of the same three names, born in one year: finds a day or month that was mistyped.
    """
    name = skeleton(given)
    return (
        f"1|{born}|{name}".encode(),
        f"2|{born[:4]}|{skeleton(surname)}|{name}|{skeleton(patronymic)}".encode(),
    )
