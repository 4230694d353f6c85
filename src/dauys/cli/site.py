"""How is the site kept up beside other work? uvicorn in a thread, on loopback, until it is told to stop."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType

import sqlalchemy as sa
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.errors import DauysError
from dauys.polls.keys import Keys, keys_of
from dauys.polls.opening import load_poll
from dauys.publish.record_routes import record_router
from dauys.stations.routes import desk_router
from dauys.store.engine import data_folder
from dauys.web.app import create_app

HOST = "127.0.0.1"


class Site:
    """The public site as a context: up inside, down after. `address` is where it answers."""

    def __init__(self, engine: sa.Engine, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError as error:
            raise DauysError(f"port {port} is taken ({error.strerror}): choose another with --port, or 0") from error
        self.address = f"http://{HOST}:{self._socket.getsockname()[1]}"

        def keys(poll: str) -> Keys | None:
            """The keys of a poll, which may have been opened after the site; None on a mirror that has none."""
            try:
                with engine.connect() as connection:
                    return keys_of(load_poll(connection, poll), data_folder() / "keys")
            except DauysError:
                return None

        def seal(poll: str) -> Ed25519PrivateKey | None:
            held = keys(poll)
            return held.commission if held else None

        self._app = create_app(engine, [record_router(engine, keys), desk_router(engine, seal=seal)])
        config = uvicorn.Config(self._app, log_level="warning", timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> Site:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._app.state.closing = True  # open event streams end by themselves
        self._server.should_exit = True
        self._thread.join(timeout=15)  # the server closes the socket itself

    def wait(self) -> None:
        """Until Ctrl-C or the end of the server."""
        try:
            while self._thread.is_alive():
                self._thread.join(timeout=0.5)
        except KeyboardInterrupt:
            return
