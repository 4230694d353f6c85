"""With which keys, under which law, and when does a running centre act? What the pollbook's routes are given, and its minute."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.cli.main import say
from dauys.errors import DauysError
from dauys.pollbook.centre_desk import Desk
from dauys.pollbook.centre_routes import Office
from dauys.pollbook.channels import Channels
from dauys.polls.keys import Keys, keys_of
from dauys.polls.opening import load_poll
from dauys.polls.pollbook_join import channels_of, envelopes, give_back, resolve_envelopes, seal, tend, withdraw
from dauys.registers.poll import Poll
from dauys.roll.vault import Vault, key_file, load_vault
from dauys.stations.ledger import lock
from dauys.store.engine import data_folder


def now() -> datetime:
    """The clock of the edge."""
    return datetime.now(UTC)


def clock_from(begin: datetime | None) -> Callable[[], datetime]:
    """The clock of the edge; for a trial one that began at `begin` and goes as fast."""
    shift = timedelta() if begin is None else begin - now()
    return lambda: now() + shift


class Centre:
    """The keys and the law of every poll here, each read once, and a thread that seals check-ins and makes reports."""

    def __init__(self, engine: sa.Engine, every: float, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealing", daemon=True)
        # a poll may be opened after the site: what is not there yet is not remembered
        self._poll = lru_cache(maxsize=64)(self._load)
        self._keys = lru_cache(maxsize=64)(lambda poll: keys_of(self._poll(poll), data_folder() / "keys"))
        self._channels = lru_cache(maxsize=64)(lambda poll: channels_of(self._poll(poll)))
        self._vault = lru_cache(maxsize=1)(lambda: load_vault(key_file(data_folder())))
        self.office = Office(self._commission, self.channels, self.vault, clock)
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

    def start(self) -> None:
        """Begins to seal."""
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
            try:
                failures = list(tend(self._engine, self.seal, self.office.clock()))
            except (DauysError, sa.exc.SQLAlchemyError) as error:  # the database is away: the next minute tries again
                failures = [f"the database does not answer: {type(error).__name__}"]
            for failure in failures:
                if failure not in said:  # once, not every minute
                    say(failure)
            said = dict.fromkeys(failures)
