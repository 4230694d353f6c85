"""With which keys, under which law, and when does a running centre act? What the pollbook's routes are given, and its minute."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.cli.main import say
from dauys.errors import DauysError
from dauys.pollbook.desk.clerks import Desk
from dauys.pollbook.put_back.journal import FILE, Journal
from dauys.pollbook.put_back.restored import begins
from dauys.pollbook.rules.channels import Channels
from dauys.pollbook.serving.routes import Office
from dauys.pollbook.serving.service import QUESTIONS
from dauys.polls.keys import Keys, keys_of
from dauys.polls.opening import load_poll
from dauys.polls.pollbook_join import (
    channels_of,
    defect,
    envelopes,
    give_back,
    polls_with_logs,
    resolve_envelopes,
    seal,
    tend,
    withdraw,
)
from dauys.polls.pollbook_protocols import to_correct
from dauys.registers.poll import Poll
from dauys.roll.keys import vault_of
from dauys.roll.vault import Vault
from dauys.stations.ledger import lock
from dauys.store.engine import FAULTS, data_folder


def now() -> datetime:
    """The clock of the edge."""
    return datetime.now(UTC)


def clock_from(begin: datetime | None) -> Callable[[], datetime]:
    """The clock of the edge; for a trial one that began at `begin` and goes as fast."""
    shift = timedelta() if begin is None else begin - now()
    return lambda: now() + shift


class Centre:
    """The keys and the law of every poll here, each read once, and a thread that seals check-ins and makes reports."""

    def __init__(
        self, engine: sa.Engine, every: float, clock: Callable[[], datetime] = now, questions: int = QUESTIONS
    ) -> None:
        self._engine = engine
        self._every = every
        self._ended = threading.Event()
        self._begun = False
        self._thread = threading.Thread(target=self._run, name="sealing", daemon=True)
        # a poll may be opened after the site: what is not there yet is not remembered
        self._poll = lru_cache(maxsize=64)(self._load)
        self._keys = lru_cache(maxsize=64)(lambda poll: keys_of(self._poll(poll), data_folder() / "keys"))
        self._channels = lru_cache(maxsize=64)(lambda poll: channels_of(self._poll(poll)))
        self._vault = lru_cache(maxsize=1)(self._roll_keys)
        self.journal = Journal(data_folder() / "keys" / FILE)
        self.office = Office(self._commission, self.channels, self.vault, clock, questions, self.journal)
        self.desk = Desk(
            self.vault,
            clock,
            self.seal,
            lock,
            seal,
            withdraw,
            give_back,
            envelopes=envelopes,
            resolve=resolve_envelopes,
            to_correct=to_correct,
        )

    def keys(self, poll: str) -> Keys | None:
        """The keys of a poll; None on a mirror that has none."""
        try:
            return self._keys(poll)
        except DauysError:
            return None

    def seal(self, poll: str) -> Ed25519PrivateKey | None:
        """The commission's key of a poll, where it is here."""
        held = self.keys(poll)
        return held.commission if held else None

    def channels(self, poll: str) -> Channels:
        """The ways to vote in a poll."""
        return self._channels(poll)

    def vault(self) -> Vault:
        """The roll's keys."""
        return self._vault()

    def _roll_keys(self) -> Vault:
        with self._engine.connect() as connection:
            return vault_of(connection, data_folder())

    def start(self) -> None:
        """Begins to seal, after a look whether the database was put back from a copy."""
        for failure in [*self._tend(self._begin), *self._tend(self._hold)]:
            say(failure)
        self._thread.start()

    def stop(self) -> None:
        """Seals no more, after what goes on now."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=15)

    def _commission(self, poll: str) -> Ed25519PrivateKey:
        return self._keys(poll).commission

    def _load(self, poll: str) -> Poll:
        with self._engine.connect() as connection:
            return load_poll(connection, poll)

    def _run(self) -> None:
        said: dict[str, None] = {}
        while not self._ended.wait(self._every):
            failures = [
                *self._tend(self._begin),
                *self._tend(self._hold),
                *self._tend(lambda: tend(self._engine, self.seal, self.office.clock())),
            ]
            for failure in failures:
                if failure not in said:  # once, not every minute
                    with suppress(OSError, ValueError):  # nobody listens any more
                        say(failure)
            said = dict.fromkeys(failures)

    def _begin(self) -> Iterable[str]:
        """A mark that stands begins anew, once; where the database was away, the next minute."""
        if not self._begun:
            with self._engine.begin() as connection:
                for poll in polls_with_logs(connection):
                    begins(connection, poll)
            self._begun = True
        return ()

    def _hold(self) -> Iterator[str]:
        """Holds the journal beside the keys against the database, for each poll that can be signed for here."""
        with self._engine.connect() as connection:
            polls = {*polls_with_logs(connection), *self.journal.polls()}
        for poll in sorted(polls):
            if self.seal(poll) is not None:
                with self._engine.begin() as connection:
                    if why := self.journal.hold(connection, poll, self.office.clock()):
                        yield f"{poll}: {why}; nothing is given until its books are whole (dauys pollbook restored {poll})"

    def _tend(self, work: Callable[[], Iterable[str]]) -> list[str]:
        """The work of one minute; what failed. Nothing that fails ends the minutes: the next one tries again."""
        try:
            return list(work())
        except FAULTS as error:
            return [f"the database does not answer: {type(error).__name__}"]
        except Exception as error:  # noqa: BLE001 - the thread that seals lives as long as the site
            return [f"check-ins wait to be sealed: {defect(error)}"]
