"""Does the centre in PostgreSQL decide as the model of custody does? Each decision of the world is taken by both."""

from __future__ import annotations

from collections.abc import Set
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from custody_ground import CENTRE_KEY
from pollbook_sample import MORNING, POLL

from dauys.law.files import Node
from dauys.pollbook.centre import decided as centre_decided
from dauys.pollbook.centre import mark as put_back
from dauys.pollbook.centre import moves, unasked
from dauys.pollbook.centre import take as centre
from dauys.pollbook.centre.predicates import AHEAD, COMPLETE, DOUBT, FREE, USE
from dauys.pollbook.centre.take import Outcome
from dauys.pollbook.centre.together import take_together
from dauys.pollbook.log.events import Batch, Head, LogError, LogId
from dauys.pollbook.put_back import restored
from dauys.pollbook.rules import custody, decided, forgotten
from dauys.pollbook.rules.custody import Centre, Custody, CustodyError
from dauys.pollbook.rules.grants import Grant
from dauys.pollbook.wire.received import received
from dauys.store.engine import Connection


class Mirror:
    """Stands in for the modules `custody`, `decided` and `forgotten` in the world: each decision is taken by the model and by the database."""

    def __init__(self, connection: Connection, together: bool = False) -> None:
        self.connection = connection
        self.together = together
        self.marks = 0

    def _take(self, batch: Batch) -> Outcome:
        if not self.together:
            return centre.take(self.connection, batch, MORNING, CENTRE_KEY)
        (outcome,) = take_together(self.connection, [received(batch.to_bytes())], MORNING, lambda _: CENTRE_KEY)
        if isinstance(outcome, LogError):
            raise outcome
        return outcome

    def __getattr__(self, name: str) -> Any:
        return getattr(custody, name)

    def enrol(self, model: Centre, log: LogId, public: bytes) -> Centre:
        result = custody.enrol(model, log, public)
        centre.enrol(self.connection, log, public, MORNING)
        return result

    def declare_lost(self, model: Centre, log: LogId) -> Centre:
        by = restored.declared_lost if model.books.marked else centre.declare_lost  # as packing_out.lose
        by(self.connection, log)
        return custody.declare_lost(model, log)

    def take(self, model: Centre, batch: Batch) -> custody.Taken:
        try:
            wanted = custody.take(model, batch)
        except LogError as error:
            with pytest.raises(LogError) as found:
                self._take(Batch.from_bytes(batch.to_bytes()))
            assert found.value.check == error.check
            raise
        got = self._take(batch)
        assert (got.acknowledged, got.send_from, got.stopped) == (wanted.acknowledged, wanted.send_from, wanted.stopped)
        ours = [(alarm.check, alarm.log, alarm.n) for alarm in got.alarms]
        assert sorted(map(str, ours)) == sorted(str((alarm.check, alarm.log, alarm.n)) for alarm in wanted.alarms)
        return wanted

    def ask(self, model: Centre, request: str, entitlement: UUID, to: LogId, *, paper: bool = False) -> Centre:
        return self._both(
            lambda: custody.ask(model, request, entitlement, to, paper=paper),
            lambda: moves.ask(self.connection, request, entitlement, to, MORNING, paper=paper),
        )

    def unask(self, model: Centre, entitlement: UUID, to: LogId) -> Centre:
        result = custody.unask(model, entitlement, to)
        off, _ = unasked.call_off(self.connection, entitlement, to)
        assert off == (result is not model)
        return result

    def grant(self, model: Centre, request: str, to: LogId) -> tuple[Centre, Grant]:
        found: list[Grant] = []
        result: tuple[Centre, Grant] = self._both(
            lambda: custody.grant(model, request, to),
            lambda: found.append(moves.grant(self.connection, request, to, MORNING)),
            {"P.052", "P.090"} if model.books.marked else set(),  # in doubt, and nothing is given at all
        )
        assert found == [result[1]]
        return result

    def unlisted(self, station: str) -> str:
        return decided.unlisted(station)

    def enter(self, model: Centre, who: UUID, station: str) -> Centre:
        result = decided.enter(model, who, station)
        right(self.connection, who, station, addition=1)
        return result

    def listed(self, model: Centre, log: LogId) -> Centre:
        restored.make_list(self.connection, log)
        return decided.listed(model, log)

    def add(self, model: Centre, request: str, entitlement: UUID, to: LogId) -> tuple[Centre, Grant]:
        given: list[Grant] = []
        result: tuple[Centre, Grant] = self._both(
            lambda: decided.add(model, request, entitlement, to),
            lambda: given.append(centre_decided.add(self.connection, request, entitlement, to, MORNING)),
        )
        assert given == [result[1]]
        return result

    def asked_of(self, model: Centre, log: LogId) -> Any:
        wanted = custody.asked_of(model, log)
        granted = set(model.grants)
        assert {one.id for one in moves.asked_of(self.connection, log)} == {one.id for one in wanted} - granted
        return wanted

    def granted_to(self, model: Centre, log: LogId) -> Any:
        wanted = custody.granted_to(model, log)
        assert set(moves.granted_to(self.connection, log)) == set(wanted)
        return wanted

    def withdraw(self, model: Centre, request: str, entitlement: UUID) -> Centre:
        return self._both(
            lambda: decided.withdraw(model, request, entitlement),
            lambda: centre_decided.withdraw(self.connection, POLL, request, entitlement, MORNING),
        )

    def settle(self, model: Centre, request: str) -> Centre:
        return self._both(
            lambda: decided.settle(model, request), lambda: centre_decided.settle(self.connection, POLL, request)
        )

    def call_off(self, model: Centre, request: str) -> Centre:
        centre_decided.call_off(self.connection, POLL, request)
        return decided.call_off(model, request)

    def give_back(self, model: Centre, request: str, entitlement: UUID, to: LogId) -> tuple[Centre, Grant]:
        given: list[Grant] = []
        result: tuple[Centre, Grant] = self._both(
            lambda: decided.give_back(model, request, entitlement, to),
            lambda: given.append(centre_decided.give_back(self.connection, request, entitlement, to, MORNING)),
        )
        assert given == [result[1]]
        return result

    def let_go(self, model: Centre, entitlement: UUID, station: str) -> Centre:
        return self._both(
            lambda: decided.let_go(model, entitlement, station),
            lambda: centre_decided.let_go(self.connection, POLL, entitlement),
        )

    def put_back(self, model: Centre, mark: str) -> Centre:
        cur = centre.cursor(self.connection)
        self.marks += 1
        put_back.mark(cur, POLL, mark, MORNING + timedelta(seconds=self.marks), again=True)
        return forgotten.put_back(model, put_back.newest(cur, POLL))

    def enrolled(self, model: Centre, log: LogId, key: bytes) -> Centre:
        result = forgotten.enrolled(model, log, key)
        if result is not model:
            restored.adopt(self.connection, log, key)
        return result

    def lost(self, model: Centre, log: LogId) -> Centre:
        result = forgotten.lost(model, log)
        if result is not model:
            restored.declared_lost(self.connection, log)
        return result

    def whole(self, model: Centre, log: LogId, mark: str, head: Head) -> Centre:
        result = forgotten.whole(model, log, mark, head)
        body = Node.of({"mark": mark, "n": head.n, "head": head.hash})
        assert restored.whole(self.connection, log, body) == (result is not model)
        return result

    def lift(self, model: Centre) -> Centre:
        names = [f"{log.station}/{log.generation}" for log in sorted(forgotten.unheard(model), key=str)]
        assert sorted(restored.books(self.connection, POLL)["unheard"]) == sorted(names)
        result = forgotten.lift(model)
        restored.lift(self.connection, POLL, "anna", MORNING)
        return result

    def stand(self, model: Centre) -> None:
        """Both wait for the same machines, miss the same ones, and doubt the same rights."""
        cur = centre.cursor(self.connection)
        assert (put_back.standing(cur, POLL) is not None) == model.books.marked
        if model.books.marked:
            assert set(restored.unheard(cur, POLL)) == set(forgotten.unheard(model))
        rows = cur.execute("SELECT station, generation FROM pollbook_log WHERE poll = %s AND missed", (POLL,))
        assert {LogId(POLL, row.station, row.generation) for row in rows} == model.books.missed
        rows = cur.execute(f"SELECT id FROM entitlement e WHERE poll = %s AND {DOUBT}", (POLL,))
        doubted = {one for one, has in model.custody.items() if custody.in_doubt(model, one, has.epoch)}
        assert {row.id for row in rows} == doubted

    def mean(self, model: Centre) -> None:
        """By a right that is free, or used, and by a log that is complete the queries mean what the model means."""
        cur, rights = centre.cursor(self.connection), model.custody.items()
        join = "entitlement e LEFT JOIN pollbook_log l ON l.poll = e.poll AND l.holder = e.holder"
        rows = cur.execute(f"SELECT e.id FROM {join} WHERE e.poll = %s AND ({FREE} OR {AHEAD})", (POLL,))
        assert {row.id for row in rows} == {one for one, has in rights if custody.free(model, has)}
        rows = cur.execute(f"SELECT id FROM entitlement e WHERE poll = %s AND {USE}", (POLL,))
        used = {one for one, has in rights if has.state is custody.State.USED or model.uses.get(one)}
        assert {row.id for row in rows} == used
        assert {one for one, _ in rights if centre_decided.is_gone(self.connection, POLL, one)} == {
            one for one, _ in rights if decided.is_gone(model, one)
        }
        rows = cur.execute(f"SELECT holder FROM pollbook_log l WHERE poll = %s AND {COMPLETE}", (POLL,))
        assert {row.holder for row in rows} == {log.holder for log in model.logs if model.over(log.holder)}

    def _both(self, model: Any, database: Any, either: Set[str] = frozenset()) -> Any:
        """`either`: both refuse, by which of these comes first."""
        try:
            result = model()
        except CustodyError as error:
            with pytest.raises(CustodyError) as found:
                database()
            assert found.value.check == error.check or {found.value.check, error.check} == either
            raise
        database()
        return result


def right(connection: Connection, entitlement: UUID, station: str, addition: int = 0) -> None:
    """A right as `roll.rights` writes it: frozen, or added."""
    holder = f"roll/{station}" if addition else f"station/{station}/1"
    connection.execute(
        sa.text(
            "INSERT INTO entitlement (poll, id, home, holder, addition, voter, set_id) "
            "VALUES (:poll, :id, :home, :holder, :addition, :id, 1)"
        ),
        {"poll": POLL, "id": entitlement, "home": station, "holder": holder, "addition": addition},
    )


def in_database(connection: Connection) -> dict[UUID, Custody]:
    states = {0: custody.State.UNUSED, 1: custody.State.USED, 2: custody.State.RELEASED}
    rows = connection.execute(sa.text("SELECT * FROM entitlement WHERE poll = :poll"), {"poll": POLL})
    return {row.id: Custody(row.holder, row.epoch, states[row.state], row.used) for row in rows}
