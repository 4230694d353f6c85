"""Dauys is upgraded in the middle of a poll: the older version kept of a set of pairs only whom it had asked."""

from __future__ import annotations

from importlib.resources import files

import pytest
import sqlalchemy as sa
from joined_world import World, held, right
from test_decided_since import add, changes, died, findings, finds, numbers
from test_lists_since import here
from test_one_person import one_person
from test_one_person_any_order import voted
from test_one_person_overlaps import minutes
from test_paper_and_withdrawals import ask, duplicate

pytestmark = pytest.mark.database


def upgraded(world: World) -> None:
    """The database is of before 0037, which is applied now."""
    world.connection.exec_driver_sql("DROP TABLE roll_decided; DROP INDEX roll_pair_set")
    sql = files("dauys.store").joinpath("migrations/0037_decided_sets.sql").read_text(encoding="utf-8")
    world.connection.exec_driver_sql(sql)


def test_a_set_that_had_nobody_to_ask_is_carried_out_again(world: World) -> None:
    """X has voted, was asked for as dead, and is one person with 50, who is added after the upgrade (docs/roll.md)."""
    a, b = voted(world)
    died(world, ("A-1", 1))
    number = duplicate(world, goes=1, stays=50)
    assert ask(world, number).before == 1
    upgraded(world)
    assert number not in world.connection.scalars(sa.text("SELECT set_id FROM roll_decided")).all()
    ask(world, number)
    add(world, 50, station="B-1")
    finds(b, 50)
    minutes(world, a, b)
    assert not here(b, right(50)) and numbers(world) == findings(world) == []


def test_what_is_known_is_as_before_when_it_is_carried_out_again(world: World) -> None:
    a, b = voted(world)
    number = one_person(world)
    minutes(world, a, b)
    upgraded(world)
    lines = world.connection.execute(sa.text("SELECT * FROM roll_withdrawal ORDER BY entitlement")).all()
    before = changes(world)
    ask(world, number)
    minutes(world, a, b)
    assert world.connection.execute(sa.text("SELECT * FROM roll_withdrawal ORDER BY entitlement")).all() == lines
    assert changes(world) == before and held(world, right(10))[0] == "withdrawn" and numbers(world) == []
