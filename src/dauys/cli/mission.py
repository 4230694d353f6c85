"""`dauys mission`: an observer mission's own office, on its own machine, for the browser and for observers' phones."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from types import TracebackType
from zoneinfo import ZoneInfo

import click

from dauys.cli.main import answer, moment, say
from dauys.cli.mission_map import drawer
from dauys.cli.serving import Server
from dauys.observe.known.keep import STORE, Keep, create, open_keep
from dauys.observe.mission.app import create_app
from dauys.observe.office.door import Door, shown
from dauys.observe.office.following import Follow, Gone, Live
from dauys.observe.office.running import Beside, Outbox, Reading, Witness
from dauys.observe.office.visit import Office
from dauys.publish.live import Size, changes
from dauys.web.render import language, render

_FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="The mission's folder; otherwise .dauys/mission."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")


@click.group()
def mission() -> None:
    """Run an observer mission: sample, observers, reports, estimate, comparison, audit and report, from the browser."""


@mission.command("new")
@_FOLDER
@_JSON
def new(folder: Path | None, as_json: bool) -> int:
    """Make a mission with a key of its own. `serve` does so, too, where there is none."""
    where = folder or default_folder()
    keep = create(where)
    public = keep.public
    keep.close()
    answer(
        {"folder": str(where), "key": public}, as_json, f"a mission in {where}\nits key, for the commission: {public}"
    )
    return 0


@mission.command("serve")
@_FOLDER
@click.option("--port", type=click.IntRange(0, 65535), default=8060, show_default=True, help="Port; 0: any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind; another one for phones.")
@click.option(
    "--every", type=click.FloatRange(1, 3600), default=30, show_default=True,
    help="Seconds between looks at the official record.",
)  # fmt: skip
@click.option("--witness", metavar="NAME", help="Run a witness beside it, under this name (no spaces).")
@click.option("--clock", help="For a trial: begin at this moment (ISO 8601 with an offset) instead of now.")
@_JSON
def serve(
    folder: Path | None, port: int, host: str, every: float, witness: str | None, clock: str | None, as_json: bool
) -> int:
    """Serve the mission's office and its observers' phones, until Ctrl-C. The code that opens the office is printed."""
    where = folder or default_folder()
    keep = open_keep(where) if (where / STORE).exists() else create(where)
    try:
        with Served(keep, host, port, every, witness, moment(clock) if clock else None) as served:
            code = shown(served.door.code)
            body = {"site": served.address, "code": code, "key": keep.public, "folder": str(where)}
            if served.witness is not None:
                body["witness"] = served.witness.vkey
            text = f"the mission's office: {served.address}/in?code={code}\nthe code opens it once: {code}"
            answer(body, as_json, text)
            say("press Ctrl-C to stop")
            served.wait()
    except KeyboardInterrupt:
        say("stopped")
    finally:
        keep.close()
    return 0


def default_folder() -> Path:
    """Where a mission lies that nobody named: in the data folder."""
    return Path(os.environ.get("DAUYS_HOME", ".dauys")) / "mission"


class Served:
    """The mission's pages as a context: up inside, down after."""

    def __init__(
        self, keep: Keep, host: str, port: int, every: float, witness: str | None, begin: datetime | None
    ) -> None:
        clock = _clock(keep, begin)
        self._server = Server(port, host)
        self.address = self._server.local
        reading, outbox = Reading(keep), Outbox(keep, clock)
        self.door = Door(keep, clock, keep.public)
        self.witness = Witness(keep, witness, time.time) if witness else None
        self._beside = Beside(reading, outbox, self.witness, clock, every)
        office = Office(
            keep, clock, reading.official, reading.refresh, outbox.send, reading.fault, lambda: len(outbox.waiting()),
            drawer(keep.folder / "maps"),
            {"door": self.door, "reading": reading, "outbox": outbox, "witness": self.witness, "poke": self._beside.poke},
        )  # fmt: skip
        self._closing = False
        live = Live(Path(str(resources.files("dauys.web") / "static" / "live.js")), self._follow)
        self._app = create_app(office, self.door, render, language, live)

    def __enter__(self) -> Served:
        self._server.start(self._app, access_log=False)
        self._beside.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._server.stop()
        self._beside.stop()

    def _follow(self, size: Callable[[], int]) -> Follow:
        """The site's stream, over a number of the mission's; it ends with the server."""
        look = Size(size)

        def follow(gone: Gone) -> AsyncIterator[str]:
            async def over() -> bool:
                return self._closing or await gone()

            return changes(look, over)

        return follow

    def wait(self) -> None:
        """Until the end of the server, or KeyboardInterrupt."""
        self._server.wait()


def _clock(keep: Keep, begin: datetime | None) -> Callable[[], datetime]:
    """The machine's clock, in the poll's zone as soon as the poll is known; for a trial one that began at `begin`."""
    shift = timedelta() if begin is None else begin - datetime.now(UTC)

    def now() -> datetime:
        identity = keep.mission.identity
        return (datetime.now(UTC) + shift).astimezone(ZoneInfo(identity.zone) if identity is not None else UTC)

    return now
