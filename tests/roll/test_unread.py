"""A file of voters that cannot be read: the message says where, and shows nobody."""

from __future__ import annotations

import gzip
import json
import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa
from roll_people import AT, DAY, STATIONS, VAULT, row

from dauys.errors import BadInput
from dauys.pollbook.paper.by_hand import lines_of, read_lines
from dauys.roll.importing import bring
from dauys.roll.rows import REQUIRED

pytestmark = pytest.mark.database

PEOPLE = [row(n) | {"surname": f"Щербаков{n}"} for n in range(1, 6)]
SECRETS = [text for one in PEOPLE for text in (one["iin"], one["born"], one["surname"], "Щерб", "Нұрлан", "Нурлан")]
HEADER = ",".join(REQUIRED)
LINES = [",".join(one[name] for name in REQUIRED) for one in PEOPLE]
TEXT = "\n".join([HEADER, *LINES, ""]).replace("ұ", "у")
OBJECTS = [{name: one[name] for name in REQUIRED} for one in PEOPLE]

FILES = {
    "cp1251.csv": (TEXT.encode("cp1251"), "F.004"),
    "koi8.csv": (TEXT.encode("koi8-r"), "F.004"),
    "cp866.csv": (TEXT.encode("cp866"), "F.004"),
    "bom.csv": (TEXT.encode("utf-16"), "F.004"),
    "utf16.csv": (TEXT.encode("utf-16-le"), "F.004"),
    "cp1251.csv.gz": (gzip.compress(TEXT.encode("cp1251")), "F.004"),
    "headless-cp1251.csv": (TEXT.partition("\n")[2].encode("cp1251"), "F.004"),
    "headless.csv": (TEXT.partition("\n")[2].encode(), "F.009"),
    "headless-twice.csv": (LINES[0].replace(PEOPLE[0]["given"], PEOPLE[0]["surname"]).encode() + b"\n", "F.007"),
    "headless-empty.csv": (LINES[0].replace("A-1", "").encode() + b"\n", "F.007"),
    "no-born.csv": (TEXT.replace("born,", "", 1).encode(), "F.010"),
    "nul.csv": (TEXT.encode() + b"a\0b\n", "F.005"),
    "cut.csv.gz": (gzip.compress(TEXT.encode())[:-20], "F.006"),
    "endless.csv": (f"{'Щербаков' * 20_000},b\nc,d\n".encode(), "F.008"),
    "cut.json": (json.dumps(OBJECTS, ensure_ascii=False).encode()[:-4], "F.017"),
    "twice.jsonl": (("{" + ",".join(f'"iin": "{one["iin"]}"' for one in PEOPLE) + "}\n").encode(), "F.017"),
    "cp1251.jsonl": (json.dumps(OBJECTS[0], ensure_ascii=False).replace("ұ", "у").encode("cp1251") + b"\n", "F.004"),
    "float.json": (json.dumps([OBJECTS[0] | {"iin": float(PEOPLE[0]["iin"])}]).encode(), "F.013"),
    "list.json": (json.dumps([OBJECTS[0] | {"iin": [PEOPLE[0]["iin"]]}]).encode(), "F.017"),
    "stranger.json": (json.dumps([{PEOPLE[0]["surname"]: PEOPLE[0]["iin"]}], ensure_ascii=False).encode(), "F.009"),
    "surrogate.json": (json.dumps([OBJECTS[0] | {"iin": PEOPLE[0]["iin"] + "\ud800"}]).encode(), "F.005"),
    f"{'x' * 8}.parquet": (b"PAR1" + TEXT.encode() + b"PAR1", "F.006"),
}


def refused(connection: sa.Connection, path: Path) -> BadInput:
    with pytest.raises(BadInput) as fault, connection.begin_nested():
        bring(connection, VAULT, path, STATIONS, day=DAY, by="anna", at=AT, bad_file=path.with_suffix(".bad"))
    assert not path.with_suffix(".bad").exists()
    return fault.value


@pytest.mark.parametrize("name", FILES)
def test_no_message_shows_a_voter(connection: sa.Connection, tmp_path: Path, name: str) -> None:
    data, check = FILES[name]
    path = tmp_path / name
    path.write_bytes(data)
    fault = refused(connection, path)
    assert fault.check == check and fault.file == str(path)
    told = str(fault) + json.dumps(fault.as_json(), ensure_ascii=False)
    told += "".join(traceback.format_exception_only(fault)) + repr(fault.__cause__) + repr(fault.__context__)
    assert not [secret for secret in SECRETS if secret in told or secret in told.encode().decode("unicode_escape")], (
        told
    )


def test_a_column_that_is_not_known_is_named_where_the_first_row_is_a_header(
    connection: sa.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(TEXT.replace(HEADER, HEADER + ",telephone").replace("A-1\n", "A-1,1\n"), "utf-8")
    assert refused(connection, path).found == "telephone"


def test_typed_paper_shows_nobody(tmp_path: Path) -> None:
    one = PEOPLE[0]
    path = tmp_path / "anna.csv"
    for text in (f"{one['iin']},{one['surname']}\n", f"iin,officer,channel\n{one['iin']},member1,{one['surname']}\n",
                 f"iin,officer\n{one['iin']},\u0007{one['surname']}\n"):  # fmt: skip
        path.write_text(text, "utf-8")
        with pytest.raises(BadInput) as fault:
            read_lines(path)
        assert not [secret for secret in SECRETS if secret in str(fault.value)]
    with pytest.raises(BadInput) as fault:
        lines_of(f"{one['iin']} member1 {one['surname']}")
    assert not [secret for secret in SECRETS if secret in str(fault.value)]


def test_an_iin_in_the_place_of_the_officer_is_refused(tmp_path: Path) -> None:
    """His id stays in the log for good: one copied sheet, or two columns that were swapped, would keep a voter's number there."""
    one, other = PEOPLE[0]["iin"], PEOPLE[1]["iin"]
    path = tmp_path / "anna.csv"
    path.write_text(f"iin,officer\n{one},{other}\n", "utf-8")
    for read in (lambda: read_lines(path), lambda: lines_of(f"{one} {other}")):
        with pytest.raises(BadInput, match="write the officer's id") as fault:
            read()
        assert fault.value.check == "P.077" and other not in str(fault.value)
