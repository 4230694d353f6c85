"""`dauys protocols`: a file of protocols, checked, and sent in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dauys.cli.main import counted, moment, say
from dauys.cli.nature import answer_with_nature
from dauys.polls.dry_run import DryRun, dry_run
from dauys.polls.keys import keys_of, throwaway_keys
from dauys.polls.opening import load_poll
from dauys.polls.pollbook_protocols import beside
from dauys.polls.sources import open_source
from dauys.registers.poll_file import find_poll, read_poll
from dauys.stations.intake import receive
from dauys.stations.readers import read_protocols
from dauys.stations.sending import mapping_of
from dauys.store.engine import data_folder, open_store


@click.command()
@click.argument("poll")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--column", "columns", multiple=True, metavar="OURS=THEIRS", help="Map a column; + joins several.")
@click.option("--dry-run", "dry", is_flag=True, help="Check, add up and decide; no database, nothing kept.")
@click.option("--at", help="When they came in (ISO 8601 with offset), for protocols that do not say. [default: now]")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
def protocols(poll: str, file: Path, columns: tuple[str, ...], dry: bool, at: str | None, as_json: bool) -> int:
    """Send FILE (CSV, Parquet, JSON) into POLL, which `dauys run` has opened; or look first, with --dry-run.

    A file with a fault of form is refused whole, naming row and field. A protocol with an error (F.1xx) is kept in
    quarantine. Exits with 1 if any is.
    """
    mapping = mapping_of(columns)
    if dry:
        described = read_poll(find_poll(poll))
        source = open_source(described, throwaway_keys(described.poll))
        found = dry_run(file, source.poll, source.stations, mapping)
        rebuilt = described.poll.reconstruction
        tried = {"contests": [run.to_json() for run in found]}
        answer_with_nature(rebuilt, tried, as_json, "\n".join(map(_dry_text, found)))
        return 1 if any(run.quarantined for run in found) else 0
    received = moment(at)
    with open_store().begin() as connection:
        opened = load_poll(connection, poll)
        known = beside(lambda poll: keys_of(opened, data_folder() / "keys").commission, lambda: received)
        receipts = [
            receipt
            for batch in read_protocols(file, opened, mapping)
            for receipt in receive(
                connection, opened, replace(batch, file=file), by="import", at=received, beside=known
            )
        ]
    states = Counter(receipt.state for receipt in receipts)
    held = [receipt for receipt in receipts if receipt.state == "quarantined"]
    body: dict[str, Any] = {"states": dict(states), "quarantined": [receipt.to_json() for receipt in held]}
    lines = [f"{count:,} {state}" for state, count in states.items()]
    lines += [f"  {receipt.station}: {', '.join(receipt.checks)}" for receipt in held]
    answer_with_nature(opened.reconstruction, body, as_json, "\n".join(lines))
    if before := sum(receipt.replayed for receipt in receipts):
        say(
            f"{counted(before, 'protocol')} of the file {'was' if before == 1 else 'were'} in already: nothing is doubled"
        )
    if held:
        say("look the numbers up in docs/checks.md; a correction takes a protocol out of quarantine")
    return 1 if held else 0


def _dry_text(run: DryRun) -> str:
    lines = [f"{run.contest.id}: {run.decision.outcome}"]
    lines.append(f"  {run.tally.stations:,} counted, {run.quarantined:,} with errors, {run.missing:,} not in the file")
    lines += [f"  {number}: {counted(count, 'protocol')}" for number, count in run.raised.items()]
    lines += [f"    {station}: {', '.join(checks)}" for station, checks in run.faulty.items()]
    if run.quarantined > len(run.faulty):
        lines.append(f"    and {run.quarantined - len(run.faulty):,} more")
    lines += [f"  {name:<14}{value:>14,}" for name, value in run.tally.national.items()]
    return "\n".join(lines)
