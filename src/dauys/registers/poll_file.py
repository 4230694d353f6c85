"""What does a poll.yaml say: which poll, under which rules, and where its stations and protocols come from?

    poll: test/vote-2020             # its name
    kind: referendum
    day: 2020-07-01
    timezone: Europe/Moscow
    names: {kk: ..., ru: ..., en: ...}
    hours: {open: "08:00", close: "20:00"}
    areas: {from: stations}          # or `pack: kz`, or `areas: {file: areas.csv}`
    contests: [{id: q1, question: {...}, form: form.yaml, rule: rule.yaml}]
    stations: {file: stations.csv, columns: {id: station, area: region, eligible: voters}}
    protocols: {file: protocols.csv.gz, columns: {station: station, yes: for, ...}}

A form or rule is `pack/name`, or a file ending in .yaml beside the poll.yaml. `columns` maps our names to the file's own; a
list of columns makes one text joined by ":". docs/polls.md has every key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import yaml

from dauys.errors import BadInput
from dauys.law.decision_rule import DecisionRule, read_rule
from dauys.law.files import Node, read_yaml
from dauys.law.form import Form, read_form
from dauys.law.packs import load_form, load_rule, pack_folder
from dauys.registers.areas import Area, areas_on, read_areas
from dauys.registers.poll import BallotLimit, Contest, Poll, Station
from dauys.registers.table import read_table

REQUIRED = ("poll", "kind", "day", "timezone", "names", "hours", "contests")
OPTIONAL = (
    "pack",
    "areas",
    "reports",
    "stages",
    "ballot_limit",
    "reconstruction",
    "stations",
    "protocols",
    "corrections",
)


@dataclass(frozen=True, slots=True)
class TableSource:
    """A table of a poll's folder and what its columns are: our name to the file's column, or columns joined by ":"."""

    file: Path
    columns: Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class PollFile:
    """A poll and where its material is. `poll.areas` is empty while they are still to be read from the stations."""

    poll: Poll
    folder: Path
    stations: TableSource | None
    protocols: TableSource | None
    reconstruction: Path | None


def find_poll(name: str) -> Path:
    """The poll.yaml of `pack/poll` in a pack, or of a path to a folder or to the file itself."""
    path = Path(name)
    if path.suffix == ".yaml":
        return path
    if (path / "poll.yaml").exists():
        return path / "poll.yaml"
    pack, _, poll = name.partition("/")
    if poll and not name.startswith((".", "/")):
        folder = pack_folder(pack) / "polls"
        if (folder / poll / "poll.yaml").exists():
            return folder / poll / "poll.yaml"
        known = ", ".join(sorted(f"{pack}/{p.parent.name}" for p in folder.glob("*/poll.yaml"))) or "none"
        raise BadInput("there is no such poll", found=name, expected=f"a folder with a poll.yaml, or one of: {known}")
    raise BadInput("there is no poll.yaml there", found=name, expected="a folder with a poll.yaml, or pack/poll")


def read_poll(path: Path) -> PollFile:
    """Reads a poll.yaml. Raises BadInput with file and line for anything that cannot be taken."""
    node = read_yaml(path)
    parts = node.mapping(REQUIRED, OPTIONAL)
    folder = path.parent
    day = parts["day"].date()
    zone = _zone(parts["timezone"])
    hours = parts["hours"].mapping(("open", "close"))
    poll = Poll(
        id=parts["poll"].matching(
            r"[a-z0-9-]+(/[a-z0-9-]+)*", "small letters, digits and hyphens, like kz/2022-referendum"
        ),
        kind=parts["kind"].choice("referendum", "election"),
        day=day,
        names=parts["names"].labels(),
        timezone=zone,
        opens=hours["open"].time(),
        closes=hours["close"].time(),
        areas=_areas(parts, folder, node, day),
        contests=tuple(_contest(item, folder) for item in parts["contests"].items()),
        reports=tuple(item.time() for item in parts["reports"].items()) if "reports" in parts else (),
        stages=_stages(parts["stages"], zone) if "stages" in parts else {},
        ballot_limit=_ballot_limit(parts["ballot_limit"]) if "ballot_limit" in parts else BallotLimit(),
        reconstruction="reconstruction" in parts,
    )
    return PollFile(
        poll=poll,
        folder=folder,
        stations=_source(parts.get("stations"), folder),
        protocols=_source(parts.get("protocols"), folder),
        reconstruction=folder / parts["reconstruction"].text() if "reconstruction" in parts else None,
    )


def read_stations(source: TableSource) -> list[Station]:
    """The stations of a table: columns `id`, `area`, `eligible`, in the table's order."""
    stations: list[Station] = []
    for chunk in read_table(source.file, source.columns, numbers={"eligible"}, ignore=None):
        stations += map(Station, chunk.texts["id"], chunk.texts["area"], chunk.numbers["eligible"].tolist())
    return stations


def areas_of(stations: list[Station]) -> tuple[Area, ...]:
    """One area of weight 1 for each area that the stations name, in their order: for polls without a list of areas."""
    codes = dict.fromkeys(station.area for station in stations)
    return tuple(Area(code=code, kind="area", names=dict.fromkeys(("kk", "ru", "en"), code)) for code in codes)


def _zone(node: Node) -> str:
    name = node.text()
    if name not in available_timezones():
        node.fail("no such time zone", found=name, expected="a name like Asia/Almaty")
    return name


def _areas(parts: dict[str, Node], folder: Path, node: Node, day: date) -> tuple[Area, ...]:
    if "areas" in parts:
        members = parts["areas"].mapping((), ("file", "from"))
        if "from" in members:
            members["from"].choice("stations")
            return ()
        if "file" not in members:
            parts["areas"].fail("which areas?", expected="{file: areas.csv} or {from: stations}")
        return areas_on(read_areas(folder / members["file"].text()), day)
    if "pack" not in parts:
        node.fail("which areas?", expected="`pack: NAME`, `areas: {file: areas.csv}` or `areas: {from: stations}`")
    return areas_on(read_areas(pack_folder(parts["pack"].text()) / "areas.csv"), day)


def _contest(node: Node, folder: Path) -> Contest:
    parts = node.mapping(("id", "question", "form", "rule"))
    contest_id = parts["id"].matching(r"[a-z0-9-]+", "small letters, digits and hyphens")
    form, rule = _form(parts["form"], folder), _rule(parts["rule"], folder)
    for name in rule.fields:
        if name not in form.required:
            parts["rule"].fail(
                "the rule needs a field that every protocol of the form must give",
                found=name,
                expected=f"one of: {', '.join(form.required)}",
            )
    return Contest(contest_id, parts["question"].labels(), form, rule)


def _form(node: Node, folder: Path) -> Form:
    name = node.text()
    return read_form(folder / name) if name.endswith(".yaml") else load_form(name)


def _rule(node: Node, folder: Path) -> DecisionRule:
    name = node.text()
    return read_rule(folder / name) if name.endswith(".yaml") else load_rule(name)


def _stages(node: Node, zone: str) -> dict[str, datetime]:
    stages: dict[str, datetime] = {}
    for key, value in node.entries():
        text = value.matching(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", "a moment like 2022-06-06T08:00, in the poll's zone")
        stages[key.text()] = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    if list(stages.values()) != sorted(stages.values()):
        node.fail("the stages are not in the order of time", expected="the earliest first")
    return stages


def _ballot_limit(node: Node) -> BallotLimit:
    parts = node.mapping(("share", "cite"))
    return BallotLimit(parts["share"].fraction(), parts["cite"].text())


def _source(node: Node | None, folder: Path) -> TableSource | None:
    if node is None:
        return None
    parts = node.mapping(("file",), ("columns",))
    columns: dict[str, str | list[str]] = {}
    for key, value in parts["columns"].entries() if "columns" in parts else ():
        several = isinstance(value.raw, yaml.SequenceNode)
        columns[key.text()] = [item.text() for item in value.items()] if several else value.text()
    return TableSource(folder / parts["file"].text(), columns)
