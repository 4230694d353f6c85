"""An audit of single ballots over the pages themselves, as a browser asks: do both verifiers take what it tells the record (V.15)?"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from compared_world import CONTEST, World, law
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mission_world import Desk, desk

from dauys.polls.replay import Replay
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION
from independent_observers import observers
from independent_verifier import canonical as canonical_there
from independent_verifier import good

SEED = "4 6 1 1 3 5 2 6 6 2"
OFFICE = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)


def enter_all(office: Desk, sort: str) -> int:
    """Every station of the round: polled ballots are two thirds for yes, compared ones are yes."""
    page = office.get(f"/en/audit/{sort}").text
    stations = list(
        dict.fromkeys(re.findall(rf"/audit/{sort}/count\?of={CONTEST}&amp;round=1&amp;station=([\w-]+)", page))
    )
    for station in stations:
        form = office.get(f"/en/audit/{sort}/count?of={CONTEST}&round=1&station={station}").text
        fields = dict.fromkeys(re.findall(r'name="(b-\d+)"', form), "yes")
        for part, drawn in enumerate(re.findall(r"<h2>[^<]*\((\d+)\)</h2>", form)):
            fields |= {f"n-{part}-{name}": "0" for name in ("no", "invalid", "not_counted", "missing")} | {
                f"n-{part}-yes": drawn
            }
        answer = office.post(f"/en/audit/{sort}/count", of=CONTEST, round="1", station=station, **fields)
        assert answer.status_code == 200 and "Entered" in answer.text
    return len(stations)


def held_against(entries: list[Entry], key: str) -> tuple[list[str], list[str]]:
    """What our fold and the second verifier say against an organisation's entries."""
    accredited = Entry(
        law().id, "organisation", "organisation/adil", "2022-05-20T09:00:00+06:00", COMMISSION,
        {"code": "adil", "names": {"en": "Adil"}, "kind": "association", "scope": ["*"], "key": key, "until": "2023-05-20",
         "reason": "r", "cite": "c"},
    )  # fmt: skip
    public = b64encode(OFFICE.public_key().public_bytes_raw()).decode()
    poll = law().to_json() | {"stations": 0, "keys": {"commission": public}}
    opened = Entry(law().id, "poll", "poll", "2022-05-20T08:00:00+06:00", COMMISSION, poll)
    log = [sign_entry(opened, OFFICE), sign_entry(accredited, OFFICE), *entries]
    replay = Replay()
    for seq, entry in enumerate(log):
        replay.apply(seq, entry)
    ours = [str(fault) for fault in replay.faults if fault.check == "V.15"]
    parsed = [json.loads(entry.to_bytes()) for entry in log]
    bundle = SimpleNamespace(parsed=parsed, poll=poll, stations={}, contests={})
    return ours, [problem for fine, problem in observers(bundle, good, canonical_there) if not fine]


def test_polling_and_comparison_from_the_browser_to_the_record(tmp_path: Path) -> None:
    office = desk(tmp_path / "mission", World(3).count()).set_up()
    for sort, fields in (("polling", {"method": "minerva", "chance": "0.9"}), ("comparison", {"method": "oneaudit"})):
        path = f"/en/audit/{sort}"
        assert office.get(path).status_code == 200
        office.post(path, of=CONTEST, act="commit", seed=SEED)
        made = office.post(path, files={"nothing": ("", b"")}, of=CONTEST, act="draw", risk="1/10", **fields)
        assert made.status_code == 200 and "Not confirmed yet" in made.text
        assert enter_all(office, sort) > 0
        assert "Confirmed at the risk limit" in office.get(path).text
        office.post(path, of=CONTEST, act="record")
        twin = office.get(f"{path}.json").json()
        assert twin["outcome"] == "confirmed" and twin["audit"] == sort and twin["contests"][0]["confirmed"]
        assert office.get(f"/ru/audit/{sort}").status_code == office.get(f"/kk/audit/{sort}").status_code == 200
    taken = office.commission.taken
    assert [(one.body["name"], bool(one.body["result"])) for one in taken] == [
        ("ballot polling", False), ("ballot polling", False), ("ballot polling", True),
        ("ballot comparison", False), ("ballot comparison", False), ("ballot comparison", True),
    ]  # fmt: skip
    assert held_against(taken, office.keep.public) == ([], [])
    other = [*taken]
    other[4] = _resigned(taken[4], office, lambda body: body | {"seed": "loaded dice and more"})
    ours, theirs = held_against(other, office.keep.public)
    assert len(ours) == 1 and any("beginning" in problem for problem in theirs)
    gone = office.client.post("/en/audit/polling", data={"of": CONTEST, "act": "record", "mark": "0"})
    assert gone.status_code == 403


def _resigned(entry: Entry, office: Desk, change: Callable[[dict[str, object]], dict[str, object]]) -> Entry:
    return sign_entry(
        Entry(entry.poll, entry.kind, entry.id, entry.at, entry.by, change(dict(entry.body))), office.keep.key
    )


@pytest.mark.parametrize("path", ["/en/audit/polling", "/en/audit/comparison", "/en/audit/polling.json"])
def test_nobody_else_reads_them(tmp_path: Path, path: str) -> None:
    office = desk(tmp_path / "mission", World(1).count())
    answer = office.client.get(path, follow_redirects=False)
    assert answer.status_code in (303, 401)
