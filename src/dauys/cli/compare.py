"""`dauys compare`: observers' copies of protocols against the official count, station by station and in the nation."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from dauys.cli.main import moment
from dauys.cli.nature import answer_with_nature, is_reconstruction
from dauys.cli.sample import read_json
from dauys.errors import BadInput
from dauys.law.relation import Linear
from dauys.observe.compare.answer import Answer, answer_of, answer_of_table, expect_frame
from dauys.observe.compare.national import Measure, implausible
from dauys.observe.compare.tables import read_book, read_copies
from dauys.observe.known.official import official_frame, read_official
from dauys.observe.sample.frame import file_sha256, same_frame
from dauys.record.note import VerifierKey

SHOWN = 40
"""Stations that are listed for a person; --json has all of them."""


@click.command()
@click.argument("copies", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("official")
@click.option(
    "--draw", type=click.Path(path_type=Path), help="The sample as `dauys sample --json` said it: for the nation."
)
@click.option("--frame", type=click.Path(path_type=Path), help="With --draw: the list it was drawn from, if your own.")
@click.option("--contest", help="Which contest, where there are several.")
@click.option("--option", help="An answer: its share of the ballots. [default: what the rule asks of the nation]")
@click.option("--of", "of", help="With a table: the column that the share is of (participants).")
@click.option("--key", help="The log's key as the commission printed it. Without it, the key in the record is taken.")
@click.option("--confidence", type=click.FloatRange(50, 99.99), default=95, show_default=True, help="Per cent.")
@click.option("--stated", type=click.FloatRange(0, 100), help="A margin that somebody states, in points: can it be?")
@click.option("--at", help="The moment of the comparison, for its facts (ISO 8601). [default: now]")
@click.option("--check", is_flag=True, help="Exit with 1 if a station differs or a share lies outside.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/comparison.md).")
def compare(
    copies: Path, official: str, draw: Path | None, frame: Path | None, contest: str | None, option: str | None,
    of: str | None, key: str | None, confidence: float, stated: float | None, at: str | None, check: bool, as_json: bool,
) -> int:  # fmt: skip
    """Hold COPIES against OFFICIAL: the folder of a bundle, the address of a record, or a table of protocols (CSV).

    COPIES has a row for each station: `station`, the fields of the protocol, and hashes of photos. Every difference is listed;
    with --draw also what the sample says of the nation, and what stations that nobody saw could still change.
    """
    body = None if draw is None else read_json(draw)
    level, now = confidence / 100, moment(at)
    if frame is not None:
        if body is None:
            raise BadInput("a list is held against the draw", expected="--draw DRAW.json")
        same_frame(file_sha256(frame), str(body.get("frame_sha256")), frame)
    if official.lower().endswith((".csv", ".tsv", ".txt")) and not official.startswith(("http://", "https://")):
        found = _with_table(copies, Path(official), body, contest, option, of, level, now)
        rebuilt = is_reconstruction(Path(official))
        drawn_from = len(found.areas)
    else:
        if key is not None:
            VerifierKey.parse(key)  # one that was left empty is none
        record = read_official(official, key or "")
        rebuilt = record.poll.reconstruction
        if body is not None and frame is None:
            expect_frame(body, official_frame(record)[1], official)
        chosen = record.poll.contest(contest)
        taken = read_copies(copies, chosen.form.names, [one.id for one in record.poll.contests], chosen.id)
        own = {place: copy for place, copy in taken.items() if place[0] == chosen.id}
        found = answer_of(own, record, body, now, chosen.id, option, level, [name for _, name in own])
        drawn_from = len(record.stations)
    said = found.to_json()
    if stated is not None:
        expected = next((one.expected for one in found.national if one.expected is not None), None)
        reason = implausible(stated / 100, len(found.comparison.stations), drawn_from, expected)
        said["stated"] = {"margin": stated / 100, "implausible": reason}
    answer_with_nature(rebuilt, said, as_json, _text(found, said))
    return 1 if check and not found.agrees else 0


def _with_table(
    copies: Path, table: Path, draw: dict[str, Any] | None, contest: str | None, option: str | None, of: str | None,
    level: float, now: datetime,
) -> Answer:  # fmt: skip
    book = read_book(table, contest)
    if (option is None) != (of is None):
        raise BadInput("a table does not say what a share is of", expected="--option COLUMN and --of COLUMN together")
    for column in (option, of):
        if column is not None and column not in book.fields:
            raise BadInput("the table has no such column", file=table, found=column, expected=", ".join(book.fields))
    measures = [] if option is None or of is None else [Measure(option, Linear.parse(option), Linear.parse(of))]
    taken = read_copies(copies, book.fields, [book.contest], book.contest)
    source = {"file": str(table), "sha256": file_sha256(table), "stations": len(book.areas)}
    return answer_of_table(taken, book, measures, draw, now, source, level)


def _text(found: Answer, said: dict[str, Any]) -> str:
    lines = list(said["words"])
    apart = [one for one in found.comparison.stations if one.standing != "agree" and one.copy is not None]
    for one in apart[:SHOWN]:
        fields = ", ".join(f"{d.field} {d.copy:,} copied, {d.published:,} published" for d in one.differences)
        why = f" (corrected: {one.corrected.reason})" if one.corrected is not None else ""
        lines.append(f"  {one.station} {one.standing}{': ' if fields else ''}{fields}{why}")
    if len(apart) > SHOWN:
        lines.append(f"  and {len(apart) - SHOWN:,} more: --json has all")
    if "stated" in said:
        lines.append(f"the stated margin: {said['stated']['implausible'] or 'so many stations can give it'}")
    return "\n".join(lines)
