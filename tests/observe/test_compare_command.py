"""Does `dauys compare` answer as documented, for a record and for a table, and is every bad input one message?"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from compared_world import CONTEST, World, law, protocol

from dauys.cli.main import main
from dauys.observe.known.official import official_frame

Run = Callable[..., tuple[int, Any]]
FIELDS = law().contests[0].form.required


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    """A folder with the bundle, the draw, its list, and a table of the official protocols."""
    folder = tmp_path_factory.mktemp("compared")
    world = World().count()
    world.folder(folder / "bundle")
    (folder / "draw.json").write_text(json.dumps(world.drawn(folder)))
    write(
        folder / "official.csv",
        world,
        list(world.stations),
        extra={"contest": CONTEST, "state": "accepted", "entry": "7"},
    )
    return world, folder


@pytest.fixture
def run(made: tuple[World, Path], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(made[1])

    def call(*args: object) -> tuple[int, Any]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main(["compare", *map(str, args)])
        assert "Traceback" not in err.getvalue()
        text = out.getvalue()
        return int(str(ended.value.code)), json.loads(text) if text.startswith("{") else text + err.getvalue()

    return call


def write(
    path: Path, world: World, names: list[str], changed: Mapping[str, Mapping[str, object]] | None = None,
    extra: Mapping[str, str] | None = None,
) -> Path:  # fmt: skip
    columns = ["station", *(extra or {}), *FIELDS]
    with path.open("w", newline="") as file:
        rows = csv.DictWriter(file, columns)
        rows.writeheader()
        for name in names:
            values = protocol(world.stations[name]) | dict((changed or {}).get(name, {}))
            rows.writerow({"station": name, **(extra or {}), **values})
    return path


def test_a_planted_difference_is_found_and_weighed(made: tuple[World, Path], run: Run) -> None:
    world, folder = made
    drawn = json.loads((folder / "draw.json").read_text())["stations"]
    bad = drawn[3]
    yes = protocol(world.stations[bad])["yes"]
    write(folder / "copies.csv", world, drawn[:-2], {bad: {"yes": yes - 40, "not_counted": 43}})
    code, said = run("copies.csv", "bundle", "--draw", "draw.json", "--check", "--json")
    assert code == 1 and said["agrees"] is False
    assert said["stations"] | {"drawn": 51, "compared": 49, "agree": 48, "differ": 1, "no-copy": 2} == said["stations"]
    (apart,) = said["differences"]
    assert (apart["station"], apart["of"]) == (bad, world.held[bad])
    assert apart["fields"]["yes"] == {"copy": yes - 40, "published": yes}
    assert said["without_copy"] == sorted(drawn[-2:])
    assert said["effect"]["copies"]["moved"]["yes"] == -40
    assert (
        said["effect"]["published"]["decision"]["outcome"]
        == said["effect"]["copies"]["decision"]["outcome"]
        == "adopted"
    )
    assert said["unseen"]["differing"] == 1 and said["effect"]["unseen"] == said["unseen"]["at_most"] - 1
    assert said["official"]["size"] == len(world.entries) and len(said["official"]["root"]) == 64
    assert said["frame_sha256"] == official_frame(world.official())[1]
    code, text = run("copies.csv", "bundle", "--draw", "draw.json", "--stated", "0.02")
    assert (
        code == 0
        and f"{bad} differ: yes {yes - 40} copied, {yes} published" in text
        and "hundredths of a point" in text
    )


def test_a_table_is_enough_without_a_decision(made: tuple[World, Path], run: Run) -> None:
    world, folder = made
    drawn = json.loads((folder / "draw.json").read_text())["stations"]
    write(folder / "all.csv", world, drawn)
    code, said = run(
        "all.csv", "official.csv", "--draw", "draw.json", "--option", "yes", "--of", "participated", "--check", "--json"
    )
    assert code == 0 and said["agrees"] and said["effect"] is None and said["stations"]["agree"] == 51
    (yes,) = said["national"]
    code, of_record = run("all.csv", "bundle", "--draw", "draw.json", "--option", "yes", "--json")
    other = of_record["national"][0]
    for name in ("official_exact", "estimate", "se", "df", "agrees"):
        assert yes[name] == other[name]
    assert yes["expected_margin"] == pytest.approx(other["expected_margin"])
    text = (
        (folder / "official.csv")
        .read_text()
        .replace(f"{drawn[0]},{CONTEST},accepted", f"{drawn[0]},{CONTEST},quarantined")
    )
    (folder / "held.csv").write_text(text.replace(f"{drawn[1]},{CONTEST},accepted", f"{drawn[1]},{CONTEST},annulled"))
    code, said = run("all.csv", "held.csv", "--json")
    assert (said["stations"]["quarantined"], said["stations"]["annulled"], said["stations"]["agree"]) == (1, 1, 49)
    code, said = run("all.csv", "bundle", "--json")
    assert (
        code == 0
        and said["national"] == []
        and said["unseen"] is None
        and "how the stations were chosen" in said["no_bound"]
    )


def test_every_bad_input_is_one_message(made: tuple[World, Path], run: Run) -> None:
    world, folder = made
    draw = json.loads((folder / "draw.json").read_text())
    name = draw["stations"][0]
    values = [str(protocol(world.stations[name])[field]) for field in FIELDS]
    header, row = ",".join(("station", *FIELDS)), ",".join((name, *values))
    other = next(one for one in world.stations if one not in draw["stations"])
    at = 1 + FIELDS.index("yes")

    def refused(text: str, *args: str, official: str = "bundle") -> str:
        (folder / "bad.csv").write_text(text)
        code, said = run("bad.csv", official, *args)
        assert code == 2 and said.count("dauys: ") == 1, said
        return str(said)

    def with_yes(text: str) -> str:
        cells = row.split(",")
        return ",".join([*cells[:at], text, *cells[at + 1 :]])

    assert "[O.155]" in refused(f"{header}\n{row}\n{with_yes('1')}\n")
    assert "[O.150]" in refused(f"{header}\n{other},{','.join(values)}\n", "--draw", "draw.json")
    assert "[O.151]" in refused(f"{header}\nNOWHERE,{','.join(values)}\n")
    assert "[O.152]" in refused(f"{header},maybe\n{row},1\n")
    assert "[O.152]" in refused(f"station\n{name}\n")
    for text, check in [
        ("-1", "F.014"),
        ("1000000001", "F.015"),
        ("1 234", "F.012"),
        ("12.5", "F.013"),
        ("many", "F.016"),
    ]:
        assert f"[{check}]" in refused(f"{header}\n{with_yes(text)}\n")
    assert "[O.156]" in refused(f"{header},photos\n{row},abc\n")
    assert "[F.010]" in refused(f"id,yes\n{name},1\n")
    assert "[F.008]" in refused(f"{header}\n{row},1\n")
    assert "[F.003]" in refused(f"{header}\n")
    assert "there is no record" in refused(f"{header}\n{row}\n", official="nothing")
    assert "no such contest" in refused(f"{header}\n{row}\n", "--contest", "q9")
    assert "what a share is of" in refused(f"{header}\n{row}\n", "--option", "yes", official="official.csv")
    assert "held against the draw" in refused(f"{header}\n{row}\n", "--frame", "frame.csv")
    (folder / "changed.json").write_text(json.dumps(draw | {"frame_sha256": "0" * 64}))
    assert "[O.154]" in refused(f"{header}\n{row}\n", "--draw", "changed.json")
    assert "changed after the draw" in refused(f"{header}\n{row}\n", "--draw", "changed.json", "--frame", "frame.csv")
    (folder / "broken.json").write_text(json.dumps({name: draw[name] for name in ("stations", "frame_sha256")}))
    assert "not a sample" in refused(f"{header}\n{row}\n", "--draw", "broken.json")
    (folder / "twice.csv").write_text(f"{header}\n{row}\n{row}\n")
    assert "a station twice" in refused(f"{header}\n{row}\n", official="twice.csv")
    assert "[O.155]" not in run("twice.csv", "bundle")[1]  # the same copy twice is one copy
    assert "not signed by" in refused(f"{header}\n{row}\n", "--key", str(_stranger()))


def _stranger() -> object:
    from dauys.record.note import SigningKey

    return SigningKey.from_seed("dauys/kz/2022-referendum", b"\x0a" * 32).vkey
