"""Numbers in words: three languages, and the official Russian text of three days against the rules of those days."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from official_texts import DOCUMENTS, REASON, official

from dauys.law.concordance_file import load_concordance
from dauys.law.number_words import stated
from dauys.law.rules import Value
from dauys.law.system import load_system

SAID = [
    ("en", "two thirds of the deputies, at most 15", "2/3 15"),
    ("en", "seven years; fifteen deputies; twenty-one days", "7 15 21"),
    ("en", "two hundred and four thousand three hundred twenty-one", "200 4321"),
    ("en", "one person, in a single-mandate district, in one nationwide district", ""),
    ("en", "at most one time; twice, and once more; at once", "1 2"),
    ("en", "a majority of all deputies", "1/2"),
    ("en", "a majority of at least two thirds; a two-thirds majority; by a majority of 3/4", "2/3 2/3 3/4"),
    ("en", "more than half; one fifth; three quarters", "1/2 1/5 3/4"),
    ("en", "the Mazhilis first and then the Senate; the eighth convocation", "8"),
    ("en", "Article 83-1, the 10th day", "83 1 10"),
    ("ru", "не менее двух третей, сроком на семь лет", "2/3 7"),
    ("ru", "девяноста восьми депутатов, по два человека, не более шестидесяти дней", "98 2 60"),
    ("ru", "Пятнадцать депутатов; из одиннадцати судей, трое и четверо", "15 11 3 4"),
    ("ru", "одной пятой части, одна треть, три четверти, половина", "1/5 1/3 3/4 1/2"),
    ("ru", "Одно и то же лицо; не более одного раза; дважды; двух раз подряд", "1 2 2"),
    ("ru", "большинством голосов; большинством в две трети голосов", "1/2 2/3"),
    ("ru", "сто семь депутатов, двести тысяч граждан, двадцать один год", "107 200000 21"),
    ("ru", "Первого Президента; восьмого созыва; в третьем чтении", "8 3"),
    ("ru", "требует двухпалатный, одномандатный, семья, местный", ""),
    ("kk", "үштен екісі, бестен бірі, төрттен үшінің көпшілік даусымен", "2/3 1/5 3/4"),
    ("kk", "он бес депутат, алпыс күннен асырмай, екі жүз елу мың", "15 60 250000"),
    ("kk", "бір адам; бір реттен; тағы бір рет; екі рет", "1 2"),
    ("kk", "оны қайтарады, қылмыс үшін, сегізінші сайланған", "8"),
    ("kk", "жартысынан астамы, 2/3-сі", "1/2 2/3"),
    ("de", "drei von 5", "5"),
]


@pytest.mark.parametrize(("language", "text", "numbers"), SAID)
def test_what_a_text_states(language: str, text: str, numbers: str) -> None:
    assert stated(text, language) == [Fraction(number) for number in numbers.split()]


TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ONES = (
    *("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)


def in_words(number: int) -> str:
    if number >= 100:
        return f"{ONES[number // 100]} hundred {in_words(number % 100)}".strip()
    return ONES[number] if number < 20 else f"{TENS[number // 10]} {ONES[number % 10]}".strip()


@given(st.lists(st.integers(2, 999), max_size=4))
def test_numbers_below_a_thousand_are_read_one_by_one(numbers: list[int]) -> None:
    assert stated(", ".join(map(in_words, numbers)), "en") == numbers


@given(st.text(max_size=80), st.sampled_from(["kk", "ru", "en"]))
def test_any_text_can_be_read(text: str, language: str) -> None:
    assert all(number >= 0 for number in stated(text, language))


@pytest.mark.skipif(not DOCUMENTS, reason=REASON)
def test_the_official_text_states_what_the_rules_say() -> None:
    """Every rule that our own words state stands in the official words of that day, too: in words, not in digits."""
    system, concordance = load_system("kz"), load_concordance("kz")
    assert concordance
    found = 0
    for name, (day, _) in DOCUMENTS.items():
        text, rules = official(name), system.rules(day)
        for key in concordance.numbers:
            place = "__".join(key.split("__")[:2])
            if not text.has(place) or not system.text("constitution", day, "ru").has(key):
                continue
            words = " ".join(one.text for one in text.get(place).walk())
            numbers = stated(words, "ru")
            for link in concordance.links(key, "ru"):
                number = link.expected(rules) if link.applies(system, day) and link.formula else None
                if number is None:
                    continue
                found += 1
                live = rules.get(link.rules[0])
                implied = isinstance(live, Value) and (live.unit, number) == ("month", 1)  # "в месячный срок"
                assert number in numbers or (implied and re.search("меся[цч]", words)), (name, key)
    assert found > 75


@pytest.mark.skipif(not DOCUMENTS, reason=REASON)
def test_the_official_text_has_a_number_that_our_words_leave_out() -> None:
    rules = load_system("kz").rules(DOCUMENTS["2019-03-23"][0])
    numbers = stated(official("2019-03-23").get("art_51__para_1").text, "ru")
    assert rules.value("mazhilis.election.before_end") in numbers
