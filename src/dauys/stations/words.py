"""Do the words say the same number as the digits? A protocol is written in both (check F.105)."""

from __future__ import annotations

import re
from functools import lru_cache

LANGUAGES = {"kk": "kz", "ru": "ru", "en": "en"}
"""Our language to the library's."""

_SAME = {"одна": "один", "одно": "один", "две": "два", "тысячи": "тысяча", "тысяч": "тысяча", "миллиона": "миллион",
         "миллионов": "миллион", "бiр": "бір"}  # fmt: skip
_SILENT = {"and", "и", "мен", "және"}
_ONES = {"один": {"тысяча", "миллион"}, "бір": {"жүз", "мың", "миллион"}, "one": {"hundred", "thousand", "million"}}
"""A one that may be left out before these: "тысяча двести" is "одна тысяча двести". Not so after a ten."""

_AFTER = {"", "тысяча", "миллион", "мың", "thousand", "million"}

_ALPHABETS = str.maketrans({"ё": "е", "i": "і"})


def normalised(words: str) -> tuple[str, ...]:
    """The words that matter: case, hyphens, gender, plural and a silent "one" do not."""
    text = words.casefold()
    if re.search("[а-яәіңғүұқөһ]", text):
        text = text.translate(_ALPHABETS)  # a Latin i in a Kazakh word is a slip of the keyboard
    found = [_SAME.get(word, word) for word in re.findall(r"[^\W\d_]+", text) if word not in _SILENT]
    around = zip(["", *found], found, [*found[1:], ""], strict=False)
    return tuple(word for before, word, after in around if not (before in _AFTER and after in _ONES.get(word, ())))


@lru_cache(maxsize=4096)
def spellings(number: int) -> frozenset[tuple[str, ...]]:
    """The number in each language, normalised."""
    from num2words import num2words  # here, and not above: most commands read no words, and start sooner without

    return frozenset(normalised(num2words(number, lang=language)) for language in LANGUAGES.values())


def agree(number: int, words: str) -> bool:
    """Whether these words say this number in Kazakh, Russian or English."""
    return normalised(words) in spellings(number)
