"""What does a pack author's slip of the pen lead to? One message with file and place, and exit code 2; never a traceback."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from dauys.cli.main import main
from dauys.errors import BadInput
from dauys.registers.poll_file import read_poll
from dauys.stations.readers import read_protocols

SMALL = Path(__file__).resolve().parents[1] / "end_to_end/small"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(SMALL, tmp_path / "poll"))


def refused(folder: Path, capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """The one line that a dry run of the folder's poll is refused with."""
    with pytest.raises(SystemExit) as stopped:
        main(["protocols", str(folder), str(folder / "protocols.csv"), "--dry-run", *args])
    said = capsys.readouterr()
    assert stopped.value.code == 2, said
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("dauys: ") and not said.out
    assert not (folder.parent / "home").exists(), "a look keeps nothing"
    return said.err


SLIPS: dict[str, tuple[str, str, str, str]] = {
    # file, what stands there, what is written instead, what the message says
    "an unknown key": ("poll.yaml", "kind: referendum", "kind: referendum\nkidn: x", "line 4, field kidn: unknown key"),
    "a key twice": ("poll.yaml", "kind: referendum", "kind: referendum\nkind: election", "written twice (first on line 3)"),
    "a missing key": ("poll.yaml", "kind: referendum\n", "", "missing: kind"),
    "no day": ("poll.yaml", "2022-06-05\n", "2022-06-31\n", "line 4, field day: not a day; found '2022-06-31'"),
    "a day at the end of time": ("poll.yaml", "2022-06-05\n", "9999-12-31\n", "field day: not a day"),
    "no moment": ("poll.yaml", "2022-06-06T08:00", "2022-13-45T99:99", "field stages.preliminary: no such moment"),
    "a zone that is a folder": ("poll.yaml", "timezone: Asia/Almaty", "timezone: Asia", "field timezone: no such time zone"),
    "a zone outside": ("poll.yaml", "timezone: Asia/Almaty", "timezone: ../../x", "field timezone: no such time zone"),
    "closing first": ("poll.yaml", '"20:00"', '"06:00"', "field hours.close: it closes before it opens"),
    "a share that is a decimal": ("poll.yaml", "share: 101/100", "share: 1.01", "expected an exact fraction like 1/2"),
    "a share of nothing": ("poll.yaml", "share: 101/100", "share: 0", "field ballot_limit.share: no ballots at all"),
    "a share beyond memory": ("poll.yaml", "share: 101/100", "share: 1e999999999", "field ballot_limit.share"),
    "a share divided by zero": ("poll.yaml", "share: 101/100", "share: 1/0", "field ballot_limit.share"),
    "a form that no pack has": ("poll.yaml", "form: kz/ref", "form: kz/fer", "line 13, field contests[1].form: there is no form"),
    "a rule that no pack has": ("poll.yaml", "rule: kz/ref", "rule: kz/fer", "field contests[1].rule: there is no decision"),
    "a form out of the packs": ("poll.yaml", "form: kz/ref", "form: ../../x", "field contests[1].form: there is no form"),
    "a file that is not there": ("poll.yaml", "river-form.yaml", "rivers.yaml", "field contests[2].form: there is no such file"),
    "a file whose name ends early": ("poll.yaml", "river-form.yaml", '"r\\0.yaml"', "found 'U+0000'"),
    "half a character": ("poll.yaml", "ru: Малое голосование", 'ru: "\\uD800"', "character"),
    "a contest twice": ("poll.yaml", "id: river", "id: charter", "field contests[2]: this contest is there twice"),
    "areas from two places": ("poll.yaml", "{file: areas.csv}", "{file: areas.csv, from: stations}", "field areas: which areas?"),
    "areas from nowhere": ("poll.yaml", "areas: {file: areas.csv}", "reports: []", "which areas?"),
    "a pack that is not there": ("poll.yaml", "areas: {file: areas.csv}", "pack: kk", "field pack: there is no pack 'kk'"),
    "areas of another time": ("areas.csv", "A1,region,,,", "A1,region,,,x", "row 2, field until: not a day"),
    "an area that no station may be in": ("stations.csv", "A1-03,A1", "A1-03,A9", "stations.csv, row 4, field area: no such area"),
    "a station twice": ("stations.csv", "A1-03,A1", "A1-02,A1", "stations.csv, row 4, field id: the station stands in row 3"),
    "a station that turns the line round": ("stations.csv", "A1-03", "A1\u202e03", "row 4, field id: a character that cannot"),
    "a column that nobody knows": ("poll.yaml", "area: area", "region: area", "field stations.columns.region: unknown column"),
    "a column of none": ("poll.yaml", "area: area", "area: []", "field stations.columns.area: no column is named"),
    "an alias": ("poll.yaml", "{kk: Шағын дауыс беру", "&a {kk: &b x, ru: *b", "line 6: not readable as YAML: aliases are not"),
    "a tag": ("poll.yaml", "kind: referendum", "kind: !!python/object/apply:os.system [id]", "line 3: not readable as YAML: the tag"),
    "a tag of one's own": ("poll.yaml", "kind: referendum", "kind: !kind referendum", "line 3: not readable as YAML: the tag"),
    "two documents": ("poll.yaml", "kind: referendum", "---\nkind: referendum", "not readable as YAML"),
    "a tab": ("poll.yaml", "kind: referendum", "kind:\n\treferendum", "line 4: not readable as YAML"),
    "no end": ("poll.yaml", "kind: referendum", "kind: " + "[" * 2_000, "nested too deeply"),
    "a mark before the text": ("poll.yaml", "# A small poll", "\ufeff# A small poll", "begins with a byte order mark"),
    "yes for true": ("river-form.yaml", "{name: north,", "{name: north, optional: yes,", "line 7, field fields[3].optional: unknown value"),
    "a relation with minus": ("river-form.yaml", "north + south", "north - south", "field identities[1].relation"),
    "a field that nobody has": ("river-form.yaml", "= north", "= norths", "found 'norths'"),
    "a field twice": ("river-form.yaml", "name: south", "name: north", "line 8, field fields[4]: this field is listed twice"),
    "a number that is none": ("river-form.yaml", "F.101", "F101", "line 12, field identities[1].number"),
    "a label in two languages": ("river-form.yaml", "{kk: Тізім, ru: Список", "{kk: Тізім", "field fields[1].labels: missing: ru"),
    "an outcome of one's own": ("river-rule.yaml", "otherwise: rejected", "otherwise: refused", "field tests[1].otherwise: unknown value"),
    "a rule that asks for more": ("river-rule.yaml", "{name: north", "{name: received", "field that the rule does not list"),
    "a law that ends early": ("river-rule.yaml", "cite: for the test\nstatus", "until: 1999-01-01\ncite: x\nstatus", "field until: ends before"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_of_the_pen(folder: Path, capsys: pytest.CaptureFixture[str], slip: str) -> None:
    name, there, instead, said = SLIPS[slip]
    path = folder / name
    text = path.read_text()
    assert there in text
    path.write_text(text.replace(there, instead, 1))
    message = refused(folder, capsys)
    assert said in message
    assert name in message or "protocols.csv" in message


@pytest.mark.parametrize("name", ["poll.yaml", "river-form.yaml", "river-rule.yaml"])
def test_every_line_is_missed_or_not_needed(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Every other line left out or cut short: a message with a place, or a poll that can be held; nothing else."""
    path = folder / name
    lines = path.read_text().splitlines()
    for place, line in enumerate(lines):
        for changed in (lines[:place] + lines[place + 1 :], [*lines[:place], line[: len(line) // 2]])[place % 2 :][:1]:
            path.write_text("\n".join(changed) + "\n")
            with pytest.raises(SystemExit) as stopped:
                main(["protocols", str(folder), str(folder / "protocols.csv"), "--dry-run"])
            said = capsys.readouterr().err
            assert stopped.value.code in (0, 1) or re.fullmatch(r"dauys: [^\n]*poll/[^\n]*: [^\n]+\n", said), changed


NO_FILES = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "empty": lambda path: path.touch(),
    "UTF-16": lambda path: path.write_text("poll: x", encoding="utf-16"),
    "CP1251": lambda path: path.write_text("poll: дауыс", encoding="cp1251"),
    "NUL": lambda path: path.write_bytes(b"poll: \0"),
}


@pytest.mark.parametrize("name", NO_FILES)
@pytest.mark.parametrize("file", ["poll.yaml", "stations.csv"])
def test_a_file_that_is_no_file(folder: Path, capsys: pytest.CaptureFixture[str], file: str, name: str) -> None:
    (folder / file).unlink()
    NO_FILES[name](folder / file)
    refused(folder, capsys)


def test_a_column_that_is_mapped_is_there(folder: Path) -> None:
    """`received` is asked for by one form of two, and was once dropped in silence where its column was misspelt."""
    path = folder / "poll.yaml"
    path.write_text(path.read_text().replace("received: received", "received: given"))
    described = read_poll(path)
    assert described.protocols is not None
    with pytest.raises(BadInput, match="columns are missing: given"):
        list(read_protocols(described.protocols.file, described.poll, described.protocols.columns))


def test_an_options_slip(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "field no_such" in refused(folder, capsys, "--column", "no_such=x")
    assert "not a mapping" in refused(folder, capsys, "--column", "yes")
    assert "twice" in refused(folder, capsys, "--column", "yes=yes", "--column", "yes=no")
    for args in (
        ["protocols"],
        ["protocols", "a"],
        ["nothing"],
        ["run"],
        ["verify", "--nothing"],
        ["decide", "a", "b"],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(args)
        assert stopped.value.code == 2
        assert "Usage: dauys" in capsys.readouterr().err
