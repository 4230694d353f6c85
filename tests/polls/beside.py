"""What somebody else does at the same time, by a connection of his own: does he wait for who is not done yet?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from threading import Thread
from typing import Generic, TypeVar

import sqlalchemy as sa
from joined_world import Machine, World, wires_to

T = TypeVar("T")

_WAITS = sa.text("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE :holder = ANY(pg_blocking_pids(pid)))")


class Beside(Generic[T]):
    """Begins at once: `act`, in the same world as it is seen by another connection, in one transaction.

    The test's own connection is held meanwhile: what is done there is not committed before the test says so.
    """

    def __init__(self, world: World, act: Callable[[World], T]) -> None:
        self._store, self._done = world.connection.engine, Future[T]()
        self._holder = world.connection.scalar(sa.text("SELECT pg_backend_pid()"))
        Thread(target=self._do, args=(world, act), daemon=True).start()

    def _do(self, world: World, act: Callable[[World], T]) -> None:
        try:
            with self._store.begin() as connection:
                connection.exec_driver_sql("SET LOCAL deadlock_timeout = '50ms'")
                found = act(replace(world, connection=connection, wires=wires_to(connection, world.poll, world.clock)))
        except BaseException as error:  # noqa: BLE001 - raised where the test asks what he did
            self._done.set_exception(error)
        else:
            self._done.set_result(found)

    @property
    def waits(self) -> bool:
        """Whether he waits for a lock that the test's own connection has; False as soon as he is done."""
        with self._store.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not wait([self._done], 0.01).done:
                if connection.scalar(_WAITS, {"holder": self._holder}):
                    return True
        return False

    def did(self) -> T:
        """What he has done, or raised. The test has let go of what he waited for."""
        return self._done.result(60)


def over(world: World, machine: Machine) -> Machine:
    """The same machine, whose way leads to the centre of this connection."""
    return replace(machine, link=world.link(machine.keep))


def committed(world: World) -> None:
    """What was done so far is done; what is done from here on is held again, also by a cursor below the connection."""
    world.connection.commit()
    world.connection.begin()
