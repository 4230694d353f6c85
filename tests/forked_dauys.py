"""How do tests start many `dauys` processes without each reading all modules again? One process has read them, and forks.

Each is a process of its own, with its own memory, signals, working folder and exit code: it can be killed as any other. That
Python, from nothing, comes to the commands is tested in test_kazakhstan_2022.py, test_served.py and test_station_browser.py.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO

PLACE = "TESTS_PREPARED_STORE"
"""The variable that names the folder that all processes of a test run share (tests/conftest.py): its end is the server's."""

READ = ("run", "serve", "station", "verify", "witness", "roll", "pollbook")
"""The commands whose modules are read before; what another one needs besides, it reads itself."""

_started: list[subprocess.Popen[bytes]] = []


class Dauys:
    """`dauys ARGS`, started in `folder`: so much of `subprocess.Popen[str]` as tests use.

    `stdout` and `stderr` are `subprocess.PIPE`, `subprocess.DEVNULL` or the number of an open file.
    """

    def __init__(
        self, folder: Path, *args: str | Path, env: dict[str, str], stdout: int = DEVNULL, stderr: int = DEVNULL
    ) -> None:
        self.args = ("dauys", *map(str, args))
        self.returncode: int | None = None
        self._said = socket.socket(socket.AF_UNIX)
        self._said.connect(_server())
        what = json.dumps({"args": self.args[1:], "folder": str(folder), "env": env}).encode()
        given = [os.open(os.devnull, os.O_RDWR)]
        kept: list[IO[str] | None] = []
        for asked in (stdout, stderr):
            mine, its = os.pipe() if asked == PIPE else (None, os.dup(given[0] if asked == DEVNULL else asked))
            kept.append(None if mine is None else os.fdopen(mine, encoding="utf-8"))
            given.append(its)
        socket.send_fds(self._said, [len(what).to_bytes(4, "big") + what], given)
        for number in given:
            os.close(number)
        self.stdout, self.stderr = kept
        self._answers = self._said.makefile("r", encoding="ascii")
        self.pid = int(self._answers.readline())

    def poll(self) -> int | None:
        """The exit code, or None while it runs; -9 after kill -9."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._said], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._answers.readline())
            self._answers.close()
            self._said.close()
        return self.returncode

    def send_signal(self, by: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, by)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _server() -> str:
    """The address of the process that forks: started by the first test of the run that asks, the others wait for it."""
    made = Path(os.environ[PLACE]) / "dauys"
    address = made / "socket"
    try:
        made.mkdir()
    except FileExistsError:
        pass
    else:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DAUYS_")}
        command = [sys.executable, "-P", __file__, str(address)]
        _started.append(subprocess.Popen(command, env=environment, stdin=DEVNULL, start_new_session=True))
    for _ in range(600):
        if address.exists():
            return str(address)
        time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


def serve(address: Path) -> list[str]:
    """Forks until the folder of the run is gone; returns in each forked process, with its arguments."""
    for name in READ:
        importlib.import_module(COMMANDS[name][0].partition(":")[0])
    gc.collect()
    gc.freeze()
    heard, wakes = socket.socketpair()
    for end in (heard, wakes):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno())
    listening = socket.socket(socket.AF_UNIX)
    bound = address.with_suffix(".new")
    listening.bind(str(bound))
    listening.listen(100)
    bound.rename(address)  # whoever waits for it finds it listening
    running: dict[int, socket.socket] = {}
    while address.exists():
        ready, _, _ = select.select([listening, heard], [], [], 1)
        if heard in ready:
            heard.recv(4096)
        while running and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with running.pop(ended[0]) as asked, contextlib.suppress(OSError):  # whoever asked may have ended before
                asked.sendall(b"%d\n" % os.waitstatus_to_exitcode(ended[1]))
        if listening in ready:
            asked, _ = listening.accept()
            data, given, _, _ = socket.recv_fds(asked, 1 << 20, 3)
            while len(data) < 4 + int.from_bytes(data[:4], "big"):
                data += asked.recv(1 << 20)
            if pid := os.fork():
                for number in given:
                    os.close(number)
                asked.sendall(b"%d\n" % pid)
                running[pid] = asked
                continue
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for one in (listening, heard, wakes, asked, *running.values()):
                one.close()
            what = json.loads(data[4:])
            for number, own in zip(given, (0, 1, 2), strict=True):
                os.dup2(number, own)
                os.close(number)
            os.environ.clear()
            os.environ.update(what["env"])
            os.chdir(what["folder"])
            return list(what["args"])
    sys.exit(0)


if __name__ == "__main__":
    from dauys.cli.main import COMMANDS, main

    main(serve(Path(sys.argv[1])))
