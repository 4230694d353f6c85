"""Where is a right that is added to a frozen roll, and whose is it? What `dauys.roll.freeze.Custody` asks of the pollbook."""

from __future__ import annotations

from datetime import datetime

from dauys.pollbook.put_back.added_again import entered, hold, known
from dauys.pollbook.settling.withdrawals import pair_again
from dauys.roll.vault import Vault
from dauys.store.engine import Connection

__all__ = ["entered", "hold", "known", "paired"]


def paired(connection: Connection, vault: Vault, poll: str, at: datetime) -> None:
    """Whoever was added may be one person with somebody whose right was asked back, and used."""
    pair_again(connection, vault, poll, at)
