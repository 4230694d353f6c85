"""Text and rules say the same: over the whole pack, and a planted difference of every kind is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pytest

from dauys.errors import BadInput
from dauys.law import concordance_file
from dauys.law.citations import provisions_of
from dauys.law.concordance import Report, check
from dauys.law.concordance_file import load_concordance
from dauys.law.system import System, load_system

REFERENDUM = "referendum-2022.published"


@pytest.fixture(scope="module")
def kz() -> System:
    return load_system("kz")


def said(report: Report) -> set[tuple[str, str]]:
    return {(str(one.day), one.where) for one in report.disagreements}


def with_value(system: System, key: str, index: int, **changes: object) -> System:
    rule = system.book.rules[key]
    values = list(rule.values)
    values[index] = replace(values[index], **changes)  # type: ignore[arg-type]
    book = replace(system.book, rules={**system.book.rules, key: replace(rule, values=tuple(values))})
    return replace(system, book=book)


def without_effect(system: System, effect: str) -> System:
    text = system.works["constitution"]
    laws = tuple(replace(law, effects=tuple(e for e in law.effects if e.id != effect)) for law in text.laws)
    return replace(system, works={"constitution": replace(text, laws=laws)})


def test_the_pack_agrees_on_every_day(kz: System) -> None:
    report = check(kz)
    assert report.disagreements == [] and report.unused == []
    assert len(report.places) == len(report.ruled) + len(report.excepted)
    assert len(report.ruled) >= 44 and len(report.stated) >= 33
    assert report.days == [day for day in kz.days() if day < date(2026, 7, 1)]
    assert all(len(reason) > 10 for reason in (*report.excepted.values(), *report.alone.values()))


@pytest.mark.parametrize("event", [REFERENDUM, "mazhilis-8.elections", "term-law-2022-09.published"])
def test_it_agrees_had_an_event_never_happened(kz: System, event: str) -> None:
    assert check(kz.without(event)).disagreements == []


def test_a_wrong_number_of_a_rule_is_found_in_each_language(kz: System) -> None:
    report = check(with_value(kz, "senate.presidential_quota", 1, value=11))
    found = [one for one in report.disagreements if one.where == "art_50__para_2"]
    assert {one.language for one in found} == set(kz.works["constitution"].languages)
    assert min(str(one.day) for one in found) == "2023-01-19"
    assert "2, 10, 5; the rules say 2, 11, 5 (senate.elected_per_territory" in found[0].message


def test_numbers_in_another_order_are_found(kz: System) -> None:
    swapped = with_value(with_value(kz, "court.by_president", 1, value=3), "court.by_senate", 1, value=4)
    assert ("2022-06-08", "art_71__para_3") in said(check(swapped))


def test_a_rule_that_changes_alone_is_found(kz: System) -> None:
    report = check(without_effect(kz, "6-3"))
    assert ("2022-06-08", "natural_resources.owner") in said(report)
    assert {where for _, where in said(report)} == {"natural_resources.owner", "art_6__para_3"}


def test_a_text_that_changes_alone_is_found(kz: System) -> None:
    rule = kz.book.rules["natural_resources.owner"]
    book = replace(kz.book, rules={**kz.book.rules, rule.key: replace(rule, values=rule.values[:1])})
    report = check(replace(kz, book=book))
    assert {where for _, where in said(report)} == {"art_6__para_3"} and min(said(report))[0] == "2022-06-08"
    assert "the text changes, and no rule that cites it does" in {one.message for one in report.disagreements}


def test_a_number_that_no_rule_has_is_found(kz: System) -> None:
    text = kz.works["constitution"]
    law = text.laws[0]
    effects = []
    for effect in law.effects:
        if effect.id == "82-4":
            payload = {key: replace(words, text=f"{words.text} 7.") for key, words in effect.payload.items()}
            effect = replace(effect, payload=MappingProxyType(payload))
        effects.append(effect)
    drafted = replace(text, laws=(replace(law, effects=tuple(effects)), *text.laws[1:]))
    report = check(replace(kz, works={"constitution": drafted}))
    assert {one.where for one in report.disagreements} == {"art_82__para_4"}
    assert "the text says 7; the rules say nothing" in report.disagreements[0].message


@pytest.mark.parametrize(
    ("cite", "ids"),
    [
        ("Const. 50(2), 99(3)", {"art_50__para_2", "art_99__para_3"}),
        ("Const. 61(4), (5)", {"art_61__para_4", "art_61__para_5"}),
        ("Const. 57(1), 71(3); elections law 9(2)", {"art_57__para_1", "art_57__point_1", "art_71__para_3"}),
        ("Const. 54(2)2)", {"art_54__para_2__point_2"}),
        ("Const. 83-1(4)", {"art_83-1__para_4"}),
        ("Const. 71, 72, 78", {"art_71", "art_72", "art_78"}),
        ("elections law 9(2)", set()),
    ],
)
def test_citations_of_rules(cite: str, ids: set[str]) -> None:
    assert ids <= set(provisions_of(cite, "Const."))
    assert bool(ids) == bool(provisions_of(cite, "Const."))


GOOD = "work: constitution\ncite: Const.\nnumbers:\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  - {provision: art_50__para_2, says: [senate.sizes]}\n", "line 4.*no such rule"),
        ("  - {provision: fifty, says: [senate.size]}\n", "line 4.*cannot be read"),
        ("  - {provision: art_50, says: [{number: 4}]}\n", "line 4.*neither a rule nor a number"),
        (
            "  - {provision: art_50, says: [{rule: senate.size, number: 4, because: x}]}\n",
            "neither a rule nor a number",
        ),
        ("  - {provision: art_50, says: [1]}\n  - {provision: art_50, says: [1]}\n", "line 5.*listed twice"),
        ("  - {provision: art_50, says: [{number: four, because: x}]}\n", "line 4"),
        ("  - {provision: art_50, says: ['senate.size +']}\n", "line 4.*formula"),
        ("  - {provision: art_50, order: {ru: [1, 1]}, says: [senate.size, senate.term]}\n", "line 4.*not an order"),
        ("  []\nwords: [{provision: art_6, rule: senate.owner, says: {a: {}}}]\n", "line 5.*no such rule"),
        ("  []\nwords: [{provision: art_6, rule: senate.size, says: {a: {de: x}}}]\n", "line 5.*unknown key"),
    ],
)
def test_bad_files(text: str, message: str, kz: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "concordance.yaml").write_text(GOOD + text, encoding="utf-8")
    monkeypatch.setattr(concordance_file, "pack_folder", lambda _: tmp_path)
    with pytest.raises(BadInput, match=message):
        check(kz)


def test_an_exception_that_is_not_needed_is_reported(
    kz: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = (Path(concordance_file.__file__).parents[1] / "jurisdictions/kz/concordance.yaml").read_text(encoding="utf-8")
    own = own.replace("texts_alone:\n", "texts_alone:\n  - {provision: art_6, because: nothing}\n")
    (tmp_path / "concordance.yaml").write_text(own, encoding="utf-8")
    monkeypatch.setattr(concordance_file, "pack_folder", lambda _: tmp_path)
    report = check(kz)
    assert [one.where for one in report.unused] == ["art_6"]
    assert report.to_json()["ok"] is False


def test_a_pack_without_one_has_nothing_to_compare() -> None:
    assert load_concordance("ch") is None


def test_a_rule_in_words_that_the_text_does_not_say_is_found(kz: System) -> None:
    wrong = check(with_value(kz, "natural_resources.owner", 1, value="state"))
    found = [one for one in wrong.disagreements if one.where == "art_6__para_3" and one.language == "en"]
    assert "the text does not say 'are in state ownership'" in found[0].message
    unknown = check(with_value(kz, "natural_resources.owner", 1, value="nation"))
    assert {one.where for one in unknown.disagreements} == {"art_6__para_3"}
    assert "nothing is known of what the text says then" in unknown.disagreements[0].message
    allowed = check(with_value(kz, "president.cancel_akim_acts", 1, value=True))
    assert ("2022-06-08", "art_44__point_3") in said(allowed)


def test_every_rule_is_in_one_group(kz: System) -> None:
    groups = check(kz).coverage.to_json()
    keys = [key for several in groups.values() for key in several]
    assert sorted(keys) == sorted(kz.book.rules)
    assert len(groups["stated"]) >= 36 and len(groups["worded"]) >= 22
    assert "senate.size" in groups["computed"] and "party.min_members" in groups["elsewhere"]
    assert "mazhilis.election.before_end" in groups["unstated"]


def test_one_number_of_two_rules_is_the_number_of_both(kz: System) -> None:
    report = check(with_value(kz, "constitutional_law.readings", 1, value=3))
    assert ("2023-01-01", "art_62__para_6") in said(report)
    assert "the text says 2; the rule constitutional_law.readings says 3" in report.disagreements[0].message
