"""How is the site kept up beside other work? uvicorn in a thread, on loopback, until it is told to stop."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

import sqlalchemy as sa
import uvicorn

from dauys.cli.office import Centre, now
from dauys.cli.site_pages import centre_door, claims_door, clerks_door, observers_door
from dauys.errors import DauysError
from dauys.observe.accreditation import api as observers_api
from dauys.observe.accreditation import desk as observers_desk
from dauys.observe.accreditation import pages as observers_pages
from dauys.pollbook import centre_desk, centre_pages, centre_routes
from dauys.pollbook.intake import SWITCH, Intake
from dauys.polls.pollbook_join import late
from dauys.polls.pollbook_protocols import beside
from dauys.publish import observer_pages, pollbook_pages
from dauys.publish.record_routes import record_router
from dauys.roll import pages as roll_pages
from dauys.roll import routes as roll_routes
from dauys.stations.routes import desk_router
from dauys.web.app import create_app
from dauys.web.render import render

HOST = "127.0.0.1"


class Site:
    """The public site as a context: up inside, down after. `address` is where it answers.

    Meanwhile check-ins are sealed and turnout reports made every `seal_every` seconds. What observers and stations send is taken
    by `clock`; sessions and protocols by the machine's own.
    """

    def __init__(
        self, engine: sa.Engine, port: int, seal_every: float = 60.0, clock: Callable[[], datetime] = now
    ) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError as error:
            raise DauysError(f"port {port} is taken ({error.strerror}): choose another with --port, or 0") from error
        self.address = f"http://{HOST}:{self._socket.getsockname()[1]}"
        self._centre = Centre(engine, seal_every, clock)
        sys.setswitchinterval(SWITCH)
        intake = Intake(engine, self._centre.office.key, self._centre.office.clock)
        roll_office = roll_routes.Office(self._centre.vault, self._centre.office.clock, seal=self._centre.seal)
        observers = observers_pages.Office(self._centre.seal, self._centre.office.clock)
        routers = [
            record_router(engine, self._centre.keys),
            observers_api.router(engine, self._centre.office.clock),
            observers_pages.router(engine, observers),
            observers_desk.desk_router(engine, observers, observers_door(engine)),
            observer_pages.router(engine, render, self._centre.office.clock),
            centre_routes.router(engine, self._centre.office, intake),
            centre_pages.router(engine, centre_door(engine), self._centre.office.clock, late),
            centre_desk.router(engine, self._centre.desk, clerks_door(engine)),
            pollbook_pages.router(engine, render),
            roll_routes.router(engine, roll_office),
            roll_pages.desk_router(engine, roll_office, claims_door(engine)),
            desk_router(engine, seal=self._centre.seal, beside=beside(self._centre.seal, self._centre.office.clock)),
        ]
        self._app = create_app(engine, routers)
        config = uvicorn.Config(  # who a client is says the connection; a header of it says nothing (docs/roll.md)
            intake.before(self._app), log_level="warning", timeout_graceful_shutdown=2, proxy_headers=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> Site:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.02)
        self._centre.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._app.state.closing = True  # open event streams end by themselves
        self._server.should_exit = True
        self._thread.join(timeout=15)  # the server closes the socket itself
        self._centre.stop()

    def wait(self) -> None:
        """Until Ctrl-C or the end of the server."""
        try:
            while self._thread.is_alive():
                self._thread.join(timeout=0.5)
        except KeyboardInterrupt:
            return
