"""What does the public site consist of, and what goes on beside it while it is up?"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from types import TracebackType

import sqlalchemy as sa

from dauys.cli.office import Centre, now
from dauys.cli.roll_rights import asking_back
from dauys.cli.serving import Server
from dauys.cli.site_pages import centre_door, claims_door, claims_waiting, clerks_door, observers_door
from dauys.observe.accreditation import api as observers_api
from dauys.observe.accreditation import desk as observers_desk
from dauys.observe.accreditation import pages as observers_pages
from dauys.pollbook.desk import clerks as centre_desk
from dauys.pollbook.desk import stations as centre_pages
from dauys.pollbook.serving import routes as centre_routes
from dauys.pollbook.serving.intake import SWITCH, Intake
from dauys.pollbook.serving.service import QUESTIONS
from dauys.pollbook.settling import additions
from dauys.polls.pollbook_join import late
from dauys.polls.pollbook_protocols import beside
from dauys.publish import observer_pages, pollbook_pages
from dauys.publish.record_routes import record_router
from dauys.roll import pages as roll_pages
from dauys.roll import routes as roll_routes
from dauys.roll.free_text import no_iin
from dauys.stations.routes import desk_router
from dauys.web.app import create_app
from dauys.web.clerks import clerks_router
from dauys.web.render import render


class Site:
    """The public site as a context: up inside, down after. `address` is where it answers.

    Meanwhile check-ins are sealed and turnout reports made every `seal_every` seconds. What observers and stations send is taken
    by `clock`; sessions and protocols by the machine's own. `proxies` is how many reverse proxies of one's own stand before it:
    only then X-Forwarded-For says who asks. `questions`: for how many voters a station may ask the centre in an hour.
    """

    def __init__(
        self,
        engine: sa.Engine,
        port: int,
        seal_every: float = 60.0,
        clock: Callable[[], datetime] = now,
        proxies: int = 0,
        questions: int = QUESTIONS,
    ) -> None:
        self._server = Server(port)
        self.address = self._server.address
        self._centre = Centre(engine, seal_every, clock, questions)
        sys.setswitchinterval(SWITCH)
        intake = Intake(engine, self._centre.office.key, self._centre.office.clock)
        roll_office = roll_routes.Office(
            self._centre.vault, self._centre.office.clock, additions,
            client_header="x-forwarded-for" if proxies else "", proxies=max(proxies, 1), seal=self._centre.seal,
            ask_back=asking_back(self._centre.vault),
        )  # fmt: skip
        known = beside(self._centre.seal, self._centre.office.clock)
        observers = observers_pages.Office(self._centre.seal, self._centre.office.clock, no_iin)
        routers = [
            record_router(engine, self._centre.keys),
            observers_api.router(engine, self._centre.office.clock),
            observers_pages.router(engine, observers),
            clerks_router(observers_desk.pages(engine, observers), observers_door(engine)),
            observer_pages.router(engine, render, self._centre.office.clock),
            centre_routes.router(engine, self._centre.office, intake),
            centre_pages.router(engine, centre_door(engine), self._centre.office.clock, late),
            clerks_router(centre_desk.pages(engine, self._centre.desk), clerks_door(engine)),
            pollbook_pages.router(engine, render),
            roll_routes.router(engine, roll_office),
            clerks_router(roll_pages.desk_pages(engine, roll_office), claims_door(engine)),
            desk_router(
                engine, seal=self._centre.seal, beside=replace(known, claims=claims_waiting(self._centre.office.clock))
            ),
        ]
        self.app = create_app(engine, routers, keys=self._centre.keys)
        self._intake = intake

    def __enter__(self) -> Site:
        # who a client is says the connection; a header of it says nothing (docs/roll.md)
        self._server.start(self._intake.before(self.app), proxy_headers=False)
        self._centre.start()
        gc.freeze()  # what stays is not looked through again and again: 0.08 s each time, in which no check-in is answered
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        gc.unfreeze()
        self.app.state.closing = True  # open event streams end by themselves
        self._server.stop()
        self._centre.stop()

    def wait(self) -> None:
        """Until Ctrl-C or the end of the server."""
        with contextlib.suppress(KeyboardInterrupt):
            self._server.wait()
