"""`dauys pollbook not-lost`: a machine was declared lost by mistake."""

from __future__ import annotations

import click

from dauys.cli.main import answer, moment
from dauys.cli.pollbook_restored import journal
from dauys.pollbook import packing_out
from dauys.store.engine import open_store


@click.command("not-lost")
@click.argument("poll")
@click.argument("station")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
def not_lost(poll: str, station: str, as_json: bool) -> int:
    """Take back that the machine of STATION was declared lost: the wrong station was named, or it works again.

    Only before a package of its next machine is made, and before any of its paper is typed in.
    """
    with journal().acting(open_store(), poll, station, moment(None)) as connection:
        log = packing_out.not_lost(connection, poll, station)
    body = {"poll": poll, "station": station, "generation": log.generation}
    answer(body, as_json, f"station {station}, generation {log.generation}, is not lost: it works with what it holds")
    return 0
