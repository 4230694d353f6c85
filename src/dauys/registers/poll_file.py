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

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import repeat
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import yaml

from dauys.errors import BadInput, DauysError
from dauys.law.decision_rule import DecisionRule, read_rule
from dauys.law.files import Node, read_yaml
from dauys.law.form import Form, read_form
from dauys.law.packs import load_form, load_rule, pack_folder, pack_names
from dauys.registers.areas import Area, areas_on, read_areas
from dauys.registers.poll import PLACE, BallotLimit, Contest, Poll, Station, is_place, publication_of, voting_in
from dauys.registers.table import read_table

REQUIRED = ("poll", "kind", "day", "timezone", "names", "hours", "contests")
OPTIONAL = (
    "pack",
    "areas",
    "reports",
    "stages",
    "ballot_limit",
    "reconstruction",
    "publishes",
    "voting",
    "stations",
    "protocols",
)

STATION_COLUMNS = ("id", "area", "eligible")
STATION_OPTIONAL = (*PLACE, "key", "abroad")
Found = TypeVar("Found")


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
        if pack not in pack_names():
            known = ", ".join(pack_names())
            raise BadInput(
                "there is no such poll", found=name, expected=f"a folder with a poll.yaml, or PACK/POLL of {known}"
            )
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
    zone = parts["timezone"].timezone()
    hours = parts["hours"].mapping(("open", "close"))
    if hours["close"].time() <= hours["open"].time():
        hours["close"].fail(
            "it closes before it opens", found=hours["close"].text(), expected="a later time of one day"
        )
    poll = Poll(
        id=parts["poll"].matching(
            r"(?=.{1,100}$)[a-z0-9-]+(/[a-z0-9-]+)*",
            "small letters, digits and hyphens, like kz/2022-referendum, at most 100",
        ),
        kind=parts["kind"].choice("referendum", "election"),
        day=day,
        names=parts["names"].labels(),
        timezone=zone,
        opens=hours["open"].time(),
        closes=hours["close"].time(),
        areas=_areas(parts, folder, node, day),
        contests=_contests(parts["contests"], folder),
        reports=tuple(item.time() for item in parts["reports"].items()) if "reports" in parts else (),
        stages=_stages(parts["stages"], zone) if "stages" in parts else {},
        ballot_limit=_ballot_limit(parts["ballot_limit"]) if "ballot_limit" in parts else BallotLimit(),
        reconstruction="reconstruction" in parts,
        publishes=publication_of(parts["publishes"]) if "publishes" in parts else None,
        voting=voting_in(parts["voting"]) if "voting" in parts else None,
    )
    return PollFile(
        poll=poll,
        folder=folder,
        stations=_source(parts.get("stations"), folder, (*STATION_COLUMNS, *STATION_OPTIONAL)),
        protocols=_source(parts.get("protocols"), folder),
        reconstruction=_beside(parts["reconstruction"], folder) if "reconstruction" in parts else None,
    )


def read_stations(source: TableSource, areas: Collection[str] = ()) -> list[Station]:
    """The stations of a table: columns `id`, `area`, `eligible`, in the table's order; each once, in one of `areas`.

    `address`, `settlement`, `key` (base64 of an Ed25519 public key) and `abroad` (`yes` or `no`) may be there, too. Without
    `areas` any area will do. Raises BadInput with file and row; F.010 for a column that is mapped and not there.
    """
    stations: list[Station] = []
    rows: dict[str, int] = {}
    columns = {name: name for name in (*STATION_COLUMNS, *STATION_OPTIONAL)} | dict(source.columns)
    mapped = list(source.columns)  # who maps a column says that it is there
    for chunk in read_table(source.file, columns, {"eligible"}, STATION_OPTIONAL, ignore=None, mapped=mapped):
        places = (chunk.texts[name] if name in chunk.texts else repeat("", len(chunk)) for name in STATION_OPTIONAL)
        several = zip(chunk.texts["id"], chunk.texts["area"], chunk.numbers["eligible"].tolist(), *places, strict=True)
        for row, (station, area, eligible, *place, key, abroad) in enumerate(several, chunk.first_row):
            if rows.setdefault(station, row) != row:
                message = f"the station stands in row {rows[station]} already"
                raise BadInput(message, file=source.file, row=row, field="id", found=station, check="F.021")
            if areas and area not in areas:
                message, known = "no such area on the day of the poll", ", ".join(list(areas)[:20])
                raise BadInput(
                    message, file=source.file, row=row, field="area", found=area, expected=f"one of: {known}"
                )
            if not (station.isprintable() and area.isprintable()):
                message = "a character that cannot be printed"
                raise BadInput(message, file=source.file, row=row, field="id", found=f"{station} {area}", check="F.005")
            told = [" ".join(text.split()) for text in place]
            for name, text in zip(PLACE, told, strict=True):
                if text and not is_place(name, text):
                    raise BadInput(f"no {name}", file=source.file, row=row, field=name, found=f"{len(text)} characters",
                                   expected=f"a text of at most {PLACE[name]} characters")  # fmt: skip
            if abroad.strip() not in _ABROAD:
                raise BadInput("abroad or not?", file=source.file, row=row, field="abroad", found=abroad,
                               expected="yes, no, or an empty cell")  # fmt: skip
            public = _public(key.strip(), source.file, row)
            stations.append(Station(station, area, eligible, public, _ABROAD[abroad.strip()], *told))
    return stations


_ABROAD = {"yes": True, "no": False, "": False}


def _public(text: str, file: Path, row: int) -> bytes | None:
    """A station's key. Raises BadInput for a text that is none: its signatures would all be refused."""
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        key = b""
    if text and (len(key) != 32 or b64encode(key).decode() != text):
        raise BadInput("no key of a station", file=file, row=row, field="key", found=text[:60],
                       expected="base64 of the 32 bytes of an Ed25519 public key")  # fmt: skip
    return key or None


def areas_of(stations: list[Station]) -> tuple[Area, ...]:
    """One area of weight 1 for each area that the stations name, in their order: for polls without a list of areas."""
    codes = dict.fromkeys(station.area for station in stations)
    return tuple(Area(code=code, kind="area", names=dict.fromkeys(("kk", "ru", "en"), code)) for code in codes)


def _areas(parts: dict[str, Node], folder: Path, node: Node, day: date) -> tuple[Area, ...]:
    if "areas" in parts:
        members = parts["areas"].mapping((), ("file", "from"))
        if len(members) != 1:
            parts["areas"].fail("which areas?", expected="{file: areas.csv} or {from: stations}")
        if "from" in members:
            members["from"].choice("stations")
            return ()
        place, path = members["file"], _beside(members["file"], folder)
    elif "pack" in parts:
        place, path = parts["pack"], _known(parts["pack"], pack_folder) / "areas.csv"
    else:
        node.fail("which areas?", expected="`pack: NAME`, `areas: {file: areas.csv}` or `areas: {from: stations}`")
    areas = areas_on(read_areas(path), day)
    if not areas:
        place.fail("no area exists on the day of the poll", found=path.name, expected=f"areas that exist on {day}")
    return areas


def _contests(node: Node, folder: Path) -> tuple[Contest, ...]:
    contests: dict[str, Contest] = {}
    for item in node.items():
        contest = _contest(item, folder)
        if contest.id in contests:
            item.fail("this contest is there twice", found=contest.id, expected="each id once")
        contests[contest.id] = contest
    if not contests:
        node.fail("a poll without a question", expected="at least one contest")
    return tuple(contests.values())


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
    return read_form(_beside(node, folder)) if node.text().endswith(".yaml") else _known(node, load_form)


def _rule(node: Node, folder: Path) -> DecisionRule:
    return read_rule(_beside(node, folder)) if node.text().endswith(".yaml") else _known(node, load_rule)


def _known(node: Node, load: Callable[[str], Found]) -> Found:
    """What a pack holds under the name that is written here."""
    try:
        return load(node.text())
    except BadInput:
        raise
    except DauysError as error:
        node.fail(str(error))


def _beside(node: Node, folder: Path) -> Path:
    """The file of the poll's folder that is named here."""
    path = folder / node.text()
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where the name is too long
        node.fail(
            "there is no such file", found=str(path), expected="the name of a file, from the poll.yaml's folder on"
        )
    return path


def _stages(node: Node, zone: str) -> dict[str, datetime]:
    stages: dict[str, datetime] = {}
    for key, value in node.entries():
        expected = "a moment like 2022-06-06T08:00, in the poll's zone"
        text = value.matching(r"[1-8][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", expected)
        try:
            stages[key.text()] = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
        except ValueError:
            value.fail("no such moment", found=text, expected=expected)
    if list(stages.values()) != sorted(stages.values()):
        node.fail("the stages are not in the order of time", expected="the earliest first")
    return stages


def _ballot_limit(node: Node) -> BallotLimit:
    parts = node.mapping(("share", "cite"))
    share = parts["share"].fraction()
    if share == 0:
        parts["share"].fail("no ballots at all", found="0", expected="a share above 0, like 101/100")
    return BallotLimit(share, parts["cite"].text())


def _source(node: Node | None, folder: Path, known: Collection[str] = ()) -> TableSource | None:
    """`known` are the only names that columns may be mapped to, where the table has nothing else."""
    if node is None:
        return None
    parts = node.mapping(("file",), ("columns",))
    columns: dict[str, str | list[str]] = {}
    for key, value in parts["columns"].entries() if "columns" in parts else ():
        if known and key.text() not in known:
            key.fail("unknown column", found=key.text(), expected=f"one of: {', '.join(known)}")
        several = isinstance(value.raw, yaml.SequenceNode)
        columns[key.text()] = [item.text() for item in value.items()] if several else value.text()
        if not columns[key.text()]:
            value.fail("no column is named", expected="the name of a column, or a list of names")
    return TableSource(folder / parts["file"].text(), columns)
