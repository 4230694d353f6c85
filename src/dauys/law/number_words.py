"""Which numbers does a text state? Digits and words, in English, Russian and Kazakh, in the order of the text.

    stated("two thirds of the deputies, at most 15", "en")      [2/3, 15]
    stated("не менее двух третей, сроком на семь лет", "ru")    [2/3, 7]
    stated("үштен екісі, он бес", "kk")                         [2/3, 15]

A majority that names no share is 1/2 (more than half). One is a number in a share ("one fifth") and in "one time" only:
elsewhere it means "a". Ordinals count from the second on: the first is a title or an order. "At once" is no number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

_TOKEN = re.compile(r"[0-9]+(?:/[1-9][0-9]*)?|[^\W\d_]+")
_GAP = re.compile(r"[\s-]+")
_END = re.compile(r"[.;:]")
_REACH = 5
"""Within how many words after it a majority names its share: "by a majority of at least two thirds"."""

_Words = tuple[tuple[re.Pattern[str], int], ...]


def _words(patterns: str) -> _Words:
    """`2 two|couple` line by line."""
    pairs = (line.strip().split(" ", 1) for line in patterns.strip().splitlines())
    return tuple((re.compile(pattern), int(number)) for number, pattern in pairs)


@dataclass(frozen=True, slots=True)
class _Language:
    """Patterns of whole words. `shares`: a share by itself; `alone`: a number by itself unless `idioms` say otherwise."""

    cardinals: _Words
    denominators: _Words
    ordinals: _Words
    shares: _Words
    majority: str
    times: str
    alone: _Words = ()
    idioms: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """Words before and after which once, or one time, is no number; "" is any."""
    parted: str = ""
    """The ending of a denominator that stands before its numerator: үштен екісі."""


_ENGLISH = _Language(
    cardinals=_words(
        """1 one
        2 two
        3 three
        4 four
        5 five
        6 six
        7 seven
        8 eight
        9 nine
        10 ten
        11 eleven
        12 twelve
        13 thirteen
        14 fourteen
        15 fifteen
        16 sixteen
        17 seventeen
        18 eighteen
        19 nineteen
        20 twenty
        30 thirty
        40 forty
        50 fifty
        60 sixty
        70 seventy
        80 eighty
        90 ninety
        100 hundred
        1000 thousand"""
    ),
    denominators=_words(
        """2 half|halves
        3 thirds?
        4 quarters?|fourths?
        5 fifths?
        6 sixths?
        7 sevenths?
        8 eighths?
        10 tenths?"""
    ),
    ordinals=_words(
        """2 second
        3 third
        4 fourth
        5 fifth
        6 sixth
        7 seventh
        8 eighth
        9 ninth
        10 tenth"""
    ),
    shares=_words("2 half"),
    majority=r"majority",
    times=r"time|times",
    alone=_words("1 once\n2 twice"),
    idioms=frozenset({("at", ""), ("", "more"), ("", "again")}),
)
_RUSSIAN = _Language(
    cardinals=_words(
        """1 од(?:ин|на|но|ного|ной|ному|ним|ну|ном)
        2 дв(?:а|е|ух|ум|умя|ое|оих)
        3 тр(?:и|[её]х|[её]м|емя|ое|оих)
        4 четыр(?:е|[её]х|[её]м|ьмя)|четверо
        5 пят(?:ь|и|ью|еро)
        6 шест(?:ь|и|ью|еро)
        7 сем(?:ь|и|ью|еро)
        8 вос(?:емь|ьми|емью)
        9 девят(?:ь|и|ью)
        10 десят(?:ь|и|ью)
        11 одиннадцат(?:ь|и|ью)
        12 двенадцат(?:ь|и|ью)
        13 тринадцат(?:ь|и|ью)
        14 четырнадцат(?:ь|и|ью)
        15 пятнадцат(?:ь|и|ью)
        16 шестнадцат(?:ь|и|ью)
        17 семнадцат(?:ь|и|ью)
        18 восемнадцат(?:ь|и|ью)
        19 девятнадцат(?:ь|и|ью)
        20 двадцат(?:ь|и|ью)
        30 тридцат(?:ь|и|ью)
        40 сорока?
        50 пят(?:ьдесят|идесяти)
        60 шест(?:ьдесят|идесяти)
        70 сем(?:ьдесят|идесяти)
        80 вос(?:емьдесят|ьмидесяти)
        90 девяност[оа]
        100 ст[оа]
        200 двести|двухсот
        300 триста|тр[её]хсот
        400 четыреста|четыр[её]хсот
        500 пят(?:ьсот|исот)
        1000 тысяч[аиу]?"""
    ),
    denominators=_words(
        """3 трет(?:ь|и|ей|ью|ья|ьей|ями|ям)
        4 четверт(?:ь|и|ей|ью|ая|ой|ую|ями|ям)
        5 пят(?:ая|ой|ую|ых|ыми)
        6 шест(?:ая|ой|ую|ых|ыми)
        7 седьм(?:ая|ой|ую|ых|ыми)
        8 восьм(?:ая|ой|ую|ых|ыми)
        10 десят(?:ая|ой|ую|ых|ыми)"""
    ),
    ordinals=_words(
        """2 втор(?:ой|ая|ое|ого|ому|ым|ом|ую|ые|ых)
        3 трет(?:ий|ья|ье|ьего|ьему|ьим|ьем|ьи|ьих)
        4 четв[её]рт(?:ый|ое|ого|ому|ым|ом|ые|ых)
        5 пят(?:ый|ое|ого|ому|ым|ом)
        6 шест(?:ой|ое|ого|ому|ым|ом)
        7 седьм(?:ой|ое|ого|ому|ым|ом)
        8 восьм(?:ой|ое|ого|ому|ым|ом)
        9 девят(?:ый|ое|ого|ому|ым|ом)
        10 десят(?:ый|ое|ого|ому|ым|ом)"""
    ),
    shares=_words("2 (?:на)?половин(?:а|ы|е|у|ой)\n3 трет(?:ь|и|ью)\n4 четверт(?:ь|и|ью)"),
    majority=r"большинств(?:о|а|у|ом|е)",
    times=r"раза?",
    alone=_words("1 однократно\n2 дважды|двукратно"),
)
# possessive and case; "оны", "онда" are "it", "there", and "үшін" is "for", "алтын" is gold
_CASE = r"(?:с?[іы])?(?:н|[ндт][іы]ң?|[гғкқ][ае]|[дтн]?[ае]н?|мен|пен|бен|еу[іы]?н?|ау[іы]?н?)?"
_KAZAKH = _Language(
    cardinals=_words(
        "\n".join(
            f"{number} {stem}{_CASE}"
            for number, stem in enumerate(
                ("бір", "екі", r"үш(?!ін$)", "төрт", "бес", r"алты(?!н)", "жеті", "сегіз", "тоғыз", r"он(?!ы$|да$)"),
                start=1,
            )
        )
        + "".join(
            f"\n{number} {stem}{_CASE}"
            for number, stem in (
                (20, "жиырма"),
                (30, "отыз"),
                (40, "қырық"),
                (50, "елу"),
                (60, "алпыс"),
                (70, "жетпіс"),
                (80, "сексен"),
                (90, "тоқсан"),
                (100, "жүз"),
                (1000, "мың"),
            )
        )
    ),
    denominators=(),
    ordinals=_words(
        "2 екінші\n3 үшінші\n4 төртінші\n5 бесінші\n6 алтыншы\n7 жетінші\n8 сегізінші\n9 тоғызыншы\n10 оныншы"
    ),
    shares=_words(r"2 жарты(?:сы|сын|сынан|сына|лай)?"),
    majority=r"көпшілі(?:к|гі|гін|гінің|гімен|кпен|кке)",
    times=r"рет|реттен",
    idioms=frozenset({("тағы", "")}),
    parted="[дтн][еа]н",
)
_LANGUAGES = {"en": _ENGLISH, "ru": _RUSSIAN, "kk": _KAZAKH}


def stated(text: str, language: str) -> list[Fraction]:
    """The numbers that a text states, in their order; of a language that is not known, those in digits."""
    return list(_stated(text.lower(), language))


@lru_cache(maxsize=16_384)
def _stated(text: str, language: str) -> tuple[Fraction, ...]:
    """A provision says the same on most days: it is read once."""
    return tuple(_Reading(text, _LANGUAGES.get(language)).numbers())


class _Reading:
    """One text, word by word."""

    def __init__(self, text: str, language: _Language | None) -> None:
        self._text = text
        self._words = list(_TOKEN.finditer(text))
        self._language = language
        self._shared = -1  # where the last share ended: "a two-thirds majority" is no half

    def numbers(self) -> Iterator[Fraction]:
        place = 0
        while place < len(self._words):
            number, end = self._at(place)
            if number is not None:
                if number.denominator > 1:
                    self._shared = end
                yield number
            place = end

    def _word(self, place: int) -> str:
        return self._words[place][0] if 0 <= place < len(self._words) else ""

    def _next(self, place: int) -> str:
        """The word at a place, where nothing but a space or a hyphen stands before it."""
        if not 0 < place < len(self._words):
            return ""
        gap = self._text[self._words[place - 1].end() : self._words[place].start()]
        return self._word(place) if _GAP.fullmatch(gap) else ""

    def _at(self, place: int) -> tuple[Fraction | None, int]:
        """The number that begins at a place, None where none does, and where the next word stands."""
        word, language = self._word(place), self._language
        if "0" <= word[0] <= "9":
            return Fraction(word), place + 1
        if language is None:
            return None, place + 1
        if _of(language.cardinals, word) is not None:
            return self._cardinal(place, language)
        if re.fullmatch(language.majority, word):
            return (None if self._names_share(place, language) else Fraction(1, 2)), place + 1
        if (share := _of(language.shares, word)) is not None:
            return Fraction(1, share), place + 1
        if (number := _of(language.ordinals, word)) is not None:
            return Fraction(number), place + 1
        if (number := _of(language.alone, word)) is not None:
            return (Fraction(number) if self._said(place, language) else None), place + 1
        return None, place + 1

    def _said(self, place: int, language: _Language) -> bool:
        """Whether the words around leave a word its number: not in `at once`."""
        return not {(self._word(place - 1), ""), ("", self._word(place + 1))} & language.idioms

    def _cardinal(self, place: int, language: _Language) -> tuple[Fraction | None, int]:
        thousands, number, end = 0, 0, place
        more = _of(language.cardinals, self._word(place))
        while more is not None and (joined := _joined(number, more)) is not None:
            thousands, number = (thousands + joined, 0) if more == 1000 else (thousands, joined)
            end += 1
            more = _of(language.cardinals, self._next(end))
        number += thousands
        if (below := _of(language.denominators, self._next(end))) is not None:
            return Fraction(number, below), end + 1
        if language.parted and re.search(f"{language.parted}$", self._word(end - 1)):
            above = _of(language.cardinals, self._next(end))
            if above is not None and above < number:
                return Fraction(above, number), end + 1
        if number == 1 and not (self._said(place, language) and re.fullmatch(language.times, self._next(end))):
            return None, end
        return Fraction(number), end

    def _names_share(self, place: int, language: _Language) -> bool:
        if self._shared == place:
            return True
        for one in range(place + 1, min(place + 1 + _REACH, len(self._words))):
            if _END.search(self._text, self._words[one - 1].end(), self._words[one].start()):
                break
            word = self._word(one)
            if "/" in word or _of(language.denominators, word) or _of(language.shares, word):
                return True
        return False


def _of(words: _Words, word: str) -> int | None:
    return next((number for pattern, number in words if pattern.fullmatch(word)), None) if word else None


def _joined(number: int, more: int) -> int | None:
    """`twenty` and `five`, `two` and `hundred`, `он` and `бес`; None where the second begins another number."""
    if more == 1000 or (more == 100 and 1 < number < 10):
        return max(number, 1) * more
    free = 1000 if number == 0 else 100 if number % 100 == 0 else 10 if number % 10 == 0 else 0
    return number + more if more < free else None
