"""`dauys station`: a polling station's pollbook on its own machine, with the wire or without; or the electronic channel's."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from types import TracebackType
from zoneinfo import ZoneInfo

import click
import httpx

from dauys import own_file
from dauys.cli.main import answer, moment, say
from dauys.cli.serving import Server
from dauys.errors import BadInput, DauysError
from dauys.page_forms import LANGUAGES
from dauys.pollbook.channel import app as channel_app
from dauys.pollbook.channel.machine import BEARER, Channel, token_of
from dauys.pollbook.log.events import is_channel
from dauys.pollbook.machine.enrolling import default_folder, enrol, open_station
from dauys.pollbook.machine.keep import Keep
from dauys.pollbook.machine.sync import Link, Unreached, connect
from dauys.pollbook.machine.syncing import EVERY, Syncing
from dauys.pollbook.machine.unnamed import whose
from dauys.pollbook.station.app import create_app
from dauys.pollbook.station.door import Door, first_pins
from dauys.pollbook.station.visit import Station
from dauys.web.render import language, render

CODE = "DAUYS_STATION_CODE"
SERVING = "serving.json"
"""While a station runs: its address, and the token by which `print` gets the list."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")

_FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="The station's folder; otherwise .dauys/station."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")


@click.group(invoke_without_command=True)
@_FOLDER
@click.option("--port", type=click.IntRange(0, 65535), default=8050, show_default=True, help="Port; 0: any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind; another for a second tablet.")
@click.option(
    "--every", type=click.FloatRange(0.2, 600), default=EVERY, show_default=True, help="Seconds between syncs."
)
@click.option("--clock", help="With a trial's package: begin at this moment (ISO 8601 with an offset) instead of now.")
@_JSON
@click.pass_context
def station(
    ctx: click.Context, folder: Path | None, port: int, host: str, every: float, clock: str | None, as_json: bool
) -> int:
    """Serve the officers' pages of an enrolled station, until Ctrl-C.

    In the folder of the electronic channel: its API for the voting system, on this machine alone, and one page.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    where = folder or default_folder()
    keep = open_station(where)
    try:
        if is_channel(keep.log.holder) and host not in LOOPBACK:
            message = "the electronic channel answers on this machine alone, where the voting system is"
            raise BadInput(message, field="--host", found=host, expected=LOOPBACK[0])
        with Served(keep, where, host, port, every, moment(clock) if clock else None) as served:
            log = keep.log
            body = {"site": served.address, "poll": log.poll, "station": log.station, "generation": log.generation}
            named = "the electronic channel" if is_channel(log.holder) else f"station {log.station}"
            answer(body, as_json, f"{named} of {log.poll} at {served.address}")
            if keep.book.stopped:
                say(f"the station is stopped: {keep.book.stopped}")
            elif not keep.book.told:
                say("the centre does not know this machine yet: connect it once; the station cannot be opened before")
            say("press Ctrl-C to stop")
            served.wait()
    except KeyboardInterrupt:
        say("stopped")
    finally:
        keep.close()
    return 0


@station.command("enrol")
@click.argument("package", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--centre", required=True, help="The centre's address, http://HOST:PORT or https://HOST.")
@_FOLDER
@_JSON
def enrol_(package: Path, centre: str, folder: Path | None, as_json: bool) -> int:
    """Make this machine the station of PACKAGE. The code that came apart from it is asked for, or in DAUYS_STATION_CODE.

    The centre is told the station's key at once, or by the running station as soon as the wire is there. Before it has answered
    once, the station cannot be opened.
    """
    where = folder or default_folder()
    code = os.environ.get(CODE) or click.prompt("enrolment code", hide_input=True, err=True)
    keep = enrol(package, code, where, centre)
    try:
        zone = _zone(keep)
        wire = connect(keep, lambda: datetime.now(zone))
        fault = ""
        try:
            wire.tell()
        except Unreached as error:
            fault = str(error)
        finally:
            wire.close()
        log, told = keep.log, keep.book.told
        channel = is_channel(log.holder)
        pins = []
        if channel:
            token_of(where, make=True)
        else:
            pins = [(one.id, one.name, pin) for one, pin in first_pins(keep, lambda: datetime.now(zone))]
    finally:
        keep.close()
    lines = [f"station {log.station} of {log.poll}, {len(keep.package.voters):,} voters, in {where}"]
    if channel:
        lines = [f"the electronic channel of {log.poll}, in {where}; the voting system's token: {where / BEARER}"]
    if not told:
        lines.append(f"the centre does not know it yet ({fault}), and before it does the station cannot be opened")
        lines.append("connect this machine once: `dauys station` tells the centre; then it works without, too")
    lines += [f"first PIN of {name} ({officer}), shown only now: {pin}" for officer, name, pin in pins]
    body = {"poll": log.poll, "station": log.station, "generation": log.generation, "folder": str(where), "told": told}
    body |= {"token": str(where / BEARER)} if channel else {}
    answer(body | {"pins": {officer: pin for officer, _, pin in pins}}, as_json, "\n".join(lines))
    return 0


@station.command("pin")
@click.argument("officer")
@_FOLDER
@_JSON
def pin_(officer: str, folder: Path | None, as_json: bool) -> int:
    """Make a new first PIN for OFFICER, while the station does not run: for a chair who forgot his own."""
    keep = open_station(folder or default_folder())
    try:
        _must_have_officers(keep)
        zone = _zone(keep)
        pin = Door(keep, lambda: datetime.now(zone)).first_pin(officer)
    finally:
        keep.close()
    answer({"officer": officer, "pin": pin}, as_json, f"first PIN of {officer}, shown only now: {pin}")
    return 0


@station.command("print")
@_FOLDER
@click.option("--language", "lang", type=click.Choice(LANGUAGES), default="kk", show_default=True, help="Language.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File; otherwise list.html in the folder.")
@_JSON
def print_(folder: Path | None, lang: str, out: Path | None, as_json: bool) -> int:
    """Write the list with who has voted as a page for the printer, from the running station or from its store."""
    where = folder or default_folder()
    page = _page_of_running(where, lang)
    if page is None:
        keep = open_station(where)
        try:
            _must_have_officers(keep)
            with Served(keep, where, "127.0.0.1", 0, EVERY, None, syncing=False):
                page = _page_of_running(where, lang)
        finally:
            keep.close()
    if page is None:
        raise DauysError("the station does not answer; open the printed list on its pages")
    path = out or where / "list.html"
    own_file.write(path, page.encode())
    answer({"file": str(path)}, as_json, f"the list: {path}; print it, and delete the file")
    return 0


@station.command("envelopes")
@_FOLDER
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File; otherwise envelopes.csv in the folder."
)
@_JSON
def envelopes_(folder: Path | None, out: Path | None, as_json: bool) -> int:
    """Write whose the envelopes without a name are: the number on each, its event, and the voter's IIN.

    The machine asks the centre by itself while it runs, also one that was declared lost and is found. Where it cannot reach the
    centre any more, or is stopped, two clerks there each type the IIN from this file, on the desk's page of envelopes.
    """
    where = folder or default_folder()
    keep = open_station(where)
    try:
        _must_have_officers(keep)
        lines = whose(keep)
    finally:
        keep.close()
    path = out or where / "envelopes.csv"
    table = ("number,event,iin", *(f"{number},{n},{iin}" for n, number, iin in lines))
    own_file.write(path, "".join(f"{line}\n" for line in table).encode())
    text = f"envelopes whose voters the centre has not named: {len(lines)}, in {path}"
    answer(
        {"file": str(path), "envelopes": len(lines)}, as_json, f"{text}\nwhen two clerks have typed it, delete the file"
    )
    return 0


def _must_have_officers(keep: Keep) -> None:
    if is_channel(keep.log.holder):
        raise DauysError("this is the machine of the electronic channel: it has neither officers nor a list to print")


def _page_of_running(folder: Path, lang: str) -> str | None:
    """The page from the station that runs in this folder; None where none does."""
    try:
        running = json.loads((folder / SERVING).read_text("utf-8"))
        found = httpx.get(
            f"{running['site']}/{lang}/paper", headers={"authorization": f"Bearer {running['token']}"}, timeout=30
        )
    except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError):
        return None
    return _with_style(found.text) if found.is_success else None


def _with_style(page: str) -> str:
    """The page as a file that needs no station: its style inside, its script left out."""
    style = (resources.files("dauys.pollbook") / "static" / "station.css").read_text("utf-8")
    lines = [line for line in page.split("\n") if not line.startswith(("<script", '<link rel="icon"'))]
    return "\n".join(f"<style>{style}</style>" if line.startswith('<link rel="stylesheet"') else line for line in lines)


class Served:
    """The officers' pages, or the electronic channel's API, as a context: up inside, down after."""

    def __init__(
        self,
        keep: Keep,
        folder: Path,
        host: str,
        port: int,
        every: float,
        begin: datetime | None,
        *,
        syncing: bool = True,
    ) -> None:
        clock = _clock(keep, begin)
        self._link = Link(connect(keep, clock), clock)
        self._syncing = Syncing(self._link, every, listens=True)
        self._does_sync = syncing
        self._token, self._folder = secrets.token_urlsafe(32), folder
        self._server = Server(port, host)
        self.address = self._server.address
        trial = begin is not None
        if is_channel(keep.log.holder):
            channel = Channel(keep, self._syncing, clock, trial)
            self._app = channel_app.create_app(channel, token_of(folder), render, language)
        else:
            place = Station(keep, Door(keep, clock), self._syncing, clock, trial, paper_token=self._token)
            self._app = create_app(place, render, language)

    def __enter__(self) -> Served:
        self._server.start(self._app, access_log=False)
        told = {"site": self._server.local, "token": self._token}
        own_file.write(self._folder / SERVING, json.dumps(told).encode())
        if self._does_sync:
            self._syncing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        (self._folder / SERVING).unlink(missing_ok=True)
        self._server.stop()
        self._syncing.stop()
        self._link.wire.close()

    def wait(self) -> None:
        """Until the end of the server, or KeyboardInterrupt."""
        self._server.wait()


def _zone(keep: Keep) -> ZoneInfo:
    return ZoneInfo(keep.package.channels.timezone)


def _clock(keep: Keep, begin: datetime | None) -> Callable[[], datetime]:
    """The machine's clock in the poll's zone; for a trial one that was at `begin` when the station started.

    Raises BadInput P.013 for `begin` where the package is none of a trial: the law's hours are held by the clock.
    """
    if begin is not None and not keep.package.trial:
        message = "this station is for the day itself and goes by the machine's clock"
        expected = "a package that was made with `dauys pollbook packages --trial`"
        raise BadInput(message, field="--clock", expected=expected, check="P.013")
    zone = _zone(keep)
    shift = timedelta() if begin is None else begin - datetime.now(UTC)
    return lambda: (datetime.now(UTC) + shift).astimezone(zone)  # in UTC: the zone's offset may differ on that day
