"""`dauys serve`: the public site, the record and the desk over what the database holds."""

from __future__ import annotations

import click

from dauys.cli.main import answer, counted, moment, say
from dauys.cli.office import clock_from
from dauys.cli.site import Site
from dauys.pollbook.serving.service import QUESTIONS
from dauys.record import log
from dauys.store.engine import open_store


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8040, show_default=True, help="Port; 0: any free one.")
@click.option("--seal-every", type=click.FloatRange(min=0.1), default=60, show_default=True, metavar="SECONDS",
              help="How often check-ins of the pollbooks go into the record.")  # fmt: skip
@click.option("--questions", type=click.IntRange(1), default=QUESTIONS, show_default=True, metavar="N",
              help="For how many voters a station may ask the centre within an hour.")  # fmt: skip
@click.option("--proxies", type=click.IntRange(0, 8), default=0, metavar="N", show_default=True,
              help="Your reverse proxies before it: who asks is the Nth of X-Forwarded-For from the end.")  # fmt: skip
@click.option("--clock", help="For a trial: begin at this moment (ISO 8601 with an offset) instead of now.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
def serve(port: int, seal_every: float, questions: int, proxies: int, clock: str | None, as_json: bool) -> int:
    """Serve all polls of the data folder, until Ctrl-C.

    Only loopback is bound: for the open network put a web server with TLS in front (docs/running.md).
    """
    engine = open_store()
    trial = clock_from(moment(clock) if clock else None)
    with Site(engine, port, seal_every, trial, proxies=proxies, questions=questions) as site:
        with engine.connect() as connection:
            polls = log.polls(connection)
        answer({"site": site.address, "polls": polls}, as_json, f"{counted(len(polls), 'poll')} at {site.address}")
        say("press Ctrl-C to stop")
        site.wait()
    return 0
