"""dauys.own_file: a file with its own rights and whole, whatever lay there before; a draft that fails leaves nothing."""

import stat
from pathlib import Path

import pytest

from dauys import own_file


def test_what_is_there_is_replaced_with_its_wider_rights(tmp_path: Path) -> None:
    path = tmp_path / "list.html"
    path.write_text("last year's", "utf-8")
    path.chmod(0o644)
    with path.open("rb") as reader:  # who has the old file open does not get the new one's words
        own_file.write(path, b"everybody's numbers")
        assert reader.read() == b"last year's"
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"everybody's numbers", 0o600)
    own_file.write(path, b"for all", 0o644)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_what_was_there_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pollbook.key"
    own_file.write(path, b"the key")

    def full(handle: int) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(own_file.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        own_file.write(path, b"half")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"the key"


def test_the_draft_is_its_owners_alone_from_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(
        own_file.os, "fsync", lambda handle: seen.append(stat.S_IMODE(next(tmp_path.iterdir()).stat().st_mode))
    )
    own_file.write(tmp_path / "one", b"secret")
    assert seen[0] == 0o600
