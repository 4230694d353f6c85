"""`dauys law`: the text of a day, the rules of a day, what changes and why, whether both agree, what a draft would do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from dauys.cli.law_text import (
    changes_json,
    changes_text,
    check_text,
    explain_json,
    explain_text,
    origins_json,
    origins_text,
    preview_json,
    preview_text,
    rule_json,
    rule_text,
    show_json,
    show_text,
)
from dauys.cli.main import answer, one_line, say
from dauys.errors import BadInput, DauysError
from dauys.law.citations import parse_citation, resolve
from dauys.law.consolidate import caused, history, prospects
from dauys.law.facts import load_facts
from dauys.law.snapshot import LawNotLoaded
from dauys.law.system import System, load_system
from dauys.law.works import ID, Work, article_of, within

DAY_TYPE = click.DateTime(["%Y-%m-%d"])
LANGUAGES = click.Choice(["kk", "ru", "en"])
Options = Callable[..., int]


def _common(command: Options) -> Options:
    """The options that every command of the group has."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md)."),
        click.option(
            "--facts", "bundle", metavar="BUNDLE",
            help="Take what a poll decided from this record, a folder or an address, not from the pack.",
        ),
        click.option("--pack", default="kz", show_default=True, help="The jurisdiction."),
    ):  # fmt: skip
        command = option(command)
    return command


on_option = click.option("--on", required=True, type=DAY_TYPE, help="The day, YYYY-MM-DD.")
lang_option = click.option("--lang", type=LANGUAGES, default="en", show_default=True, help="The language of the text.")


@click.group()
def law() -> None:
    """Say what the law is on a day, what changes it, and why.

    Exits with 1 where the answer is no: something disagrees, or the law of the day is not loaded.
    """


@law.command()
@click.argument("provision", required=False)
@on_option
@lang_option
@click.option("--work", help="Which text, where the pack has several.")
@_common
def show(
    provision: str | None, on: datetime, lang: str, work: str | None, pack: str, bundle: str | None, as_json: bool
) -> int:
    """Print the text of a day: PROVISION (art_50, "50(2)", "статья 50"), or all of it.

    What is enacted and begins later is printed after it, with its day.
    """

    def say_it(system: System) -> tuple[Any, str]:
        name = _work(system, work)
        text = system.text(name, on.date(), lang)
        key = _provision(text, provision) if provision else ""
        base, effects = system.work(name).before[lang], system.work(name).effects
        later = [
            change
            for change in prospects(base, effects, on.date(), system.facts)
            if (shown := change.after or change.before) is not None and (not key or within(shown.id, key))
        ]
        return show_json(system.pack, name, text, key, later), show_text(text, key, later)

    return _answer(pack, bundle, as_json, say_it)


@law.command()
@click.argument("day1", type=DAY_TYPE)
@click.argument("day2", type=DAY_TYPE)
@lang_option
@_common
def diff(day1: datetime, day2: datetime, lang: str, pack: str, bundle: str | None, as_json: bool) -> int:
    """Print what differs between two days: each provision and each rule, with what caused it."""

    def say_it(system: System) -> tuple[Any, str]:
        found = system.changes(day1.date(), day2.date(), lang if system.works else None)
        if found.missing:
            raise found.missing[0]
        statuses = {name: system.text(name, day2.date(), lang).status for name in system.works}
        return changes_json(found, statuses), changes_text(found, statuses)

    return _answer(pack, bundle, as_json, say_it)


@law.command()
@click.argument("key")
@on_option
@_common
def rule(key: str, on: datetime, pack: str, bundle: str | None, as_json: bool) -> int:
    """Print the value of the rule KEY (senate.size) on a day, with its unit, citation and status."""

    def say_it(system: System) -> tuple[Any, str]:
        found = system.rules(on.date()).explain(key)
        since = system.value_since(key, on.date())
        if found.not_loaded is not None:
            raise _No(rule_json(found, since), rule_text(found, since))
        return rule_json(found, since), rule_text(found, since)

    return _answer(pack, bundle, as_json, say_it)


@law.command()
@click.argument("key")
@on_option
@lang_option
@click.option("--work", help="Which text, where the pack has several.")
@_common
def explain(
    key: str, on: datetime, lang: str, work: str | None, pack: str, bundle: str | None, as_json: bool
) -> int:  # fmt: skip
    """Explain KEY on a day: a rule (why it has its value), or a provision (what put its words there)."""

    def say_it(system: System) -> tuple[Any, str]:
        day = on.date()
        if key not in system.book.rules and _names_provision(key):
            name = _work(system, work)
            text = system.text(name, day, lang)
            place = _provision(text, key)
            base, effects = system.work(name).before[lang], system.work(name).effects
            parts = [one.id for one in text.get(place).walk() if one.text]
            origins = [(part, caused(base, effects, day, system.facts, part)) for part in parts]
            past = history(base, effects, system.facts, place)
            return origins_json(text, place, origins, past), origins_text(text, place, origins, past)
        found = system.rules(day).explain(key)
        since, labels = system.value_since(key, day), system.book.rule(key).labels
        body, said = explain_json(found, since, labels), explain_text(found, since, labels, lang)
        if found.not_loaded is not None:
            raise _No(body, said)
        return body, said

    return _answer(pack, bundle, as_json, say_it)


@law.command()
@_common
def check(pack: str, bundle: str | None, as_json: bool) -> int:
    """Check that text and rules say the same on every day of change; exits with 1 where they do not."""

    def say_it(system: System) -> tuple[Any, str]:
        from dauys.law.concordance import check as check_system

        report = check_system(system)
        if bundle is not None:
            report.unused.clear()  # without a fact, an exception may be idle
        body, text = report.to_json(), check_text(report)
        if not body["ok"]:
            raise _No(body, text)
        return body, text

    return _answer(pack, bundle, as_json, say_it)


@law.command()
@click.argument("drafts", nargs=-1, required=True, type=click.Path(path_type=Path))
@on_option
@lang_option
@_common
def preview(
    drafts: tuple[Path, ...], on: datetime, lang: str, pack: str, bundle: str | None, as_json: bool
) -> int:  # fmt: skip
    """Print what DRAFTS would change in text and rules, had their events happened on a day (docs/law.md).

    A draft is a YAML file: an amending law with its effects, or values of rules.
    """

    def say_it(system: System) -> tuple[Any, str]:
        from dauys.law.preview import preview as preview_drafts

        found = preview_drafts(system, drafts, on.date(), lang)
        return preview_json(found), preview_text(found)

    return _answer(pack, bundle, as_json, say_it)


class _No(Exception):
    """The answer is no: it is printed like any other, and the exit code is 1."""

    def __init__(self, body: Any, text: str) -> None:
        super().__init__(text)
        self.body, self.text = body, text


def _answer(pack: str, bundle: str | None, as_json: bool, say_it: Callable[[System], tuple[Any, str]]) -> int:
    try:
        body, text = say_it(_system(pack, bundle))
    except LawNotLoaded as error:
        body = {"key": error.key, "on": error.day.isoformat(), "answer": str(error)}
        answer(body, as_json, str(error))
        return 1
    except _No as no:
        answer(no.body, as_json, no.text)
        return 1
    answer(body, as_json, text)
    return 0


def _system(pack: str, bundle: str | None) -> System:
    return load_system(pack) if bundle is None else _recorded_system(pack, bundle)


def _recorded_system(pack: str, bundle: str) -> System:
    """The law of a pack where a record decides what happened. Imports what only this needs: half a command's start."""
    from dauys.publish.recorded_facts import facts_of_record
    from dauys.record.tiles import folder_fetch
    from dauys.record.witness_run import http_fetch

    remote = bundle.startswith(("http://", "https://"))
    if not remote and not Path(bundle).is_dir():
        raise BadInput("there is no bundle", found=bundle, expected="a folder that `dauys run` wrote, or an address")
    found = facts_of_record(http_fetch(bundle) if remote else folder_fetch(Path(bundle)), bundle)
    if not found.decides:
        raise DauysError(f"{bundle}: the poll {found.poll} sets nothing off in the law")
    for fact in found.facts:
        say(one_line(f"recorded: {fact.event} on {fact.at} ({fact.source})"))
    for event in sorted(event for event in found.decides if event not in found.facts):
        say(one_line(f"the record does not say that {event} happened: what waits for it does not begin"))
    return load_system(pack, load_facts(pack).from_record(found.decides, found.facts))


def _work(system: System, name: str | None) -> str:
    if name is not None or len(system.works) == 1:
        return system.work(name or next(iter(system.works))).name
    raise BadInput(
        "which text?", expected=f"--work with one of: {', '.join(system.works) or 'none: the pack has none'}"
    )


def _provision(text: Work, name: str) -> str:
    """The permanent id that a user's name means. A whole article that the day's text lacks is answered with its day."""
    try:
        return resolve(text, name)
    except BadInput as error:
        articles = dict.fromkeys(article_of(key) for key in text.ids() if key.startswith("art_"))
        shown = ", ".join(key.removeprefix("art_") for key in articles)
        raise BadInput(
            f"{error.message} on {_day(text.day)}", found=name, expected=f"one in the articles held: {shown}"
        ) from None


def _names_provision(key: str) -> bool:
    if ID.fullmatch(key):
        return True
    try:
        parse_citation(key)
    except BadInput:
        return False
    return True


def _day(day: date) -> str:
    return day.isoformat()
