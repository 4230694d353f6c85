"""A poll and its declarations that no single entry holds: opened, declared, published, and proven by both verifiers."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sample_poll import Sample, protocol, referendum

from dauys.errors import DauysError
from dauys.law.form import Form
from dauys.observe.known.official import read_official
from dauys.polls.declaring import declare
from dauys.polls.keys import Keys, new_keys
from dauys.polls.opening import load_poll, open_poll
from dauys.polls.standing import snapshot
from dauys.publish.bundle import write_bundle
from dauys.publish.recorded_facts import facts_of_record
from dauys.publish.verify import verify
from dauys.record import log, parts
from dauys.record.canonical import canonical
from dauys.record.checkpoint import Checkpoint
from dauys.record.checkpoint import sign as sign_checkpoint
from dauys.record.tiles import folder_fetch, read_entries, write_tiles
from dauys.registers.poll import Poll
from dauys.stations.batch import one
from dauys.stations.intake import receive
from independent_verifier import verify as verify_independently

pytestmark = pytest.mark.database

POLL: Poll = replace(referendum(), id="test/parts", reconstruction=False)
OPENED = datetime(2022, 6, 5, 1, tzinfo=UTC)
Log = list[dict[str, Any]]


@pytest.fixture
def made(connection: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Keys]:
    """The bundle of a poll that was closed with everything in; entries of more than 3,000 bytes go in parts here."""
    monkeypatch.setattr(parts, "MAX_ENTRY_BYTES", 3_000)
    monkeypatch.setattr(parts, "CHARACTERS", 700)
    keys, sample = new_keys(POLL, tmp_path), Sample(POLL, per_area=2)
    open_poll(connection, POLL, sample.stations_, keys, OPENED)
    open_poll(connection, POLL, sample.stations_, keys, OPENED)  # changes nothing
    contest = POLL.contests[0]
    at = POLL.closing() + timedelta(hours=1)
    for station in sample.stations_[1:]:
        receive(connection, POLL, one(contest.id, station.id, protocol(contest, station)), by="import", at=at)
    declare(connection, POLL, keys, "final", at, close=True)
    kinds = [json.loads(data)["kind"] for _, data in log.read(connection, POLL.id)]
    assert kinds[:3] == ["poll", "part", "part"]
    assert "declaration" in kinds
    assert kinds[kinds.index("declaration") + 1] == "part"
    return write_bundle(connection, POLL.id, keys, tmp_path / "bundle"), keys


def failed(bundle: Path) -> tuple[list[str], list[str]]:
    ours = [check.id for check in verify(folder_fetch(bundle)) if not check.ok]
    return ours, [check["id"] for check in verify_independently(bundle)["checks"] if not check["ok"]]


def test_it_is_read_whole_and_proven(made: tuple[Path, Keys], connection: sa.Connection) -> None:
    bundle, _ = made
    assert failed(bundle) == ([], [])
    assert load_poll(connection, POLL.id).to_json() == POLL.to_json()
    now = snapshot(connection, POLL.id)
    assert now.stage == "final"
    official = read_official(str(bundle))
    assert official.poll.to_json() == POLL.to_json()
    assert official.declaration is not None
    assert official.declaration["stage"] == "final"
    [(seq, declared)] = log.of_kind(connection, POLL.id, "declaration")
    assert declared == log.entry_at(connection, POLL.id, seq)
    assert declared.body["size"] == seq
    assert POLL.publishes is not None
    assert facts_of_record(folder_fetch(bundle), "here").decides == {POLL.publishes.event}


def place(entries: Log, kind: str) -> int:
    return next(n for n, entry in enumerate(entries) if entry["kind"] == kind)


def a_part_is_missing(entries: Log) -> None:
    del entries[2]


def the_last_part_is_missing(entries: Log) -> None:
    del entries[place(entries, "publication") - 1]


def parts_change_places(entries: Log) -> None:
    entries[1], entries[2] = entries[2], entries[1]


def a_stray_part(entries: Log) -> None:
    at = place(entries, "protocol")
    entries.insert(at, {**entries[1], "id": "part/poll/99"})


def a_part_of_somebody(entries: Log) -> None:
    entries[1]["by"] = "import"


def another_text(entries: Log) -> None:
    text = entries[1]["body"]["text"]
    entries[1]["body"]["text"] = text[:1] + " " + text[1:]
    sealed_again(entries, 0)


def another_hash(entries: Log) -> None:
    text = entries[1]["body"]["text"]
    entries[1]["body"]["text"] = text.replace("e", "a")


def another_outcome(entries: Log) -> None:
    for entry in entries[place(entries, "declaration") :]:
        if entry["kind"] == "part":
            entry["body"]["text"] = entry["body"]["text"].replace('"outcome":"', '"outcome":"not-')
    sealed_again(entries, place(entries, "declaration"))


def sealed_again(entries: Log, at: int) -> None:
    count = entries[at]["body"]["parts"]
    text = "".join(entry["body"]["text"] for entry in entries[at + 1 : at + 1 + count])
    entries[at]["body"]["sha256"] = sha256(text.encode()).hexdigest()


FAULTS: dict[str, tuple[Callable[[Log], None], str]] = {
    "a part is missing": (a_part_is_missing, "V.05"),
    "the last part is missing": (the_last_part_is_missing, "V.05"),
    "two parts change places": (parts_change_places, "V.05"),
    "a part of nothing": (a_stray_part, "V.05"),
    "a part by somebody else": (a_part_of_somebody, "V.05"),
    "a body that is not canonical": (another_text, "V.05"),
    "a part with other words": (another_hash, "V.05"),
    "another outcome in a part": (another_outcome, "V.11"),
}


def test_an_insider_changes_parts(made: tuple[Path, Keys], tmp_path: Path) -> None:
    bundle, keys = made
    size = int((bundle / "checkpoint").read_text().splitlines()[1])
    entries = [json.loads(data) for data in read_entries(folder_fetch(bundle), size)]
    for n, (fault, (change, number)) in enumerate(FAULTS.items()):
        copy = Path(shutil.copytree(bundle, tmp_path / str(n)))
        rewrite(copy, json.loads(json.dumps(entries)), change, keys)
        ours, theirs = failed(copy)
        assert number in ours, fault
        assert number in theirs, fault
        assert not {"V.02", "V.03"} & {*ours, *theirs}, fault


def test_a_part_that_nobody_signed(made: tuple[Path, Keys], tmp_path: Path) -> None:
    bundle, keys = made
    size = int((bundle / "checkpoint").read_text().splitlines()[1])
    entries = [json.loads(data) for data in read_entries(folder_fetch(bundle), size)]
    rewrite(bundle, entries, lambda found: found[1].pop("sig"), keys)
    assert failed(bundle) == (["V.06"], ["V.06"])


def rewrite(bundle: Path, entries: Log, change: Callable[[Log], Any], keys: Keys) -> None:
    """Makes the log again after `change`, well signed: what nobody signed stays so."""
    change(entries)
    for entry in entries:
        if "sig" in entry:
            said = {name: value for name, value in entry.items() if name not in ("sig", "checks")}
            entry["sig"] = b64encode(keys.commission.sign(canonical(said))).decode()
    for path in [*bundle.glob("tile/**/*"), *bundle.glob("checkpoints/*")]:
        if path.is_file():
            path.unlink()
    tree = write_tiles(bundle, [canonical(entry) for entry in entries])
    note = sign_checkpoint(Checkpoint(f"dauys/{POLL.id}", tree.size, tree.root()), keys.log)
    (bundle / "checkpoint").write_text(str(note))
    said = json.loads((bundle / "keys.json").read_text())
    (bundle / "keys.json").write_text(json.dumps(said | {"checkpoints": []}))


def test_a_form_that_no_protocol_of_the_record_holds_is_refused(connection: sa.Connection, tmp_path: Path) -> None:
    contest = POLL.contests[0]
    fields = contest.form.fields
    options = tuple(replace(fields[-1], name=f"candidate_{n}", optional=True) for n in range(1_000))
    form: Form = replace(contest.form, fields=(*fields, *options))
    poll = replace(POLL, contests=(replace(contest, form=form),))
    with pytest.raises(DauysError, match=f"the form of {contest.id} has 1,0.. fields"):
        open_poll(connection, poll, Sample(POLL, per_area=1).stations_, new_keys(poll, tmp_path), OPENED)
    assert poll.id not in log.polls(connection)
