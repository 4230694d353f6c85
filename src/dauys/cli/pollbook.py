"""`dauys pollbook`: what the centre does for the stations' pollbooks: packages before the day, and how it goes on the day."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from dauys.cli.main import answer, counted, moment, say
from dauys.errors import BadInput
from dauys.pollbook.centre_state import State, alarms, states, whole
from dauys.pollbook.packing_out import TRIAL_OFFICERS, Packing, lose, pack, read_officers, write
from dauys.polls.keys import keys_of
from dauys.polls.opening import load_poll, load_stations
from dauys.polls.pollbook_join import channels_of
from dauys.roll.vault import key_file, load_vault
from dauys.store.engine import data_folder, open_store

JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
AT = click.option("--at", help="When (ISO 8601 with offset). [default: now]")


@click.group()
def pollbook() -> None:
    """Give stations their pollbooks, and see how they are."""


@pollbook.command()
@click.argument("poll")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the packages.")
@click.option("--station", "wanted", multiple=True, help="This station; may be repeated. [default: every one]")
@click.option("--officers", type=click.Path(path_type=Path, dir_okay=False), help="CSV: station,id,role,name.")
@click.option("--trial", is_flag=True, help="Made-up officers, for a trial without --officers.")
@AT
@JSON
def packages(
    poll: str, out: Path, wanted: tuple[str, ...], officers: Path | None, trial: bool, at: str | None, as_json: bool
) -> int:
    """Write each station's package and its code for POLL, whose roll is frozen.

    STATION.package goes to the station by any way, STATION.code by hand. There: `dauys station enrol`. Made again before the
    station is enrolled, the package before it is void.
    """
    if officers is None and not trial:
        raise BadInput("who are the officers?", field="--officers", expected="a CSV file, or --trial for made-up ones")
    engine = open_store()
    with engine.connect() as connection:
        opened = load_poll(connection, poll)
        stations = {station.id: station for station in load_stations(connection, poll)}
    keys = keys_of(opened, data_folder() / "keys")
    packing = Packing(opened, stations, channels_of(opened), keys.commission, load_vault(key_file(data_folder())))
    named = {} if officers is None else read_officers(officers)
    chosen = list(dict.fromkeys(wanted)) or list(stations)
    if officers is not None and (missing := [one for one in chosen if one not in named]):
        raise BadInput(
            "a station without officers", file=officers, found=missing[0], expected="officers for each station"
        )
    made = []
    for number, station in enumerate(chosen, 1):
        with engine.begin() as connection:  # each station by itself: what is written holds whatever comes after
            one = pack(connection, packing, station, named.get(station, TRIAL_OFFICERS), moment(at))
            made += write(out, [one])
        if number % 500 == 0:
            say(f"{number:,} of {counted(len(chosen), 'station')}")
    body = [
        {"station": one.log.station, "generation": one.log.generation, "voters": one.voters, "package": str(package),
         "code": str(code)}
        for one, package, code in made
    ]  # fmt: skip
    voters = sum(one.voters for one, _, _ in made)
    text = f"{counted(len(made), 'package')} in {out}: {counted(voters, 'voter')}"
    text += "\ngive each station its .package by any way, and its .code by hand; never both by one way"
    answer({"poll": poll, "packages": body}, as_json, text)
    return 0


@pollbook.command()
@click.argument("poll")
@click.argument("station")
@JSON
def lost(poll: str, station: str, as_json: bool) -> int:
    """Declare the machine of STATION lost: burnt, stolen, broken. Its voters' rights stay with it until its log is found.

    A new package is then its next generation, for those whose rights come to it. A package with which nobody has enrolled
    yet is made void.
    """
    with open_store().begin() as connection:
        log, state = lose(connection, poll, station)
    body = {"poll": poll, "station": station, "generation": log.generation, "state": state}
    said = (
        "is declared lost; no right moves by that" if state == "lost" else "is void: nobody can enrol with its package"
    )
    answer(body, as_json, f"station {station}, generation {log.generation}, {said}")
    return 0


@pollbook.command()
@click.argument("poll")
@AT
@JSON
def status(poll: str, at: str | None, as_json: bool) -> int:
    """Show every station of POLL as it was last heard. Exits with 1 while there is any alarm."""
    when = moment(at)
    with open_store().begin() as connection:
        load_poll(connection, poll)  # an unknown poll is said to be one
        total, every, raised = whole(connection, poll), states(connection, poll, when), alarms(connection, poll)
    body = {
        "poll": poll,
        **total.to_json(),
        "states": [one.to_json(when) for one in every],
        "raised": [one.to_json() for one in raised],
    }
    lines = [
        f"{counted(total.stations, 'station')}, {counted(total.packages, 'package')}, {counted(total.logs, 'pollbook')} heard, "
        f"{total.closed:,} closed",
        f"{counted(total.check_ins, 'check-in')}, {total.sealed:,} of them in the record; {counted(total.alarms, 'alarm')}",
        *(_line(one, when) for one in every),
        *(f"ALARM {one.number} {one.station}/{one.generation} event {one.n}: {one.text}" for one in raised),
    ]
    answer(body, as_json, "\n".join(lines))
    return 1 if total.alarms else 0


def _line(one: State, at: datetime) -> str:
    heard = "never" if one.heard is None else f"{one.heard:%m-%d %H:%M:%S}"
    state = one.stopped or ("lost" if one.lost else "closed" if one.closed else "call" if one.calls(at) else "open")
    queue = "" if one.queue is None else f"  {one.queue[0]} wait"
    name = f"{one.station}/{one.generation}"
    return f"{name:<20} heard {heard}  {one.check_ins:>6,} in, {one.hour:>4} an hour{queue}  {state}"
