"""`dauys pollbook restored`: was the centre put back from a copy, whom has it not heard since, and who says that it is whole?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import click
import sqlalchemy as sa

from dauys.cli.main import a_name, answer, counted, moment, utc, without_iin
from dauys.errors import BadInput
from dauys.pollbook.centre.mark import mark, standing
from dauys.pollbook.centre.take import cursor
from dauys.pollbook.put_back.doubts import in_doubt, let_go_for_nobody, not_vouched_for
from dauys.pollbook.put_back.journal import FILE, Journal
from dauys.pollbook.put_back.restored import NOT_ALL, NOT_SEEN, lift, unheard
from dauys.polls.opening import load_poll
from dauys.store.engine import data_folder, open_store


def journal() -> Journal:
    """The journal of this installation, beside its keys."""
    return Journal(data_folder() / "keys" / FILE)


def held(engine: sa.Engine, noted: Journal, poll: str, at: datetime) -> sa.Engine:
    """The database, after the whole journal was held against it: a command may be the first to see that a copy was put back."""
    with engine.begin() as connection:
        load_poll(connection, poll)
        noted.hold(connection, poll, at)
    return engine


def whose(doubts: Mapping[str, int]) -> str:
    """Voters by their stations, for a person."""
    some = ", ".join(f"{station or 'not known where'} {rights:,}" for station, rights in list(doubts.items())[:20])
    return some + (f" and {counted(len(doubts) - 20, 'more station')}" if len(doubts) > 20 else "")


@click.command()
@click.argument("poll")
@click.option("--mark", "marking", is_flag=True, help="Say that the database was put back from a copy.")
@click.option("--again", is_flag=True, help="With --mark, where it is marked already: it was put back once more.")
@click.option("--lift", "lifting", is_flag=True, help="Say that the books are whole: every machine is heard or lost.")
@click.option("--by", default="", callback=a_name, help="Who says so: the name is kept.")
@click.option(
    "--word", default="", callback=without_iin,
    help="With --lift, without a journal: how it is known that there is no other machine.",
)  # fmt: skip
@click.option(
    "--packages", type=click.Choice(("good", "again")),
    help="With --lift, without a journal: packages on their way were all made before the copy, or are to be made again.",
)  # fmt: skip
@click.option("--at", help="When (ISO 8601 with offset). [default: now]")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
def restored(
    poll: str, marking: bool, again: bool, lifting: bool, by: str, word: str, packages: str | None, at: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Show whether the books of POLL are whole after the database was put back from a copy, and whom they wait for.

    While they are not, stations check in as before, and nothing is given, packed, withdrawn or resolved. Exits with 1 then.
    """
    if marking and lifting:
        raise BadInput("mark, or lift?", field="--lift", expected="one of --mark and --lift")
    if again and not marking:
        raise BadInput("--again says with --mark that it was put back once more", field="--again", expected="--mark")
    if marking and not by.strip():
        raise BadInput("who says that the database was put back? The name is kept", field="--by", check="P.058")
    when = moment(at)
    engine, noted = open_store(), journal()
    with engine.begin() as connection:
        load_poll(connection, poll)
        was = standing(cursor(connection), poll) is not None
        seen = noted.hold(connection, poll, when)
    with engine.begin() as connection:
        cur = cursor(connection)
        if marking and (again or standing(cur, poll) is None):  # what is marked once is not marked again
            # what the journal does not see it does not vouch for
            mark(cur, poll, f"{by.strip()} says so", when, again=True, blind=not seen)
        blind = not noted.vouches(connection, poll)
        if lifting:
            lift(connection, poll, by, when, word, blind=blind, packages=packages or "")
    with engine.connect() as connection:
        cur = cursor(connection)
        found, missing = standing(cur, poll), unheard(cur, poll)
        doubts, waiting = ({}, {}) if found else (in_doubt(cur, poll), let_go_for_nobody(cur, poll))
        remade = [log.station for log in not_vouched_for(cur, poll)]
    names = [f"{log.station}/{log.generation}" for log in missing] if found else []
    vouched = not blind and (found is None or not found.blind)
    body = {
        "poll": poll, "whole": found is None, "since": None if found is None else found.at.isoformat(),
        "why": None if found is None else found.why, "journal": vouched, "unheard": names,
        "in_doubt": sum(doubts.values()), "doubts": [{"station": one, "rights": n} for one, n in doubts.items()],
        "let_go": [{"station": one, "rights": n} for one, n in waiting.items()], "again": remade,
    }  # fmt: skip
    if found is None:
        text = f"the books of {poll} are whole"
        if doubts:
            text += f"; in doubt stay {counted(sum(doubts.values()), 'right')}, until lost machines are found"
            text += f", of the voters of {whose(doubts)}"
        if waiting:
            text += f"\nlet go for the commission, which has forgotten why, are rights of the voters of {whose(waiting)}: repeat "
            text += "the withdrawals of since the copy (dauys roll withdraw), or give them back (--undo)"
        if remade:
            text += f"\nnobody enrols with {counted(len(remade), 'package')} on the way, until made again "
            text += f"(dauys pollbook packages {poll} --again STATION --out FOLDER): {', '.join(remade[:50])}"
            text += f" and {counted(len(remade) - 50, 'more station')}" if len(remade) > 50 else ""
    else:
        text = f"put back from a copy, known since {utc(found.at)}: {found.why}\n"
        text += f"not heard since: {counted(len(names), 'machine')}{': ' if names else ''}{', '.join(names[:50])}"
        text += (
            "\nit is marked already; if a second copy was put back: --mark --again"
            if marking and was and not again
            else ""
        )
        text += (
            f"\n{NOT_SEEN if found.blind else NOT_ALL}, so none says which machines there are: --lift needs --word"
            if not vouched
            else ""
        )
    answer(body, as_json, text)
    return 0 if found is None else 1
