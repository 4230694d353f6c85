"""Does the second verifier accept a good bundle and name what someone without the log's key does to its files?"""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from signed_bundle import LOG, VERIFIER, WITNESS, answer, failed, publish, the_poll

from dauys.record import checkpoint
from dauys.record.checkpoint import Checkpoint
from dauys.record.note import SigningKey, parse
from dauys.record.tiles import entry_bundle, split_bundle
from dauys.record.witness import cosignature


@pytest.fixture
def bundle(tmp_path):
    return publish(tmp_path, the_poll())


def test_it_stands_alone():
    parts = ("independent_reader", "independent_roll", "independent_observers")
    for path in (VERIFIER, *(VERIFIER.with_name(f"{part}.py") for part in parts)):
        text = path.read_text()
        assert len(text.splitlines()) <= 400
        modules = set(re.findall(r"^\s*(?:import|from) ([a-z_0-9]+)", text, re.MULTILINE))
        assert modules <= set(sys.stdlib_module_names) | {"cryptography", *parts}


def test_a_good_bundle(bundle):
    found = answer(bundle, "--key", str(LOG.vkey))
    assert [check for check in found["checks"] if not check["ok"]] == []
    assert [check["id"] for check in found["checks"]] == [f"V.{number:02}" for number in range(1, 16)]


def test_a_bundle_at_an_address(bundle):
    """The same answer as for the folder, word for word; also where something is wrong, or nothing is there."""
    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(bundle)))
    Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    address = f"http://127.0.0.1:{served.server_port}"
    try:
        assert answer(f"{address}/", "--key", str(LOG.vkey)) == answer(bundle, "--key", str(LOG.vkey))
        replace_in(bundle / "results.json", b'"adopted"', b'"rejected"')
        assert failed(address) == failed(bundle) != []
        assert failed(f"{address}/nothing")[0] == "V.01"
    finally:
        served.shutdown()
        served.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        return


def replace_in(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


# What someone without the log's key can do to the files.


def test_a_changed_digit(bundle):
    replace_in(next((bundle / "tile/entries").glob("*.p/13")), b'"yes":50', b'"yes":51')
    assert failed(bundle)[0] == "V.03"
    assert {"V.03", "V.06", "V.08", "V.10"} <= set(failed(bundle))


def test_a_reordered_entry(bundle):
    path = next((bundle / "tile/entries").glob("*.p/13"))
    entries = split_bundle(path.read_bytes())
    entries[3], entries[4] = entries[4], entries[3]
    path.write_bytes(entry_bundle(entries))
    assert failed(bundle) == ["V.03", "V.04", "V.12"]


def test_a_missing_entry(bundle):
    path = next((bundle / "tile/entries").glob("*.p/13"))
    path.write_bytes(entry_bundle(split_bundle(path.read_bytes())[:-1]))
    assert failed(bundle) == ["V.01"]


@pytest.mark.parametrize("name", ["checkpoint", "keys.json", "results.json", "stations.csv", "tile/0/000.p/13"])
def test_a_missing_file(bundle, name):
    (bundle / name).unlink()
    assert failed(bundle) == (["V.01", "V.02"] if name in ("checkpoint", "keys.json") else ["V.01"])


def test_a_changed_tile(bundle):
    path = bundle / "tile/0/000.p/13"
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    assert failed(bundle) == ["V.03"]


def test_a_forged_checkpoint(bundle):
    other = SigningKey.from_seed(LOG.name, bytes([9] * 32))
    forged = checkpoint.sign(Checkpoint.parse(parse((bundle / "checkpoint").read_text()).text), other)
    (bundle / "checkpoint").write_text(forged)
    assert failed(bundle) == ["V.02"]
    replace_in(bundle / "keys.json", str(LOG.vkey).encode(), str(other.vkey).encode())
    assert failed(bundle) == ["V.04"]  # the earlier checkpoint is still the log's own
    assert failed(bundle, str(LOG.vkey)) == ["V.02", "V.04"]


def test_a_shortened_checkpoint(bundle):
    replace_in(bundle / "checkpoint", b"\n13\n", b"\n12\n")
    assert failed(bundle) == ["V.01", "V.02"]


def test_a_forged_cosignature(bundle):
    note = parse((bundle / "checkpoint").read_text())
    line = cosignature(note.text + "x\n", WITNESS, 1_654_444_800)
    (bundle / "checkpoint").write_text(str(note.with_signature(line)))
    assert failed(bundle) == ["V.04"]


def test_an_earlier_checkpoint_of_another_record(bundle):
    (bundle / "checkpoints/5").write_text(checkpoint.sign(Checkpoint(LOG.name, 5, bytes(32)), LOG))
    assert failed(bundle) == ["V.04"]


@pytest.mark.parametrize(
    ("name", "old", "new", "number"),
    [
        ("results.json", b'"participated": 140', b'"participated": 141', "V.12"),
        ("results.json", b'"outcome": "adopted"', b'"outcome": "rejected"', "V.12"),
        ("results.json", b'"name": "North"', b'"name": "South"', "V.12"),
        ("results.json", b'"reconstruction": true', b'"reconstruction": false', "V.12"),
        ("stations.csv", b"s1,A,q,", b"s1,B,q,", "V.12"),
        ("stations.csv", b"s1,A,q,3,,100,", b"s1,A,q,4,,100,", "V.12"),
        ("stations.csv", b"s1,A,q,3,,100,", b"s1,A,q,3,W.101,100,", "V.12"),
        ("stations.csv", b"s1,A,q,3,,100,", b"s1,A,q,3,,101,", "V.12"),
        ("stations.csv", b"100,reconstruction,100,80,", b"100,protocol,100,80,", "V.12"),
        ("stations.csv", b",100,80,", b",100,81,", "V.12"),
        ("stations.csv", b"s1,A,q,3,,100,reconstruction,100,80,50,30,\n", b"", "V.07"),
        ("README.txt", b"reconstruction", b"result", "V.13"),
    ],
)
def test_a_changed_file(bundle, name, old, new, number):
    replace_in(bundle / name, old, new)
    assert failed(bundle) == [number]


@pytest.mark.parametrize("data", [b"", b"nothing\n", b"\xff\xfe", b"a\n-1\nAAAA\n\n"])
def test_nonsense_is_an_answer_and_no_traceback(bundle, data):
    (bundle / "checkpoint").write_bytes(data)
    assert not answer(bundle)["ok"]
    (bundle / "keys.json").write_bytes(data)
    assert failed(bundle) == ["V.01", "V.02"]


def test_an_earlier_checkpoint_that_the_bundle_names_is_missed(bundle):
    (name,) = [path.name for path in (bundle / "checkpoints").iterdir()]
    keys = json.loads((bundle / "keys.json").read_text())
    (bundle / "keys.json").write_text(json.dumps(keys | {"checkpoints": [int(name)]}))
    assert failed(bundle) == []
    (bundle / f"checkpoints/{name}").unlink()
    assert failed(bundle) == ["V.04"]


def test_while_nothing_is_declared_the_published_sums_are_added_again(tmp_path):
    night = publish(tmp_path / "night", the_poll(), over=False)
    assert failed(night) == []
    replace_in(night / "results.json", b'"stage": "counting"', b'"stage": "final"')
    assert failed(night) == ["V.12"]
    replace_in(night / "results.json", b'"stage": "final"', b'"stage": "counting"')
    results = (night / "results.json").read_text()
    (night / "results.json").write_text(results.replace('"participated": 140', '"participated": 141'))
    assert failed(night) == ["V.10"]
