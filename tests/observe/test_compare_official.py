"""Does a mission read the record that was signed, and see when another one is shown?"""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from compared_world import CONTEST, KEY, World, fetch_of_files, protocol

from dauys.errors import DauysError
from dauys.observe.known.official import official_frame, read_official, read_record, record_address
from dauys.observe.sample.frame import record_frame
from dauys.record.checkpoint import Checkpoint, sign
from dauys.record.note import SigningKey


@pytest.fixture(scope="module")
def world() -> World:
    return World().count("KZ11-0000", checks={"KZ15-0001": ("F.101",), "KZ15-0002": ("W.201",)})


def test_what_the_record_says(world: World) -> None:
    found = world.official()
    assert (found.size, len(found.stations), len(found.protocols)) == (len(world.entries), 102, 101)
    assert (CONTEST, "KZ11-0000") not in found.protocols
    assert not found.protocols[CONTEST, "KZ15-0001"].counted and found.protocols[CONTEST, "KZ15-0002"].counted
    name = "KZ19-0003"
    held = found.protocols[CONTEST, name]
    assert held.values == protocol(world.stations[name]) and held.index == world.held[name] and not held.earlier
    data, sha256 = official_frame(found)
    assert data == record_frame(world.fetch()) and len(sha256) == 64
    assert found.log_key == str(KEY.vkey) and not found.declared and found.note.startswith(KEY.name)


def test_a_later_reading_reads_only_what_is_new() -> None:
    world = World(20).count()
    first = world.official()
    assert world.official(first) is first
    name = "KZ23-0002"
    entry = world.correct(name, yes=1, no=2)
    world.annul(area="KZ11", repeat=True)
    world.annul(station="KZ15-0003")
    world.say("declaration", "declaration/final", {"stage": "final", "size": 1, "contests": []}, 1000)
    asked: list[str] = []

    def fetch(path: str) -> bytes:
        asked.append(path)
        return world.fetch()(path)

    found = read_record(fetch, "", first)
    assert {path.partition(".p/")[0] for path in asked} == {
        "checkpoint",
        "tile/entries/001",
    }  # the first 256 are not read again
    held = found.protocols[CONTEST, name]
    assert (held.values["yes"], held.index, held.earlier[0].reason) == (1, entry, "a slip of the pen")
    assert held.earlier[0].values["yes"] == protocol(world.stations[name])["yes"]
    assert (
        held.earlier[0].index == first.protocols[CONTEST, name].index and held.at == first.protocols[CONTEST, name].at
    )
    assert not found.protocols[CONTEST, "KZ11-0004"].counted and not found.protocols[CONTEST, "KZ15-0003"].counted
    assert found.protocols[CONTEST, "KZ15-0004"].counted and found.declared
    assert found.is_annulled(CONTEST, "KZ11-0001") and not found.is_annulled(CONTEST, "KZ15-0001")
    assert first.protocols[CONTEST, "KZ11-0004"].counted  # what was read before stays what it was
    again = world.official()
    assert (again.protocols, again.annulled, again.tree) == (found.protocols, found.annulled, found.tree)


def test_what_is_annulled_stays_so_whatever_is_corrected() -> None:
    world = World().count()
    world.annul(station="KZ11-0003")
    world.annul(area="KZ15")
    for name in ("KZ11-0003", "KZ15-0001"):
        world.correct(name, yes=1)
    found = world.official()
    for name in ("KZ11-0003", "KZ15-0001"):
        assert found.protocols[CONTEST, name].values["yes"] == 1 and not found.protocols[CONTEST, name].counted


def test_another_record_is_seen(world: World) -> None:
    first = world.official()
    other = World().count()
    with pytest.raises(
        DauysError, match="does not extend the one shown before"
    ):  # as long or longer, with another past
        other.official(first)
    shorter = World()
    with pytest.raises(DauysError, match="does not extend the one shown before: it had"):
        shorter.official(first)
    split = World().count("KZ11-0001", checks={"KZ15-0001": ("F.101",), "KZ15-0002": ("W.201",)})
    assert len(split.entries) == len(world.entries)
    with pytest.raises(DauysError, match="two roots"):
        split.official(first)


def test_what_is_not_signed_or_not_committed_to_is_refused(world: World) -> None:
    files = world.files()
    path = next(name for name in files if name.startswith("tile/entries"))
    changed = files | {path: files[path].replace(b'"yes":1', b'"yes":2', 1)}
    assert changed[path] != files[path]
    with pytest.raises(DauysError, match="not those that its signed checkpoint commits to"):
        read_record(fetch_of_files(changed))
    stranger = SigningKey.from_seed(KEY.name, b"\x09" * 32)
    forged = files | {"checkpoint": sign(Checkpoint(KEY.name, 1, b"\x00" * 32), stranger).encode()}
    with pytest.raises(DauysError, match="not signed by"):
        read_record(fetch_of_files(forged))
    with pytest.raises(DauysError, match="not signed by"):
        read_record(fetch_of_files(world.files(stranger)), str(KEY.vkey))
    with pytest.raises(DauysError, match="follows the record of"):
        read_record(fetch_of_files(files), str(stranger.vkey), world.official())
    with pytest.raises(DauysError, match="no checkpoint"):
        read_record(fetch_of_files({"keys.json": files["keys.json"]}))
    with pytest.raises(DauysError, match="names no key"):
        read_record(fetch_of_files({}))
    with pytest.raises(DauysError, match="cannot be read to its end"):
        read_record(fetch_of_files({name: data for name, data in files.items() if "entries" not in name}))


def test_an_entry_that_is_none_is_one_message() -> None:
    world = World()
    world.say("protocol", "protocol/x", {"station": "KZ11-0001", "contest": CONTEST, "values": {"yes": "many"}})
    with pytest.raises(DauysError, match=r"entry 2 of the record is not what its kind should be.*dauys verify"):
        world.official()


def test_addresses() -> None:
    assert record_address("http://h:8040/en/polls/kz/2022-referendum/") == "http://h:8040/record/kz/2022-referendum"
    assert record_address("https://h/record/kz/2022-referendum/") == "https://h/record/kz/2022-referendum"
    with pytest.raises(DauysError, match="there is no record"):
        read_official("no/such/folder")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_over_http_and_from_a_folder_it_is_the_same_record(world: World, tmp_path: Path) -> None:
    world.folder(tmp_path / "record" / "kz" / "x")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        site = f"http://127.0.0.1:{server.server_port}"
        found = read_official(f"{site}/en/polls/kz/x/")
        assert found == read_official(str(tmp_path / "record" / "kz" / "x"))
        assert read_official(f"{site}/record/kz/x", str(KEY.vkey), found) is found
        with pytest.raises(DauysError, match="names no key"):
            read_official(f"{site}/record/kz/other")
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(DauysError, match="cannot be read"):
        read_official(f"{site}/record/kz/x", str(KEY.vkey))
