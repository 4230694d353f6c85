"""What can happen to a cluster? A cluster that runs for as long as somebody holds it, and the faults to try on it."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import loopback_cluster
import psutil
from loopback_cluster import Machine, get, kill, roles


@dataclass(slots=True)
class Running:
    """A cluster on loopback, and the process that keeps it: it ends with our end of the pipe."""

    url: str
    etcd: str
    machines: dict[str, Machine]
    seconds: float
    _keeper: subprocess.Popen[str]

    @property
    def leader(self) -> str | None:
        """The name of the machine that leads; None while none does."""
        return next((name for name, role in self.roles().items() if role == "leader"), None)

    @property
    def primary(self) -> Machine:
        """The machine that leads."""
        leader = self.leader
        assert leader, "no machine leads"
        return self.machines[leader]

    @property
    def replicas(self) -> list[Machine]:
        """The synchronous replicas."""
        return [self.machines[name] for name, role in self.roles().items() if role == "sync_standby"]

    def roles(self) -> dict[str, str]:
        """What each machine is, by name."""
        return roles(list(self.machines.values()))

    def whole(self) -> bool:
        """Whether there are a primary and two synchronous replicas."""
        return sorted(self.roles().values()) == ["leader", "sync_standby", "sync_standby"]

    def kill_server(self, machine: Machine, after: float) -> None:
        """SIGKILL to its PostgreSQL, when nothing of what it writes has reached the replicas for `after` seconds."""
        processes = machine.server()
        with frozen([one for one in processes if "walsender" in " ".join(one.cmdline())]):
            time.sleep(after)
            kill(processes)

    def lose(self, machine: Machine, *, wait: bool) -> None:
        """A machine's power goes: everything of it is killed at once. Without `wait` its lease is ended right away.

        The lease is what the others wait for (`ttl`, which Patroni does not let be shorter than 20 s).
        """
        kill(machine.processes())
        if not wait:
            key = base64.b64encode(b"/service/dauys/leader").decode()
            found = get(f"http://{self.etcd}/v3/kv/range", {"key": key})["kvs"][0]
            get(f"http://{self.etcd}/v3/lease/revoke", {"ID": found["lease"]})

    def start(self, machine: Machine) -> None:
        """A machine that was lost is switched on again."""
        assert self._keeper.stdin is not None and self._keeper.stdout is not None
        print("start", machine.name, file=self._keeper.stdin, flush=True)
        assert json.loads(self._keeper.stdout.readline()) == {"started": machine.name}


@contextlib.contextmanager
def running() -> Iterator[Running]:
    """A cluster; it and its data are gone afterwards, however that comes about."""
    command = [sys.executable, "-W", "ignore", loopback_cluster.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdin is not None and keeper.stdout is not None
        try:
            line = keeper.stdout.readline()
            assert line, "the cluster did not start; its last words are above"
            said: dict[str, Any] = json.loads(line)
            machines = {one["name"]: Machine(**one) for one in said["machines"]}
            yield Running(said["url"], said["etcd"], machines, said["seconds"], keeper)
        finally:
            keeper.stdin.close()
            keeper.wait(timeout=30)


@contextlib.contextmanager
def frozen(processes: list[psutil.Process]) -> Iterator[None]:
    """They stand still: nothing is lost, nothing is answered."""
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.suspend()
    try:
        yield
    finally:
        for one in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.resume()


def wait_until(what: str, holds: Any, limit: float) -> float:
    """The seconds until `holds()` was true; AssertionError after `limit` of them."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < limit, f"not within {limit:g} s: {what}"
        time.sleep(0.1)
    print(f"cluster: {what} after {time.monotonic() - began:.1f} s")
    return time.monotonic() - began
