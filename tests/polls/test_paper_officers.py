"""Who may be named on a lost machine's paper? The officers of that station's packages, as far as the centre knows them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joined_world import KEYS, POLL, VAULT, OneConnection, World, iin_of
from noted_world import Noted, opened
from test_paper_and_withdrawals import typed_by_two, typing
from test_pollbook_desk import PAPER, Clerk, fact

from dauys.cli import pollbook as office
from dauys.cli.main import tree as dauys
from dauys.errors import BadInput
from dauys.pollbook.centre import packages as noted_packages
from dauys.pollbook.centre.mark import mark
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper import by_hand
from dauys.pollbook.wire.package import Officer

pytestmark = pytest.mark.database

ALL = ["chair", "member1", "member2", "secretary"]


def packed(world: World, station: str, *officers: Officer) -> packing_out.Packed:
    return packing_out.pack(world.connection, world.packing, station, officers, world.now, world.dice.randbytes)


def known(world: World, station: str) -> list[str] | None:
    found = noted_packages.officers_of(cursor(world.connection), POLL, station)
    return None if found is None else sorted(found)


def type_in(world: World, folder: Path, officer: str, serial: int = 1) -> by_hand.Typed:
    lines = typed_by_two(folder, f"{iin_of(serial)},{officer}")
    return by_hand.type_in(world.connection, VAULT, lines, typing(world), world.dice.randbytes)


def refused(world: World, folder: Path, officer: str) -> BadInput:
    with pytest.raises(BadInput) as fault:
        type_in(world, folder, officer)
    return fault.value


def papers(world: World) -> int:
    return cast(int, world.connection.scalar(sa.text("SELECT count(*) FROM pollbook_log WHERE generation > 500")))


def test_the_centre_keeps_ids_and_no_names(world: World) -> None:
    packed(world, "A-1", Officer("c1", "chair", "Aigul"), Officer("m1", "member", "Dana"))
    assert world.connection.scalar(sa.text("SELECT officers FROM pollbook_package")) == ["c1", "m1"]


@pytest.mark.parametrize("officer", ["member9", "Ахметов", "member1x"])
def test_who_is_no_officer_of_the_station_is_refused(world: World, tmp_path: Path, officer: str) -> None:
    world.start("A-1")
    packing_out.lose(world.connection, POLL, "A-1")
    fault = refused(world, tmp_path, officer)
    assert (fault.check, fault.row, fault.field, fault.file) == ("P.029", 2, "officer", str(tmp_path / "first.csv"))
    assert fault.message == f"station A-1 has no such officer: write one of {', '.join(ALL)}"
    assert fault.found is None, "it may be a voter's name"
    assert papers(world) == 0, "nothing is taken, and no log is begun"
    assert type_in(world, tmp_path, " Member2 ").noted == 1, "an id has no capitals"
    assert type_in(world, tmp_path, "chair", 2).noted == 1, "who should not have, and did: paper is evidence"


def test_the_command_names_file_row_and_field(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.start("A-1")
    packing_out.lose(world.connection, POLL, "A-1")
    lines = [f"{iin_of(1)},member1", f"{iin_of(2)},member9", f"{iin_of(3)},member2"]
    typed_by_two(tmp_path, *lines)
    engine = cast(sa.Engine, OneConnection(world.connection))
    monkeypatch.setattr(office, "open_store", lambda: engine)
    monkeypatch.setattr(office, "held", lambda engine, *_: engine)
    monkeypatch.setattr(office, "journal", lambda: None)
    monkeypatch.setattr(office, "vault_of", lambda *_: VAULT)
    monkeypatch.setattr(office, "keys_of", lambda *_: KEYS)
    files = [str(tmp_path / f"{name}.csv") for name in ("first", "second")]
    found = CliRunner().invoke(dauys, ["pollbook", "paper", POLL, "A-1", *files, "--by", "anna", "boris"])
    assert str(found.exception) == (
        f"[P.029] {files[0]}, row 3, field officer: station A-1 has no such officer: write one of {', '.join(ALL)}"
    )
    assert papers(world) == 0


def test_the_desk_says_so_to_the_first_of_the_two(world: World) -> None:
    world.start("A-1")
    packing_out.lose(world.connection, POLL, "A-1")
    page, anna = f"{PAPER}?station=A-1&machine=1", Clerk(world, "anna")
    code, text = anna.send(page, "type", lines=f"{iin_of(1)} member1\n{iin_of(2)} member9")
    assert code == 422 and "P.029" in text and "Row: 2" in text and ", ".join(ALL) in text
    assert world.connection.scalar(sa.text("SELECT count(*) FROM pollbook_typing")) == 0
    assert fact(anna.send(page, "type", lines=f"{iin_of(1)} MEMBER1")[1], "done") == ["kept"]
    assert fact(Clerk(world, "boris").send(page, "type", lines=f"{iin_of(1)} member1")[1], "done") == ["taken"]


def test_any_package_of_the_station_counts_also_a_later_one(world: World, tmp_path: Path) -> None:
    """Somebody was appointed when the second machine was packed; those of the first one stay named."""
    first = packed(world, "A-1", Officer("c1", "chair", "x"), Officer("m1", "member", "x"))
    packed(world, "B-1", Officer("b1", "chair", "x"), Officer("b2", "member", "x"))
    world.enrolled(first)
    packing_out.lose(world.connection, POLL, "A-1")
    assert [refused(world, tmp_path, one).check for one in ("new", "b2")] == ["P.029"] * 2
    packed(world, "A-1", Officer("c1", "chair", "x"), Officer("new", "member", "x"))
    assert [type_in(world, tmp_path, one, n).noted for n, one in enumerate(("new", "m1"), 1)] == [1, 1]
    assert refused(world, tmp_path, "b2").message.endswith("one of c1, m1, new")


def test_a_package_that_was_made_again_has_the_officers_of_the_last_one(world: World) -> None:
    packed(world, "A-1", Officer("c1", "chair", "x"), Officer("wrong", "member", "x"))
    packed(world, "A-1", Officer("c1", "chair", "x"), Officer("right", "member", "x"))
    assert known(world, "A-1") == ["c1", "right"]


def test_before_officers_were_kept_any_name_is_taken(world: World, tmp_path: Path) -> None:
    world.start("A-1")
    packing_out.lose(world.connection, POLL, "A-1")
    world.start("A-1")
    world.connection.execute(sa.text("UPDATE pollbook_package SET officers = NULL WHERE generation = 1"))
    assert known(world, "A-1") is None and known(world, "B-1") is None
    packing_out.lose(world.connection, POLL, "A-1")
    assert type_in(world, tmp_path, "Dana").noted == 1, "of one of its packages nobody here knows"


def test_a_package_that_the_copy_lacks_has_officers_that_nobody_knows(noted: Noted) -> None:
    """The journal tells of the package, and of nobody in it; the stations whose packages the copy has are as before."""
    world = noted.world
    opened(noted, "B-1", "b")
    copy = world.connection.begin_nested()
    opened(noted, "A-1", "a")
    assert known(world, "A-1") == known(world, "B-1") == ALL
    copy.rollback()
    noted.again()
    assert noted.hold() != "" and noted.mark is not None and not noted.mark.blind
    assert (known(world, "A-1"), known(world, "B-1")) == (None, ALL)


def test_a_later_machine_that_the_copy_lacks_had_a_package_too(noted: Noted) -> None:
    world = noted.world
    opened(noted, "A-1", "a")
    noted.lose("A-1")
    copy = world.connection.begin_nested()
    opened(noted, "A-1", "a2")
    copy.rollback()
    assert known(world, "A-1") == ALL
    noted.again()
    noted.hold()
    assert known(world, "A-1") is None


def test_without_a_journal_nobody_knows_which_packages_there_were(world: World) -> None:
    world.start("A-1")
    assert known(world, "A-1") == ALL
    mark(cursor(world.connection), POLL, "a machine shows more", world.now, blind=True)
    assert known(world, "A-1") is None
