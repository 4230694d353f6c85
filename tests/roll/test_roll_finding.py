"""Commands about one voter: what the log says of them, the proof that he is on the published roll, and a claim's set approved."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from roll_people import COMMISSION, VAULT, apply_rows, iin_of, row
from roll_site import ANNA, NOW, POLL, OneConnection, Site, number_in, site
from test_claims_frozen import citizen, right
from test_claims_second import DIED, OTHER, STRANGER, looks, typed

from dauys.cli import pollbook_restored, roll_duplicates, roll_find, roll_rights
from dauys.cli import roll as commands
from dauys.cli.main import main
from dauys.pollbook.settling import additions
from dauys.polls.keys import Keys
from dauys.record.log import of_kind
from dauys.record.merkle import leaf_hash, verify_inclusion
from dauys.record.note import SigningKey
from dauys.roll.changes import approve
from dauys.roll.freeze import add_set, freeze
from dauys.roll.frozen import commitment
from dauys.roll.versions import in_force

pytestmark = pytest.mark.database
__all__ = ["site"]
MINE = row(1)["iin"]
Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for module in (commands, roll_find, roll_duplicates):
        monkeypatch.setattr(module, "open_store", lambda: OneConnection(site.connection))
    for module in (roll_find, roll_duplicates, roll_rights):
        monkeypatch.setattr(module, "vault_of", lambda *_: VAULT)
    keys = Keys(SigningKey.from_seed(f"dauys/{POLL}", bytes(32)), COMMISSION, None)
    monkeypatch.setattr(commands, "_vault", lambda connection: VAULT)
    for module in (commands, roll_rights):
        monkeypatch.setattr(module, "keys_of", lambda poll, folder: keys)
    monkeypatch.setattr(pollbook_restored, "data_folder", lambda: tmp_path)
    monkeypatch.setenv("USER", "dana")
    monkeypatch.setenv("LOGNAME", "dana")

    def run(*args: str, iin: str = MINE) -> tuple[int, Any]:
        monkeypatch.setenv("DAUYS_IIN", iin)
        with pytest.raises(SystemExit) as ended:
            main(["roll", *args, "--json"])
        said = capsys.readouterr().out
        return int(str(ended.value.code)), json.loads(said) if said else None

    return run


def test_who_finds_somebody_by_a_command_is_in_the_log(site: Site, run: Run, tmp_path: Path) -> None:
    assert run("find")[0] == 0 and run("find", "--by", "anna", iin=STRANGER)[0] == 1
    assert run("find", iin="791028302729")[0] == 2
    assert looks(site) == [("", "shown", "user/dana", None), ("", "shown", "anna", None)]
    twin = row(1) | {"iin": iin_of(date(1979, 10, 28), 900), "station": "B-1"}
    apply_rows(site.connection, tmp_path, [twin], kind="changes")
    run("duplicates", "find", "--processes", "0")
    pair = str(run("duplicates", "list")[1]["pairs"][0]["id"])
    assert run("duplicates", "show", pair)[0] == 0 and len(looks(site)) == 2  # nobody is shown
    assert run("duplicates", "show", pair, "--person", "--by", "boris")[0] == 0
    assert looks(site)[2:] == [("", "shown", "boris", None)] * 2


def test_a_voter_gets_what_shows_that_he_is_on_the_published_roll(site: Site, run: Run, tmp_path: Path) -> None:
    assert run("proof", POLL) == (1, {"poll": POLL, "on_roll": False})
    freeze(site.connection, VAULT, site.poll, COMMISSION, NOW)
    code, found = run("proof", POLL, "--by", "anna")
    ((_, published),) = of_kind(site.connection, POLL, "roll-stations")
    (station,) = [one for one in published.body["stations"] if one["id"] == found["station"]]
    salt, entitlement, *path = map(bytes.fromhex, (found["salt"], found["entitlement"], *found["path"]))
    leaf = commitment(POLL, "A-1", salt, entitlement)
    verify_inclusion(leaf_hash(leaf), found["index"], found["size"], path, bytes.fromhex(station["root"]))
    assert (code, found["root"], found["commitment"]) == (0, station["root"], leaf.hex())
    added = apply_rows(site.connection, tmp_path, [row(77, station="B-1")], kind="changes")
    add_set(site.connection, VAULT, site.poll, added, "left out", COMMISSION, NOW, additions)
    _, found = run("proof", POLL, iin=STRANGER)
    ((_, addition),) = of_kind(site.connection, POLL, "additions")
    assert found["entry"] == addition.id and found["commitment"] in addition.body["commitments"]
    assert [(poll, by) for poll, _, by, _ in looks(site)] == [
        (POLL, name) for name in ("user/dana", "anna", "user/dana")
    ]
    assert run("proof", "no/such")[0] == 2


def test_a_claim_approved_by_a_command_is_taken_over_to_the_frozen_list(site: Site, run: Run) -> None:
    freeze(site.connection, VAULT, site.poll, COMMISSION, NOW)
    first = number_in(site.claim("missing", STRANGER, surname="Ахметова", given="Айгүл"))
    site.desk(ANNA, 1, act="accept", reason="yes", **typed(site.desk(ANNA, 1).text) | {"station": "A-2"})
    site.claim("gone", MINE, who="Ахметов2 Нурлан")
    entry = typed(site.desk(ANNA, 2, act="find", about=OTHER).text) | DIED
    site.desk(ANNA, 2, act="accept", reason="yes", about=OTHER, **entry)
    one, two = site.connection.scalars(sa.text("SELECT set_id FROM roll_claim ORDER BY id"))
    at = ("--at", NOW.isoformat())
    said = {"set": one, "state": "applied", "list": "corrected", "home": "A-2"}
    assert run("approve", str(one), "--by", "boris", *at) == (0, said)
    assert citizen(site, first)[0] == "corrected" and right(site, STRANGER).home == "A-2"
    said = {"set": two, "state": "applied", "list": "withdrawn", "home": ""}
    assert run("approve", str(two), "--by", "boris", *at) == (0, said)
    assert right(site, OTHER).holder == "withdrawn"


def test_before_the_freeze_a_claim_s_set_is_approved_as_any_other(site: Site, run: Run) -> None:
    site.claim("place", MINE, address="x")
    site.desk(ANNA, 1, act="accept", reason="yes", **typed(site.desk(ANNA, 1).text) | {"station": "A-2"})
    number = site.connection.scalar(sa.text("SELECT set_id FROM roll_claim"))
    assert run("approve", str(number), "--by", "boris") == (0, {"set": number, "state": "applied"})


def test_the_same_person_does_not_approve_by_a_command_what_he_made_at_the_desk(site: Site, run: Run) -> None:
    site.claim("place", MINE, address="x")
    site.desk(ANNA, 1, act="accept", reason="yes", **typed(site.desk(ANNA, 1).text) | {"station": "A-2"})
    number = site.connection.scalar(sa.text("SELECT set_id FROM roll_claim"))
    for name in ("anna", "account/anna", " Anna ", "ACCOUNT/ANNA"):
        assert run("approve", str(number), "--by", name)[0] == 2
    held = in_force(site.connection, UUID(bytes=VAULT.voter(MINE)))
    assert held is not None and held.station == "A-1"
    approve(site.connection, int(str(number)), "annabel", NOW)
