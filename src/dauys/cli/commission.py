"""`dauys open`, `annul`, `declare`: what a commission does by hand, where `dauys run` does it from a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from dauys.cli.main import answer, counted, moment
from dauys.polls.declaring import declare as declare_stage
from dauys.polls.keys import Keys, keys_of, new_keys
from dauys.polls.night import begin
from dauys.polls.opening import load_poll
from dauys.polls.sources import open_source
from dauys.publish.bundle import write_bundle
from dauys.record import log
from dauys.registers.poll import Poll
from dauys.registers.poll_file import find_poll, read_poll
from dauys.stations.corrections import annul as annul_result
from dauys.store.engine import Connection, data_folder, open_store

JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
AT = click.option("--at", help="When (ISO 8601 with offset). [default: now]")


@click.command("open")
@click.argument("poll")
@click.option(
    "--witness", "witnesses", multiple=True, help="Accredit a witness by its key; may be repeated, and later too."
)
@JSON
def open_(poll: str, witnesses: tuple[str, ...], as_json: bool) -> int:
    """Open POLL (pack/poll, or a folder): its law and its stations enter the record, and protocols can come in.

    `dauys serve` then takes them, by form and over HTTP. A poll that is open stays as it is.
    """
    file = read_poll(find_poll(poll))
    engine = open_store()
    keys = keys_for(engine, file.poll)
    source = open_source(file, keys)
    begin(engine, source, witnesses)
    body = {"poll": source.poll.id, "stations": len(source.stations), "log_key": str(keys.log.vkey)}
    text = f"{source.poll.id} is open: {counted(len(source.stations), 'station')}\n"
    text += f"print this key where everybody sees it: {keys.log.vkey}"
    for contest in source.poll.contests:
        if not contest.rule.in_force(source.poll.day):
            text += (
                f"\nlook at the rule of {contest.id}: it is no law on {source.poll.day}, and nothing will be decided"
            )
    answer(body, as_json, text)
    return 0


@click.command()
@click.argument("poll")
@click.option("--area", help="The area whose result is annulled.")
@click.option("--station", help="Or the station.")
@click.option("--contest", help="The contest; not needed where there is only one.")
@click.option("--reason", required=True, help="Why: it stands in the record.")
@click.option("--cite", required=True, help="The article that allows it.")
@click.option("--repeat", is_flag=True, help="A repeat vote will be held there.")
@AT
@JSON
def annul(
    poll: str, area: str | None, station: str | None, contest: str | None, reason: str, cite: str, repeat: bool,
    at: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Annul the result of an area or a station of POLL, signed by the commission. Its protocols stay in the record."""
    with open_store().begin() as connection:
        opened, keys = _opened(connection, poll)
        seq = annul_result(
            connection, opened, contest=contest, area=area, station=station, reason=reason, cite=cite, repeat=repeat,
            by="commission", at=moment(at), seal=keys.commission,
        )  # fmt: skip
    answer({"poll": poll, "seq": seq}, as_json, f"annulled: entry {seq} of the record")
    return 0


@click.command()
@click.argument("poll")
@click.argument("stage")
@click.option("--close", is_flag=True, help="Close the poll first: no protocol comes in after this.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the bundle [default: out/POLL]."
)
@AT
@JSON
def declare(poll: str, stage: str, close: bool, out: Path | None, at: str | None, as_json: bool) -> int:
    """Declare STAGE (preliminary, final, ...) of POLL as it stands, and write the bundle that proves it."""
    with open_store().begin() as connection:
        opened, keys = _opened(connection, poll)
        when: datetime = moment(at)
        text = declare_stage(connection, opened, keys, stage, when, close=close)
        folder = write_bundle(connection, poll, keys, out or Path("out") / poll)
    body: dict[str, Any] = {"poll": poll, "stage": stage, "declared": text, "bundle": str(folder)}
    answer(body, as_json, f"{text}\nthe bundle: {folder}")
    return 0


def keys_for(engine: sa.Engine, poll: Poll) -> Keys:
    """The keys of a poll: fresh ones only while nothing of it is in the database."""
    with engine.connect() as connection:
        there = log.size(connection, poll.id) > 0
    return (keys_of if there else new_keys)(poll, data_folder() / "keys")


def _opened(connection: Connection, poll_id: str) -> tuple[Poll, Keys]:
    poll = load_poll(connection, poll_id)
    return poll, keys_of(poll, data_folder() / "keys")
