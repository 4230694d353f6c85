"""Does `dauys verify` say what to do with what is not a bundle?"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from dauys.cli.main import tree
from dauys.errors import BadInput


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
