"""How alike are two entries of the roll, and in what? Points for each part that agrees, with the evidence as codes.

Names are compared without what clerks write differently (`voter.skeleton`), in both scripts; a letter or two may be mistyped
(optimal string alignment: a letter put in, left out, replaced, or two swapped). The points were chosen so that an entry with
the same names and birthday counts as likely even after a move, and a woman's with another surname too; nothing is decided by
them: they order a worklist for people. Whole numbers throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from rapidfuzz.distance import OSA

from dauys.roll.voter import Person, skeleton

LEAST = 60
"""From so many points of 100 on two entries are put before a person."""

POINTS: Mapping[str, int] = {
    "born:same": 30, "born:swapped": 22, "born:digit": 18, "born:other": -60,
    "given:same": 15, "given:alike": 10, "given:other": -40,
    "patronymic:same": 20, "patronymic:alike": 14, "patronymic:missing": 5, "patronymic:other": -25,
    "surname:same": 20, "surname:alike": 14, "surname:hers": 0, "surname:other": -15,
    "address:same": 15, "address:street": 8, "address:other": 0, "address:missing": 0,
    "sex:same": 0, "sex:other": -40,
}  # fmt: skip

WORDS: Mapping[str, Mapping[str, str]] = {
    "born:same": {"en": "the same birthday", "ru": "дата рождения совпадает", "kk": "туған күні бірдей"},
    "born:swapped": {
        "en": "day and month of birth are swapped",
        "ru": "день и месяц рождения переставлены",
        "kk": "туған күні мен айы ауысқан",
    },
    "born:digit": {
        "en": "the birthdays differ in one digit",
        "ru": "даты рождения отличаются одной цифрой",
        "kk": "туған күндері бір цифрмен ерекшеленеді",
    },
    "born:other": {"en": "other birthdays", "ru": "даты рождения разные", "kk": "туған күндері басқа"},
    "given:same": {"en": "the same given name", "ru": "имя совпадает", "kk": "аты бірдей"},
    "given:alike": {"en": "the given names are alike", "ru": "имена похожи", "kk": "аттары ұқсас"},
    "given:other": {"en": "other given names", "ru": "имена разные", "kk": "аттары басқа"},
    "patronymic:same": {"en": "the same patronymic", "ru": "отчество совпадает", "kk": "әкесінің аты бірдей"},
    "patronymic:alike": {"en": "the patronymics are alike", "ru": "отчества похожи", "kk": "әкелерінің аты ұқсас"},
    "patronymic:missing": {
        "en": "a patronymic is missing",
        "ru": "у одной из записей нет отчества",
        "kk": "бір жазбада әкесінің аты жоқ",
    },
    "patronymic:other": {"en": "other patronymics", "ru": "отчества разные", "kk": "әкелерінің аты басқа"},
    "surname:same": {"en": "the same surname", "ru": "фамилия совпадает", "kk": "тегі бірдей"},
    "surname:alike": {"en": "the surnames are alike", "ru": "фамилии похожи", "kk": "тектері ұқсас"},
    "surname:hers": {
        "en": "another surname, as after a marriage",
        "ru": "другая фамилия, как после замужества",
        "kk": "тегі басқа, тұрмысқа шыққандағыдай",
    },
    "surname:other": {"en": "other surnames", "ru": "фамилии разные", "kk": "тектері басқа"},
    "address:same": {"en": "the same address", "ru": "адрес совпадает", "kk": "мекенжайы бірдей"},
    "address:street": {"en": "the same street", "ru": "улица совпадает", "kk": "көшесі бірдей"},
    "address:other": {"en": "another address", "ru": "адреса разные", "kk": "мекенжайлары басқа"},
    "address:missing": {
        "en": "an address is missing",
        "ru": "у одной из записей нет адреса",
        "kk": "бір жазбада мекенжай жоқ",
    },
    "sex:same": {"en": "the same sex by the IIN", "ru": "пол по ИИН совпадает", "kk": "ЖСН бойынша жынысы бірдей"},
    "sex:other": {"en": "another sex by the IIN", "ru": "пол по ИИН разный", "kk": "ЖСН бойынша жынысы басқа"},
}
"""What each code of evidence means, in words. None of them is personal."""

_ENDINGS = ("ович", "евич", "овна", "евна", "ична", "улы", "кызы", "ич")
_REST = {"born": 70, "given": 55, "patronymic": 35, "surname": 15}
"""The most points that can still come after a part."""


@dataclass(frozen=True, slots=True)
class Features:
    """What of an entry is compared: spellings of its names without the writer's habits, YYYYMMDD, sex, address.

    `father`: the patronymic without its ending, then whole (a slip may stand in the ending).
    """

    surname: tuple[str, ...] = field(repr=False)
    given: tuple[str, ...] = field(repr=False)
    father: tuple[str, ...] = field(repr=False)
    born: str = field(repr=False)
    woman: bool
    street: str = field(repr=False)
    house: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Points of 100, and what agrees and differs (codes of WORDS)."""

    score: int
    evidence: tuple[str, ...]


def features(person: Person) -> Features:
    """The compared parts of a person."""
    address = person.address
    patronymics = _spellings(person.patronymic, person.names_kk.get("patronymic", ""))
    street = " ".join((address.get("locality", ""), address.get("street", ""))).strip()
    return Features(
        surname=_spellings(person.surname, person.names_kk.get("surname", "")),
        given=_spellings(person.given, person.names_kk.get("given", "")),
        father=tuple(dict.fromkeys([*map(father, patronymics), *patronymics])),
        born=f"{person.born:%Y%m%d}",
        woman=person.iin[6] in "246",
        street=skeleton(street),
        house=f"{address.get('house', '')}/{address.get('flat', '')}".casefold(),
    )


def compare(one: Features, other: Features, least: int = LEAST) -> Likeness | None:
    """How alike two entries are; None where they have fewer points than `least`."""
    score, evidence = 0, []
    for part, code in (
        ("born", _born), ("given", _given), ("patronymic", _patronymic), ("surname", _surname), ("address", _address),
        ("sex", _sex),
    ):  # fmt: skip
        found = f"{part}:{code(one, other)}"
        score += POINTS[found]
        if score + _REST.get(part, 0) < least:
            return None
        evidence.append(found)
    return Likeness(score, tuple(evidence)) if score >= least else None


def words(evidence: tuple[str, ...], language: str) -> list[str]:
    """The evidence in words of a language."""
    return [WORDS[code][language] for code in evidence]


@lru_cache(1 << 16)
def father(patronymic: str) -> str:
    """The father's name in the skeleton of a patronymic, so that -ұлы and -ович meet."""
    for ending in _ENDINGS:
        if patronymic.endswith(ending) and len(patronymic) > len(ending) + 1:
            patronymic = patronymic[: -len(ending)]
            break
    return patronymic.rstrip("и")


def _spellings(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(skeleton(name) for name in names if name))


def _born(one: Features, other: Features) -> str:
    if one.born == other.born:
        return "same"
    if one.born[:4] + one.born[6:] + one.born[4:6] == other.born:
        return "swapped"
    return "digit" if OSA.distance(one.born, other.born, score_cutoff=1) == 1 else "other"


def _given(one: Features, other: Features) -> str:
    return _names(one.given, other.given)


def _patronymic(one: Features, other: Features) -> str:
    return _names(one.father, other.father) if one.father and other.father else "missing"


def _surname(one: Features, other: Features) -> str:
    found = _names(one.surname, other.surname)
    return "hers" if found == "other" and one.woman and other.woman else found


def _address(one: Features, other: Features) -> str:
    if not one.street or not other.street:
        return "missing"
    if one.street != other.street:
        return "other"
    return "same" if one.house == other.house else "street"


def _sex(one: Features, other: Features) -> str:
    return "same" if one.woman == other.woman else "other"


def _names(ones: tuple[str, ...], others: tuple[str, ...]) -> str:
    if any(name in others for name in ones):
        return "same"
    return "alike" if any(_mistyped(one, other) for one in ones for other in others) else "other"


def _mistyped(one: str, other: str) -> bool:
    """Whether the names differ in one letter, or in two where they are long."""
    may = 2 if min(len(one), len(other)) >= 8 else 1 if min(len(one), len(other)) >= 4 else 0
    return OSA.distance(one, other, score_cutoff=may) <= may
