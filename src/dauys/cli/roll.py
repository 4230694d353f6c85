"""`dauys roll`: who may vote. A file comes in and is held, a second person decides, the roll of a poll is frozen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa

from dauys.cli.main import a_name, answer, counted, moment, say, utc, without_iin
from dauys.cli.pollbook_restored import held, journal
from dauys.cli.roll_duplicates import duplicates
from dauys.cli.roll_find import find, proof
from dauys.cli.roll_rights import (
    added_to,
    ask_back_added,
    frozen_with,
    held_all,
    of_all_withdrawn,
    of_those_added,
    of_those_given_back,
    taken_over,
    withdrawn_by,
)
from dauys.pollbook.settling import additions
from dauys.pollbook.settling.asked import state as withdrawn
from dauys.pollbook.settling.withdrawals import withdraw_set
from dauys.polls.keys import keys_of, throwaway_keys
from dauys.polls.opening import load_poll, load_stations
from dauys.polls.pollbook_join import give_back
from dauys.polls.pollbook_join import withdraw as settle_withdrawals
from dauys.polls.sources import open_source
from dauys.record import log
from dauys.registers.poll import Poll, Station
from dauys.registers.poll_file import find_poll, read_poll
from dauys.roll.catalogue import row_checks
from dauys.roll.changes import approve as approve_set
from dauys.roll.changes import get_set, list_sets, propose_back, roll_back
from dauys.roll.changes import reject as reject_set
from dauys.roll.claims import claim_of_set
from dauys.roll.freeze import add_set
from dauys.roll.freeze import freeze as freeze_roll
from dauys.roll.importing import bring, look_at
from dauys.roll.keys import vault_of
from dauys.roll.preview import Line, Preview, preview
from dauys.roll.story import story as story_of
from dauys.roll.synthetic import nation, write_nation
from dauys.roll.vault import Vault, key_file, make_vault
from dauys.stations.ledger import lock
from dauys.stations.sending import mapping_of
from dauys.store.engine import Connection, data_folder, open_store

SHOWN = 20
"""Stations shown in a preview for a person; --json has all."""

JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/roll.md).")
AT = click.option("--at", help="When (ISO 8601 with offset). [default: now]")
BY = click.option("--by", required=True, callback=a_name, help="Who does it: the name stays with the set.")
REASON = click.option(
    "--reason", required=True, callback=without_iin, help="Why: it stays with the set, or in the record."
)
SET = click.argument("number", type=int, metavar="SET")


@click.group()
def roll() -> None:
    """Keep the roll: voters come in sets that a second person approves, and each poll's roll is frozen.

    Nothing personal is taken from the command line or printed, but by `find --person`.
    """


for _command in (duplicates, find, proof):
    roll.add_command(_command)


@roll.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--poll", required=True, help="The poll (pack/poll, or a folder): its stations, and its day for the age.")
@BY
@click.option("--kind", type=click.Choice(["import", "changes"]), default="import", show_default=True,
              help="The whole roll, or changes of it.")  # fmt: skip
@click.option("--source", default="", help="Whose file it is, for rows that do not say. [default: its name]")
@click.option("--bad", type=click.Path(path_type=Path), help="Where bad rows are listed. [default: FILE.bad.csv]")
@click.option("--column", "columns", multiple=True, metavar="OURS=THEIRS", help="Map a column; + joins several.")
@AT
@JSON
def import_(
    file: Path, poll: str, by: str, kind: str, source: str, bad: Path | None, columns: tuple[str, ...], at: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Bring FILE (CSV, Parquet) in as a new set, which is held until somebody else approves it.

    Every bad row is listed in a file, with the numbers of the checks (docs/roll.md). Exits with 1 if there is any.
    """
    bad_file, mapping = bad or Path(f"{file}.bad.csv"), mapping_of(columns)
    with open_store().begin() as connection:
        held, stations = _poll(connection, poll)
        areas = {station.id: station.area for station in stations}
        look_at(file, mapping, bad_file)  # before the roll's keys are made
        found = bring(
            connection, _vault(connection), file, areas, day=held.day, by=by, at=moment(at), bad_file=bad_file, kind=kind,
            source=source, columns=mapping, looked=True,
        )  # fmt: skip
    if found.set_id is None:
        lines = [f"no row of {found.rows:,} can be taken: nothing is held"]
    else:
        lines = [f"set {found.set_id} is held: {counted(found.taken, 'voter')} of {counted(found.rows, 'row')}"]
    if found.not_yet:
        lines.append(f"  {found.not_yet:,} are not yet 18 on {held.day}")
    lines += [f"  {number} {row_checks()[number].title['en']}: {count:,}" for number, count in found.checks.items()]
    if found.bad_file is not None:
        lines.append(f"every one of them is listed in {found.bad_file}")
    answer(found.to_json(), as_json, "\n".join(lines))
    if found.set_id is not None:
        say(f"look: dauys roll changes {found.set_id}; somebody else than {by}: dauys roll approve {found.set_id}")
    return 1 if found.bad else 0


@roll.command()
@click.argument("number", type=int, metavar="[SET]", required=False)
@JSON
def changes(number: int | None, as_json: bool) -> int:
    """List the sets; or show what SET changes: counts by area and station, before and after."""
    with open_store().begin() as connection:
        if number is not None:
            found = preview(connection, number)
            answer(found.to_json(), as_json, _preview_text(found))
            return 0
        sets = list_sets(connection)
    lines = [f"{one.id:>5} {one.state:<11} {one.kind:<10} {utc(one.made)} by {one.by}: {one.source}" for one in sets]
    answer({"sets": [one.to_json() for one in sets]}, as_json, "\n".join(lines) or "no sets yet")
    return 0


@roll.command()
@SET
@BY
@click.option("--reason", default="", help="A remark that stays with the set.")
@AT
@JSON
def approve(number: int, by: str, reason: str, at: str | None, as_json: bool) -> int:
    """Apply SET: its voters are in force from now on. Never by who made it.

    The set of a claim is taken over to the list of its poll, where that is frozen already, as at the desk.
    """
    when, engine = moment(at), open_store()
    with engine.begin() as connection:
        claim = claim_of_set(connection, number)
    held_all(engine, [] if claim is None else [claim.poll], when)
    with engine.begin() as connection:
        approve_set(connection, number, by, when, reason)
        told = taken_over(connection, claim, number, by, when)
    body = {"set": number, "state": "applied"} | ({} if told is None else {"list": told.what, "home": told.home})
    text = "" if told is None else f"\nthe frozen list: {told.what}" + (f", station {told.home}" if told.home else "")
    answer(body, as_json, f"set {number} is applied{text}")
    return 0


@roll.command()
@SET
@BY
@REASON
@AT
@JSON
def reject(number: int, by: str, reason: str, at: str | None, as_json: bool) -> int:
    """Reject SET: nothing of it takes effect, and its voters are deleted. Never by who made it."""
    return _decide(reject_set, number, by, at, reason, as_json)


@roll.command()
@SET
@BY
@REASON
@AT
@JSON
def rollback(number: int, by: str, reason: str, at: str | None, as_json: bool) -> int:
    """Take an applied SET back: one person proposes it, and a second one gives the same command.

    Refused while a later set has some of the same voters. Whom it had added to a frozen roll is asked for the right, as by
    `roll withdraw`, unless another set lets him vote.
    """
    when, engine = moment(at), open_store()
    with engine.begin() as connection:
        polls = added_to(connection, number)
    held_all(engine, polls, when)
    with engine.begin() as connection:
        proposed = get_set(connection, number).back_by
        if proposed is None:
            propose_back(connection, number, by, when, reason)
            state = get_set(connection, number).state
            text = (
                f"set {number}: {by} proposes to roll it back; somebody else: dauys roll rollback {number} --reason ..."
            )
            answer({"set": number, "state": state, "proposed_by": by, "asked_back": []}, as_json, text)
            return 0
        roll_back(connection, number, by, when, reason)
        gone = withdrawn_by(connection, number)
        found = ask_back_added(connection, number, reason, by, when)
        others = frozen_with(connection, number)
    asked = [{"poll": poll, **one.to_json()} for poll, one in found.items()]
    body = {"set": number, "state": "rolled back", "proposed_by": proposed, "asked_back": asked}
    lines = [f"set {number} is rolled back"]
    lines += [
        f"{poll}: {counted(one.asked, 'right')} of whom it had added asked back; {one.used:,} used already, "
        f"{one.may:,} may vote" + (f", {one.late:,} too late" if one.late else "")
        for poll, one in found.items()
    ]
    asks = "was frozen with it; to ask for rights that it gave: dauys roll withdraw"
    lines += [f"{poll} {asks} {poll} --set {number}" for poll in others]
    back = "has withdrawn rights because of it; somebody else gives them back: dauys roll withdraw"
    lines += [f"{poll} {back} {poll} --set {number} --undo" for poll in gone]
    answer(body, as_json, "\n".join(lines))
    return 0


@roll.command()
@click.argument("poll")
@AT
@JSON
def freeze(poll: str, at: str | None, as_json: bool) -> int:
    """Freeze the roll for POLL, which is open: who may vote on its day, by home station, into the record without names."""
    with open_store().begin() as connection:
        opened = load_poll(connection, poll)
        keys = keys_of(opened, data_folder() / "keys")
        found = freeze_roll(connection, _vault(connection), opened, keys.commission, moment(at))
    text = f"the roll of {poll}: {counted(found.voters, 'voter')} in {counted(found.stations, 'station')}\n"
    text += f"root: {found.root.hex()}"
    if found.differ:
        text += f"\n{counted(found.differ, 'station')} with another number than on the poll's list"
    if found.elsewhere:
        text += f"\n{counted(found.elsewhere, 'voter')} left out: their home is one of "
        text += f"{counted(found.elsewhere_stations, 'station')} that this poll does not have"
    answer(found.to_json(), as_json, text)
    return 0


@roll.command()
@click.argument("poll")
@click.option("--set", "number", type=int, required=True, help="An applied set; who of it is missing is added.")
@REASON
@AT
@JSON
def add(poll: str, number: int, reason: str, at: str | None, as_json: bool) -> int:
    """Add voters to the frozen roll of POLL, each at the home station, with a reason that stands in the record."""
    with open_store().begin() as connection:
        opened = load_poll(connection, poll)
        keys = keys_of(opened, data_folder() / "keys")
        vault, when = _vault(connection), moment(at)
        found = add_set(connection, vault, opened, number, reason, keys.commission, when, additions)
    answer(found.to_json(), as_json, of_those_added(found))
    return 0


@roll.command()
@click.argument("poll")
@click.option(
    "--set", "number", type=int, required=True, help="Who may not vote by it, or since its rollback, loses the right."
)
@BY
@REASON
@click.option(
    "--undo", is_flag=True, help="Give back instead: SET is the wrong one, rolled back, or one that lets them vote."
)
@AT
@JSON
def withdraw(poll: str, number: int, by: str, reason: str, undo: bool, at: str | None, as_json: bool) -> int:
    """Withdraw rights in POLL, whose roll is frozen, from voters of SET who may not vote after all: duplicates, the dead.

    A right that was used stays. One that a station holds is withdrawn when that station has let it go; `serve` sees to it.
    With --undo, rights that were withdrawn by mistake go back to their stations, by somebody who did not decide SET. Exits
    with 1 if one person used two rights.
    """
    when = moment(at)
    if undo:
        return _give_back(poll, number, by, reason, when, as_json)
    with held(open_store(), journal(), poll, when).begin() as connection:
        opened = load_poll(connection, poll)
        keys = keys_of(opened, data_folder() / "keys")
        lock(connection, poll)  # the record before the rights, as `serve` does
        found = withdraw_set(connection, _vault(connection), opened, number, reason, by, when)
        settle_withdrawals(connection, opened, keys.commission, when)
        now = withdrawn(connection, poll)
    body = found.to_json() | {"poll": now.to_json()}
    text = f"{counted(found.asked, 'right')} asked back; {found.used:,} used already, {found.before:,} asked back "
    text += f"before, {found.not_listed:,} not on this roll, {found.may:,} may vote\n"
    text += f"  {found.late:,} too late: the hour of closing of their stations has come\n" if found.late else ""
    answer(body, as_json, text + of_all_withdrawn(poll, now))
    return 1 if now.twice else 0


def _give_back(poll: str, number: int, by: str, reason: str, at: datetime, as_json: bool) -> int:
    with held(open_store(), journal(), poll, at).begin() as connection:
        opened = load_poll(connection, poll)
        key = keys_of(opened, data_folder() / "keys").commission
        found = give_back(connection, opened, number, reason, by, key, at)
        now = withdrawn(connection, poll)
    text = f"{of_those_given_back(found)}\n{of_all_withdrawn(poll, now)}"
    answer(found.to_json() | {"poll": now.to_json()}, as_json, text)
    return 1 if now.twice else 0


@roll.command()
@click.argument("poll")
@JSON
def story(poll: str, as_json: bool) -> int:
    """Tell how the number of voters of POLL grew: the frozen roll, and what was added by each hour of reports, and why."""
    with open_store().begin() as connection:
        told = load_poll(connection, poll)
        steps = story_of(connection, told)
    lines = []
    for step in steps:
        lines.append(
            f"{step.at.astimezone(ZoneInfo(told.timezone)):%Y-%m-%d %H:%M} {step.total:>12,}"
            + (f"  {step.added:+,}" if step.added else "")
        )
        lines += [f"{'':31}{count:,} {why}" for why, count in step.reasons.items()]
    answer(
        {"poll": poll, "steps": [step.to_json() for step in steps]}, as_json, "\n".join(lines) or "no roll is frozen"
    )
    return 0 if steps else 1


@roll.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--poll", required=True, help="The poll (pack/poll, or a folder) whose stations get the voters.")
@click.option("--voters", type=click.IntRange(1), help="How many in all. [default: as many as the poll's list says]")
@click.option("--seed", default="dauys", show_default=True, help="The same seed makes the same people.")
@JSON
def synthetic(file: Path, poll: str, voters: int | None, seed: str, as_json: bool) -> int:
    """Write FILE (.csv, .parquet): a made-up nation for tests and load. Nobody in it exists; every row says so."""
    described = read_poll(find_poll(poll))
    source = open_source(described, throwaway_keys(described.poll))
    rows = write_nation(file, nation(source.stations, source.poll.areas, source.poll.day, seed, voters))
    answer({"file": str(file), "voters": rows, "seed": seed}, as_json, f"{file}: {counted(rows, 'synthetic voter')}")
    return 0


def _decide(
    decision: Callable[[Connection, int, str, datetime, str], object], number: int, by: str, at: str | None, reason: str,
    as_json: bool,
) -> int:  # fmt: skip
    """Takes a person's decision about a set, and says what became of the set."""
    with open_store().begin() as connection:
        decision(connection, number, by, moment(at), reason)
        state = get_set(connection, number).state
    answer({"set": number, "state": state}, as_json, f"set {number} is {state}")
    return 0


def _poll(connection: Connection, name: str) -> tuple[Poll, list[Station]]:
    """A poll and its stations, from its record where it is open, else from its files."""
    if log.size(connection, name):
        return load_poll(connection, name), load_stations(connection, name)
    described = read_poll(find_poll(name))
    source = open_source(described, throwaway_keys(described.poll))
    return source.poll, list(source.stations)


def _vault(connection: Connection) -> Vault:
    """The roll's keys; fresh ones only while the roll has nobody."""
    path = key_file(data_folder())
    if not path.exists() and not connection.scalar(sa.text("SELECT EXISTS (SELECT FROM voter)")):
        say(
            f"the roll's keys are made: {path}. Keep a copy elsewhere: without it nobody on the roll is ever found again"
        )
        return make_vault(path)
    return vault_of(connection, data_folder())


def _preview_text(found: Preview) -> str:
    header = (
        f"{'':12}{'added':>11}{'status':>9}{'moved':>9}{'left':>9}{'changed':>9}{'same':>11}{'before':>12}{'after':>12}"
    )
    lines = [header, _line("all", found.total), *(_line(code, line) for code, line in found.areas.items())]
    if len(found.stations) <= SHOWN:
        lines += [_line(f" {code}", line) for code, line in found.stations.items()]
    if found.absent:
        lines.append(f"{found.absent:,} who may vote now are not in it: nothing happens to them")
    if found.barred_by is not None:
        lines.append(
            f"it cannot be approved: set {found.barred_by} was applied meanwhile and has some of the same voters"
        )
    return "\n".join(lines)


def _line(name: str, line: Line) -> str:
    return (
        f"{name:<12}{line.added:>11,}{line.status:>9,}{line.moved:>9,}{line.left:>9,}{line.changed:>9,}{line.unchanged:>11,}"
        f"{line.before:>12,}{line.after:>12,}"
    )
