"""Is the record called by one word on every page, in Kazakh and in Russian?"""

from __future__ import annotations

import re
from importlib import resources

import pytest

from dauys.registers.catalogue import catalogue
from dauys.web.languages import translations

RECORD = re.compile(r"\b(?:the|whose|public|official|another|or of its)\s+record\b", re.IGNORECASE)


@pytest.mark.parametrize("lang", ["kk", "ru"])
def test_the_record_has_one_word(lang: str) -> None:
    source = (resources.files("dauys.web") / "locale" / f"{lang}.po").read_text("utf-8")
    named = [text for text in re.findall(r'^msgid "(.+)"$', source, re.MULTILINE) if RECORD.search(text)]
    assert len(named) > 50
    words = translations(lang)
    assert [one for one in named if "журнал" not in words.gettext(one).lower()] == []
    said = [(one.number, words) for one in catalogue("observe").values() for words in (one.title, one.text)]
    said = [(number, words) for number, words in said if RECORD.search(words["en"])]
    assert len(said) > 3 and [number for number, words in said if "журнал" not in words[lang].lower()] == []
