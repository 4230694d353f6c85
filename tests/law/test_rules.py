"""Rule files are read strictly; the snapshot of a day says what holds, why, and says so where it cannot."""

from __future__ import annotations

from datetime import date, time, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput, DauysError
from dauys.law.facts import Fact, Facts
from dauys.law.rulebook import read_book
from dauys.law.rules import Book, Rule, Value
from dauys.law.snapshot import LawNotLoaded, changes, plain, rules_on
from dauys.law.when import When

FACTS = Facts(
    Fact(event, day, "the gazette")
    for event, day in (
        ("c1995.in-force", date(1995, 9, 5)),
        ("referendum-2022.published", date(2022, 6, 8)),
        ("mazhilis-8.elected", date(2023, 3, 19)),
        ("c2026.in-force", date(2026, 7, 1)),
    )
)
HEAD = "metadata: {unit: count, labels: {kk: a, ru: b, en: c}}\n"
OLD = "  1995-09-05: {value: 15, metadata: {since: c1995.in-force, cite: art. 50, status: enacted}}\n"
NEW = "  2023-03-19: {value: 10, metadata: {since: mazhilis-8.elected, cite: 'art. 50, 99', status: enacted}}\n"

FILES = {
    "index.yaml": "description: Everything\nmetadata: {ends: c2026.in-force, cite: Constitution of 2026}\n",
    "senate/quota.yaml": HEAD + "values:\n" + OLD + NEW,
    "senate/size.yaml": HEAD
    + "values:\n  1995-09-05:\n    value: null\n    metadata: {since: c1995.in-force, cite: art. 50, status: enacted, "
    "formula: 2 * areas.regions + senate.quota}\n",
    "court.yaml": """description: A group in one file
judges:
  metadata:
    unit: count
    labels: {kk: a, ru: b, en: c}
    pending:
      - {value: 12, since: court-draft.adopted, cite: a draft, status: draft}
  values:
    1995-09-05: {value: null, metadata: {since: c1995.in-force, cite: art. 71, status: unknown}}
    2023-01-01:
      value: 11
      metadata: {since: {event: referendum-2022.published, day: 2023-01-01}, cite: art. 71, status: enacted, note: n}
quorum:
  metadata: {unit: share, labels: {kk: a, ru: b, en: c}}
  values:
    2023-01-01:
      value: 2/3
      metadata: {since: {event: referendum-2022.published, day: 2023-01-01}, cite: art. 1, status: paraphrase}
receipt:
  metadata: {unit: time, labels: {kk: a, ru: b, en: c}}
  values:
    1995-09-05: {value: "15:00", metadata: {since: c1995.in-force, cite: art. 2, status: paraphrase}}
""",
}


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return read_book(folder(tmp_path, FILES), FACTS)


def test_keys_come_from_folders_files_and_groups(book: Book) -> None:
    assert sorted(book.rules) == ["court.judges", "court.quorum", "court.receipt", "senate.quota", "senate.size"]


def test_values_of_the_days(book: Book) -> None:
    before = rules_on(book, date(2023, 3, 18), FACTS, {"regions": 17})
    after = rules_on(book, date(2023, 3, 19), FACTS, {"regions": 20})
    assert (before.value("senate.quota"), before.value("senate.size")) == (15, 49)
    assert (after.value("senate.quota"), after.value("senate.size")) == (10, 50)
    assert after.value("court.quorum") == Fraction(2, 3)
    assert after.value("court.receipt") == time(15)
    assert [change.key for change in changes(before, after)] == ["senate.quota", "senate.size"]


def test_the_answer_carries_unit_citation_and_status(book: Book) -> None:
    live = rules_on(book, date(2023, 1, 1), FACTS).get("court.judges")
    assert isinstance(live, Value)
    assert (live.value, live.unit, live.cite, live.status) == (11, "count", "art. 71", "enacted")


@pytest.mark.parametrize(
    ("key", "day", "reason"),
    [
        ("court.judges", date(2022, 12, 31), "unknown, art. 71"),
        ("court.quorum", date(2022, 12, 31), "no value yet"),
        ("senate.size", date(2022, 12, 31), "needs areas.regions"),
        ("senate.quota", date(2026, 7, 1), "ended on 2026-07-01, Constitution of 2026"),
        ("senate.qouta", date(2022, 1, 1), "there is no such rule"),
    ],
)
def test_what_is_not_loaded_says_so(book: Book, key: str, day: date, reason: str) -> None:
    snapshot = rules_on(book, day, FACTS)
    answer = snapshot.get(key)
    assert isinstance(answer, LawNotLoaded)
    assert str(answer).startswith(f"cannot say: law not loaded ({key} on {day}: {reason}")
    assert key not in snapshot
    with pytest.raises(LawNotLoaded):
        snapshot.value(key)


def test_explain(book: Book) -> None:
    answer = rules_on(book, date(2023, 1, 1), FACTS, {"regions": 20}).explain("court.judges").to_json()
    assert {name: answer[name] for name in ("key", "on", "value", "unit", "cite", "status", "since")} == {
        "key": "court.judges", "on": "2023-01-01", "value": 11, "unit": "count", "cite": "art. 71", "status": "enacted",
        "since": "2023-01-01",
    }  # fmt: skip
    assert answer["fact"] == {"event": "referendum-2022.published", "at": "2022-06-08", "source": "the gazette"}
    assert [other["why_not"] for other in answer["others"]] == [
        "replaced on 2023-01-01 by art. 71",
        "court-draft.adopted has not happened",
    ]
    size = rules_on(book, date(2023, 1, 1), FACTS, {"regions": 20}).explain("senate.size").to_json()
    assert size["inputs"] == {"areas.regions": 20, "senate.quota": 15}
    with pytest.raises(DauysError, match=r"near: senate\.quota"):
        rules_on(book, date(2023, 1, 1), FACTS).explain("senate.quta")


def test_explain_what_is_not_known(book: Book) -> None:
    unknown = rules_on(book, date(2022, 1, 1), FACTS).explain("court.judges").to_json()
    assert (unknown["value"], unknown["cite"], unknown["status"]) == (None, "art. 71", "unknown")
    assert "law not loaded" in unknown["answer"]
    assert unknown["others"][0]["why_not"] == "begins on 2023-01-01"
    ended = rules_on(book, date(2026, 7, 1), FACTS).explain("senate.quota").to_json()
    assert ended["cite"] is None
    assert [other["why_not"] for other in ended["others"]] == ["the system it belongs to has ended"] * 2


def test_a_draft_lives_only_in_a_world_where_it_is_adopted(book: Book) -> None:
    adopted = FACTS.with_(Fact("court-draft.adopted", date(2024, 5, 1), "supposed"))
    assert rules_on(book, date(2024, 5, 1), FACTS).value("court.judges") == 11
    live = rules_on(book, date(2024, 5, 1), adopted).get("court.judges")
    assert isinstance(live, Value)
    assert (live.value, live.status) == (12, "draft")


def test_two_events_on_one_day_are_an_error_not_a_choice(book: Book) -> None:
    same = FACTS.with_(Fact("court-draft.adopted", date(2023, 1, 1), "supposed"))
    with pytest.raises(BadInput, match=r"court\.yaml, line \d+: two live values of equal rank.*on line \d+"):
        rules_on(book, date(2023, 1, 1), same)


def rule(body: str, unit: str = "count", extra: str = "") -> dict[str, str]:
    return {"a.yaml": f"metadata:\n  unit: {unit}\n  labels: {{kk: a, ru: b, en: c}}\n{extra}values:\n{body}"}


def dated(value: str, meta: str = "", day: str = "1995-09-05", since: str = "c1995.in-force") -> str:
    status = "" if "status" in meta else ", status: enacted"
    return f"  {day}: {{value: {value}, metadata: {{since: {since}, cite: art. 1{status}{meta}}}}}\n"


BAD: list[tuple[dict[str, str], str]] = [
    (rule(dated("1", ", sinse: x")), "line 5.*unknown key.*sinse"),
    (rule("  1995-09-05: {value: 1, metadata: {since: c1995.in-force, status: enacted}}\n"), "line 5.*missing: cite"),
    (rule(dated("1", day="1995-09-06")), "line 5.*another day than `since` says.*1995-09-05"),
    (rule(dated("1", day="1995-13-05", since="1995-13-05")), "line 5.*not a day"),
    (rule(dated("1", day="2022-06-08", since="referendum-2022.publised")), "line 5.*has not happened"),
    (rule(dated("1", ", status: sure")), "line 5.*unknown value.*sure"),
    (rule(dated("many")), "line 5.*not such a number.*many"),
    (rule(dated("-1")), "line 5.*not such a number"),
    (rule(dated("1.5")), "line 5.*not such a number"),
    (rule(dated("0.66"), "share"), "line 5.*exact fraction"),
    (rule(dated("3/2"), "share"), "line 5.*not a share"),
    (rule(dated("yes"), "boolean"), "line 5.*unknown value.*yes"),
    (rule(dated("18:00"), "time"), "line 5.*without quotes"),
    (rule(dated("one"), "list"), "line 5.*wrong type"),
    (rule(dated("'half of all'"), "majority"), "line 5.*cannot be read as a majority"),
    (rule(dated("1"), "percent"), "line 2.*unknown value.*percent"),
    (rule(dated("1", ", unit: KZT")), "line 5.*another family"),
    (rule(dated("null")), "line 5.*`enacted` does not go with"),
    (rule(dated("1", ", status: unknown")), "line 5.*`unknown` does not go with"),
    (rule(dated("1", ", status: draft")), "line 5.*a draft begins on no day"),
    (rule(dated("1", ", rank: ukase")), "line 5.*unknown value.*ukase"),
    (rule(dated("1") + dated("2")), "line 6.*written twice.*line 5"),
    (rule(dated("1"), extra="  pending: [{value: 2, since: c1995.in-force, cite: x, status: enacted}]\n"), "not pending"),
    (rule("  {}\n"), "without a value"),
    (rule(dated("1", ", until: mazhilis-8.elected")), "line 5.*nothing says what follows.*2023-03-19"),
    (
        rule(
            dated("1", ", until: mazhilis-8.elected")
            + dated("2", day="2022-06-08", since="referendum-2022.published")
            + dated("3", day="2023-03-19", since="mazhilis-8.elected")
        ),
        "line 6.*two live values of equal rank.*on line 5",
    ),
    (rule(dated("1", ", formula: 2 * 2")), "a value and a formula"),
    (rule(dated("null", ", formula: 2 ** 2")), "line 5.*cannot be read as a formula"),
    (rule(dated("null", ", formula: 2 * b")), "line 5.*a name that is no rule.*b"),
    (rule(dated("null", ", formula: a")), "line 5.*circular formulas.*a -> a"),
    (rule(dated("null", ", formula: 2 * a"), "text"), "line 5.*a formula gives a number"),
    ({**rule(dated("null", ", formula: b + 1")), "b.yaml": rule(dated("null", ", formula: a + 1"))["a.yaml"]},
     r"[ab]\.yaml, line 5.*circular formulas.*(a -> b -> a|b -> a -> b)"),
    ({**rule(dated("null", ", formula: b + 1")), "b.yaml": rule(dated("7"), "KZT")["a.yaml"]},
     r"a\.yaml, line 5.*unit mismatch.*KZT.*count"),
    ({**rule(dated("null", ", formula: b")), "b.yaml": rule(dated("x"), "text")["a.yaml"]}, "a rule that is no number"),
    ({**rule(dated("1")), "a/b.yaml": HEAD + "values:\n" + OLD}, "same name"),
    ({"A-b.yaml": HEAD + "values:\n" + OLD}, "name of the file"),
    ({"a.yaml": "b: {c: 1}\n"}, "line 1.*wrong type"),
    ({"a.yaml": HEAD}, "missing: values"),
    ({"a.yaml": "values:\n" + OLD}, "missing: metadata"),
    ({"a.yaml": "metadata: {unit: count, labels: {kk: a, en: c}}\nvalues:\n" + OLD}, "missing: ru"),
    ({"a.yaml": ""}, "the file is empty"),
    ({"a.yaml": "a: [\n"}, "line 2.*not readable as YAML"),
    ({"index.yaml": "metadata: {ends: 2026-07-01}\n", **rule(dated("1"))}, "index.yaml.*missing: cite"),
    ({"b/index.yaml": "metadata: {ends: 2026-07-01, cite: x}\n", **rule(dated("1"))}, "unknown key"),
    ({}, "no rules"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "message"), BAD)
def test_malformed_files_are_one_message_with_file_and_line(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        read_book(folder(tmp_path, files), FACTS)
    assert caught.value.file is not None
    assert caught.value.file.startswith(str(tmp_path))


def test_a_text_in_a_wrong_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes((HEAD + "values:\n" + OLD).replace("art.", "ст.").encode("cp1251"))
    with pytest.raises(BadInput, match="wrong encoding"):
        read_book(tmp_path, FACTS)


def test_a_formula_that_gives_no_whole_count_asks_for_its_rounding(tmp_path: Path) -> None:
    book = read_book(folder(tmp_path, rule(dated("null", ", formula: 7/10 * areas.seats"))), FACTS)
    with pytest.raises(BadInput, match=r"a\.yaml, line 5.*343/5.*declared rounding"):
        rules_on(book, date(2023, 1, 1), FACTS, {"seats": 98})
    assert rules_on(book, date(2023, 1, 1), FACTS, {"seats": 100}).value("a") == 70

    with pytest.raises(BadInput, match="numbers from 0"):
        negative = read_book(folder(tmp_path, rule(dated("null", ", formula: 1 - areas.seats"))), FACTS)
        rules_on(negative, date(2023, 1, 1), FACTS, {"seats": 2})


def test_until_is_the_first_day_without_it(tmp_path: Path) -> None:
    """Not law any more although nothing of its own rank follows: the end was never only another's beginning."""
    body = dated("1", ", rank: law") + dated(
        "2", ", rank: decree, until: mazhilis-8.elected", "2022-06-08", "2022-06-08"
    )
    body += dated("null", ", rank: decree, status: unknown", "2023-03-19", "mazhilis-8.elected")
    book = read_book(folder(tmp_path, rule(body.replace("rank: law", "rank: instruction"))), FACTS)
    assert rules_on(book, date(2023, 3, 18), FACTS).value("a") == 2
    assert "a" not in rules_on(book, date(2023, 3, 19), FACTS)
    ends = Value(1, "count", When(day=date(2022, 1, 1)), "x", "enacted", until=When("mazhilis-8.elected"))
    alone = Book({"a": Rule("a", "count", {}, (ends,))})
    assert rules_on(alone, date(2023, 3, 18), FACTS).value("a") == 1
    assert "a" not in rules_on(alone, date(2023, 3, 19), FACTS)
    assert rules_on(alone, date(2023, 3, 19), FACTS).explain("a").others[0].why_not == "ended on 2023-03-19"
    assert rules_on(alone, date(2023, 3, 19), FACTS.without("mazhilis-8.elected")).value("a") == 1


def test_higher_rank_wins_over_later(tmp_path: Path) -> None:
    body = dated("1", ", rank: constitution") + dated("2", day="2022-06-08", since="referendum-2022.published")
    book = read_book(folder(tmp_path, rule(body)), FACTS)
    snapshot = rules_on(book, date(2023, 1, 1), FACTS)
    assert snapshot.value("a") == 1
    assert snapshot.explain("a").others[0].why_not == "of lower rank than art. 1"


def test_plain_values_for_json() -> None:
    values = [3, True, "x", ("a", "b"), Fraction(2, 3), date(2022, 12, 31), time(18), None]
    assert [plain(value) for value in values] == [3, True, "x", ["a", "b"], "2/3", "2022-12-31", "18:00", None]


# Any book: values that begin with events, days or both, some with an end.

EVENTS = tuple("abcd")
DAYS = st.dates(date(2022, 1, 1), date(2022, 3, 1))
WHENS = st.one_of(
    st.builds(When, st.sampled_from(EVENTS), st.none() | DAYS), DAYS.map(lambda day: When(day=day))
)  # fmt: skip


@st.composite
def books(draw: st.DrawFn) -> Book:
    rules = {}
    for key in "pqr":
        count = draw(st.integers(1, 4))
        values = tuple(
            Value(n, "count", draw(WHENS), f"art. {n}", "enacted", rank=rank)
            for n, rank in zip(range(count), ("decree", "law", "constitutional_law", "constitution"), strict=False)
        )
        rules[key] = Rule(key, "count", {}, values)
    return Book(rules, draw(st.none() | st.just(When("d"))), "the end")


def facts_of(days: dict[str, date]) -> Facts:
    return Facts(Fact(event, day, "x") for event, day in days.items())


RECORDED = st.dictionaries(st.sampled_from(EVENTS), DAYS).map(facts_of)


@given(books(), RECORDED, st.sampled_from(EVENTS), DAYS, DAYS)
@settings(max_examples=80)
def test_removing_a_fact_restores_every_value(book: Book, facts: Facts, event: str, at: date, day: date) -> None:
    before = facts.without(event)
    there_and_back = before.with_(Fact(event, at, "x")).without(event)
    assert rules_on(book, day, there_and_back) == rules_on(book, day, before)


@given(books(), RECORDED, st.sampled_from(EVENTS), DAYS)
@settings(max_examples=80)
def test_a_fact_changes_nothing_before_its_day(book: Book, facts: Facts, event: str, at: date) -> None:
    before = facts.without(event)
    with_it = before.with_(Fact(event, at, "x"))
    eve = at - timedelta(days=1)
    assert rules_on(book, eve, with_it) == rules_on(book, eve, before)


@given(books(), RECORDED)
@settings(max_examples=30)
def test_law_changes_only_on_days_that_some_when_names(book: Book, facts: Facts) -> None:
    days = book.change_days(facts)
    day, last = date(2021, 12, 31), rules_on(book, date(2021, 12, 30), facts)
    while day < date(2022, 3, 3):
        snapshot = rules_on(book, day, facts)
        assert snapshot == last or day in days
        day, last = day + timedelta(days=1), snapshot


@given(books(), RECORDED, DAYS)
@settings(max_examples=60)
def test_a_value_that_holds_has_begun_and_no_better_one_has(book: Book, facts: Facts, day: date) -> None:
    snapshot = rules_on(book, day, facts)
    for key, rule in book.rules.items():
        begun = [value for value in rule.values if (since := value.since.resolve(facts)) is not None and since <= day]
        ends = book.ends.resolve(facts) if book.ends else None
        expected = begun[-1].value if begun and (ends is None or day < ends) else None  # ranks rise with the position
        assert snapshot.values.get(key) == expected
