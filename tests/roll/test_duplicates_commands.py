"""`dauys roll duplicates`: a search, the worklist, a decision of each kind; nothing personal unless it is asked for."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from roll_people import VAULT, apply_rows, empty, iin_of, row
from roll_site import OneConnection

from dauys.cli import roll_duplicates
from dauys.cli.main import main

pytestmark = pytest.mark.database


def test_from_the_search_to_a_held_set(
    connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(roll_duplicates, "open_store", lambda: OneConnection(connection))
    monkeypatch.setattr(roll_duplicates, "vault_of", lambda *_: VAULT)
    said: list[str] = []

    def run(*args: str) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as ended:
            main(["roll", "duplicates", *args])
        said.append(capsys.readouterr().out)
        return int(str(ended.value.code)), json.loads(said[-1]) if "--json" in args else said[-1]

    empty(connection)
    twin = row(1) | {"iin": iin_of(date(1979, 10, 28), 900), "station": "B-1"}
    apply_rows(connection, tmp_path, [row(1), twin, row(5, date(1981, 2, 3))])
    assert run("find", "--processes", "0", "--json") == (0, {"looked_at": 4, "proposed": 1, "known": 0, "gone": 0})
    _, listed = run("list", "--json")
    (pair,) = listed["pairs"]
    number = str(pair["id"])
    assert listed["counts"] == {"open": 1} and pair["evidence"][0] == "born:same"
    _, shown = run("show", number, "--json")
    assert sorted(entry["station"] for entry in shown["entries"]) == ["A-1", "B-1"]
    assert "the same birthday" in run("list")[1] and "the same birthday" in run("show", number)[1]
    assert not any("Ахметов" in text or "1979" in text for text in said)
    assert "Ахметов1" in run("show", number, "--person")[1]
    why = ("--by", "anna", "--reason", "one passport", "--json")
    assert run("different", number, *why) == (0, {"pair": int(number), "state": "different"})
    assert run("same", number, "--keep", "1", *why)[0] == 2
    assert run("different", number, "--undo", *why)[1]["state"] == "open"
    code, decided = run("same", number, "--keep", "1", *why)
    state = connection.execute(sa.text("SELECT kind, state FROM roll_set WHERE id = :id"), {"id": decided["set"]}).one()
    assert (code, *state) == (0, "duplicates", "held")
