"""What do the commands of a station say, and what do they refuse?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from pollbook_sample import MORNING
from station_world import FakeCentre, enrolled, person

from dauys.cli.main import tree
from dauys.cli.station import CODE, SERVING, Served
from dauys.errors import BadInput, DauysError
from dauys.pollbook.machine.enrolling import open_station
from dauys.pollbook.station import door as station_door
from dauys.pollbook.station.door import Door


@pytest.fixture(autouse=True)
def cheap_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station_door, "COST", 1 << 4)


@pytest.fixture
def centre() -> Iterator[tuple[FakeCentre, str]]:
    made = FakeCentre({"1": [person(n) for n in range(1, 4)]})
    server = made.serve()
    yield made, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def call(*args: str | Path, code: str = "") -> Result:
    return CliRunner().invoke(tree, ["station", *map(str, args)], env={CODE: code})


def test_enrolling_tells_the_centre_and_prints_the_first_pin_once(
    centre: tuple[FakeCentre, str], tmp_path: Path
) -> None:
    file, code = centre[0].package(tmp_path, "1")
    folder = tmp_path / "s"
    done = call("enrol", file, "--centre", centre[1], "--folder", folder, code=code)
    assert (
        done.exit_code == 0 and "3 voters" in done.output and "first PIN of Aigul (c1), shown only now: " in done.output
    )
    again = call("enrol", file, "--centre", centre[1], "--folder", folder, "--json", code=code)
    assert json.loads(again.stdout)["pins"] == {} and json.loads(again.stdout)["told"] is True
    keep = open_station(folder)
    pin = done.output.rpartition(": ")[2].strip()
    assert Door(keep, lambda: keep.package.lease).sign_in("c1", pin).officer == "c1"
    assert keep.log in centre[0].centre.logs
    keep.close()


def test_enrolling_works_with_the_wire_cut(centre: tuple[FakeCentre, str], tmp_path: Path) -> None:
    centre[0].cut = True
    file, code = centre[0].package(tmp_path, "1")
    done = call("enrol", file, "--centre", centre[1], "--folder", tmp_path / "s", code=code)
    assert (
        done.exit_code == 0 and "the station cannot be opened" in done.output and "connect this machine" in done.output
    )
    keep = open_station(tmp_path / "s")
    assert not keep.book.told
    keep.close()
    centre[0].cut = False
    said = call("enrol", file, "--centre", centre[1], "--folder", tmp_path / "s", "--json", code=code)
    assert json.loads(said.stdout)["told"] is True


def test_a_station_of_the_same_generation_elsewhere_is_refused(centre: tuple[FakeCentre, str], tmp_path: Path) -> None:
    """A package that was copied: the second machine has another key, and the centre does not take it."""
    file, code = centre[0].package(tmp_path, "1")
    assert call("enrol", file, "--centre", centre[1], "--folder", tmp_path / "s", code=code).exit_code == 0
    copied = call("enrol", file, "--centre", centre[1], "--folder", tmp_path / "t", code=code)
    assert isinstance(copied.exception, DauysError) and "P.019" in str(copied.exception)
    keep = open_station(tmp_path / "t")
    assert "empty folder" in keep.book.stopped
    keep.close()


def test_only_a_trial_sets_its_clock(tmp_path: Path) -> None:
    for trial in (False, True):
        centre = FakeCentre({"1": [person(1)]}, trial=trial)
        folder = tmp_path / str(trial)
        folder.mkdir()
        keep = enrolled(centre, folder, "1")
        if not trial:
            with pytest.raises(BadInput, match=r"P\.013"):
                Served(keep, folder, "127.0.0.1", 0, 60, MORNING, syncing=False)
        else:
            with Served(keep, folder, "127.0.0.1", 0, 60, MORNING, syncing=False) as served:
                assert "05.06.2022 10:3" in httpx.get(f"{served.address}/en/in").text
        keep.close()


def test_pins_ports_and_stores_in_use(tmp_path: Path) -> None:
    centre = FakeCentre({"1": [person(n) for n in range(1, 4)]})
    keep = enrolled(centre, tmp_path, "1")
    folder = tmp_path / "1"
    busy = call("pin", "c1", "--folder", folder)
    assert isinstance(busy.exception, BadInput) and busy.exception.check == "P.017"
    with Served(keep, folder, "127.0.0.1", 0, 60, None, syncing=False) as served:
        assert json.loads((folder / SERVING).read_text())["site"] == served.address
        port = int(served.address.rpartition(":")[2])
        with pytest.raises(DauysError, match="cannot be bound"):
            Served(keep, folder, "127.0.0.1", port, 60, None)
    keep.close()
    made = call("pin", "m1", "--folder", folder, "--json")
    assert len(json.loads(made.stdout)["pin"]) == 6
    unknown = call("pin", "nobody", "--folder", folder)
    assert isinstance(unknown.exception, BadInput) and unknown.exception.check == "P.029"
    nothing = call("--folder", tmp_path / "nothing")
    assert isinstance(nothing.exception, BadInput) and "enrol" in str(nothing.exception)


def test_what_names_voters_is_for_its_owner_alone_though_a_file_for_all_lay_there(tmp_path: Path) -> None:
    centre = FakeCentre({"1": [person(n) for n in range(1, 4)]})
    enrolled(centre, tmp_path, "1").close()
    folder = tmp_path / "1"
    for command, name, begins in (
        ("print", "list.html", "<!DOCTYPE html>"),
        ("envelopes", "envelopes.csv", "number,event,iin\n"),
    ):
        (folder / name).write_text("yesterday's", "utf-8")
        (folder / name).chmod(0o644)
        assert call(command, "--folder", folder).exit_code == 0
        assert (folder / name).read_text("utf-8").lower().startswith(begins.lower())
        assert (folder / name).stat().st_mode & 0o777 == 0o600, name


def test_the_machine_of_the_electronic_channel(tmp_path: Path) -> None:
    """Enrolled as a station is; then a token instead of PINs, an API instead of the officers' pages, on this machine alone."""
    centre = FakeCentre({"remote": []})
    server, folder = centre.serve(), tmp_path / "remote"
    try:
        file, code = centre.package(tmp_path, "remote")
        address = f"http://127.0.0.1:{server.server_port}"
        said = json.loads(call("enrol", file, "--centre", address, "--folder", folder, "--json", code=code).stdout)
    finally:
        server.shutdown()
        server.server_close()
    assert said["told"] and said["pins"] == {} and said["station"] == "remote"
    token = Path(said["token"]).read_text().strip()
    assert Path(said["token"]).stat().st_mode & 0o777 == 0o600
    for refused in (call("pin", "voting-system", "--folder", folder), call("print", "--folder", folder)):
        assert isinstance(refused.exception, DauysError) and "neither officers nor a list" in str(refused.exception)
    elsewhere = call("--folder", folder, "--host", "0.0.0.0")
    assert isinstance(elsewhere.exception, BadInput) and "on this machine alone" in str(elsewhere.exception)
    keep = open_station(folder)
    with Served(keep, folder, "127.0.0.1", 0, 60, None, syncing=False) as served:
        state = f"{served.address}/api/remote/state"
        assert httpx.get(state).status_code == 401
        assert httpx.get(state, headers={"authorization": f"Bearer {token}"}).json()["used"] == 0
        assert "The electronic channel" in httpx.get(f"{served.address}/en").text
        assert httpx.get(f"{served.address}/en/in").status_code == 404
    keep.close()
