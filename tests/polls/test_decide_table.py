"""`dauys decide` on tables of areas: what is taken, and the one message for what is not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dauys.errors import BadInput, DauysError
from dauys.law.packs import JURISDICTIONS, load_pack
from dauys.polls.decide_table import decide_csv
from dauys.registers.areas import areas_on, read_areas

DAY = date(2022, 6, 5)
CODES = [area.code for area in areas_on(read_areas(load_pack("kz").areas), DAY)]
RULE = "kz/referendum-constitution"
HEADER = "area,eligible,participated,yes,no\n"


@pytest.fixture
def table(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write(text: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def full(won: int) -> str:
    return HEADER + "".join(f"{c},200,110,{60 if n < won else 55},40\n" for n, c in enumerate(CODES))


@pytest.mark.parametrize(("won", "outcome"), [(12, "adopted"), (11, "rejected")])
def test_a_full_table(table, won: int, outcome: str) -> None:  # type: ignore[no-untyped-def]
    decision = decide_csv(RULE, table(full(won)), DAY)
    assert decision.outcome == outcome
    assert decision.to_json()["tests"][2]["value"] == won


def test_a_listed_area_that_the_table_lacks_is_missing(table) -> None:  # type: ignore[no-untyped-def]
    text = "\n".join(full(17).splitlines()[:-1]) + "\n"
    decision = decide_csv(RULE, table(text), DAY)
    assert decision.missing == (CODES[-1],)
    assert decision.outcome == "undetermined"
    bounded = decide_csv(RULE, table(text.replace("no\n", "no,status\n", 1).replace(",40", ",40,")
                                     + f"{CODES[-1]},3,,,,missing\n"), DAY)  # fmt: skip
    assert (bounded.outcome, bounded.missing) == ("adopted", (CODES[-1],))


def test_national_totals_and_states_of_areas(table) -> None:  # type: ignore[no-untyped-def]
    lines = full(12).replace("no\n", "no,status\n", 1).replace(",40", ",40,").splitlines()
    lines[1] = f"{CODES[0]},,,,,annulled"
    lines[2] = f"{CODES[1]},500,,,,repeat-pending"
    decision = decide_csv(RULE, table("\n".join([*lines, "*,9000,5000,3000,,"])), DAY)
    assert (decision.annulled, decision.repeat_pending) == ((CODES[0],), (CODES[1],))
    assert decision.tests[0].value == 5000
    assert (decision.tests[2].value, decision.tests[2].greatest, decision.outcome) == (10, 11, "rejected")


def test_a_rule_file_counts_every_area_of_the_table(table) -> None:  # type: ignore[no-untyped-def]
    rule = str(JURISDICTIONS / "ch" / "rules" / "double-majority.yaml")
    decision = decide_csv(rule, table("area,valid,yes,weight\nx,10,6,1/2\ny,10,6,1\nz,10,1,1\n"), date(1999, 1, 1))
    assert decision.to_json()["tests"][1] | {"cite": ""} == {
        "name": "cantons", "value": "3/2", "needed": "3/2", "met": True, "cite": "", "tie": False,
        "least": "3/2", "greatest": "3/2",
    }  # fmt: skip
    assert decision.outcome == "rejected"
    assert decide_csv(rule, table("area,valid,yes\nx,10,6\ny,10,6\nz,10,4\n"), date(1999, 1, 1)).outcome == "adopted"


def test_outside_the_years_of_the_rule(table) -> None:  # type: ignore[no-untyped-def]
    assert decide_csv(RULE, table(full(17)), date(2026, 7, 1)).outcome == "law-not-loaded"


ROW = "KZ11,200,110,60,40\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        (HEADER, "the table has no rows"),
        (HEADER.replace("yes", "Yes") + ROW, "row 1: unknown column; found 'Yes'"),
        ("area,eligible,participated\nKZ11,2,1\n", "the column yes is missing"),
        (
            HEADER + "KZ99,200,110,60,40\n",
            "row 2, field area: no such area on 2022-06-05; found 'KZ99'; expected one of: KZ11",
        ),
        (HEADER + "KZ10,200,110,60,40\n", "no such area on 2022-06-05"),
        (HEADER + ROW + ROW, "row 3, field area: this area is there twice (first in row 2)"),
        (HEADER + ROW.replace("60", "-60"), "row 2, field yes: not such a number; found '-60'"),
        (HEADER + ROW.replace("60", "60.5"), "found '60.5'"),
        (HEADER + ROW.replace("200", '"1,200"'), "field eligible: not such a number; found '1,200'"),
        (HEADER + ROW.replace("200", "1 200"), "found '1 200'"),
        (HEADER + ROW.replace("200", "1\u00a0200"), "without separators"),
        (HEADER + ROW.replace("200", "٢٠٠"), "in digits only"),
        (HEADER + ROW.replace("200", "9" * 40), "from 0 to 10000000000"),
        (HEADER + ROW.replace("60", ""), "row 2, field yes: the cell is empty"),
        (HEADER + ROW.replace("40", "x"), "row 2, field no: not such a number"),
        (
            HEADER + ROW.replace("60", "111"),
            "field yes: more than can be; found 111; expected at most participated, 110",
        ),
        (
            HEADER + ROW.replace("110", "201"),
            "field participated: more than can be; found 201; expected at most eligible",
        ),
        (HEADER + ROW.replace(",40", ""), "wrong number of cells"),
        (HEADER.replace("no", "status") + ROW, "found '40'; expected one of: counted, missing"),
        (HEADER.replace("no", "weight") + ROW, "unknown column; found 'weight'"),
        ("\ufeff" + HEADER + ROW, "byte order mark"),
        ((HEADER + ROW).encode("utf-16"), "UTF-16"),
        ((HEADER + ROW).encode().replace(b"KZ11", "ЖҮ".encode()[:3]), "line 2: wrong encoding"),
    ],
)
def test_each_bad_table_gives_one_message(table, text: str | bytes, message: str) -> None:  # type: ignore[no-untyped-def]
    path = table(text)
    with pytest.raises(BadInput) as refused:
        decide_csv(RULE, path, DAY)
    assert refused.value.file == str(path)
    assert message in str(refused.value)


def test_unknown_rules_and_files(tmp_path: Path) -> None:
    with pytest.raises(DauysError, match="there is no decision rule 'kz/none'; there are: ch/double-majority"):
        decide_csv("kz/none", tmp_path / "x.csv", DAY)
    with pytest.raises(BadInput, match="no such file"):
        decide_csv(RULE, tmp_path / "x.csv", DAY)
    with pytest.raises(BadInput, match="no such file"):
        decide_csv(str(tmp_path / "rule.yaml"), tmp_path / "x.csv", DAY)
