"""`dauys witness`: an observer mission watches a record and cosigns what it has seen."""

from __future__ import annotations

import time
from pathlib import Path

import click

from dauys.cli.main import answer, one_line, say
from dauys.errors import DauysError
from dauys.record.note import COSIGNATURE, SigningKey, VerifierKey
from dauys.record.witness import WitnessRefusal
from dauys.record.witness_run import Report, witness_once


@click.command()
@click.argument("record")
@click.option(
    "--name", default="witness", show_default=True, help="The mission's name on its cosignatures (no spaces)."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".dauys/witness"),
    show_default=True,
    help="Folder of the witness's own key and memory.",
)
@click.option("--log-key", help="The record's key as the commission printed it; otherwise it is pinned at first sight.")
@click.option("--every", type=click.IntRange(min=1), help="Go on, looking every so many seconds.")
@click.option("--key-only", is_flag=True, help="Make the key, print it for the commission, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
def witness(
    record: str, name: str, state: Path, log_key: str | None, every: int | None, key_only: bool, as_json: bool
) -> int:
    """Check that RECORD (http://host/record/POLL, or a bundle's folder) only ever grew, and cosign it.

    Exits with 1 if the record shrank, split or was rewritten. The refused checkpoint and the one cosigned last stay in the
    folder of --state: they are evidence. With --every, a record that cannot be reached is asked again.
    """
    state.mkdir(parents=True, exist_ok=True)
    path = state / "witness.key"
    if not path.exists():
        SigningKey.generate(name, COSIGNATURE).save(path)
    key = SigningKey.load(path)
    if key_only:
        answer({"vkey": str(key.vkey)}, as_json, f"give this key to the commission:\n{key.vkey}")
        return 0
    pinned = VerifierKey.parse(log_key) if log_key else None
    base: str | Path = record if "://" in record else Path(record)
    while True:
        try:
            report = witness_once(base, key, state, int(time.time()), log_key=pinned)
        except WitnessRefusal as refusal:
            answer({"refused": str(refusal), "vkey": str(key.vkey)}, as_json, f"NOT COSIGNED: {refusal}")
            return 1
        except DauysError as error:
            if every is None:
                raise
            say(f"witness: {one_line(str(error))}; trying again in {every} s")
        else:
            _tell(report, key, as_json)
        if every is None:
            return 0
        try:
            time.sleep(every)
        except KeyboardInterrupt:
            say("witness: stopped")
            return 0


def _tell(report: Report, key: SigningKey, as_json: bool) -> None:
    before = "first seen" if report.before is None else f"{_entries(report.before)} before"
    answer(
        {
            "origin": report.origin,
            "log_key": report.log_key,
            "vkey": str(key.vkey),
            "before": report.before,
            "size": report.size,
            "root": report.root.hex(),
            "cosignature": report.line,
            "posted": report.posted,
        },
        as_json,
        f"{report.origin}: {_entries(report.size)}, {before}, consistent; cosigned"
        + (" and sent" if report.posted else f":\n{report.line}"),
    )


def _entries(number: int) -> str:
    """`1 entry`, `2,000 entries`."""
    return f"{number:,} {'entry' if number == 1 else 'entries'}"
