"""Who gives alone what two people give together: is he told that another person is needed, and not of arguments?"""

from __future__ import annotations

import json

import pytest
from joined_world import iin_of

from dauys.cli.main import main

TOGETHER = [
    ["envelopes", "test/x", "--final"],
    ["paper", "test/x", "A-1", "a.csv", "b.csv"],
    ["paper-undo", "test/x", "A-1", "--found", "--reason", "twice"],
]


@pytest.mark.parametrize("command", TOGETHER, ids=lambda command: command[0])
def test_one_name_is_too_few(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for options in (
        ["--by", "anna"],
        ["--by", "anna", "--json"],
        ["--by", "anna", "--at", "2022-06-05T20:00:00+06:00"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(["pollbook", *command, *options])
        said = capsys.readouterr()
        assert ended.value.code == 2 and "[P.058] field --by: two different people" in said.err
        assert "argument" not in said.err and len(said.err.splitlines()) == 1
    with pytest.raises(SystemExit):
        main(["pollbook", *command, "--json", "--by", "anna"])
    assert json.loads(capsys.readouterr().out)["error"]["check"] == "P.058"
    with pytest.raises(SystemExit):
        main(["pollbook", *command, "--by", "anna", "boris", "--generation", "--look"])
    assert "--by" not in capsys.readouterr().err  # other mistakes are told as before


NAMED = [
    ["roll", "approve", "1", "--by"],
    ["roll", "find", "--by"],
    ["pollbook", "print", "test/x", "A-1", "--out", "x.html", "--by"],
    ["pollbook", "restored", "test/x", "--by"],
    ["pollbook", "envelopes", "test/x", "--final", "--by", "anna"],
    ["pollbook", "not-lost", "test/x", "A-1", "--nobody-by-hand"],
    ["pollbook", "not-lost", "test/x", "A-1", "--nobody-enrolled"],
]


@pytest.mark.parametrize("command", NAMED, ids=lambda command: " ".join(command[:2]))
@pytest.mark.parametrize(
    ("name", "what"),
    [("anna\nset 9 is applied", "one line"), ("a" * 101, "one line"), (iin_of(1), "[P.077]")],
    ids=["two lines", "long", "an IIN"],
)
def test_a_name_is_one_line_and_no_iin(
    command: list[str], name: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is kept for good, and shown in lists."""
    with pytest.raises(SystemExit) as ended:
        main([*command, name])
    said = capsys.readouterr().err
    option = [part for part in command if part.startswith("--")][-1]
    assert ended.value.code == 2 and what in said and option in said and "set 9" not in said and name not in said
