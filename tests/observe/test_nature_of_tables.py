"""Does each command that reads stations' figures of a reconstruction say so, and no other?"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from compared_world import World, protocol

from dauys.cli.main import tree
from dauys.cli.nature import RECONSTRUCTION, is_reconstruction

COLUMNS = "station=station,region=area,cast=participated,yes=yes"
Table = Callable[[str | None], Path]


@pytest.fixture(scope="module")
def world() -> World:
    return World().count()


@pytest.fixture
def table(world: World, tmp_path: Path) -> Table:
    def write(nature: str | None) -> Path:
        path = tmp_path / f"{nature}.csv"
        with path.open("w", newline="") as file:
            rows = [
                {"station": name, "area": one.area, **({"nature": nature} if nature else {}), **protocol(one)}
                for name, one in world.stations.items()
            ]
            out = csv.DictWriter(file, list(rows[0]))
            out.writeheader()
            out.writerows(rows)
        return path

    return write


def commands(folder: Path, table: Path) -> dict[str, list[object]]:
    sheet = pl.read_csv(table)
    copies = folder / "copies.csv"
    sheet.select("station", "participated", "yes").head(9).write_csv(copies)
    plan = folder / "audit.json"
    return {
        "indicators": ["indicators", table, "--columns", COLUMNS, "--draws", 0],
        "estimate": ["estimate", table, "--y", "yes", "--x", "participated"],
        "compare": ["compare", copies, table],
        "plan": ["audit", "plan", table, "--columns", COLUMNS, "--seed", "dice", "--out", plan],
        "sheets": ["audit", "sheets", plan, table, "--columns", COLUMNS, "--out", folder / "sheets"],
        "evaluate": ["audit", "evaluate", plan, table, copies, "--columns", COLUMNS],
    }


def said(args: list[object], *more: str) -> str:
    done = CliRunner().invoke(tree, [*map(str, args), *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize(("nature", "rebuilt"), [("reconstruction", True), ("protocol", False), (None, False)])
def test_each_command_says_what_it_reads(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nature: str | None, rebuilt: bool
) -> None:
    monkeypatch.setattr("dauys.observe.audit.sheets.browser", lambda: None)
    for name, args in commands(tmp_path, table(nature)).items():
        if name == "evaluate":
            copies = pl.read_csv(tmp_path / "copies.csv").rename({"participated": "cast"})
            drawn = json.loads((tmp_path / "audit.json").read_text())["stations"]
            copies.filter(pl.col("station").is_in(drawn)).write_csv(tmp_path / "copies.csv")
        assert said(args).startswith(f"{RECONSTRUCTION}\n") is rebuilt, name
        found: dict[str, Any] = json.loads(said(args, "--json"))
        assert found["reconstruction"] is rebuilt, name


def test_of_a_record_its_poll_says_so(world: World, table: Table, tmp_path: Path) -> None:
    bundle, draw = tmp_path / "bundle", tmp_path / "draw.json"
    world.folder(bundle)
    draw.write_text(json.dumps(world.drawn(tmp_path)))
    copies = commands(tmp_path, table(None))["compare"][1]
    for args in (["compare", copies, bundle], ["estimate", bundle, "--draw", draw]):
        assert said(args).startswith(f"{RECONSTRUCTION}\n")
        assert json.loads(said(args, "--json"))["reconstruction"] is True


def test_a_table_in_any_form_that_is_published(table: Table, tmp_path: Path) -> None:
    sheet = pl.read_csv(table("reconstruction"))
    sheet.write_parquet(tmp_path / "s.parquet")
    sheet.write_ndjson(tmp_path / "s.jsonl")
    assert is_reconstruction(tmp_path / "s.parquet") and is_reconstruction(tmp_path / "s.jsonl")
    (tmp_path / "odd.csv").write_text("nh,Nh\n1,2\n")
    assert not is_reconstruction(tmp_path / "odd.csv")
