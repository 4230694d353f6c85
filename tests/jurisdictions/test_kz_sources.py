"""Does every value of the Kazakh pack say where it comes from, and is it there? Official text, tables and address."""

from __future__ import annotations

import datetime
import re
from fractions import Fraction

import pytest
from kz_law import DAY, ELECTIONS, JANUARY, JUNE, SEPTEMBER, SHARED, book, rows, says, seed


def test_every_value_says_where_it_comes_from() -> None:
    for rule in book().rules.values():
        assert set(rule.labels) == {"kk", "ru", "en"} and len(set(rule.labels.values())) >= 2, rule.key
        for language in ("kk", "ru"):
            assert re.search("[а-яёәғқңөұүһі]", rule.labels[language], re.IGNORECASE), rule.key
        assert not re.search("[а-яё]", rule.labels["en"], re.IGNORECASE), rule.key
        for value in rule.values:
            assert value.cite.strip(), rule.key
            assert value.source or value.note or value.status == "unknown", rule.key
            assert value.status != "enacted" or "eneral knowledge" not in value.source, rule.key


def test_nothing_from_memory_alone_is_called_enacted() -> None:
    for rule in book().rules.values():
        for value in rule.values:
            if re.search("[Gg]eneral knowledge", value.source + value.note):
                assert value.status in ("reconstructed", "paraphrase"), rule.key


def test_the_limits_are_those_of_the_table() -> None:
    kinds: tuple[str, ...] = ("president", "mazhilis_list", "mazhilis_district", "senate")
    kinds += ("maslikhat_region_list", "maslikhat_region_district", "maslikhat_district")
    table = rows("election_fund_limits.csv")
    assert len(table) == len(kinds)
    names = {"own": "own_funds_max_mw", "donations": "donations_total_max_mw"}
    names |= {"per_citizen": "per_individual_max_mw", "per_company": "per_legal_entity_max_mw"}
    for kind, row in zip(kinds, table, strict=True):
        for name, column in names.items():
            rule = book().rules[f"fund.{kind}.{name}"]
            assert rule.unit == "MW" and rule.values[-1].value == int(row[column]), rule.key
            assert row["elections_law_article"].split("(")[0] in rule.values[-1].cite, rule.key


def test_the_wages_and_territories_are_those_of_the_tables() -> None:
    for row in rows("minimum_wage.csv"):
        assert says("minimum_wage", datetime.date(int(row["year"]), 12, 31)) == int(row["kzt_per_month"])
    territories = rows("territories.csv")
    assert says("region.territories", JUNE) == len(territories)
    assert says("region.territories", JUNE - DAY) == sum(not row["since"] for row in territories)


@pytest.mark.parametrize(
    ("state", "key", "day", "value", "words"),
    [
        ("2019-03-23", "senate.presidential_quota", JUNE, 15, "Пятнадцать депутатов Сената назначаются Президентом"),
        ("2023-01-01", "senate.presidential_quota", ELECTIONS, 10, "Десять депутатов Сената назначаются Президентом"),
        ("2023-01-01", "senate.assembly_proposals", ELECTIONS, 5, "пять из которых – по предложению Ассамблеи"),
        ("2019-03-23", "mazhilis.size", JUNE, 107, "Мажилис состоит из ста семи депутатов"),
        ("2023-01-01", "mazhilis.size", ELECTIONS, 98, "Мажилис состоит из девяноста восьми депутатов"),
        ("2019-03-23", "mazhilis.assembly_quota", JUNE, 9, "Девять депутатов Мажилиса избираются Ассамблеей"),
        ("2019-03-23", "court.judges", JUNE - DAY, 7, "состоит из семи членов"),
        ("2022-06-08", "court.judges", JUNE, 11, "состоит из одиннадцати судей"),
        ("2022-06-08", "court.term", JUNE, 6, "полномочия которых длятся шесть лет"),
        ("2023-01-01", "court.term", SEPTEMBER, 8, "полномочия которых длятся восемь лет"),
        ("2022-06-08", "court.by_president", JUNE, 4, "Четверо судей Конституционного Суда назначаются Президентом"),
        ("2022-06-08", "akim.region.min_candidates", JUNE, 2, "предлагает не менее двух кандидатур"),
        ("2023-01-01", "audit.reports_per_year", JUNE, 2, "заслушивание два раза в год отчета Председателя Высшей"),
        ("2023-01-01", "senate.bill_days", JANUARY, 60, "рассматривается не более шестидесяти дней"),
        ("2019-03-23", "senate.bill_days", JUNE, 60, "рассматривается не более шестидесяти дней"),
        ("2023-01-01", "bill.to_president", JANUARY, 10, "в течение десяти дней представляется Президенту"),
        ("2023-01-01", "confidence.delay", JANUARY, 48, "не ранее чем через сорок восемь часов"),
        ("2023-01-01", "confidence.per_year", JANUARY, 2, "более двух раз в год"),
        ("2023-01-01", "constitutional_law.readings", JANUARY, 2, "не менее двух чтений"),
        ("2023-01-01", "mazhilis.no_confidence.start", JANUARY, Fraction(1, 5), "по инициативе не менее одной пятой"),
        (
            "2023-01-01",
            "president.terms",
            SEPTEMBER,
            "once",
            "не может быть избрано Президентом Республики более одного",
        ),
        ("2019-03-23", "president.terms", JUNE, "two in a row", "более двух раз подряд"),
        ("2023-01-01", "constitution.amendment_majority", JANUARY, "at least 3/4 of total", "не менее трех четвертей"),
    ],
)
def test_the_official_text_has_the_number(state: str, key: str, day: datetime.date, value: object, words: str) -> None:
    path = SHARED / f"data/law-official/constitution-{state}.ru.md"
    if not path.exists():
        pytest.skip("the official texts lie outside this repository and are not here")
    assert says(key, day) == value
    assert words in path.read_text(encoding="utf-8").replace("\u00a0", " ")


def test_the_address_is_cited_by_line() -> None:
    lines = seed("002")
    headings = [line.split(".")[0] for line in lines if re.match(r"(FIRST|SECOND|THIRD|SIXTH|SEVENTH|EIGHTH)\b", line)]
    assert "SEVENTH" not in headings and headings.index("EIGHTH") == headings.index("SIXTH") + 1
    cited = 0
    for rule in book().rules.values():
        for value in rule.values:
            text = f"{value.cite} {value.source} {value.note}"
            for number in re.findall(r"address(?: of 16\.03\.2022)?,(?: \w+,)? lines? (\d+)", text, re.IGNORECASE):
                assert lines[int(number) - 1].strip(), (rule.key, number)
                cited += 1
    assert cited > 15


@pytest.mark.parametrize(
    ("key", "line", "words"),
    [
        ("party.min_members", 380, "from 20,000 to 5,000"),
        ("akim.deputies.max", 591, "more than three deputies"),
        ("centre.decision_deadline", 683, "maximum of three days"),
        ("programme.laws_due", 702, "by the end of the year"),
        ("local.preparation_due", 618, "middle of this year"),
        ("mazhilis.list_share", 355, "70% on a proportional basis"),
        ("akim.region.min_candidates", 326, "only candidate"),
        ("fund.rules.donor_cap", 419, "limits on donations"),
    ],
)
def test_a_line_of_the_address_carries_its_rule(key: str, line: int, words: str) -> None:
    assert words in seed("002")[line - 1]
    assert any(f"line {line}" in f"{value.cite} {value.source}" for value in book().rules[key].values)
