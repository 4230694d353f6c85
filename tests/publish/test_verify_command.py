"""Does `dauys verify` say what to do with what is not a bundle?"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from dauys.cli.main import tree
from dauys.errors import BadInput, DauysError


def test_a_packed_bundle_is_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bundle.ZIP"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("test-small/checkpoint", "")
    with pytest.raises(BadInput, match="unpack it first"):
        CliRunner().invoke(tree, ["verify", str(path)], standalone_mode=False, catch_exceptions=False)
    with pytest.raises(BadInput, match="there is no bundle"):
        CliRunner().invoke(
            tree, ["verify", str(tmp_path / "absent.zip")], standalone_mode=False, catch_exceptions=False
        )


def test_where_there_is_no_record_no_check_is_judged(tmp_path: Path) -> None:
    for address, said in ((str(tmp_path), "missing"), ("http://127.0.0.1:1/record/x", "cannot be read")):
        with pytest.raises(DauysError, match=f"no record to check.*{said}"):
            CliRunner().invoke(tree, ["verify", address], standalone_mode=False, catch_exceptions=False)


@pytest.mark.parametrize("option", ["--key", "--witness"])
def test_a_key_that_was_mistyped_judges_nobody(tmp_path: Path, option: str) -> None:
    with pytest.raises(DauysError, match="verifier key"):
        CliRunner().invoke(tree, ["verify", str(tmp_path), option, "x"], standalone_mode=False, catch_exceptions=False)
