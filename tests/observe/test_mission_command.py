"""Does `dauys mission` serve an office that opens with its code, on another address, with another clock, with a witness beside?"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from click.testing import CliRunner
from compared_world import World

from dauys.cli.main import moment, tree
from dauys.cli.mission import Served, default_folder
from dauys.cli.office import Centre, clock_from
from dauys.errors import BadInput
from dauys.observe.known.keep import create, open_keep
from dauys.observe.office.door import shown
from dauys.observe.office.running import Witness, entries_address, site_of
from dauys.record.entry import Entry
from dauys.record.note import VerifierKey
from dauys.record.note import parse as parse_note
from dauys.record.witness import WitnessRefusal

CLOCK = "2022-06-04T09:00:00+06:00"
NAMES = {"en": "Adil"}


def test_a_mission_is_served_with_a_witness(tmp_path: Path) -> None:
    world = World(per_area=1)
    keep = create(tmp_path / "m")
    with (
        Served(keep, "127.0.0.1", 0, 1, "adil", moment(CLOCK)) as served,
        httpx.Client(follow_redirects=True) as client,
    ):
        page = client.get(f"{served.address}/in", params={"code": served.door.code}, headers={"accept-language": "en"})
        assert page.url.path == "/en/in" and "The mission" in page.text
        page = client.post(f"{served.address}/en/in", data={"code": served.door.code})
        mark = re.search(r'name="mark" value="([0-9a-f]+)"', page.text)
        assert page.url.path == "/en/password" and mark
        again = {"mark": mark[1], "password": "steppe eagle 17", "again": "steppe eagle 17"}
        client.post(f"{served.address}/en/password", data=again)
        source = str(world.folder(tmp_path / "bundle"))
        setup = {"mark": mark[1], "code": "adil", "name-en": "Adil", "source": source}
        page = client.post(f"{served.address}/en/setup", data=setup)
        assert page.status_code == 200 and served.witness is not None and served.witness.vkey in page.text
        assert datetime.fromisoformat(keep.events()[0].at).date().isoformat() == "2022-06-04"
        assert "<svg" not in page.text
        client.post(f"{served.address}/en/sample/freeze", data={"mark": mark[1]})
        design = {"mark": mark[1], "allocation": "simple", "n": "4", "seed": ""}
        client.post(f"{served.address}/en/sample/commit", data=design)
        (waits,) = json.loads(keep.kept("outbox") or "[]")  # a folder takes nothing: what was signed waits
        assert Entry.from_bytes(waits["entry"].encode()).at.startswith("2022-06-04T09:0"), (
            "signed at the trial's moment"
        )
        home = client.get(f"{served.address}/en").text
        assert "Freeze the list of stations" in home
        assert client.get(f"{served.address}/static/mission.css?v=1").headers["cache-control"].startswith("max-age")
    keep.close()


def test_a_witness_cosigns_what_grew_and_refuses_what_was_rewritten(tmp_path: Path) -> None:
    world = World(per_area=1)
    keep = create(tmp_path / "m")
    at = moment(CLOCK)
    bundle = world.folder(tmp_path / "bundle")
    witness = Witness(keep, "adil", lambda: 1_654_440_000)
    witness.round(at)
    assert witness.said["size"] == 0, "nothing is followed yet"
    identity = {
        "code": "adil",
        "names": NAMES,
        "poll": "kz/2022-referendum",
        "source": str(bundle),
        "zone": "Asia/Almaty",
    }
    keep.append("identity", identity, "office", at)
    witness.round(at)
    assert witness.said["size"] == len(world.entries) and not witness.said["refused"]
    kept = parse_note((keep.folder / "witness/cosigned.note").read_text())
    assert kept.text.startswith("dauys/kz/2022-referendum\n")
    assert VerifierKey.parse(witness.vkey).name == "adil"
    other = World(per_area=2)
    other.count()
    other.folder(bundle)
    Witness(keep, "adil", lambda: 1_654_440_000).round(at)
    again = Witness(keep, "adil", lambda: 1_654_440_000)
    again.round(at)
    assert again.said["refused"] and list((keep.folder / "witness").glob("refused-*.note"))
    assert issubclass(WitnessRefusal, Exception)
    keep.close()


@pytest.mark.parametrize(
    ("source", "site"),
    [
        ("https://host/record/kz/2022-referendum", "https://host"),
        ("https://host/votes/record/kz/x", "https://host/votes"),
        ("http://host:8040/en/polls/kz/x/", "http://host:8040"),
    ],
)
def test_entries_go_to_the_site_of_the_record(source: str, site: str) -> None:
    assert site_of(source) == site
    assert entries_address(source, "kz/x") == f"{site}/api/polls/kz/x/observers/entries"


def test_a_commission_on_trial_has_the_same_clock() -> None:
    begun = clock_from(moment(CLOCK))
    centre = Centre(cast("Any", None), 60, begun)
    for clock in (begun, centre.office.clock, centre.desk.clock):
        assert timedelta() <= clock() - moment(CLOCK) < timedelta(minutes=1)
    assert abs(clock_from(None)() - moment(None)) < timedelta(minutes=1)


def test_the_command_from_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "mission"
    seen = []

    def wait(served: Served) -> None:
        answer = httpx.get(f"{served.address}/ru", follow_redirects=True)
        seen.append((answer.url.path, shown(served.door.code) in answer.text))
        ran = CliRunner().invoke(tree, ["mission", "new", "--json"])
        assert isinstance(ran.exception, BadInput) and ran.exception.check == "O.020"
        raise KeyboardInterrupt

    monkeypatch.setattr(Served, "wait", wait)
    ran = CliRunner().invoke(tree, ["mission", "serve", "--port", "0", "--json"])
    assert ran.exit_code == 0 and seen == [("/ru/in", False)]
    said = json.loads(ran.stdout.splitlines()[0])
    assert set(said) == {"site", "code", "key", "folder"}
    keep = open_keep(tmp_path / "mission")
    assert keep.public == said["key"]
    keep.close()
