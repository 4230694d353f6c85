"""Does a witness follow a published log over rounds, remember what it saw, and send its line?"""

from __future__ import annotations

import http.server
import json
import threading
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from dauys.cli.main import tree
from dauys.errors import DauysError
from dauys.record import checkpoint
from dauys.record.checkpoint import Checkpoint
from dauys.record.note import COSIGNATURE, SigningKey, parse
from dauys.record.tiles import TileError, Unreachable, folder_fetch, write_tiles
from dauys.record.witness import WitnessRefusal, verify_cosignature
from dauys.record.witness_run import http_fetch, witness_once

LOG = SigningKey.from_seed("example.org/log", bytes(range(32)))
WITNESS = SigningKey.from_seed("observers.example/w1", bytes([1] * 32), COSIGNATURE)
NOW = 1_654_444_800


def publish(folder: Path, size: int, word: str = "entry", key: SigningKey = LOG) -> None:
    folder.mkdir(exist_ok=True)
    tree = write_tiles(folder, (f"{word} {index}".encode() for index in range(size)))
    (folder / "checkpoint").write_text(checkpoint.sign(Checkpoint("example.org/log", size, tree.root()), key))
    (folder / "keys.json").write_text(json.dumps({"log": str(LOG.vkey), "witnesses": []}))


@pytest.fixture
def log(tmp_path):
    publish(tmp_path / "log", 300)
    return tmp_path / "log"


def test_rounds_over_a_folder(log, tmp_path):
    state = tmp_path / "state"
    first = witness_once(log, WITNESS, state, NOW)
    assert (first.before, first.size, first.posted, first.log_key) == (None, 300, False, str(LOG.vkey))
    assert verify_cosignature(parse((log / "checkpoint").read_text()).text, first.line, WITNESS.vkey)
    publish(log, 70_000)
    second = witness_once(log, WITNESS, state, NOW + 60)
    assert (second.before, second.size) == (300, 70_000)
    again = witness_once(str(log), WITNESS, state, NOW + 120)
    assert (again.before, again.size) == (70_000, 70_000)


@pytest.mark.parametrize(
    ("size", "word", "message"),
    [(200, "entry", "shrank"), (300, "other", "split"), (400, "other", "rewritten")],
)
def test_a_log_that_misbehaves_is_refused_and_the_memory_kept(log, tmp_path, size, word, message):
    state = tmp_path / "state"
    witness_once(log, WITNESS, state, NOW)
    remembered = (state / "witnessed.json").read_bytes()
    cosigned = (log / "checkpoint").read_bytes()
    publish(log, size, word)
    for _ in range(2):
        with pytest.raises(WitnessRefusal, match=f"{message}.*refused-{size}.note"):
            witness_once(log, WITNESS, state, NOW + 60)
    assert (state / "witnessed.json").read_bytes() == remembered
    assert (state / "cosigned.note").read_bytes() == cosigned
    assert (state / f"refused-{size}.note").read_bytes() == (log / "checkpoint").read_bytes()
    for note in (cosigned, (state / f"refused-{size}.note").read_bytes()):
        assert checkpoint.verify(parse(note), LOG.vkey).size in (300, size)
    publish(log, 200, "a third")
    with pytest.raises(WitnessRefusal, match="shrank"):
        witness_once(log, WITNESS, state, NOW + 120)
    refused = {path.name for path in state.glob("refused-*")}
    assert refused == {f"refused-{size}.note", "refused-200-2.note" if size == 200 else "refused-200.note"}


def test_a_line_that_breaks_is_no_refusal(log, tmp_path):
    state, whole = tmp_path / "state", folder_fetch(log)
    witness_once(log, WITNESS, state, NOW)
    publish(log, 400)

    def broken(path: str) -> bytes:
        if path.startswith("tile/"):
            raise Unreachable("timed out")
        return whole(path)

    with pytest.raises(DauysError, match="timed out") as caught:
        witness_once(log, WITNESS, state, NOW + 60, broken)
    assert not isinstance(caught.value, WitnessRefusal)
    assert list(state.glob("refused-*")) == []
    assert witness_once(log, WITNESS, state, NOW + 120).size == 400


def test_the_command_goes_on_after_a_hiccup_and_stops_at_a_refusal(log, tmp_path, monkeypatch):
    rounds = iter([log / "away", log / "checkpoint", None])

    def sleep(seconds: float) -> None:
        assert seconds == 5
        if next(rounds) == log / "away":
            (log / "away").rename(log / "checkpoint")
        else:
            publish(log, 200)

    monkeypatch.setattr("dauys.cli.witness.time.sleep", sleep)
    (log / "checkpoint").rename(log / "away")
    args = ["witness", str(log), "--state", str(tmp_path / "state"), "--every", "5", "--json"]
    done = CliRunner().invoke(tree, args, standalone_mode=False)
    assert done.return_value == 1, done.output
    first, last = map(json.loads, done.stdout.splitlines())
    assert first["size"] == 300
    assert set(last) == {"refused", "vkey"} and "shrank" in last["refused"]
    assert done.stderr.count("trying again in 5 s") == 1
    assert (tmp_path / "state/refused-200.note").read_bytes() == (log / "checkpoint").read_bytes()


def test_a_log_that_hides_its_tiles_is_refused(log, tmp_path):
    state = tmp_path / "state"
    witness_once(log, WITNESS, state, NOW)
    publish(log, 400)
    (log / "tile/0/001.p/144").unlink()
    with pytest.raises(WitnessRefusal, match="does not show how it grew from 300"):
        witness_once(log, WITNESS, state, NOW)


def test_the_key_of_the_log_is_pinned(log, tmp_path):
    state = tmp_path / "state"
    other = SigningKey.from_seed("example.org/log", bytes(32))
    with pytest.raises(WitnessRefusal, match="not the log's"):
        witness_once(log, WITNESS, state, NOW, log_key=other.vkey)
    assert not (state / "witnessed.json").exists()
    witness_once(log, WITNESS, state, NOW, log_key=LOG.vkey)
    with pytest.raises(WitnessRefusal, match="use another state folder"):
        witness_once(log, WITNESS, state, NOW, log_key=other.vkey)
    publish(log, 301, key=other)
    (log / "keys.json").write_text(json.dumps({"log": str(other.vkey)}))
    with pytest.raises(WitnessRefusal, match="not the log's"):
        witness_once(log, WITNESS, state, NOW)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"log": 5}', "\x00"])
def test_keys_that_name_no_key_are_said(log, tmp_path, text):
    (log / "keys.json").write_text(text)
    with pytest.raises(DauysError, match="give the key yourself"):
        witness_once(log, WITNESS, tmp_path / "state", NOW)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"size":1}', b"\xff"])
def test_a_damaged_memory_is_never_taken_for_none(log, tmp_path, data):
    state = tmp_path / "state"
    witness_once(log, WITNESS, state, NOW)
    (state / "witnessed.json").write_bytes(data)
    with pytest.raises(DauysError, match="must not forget"):
        witness_once(log, WITNESS, state, NOW)


def test_what_was_seen_is_saved_before_the_line_is_sent(log, tmp_path):
    state, sent = tmp_path / "state", []

    def post(url: str, line: str) -> None:
        assert json.loads((state / "witnessed.json").read_bytes())["size"] == 300
        sent.append((url, line))

    report = witness_once("https://log.example/", WITNESS, state, NOW, folder_fetch(log), post)
    assert sent == [("https://log.example/cosign", report.line)]
    assert report.posted


class _Handler(http.server.SimpleHTTPRequestHandler):
    received: list[tuple[str, str, bytes]]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).received.append((self.path, self.headers["Content-Type"], body))
        self.send_response(200 if self.path == "/cosign" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_round_over_http(log, tmp_path):
    handler = type("Handler", (_Handler,), {"received": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(log)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        witness_once(base, WITNESS, tmp_path / "state", NOW)
        publish(log, 700)
        report = witness_once(base, WITNESS, tmp_path / "state", NOW + 60)
        assert (report.before, report.size) == (300, 700)
        assert handler.received[-1] == ("/cosign", "text/plain; charset=utf-8", report.line.encode())
        with pytest.raises(DauysError, match="did not take the cosignature"):
            witness_once(f"{base}/nowhere", WITNESS, tmp_path / "other", NOW, folder_fetch(log))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    with pytest.raises(TileError, match="cannot be read"):
        http_fetch(base)("checkpoint")
