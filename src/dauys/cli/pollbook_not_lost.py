"""`dauys pollbook lost` and `not-lost`: which machine is gone, and was that a mistake?"""

from __future__ import annotations

import click

from dauys.cli.main import answer, counted, moment
from dauys.cli.pollbook_restored import journal
from dauys.pollbook import packing_out
from dauys.pollbook.centre import cursor
from dauys.pollbook.lost_list import MAY_LACK, left, may_lack
from dauys.pollbook.put_back import standing
from dauys.store.engine import open_store

JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")


@click.command()
@click.argument("poll")
@click.argument("station")
@click.option("--generation", type=click.IntRange(1), help="Which machine. [default: the one that can be meant]")
@JSON
def lost(poll: str, station: str, generation: int | None, as_json: bool) -> int:
    """Declare the machine of STATION lost: burnt, stolen, broken. Its voters' rights stay with it until its log is found.

    A new package is then its next generation, for those whose rights come to it. Who received a ballot by the officers' paper
    is typed in with `pollbook paper`. A package with which nobody has enrolled yet is made void.

    While the books are not whole (`pollbook restored`), the machine that was not heard since is meant. One that was heard is
    declared lost by its --generation only: it would be shut out.
    """
    with journal().acting(open_store(), poll, station, moment(None)) as connection:
        log, state = packing_out.lose(connection, poll, station, generation)
        gone, marked = left(connection, log), standing(cursor(connection), poll) is not None
        lacks = state == "lost" and may_lack(connection, log)
    body = {"poll": poll, "station": station, "generation": log.generation, "state": state, "left": gone, "may_lack": lacks}
    said = "is void: nobody can enrol with its package"
    if state == "lost":
        said = "is declared lost; no right moves by that. Was it another one: "
        said += "once the books are whole and it is heard, " if marked else ""
        said += f"dauys pollbook not-lost {poll} {station}"
    text = f"station {station}, generation {log.generation}, {said}"
    if gone:
        text += f"\n{counted(gone, 'right')} had left it. Strike them on its print before anybody goes on by hand: "
        text += f"dauys pollbook print {poll} {station} --strike --out FILE --by NAME"
    text += f"\n{MAY_LACK}" if lacks else ""
    answer(body, as_json, text)
    return 0


@click.command("not-lost")
@click.argument("poll")
@click.argument("station")
@JSON
def not_lost(poll: str, station: str, as_json: bool) -> int:
    """Take back that the machine of STATION was declared lost: the wrong station was named, or it works again.

    Only before a package of its next machine is made, and before any of its paper is typed in.
    """
    with journal().acting(open_store(), poll, station, moment(None)) as connection:
        log = packing_out.not_lost(connection, poll, station)
    body = {"poll": poll, "station": station, "generation": log.generation}
    answer(body, as_json, f"station {station}, generation {log.generation}, is not lost: it works with what it holds")
    return 0
