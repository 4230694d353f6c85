"""Are the keys in a data folder those of its roll?"""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from roll_people import VAULT, apply_rows, empty, row, write_keys

from dauys.roll.keys import vault_of
from dauys.roll.vault import VaultError, key_file, make_vault

pytestmark = pytest.mark.database


def test_another_roll_s_keys_are_refused(connection: sa.Connection, tmp_path: Path) -> None:
    """With them nobody would be found, and an import would add everybody a second time."""
    empty(connection)
    write_keys(tmp_path / "right")
    make_vault(key_file(tmp_path / "wrong"))
    for folder in ("right", "wrong"):  # a roll without anybody has no keys yet
        assert vault_of(connection, tmp_path / folder)
    apply_rows(connection, tmp_path, [row(1), row(2)])
    assert vault_of(connection, tmp_path / "right").voter("7") == VAULT.voter("7")
    with pytest.raises(VaultError, match="belongs to another roll"):
        vault_of(connection, tmp_path / "wrong")
