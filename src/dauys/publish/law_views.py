"""What do the pages of the law show? Plain values made of a pack's law: what a template draws and what JSON sends.

Texts come in all the languages there are; days as `2022-06-08`. A value that is not known is never left out: it is
`known: false`, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from dauys.errors import BadInput
from dauys.law.citations import citation_of
from dauys.law.effects import Effect
from dauys.law.files import LANGUAGES
from dauys.law.redline import Line, Words, redline, words_changed
from dauys.law.snapshot import LawNotLoaded, plain
from dauys.law.system import RuleChange
from dauys.law.works import Provision, Work
from dauys.publish.law_reasons import reason
from dauys.publish.law_source import DAY, Moved, PackLaw
from dauys.publish.law_values import by_subject, causes, event, subject, value
from dauys.publish.twins import Model


def head(law: PackLaw) -> Model:
    """What every page of a system begins with. `last` is the last day on which it can answer."""
    return {
        "pack": law.system.pack,
        "names": dict(law.names),
        "first": law.first.isoformat(),
        "last": law.last.isoformat(),
        "ends": None if law.ends is None else {"day": law.ends.isoformat(), "cite": law.system.book.ends_cite},
        "works": [
            {"work": name, "titles": {lang: work.title for lang, work in text.before.items()}}
            for name, text in law.system.works.items()
        ],
        "records": [
            {
                "poll": one.poll,
                "names": dict(one.names),
                "event": event(law, one.event, None),
                "state": one.state,
                "outcomes": list(one.outcomes),
            }
            for one in law.records
        ],
    }


def index(laws: list[PackLaw]) -> Model:
    """The systems there are, with their size."""
    return {"systems": [head(law) | {"rules": len(law.system.book.rules), "days": len(law.days)} for law in laws]}


def timeline(law: PackLaw, asked: date | None) -> Model:
    """Every day of change. `asked`: a day somebody asked for, and the days of change around it."""
    model = head(law) | {"days": [_day(law, day) for day in law.days], "rules": len(law.system.book.rules)}
    return model | {"asked": None if asked is None else _place(law, asked)}


def day(law: PackLaw, on: date) -> Model:
    """What changes on a day: provisions, word by word in every language, and rules by subject."""
    changes = law.changes(on)
    kinds: dict[str, list[Model]] = {"changed": [], "begun": [], "ended": []}
    for change in changes.rules:
        kind = "begun" if change.before is None else "ended" if change.after is None else "changed"
        kinds[kind].append(_rule_change(law, change))
    return (
        head(law)
        | _place(law, on)
        | _day(law, on)
        | {"texts": [model for name in law.system.works if (model := _redlines(law, name, on))["lines"]]}
        | {"rules": {kind: by_subject(law, rows) for kind, rows in kinds.items()}}
    )


def text(law: PackLaw, work: str, on: date) -> Model:
    """The text of a day, provision by provision, each with what changed it until then and what will."""
    source = law.system.work(work)
    model = head(law) | _place(law, on) | {"work": work, "reason": None, "provisions": []}
    model["titles"] = {lang: before.title for lang, before in source.before.items()}
    model["statuses"] = {lang: before.status for lang, before in source.before.items()}
    try:
        works = {lang: law.system.text(work, law.since(on), lang) for lang in source.languages}
    except LawNotLoaded as error:
        return model | {"loaded": False, "reason": error.reason}
    history: dict[str, dict[str, list[Moved]]] = {}
    for lang in works:
        for key, steps in law.moved(work, lang).items():
            history.setdefault(key, {})[lang] = steps
    first = next(iter(works.values()))
    labels = printed_names(first)
    for provision in first.walk():
        per = {lang: one.get(provision.id) for lang, one in works.items()}
        model["provisions"].append(
            {
                "id": provision.id,
                "kind": provision.kind,
                "num": provision.num,
                "state": provision.state,
                "names": labels[provision.id],
                "texts": {lang: {"heading": one.heading, "text": one.text} for lang, one in per.items()},
                "history": _history(law, history.get(provision.id, {}), on),
            }
        )
    return model


def rules(law: PackLaw, on: date) -> Model:
    """Every rule on a day by subject: its value, or why nothing can be said."""
    snapshot = law.rules(on)
    rows = []
    for key, rule in law.system.book.rules.items():
        found = snapshot.get(key)
        row: Model = {"key": key, "labels": dict(rule.labels)}
        if isinstance(found, LawNotLoaded):
            live = snapshot.explain(key).live
            row |= {"known": False, "reason": reason(found.reason), "cite": live.cite if live else None}
        else:
            row |= {"known": True, **value(law, found)}
        rows.append(row)
    rows.sort(key=lambda row: not row["known"])
    known = len(snapshot.values)
    return (
        head(law) | _place(law, on) | {"subjects": by_subject(law, rows), "known": known, "unknown": len(rows) - known}
    )


def rule(law: PackLaw, key: str, on: date) -> Model:
    """One rule: its value on a day and why, what it was and will be, and why the other values do not hold."""
    written = law.system.book.rule(key)
    snapshot = law.rules(on)
    explained = snapshot.explain(key)
    found = snapshot.get(key)
    now: Model = (
        {"known": False, "reason": reason(found.reason)}
        if isinstance(found, LawNotLoaded)
        else {
            "known": True,
            **value(law, found),
            "inputs": {name: plain(number) for name, number in explained.inputs.items()},
        }
    )
    return (
        head(law)
        | _place(law, on)
        | {
            "key": key,
            "labels": dict(written.labels),
            "description": written.description,
            "unit": written.unit,
            "subject": subject(law, key),
            "value": now,
            "unknown": value(law, explained.live) if explained.live and not now["known"] else None,
            "others": [value(law, one.value) | {"why_not": _why_not(law, one.why_not)} for one in explained.others],
            "history": _rule_history(law, key),
        }
    )


def printed_names(work: Work) -> dict[str, dict[str, str]]:
    """Each provision's citation by the numbers printed that day, in every language; "" for a section."""
    names = {}
    for key, printed in work.eids().items():
        section = key.startswith("sec_")
        names[key] = {lang: "" if section else citation_of(printed).format(lang) for lang in LANGUAGES}
    return names


def _place(law: PackLaw, on: date) -> Model:
    """A day among the days of change."""
    before, after = law.around(on)
    return {
        "on": on.isoformat(),
        "loaded": law.loaded(on),
        "moves": on in law.days,
        "before": None if before is None else before.isoformat(),
        "after": None if after is None else after.isoformat(),
    }


def _day(law: PackLaw, on: date) -> Model:
    """How much changes on a day, and what began it. `parts`: laws of which a part takes effect, "1 of 3"."""
    changes = law.changes(on)
    began = [cause for change in changes.rules for cause in change.causes]
    began += [cause for change in changes.texts for cause in change.causes]
    events = dict.fromkeys((cause.event, cause.source) for cause in began if cause.event)
    parts = [
        {"titles": dict(one.title), "part": law.starts(one).index(on) + 1, "parts": len(law.starts(one))}
        for one in law.laws
        if on in law.starts(one)
    ]
    return {
        "day": on.isoformat(),
        "kind": "first" if on == law.first else "end" if on == law.ends else "change",
        "provisions": sum(_says_something(change.line) for change in changes.texts),
        "changed": sum(None not in (change.before, change.after) for change in changes.rules),
        "begun": sum(change.before is None for change in changes.rules),
        "ended": sum(change.after is None for change in changes.rules),
        "events": [event(law, name, source) for name, source in events],
        "parts": parts,
    }


def _rule_change(law: PackLaw, change: RuleChange) -> Model:
    return {
        "key": change.key,
        "labels": dict(law.system.book.rules[change.key].labels),
        "before": None if change.before is None else value(law, change.before),
        "after": None if change.after is None else value(law, change.after),
        "causes": causes(law, change),
    }


def _says_something(line: Line) -> bool:
    """Whether a line has words of its own: an article that only holds its paragraphs has none."""
    return any(one is not None and (one.text or one.heading or one.state) for one in (line.before, line.after))


def _why_not(law: PackLaw, sentence: str) -> Model:
    """A reason, with the names of the events that it waits for."""
    found = reason(sentence)
    names = [event(law, name, None)["names"] for name in found["event"].split(" and ")] if "event" in found else []
    return found | ({"names": names} if names else {})


def _redlines(law: PackLaw, work: str, on: date) -> Model:
    """The provisions of a work that change on a day, side by side in every language."""
    source = law.system.work(work)
    lines: dict[str, Model] = {}
    try:
        for lang in source.languages:
            was, now = law.system.text(work, on - DAY, lang), law.system.text(work, on, lang)
            labels = printed_names(was) | printed_names(now)
            for line in filter(_says_something, redline(was, now).lines):
                moved = [one for one in law.moved(work, lang).get(line.id, []) if one.day == on]
                shown = now.get(line.id) if line.after else was.get(line.id)
                row = lines.setdefault(
                    line.id,
                    {
                        "id": line.id,
                        "kind": shown.kind,
                        "num": shown.num,
                        "change": line.change,
                        "names": labels[line.id],
                        "texts": {},
                        "effects": [_effect(law, one.effect) for one in moved],
                    },
                )
                row["texts"][lang] = _sides(line)
    except LawNotLoaded:
        pass
    return {
        "work": work,
        "titles": {lang: before.title for lang, before in source.before.items()},
        "statuses": {lang: before.status for lang, before in source.before.items()},
        "lines": list(lines.values()),
    }


def _sides(line: Line) -> Model:
    """Before, change and after of a provision: the words with their heading; None where it does not exist."""
    before, after = _words_of(line.before), _words_of(line.after)
    headed = any(one is not None and one.heading for one in (line.before, line.after))
    words: Words = words_changed(before or "", after or "") if headed else line.words
    return {
        "before": before,
        "after": after,
        "words": [list(stretch) for stretch in words],
        "state": line.after.state if line.after else "",
    }


def _words_of(provision: Provision | None) -> str | None:
    if provision is None:
        return None
    return "\n".join(part for part in (provision.heading, provision.text) if part)


def _effect(law: PackLaw, effect: Effect) -> Model:
    """What an amending law does to a provision, from when, and on the ground of what."""
    facts = law.system.facts
    start = effect.start(facts)
    whens = [when for when in (effect.commences, effect.requires) if when is not None]
    return {
        "id": effect.id,
        "op": effect.op,
        "cite": effect.cite,
        "titles": dict(law.law(effect.law).title),
        "status": law.law(effect.law).status,
        "starts": None if start is None else start.isoformat(),
        "note": effect.note,
        "events": [event(law, name, None) for name in dict.fromkeys(name for when in whens for name in when.events)],
    }


def _history(law: PackLaw, per: Mapping[str, list[Moved]], on: date) -> list[Model]:
    """What changed a provision, one effect at a time; `past` says whether it had by `on`."""
    steps: dict[tuple[date, str], Model] = {}
    for lang, several in per.items():
        for moved in several:
            step = steps.setdefault(
                (moved.day, moved.effect.id),
                {
                    "day": moved.day.isoformat(),
                    "past": moved.day <= on,
                    "change": moved.line.change,
                    "effect": _effect(law, moved.effect),
                    "texts": {},
                },
            )
            step["texts"][lang] = _sides(moved.line)
    return list(steps.values())


def _rule_history(law: PackLaw, key: str) -> list[Model]:
    """The days on which a rule changed, each with what it said from then on; None: cannot say."""
    rows: list[Model] = []
    for one in law.days:
        for change in law.changes(one).rules:
            if change.key == key:
                found = law.rules(one).get(key)
                rows.append(
                    {
                        "day": one.isoformat(),
                        "value": None if change.after is None else value(law, change.after),
                        "reason": reason(found.reason) if isinstance(found, LawNotLoaded) else None,
                        "causes": causes(law, change),
                    }
                )
    return rows


def day_of(words: str, otherwise: date) -> date:
    """The day that somebody wrote; `otherwise` where nothing is written. Raises `BadInput`."""
    if not words:
        return otherwise
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise BadInput("not a day", found=words[:20], expected="a day like 2022-06-08") from None
