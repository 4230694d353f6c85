"""The embedded server's folders: a copy without its files' owners is called one, and its socket is for its own user alone."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dauys.errors import DauysError
from dauys.store.embedded import must_be_its_own, socket_of


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


@pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")
@pytest.mark.parametrize("name", ["plain", "a blank", "long" * 30, "100%"])
def test_the_socket_is_for_its_own_user_wherever_it_lies(name: str) -> None:
    with TemporaryDirectory(dir="/tmp") as short:  # pytest's own may be too long for any socket
        _looks_where_the_socket_lies(Path(short), name)


def _looks_where_the_socket_lies(place: Path, name: str) -> None:
    data, runtime = place / name, place / "run"
    data.mkdir()
    settings = data / "postgresql.auto.conf"
    settings.write_text("max_wal_size = '4GB'\n", "utf-8")
    folder = socket_of(data, runtime)
    assert folder == socket_of(data, runtime) and folder.is_dir()
    assert (folder == data) is (name == "plain")
    assert folder.is_relative_to(place) and " " not in str(folder) and "%" not in str(folder)
    assert settings.read_text("utf-8").splitlines() == ["max_wal_size = '4GB'", "unix_socket_permissions = '0700'"]
