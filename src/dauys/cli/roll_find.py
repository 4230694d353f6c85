"""`dauys roll find`, `proof`: what does the roll say of one voter, and what shows him that he is on a frozen one?

The IIN is asked for, or taken from DAUYS_IIN; never an argument. Every look-up is logged, with who asked.
"""

from __future__ import annotations

import getpass
import os
from datetime import date, datetime
from typing import Any
from uuid import UUID

import click

from dauys.cli.main import a_name, answer, moment
from dauys.errors import BadInput
from dauys.polls.opening import load_poll
from dauys.roll.freeze import proof as proof_of
from dauys.roll.frozen import ADDITIONS, commitment
from dauys.roll.iin import is_iin
from dauys.roll.keys import vault_of
from dauys.roll.lookup import note_shown
from dauys.roll.vault import Vault
from dauys.roll.versions import Known, history, in_force
from dauys.roll.voter import open_person
from dauys.store.engine import Connection, data_folder, open_store

JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/roll.md).")
AT = click.option("--at", help="When (ISO 8601 with offset). [default: now]")
ASKS = click.option(
    "--by", default="", callback=a_name, help="Who asks: it stays in the log of look-ups. [default: the machine's user]"
)


def who_asks(by: str) -> str:
    """The name for the log of look-ups: the one given, else that of the user at this machine. Raises BadInput for none."""
    if by.strip():
        return by
    try:
        return f"user/{getpass.getuser()}"
    except (KeyError, OSError):
        raise BadInput("who asks? it stays in the log of look-ups", field="--by", expected="a name") from None


def asked_iin(connection: Connection, vault: Vault, poll: str, by: str) -> str:
    """The IIN that a person types, or the environment has; logged with who asked. Raises BadInput."""
    iin = (os.environ.get("DAUYS_IIN") or click.prompt("IIN", hide_input=True)).strip()
    if not is_iin(iin):
        raise BadInput("this is not an IIN", expected="12 digits whose last one follows from the others")
    note_shown(connection, vault, poll, iin, who_asks(by), moment(None))
    return iin


@click.command()
@click.option("--person", is_flag=True, help="Print the name, too: for the person's own eyes.")
@ASKS
@AT
@JSON
def find(person: bool, by: str, at: str | None, as_json: bool) -> int:
    """Say what the roll knows of one voter, and knew. The IIN is asked for, or taken from DAUYS_IIN; never an argument.

    Exits with 1 if there is no such voter on the roll at that moment.
    """
    with open_store().begin() as connection:
        vault = vault_of(connection, data_folder())
        voter = UUID(bytes=vault.voter(asked_iin(connection, vault, "", by)))
        now = in_force(connection, voter, moment(at) if at else None)
        known = history(connection, voter)
    body: dict[str, Any] = {"on_roll": now is not None, "history": list(map(_known_json, known))}
    lines = ["not on the roll" if now is None else f"{now.status}, station {now.station} ({now.area})"]
    if person and now is not None:
        who = open_person(vault, now)
        body["person"] = {"surname": who.surname, "given": who.given, "patronymic": who.patronymic}
        lines.append(f"  {who.surname} {who.given} {who.patronymic}".rstrip())
    lines += [f"  set {one.version.set_id}, {one.state}: {one.version.status}, {one.version.station}" for one in known]
    answer(body, as_json, "\n".join(lines))
    return 0 if now is not None else 1


@click.command()
@click.argument("poll")
@ASKS
@JSON
def proof(poll: str, by: str, as_json: bool) -> int:
    """Print what shows one voter that he is on the roll of POLL as it was published: for his own eyes.

    His commitment and its path to the root of his station in the record, or the entry by which he was added. How to follow
    it: docs/roll.md. The IIN is asked for, or taken from DAUYS_IIN. Exits with 1 if he has no right in the poll.
    """
    with open_store().begin() as connection:
        load_poll(connection, poll)
        vault = vault_of(connection, data_folder())
        voter = UUID(bytes=vault.voter(asked_iin(connection, vault, poll, by)))
        found = proof_of(connection, vault, poll, voter)
        if found is None:
            answer({"poll": poll, "on_roll": False}, as_json, f"nobody with this IIN has a right in {poll}")
            return 1
    own = commitment(poll, found.station, found.salt, found.entitlement)
    body: dict[str, Any] = {
        "poll": poll, "on_roll": True, "station": found.station, "salt": found.salt.hex(),
        "entitlement": found.entitlement.hex(), "commitment": own.hex(),
    }  # fmt: skip
    lines = [f"station {found.station}", f"salt {found.salt.hex()}", f"right {found.entitlement.hex()}",
             f"commitment {own.hex()}"]  # fmt: skip
    if found.addition:
        body["entry"] = f"{ADDITIONS}/{found.station}/{found.addition}"
        lines.append(f"it stands in the record's entry {body['entry']}")
    else:
        body |= {"root": found.root.hex(), "index": found.index, "size": found.size}
        body["path"] = [one.hex() for one in found.path]
        lines.append(f"leaf {found.index} of {found.size:,}; the path to the station's root {found.root.hex()}:")
        lines += [f"  {one.hex()}" for one in found.path]
    answer(body, as_json, "\n".join(lines))
    return 0


def _known_json(known: Known) -> dict[str, Any]:
    version = known.version
    found: dict[str, str | int | date | datetime | None] = {
        "set": version.set_id, "state": known.state, "kind": known.kind, "station": version.station, "area": version.area,
        "status": version.status, "since": version.since, "until": version.until, "source": version.source,
        "made": known.made, "by": known.by, "decided": known.decided, "decided_by": known.decided_by, "undone": known.undone,
    }  # fmt: skip
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in found.items()
        if value is not None
    }
