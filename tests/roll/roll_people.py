"""A few people for the tests of this room: rows of a file with valid IINs, sets that are applied, a poll that is open."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from unittest.mock import patch

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.law.packs import load_form, load_rule
from dauys.record.entry import Entry
from dauys.record.log import append, open_log
from dauys.registers.areas import Area
from dauys.registers.poll import Contest, Poll, Station
from dauys.roll.changes import approve, propose_back, roll_back
from dauys.roll.iin import check_digit
from dauys.roll.importing import Brought, add_versions, bring, new_set
from dauys.roll.rows import COLUMNS
from dauys.roll.vault import Vault, key_file, make_vault

DAY = date(2022, 6, 5)
AT = datetime(2022, 5, 15, 9, tzinfo=UTC)
STATIONS = {"A-1": "A", "A-2": "A", "B-1": "B"}
VAULT = Vault(bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96)))
COMMISSION = Ed25519PrivateKey.from_private_bytes(bytes(32))


def write_keys(folder: Path) -> None:
    """VAULT's keys, as they lie in a data folder."""
    with patch("dauys.roll.vault.secrets.token_bytes", side_effect=VAULT.__reduce__()[1]):
        make_vault(key_file(folder))


def iin_of(born: date, serial: int = 1, woman: bool = False) -> str:
    """A valid IIN, put together by the rule as it is printed: not by the code under test, but for the check digit."""
    while True:
        century = {18: 1, 19: 3, 20: 5}[born.year // 100] + woman
        first = f"{born:%y%m%d}{century}{serial:04}"
        check = check_digit([int(c) for c in first])
        if check is not None:
            return f"{first}{check}"
        serial += 5000


def row(serial: int = 1, born: date = date(1979, 10, 28), station: str = "A-1", **more: str) -> dict[str, str]:
    """A good row of a file; `more` replaces."""
    return {
        "iin": iin_of(born, serial), "born": born.isoformat(), "surname": f"Ахметов{serial}", "given": "Нұрлан",
        "station": station, "locality": "Акбулак", "street": "Абая",
    } | more  # fmt: skip


def write_csv(path: Path, rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def bring_rows(
    connection: sa.Connection, folder: Path, rows: Sequence[Mapping[str, str]], *, kind: str = "import",
    day: date = DAY, at: datetime = AT, stations: Mapping[str, str] = STATIONS,
) -> Brought:  # fmt: skip
    """A held set, made by anna."""
    path = write_csv(folder / "rows.csv", rows)
    return bring(connection, VAULT, path, stations, day=day, by="anna", at=at, bad_file=folder / "bad.csv", kind=kind)


def apply_rows(
    connection: sa.Connection, folder: Path, rows: Sequence[Mapping[str, str]], *, at: datetime = AT, day: date = DAY,
    kind: str = "import",
) -> int:  # fmt: skip
    """An applied set: made by anna, approved by boris."""
    found = bring_rows(connection, folder, rows, at=at, day=day, kind=kind)
    assert found.set_id is not None and found.bad == found.not_yet == 0, found
    approve(connection, found.set_id, "boris", at)
    return found.set_id


def apply_checked(connection: sa.Connection, rows: Sequence[Mapping[str, str]], at: datetime) -> int:
    """An applied set of rows that need no file: as a claim or a decision about duplicates brings them."""
    number = new_set(connection, "anna", at, "claim", "claim 1", DAY)
    add_versions(
        connection,
        VAULT,
        number,
        [each | {"area": STATIONS[each["station"]], "status": "eligible"} for each in map(dict, rows)],
    )
    approve(connection, number, "boris", at)
    return number


def rolled_back(connection: sa.Connection, number: int, by: str, at: datetime, reason: str) -> None:
    """Olga proposes it, and `by` does it."""
    propose_back(connection, number, "olga", at, reason)
    roll_back(connection, number, by, at, reason)


def empty(connection: sa.Connection) -> None:
    """A roll with nobody, whatever another test left; undone with the test's transaction."""
    if connection.scalar(sa.text("SELECT EXISTS (SELECT FROM roll_set) OR EXISTS (SELECT FROM entitlement)")):
        connection.exec_driver_sql(
            "TRUNCATE voter, roll_set, roll_addition, roll_station, roll_freeze, entitlement, roll_withdrawal CASCADE"
        )


def open_poll(connection: sa.Connection, poll_id: str = "test/roll") -> Poll:
    """An opened poll of the three stations."""
    labels = dict.fromkeys(("kk", "ru", "en"), "Roll")
    contest = Contest("q1", labels, load_form("kz/referendum-protocol"), load_rule("kz/referendum-constitution"))
    poll = Poll(
        id=poll_id, kind="referendum", day=DAY, names=labels, timezone="Asia/Almaty", opens=time(7), closes=time(20),
        areas=tuple(Area(code=code, kind="area", names=labels) for code in ("A", "B")), contests=(contest,),
        reports=(time(10), time(14), time(20)),
    )  # fmt: skip
    open_log(connection, poll.id, f"test.example/{poll.id}")
    append(connection, poll.id, [Entry(poll.id, "poll", "poll", AT.isoformat(), "commission", poll.to_json())])
    made = [Station(name, area, 2) for name, area in STATIONS.items()]
    connection.execute(
        sa.text("INSERT INTO station (poll, id, area, eligible) VALUES (:poll, :id, :area, :eligible)"),
        [{"poll": poll.id, "id": s.id, "area": s.area, "eligible": s.eligible} for s in made],
    )
    return poll
