"""`dauys roll duplicates`: who stands on the roll twice, perhaps? Found by likeness, decided by people."""

from __future__ import annotations

from typing import Any

import click

from dauys.cli.main import a_name, answer, counted, moment, say
from dauys.cli.roll_find import ASKS, who_asks
from dauys.roll.duplicates import find as find_pairs
from dauys.roll.keys import vault_of
from dauys.roll.likeness import LEAST, words
from dauys.roll.lookup import note_shown
from dauys.roll.pairs import Side, both, count_pairs, get_pair, reopen, worklist
from dauys.roll.pairs import different as are_different
from dauys.roll.pairs import same as are_same
from dauys.roll.parallel import cores
from dauys.store.engine import data_folder, open_store

JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/roll.md).")
AT = click.option("--at", help="When (ISO 8601 with offset). [default: now]")
BY = click.option("--by", required=True, callback=a_name, help="Who decides: the name stays with the pair.")
REASON = click.option("--reason", required=True, help="Why: it stays with the pair.")
PAIR = click.argument("number", type=int, metavar="PAIR")


@click.group()
def duplicates() -> None:
    """Find entries that may be one person; people decide, and a second person approves."""


@duplicates.command()
@click.option(
    "--least",
    type=click.IntRange(0, 100),
    default=LEAST,
    show_default=True,
    help="Points from which on a pair is put on the list.",
)
@click.option("--thorough", is_flag=True, help="Open everybody once more: finds mistyped given names, too.")
@click.option(
    "--processes", type=click.IntRange(0, 64), help="Processes that compare. [default: as many as are of use]"
)
@AT
@JSON
def find(least: int, thorough: bool, processes: int | None, at: str | None, as_json: bool) -> int:
    """Search the whole roll for likely pairs and put them on the worklist."""
    workers = cores() if processes is None else processes
    with open_store().begin() as connection:
        vault = vault_of(connection, data_folder())
        found = find_pairs(connection, vault, moment(at), least=least, thorough=thorough, processes=workers)
    text = f"{counted(found.proposed, 'pair')} put on the worklist, {found.known:,} there already"
    answer(found.to_json(), as_json, text + (f", {found.gone:,} gone as an entry changed" if found.gone else ""))
    return 0


@duplicates.command("list")
@click.option("--state", type=click.Choice(["open", "same", "different", "gone"]), default="open", show_default=True,
              help="Which pairs.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
@click.option("--from", "start", type=click.IntRange(0), default=0, help="After how many. [default: 0]")
@JSON
def list_(state: str, limit: int, start: int, as_json: bool) -> int:
    """Show the worklist, the most alike first. Nothing personal is shown."""
    with open_store().begin() as connection:
        pairs = worklist(connection, state, limit=limit, start=start)
        counts = count_pairs(connection)
    lines = [f"{pair.id:>7} {pair.score:>3}  {'; '.join(words(pair.evidence, 'en'))}" for pair in pairs]
    answer(
        {"pairs": [pair.to_json() for pair in pairs], "counts": counts},
        as_json,
        "\n".join(lines) or f"no pair is {state}",
    )
    return 0


@duplicates.command()
@PAIR
@click.option("--person", is_flag=True, help="Print names, birth dates and addresses, too: for who decides.")
@ASKS
@JSON
def show(number: int, person: bool, by: str, as_json: bool) -> int:
    """Show PAIR: what agrees and what differs, where each entry is, and with --person who it is, which is logged."""
    with open_store().begin() as connection:
        pair, vault = get_pair(connection, number), vault_of(connection, data_folder())
        sides = both(connection, vault, pair)
        for side in sides if person else ():
            note_shown(connection, vault, "", side.person.iin, who_asks(by), moment(None))
    entries = [_entry(side, person) for side in sides]
    lines = [
        f"pair {pair.id}, {pair.state}, {pair.score} points",
        *(f"  {text}" for text in words(pair.evidence, "en")),
    ]
    for place, entry in enumerate(entries, 1):
        lines.append(f"{place}: " + ", ".join(str(value) for value in entry.values() if value))
    answer(pair.to_json() | {"entries": entries}, as_json, "\n".join(lines))
    return 0


@duplicates.command()
@PAIR
@click.option("--keep", type=click.Choice(["1", "2"]), required=True, help="Which entry stays, as `show` numbers them.")
@BY
@REASON
@AT
@JSON
def same(number: int, keep: str, by: str, reason: str, at: str | None, as_json: bool) -> int:
    """Decide that PAIR is one person: a change set takes the other entry off once a second person approves it."""
    with open_store().begin() as connection:
        pair = get_pair(connection, number)
        stays = pair.one if keep == "1" else pair.other
        vault = vault_of(connection, data_folder())
        set_id = are_same(connection, vault, number, stays, by, moment(at), reason)
    answer(
        {"pair": number, "state": "same", "set": set_id}, as_json, f"pair {number} is one person: set {set_id} is held"
    )
    say(f"somebody else than {by}: dauys roll approve {set_id}")
    return 0


@duplicates.command()
@PAIR
@click.option("--undo", is_flag=True, help="Take `different` back: the pair is open again.")
@BY
@REASON
@AT
@JSON
def different(number: int, undo: bool, by: str, reason: str, at: str | None, as_json: bool) -> int:
    """Decide that PAIR are two people: it is not put on the list again unless one of the entries changes."""
    with open_store().begin() as connection:
        (reopen if undo else are_different)(connection, number, by, moment(at), reason)
    state = "open" if undo else "different"
    answer({"pair": number, "state": state}, as_json, f"pair {number} is {'open again' if undo else 'two people'}")
    return 0


def _entry(side: Side, person: bool) -> dict[str, Any]:
    version, who = side.version, side.person
    entry: dict[str, Any] = {"station": version.station, "area": version.area, "status": version.status,
                             "source": version.source, "set": version.set_id}  # fmt: skip
    if person:
        names = " ".join(filter(None, (who.surname, who.given, who.patronymic)))
        entry |= {"name": names, "born": who.born.isoformat(), "address": ", ".join(who.address.values())}
    return entry
