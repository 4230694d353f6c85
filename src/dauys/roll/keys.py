"""The roll's keys as they lie in a data folder: those that its roll was made with, or a clear word."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from dauys.roll.vault import Vault, key_file, load_vault
from dauys.store.engine import Connection


def vault_of(connection: Connection, folder: Path) -> Vault:
    """The keys in the folder. Raises VaultError as `load_vault`, and where they are those of another roll.

    With another roll's keys nobody would be found, and whoever is imported again would be a new voter beside the one he is.
    """
    vault = load_vault(key_file(folder))
    anybody = connection.execute(sa.text("SELECT voter, sealed FROM voter LIMIT 1")).one_or_none()
    if anybody is not None:
        vault.open(anybody.voter.bytes, bytes(anybody.sealed))
    return vault
