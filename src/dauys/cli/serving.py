"""How do pages stay up beside other work? uvicorn in a thread, on a port that is taken at once, until it is told to stop."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import uvicorn

from dauys.errors import DauysError

LOOPBACK = "127.0.0.1"
EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - what such a host is called on this machine
LONGEST_END = 15.0
"""Seconds that requests in progress are waited for."""


class Server:
    """A port that is bound, and from `start` to `stop` an app that answers there."""

    def __init__(self, port: int, host: str = LOOPBACK) -> None:
        """Binds; port 0 is any free one. Raises DauysError where the address cannot be had."""
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            what = f"port {port}" if host == LOOPBACK else f"{host}:{port}"
            others = "--port, or 0" if host == LOOPBACK else "--host, --port"
            raise DauysError(f"{what} cannot be bound ({error.strerror}): choose another with {others}") from error
        self.port = int(self._socket.getsockname()[1])
        self.address = self._address(host)
        """As others reach it."""
        self.local = self._address(EVERYWHERE.get(host, host))
        """As this machine reaches it."""
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _address(self, host: str) -> str:
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def start(self, app: Any, **options: Any) -> None:
        """Returns when the app answers. `options` are uvicorn's."""
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, **options))
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.02)

    def _run(self) -> None:
        assert self._server is not None
        self._server.run(sockets=[self._socket])  # which closes the socket itself

    def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
            self._thread.join(timeout=LONGEST_END)

    def wait(self) -> None:
        """Until the end of the server, or KeyboardInterrupt."""
        while self._thread.is_alive():
            self._thread.join(timeout=0.5)
