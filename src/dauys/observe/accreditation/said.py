"""What does the law say of observers, as a page shows it? Rights and duties of both sides, with articles, in every language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dauys.law.files import read_yaml
from dauys.law.packs import pack_folder, pack_names
from dauys.law.snapshot import plain
from dauys.observe.accreditation.rules import KEYS, Told, last_moment, later, law_of, terms_of
from dauys.registers.poll import Poll

Model = dict[str, Any]

OBSERVERS = ("rights", "foreign_rights", "duties", "at_a_time", "ground", "tabulation")
COMMISSIONS = ("within", "validity", "charter", "papers", "through", "national", "regional", "form")


def rules_said(poll: Poll) -> Model:
    """`{"observers": [rule], "commission": [rule], "mandate": rule | None, "last": moment | None}` for the poll's day.

    A rule is `{"name","value","words","cite","missing","since"}`: `missing` says why nothing can be said; `since` marks what
    only a later law says, which does not hold for this poll.
    """
    terms = terms_of(poll, law_of(poll))
    last, cite = last_moment(poll, terms)

    def rule(name: str) -> Model:
        told = terms[name]
        shown = told
        if told.value is None and name in KEYS and (other := later(poll, name)).value is not None:
            shown = other
        return {"name": name} | _told(poll, shown) | {"missing": told.missing}

    return {
        "observers": [rule(name) for name in OBSERVERS],
        "commission": [rule(name) for name in COMMISSIONS],
        "mandate": rule("mandate") if "mandate" in terms else None,
        "last": None if last is None else {"at": last.isoformat(), "cite": cite},
    }


def _told(poll: Poll, told: Told) -> Model:
    value = told.value
    texts = value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()
    named = words(poll.id.partition("/")[0])
    return {
        "value": plain(value),
        "words": [dict(named.get(text, {"en": text})) for text in texts],
        "cite": told.cite,
        "since": told.since and told.since.isoformat(),
    }


@cache
def words(pack: str) -> Mapping[str, Mapping[str, str]]:
    """What the words that rules have as values are called, by language."""
    if pack not in pack_names():
        return {}
    path = pack_folder(pack) / "values.yaml"
    return {
        key.text(): {lang: said.text() for lang, said in node.mapping(("kk", "ru")).items()} | {"en": key.text()}
        for key, node in (read_yaml(path).entries() if path.exists() else ())
    }
