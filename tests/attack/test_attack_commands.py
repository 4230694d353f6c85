"""What does a careless hand at the command line destroy? Nothing: a folder, a key, an account are refused in one line."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa
from hostile_bundle import honest, signed, write

from dauys.cli.main import main, one_line
from dauys.cli.run import pace
from dauys.errors import BadInput, DauysError
from dauys.publish.bundle import place_for
from dauys.publish.verify import verify
from dauys.record.note import COSIGNATURE, SigningKey
from dauys.record.witness_run import http_fetch
from dauys.stations.accounts import first_account, make_account, sign_in
from dauys.stations.states import Role
from dauys.store.engine import open_store

NOW = datetime(2022, 6, 5, 15, tzinfo=UTC)


def stopped(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as found:
        main(list(args))
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return found.value.code, said.err


def test_a_bundle_replaces_nothing_but_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--out ~/Documents` once put the bundle there, and threw away what had been there."""
    kept = tmp_path / "documents"
    kept.mkdir()
    assert place_for(kept) == kept
    assert place_for(tmp_path / "new/deeper") == tmp_path / "new/deeper"
    (kept / "README.txt").write_text("mine")
    bundle = write(tmp_path / "bundle", [signed(body) for body in honest()])
    assert place_for(bundle) == bundle
    (bundle / "notes").write_text("mine")
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    for place in (kept, bundle, tmp_path / "file", Path("/"), Path(), Path("documents/../documents")):
        with pytest.raises(BadInput, match="--out"):
            place_for(place)
    assert (kept / "README.txt").read_text() == (bundle / "notes").read_text() == "mine"


def test_run_refuses_the_folder_before_the_night(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAUYS_HOME", str(tmp_path / "home"))
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents/thesis").touch()
    small = Path(__file__).resolve().parents[1] / "end_to_end/small"
    code, said = stopped(capsys, "run", str(small), "--out", "documents")
    assert code == 2 and "thesis" in said and len(said.splitlines()) == 1
    assert not (tmp_path / "home").exists()


def test_a_key_is_whole_or_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that no key can have once left an empty key behind, which stopped every later start."""
    code, said = stopped(capsys, "witness", "nowhere", "--name", "a b", "--state", str(tmp_path), "--key-only")
    assert code == 2 and "spaces" in said
    assert not (tmp_path / "witness.key").exists()
    with pytest.raises(DauysError):
        SigningKey.generate("a\nb", COSIGNATURE).save(tmp_path / "x.key")
    assert not (tmp_path / "x.key").exists()


def test_a_replay_so_slow_that_no_clock_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("dauys.cli.run.time.sleep", sleep)
    wait = pace(1e-300)
    wait(NOW)
    with pytest.raises(KeyboardInterrupt):
        wait(NOW.replace(hour=16))
    assert max(slept) <= 3600


@pytest.mark.parametrize(
    "url", ["postgresql://:::", "postgresql://a:b@c:x/d", "mysql://x", "postgres", "postgresql://h:99999999/d"]
)
def test_an_address_that_no_database_has(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAUYS_DATABASE_URL", url)
    with pytest.raises(DauysError):
        open_store()


@pytest.mark.database
def test_accounts_that_nobody_can_tell_apart(connection: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    first_account(connection, "clerk", "correct horse battery")
    for name in ("", " ", "clerk ", "\tclerk", "cl\x1b[2Jerk", "cl\u202eerk", "a\nb", "\0", "x" * 101, "\ud800"):
        with pytest.raises(DauysError):
            make_account(connection, name, Role.CLERK, "correct horse battery")
    with pytest.raises(BadInput, match="no such station"):
        make_account(connection, "s", Role.STATION, "correct horse battery", poll="test/none", station="none")
    with pytest.raises(BadInput, match="no such station"):
        make_account(connection, "s", Role.STATION, "correct horse battery", poll="\0", station="\ud800")
    bytes_as_they_are = b"\xff".decode("utf-8", "surrogateescape") * 13
    make_account(connection, "old", Role.CLERK, bytes_as_they_are)
    assert sign_in(connection, "old", bytes_as_they_are, NOW)
    assert not sign_in(connection, "old", "x" * 100_000, NOW)


def test_a_line_stays_a_line() -> None:
    assert (
        one_line("a\nb\r\x1b[31m\u202e\x9b\ud800\u00a0\u2116 5") == "a\\nb\\r\\x1b[31m\\u202e\\x9b\\ud800\u00a0\u2116 5"
    )


# --- a bundle's address --------------------------------------------------------------------------------------------


@cache
def bomb() -> bytes:
    """64 MiB of zeros in 300 kB."""
    return gzip.compress(bytes(64 << 20), 1)


class Hostile(http.server.BaseHTTPRequestHandler):
    """A publisher's server that answers as no server should."""

    def log_message(self, *args: object) -> None: ...

    def drip(self) -> None:
        """A byte at a time, in the body or in the middle of the headers, until the reader goes."""
        if "body" in self.path:
            self.send_response(200)
            self.end_headers()
        else:
            self.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"x")
                time.sleep(0.02)

    def do_GET(self) -> None:
        answers: dict[str, tuple[int, dict[str, str], bytes]] = {
            "bomb": (200, {"Content-Encoding": "gzip", "Content-Length": str(len(bomb()))}, bomb()),
            "loop": (302, {"Location": self.path}, b""),
            "file": (302, {"Location": "file:///etc/passwd"}, b""),
            "nowhere": (302, {"Location": "http://[::"}, b""),
            "encoding": (200, {"Content-Encoding": "gzip"}, b"junk"),
            "short": (200, {"Content-Length": "100"}, b"x"),
            "broken": (500, {}, b""),
        }
        if "drip" in self.path:
            self.drip()
            return
        status, headers, body = answers[self.path.split("/")[1]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def publisher() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_server_that_sends_byte_by_byte_holds_nobody(publisher: str, part: str) -> None:
    """No single read is too slow, and the whole would never end."""
    began = time.monotonic()
    with pytest.raises(DauysError, match=r"no record to check.*longer than 0.3 seconds"):
        verify(http_fetch(f"{publisher}/drip-{part}", seconds=0.3))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("way", ["bomb", "loop", "file", "nowhere", "encoding", "short", "broken"])
def test_a_server_that_answers_as_none_should(publisher: str, way: str) -> None:
    with pytest.raises(DauysError, match="no record to check"):
        verify(http_fetch(f"{publisher}/{way}"))


@pytest.mark.parametrize("address", ["http://", "http://[::", "http://" + "a" * 300, "http://xn--a/", "http://a b/", "http://a:99999/",
                                     "http://\udcff/", "http://\0/", "https://127.0.0.1:1/"])  # fmt: skip
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(DauysError, match="no record to check"):
        verify(http_fetch(address))
