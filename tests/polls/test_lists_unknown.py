"""Which packages are good once the books are whole again, where no journal can say what became of them?"""

from __future__ import annotations

import pytest
from joined_world import POLL, Machine, held, right, synced
from noted_world import Noted, lifted, opened, put_back_without_journal, said_by_a_person
from test_decided_since import add, findings, numbers, wants
from test_decisions_forgotten import restoring
from test_lists_since import here
from test_put_back import RIGHTS, asks
from test_put_back_lost import lost

from dauys.errors import BadInput
from dauys.pollbook.packing import packages as packing_out

pytestmark = pytest.mark.database


def forgotten_grant(noted: Noted) -> Machine:
    """Since the copy, which is back, B-1 was given the first right ahead of A-1's list."""
    b = opened(noted, "B-1", "b")
    noted.hold()
    copy = noted.world.connection.begin_nested()
    asks(b, RIGHTS[0], "q1")
    synced(b, b)
    assert here(b, RIGHTS[0])
    copy.rollback()
    return b


def refused(machine: Machine) -> bool:
    return not machine.keep.book.told and machine.link.status.check == "P.090"


def works(noted: Noted, folder: str) -> Machine:
    """The package made again is good, and has nobody who was, or may have been, given to another station."""
    a = opened(noted, "A-1", folder)
    assert a.keep.book.told
    return a


@pytest.mark.parametrize("used", [True, False])
def test_a_list_made_while_nobody_knew_is_made_again(noted: Noted, used: bool) -> None:
    """X was given to B-1 ahead of A-1's list. The copy is back, nobody knows it yet, and A-1's package has X on it."""
    world, who = noted.world, RIGHTS[0]
    b = forgotten_grant(noted)
    package = world.packed("A-1")  # by another process, without the journal
    said_by_a_person(world)
    if used:
        b.check_in(who, world.now)
    lost(world, "B-1")
    assert lifted(world, "telephoned", packages="again") > 0
    assert refused(noted.machine(package, "a"))
    assert who not in works(noted, "a2").voters


def test_a_package_that_is_void_since_the_copy_is_made_again(noted: Noted) -> None:
    """The journal is gone with the disk: nobody knows that A-1's package was void, nor that X went ahead to B-1, which burnt."""
    world, who = noted.world, RIGHTS[0]
    b = opened(noted, "B-1", "b")
    package = noted.package("A-1")
    noted.hold()
    copy = world.connection.begin_nested()
    noted.lose("A-1")
    asks(b, who, "q1")
    synced(b, b)
    b.check_in(who, world.now)
    put_back_without_journal(noted, copy)
    lost(world, "B-1")
    lifted(world, "telephoned", packages="again")
    assert refused(noted.machine(package, "a"))
    assert who not in works(noted, "a2").voters


def test_a_package_made_before_a_person_says_what_no_journal_saw(noted: Noted) -> None:
    """The copy is of a moment ago: nothing but a grant is forgotten. A-1's package is made by the usual command, then it is said."""
    world, who = noted.world, RIGHTS[0]
    b = forgotten_grant(noted)
    noted.again()
    assert noted.hold() == ""
    package = noted.package("A-1")
    b.check_in(who, world.at(9, 4))
    said_by_a_person(world)
    with noted.journal.acting(noted.engine, POLL, "B-1", world.now) as connection:
        packing_out.lose(connection, POLL, "B-1", 1, every=False)
    lifted(world, "telephoned", packages="again")
    assert refused(noted.machine(package, "a"))
    a = works(noted, "a2")
    assert who not in a.voters
    synced(a, b)
    assert numbers(world) == [] and findings(world) == [] and held(world, who)[0] == "station/B-1/1"


def test_who_was_added_makes_up_for_nobody_whom_a_second_list_lacks(noted: Noted) -> None:
    world, who = noted.world, right(50)
    opened(noted, "A-1", "a")
    b = opened(noted, "B-1", "b")
    noted.lose("A-1")
    world.at(9, 1)
    add(world, 50)
    noted.hold()
    copy = world.connection.begin_nested()
    wants(b, 50, "q1")
    synced(b, b)
    assert here(b, who)
    copy.rollback()
    package = world.packed("A-1")  # by another process, without the journal
    said_by_a_person(world)
    synced(b)
    lifted(world, "telephoned", packages="again")
    world.at(9, 10)
    add(world, 51)
    assert refused(noted.machine(package, "a2"))


def test_nor_where_only_a_later_holder_is_heard(noted: Noted) -> None:
    """Since the copy X went ahead to B-1 and on to A/2; B-1 is given up unheard, so the only grant that is known has epoch 2."""
    world, who = noted.world, RIGHTS[0]
    b, c = opened(noted, "B-1", "b"), opened(noted, "A/2", "c")
    noted.hold()
    copy = world.connection.begin_nested()
    asks(b, who, "q1")
    synced(b, b)
    asks(c, who, "q2")
    synced(b, b, c, c)
    assert here(c, who) and held(world, who)[1] == 2
    copy.rollback()
    package = world.packed("A-1")
    said_by_a_person(world)
    lost(world, "B-1")
    synced(c)
    lifted(world, "telephoned", packages="again")
    a = noted.machine(package, "a")
    assert refused(a)
    world.at(9, 10)
    add(world, 50)
    synced(a)
    assert refused(a)
    assert who not in works(noted, "a2").voters


@pytest.mark.parametrize(("packages", "told"), [("good", True), ("again", False)])
def test_somebody_says_what_became_of_the_packages_on_their_way(
    noted: Noted, monkeypatch: pytest.MonkeyPatch, packages: str, told: bool
) -> None:
    """A-1's package lies at its station since yesterday; the journal is gone, B-1 burnt."""
    world = noted.world
    b = opened(noted, "B-1", "b")
    package = noted.package("A-1")
    noted.hold()
    copy = world.connection.begin_nested()
    b.check_in(right(10), world.now)
    synced(b)
    put_back_without_journal(noted, copy)
    lost(world, "B-1")
    lifting = ["--lift", "--by", "anna", "--word", "telephoned"]
    with pytest.raises(BadInput, match="nobody has enrolled: 1"):
        restoring(noted, monkeypatch, *lifting)
    assert restoring(noted, monkeypatch, *lifting, "--packages", packages)["whole"]
    a = noted.machine(package, "a")
    assert a.keep.book.told is told and len(a.voters) == 6


def test_what_is_to_be_made_again_is_good_by_no_later_word(noted: Noted) -> None:
    package = noted.package("A-1")
    for packages in ("again", "good"):
        said_by_a_person(noted.world)
        lifted(noted.world, "telephoned", packages)
    assert refused(noted.machine(package, "a"))
