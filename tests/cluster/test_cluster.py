"""Is anything lost or doubled when a cluster loses its primary under load? On real servers, with automatic failover.

One night for all tests of this file. Entries and check-ins come in. The primary's PostgreSQL is killed with -9, half a
second after its line to the replicas: what it then still commits is on its own disk only, and must not have a receipt. As soon
as the next primary has one replica, its whole machine loses its power. Both come back. DAUYS_CLUSTER_WAIT=1 waits for the lease
of the lost machine (20 s), instead of ending it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from faults import Running, frozen, running, wait_until
from loads import AT, Author, Load, Station
from loopback_cluster import ROOT, Machine, configuration, missing

from dauys.pollbook.centre import take as centre
from dauys.pollbook.log.events import Event, Head, follow
from dauys.record import log as record
from dauys.record.merkle import Frontier, leaf_hash
from dauys.store.engine import open_store

pytestmark = pytest.mark.cluster

POLL = "test/cluster"
WAIT = os.environ.get("DAUYS_CLUSTER_WAIT") == "1"
Said = Callable[[str, object], None]
"""Pytest's `record_property`: what is `said` stands in the summary (conftest.py)."""
ENOUGH = 100
"""Receipts before and after each fault."""


@dataclass
class Night:
    """What is left of the night: the cluster, still running, and who holds which receipts."""

    cluster: Running
    engine: sa.Engine
    authors: list[Author]
    stations: list[Station]
    leaders: list[str]
    silences: list[float]
    losses: list[str]


@pytest.fixture(scope="module")
def night() -> Iterator[Night]:
    if why := missing():
        pytest.skip(why)
    with running() as cluster, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAUYS_DATABASE_URL", cluster.url)
        engine = open_store()
        night = Night(
            cluster,
            engine,
            [Author(POLL, f"author-{n}") for n in range(3)],
            [Station.of(POLL, f"A-{n}", 10_000) for n in range(4)],
            [cluster.primary.name],
            [],
            [],
        )
        prepare(engine, night.stations)
        load = Load(engine, [*night.authors, *night.stations])
        wait_until("receipts before the first fault", lambda: load.since(0) > ENOUGH, 20)

        killed = cluster.primary
        what = f"{killed.name}: its PostgreSQL killed with -9, half a second after its line to the replicas"
        fail_over(night, load, killed, what, lambda: cluster.kill_server(killed, after=0.5))
        wait_until("the new primary has a synchronous replica", lambda: cluster.replicas, 30)
        lost = cluster.primary
        what = f"{lost.name}: the whole machine lost its power"
        fail_over(night, load, lost, what, lambda: cluster.lose(lost, wait=WAIT), lambda: cluster.start(lost))
        wait_until("entries enough", lambda: sum(author.sent for author in night.authors) > 2 * ENOUGH, 60)
        load.stop()
        yield night
        engine.dispose()


def prepare(engine: sa.Engine, stations: list[Station]) -> None:
    """The poll's record is open, the stations are enrolled, every voter's right is with his station."""
    with engine.begin() as connection:
        record.open_log(connection, POLL, "cluster.test")
        for station in stations:
            centre.enrol(connection, station.log, station.public, AT)
            connection.execute(
                sa.text(
                    "INSERT INTO entitlement (poll, id, home, holder, voter, set_id) "
                    "SELECT :poll, id, :home, :holder, id, 1 FROM unnest(CAST(:ids AS uuid[])) AS id"
                ),
                {"poll": POLL, "home": station.log.station, "holder": station.log.holder, "ids": station.voters},
            )


def fail_over(
    night: Night,
    load: Load,
    primary: Machine,
    what: str,
    fault: Callable[[], None],
    repair: Callable[[], None] = lambda: None,
) -> None:
    """A fault of the primary under load, and the repair; back when another machine leads and gives receipts."""
    given = load.since(0)
    began = time.monotonic()
    fault()
    wait_until("another machine leads", lambda: night.cluster.leader not in (None, primary.name), 60)
    night.leaders.append(night.cluster.primary.name)
    led = time.monotonic()
    repair()
    wait_until("receipts after the fault", lambda: load.since(led) > ENOUGH, 60)
    night.silences.append(load.longest_silence(began - 1, time.monotonic()))
    then = f"{night.leaders[-1]} led on; no receipts for {night.silences[-1]:.1f} s"
    night.losses.append(f"{what}, with {given:,} receipts given; {then}")


def test_the_page_for_operators_shows_this_configuration() -> None:
    """docs/cluster.md differs from what is tested in nothing but addresses, passwords and TLS."""
    shown = configuration(
        name="db1",
        host="10.0.0.11",
        network="10.0.0.0/24",
        host_line="hostssl",
        port=5432,
        api_port=8008,
        etcd="10.0.0.11:2379,10.0.0.12:2379,10.0.0.13:2379",
        bin_dir="/usr/lib/postgresql/18/bin",
        data_dir="/var/lib/postgresql/18/dauys",
        pgpass="/var/lib/postgresql/pgpass",
        superuser_password="SECRET-1",
        replication_password="SECRET-2",
    )
    assert f"```yaml\n{shown}```\n" in (ROOT / "docs/cluster.md").read_text(encoding="utf-8")


def test_the_primary_failed_over_twice(night: Night, record_property: Said) -> None:
    first, second, third = night.leaders
    assert first != second != third
    with night.engine.connect() as connection:
        segment = connection.scalar(sa.text("SELECT pg_walfile_name(pg_current_wal_lsn())"))
    assert int(segment[:8], 16) >= 3  # the timeline: 1, and one more with each promotion
    record_property("said", f"three machines, there after {night.cluster.seconds} s")
    for loss in night.losses:
        record_property("said", f"lost: {loss}")


def test_every_entry_with_a_receipt_is_there_once_and_the_record_verifies(night: Night, record_property: Said) -> None:
    receipts = {place: entry for author in night.authors for place, entry in author.receipts.items()}
    assert len(receipts) == sum(author.sent for author in night.authors) > 2 * ENOUGH
    with night.engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT seq, id, body, leaf FROM entry WHERE poll = :poll ORDER BY seq"), {"poll": POLL}
        ).all()
        assert [row.seq for row in rows] == list(range(len(receipts)))
        assert {row.seq: (row.id, bytes(row.body)) for row in rows} == receipts
        frontier = Frontier()
        for row in rows:
            assert bytes(row.leaf) == leaf_hash(bytes(row.body))
            frontier.append(bytes(row.leaf))
        head = record.head(connection, POLL)
    assert (head.size, head.root) == (len(rows), frontier.root())
    record_property(
        "said", f"entries: {len(receipts):,} receipts given, {len(rows):,} looked at again, 0 lost, 0 twice"
    )


def test_every_check_in_with_a_receipt_is_there_once_and_the_chains_verify(night: Night, record_property: Said) -> None:
    seen = 0
    with night.engine.connect() as connection:
        for station in night.stations:
            log = connection.execute(
                sa.text("SELECT id, n, head, check_ins, stopped FROM pollbook_log WHERE station = :station"),
                {"station": station.log.station},
            ).one()
            bodies = connection.scalars(
                sa.text("SELECT body FROM pollbook_event WHERE log = :log ORDER BY n"), {"log": log.id}
            )
            events = [Event.from_bytes(bytes(body)) for body in bodies]
            assert events == station.receipts and len(events) > 10
            seen += len(events)
            assert follow(Head.before(station.log), events) == Head(log.n, log.head)
            assert (log.check_ins, log.stopped) == (len(events), "")
            used = connection.execute(
                sa.text("SELECT id, used FROM entitlement WHERE home = :home AND state = 1"),
                {"home": station.log.station},
            )
            assert {row.id: row.used for row in used} == {event.entitlement: event.n for event in events}
        for table in ("pollbook_alarm", "pollbook_stray"):
            assert connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) == 0
    given = sum(len(station.receipts) for station in night.stations)
    logs = f"{len(night.stations)} stations"
    record_property("said", f"check-ins of {logs}: {given:,} receipts given, {seen:,} looked at again, 0 lost, 0 twice")


@contextmanager
def directly(night: Night, machine: Machine) -> Iterator[sa.Engine]:
    """The database of one machine, whatever it is: no other is asked, which might hang."""
    address = night.engine.url.difference_update_query(["target_session_attrs"])
    engine = sa.create_engine(
        address.update_query_dict({"host": "127.0.0.1", "port": str(machine.port)}), pool_pre_ping=True
    )
    yield engine
    engine.dispose()


def test_the_machines_that_failed_hold_the_same_as_the_primary(night: Night, record_property: Said) -> None:
    wait_until("all three are back", night.cluster.whole, 60)
    digests = {}
    for machine in night.cluster.machines.values():
        with directly(night, machine) as engine, engine.connect() as connection:
            digests[machine.name] = [
                connection.scalar(
                    sa.text(f"SELECT md5(string_agg(one::text, '' ORDER BY one::text)) FROM {table} AS one")
                )
                for table in ("log", "entry", "entitlement", "pollbook_log", "pollbook_event")
            ]
    assert digests["db1"] == digests["db2"] == digests["db3"]
    assert None not in digests["db1"]
    record_property("said", f"{', '.join(digests)}: back, and each holds the same")


@pytest.mark.parametrize("who", ["author", "station"])
def test_no_receipt_while_one_of_the_replicas_has_not_got_it(night: Night, who: str, record_property: Said) -> None:
    """Not even a second one, for what the primary has committed by itself when the connection broke."""
    wait_until("all three are back", night.cluster.whole, 60)
    sender = night.authors[0] if who == "author" else night.stations[0]
    replica = night.cluster.replicas[who == "author"]
    before = len(sender.receipts)
    with directly(night, night.cluster.primary) as engine, ThreadPoolExecutor() as pool:
        with frozen(replica.server()):
            sent = pool.submit(sender.send, engine)
            wait_until("the commit waits", lambda: sent.done() or waiting(engine) == 1, 3)
            assert waiting(engine, end=True) == 1
            assert wait([sent], timeout=1).not_done
            assert waiting(engine) == 1
        sent.result(timeout=20)
    assert len(sender.receipts) > before
    record_property("said", f"{replica.name} frozen: no receipt for the {who} until it went on")


def waiting(engine: sa.Engine, *, end: bool = False) -> int:
    """How many connections wait for a replica; `end` ends them."""
    what = "pg_terminate_backend(pid)" if end else "pid"
    with engine.connect() as connection:
        return len(
            connection.execute(sa.text(f"SELECT {what} FROM pg_stat_activity WHERE wait_event = 'SyncRep'")).all()
        )
