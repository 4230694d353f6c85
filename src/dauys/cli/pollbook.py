"""`dauys pollbook`: what the centre does for the stations' pollbooks: packages before the day, and how it goes on the day."""

from __future__ import annotations

import os
from datetime import datetime
from importlib import resources
from pathlib import Path

import click
from markupsafe import Markup

from dauys import own_file
from dauys.cli.by_two import ByTwo, by_two
from dauys.cli.main import a_name, answer, counted, moment, say, utc, without_iin
from dauys.cli.pollbook_not_lost import lost, not_lost
from dauys.cli.pollbook_restored import held, journal, restored, whose
from dauys.cli.pollbook_status import say_whose_clock, status
from dauys.errors import BadInput
from dauys.pollbook.catalogue import catalogue
from dauys.pollbook.gathered.audit import audit_poll
from dauys.pollbook.log.events import CHANNEL_LOGS
from dauys.pollbook.packing.officers import read_officers
from dauys.pollbook.packing.packages import TRIAL_OFFICERS, Packing, pack, without_package, write
from dauys.pollbook.paper.by_hand import Typed, Typing, both_typed, lost_log, read_lines, take_back, type_in
from dauys.pollbook.paper.lost_list import lost_list, may_lack_says
from dauys.pollbook.rules.audit import Finding
from dauys.pollbook.rules.channels import REMOTE
from dauys.pollbook.settling.envelopes import Line
from dauys.polls.keys import keys_of
from dauys.polls.opening import load_poll, load_stations
from dauys.polls.pollbook_join import channels_of, resolve_envelopes, seal
from dauys.polls.pollbook_join import envelopes as envelopes_of
from dauys.polls.pollbook_protocols import to_correct
from dauys.registers.poll import Poll
from dauys.roll.keys import vault_of
from dauys.stations.ledger import lock
from dauys.store.engine import Connection, data_folder, open_store
from dauys.web.languages import LANGUAGES
from dauys.web.render import environment

JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
AT = click.option("--at", help="When (ISO 8601 with offset). [default: now]")
TYPISTS = by_two("The two who typed it: their names stay in the log.", required=True)
GENERATION = click.option("--generation", type=click.IntRange(1), help="Which lost machine. [default: the newest]")


@click.group()
def pollbook() -> None:
    """Give stations their pollbooks, and see how they are."""


pollbook.add_command(restored)
pollbook.add_command(lost)
pollbook.add_command(not_lost)
pollbook.add_command(status)


@pollbook.command()
@click.argument("poll")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the packages.")
@click.option("--station", "wanted", multiple=True, help="This station; may be repeated. [default: all that have none]")
@click.option("--again", multiple=True, help="This station, whose package on its way is void then; may be repeated.")
@click.option("--officers", type=click.Path(path_type=Path, dir_okay=False), help="CSV: station,id,role,name.")
@click.option("--trial", is_flag=True, help="Made-up officers; only for a poll whose id says that it is a trial.")
@AT
@JSON
def packages(
    poll: str, out: Path, wanted: tuple[str, ...], again: tuple[str, ...], officers: Path | None, trial: bool,
    at: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Write each station's package and its code for POLL, whose roll is frozen.

    Where remote voting is on, its machine gets one, too: station `remote`.

    STATION.package goes to the station by any way, STATION.code by hand. There: `dauys station enrol`. Whoever has a package
    on its way gets no second one, unless --again names the station: then nobody can enrol with the one before.

    A trial is a poll test/..., or one whose last part begins with trial-: its stations take --clock.
    """
    if officers is None and not trial:
        raise BadInput("who are the officers?", field="--officers", expected="a CSV file, or --trial for made-up ones")
    engine = held(open_store(), journal(), poll, moment(at))
    with engine.connect() as connection:
        opened = load_poll(connection, poll)
        stations = {station.id: station for station in load_stations(connection, poll)}
        vault = vault_of(connection, data_folder())
    keys = keys_of(opened, data_folder() / "keys")
    packing = Packing(opened, stations, channels_of(opened), keys.commission, vault, trial)
    named = {} if officers is None else read_officers(officers)
    every = [*stations, *((REMOTE,) if packing.channels[REMOTE].on else ())]
    chosen, have = list(dict.fromkeys((*wanted, *again))), 0
    if not chosen:
        with engine.connect() as connection:
            chosen = without_package(connection, poll, every)
        have = len(every) - len(chosen)
    if officers is not None and (missing := [one for one in chosen if one not in named and one not in CHANNEL_LOGS]):
        raise BadInput(
            "a station without officers", file=officers, found=missing[0], expected="officers for each station"
        )
    made, noting = [], journal()
    for number, station in enumerate(chosen, 1):
        when = moment(at)  # each station by itself: what is written holds whatever comes after
        with noting.acting(engine, poll, station, when) as connection:
            one = pack(connection, packing, station, named.get(station, TRIAL_OFFICERS), when, again=station in again)
            made += write(out, [one])
        if number % 500 == 0:
            say(f"{number:,} of {counted(len(chosen), 'station')}")
    body = [
        {"station": one.log.station, "generation": one.log.generation, "voters": one.voters, "in_doubt": one.doubts,
         "package": str(package), "code": str(code)}
        for one, package, code in made
    ]  # fmt: skip
    voters = sum(one.voters for one, _, _ in made)
    doubts = {one.log.station: one.doubts for one, _, _ in made if one.doubts}
    text = f"{counted(len(made), 'package')} in {out}: {counted(voters, 'voter')}"
    text += (
        f"\n{counted(have, 'station')} with a package already: --again STATION replaces one that is on its way"
        if have
        else ""
    )
    if doubts:
        text += "\nvoters whose rights are in doubt, and who get no ballot there until lost machines are found: "
        text += whose(doubts)
    text += "\ngive each station its .package by any way, and its .code by hand; never both by one way" if made else ""
    answer({"poll": poll, "packages": body, "have": have}, as_json, text)
    return 0


@pollbook.command("print")
@click.argument("poll")
@click.argument("station")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File: a page for the printer."
)
@click.option("--by", required=True, callback=a_name, help="Who prints it: the name is kept.")
@click.option(
    "--language", "lang", type=click.Choice(list(LANGUAGES)), default="kk", show_default=True, help="Language."
)
@click.option("--strike", is_flag=True, help="Only who gets no ballot there: to strike on the station's own print.")
@GENERATION
@AT
@JSON
def print_(
    poll: str, station: str, out: Path, by: str, lang: str, strike: bool, generation: int | None, at: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Write the list of STATION's lost machine as a page for the printer, so that the officers go on by hand on it.

    It shows what that machine had sent. Where the station has a print of its own, whoever has a ballot, or is elsewhere, by this
    list is struck there first (--strike). What is signed on the paper is typed in afterwards with `pollbook paper`.

    After the database was put back from a copy, while the centre has not all of that machine's log, the page says that more may
    have left than stand on it.
    """
    with open_store().begin() as connection:
        lost = lost_log(connection, poll, station, generation)
        vault = vault_of(connection, data_folder())
        opened = load_poll(connection, poll)
        model = lost_list(connection, vault, opened, lost, by, moment(at), strike)
    style = (resources.files("dauys.pollbook") / "static" / "station.css").read_text("utf-8")
    page = environment(lang).get_template("centre/lost_list.html").render(model, style=Markup(style))
    own_file.write(out, page.encode())
    body = {
        "poll": poll,
        "station": station,
        "generation": lost.generation,
        "file": str(out),
        "lines": len(model["lines"]),
        "may_lack": model["may_lack"],
    }
    what = "who is to be struck on the print" if strike else "the list"
    text = f"{what} of machine {lost.generation} of station {station}, {counted(len(model['lines']), 'line')}: {out}"
    text += f"\n{may_lack_says(lost)}" if model["may_lack"] else ""
    answer(body, as_json, f"{text}\nprint it, and delete the file")
    say_whose_clock(opened, at)
    return 0


@pollbook.command(cls=ByTwo)
@click.argument("poll")
@click.argument("station")
@click.argument("first", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("second", type=click.Path(path_type=Path, dir_okay=False))
@TYPISTS
@GENERATION
@AT
@JSON
def paper(
    poll: str, station: str, first: Path, second: Path, by: tuple[str, str], generation: int | None, at: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Type in who received a ballot by the paper of STATION, whose machine is lost: FIRST and SECOND, typed by two people.

    CSV files with the columns iin, officer and, optionally, channel. Only what both typed alike is taken; what differs is
    named, and nothing is taken. Exits with 1 if there is an alarm.
    """
    lines = both_typed(first, second)
    when = moment(at)
    with held(open_store(), journal(), poll, when).begin() as connection:
        lock(connection, poll)  # the record before the logs, as `serve` does
        opened, typing = _typing(connection, poll, station, generation, by, when)
        found = type_in(connection, vault_of(connection, data_folder()), lines, typing, os.urandom)
        seal(connection, poll, keys_of(opened, data_folder() / "keys").commission, when, station)
    return _typed(found, "noted from paper", as_json, first.name)


@pollbook.command("paper-undo", cls=ByTwo)
@click.argument("poll")
@click.argument("station")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@TYPISTS
@GENERATION
@click.option("--found", is_flag=True, help="Instead of FILE: all that the machine's log, found since, has as well.")
@click.option("--reason", required=True, callback=without_iin, help="Why: it stays in the log.")
@AT
@JSON
def paper_undo(
    poll: str, station: str, file: Path | None, by: tuple[str, str], generation: int | None, found: bool, reason: str,
    at: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Take back what was typed in from the paper of STATION: the lines of FILE (columns as for `paper`), or --found.

    Both stay in the log.
    """
    if (file is None) != found:
        raise BadInput("what is taken back?", field="FILE", expected="a CSV file, or --found")
    lines = None if file is None else list(read_lines(file).values())
    when = moment(at)
    with held(open_store(), journal(), poll, when).begin() as connection:
        lock(connection, poll)  # the record before the logs, as `serve` does
        opened, typing = _typing(connection, poll, station, generation, by, when)
        done = take_back(connection, vault_of(connection, data_folder()), lines, typing, reason)
        seal(connection, poll, keys_of(opened, data_folder() / "keys").commission, when, station)
    return _typed(done, "taken back", as_json)


def _typing(
    connection: Connection, poll: str, station: str, generation: int | None, by: tuple[str, str], at: datetime
) -> tuple[Poll, Typing]:
    opened = load_poll(connection, poll)
    key = keys_of(opened, data_folder() / "keys").commission
    return opened, Typing(lost_log(connection, poll, station, generation), by, key, at)


def _typed(found: Typed, what: str, as_json: bool, file: str = "") -> int:
    raised = [
        {"number": alarm.check, "n": alarm.n, "row": found.rows.get(alarm.n), "text": alarm.text}
        for alarm in found.alarms
    ]
    body = {
        "poll": found.log.poll, "station": found.log.station, "generation": found.log.generation, "noted": found.noted,
        "reported": found.reported, "before": found.before, "alarms": raised,
    }  # fmt: skip
    lines = [f"station {found.log.station}: {counted(found.noted, 'check-in')} {what}, log {found.log.generation}"]
    lines[0] += f"; {found.before:,} so already" if found.before else ""
    back = f"and {found.reported:,} of those that the machine had reported" if what == "taken back" else ""
    lines[0] += f"; {back or f'{found.reported:,} had been reported by the machine'}" if found.reported else ""
    for alarm in found.alarms:
        row = f"row {found.rows[alarm.n]} of {file}, " if alarm.n in found.rows else ""
        lines.append(f"ALARM {alarm.check} {row}event {alarm.n}: {alarm.text}")
    answer(body, as_json, "\n".join(lines))
    return 1 if raised else 0


@pollbook.command(cls=ByTwo)
@click.argument("poll")
@click.option("--look", is_flag=True, help="Show how they stand; resolve nothing.")
@click.option(
    "--final", is_flag=True, help="Wait no longer for logs that are missing. What depends on one does not count."
)
@by_two("With --final: the two who say so. Their names are kept.")
@AT
@JSON
def envelopes(poll: str, look: bool, final: bool, by: tuple[str, str] | None, at: str | None, as_json: bool) -> int:
    """Resolve the provisional envelopes of POLL, once every log is complete, and list them. Again, it changes nothing.

    One counts if and only if its right was used nowhere, and nobody can use it any more. What is resolved enters the record
    without a name.

    While a machine that has not closed its list was heard within 15 minutes, --final is refused: close it, or declare it
    lost. So it is while a package with which nobody enrolled is not void.
    """
    when, resolved = moment(at), 0
    if look and final:
        raise BadInput("look, or resolve for good?", field="--final", expected="one of --look and --final")
    if final != bool(by):
        expected = "--final --by and two names: nobody waits no longer alone"
        raise BadInput("who says that nobody waits any longer?", field="--by", expected=expected, check="P.058")
    if final and when > moment(None):  # by a slip it would wait for no machine that works now
        expected = f"a moment that has come; it is {utc(moment(None))}"
        raise BadInput("nobody waits any longer: that is said of now", field="--at", found=at, expected=expected)
    engine = open_store()
    with (engine if look else held(engine, journal(), poll, when)).begin() as connection:
        opened = load_poll(connection, poll)
        if not look:
            key = keys_of(opened, data_folder() / "keys").commission
            resolved = resolve_envelopes(connection, opened, key, when, by or ())
        found = envelopes_of(connection, opened)
        wrong = to_correct(connection, poll, (line.at.log.station for line in found.lines if line.counts))
    body = {"poll": poll, "now": resolved, **found.to_json(), "to_correct": wrong}
    lines = [
        f"{counted(len(found.lines), 'envelope')}: {body['resolved']:,} resolved, {body['counted']:,} of them count"
    ]
    if found.missing:
        some = ", ".join(str(log.holder) for log in found.missing[:5])
        lines[0] += (
            f"; {counted(len(found.missing), 'log')} not complete: {some}{' ...' if len(found.missing) > 5 else ''}"
        )
    if wrong:
        lines.append(
            f"correct the protocols that came before: {', '.join(wrong)}; each ballot that counts is missing there"
        )
    answer(body, as_json, "\n".join([*lines, *map(_envelope, found.lines)]))
    return 0


def _envelope(line: Line) -> str:
    said = catalogue()[line.check].title["en"]
    state = "waits" if line.decided is None else "counts" if line.counts else "does not count"
    name = f"{line.at.log.station}/{line.at.log.generation}"
    return f"{line.number}  {name:<20} taken {utc(line.taken)}  {state}: {line.check} {said}"


@pollbook.command("audit")
@click.argument("poll")
@JSON
def audit_logs(poll: str, as_json: bool) -> int:
    """Tell each right's story again from the stations' logs, without the rules by which they were made.

    Exits with 1 if one does not hold.
    """
    rights = 0
    findings: list[Finding] = []
    with open_store().connect() as connection:
        load_poll(connection, poll)
        for number, (some, found) in enumerate(audit_poll(connection, poll), 1):
            rights, findings = rights + some, findings + found
            if number % 10 == 0:
                say(f"{counted(rights, 'right')} looked at")
    told = [{"number": one.check, "right": str(one.entitlement), "text": one.text} for one in findings]
    lines = [f"{counted(rights, 'right')} looked at, {counted(len(findings), 'finding')}"]
    lines += [f"{one.check} {one.entitlement}: {one.text}" for one in findings]
    answer({"poll": poll, "rights": rights, "findings": told}, as_json, "\n".join(lines))
    return 1 if findings else 0
