"""Whoever types at the electronic channel is seen by nobody: of whom he does not say the day of birth he learns nothing."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from joined_world import World, iin_of
from test_remote import IIN, Remote, synced, who, world

from dauys.pollbook.machine.sync import CentreRefused, Wire

pytestmark = pytest.mark.database
__all__ = ["world"]

STRANGER = iin_of(900)


def moved(world: World, iin: str, holder: str, state: int = 0) -> None:
    query = sa.text("UPDATE entitlement SET holder = :to, epoch = epoch + 1, state = :state WHERE id = :who")
    world.connection.execute(query, {"to": holder, "state": state, "who": who(iin)})


def test_a_wrong_day_of_birth_tells_nothing_of_anybody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carries a certificate, died, voted at his station, voted here, was asked for here: all are nobody, and as slowly so."""
    world.at(9)
    home, remote = world.start("A-1"), Remote(world)
    synced(home, remote)
    carries, died, voted, asked = IIN["A-1"]
    remote.vote(IIN["B-1"][0])  # of a station without a list: it comes at once
    remote.ask(asked)
    home.check_in(who(voted), world.now)
    synced(home, remote)
    moved(world, carries, "certificate")
    moved(world, died, "withdrawn")
    heard: list[str] = []
    ask = Wire.question

    def counted(self: Wire, what: str, body: dict[str, Any]) -> dict[str, Any]:
        heard.append(what)
        return ask(self, what, body)

    monkeypatch.setattr(Wire, "question", counted)
    nobody = remote.post("ask", iin=STRANGER, born="1991-01-01")
    assert nobody["error"]["check"] == "P.020" and heard == ["find"]
    for iin in (carries, died, voted, asked, IIN["B-1"][0]):
        heard.clear()
        assert remote.post("ask", iin=iin, born="1979-10-29") == nobody
        assert heard == ["find"], "the centre is asked, as of anybody: a quicker no would tell who was here"
    assert remote.ask(carries)["error"]["check"] == "P.022" and remote.ask(died)["error"]["check"] == "P.056"
    world.wires.cut = True
    unknown = remote.post("ask", iin=STRANGER, born="1991-01-01")
    assert unknown == remote.post("ask", iin=IIN["B-1"][0], born="1979-10-29") and unknown["state"] == "waiting"


def test_the_centre_says_nothing_to_a_channel_that_does_not_say_the_day(world: World) -> None:
    remote, home = Remote(world), world.start("A-1")
    iin = IIN["A-1"][0]
    said = remote.link.wire.question("find", {"iin": iin, "born": "1979-10-29"})
    assert said == remote.link.wire.question("find", {"iin": STRANGER, "born": "1991-01-01"}) == {"found": False}
    assert remote.link.wire.question("find", {"iin": iin, "born": "1979-10-28"})["line"]
    kept = sa.text("SELECT count(*) FROM pollbook_question WHERE entitlement IS NULL")
    assert world.connection.scalar(kept) == 2, "whom it asked for is noted only where it was him"
    for machine, body in ((remote, {"iin": iin}), (home, {"iin": iin, "born": "1979-10-28"})):
        with pytest.raises(CentreRefused, match=r"missing: born|unknown key"):
            machine.link.wire.question("find", body)
