"""What may an observer do, and what must he not? The law of the poll's day, with its articles, in the words of the pack.

What that law does not say is said to be missing; what a later law says is shown beside it, as such.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from dauys.law.files import read_yaml
from dauys.law.packs import pack_folder, pack_names
from dauys.observe.accreditation.rules import Told, later, law_of, terms_of
from dauys.registers.poll import Poll

SHOWN = ("mandate", "rights", "duties", "foreign_rights", "at_a_time", "ground", "form", "tabulation")
"""Names of observe.accreditation.rules: what an observer's slip and page say, in this order."""


def rights_of(poll: Poll) -> list[dict[str, Any]]:
    """Each with `words` (kk, ru, en; empty: the law of the day does not say), its article, and what a later law says."""
    terms = terms_of(poll, law_of(poll))
    pack = poll.id.partition("/")[0]
    found = []
    for name in SHOWN:
        told = terms.get(name)
        if told is None:
            continue
        after = later(poll, name) if told.value is None and name != "mandate" else Told(None)
        found.append(
            {
                "name": name,
                "words": _words(told, pack),
                "cite": told.cite,
                "missing": told.missing,
                "later": _words(after, pack),
                "later_cite": after.cite,
                "later_since": after.since.isoformat() if after.since else "",
            }
        )
    return found


def one_at_a_time(poll: Poll | None) -> str:
    """The article by which one observer of an organisation is at a station at a time; empty where no law says so.

    Where the law of the poll's day does not say it, that of a later one, with the day since when it does.
    """
    if poll is None:
        return ""
    told = terms_of(poll, law_of(poll))["at_a_time"]
    after = later(poll, "at_a_time") if told.value is None else told
    return f"{after.cite} (since {after.since.isoformat()})" if after.since else after.cite


def _words(told: Told, pack: str) -> list[dict[str, str]]:
    value = told.value
    if value is None:
        return []
    said = value if isinstance(value, tuple) else (value,)
    return [dict(_called(pack).get(str(one), {"en": str(one)})) for one in said if one is not None]


@cache
def _called(pack: str) -> dict[str, dict[str, str]]:
    """The pack's English words to their names in every language."""
    path = pack_folder(pack) / "values.yaml" if pack in pack_names() else None
    if path is None or not path.is_file():
        return {}
    entries = read_yaml(path).entries()
    return {
        key.text(): {lang: said.text() for lang, said in node.mapping(("kk", "ru")).items()} | {"en": key.text()}
        for key, node in entries
    }
