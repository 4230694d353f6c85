"""Where is a right that is added to a frozen roll, and whose is it? What `dauys.roll.freeze.Custody` asks of the pollbook."""

from __future__ import annotations

from datetime import datetime

from dauys.pollbook.centre.take import cursor
from dauys.pollbook.put_back.added_again import entered, hold, known
from dauys.pollbook.settling.one_person import keep_one, note_pairs
from dauys.registers.poll import Poll
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

__all__ = ["entered", "hold", "known", "paired"]


def paired(connection: Connection, vault: Vault, poll: Poll, at: datetime) -> None:
    """Whoever was added may be one person with somebody who has voted."""
    note_pairs(cursor(connection), vault, poll.id)
    keep_one(connection, poll, at)
