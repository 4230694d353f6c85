"""The file of an amending law: each malformed one gives one message with file and line."""

from __future__ import annotations

from datetime import date

import pytest

from dauys.errors import BadInput
from dauys.law.effects import OPS, AmendingLaw, conflict, parse_law, same_but_print, words_pattern
from dauys.law.when import When

HEAD = """law: /akn/kz/act/law/2022-01-01/2
of: /akn/kz/act/law/2020-01-01/1
title: {kk: З, ru: З, en: L}
status: reconstructed
languages: [en, ru]
effects:
"""
GOOD = "{id: e1, op: retitle, target: art_1, commences: 2022-06-08, cite: 1, en: x, ru: ы}"


def law(*items: str, head: str = HEAD) -> AmendingLaw:
    return parse_law(head + "".join(f"  - {item}\n" for item in items), "law.yaml")


def test_a_law_is_read() -> None:
    found = law(GOOD, GOOD.replace("e1", "e2").replace("2022-06-08", "{event: vote.published, day: 2023-01-01}"))
    assert [effect.id for effect in found.effects] == ["e1", "e2"]
    assert found.effects[0].commences == When(day=date(2022, 6, 8))
    assert found.effects[1].commences == When("vote.published", date(2023, 1, 1))
    assert (found.effects[1].file, found.effects[1].line) == ("law.yaml", 8)
    assert len(OPS) <= 12


MALFORMED = [
    (GOOD.replace("op: retitle", "op: rename"), "unknown value"),
    (GOOD.replace("op: retitle, ", ""), "missing: op"),
    (GOOD.replace("cite: 1, ", ""), "missing: cite"),
    (GOOD.replace("commences: 2022-06-08", "commences: 2022-02-30"), "not a day"),
    (GOOD.replace("commences: 2022-06-08", "commences: {}"), "says nothing"),
    (GOOD.replace("target: art_1", "target: artikel 1"), "names no provision"),
    (GOOD.replace("target: art_1", "target: all"), "needs one provision"),
    (GOOD.replace("ru: ы", "kk: ы"), "unknown key"),
    (GOOD.replace(", ru: ы", ""), "not written in: ru"),
    (GOOD.replace("en: x", "count: 2, en: x"), "retitle has no count"),
    (GOOD.replace("en: x", "number: 2, en: x"), "retitle has no number"),
    (GOOD.replace("en: x", "en: {old: a, new: b}"), "wrong type"),
    (GOOD.replace("retitle", "replace_words"), "wrong type"),
    (GOOD.replace("retitle", "suspend"), "suspend has no words"),
    (GOOD.replace("retitle", "renumber"), "missing: number"),
    (GOOD.replace("retitle", "add"), "a wording without number"),
    (GOOD.replace("retitle", "add").replace("en: x, ru: ы", 'en: "2. x", ru: "3. ы"'), "do not add the same"),
    (GOOD.replace("retitle", "reword").replace("art_1", "Article 1"), "needs a permanent id"),
    (GOOD.replace("retitle", "insert_words").replace("en: x", "en: {new: x}"), "needs one place"),
    (GOOD.replace("retitle", "replace_words").replace("en: x, ru: ы", "count: 0, en: {old: a, new: b}, ru: {old: a, new: b}"),
     "whole number"),
    (GOOD.replace("retitle", "corrigendum").replace("en: x, ru: ы", "en: {old: ten, new: two}, ru: {old: а, new: А}"),
     "corrects the print only"),
    (GOOD.replace("id: e1", "id: E 1"), "cannot be read"),
    (GOOD.replace("retitle", "reword").replace("art_1", "art_1__para_2").replace("en: x", 'en: "3. x"'), "cannot stand inside"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "message"), MALFORMED)
def test_a_malformed_effect_is_one_message_with_its_line(item: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        law(GOOD.replace("e1", "e0"), item)
    assert (refused.value.file, refused.value.line) == ("law.yaml", 8)


def test_two_effects_of_one_id_and_a_broken_head() -> None:
    with pytest.raises(BadInput, match=r"two effects of one id \(first on line 7\)") as refused:
        law(GOOD, GOOD)
    assert refused.value.line == 8
    for old, new, message in (
        ("status: reconstructed", "status: sure", "unknown value"),
        ("languages: [en, ru]", "languages: [en, de]", "unknown value"),
        ("of: /akn", "of: http://x", "cannot be read"),
        ("title: {kk: З, ru: З, en: L}", "title: {ru: З}", "missing"),
    ):
        with pytest.raises(BadInput, match=message):
            law(GOOD, head=HEAD.replace(old, new))


def test_a_line_inside_a_wording_is_the_line_of_the_file() -> None:
    item = "\n    id: e1\n    op: add\n    target: art_1\n    commences: 2022-06-08\n    cite: x\n"
    item += "    en: |\n      1. a\n\n      1. b\n    ru: 1. ы"
    with pytest.raises(BadInput, match="stands twice") as refused:
        law(item)
    assert refused.value.line == 16


def test_what_may_conflict() -> None:
    def effect(op: str, target: str, more: str = "") -> str:
        name = f"{op}{target}".replace("_", "")
        return f"{{id: {name}, op: {op}, target: {target}, commences: 2022-06-08, cite: x{more}}}"

    words = ", en: {old: a, new: b}, ru: {old: a, new: b}"
    found = law(
        effect("suspend", "art_1"), effect("suspend", "art_1__para_2"), effect("suspend", "art_11"),
        effect("throughout", "all", words), effect("add", "art_1", ", en: 3. a, ru: 3. a"),
    ).effects  # fmt: skip
    one, below, eleven, everywhere, added = found
    assert conflict(one, below)
    assert not conflict(one, eleven)
    assert conflict(everywhere, eleven)
    assert conflict(one, added)
    assert not conflict(below, added)


def test_words_and_prints() -> None:
    assert words_pattern("ten").findall("ten tenth often ten.") == ["ten", "ten"]
    assert words_pattern("(x)").findall("f(x) (x)") == ["(x)", "(x)"]
    assert same_but_print("Не соблюдение", "Несоблюдение")
    assert not same_but_print("Совета", "Суда")
