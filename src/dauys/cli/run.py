"""`dauys run`: a poll from opening to declaration, and its bundle."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from dauys.cli.commission import keys_for
from dauys.cli.main import answer, counted, moment, say
from dauys.cli.nature import RECONSTRUCTION
from dauys.polls.night import Wait, begin, run_night
from dauys.polls.sources import open_source
from dauys.publish.bundle import place_for, write_bundle
from dauys.registers.poll_file import find_poll, read_poll
from dauys.store.engine import open_store

if TYPE_CHECKING:
    from dauys.cli.site import Site


@click.command()
@click.argument("poll")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the bundle [default: out/POLL]."
)
@click.option("--serve", is_flag=True, help="Serve the public site while it runs, and leave it up.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8040, show_default=True, help="Port of the site; 0: any free one."
)
@click.option(
    "--speed", type=click.FloatRange(min=0, min_open=True), help="Replay in time order, N times as fast as it was."
)
@click.option(
    "--witness", "witnesses", multiple=True, help="Accredit a witness by its key (`dauys witness --key-only`)."
)
@click.option("--clock", help="For a trial: the clock of the site begins at this moment (ISO 8601 with an offset).")
@click.option("--check", is_flag=True, help="Exit with 1 unless the outcome is `adopted`.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
def run(
    poll: str, out: Path | None, serve: bool, port: int, speed: float | None, witnesses: tuple[str, ...],
    clock: str | None, check: bool, as_json: bool,
) -> int:  # fmt: skip
    """Run POLL: pack/poll (kz/2022-referendum), or a folder with a poll.yaml.

    Run again after any interruption, it goes on where it stopped. Afterwards the bundle proves the result: `dauys verify`.
    """
    file = read_poll(find_poll(poll))
    poll_id = file.poll.id
    folder = out or Path("out") / poll_id
    place_for(folder)
    say(f"reading {poll_id} ...")
    engine = open_store()
    keys = keys_for(engine, file.poll)
    source = open_source(file, keys)
    begin(engine, source, witnesses)
    with site_of(engine, port, moment(clock) if clock else None) if serve else nullcontext() as site:
        if site:
            say(f"the site: {site.address}/en/polls/{poll_id}/   the record: {site.address}/record/{poll_id}")
        run_night(engine, source, pace(speed), say)
        with engine.begin() as connection:
            write_bundle(connection, poll_id, keys, folder.resolve())
        result = {**json.loads((folder / "results.json").read_text(encoding="utf-8")), "bundle": str(folder)}
        answer(result, as_json, as_text(result, str(keys.log.vkey)))
        sys.stdout.flush()
        if site:
            say(f"the site stays up at {site.address} until you press Ctrl-C")
            site.wait()
    return 1 if check and any(contest["decision"]["outcome"] != "adopted" for contest in result["contests"]) else 0


def site_of(engine: sa.Engine, port: int, clock: datetime | None) -> Site:
    """The public site; the web framework is loaded only when it is asked for."""
    from dauys.cli.office import clock_from
    from dauys.cli.site import Site

    return Site(engine, port, clock=clock_from(clock))


LONGEST_SLEEP = 3600.0
"""Seconds; the system refuses to sleep for ever."""


def pace(speed: float | None) -> Wait:
    """Sleeps between events so that time passes `speed` times as fast as it did; from the first event on."""
    if speed is None:
        return lambda at: None
    began: list[tuple[datetime, float]] = []

    def wait(at: datetime) -> None:
        if not began:
            began.append((at, time.monotonic()))
        due = began[0][1] + (at - began[0][0]).total_seconds() / speed
        while (left := due - time.monotonic()) > 0:
            time.sleep(min(left, LONGEST_SLEEP))

    return wait


def as_text(result: dict[str, Any], vkey: str) -> str:
    """The answer for a person: what was decided, by which tests, over which stations, and how to check it."""
    lines = [f"{result['poll']}: {result['stage']} result"]
    if result["reconstruction"]:
        lines.append(f"{RECONSTRUCTION}; all published totals are met exactly")
    for contest in result["contests"]:
        stations, decision = contest["stations"], contest["decision"]
        lines.append(f"{contest['contest']}: {decision['outcome']}")
        lines.append(
            f"  {stations['counted']:,} of {counted(stations['expected'], 'station')} counted, "
            f"{stations['quarantined']:,} in quarantine, {stations['missing']:,} missing"
            + (f", {stations['annulled']:,} annulled" if stations["annulled"] else "")
        )
        lines += [f"  {name:<14}{value:>14,}" for name, value in contest["totals"].items()]
        marks = {True: "met", False: "not met", None: "open"}
        lines += [
            f"  {marks[test['met']]:<8}{test['name']}: {test['value']}, needed {test['needed']} ({test['cite']})"
            for test in decision["tests"]
        ]
    lines += [f"the bundle: {result['bundle']}", f"check it:   ./dauys verify {result['bundle']} --key '{vkey}'"]
    return "\n".join(lines)
