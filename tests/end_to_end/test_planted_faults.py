"""Does every change to a published bundle fail, by the right number, in both verifiers?

Two kinds: whoever changes files after publication has no key; an insider has the log's and the commission's keys, makes the
whole log again around the lie and signs it. Against the insider stand what the entries prove by themselves, and witnesses.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dauys_command import SMALL_STATE, answer, copy_of, independent

from conftest import Ran
from dauys.publish.verify import verify
from dauys.record.canonical import canonical
from dauys.record.checkpoint import Checkpoint
from dauys.record.checkpoint import sign as sign_checkpoint
from dauys.record.note import SigningKey
from dauys.record.tiles import folder_fetch, read_entries, write_tiles
from independent_verifier import verify as verify_independently

pytestmark = pytest.mark.database


def failed(bundle: Path, *args: str) -> tuple[set[str], set[str]]:
    """The numbers that fail in the package's verifier and in the independent one."""
    checks = verify(folder_fetch(bundle), *args)
    assert all(check.found for check in checks if not check.ok)
    theirs = verify_independently(bundle, *args)["checks"]
    return {check.id for check in checks if not check.ok}, {check["id"] for check in theirs if not check["ok"]}


def test_the_untouched_bundle_is_proven(small: Ran) -> None:
    assert (small.bundle / "checkpoint").read_text().splitlines()[:3] == SMALL_STATE
    assert answer(small.folder, "verify", small.bundle)["ok"] is True
    assert independent(small.bundle) == (True, set())


def replace_in(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(bundle: Path) -> None:
        path = bundle / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    return change


def drop_line(name: str, start: str) -> Callable[[Path], None]:
    def change(bundle: Path) -> None:
        path = bundle / name
        lines = path.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(start)]
        assert len(kept) < len(lines)
        path.write_text("".join(kept))

    return change


def entry_files(bundle: Path) -> list[Path]:
    return [path for path in sorted((bundle / "tile/entries").rglob("*")) if path.is_file()]


def a_digit(bundle: Path) -> None:
    for path in entry_files(bundle):
        data = path.read_bytes()
        path.write_bytes(data.replace(b'"participated":9', b'"participated":8'))


def reordered(bundle: Path) -> None:
    for path in entry_files(bundle):
        data, entries, at = path.read_bytes(), [], 0
        while at < len(data):
            stop = at + 2 + int.from_bytes(data[at : at + 2], "big")
            entries.append(data[at:stop])
            at = stop
        entries[2:4] = entries[3:1:-1]
        path.write_bytes(b"".join(entries))


def forged_checkpoint(bundle: Path) -> None:
    other = SigningKey.generate("dauys/test/small")
    size = int((bundle / "checkpoint").read_text().splitlines()[1])
    (bundle / "checkpoint").write_text(str(sign_checkpoint(Checkpoint("dauys/test/small", size, b"\x17" * 32), other)))


def swapped_territories(bundle: Path) -> None:
    path = bundle / "results.json"
    results = json.loads(path.read_text())
    areas = results["contests"][0]["areas"]
    areas[0]["code"], areas[1]["code"] = areas[1]["code"], areas[0]["code"]
    path.write_text(json.dumps(results))


def a_hash_tile(bundle: Path) -> None:
    path = max((p for p in (bundle / "tile/0").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(bytes(data))


AFTERWARDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a digit in a protocol": (a_digit, "V.03"),
    "two entries change places": (reordered, "V.03"),
    "a forged checkpoint": (forged_checkpoint, "V.02"),
    "a station is missing from the table": (drop_line("stations.csv", "A2-05,"), "V.07"),
    "a station's territory is swapped": (replace_in("stations.csv", "A1-02,A1", "A1-02,A2"), "V.12"),
    "two territories change places": (swapped_territories, "V.12"),
    "a digit in the totals": (replace_in("results.json", '"yes": 13456', '"yes": 13457'), "V.12"),
    "another outcome": (replace_in("results.json", '"outcome": "adopted"', '"outcome": "rejected"'), "V.12"),
    "a hash tile": (a_hash_tile, "V.03"),
    "no keys": (lambda bundle: (bundle / "keys.json").unlink(), "V.01"),
    "a truncated record": (lambda bundle: entry_files(bundle)[-1].unlink(), "V.01"),
}


@pytest.mark.parametrize("fault", AFTERWARDS)
def test_a_change_after_publication(small: Ran, tmp_path: Path, fault: str) -> None:
    change, number = AFTERWARDS[fault]
    bundle = copy_of(small.bundle, tmp_path)
    change(bundle)
    ours, theirs = failed(bundle)
    assert number in ours
    assert number in theirs


def test_the_other_exports_are_compared_too(small: Ran, tmp_path: Path) -> None:
    for name in ("nist-1500-100.xml", "nist-1500-100.json", "datapackage.json", "README.txt"):
        bundle = copy_of(small.bundle, tmp_path / name)
        path = bundle / name
        path.write_text(path.read_text().replace("A small vote", "A big vote"))
        assert "V.12" in {check.id for check in verify(folder_fetch(bundle)) if not check.ok}


# --- an insider with the keys --------------------------------------------------------------------------------------

Log = list[dict[str, Any]]


def rewritten(small: Ran, folder: Path, change: Callable[[Log], None], sign: bool = True) -> Path:
    """The bundle with its whole log made again after `change`, signed with the log's key; its author's too with `sign`."""
    bundle = copy_of(small.bundle, folder)
    keys = small.folder / ".dauys/keys"
    log_key = SigningKey.load(keys / "test-small.log.key")
    commission = SigningKey.load(keys / "test-small.commission.key").private
    size = int((bundle / "checkpoint").read_text().splitlines()[1])
    entries = [json.loads(data) for data in read_entries(folder_fetch(bundle), size)]
    change(entries)
    for entry in entries if sign else ():
        if "sig" in entry and entry["by"] == "commission":
            said = {name: value for name, value in entry.items() if name not in ("sig", "checks")}
            entry["sig"] = b64encode(commission.sign(canonical(said))).decode()
    for path in [*bundle.glob("tile/**/*"), *bundle.glob("checkpoints/*")]:
        if path.is_file():
            path.unlink()
    tree = write_tiles(bundle, [canonical(entry) for entry in entries])
    note = sign_checkpoint(Checkpoint("dauys/test/small", tree.size, tree.root()), log_key)
    (bundle / "checkpoint").write_text(str(note))
    said = json.loads((bundle / "keys.json").read_text())
    (bundle / "keys.json").write_text(json.dumps(said | {"checkpoints": []}))
    return bundle


def of_kind(log: Log, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in log if entry["kind"] == kind]


def more_yes(log: Log) -> None:
    values = of_kind(log, "protocol")[2]["body"]["values"]
    values["yes"] += 10
    values["no"] -= 10


def an_unmarked_error(log: Log) -> None:
    held = next(entry for entry in of_kind(log, "protocol") if "checks" in entry)
    del held["checks"]


def a_protocol_vanishes(log: Log) -> None:
    log.remove(of_kind(log, "protocol")[4])


def a_station_moves(log: Log) -> None:
    of_kind(log, "stations")[0]["body"]["stations"][0]["area"] = "A3"


def another_outcome(log: Log) -> None:
    for entry in of_kind(log, "declaration"):
        entry["body"]["contests"][0]["decision"]["outcome"] = "rejected"


def a_softer_law(log: Log) -> None:
    tests = log[0]["body"]["contests"][0]["rule"]["tests"]
    tests[2]["areas"]["at_least"] = "1/9"


def after_closing(log: Log) -> None:
    log.append({**of_kind(log, "protocol")[0], "id": "protocol/charter/A3-07"})
    log[-1]["body"] = log[-1]["body"] | {"station": "A3-07"}


def twice(log: Log) -> None:
    place = log.index(of_kind(log, "protocol")[0])
    log.insert(place + 1, dict(log[place]))


def a_good_protocol_held_back(log: Log) -> None:
    of_kind(log, "protocol")[1]["checks"] = ["F.110"]


def an_unknown_station(log: Log) -> None:
    entry = of_kind(log, "protocol")[0]
    entry["body"]["station"] = "A9-99"


INSIDER: dict[str, tuple[Callable[[Log], None], set[str]]] = {
    "votes moved from no to yes": (more_yes, {"V.10"}),
    "an error no longer marked": (an_unmarked_error, {"V.08", "V.10"}),
    "a protocol vanishes": (a_protocol_vanishes, {"V.10"}),
    "a station counts in another territory": (a_station_moves, {"V.10"}),
    "another outcome declared": (another_outcome, {"V.11"}),
    "a softer threshold in the rule": (a_softer_law, {"V.11"}),
    "a protocol after the closing": (after_closing, {"V.05"}),
    "an entry twice": (twice, {"V.05"}),
    "a good protocol held back": (a_good_protocol_held_back, {"V.08"}),
    "a protocol of a station that is not on the list": (an_unknown_station, {"V.07"}),
}


@pytest.mark.parametrize("fault", INSIDER)
def test_an_insider_rewrites_the_log(small: Ran, tmp_path: Path, fault: str) -> None:
    change, numbers = INSIDER[fault]
    ours, theirs = failed(rewritten(small, tmp_path, change))
    assert numbers <= ours, ours
    assert numbers <= theirs, theirs
    assert not {"V.02", "V.03"} & ours  # the lie is well signed: what finds it is the recount


def test_an_insider_without_the_commissions_key(small: Ran, tmp_path: Path) -> None:
    ours, theirs = failed(rewritten(small, tmp_path, another_outcome, sign=False))
    assert "V.06" in ours
    assert "V.06" in theirs


def test_the_given_key_is_trusted_not_the_bundles(small: Ran, tmp_path: Path) -> None:
    bundle = copy_of(small.bundle, tmp_path)
    other = SigningKey.generate("dauys/test/small")
    state = Checkpoint.parse((bundle / "checkpoint").read_text().split("\n\n")[0] + "\n")
    (bundle / "checkpoint").write_text(str(sign_checkpoint(state, other)))
    keys = json.loads((bundle / "keys.json").read_text())
    commissions = keys["log"]
    (bundle / "keys.json").write_text(json.dumps(keys | {"log": str(other.vkey)}))
    ours, theirs = failed(bundle, commissions)
    assert "V.02" in ours
    assert "V.02" in theirs
