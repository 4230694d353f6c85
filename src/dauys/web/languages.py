"""Which language does a reader get, and what do the words of the pages read in it?

Catalogs are gettext `.po` files, read with babel when the server starts; the English text is the message id.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LANGUAGES = {"kk": "Қазақша", "ru": "Русский", "en": "English"}
"""The languages of the site, each under its own name; the first is the default."""
DEFAULT = next(iter(LANGUAGES))


@cache
def translations(lang: str) -> Translations:
    """The catalog of one language."""
    source = resources.files("dauys.web") / "locale" / f"{lang}.po"
    with source.open("rb") as file:
        catalog = read_po(file, locale=lang, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)


def negotiate(accept_language: str | None) -> str:
    """The best of our languages for an Accept-Language header (RFC 9110 §12.5.4); the default where none fits."""
    wanted: list[tuple[float, int, str]] = []
    for place, item in enumerate((accept_language or "").split(",")):
        tag, _, parameter = item.strip().partition(";")
        lang = tag.strip().lower().partition("-")[0]
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if lang in LANGUAGES and weight > 0:
            wanted.append((-weight, place, lang))
    return min(wanted)[2] if wanted else DEFAULT
