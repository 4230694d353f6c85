"""A data folder that was copied back without its files' owners: the message says so, instead of the server's old words."""

from __future__ import annotations

from pathlib import Path

import pytest

from dauys.errors import DauysError
from dauys.store.embedded import must_be_its_own


def test_a_copy_that_lost_its_owner_is_called_one(tmp_path: Path) -> None:
    must_be_its_own(tmp_path, 1, "postgres")  # there is no server yet
    (tmp_path / "global").mkdir()
    control = tmp_path / "global/pg_control"
    control.touch()
    mine = control.stat().st_uid
    must_be_its_own(tmp_path, mine, "postgres")
    for somebody in (mine + 1, None):
        with pytest.raises(DauysError, match=f"chown -R postgres {tmp_path}.*cp -a"):
            must_be_its_own(tmp_path, somebody, "postgres")
