"""What becomes of a file of protocols or reports: taken whole in one transaction, or only looked at before it is sent?

A look takes the file as sending would and undoes it: what it says is what will happen, as long as nothing comes in between.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dauys.errors import BadInput
from dauys.registers.columns import Source
from dauys.registers.poll import Poll
from dauys.stations.accounts import Account
from dauys.stations.batch import Batch
from dauys.stations.beside import NOTHING, Beside
from dauys.stations.intake import Receipt, receive, report_turnout
from dauys.stations.readers import read_protocols, read_turnout
from dauys.stations.requests import kind_of
from dauys.stations.states import Role
from dauys.store.engine import Connection

SHOWN = 100
"""Receipts of a file that are listed one by one: those in quarantine."""
ROWS_SHOWN = 5
"""Rows of a file that a look shows as they were read."""
LARGEST_FILE = 16 << 20
"""Bytes of a file that the desk takes; a larger one goes over HTTP or through `dauys protocols`."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody at the desk has looked at and not sent yet. `columns` is its mapping, as typed."""

    poll: str
    about: str
    name: str
    columns: str
    content: bytes
    at: datetime


@dataclass(slots=True)
class Looked:
    """What a file says: per contest or hour how many rows and the sums of their fields, the first rows, and receipts."""

    sums: dict[str, Counter[str]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    first: list[tuple[str, str, dict[str, int]]] = field(default_factory=list)  # contest or hour, station, numbers

    def see(self, batch: Batch) -> None:
        self.rows[batch.contest] = self.rows.get(batch.contest, 0) + len(batch)
        sums = self.sums.setdefault(batch.contest, Counter())
        for name, column in batch.values.items():
            sums[name] += int(column.sum())
        head = range(min(ROWS_SHOWN - len(self.first), len(batch)))
        part = batch.take(head)
        self.first += zip([batch.contest] * len(part), part.names(), part.protocols(), strict=True)


def take_file(
    connection: Connection, poll: Poll, path: Path, account: Account, at: datetime, *,
    columns: Mapping[str, Source] | None = None, about: str = "protocols", looked: Looked | None = None,
    beside: Beside = NOTHING,
) -> dict[str, Any]:  # fmt: skip
    """Takes a whole file in the caller's transaction and sums up the receipts; `looked` is told what it says.

    Raises BadInput as the readers and intake do, with the row, and without the name of a file that is only ours.
    """

    def receipts() -> Iterator[Receipt]:
        if about == "turnout":
            for hour in read_turnout(path, poll, columns):
                if looked is not None:
                    numbers = {"eligible": hour.eligible, "received": hour.received}
                    looked.see(Batch(hour.hour, hour.stations, numbers))
                yield from report_turnout(connection, poll, hour, by=account.author, at=at)
            return
        for batch in read_protocols(path, poll, columns):
            if looked is not None:
                looked.see(batch)
            yield from receive(connection, poll, claims(account, batch), by=account.author, at=at, beside=beside)

    try:
        return summary(receipts())
    except BadInput as fault:
        fault.file = None  # the place where an upload lay tells its sender nothing
        raise


def look(
    connection: Connection, poll: Poll, upload: Upload, account: Account, beside: Beside = NOTHING
) -> tuple[Looked, dict[str, Any]]:
    """What sending would do now; nothing of it stays. Raises BadInput as sending would."""
    looked = Looked()
    with connection.begin_nested() as undone:
        try:
            answer = _taken(connection, poll, upload, account, upload.at, looked, beside)
        finally:
            undone.rollback()
    return looked, answer


def send(
    connection: Connection, poll: Poll, upload: Upload, account: Account, at: datetime, beside: Beside = NOTHING
) -> dict[str, Any]:
    """Takes the file that was looked at, and forgets it."""
    answer = _taken(connection, poll, upload, account, at, None, beside)
    forget(connection, account)
    return answer


def _taken(
    connection: Connection, poll: Poll, upload: Upload, account: Account, at: datetime, looked: Looked | None,
    beside: Beside,
) -> dict[str, Any]:  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="dauys-upload") as folder:
        path = Path(folder) / f"upload{kind_of(upload.name)}"
        path.write_bytes(upload.content)
        columns = mapping_of(upload.columns.splitlines())
        return take_file(
            connection, poll, path, account, at, columns=columns, about=upload.about, looked=looked, beside=beside
        )


def keep(connection: Connection, upload: Upload, account: Account) -> None:
    """Keeps one file for this account until it is sent, forgotten, or another takes its place."""
    connection.execute(
        sa.text(
            "INSERT INTO upload (account, poll, about, name, columns, content, at) VALUES "
            "(:account, :poll, :about, :name, :columns, :content, :at) ON CONFLICT (account) DO UPDATE SET "
            "poll = :poll, about = :about, name = :name, columns = :columns, content = :content, at = :at"
        ),
        {"account": account.name, "poll": upload.poll, "about": upload.about, "name": upload.name,
         "columns": upload.columns, "content": upload.content, "at": upload.at},
    )  # fmt: skip


def kept(connection: Connection, poll_id: str, account: Account) -> Upload | None:
    """The file of this account that waits in this poll."""
    row = connection.execute(
        sa.text("SELECT poll, about, name, columns, content, at FROM upload WHERE account = :account AND poll = :poll"),
        {"account": account.name, "poll": poll_id},
    ).one_or_none()
    return None if row is None else Upload(row.poll, row.about, row.name, row.columns, bytes(row.content), row.at)


def kept_name(connection: Connection, poll_id: str, account: Account) -> str | None:
    """The name of the file that waits, without its content."""
    query = sa.text("SELECT name FROM upload WHERE account = :account AND poll = :poll")
    name: str | None = connection.scalar(query, {"account": account.name, "poll": poll_id})
    return name


def forget(connection: Connection, account: Account) -> None:
    connection.execute(sa.text("DELETE FROM upload WHERE account = :account"), {"account": account.name})


def mapping_of(lines: Iterable[str]) -> dict[str, str | list[str]] | None:
    """`OURS=THEIRS` each, `+` joins several columns of theirs; None for no line. Raises BadInput."""
    columns: dict[str, str | list[str]] = {}
    for line in filter(None, map(str.strip, lines)):
        ours, separator, theirs = (part.strip() for part in line.partition("="))
        if not separator or not ours or not theirs:
            expected = "for example yes=for or station=region+number"
            raise BadInput("not a mapping of columns", field="columns", found=line, expected=expected, check="F.036")
        if ours in columns:
            message = "a field is mapped twice"
            raise BadInput(message, field="columns", found=ours, expected="each field once", check="F.036")
        parts = theirs.split("+")
        columns[ours] = parts if len(parts) > 1 else theirs
    return columns or None


def summary(receipts: Iterable[Receipt]) -> dict[str, Any]:
    """How many protocols came to which state, which checks they raised, and the first of those in quarantine."""
    states: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    held: list[dict[str, object]] = []
    replayed = 0
    for receipt in receipts:
        states[receipt.state] += 1
        numbers.update(receipt.checks)
        replayed += receipt.replayed
        if receipt.state == "quarantined" and len(held) < SHOWN:
            held.append(receipt.to_json())
    return {
        "received": states.total(),
        "accepted": states["accepted"],
        "quarantined": states["quarantined"],
        "replayed": replayed,
        "checks": dict(sorted(numbers.items())),
        "held": held,
    }


def claims(account: Account, batch: Batch) -> Batch:
    """The batch, if it says only what its sender may say. Raises BadInput F.040.

    Who without a signature says to be somebody is not believed: `by` is the account then. A clerk may say when a paper
    came in; a station's own time counts where it signs for it.
    """
    for name, texts in (("by", batch.by), ("at", batch.at)):
        for place, text in enumerate(texts or ()):
            signed = batch.sig is not None and bool(batch.sig[place])
            if text and not signed and (name == "by" or account.role is not Role.CLERK):
                message = f"{name} is for protocols that are signed: leave it out or sign"
                raise batch.refuse(place, message, "F.040", field=name, found=text)
    return batch
