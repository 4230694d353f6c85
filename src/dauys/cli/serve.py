"""`dauys serve`: the public site, the record and the desk over what the database holds."""

from __future__ import annotations

from pathlib import Path

import click

from dauys.cli.main import say
from dauys.cli.site import Site
from dauys.polls.keys import keys_of
from dauys.polls.opening import load_poll
from dauys.record import log
from dauys.store.engine import data_folder, open_store


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8040, show_default=True, help="Port; 0: any free one.")
def serve(port: int) -> int:
    """Serve all polls of the data folder, until Ctrl-C.

    Only loopback is bound: for the open network put a web server with TLS in front (docs/running.md).
    """
    engine = open_store()
    with engine.connect() as connection:
        polls = [load_poll(connection, poll_id) for poll_id in log.polls(connection)]
    folder: Path = data_folder() / "keys"
    with Site(engine, {poll.id: keys_of(poll, folder) for poll in polls}, port) as site:
        say(f"{len(polls)} polls at {site.address}: press Ctrl-C to stop")
        site.wait()
    return 0
