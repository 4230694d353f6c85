"""How does the roll, which knows no pollbook, have rights asked back? By the shell, which knows both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.pollbook.withdrawals import withdraw_set
from dauys.polls.pollbook_join import withdraw as settle
from dauys.registers.poll import Poll
from dauys.roll.effects import AskBack
from dauys.roll.vault import Vault
from dauys.store.engine import Connection


def asking_back(vault: Callable[[], Vault]) -> AskBack:
    """As `dauys roll withdraw` does it: the rights are asked for, and withdrawn at once where nobody else holds them."""

    def ask(
        connection: Connection, poll: Poll, number: int, reason: str, by: str, key: Ed25519PrivateKey, at: datetime
    ) -> None:
        withdraw_set(connection, vault(), poll, number, reason, by, at)
        settle(connection, poll, key, at)

    return ask
