"""Does a nation of real station protocols run end to end from a folder that a plain user could have written?"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest
from dauys_command import RUSSIA, SHARED, answer, told

from prepared_store import prepare_store

DATA = SHARED / "russia2020/ru2020_referendum_uik.csv.gz"

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason=f"the table of the 2020 vote is not beside the repository ({DATA.name})"
)

TOTALS = {
    "eligible": 107_999_611,
    "received": 73_107_907,
    "participated": 73_024_006,
    "yes": 57_071_119,
    "no": 15_347_937,
    "invalid": 604_950,
}
"""shared/data/russia2020/SOURCE.md: sums of all 96,765 protocols."""


@pytest.mark.database
def test_every_protocol_is_counted(tmp_path: Path) -> None:
    prepare_store(tmp_path / ".dauys")
    result = answer(tmp_path, "run", RUSSIA)
    assert result["stations"] == {
        "expected": 96_765,
        "counted": 96_765,
        "quarantined": 0,
        "missing": 0,
        "annulled": 0,
        "repeat_pending": 0,
    }
    assert result["totals"] == TOTALS
    assert len(result["areas"]) == 87
    assert result["reconstruction"] is False
    decision = result["decision"]
    assert (decision["outcome"], decision["tests"][0]["value"]) == ("adopted", TOTALS["yes"])
    nenets = next(area for area in result["areas"] if area["code"].startswith("Ненецкий"))
    assert 2 * nenets["yes"] < nenets["participated"]  # the one region without a majority: 43.78 %
    # verify takes as long again here: it is tried on the other polls
    assert (tmp_path / result["bundle"] / "checkpoint").read_text().splitlines()[1] == str(result["size"])


def test_a_plain_file_through_a_column_mapping(tmp_path: Path) -> None:
    """The same table as a user would have it: unpacked, semicolons, other column names, columns in another order."""
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as file:
        rows = [list(reversed(row)) for row in csv.reader(file)]
    rows[0] = ["против", "за", "недействительных", "в ящиках", "выдано", "в списке", "участок", "комиссия", "субъект"]
    table = tmp_path / "протоколы.csv"
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    columns = ["station=субъект+комиссия+участок", "eligible=в списке", "received=выдано", "participated=в ящиках",
               "yes=за", "no=против", "invalid=недействительных"]  # fmt: skip
    options = [part for column in columns for part in ("--column", column)]
    found, _ = told(tmp_path, "protocols", RUSSIA, table, "--dry-run", *options)
    run = found["contests"][0]
    assert run["stations"] == {
        "expected": 96_765,
        "counted": 96_765,
        "quarantined": 0,
        "missing": 0,
    }
    assert run["totals"] == TOTALS
    assert run["decision"]["outcome"] == "adopted"


def test_a_station_that_is_not_on_the_list_is_named(tmp_path: Path) -> None:
    table = tmp_path / "one.csv"
    table.write_text("station,eligible,received,participated,yes,no,invalid\nnowhere,10,5,5,3,2,0\n")
    _, said = told(tmp_path, "protocols", RUSSIA, table, "--dry-run", code=2)
    assert "F.020" in said
    assert "row 2" in said
    assert "nowhere" in said
