"""Does a reader get the language asked for?"""

from __future__ import annotations

import pytest

from dauys.web.languages import negotiate
from dauys.web.render import twin, zone_name


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        (None, "kk"),
        ("", "kk"),
        ("de-DE,de;q=0.9", "kk"),
        ("ru-KZ,ru;q=0.9,en;q=0.8", "ru"),
        ("en;q=0.5, kk;q=0.7", "kk"),
        ("en-GB", "en"),
        ("EN", "en"),
        ("ru;q=0, en;q=0.1", "en"),
        ("ru;q=nonsense, en", "en"),
        ("ru, en", "ru"),
        (",;q=,,", "kk"),
    ],
)
def test_the_best_of_our_languages(header: str | None, lang: str) -> None:
    assert negotiate(header) == lang


def test_the_twin_of_a_page() -> None:
    assert twin("/en/polls/kz/x/") == "/en/polls/kz/x.json" and twin("/en/") == "/en.json"


def test_a_zone_is_named_with_its_offset_on_the_day() -> None:
    # Kazakhstan moved to one zone, UTC+5, on 1 March 2024
    assert zone_name("Asia/Almaty", "2022-06-05T21:00:00+06:00") == "Asia/Almaty, UTC+06:00"
    assert zone_name("Asia/Almaty", "2024-10-06T21:00:00+05:00") == "Asia/Almaty, UTC+05:00"
