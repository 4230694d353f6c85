"""`dauys pollbook lost` and `not-lost`: which machine is gone, and was that a mistake?"""

from __future__ import annotations

import click

from dauys.cli.main import a_name, answer, counted, moment
from dauys.cli.pollbook_restored import held, journal
from dauys.pollbook.centre.mark import standing
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.packing import packages as packing_out
from dauys.pollbook.paper.lost_list import left, may_lack, may_lack_says, to_strike_by
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
    declared lost by its --generation only: it would be shut out. So is one as which nobody is known to have enrolled, where the
    journal does not have every machine.
    """
    noted, when = journal(), moment(None)
    with noted.acting(held(open_store(), noted, poll, when), poll, station, when) as connection:
        every = noted.vouches(connection, poll)
        log, state = packing_out.lose(connection, poll, station, generation, every=every)
        gone, marked = left(connection, log), standing(cursor(connection), poll) is not None
        lacks = state == "lost" and may_lack(connection, log)
    body = {
        "poll": poll,
        "station": station,
        "generation": log.generation,
        "state": state,
        "left": gone,
        "may_lack": lacks,
    }
    said = "is void: nobody can enrol with its package"
    if state == "lost":
        said = "is declared lost; no right moves by that. Was it another one: "
        said += "once the books are whole and it is heard, " if marked else ""
        said += f"dauys pollbook not-lost {poll} {station} --nobody-by-hand NAME"
    text = f"station {station}, generation {log.generation}, {said}"
    if gone:
        text += f"\n{counted(gone, 'right')} had left it. Strike them on its print before anybody goes on by hand: "
        text += to_strike_by(log)
    text += f"\n{may_lack_says(log)}" if lacks else ""
    answer(body, as_json, text)
    return 0


@click.command("not-lost")
@click.argument("poll")
@click.argument("station")
@click.option(
    "--nobody-by-hand",
    "by_hand",
    default="",
    metavar="NAME",
    callback=a_name,
    help="Who says that no ballot was handed out by hand since: the name is kept.",
)
@click.option(
    "--nobody-enrolled",
    "never",
    default="",
    metavar="NAME",
    callback=a_name,
    help="Of a machine that is known by its number alone: who says that nobody ever enrolled as that one.",
)
@JSON
def not_lost(poll: str, station: str, by_hand: str, never: str, as_json: bool) -> int:  # fmt: skip
    """Take back that the machine of STATION was declared lost: the wrong station was named, or it was only cut off.

    Only before a package of its next machine is made, and while nobody was given a ballot by hand. The machine would hand out a
    second one to whoever signed on paper, and the centre does not know what the station printed: ask its officers. If they went
    on by hand, it stays lost, and the sheets are typed in (`pollbook paper`). Should sheets turn up afterwards, declare it lost
    again and type them.
    """
    when = moment(None)
    noted = journal()
    with noted.acting(held(open_store(), noted, poll, when), poll, station, when) as connection:
        log, state = packing_out.not_lost(connection, poll, station, when, by_hand, never)
    body = {"poll": poll, "station": station, "generation": log.generation, "state": state}
    said = "is not lost: it works with what it holds"
    if state == "closed":
        said = "never was: its empty log is closed, and what stood on its list comes to whoever asks for it"
    answer(body, as_json, f"station {station}, generation {log.generation}, {said}")
    return 0
