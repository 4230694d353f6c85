"""Is every word of every template there in all three languages, and nothing else?"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

import pytest
from babel.messages.pofile import read_po

from dauys.web.languages import LANGUAGES, translations
from dauys.web.render import ROOMS, environment

PLACE = re.compile(r"%\((\w+)\)s")


@cache
def used() -> frozenset[str]:
    """Every message id in the templates of every room."""
    env = environment("en")
    found: set[str] = set()
    for room in ROOMS:
        folder = resources.files("dauys") / room / "templates"
        for file in sorted(folder.rglob("*.html")) if folder.is_dir() else []:  # type: ignore[attr-defined]
            for _, _, message in env.extract_translations(file.read_text("utf-8")):
                found.update([message] if isinstance(message, str) else [part for part in message if part])
    return frozenset(found)


@cache
def catalog(lang: str) -> dict[str, str]:
    with (resources.files("dauys.web") / "locale" / f"{lang}.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=lang, abort_invalid=True) if m.id}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_message_is_translated_and_none_is_unused(lang: str) -> None:
    words = catalog(lang)
    assert used() - set(words) == set()
    assert set(words) - used() == set()
    assert [message for message, text in words.items() if not text] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_translations_keep_every_place_for_a_value(lang: str) -> None:
    for message, text in catalog(lang).items():
        assert sorted(PLACE.findall(message)) == sorted(PLACE.findall(text)), message
        assert not PLACE.sub("", text).count("%"), text


def test_kazakh_and_russian_are_not_english_left_over() -> None:
    for lang in ("kk", "ru"):
        latin = [text for text in catalog(lang).values() if not re.search("[а-яёәғқңөұүһі]", text.lower())]
        assert all(not re.search("[a-z]{4}", PLACE.sub("", text)) for text in latin), latin


def test_the_translations_are_what_the_catalog_says() -> None:
    for lang in LANGUAGES:
        assert translations(lang).gettext("Adopted") == catalog(lang)["Adopted"]
