"""What is said of paper that was typed beside what its machine's own log has, by the pure model and by the centre?"""

from __future__ import annotations

import pytest
from centre_mirror import right
from pollbook_sample import MORNING, POLL, key, who

from dauys.pollbook.centre import take as centre
from dauys.pollbook.log.events import Event, Head, LogId, sign_batch
from dauys.pollbook.rules import custody
from dauys.pollbook.rules.custody import Centre, Custody
from dauys.record import log as record
from dauys.store.engine import Connection

pytestmark = pytest.mark.database


def test_paper_typed_beside_a_stray_check_in_of_its_machine_is_an_alarm(connection: Connection) -> None:
    """The machine used a right twice, and took the first use back; its paper has him, too."""
    machine = LogId(POLL, "1", 1)
    record.open_log(connection, POLL, "dauys/test")
    right(connection, who(1), "1")
    model = custody.enrol(
        Centre(POLL, {who(1): Custody(machine.holder, 0)}), machine, key(1).public_key().public_bytes_raw()
    )
    centre.enrol(connection, machine, key(1).public_key().public_bytes_raw(), MORNING)
    paper = key(2).public_key().public_bytes_raw()
    use = {"channel": "polling-day", "entitlement": str(who(1)), "officer": "m1", "salt": "0" * 20}
    undo = {"of": 1, "reason": "twice", "officer": "m1"}
    for log, bodies in (
        (machine, (("check-in", use), ("check-in", use), ("undo", undo))),
        (machine.paper, (("check-in", use),)),
    ):
        if log == machine.paper:
            model = custody.enrol(custody.declare_lost(model, machine), log, paper)
            centre.declare_lost(connection, machine)
            centre.enrol(connection, log, paper, MORNING)
        head, events = Head.before(log), []
        for kind, body in bodies:
            events.append(Event(head.n + 1, MORNING.isoformat(), kind, body, head.hash))
            head = events[-1].head
        batch = sign_batch(log, 1, events, head.hash, key(1 if log == machine else 2))
        model = custody.take(model, batch).centre
        said = centre.take(connection, batch, MORNING).alarms
    assert [one.check for one in said] == ["P.102"] == [one.check for one in model.alarms if one.log == machine.paper]
