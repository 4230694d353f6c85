"""Decision rules as data: exact thresholds, the same members in file and record, one message for each malformed file."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dauys.errors import BadInput, DauysError
from dauys.law.decision_rule import DecisionRule, Threshold, read_rule
from dauys.law.packs import JURISDICTIONS, load_form, load_pack, load_rule, pack_folder, pack_names, rule_names

PATH = JURISDICTIONS / "kz" / "rules" / "referendum-constitution.yaml"
thresholds = st.builds(Threshold, st.fractions(Fraction(1, 20), 1, max_denominator=20), st.booleans())


@given(thresholds, st.integers(0, 10**7))
def test_needed_is_the_least_that_meets(threshold: Threshold, of: int) -> None:
    needed = threshold.needed(of)
    assert needed.denominator == 1
    assert threshold.met(needed, of)
    assert not threshold.met(needed - 1, of)


@given(st.integers(1, 10**16))
def test_half_is_exact_for_odd_and_even_totals(of: int) -> None:
    more_than_half = Threshold(Fraction(1, 2), strict=True)
    assert more_than_half.needed(of) == of // 2 + 1
    assert not more_than_half.met(of // 2, of)
    assert more_than_half.met(of // 2 + 1, of)


def test_two_thirds_of_17_is_12() -> None:
    """E16 of the facts: 11 was printed."""
    at_least = Threshold(Fraction(2, 3), strict=False)
    assert [at_least.needed(n) for n in (17, 18, 20)] == [12, 12, 14]
    assert not at_least.met(11, 17)
    assert at_least.met(12, 18)


@given(thresholds)
def test_nothing_of_nothing_meets_no_share(threshold: Threshold) -> None:
    assert not threshold.met(0, 0)


@pytest.mark.parametrize("name", rule_names())
def test_every_rule_of_the_packs_loads_and_the_record_holds_the_whole_rule(name: str) -> None:
    rule = load_rule(name)
    assert DecisionRule.from_json(rule.to_json()) == rule
    assert all("art." in test.cite for test in rule.tests)


def test_a_rule_is_law_from_its_first_to_its_last_day() -> None:
    rule = load_rule("kz/referendum-constitution")
    assert rule.until == date(2026, 6, 30)
    assert rule.in_force(rule.since) and rule.in_force(date(2026, 6, 30))
    assert not rule.in_force(rule.since - timedelta(days=1)) and not rule.in_force(date(2026, 7, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("since: 1995-11-02", "since: 1995-11-31", "not a day"),
        ("until: 2026-06-30", "until: 1990-01-01", "ends before it begins"),
        ("until:", "til:", "unknown key; found 'til'; expected one of: rule, title"),
        ("    cite: Constitutional Law \"On the republican referendum\", art. 31(2)\n", "", "missing: cite"),
        ("status: enacted", "status: sure", "found 'sure'"),
        ("  kk: Конституцияға өзгерістер мен толықтырулар енгізу туралы республикалық референдум\n", "", "missing: kk"),
        ("{name: participated, role: base}", "{name: participated, role: register}", "a second field with the role"),
        ("{name: participated, role: base}", "{name: eligible, role: base}", "listed twice"),
        ("more_than: 1/2", "more_than: 0.5", "an exact fraction like 1/2"),
        ("more_than: 1/2", "more_than: 3/2", "above 0 and at most 1"),
        ("more_than: 1/2", "at_most: 1/2", "unknown key"),
        (", more_than: 1/2", "", "either more_than or at_least"),
        ("more_than: 1/2", "more_than: 1/2, at_least: 1/3", "one threshold"),
        ("value: participated", "value: turnout", "a field that the rule does not list; found 'turnout'"),
        ("value: participated", "value: 2 * participated", "field names joined"),
        ("otherwise: not-held", "otherwise: void", "one of: not-held, rejected"),
        ("otherwise: not-held", "otherwise: not-held\n    tie: rejected", "one of: tie, not-held"),
        ("otherwise: not-held", "otherwise: not-held\n    compare: {value: participated, more_than: eligible}", "one kind"),
        ("      at_least: 2/3\n    otherwise: rejected", "      at_least: 2/3\n    otherwise: rejected\n    tie: tie",
         "there is no tie"),
        ("name: territories", "name: held", "named twice"),
    ],
)  # fmt: skip
def test_a_malformed_rule_is_told_with_file_and_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = PATH.read_text()
    assert old in text
    path = tmp_path / "rule.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BadInput) as refused:
        read_rule(path)
    assert message in str(refused.value)
    assert refused.value.file == str(path)
    assert refused.value.line is not None


def test_a_rule_without_tests_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(PATH.read_text().partition("tests:")[0] + "tests: []\n")
    with pytest.raises(BadInput, match="a rule without a test"):
        read_rule(path)


def test_unknown_names_are_answered_with_what_exists() -> None:
    assert {"ch", "kz"} <= set(pack_names())
    assert pack_folder("kz").is_dir()
    assert load_pack("ch").timezone == "Europe/Zurich"
    with pytest.raises(DauysError, match="there is no pack 'xx'; there are: ch, kz"):
        pack_folder("xx")
    with pytest.raises(DauysError, match="kz/referendum-constitution"):
        load_rule("kz/../kz/rules/referendum")
    with pytest.raises(DauysError, match="kz/referendum-protocol"):
        load_form("kz/none")
