"""`dauys observers`: who may observe a poll, what is decided about who asked, and whether a badge is good."""

from __future__ import annotations

import secrets
from base64 import b64decode
from binascii import Error
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from dauys.cli.main import answer, moment, without_iin
from dauys.errors import BadInput
from dauys.observe.accreditation import applications
from dauys.observe.accreditation.applications import Asked, Waiting
from dauys.observe.accreditation.badge import VALID, look_at
from dauys.observe.accreditation.badge import read as read_badge
from dauys.observe.accreditation.entries import EVERYWHERE, KINDS
from dauys.observe.accreditation.follows import Register
from dauys.observe.accreditation.known import Stored
from dauys.observe.known.official import fetch_of, read_record
from dauys.polls.keys import keys_of
from dauys.polls.opening import load_poll
from dauys.record.parts import whole
from dauys.record.tiles import read_entries
from dauys.registers.poll import COMMISSION
from dauys.regular_file import read_regular
from dauys.store.engine import data_folder, open_store

LARGEST = 4096
"""Bytes of a file with a badge."""
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/observers.md).")
AT = click.option("--at", help="When (ISO 8601 with offset). [default: now]")


@click.group()
def observers() -> None:
    """Decide who observes a poll, and check badges. The same is done in the browser, at the desk."""


@observers.command("list")
@click.argument("poll")
@AT
@JSON
def list_(poll: str, at: str | None, as_json: bool) -> int:
    """List the applications of POLL that wait, with what the law says of each, and the organisations that are accredited."""
    when = moment(at)
    with open_store().connect() as connection:
        opened = load_poll(connection, poll)
        waiting = applications.applications_of(connection, poll)
        register = Stored(connection, opened).register
        lines = [_waiting(one, applications.judged(opened, one, when), when) for one in waiting]
    accredited = [
        {"code": code, "names": one.body["names"], "until": one.body["until"], "suspended": one.suspended}
        for code, one in register.organisations.items()
    ]
    text = [
        f"{one['id']:>5} {one['may']:<10} {_name(one['names'])}" + (" OVERDUE" if one["overdue"] else "")
        for one in lines
    ]
    text += [
        f"      {one['code']:<10} {_name(one['names'])}" + (" suspended" if one["suspended"] else "")
        for one in accredited
    ]
    answer(
        {"poll": poll, "waiting": lines, "accredited": accredited}, as_json, "\n".join(text) or "nobody has asked yet"
    )
    return 0


@observers.command()
@click.argument("poll")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What the organisation is.")
@click.option("--name", "names", multiple=True, metavar="LANG=NAME", required=True, help="Its name; once a language.")
@click.option("--charter", default="", help="The words of its charter on observing.")
@click.option("--through", default="", help="The note of the ministry that puts it forward.")
@click.option("--area", "areas", multiple=True, help="Only this area; may be repeated. [default: the whole country]")
@click.option(
    "--key", default="", help="Its mission's public key (base64); without it, it sends nothing to the record."
)
@click.option("--coalition", default="", metavar="CODE", help="The organisation whose mission it works under.")
@click.option("--contact", default="", help="Where the answer goes; not published.")
@AT
@JSON
def apply(
    poll: str, kind: str, names: tuple[str, ...], charter: str, through: str, areas: tuple[str, ...], key: str,
    coalition: str, contact: str, at: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Take in an application to observe POLL that came on paper."""
    named = {lang: name for lang, equals, name in (one.partition("=") for one in names) if equals}
    if len(named) != len(names):
        raise BadInput("a name with its language", found=", ".join(names), expected="en=City Watch", check="O.001")
    asked = Asked(kind, named, charter, through, areas or (EVERYWHERE,), key, coalition, contact)
    with open_store().begin() as connection:
        opened = load_poll(connection, poll)
        number = applications.apply(connection, opened, asked, secrets.token_bytes(16), moment(at))
    answer({"application": number}, as_json, f"application {number} of {poll} waits for a decision")
    return 0


@observers.command()
@click.argument("number", type=int, metavar="APPLICATION")
@click.option("--accredit", "code", metavar="CODE", help="Accredit it under this code, by which the record names it.")
@click.option("--until", help="The last day of the accreditation. [default: what the law says]")
@click.option("--refuse", is_flag=True, help="Refuse it.")
@click.option("--by", required=True, help="Who decides.")
@click.option("--reason", required=True, callback=without_iin, help="Why: it stands in the record.")
@click.option("--cite", default="", callback=without_iin, help="The article. [default: of the rule that decides]")
@AT
@JSON
def decide(
    number: int, code: str | None, until: str | None, refuse: bool, by: str, reason: str, cite: str, at: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Decide about APPLICATION, signed by the commission into the record. It is never decided twice."""
    if refuse == (code is not None):
        raise BadInput("say one of the two", expected="--accredit CODE, or --refuse")
    when = moment(at)
    with open_store().begin() as connection:
        waiting = applications.get_application(connection, number)
        poll = load_poll(connection, waiting.poll)
        key = keys_of(poll, data_folder() / "keys").commission
        found = applications.judged(poll, waiting, when)
        if code is None:
            ground = cite or found.cite
            seq = applications.refuse(connection, poll, number, [(reason, ground)], by, key, when)
        else:
            last = found.until if until is None else _day(until)
            if last is None:
                raise BadInput("the law that is loaded names no term", field="until", expected="--until YYYY-MM-DD")
            seq = applications.accredit(connection, poll, number, code, last, reason, cite, by, key, when)
    body = {"application": number, "decision": "refused" if refuse else "accredited", "seq": seq}
    answer(body, as_json, f"{body['decision']}: entry {seq} of the record")
    return 0


@observers.command()
@click.argument("text", metavar="TEXT|FILE")
@click.option("--key", help="The commission's public key (base64), where nothing can be read but the badge.")
@click.option("--record", help="The poll's public record: a bundle's folder, or http://HOST/record/POLL.")
@click.option("--poll", default="", help="The poll, with --key. [default: the one that the badge names]")
@click.option("--on", help="The day. [default: today]")
@JSON
def badge(text: str, key: str | None, record: str | None, poll: str, on: str | None, as_json: bool) -> int:
    """Check a badge, as its code reads, without a database: the commission's signature, suspensions, the last day.

    With --key alone nothing is read from anywhere, and suspensions are not known. Exits with 1 if the badge is not good.
    """
    if (key is None) == (record is None):
        raise BadInput("say against what", expected="--key KEY, or --record DIR|URL")
    read = text if text.lstrip().startswith("{") else _file(Path(text))
    day = None if on is None else _day(on)
    if key is not None:
        said = look_at(read, poll or _poll_named(read), _key(key), {}, {}, day or moment(None).date())
    else:
        said = _by_record(read, str(record), day)
    known = "" if record else " (suspensions were not looked up)"
    shown = (
        ""
        if said.badge is None
        else f"\n{said.badge.number}: {said.badge.name}, {said.badge.of}, until {said.badge.until}"
    )
    answer(said.to_json(), as_json, f"{said.state}{': ' if said.why else ''}{said.why}{known}{shown}")
    return 0 if said.state == VALID else 1


def _by_record(text: str, record: str, day: date | None) -> Any:
    fetch = fetch_of(record)
    official = read_record(fetch)
    _, first = next(whole(read_entries(fetch, official.size)))
    keys = first.body["keys"]
    register = Register()
    for seq, entry in official.observers.items():
        register.take(seq, entry.kind, entry.body)
    codes = {code: one.suspended for code, one in register.organisations.items()}
    on = day or moment(None).astimezone(ZoneInfo(official.poll.timezone)).date()
    return look_at(text, official.poll.id, _key(keys.get(COMMISSION, "")), register.badges, codes, on)


def _waiting(one: Waiting, found: Any, at: Any) -> dict[str, Any]:
    return {
        "id": one.id, "names": dict(one.asked.names), "kind": one.asked.kind, "at": one.at.isoformat(), "may": found.may,
        "grounds": [ground.to_json() for ground in found.grounds], "unknown": [ground.to_json() for ground in found.unknown],
        "due": one.due and one.due.isoformat(), "cite": found.cite, "overdue": one.overdue(at),
    }  # fmt: skip


def _name(names: Any) -> str:
    return str(names.get("en") or next(iter(names.values())))


def _poll_named(text: str) -> str:
    return read_badge(text)[0].poll


def _file(path: Path) -> str:
    try:
        return read_regular(path, LARGEST).decode("utf-8")
    except OSError as error:
        raise BadInput(
            "neither a badge nor a file with one", found=str(path)[:60], expected='{"badge":...}', check="O.014"
        ) from error
    except UnicodeDecodeError:
        raise BadInput("the file is no text", file=path, check="O.014") from None


def _key(text: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except (Error, ValueError):
        key = b""
    if len(key) != 32:
        raise BadInput(
            "not a public key", field="key", found=text[:60], expected="base64 of 32 bytes (Ed25519)", check="O.014"
        )
    return key


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput("not a day", found=text, expected="YYYY-MM-DD") from None
