"""How do the answers of `dauys law` read? As text for a person and as JSON, from the same values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from dauys.law.consolidate import Change as TextStep
from dauys.law.consolidate import Origin
from dauys.law.redline import Line
from dauys.law.rules import Value
from dauys.law.snapshot import Explanation, plain
from dauys.law.system import Cause, Changes
from dauys.law.works import Provision, Work

if TYPE_CHECKING:
    from dauys.law.concordance import Report
    from dauys.law.preview import Preview

Origins = Sequence[tuple[str, Sequence[Origin]]]
"""The words of provisions by id, each stretch with what put it there."""
NO_CASES = "open cases: this version keeps no cases, so none can be named"
_STATUS = {
    "official": "official text",
    "translation": "translation, not the official text",
    "paraphrase": "paraphrase: retold in our words, not the official text",
    "reconstructed": "reconstructed, not the official text",
}


def show_json(pack: str, name: str, text: Work, key: str, later: Sequence[TextStep]) -> dict[str, Any]:
    """The answer of `law show`."""
    eids = text.eids()
    shown = text.get(key).walk() if key else text.walk()
    return {
        "pack": pack,
        "work": name,
        "uri": text.uri,
        "title": text.title,
        "on": text.day.isoformat(),
        "language": text.language,
        "status": text.status,
        "provisions": [_provision_json(one, eids[one.id]) for one in shown],
        "later": [_step_json(step) for step in later],
    }


def show_text(text: Work, key: str, later: Sequence[TextStep]) -> str:
    """The text of a day, indented by depth, and what comes."""
    lines = [text.title, f"on {text.day}, {_STATUS[text.status]}", ""]
    for top in (text.get(key),) if key else text.provisions:
        lines += _printed(top, 0)
    if later:
        lines += ["", "enacted, and begins later:"]
        for step in later:
            lines += _step_lines(step)
    return "\n".join(lines)


def changes_json(found: Changes, statuses: Mapping[str, str]) -> dict[str, Any]:
    """The answer of `law diff`."""
    return {
        "from": found.before.isoformat(),
        "to": found.after.isoformat(),
        "works": dict(statuses),
        "texts": [
            {
                "work": change.work,
                **_line_json(change.line),
                "effects": [
                    {"id": effect.id, "op": effect.op, "cite": effect.cite, "law": effect.law}
                    for effect in change.effects
                ],
                "causes": [cause.to_json() for cause in change.causes],
            }
            for change in found.texts
        ],
        "rules": [
            {
                "key": change.key,
                "before": _value_json(change.before),
                "after": _value_json(change.after),
                "causes": [cause.to_json() for cause in change.causes],
            }
            for change in found.rules
        ],
    }


def changes_text(found: Changes, statuses: Mapping[str, str]) -> str:
    """What differs between two days, texts first."""
    lines = [f"{found.before} -> {found.after}: {len(found.texts)} provisions, {len(found.rules)} rules"]
    for name, status in statuses.items():
        lines += ["", f"text of {name} ({_STATUS[status]})"]
        for change in found.texts:
            if change.work == name:
                lines += _line_lines(change.line)
                cites = ", ".join(dict.fromkeys(effect.cite for effect in change.effects))
                lines += [f"      because of {cites}; {cause}" for cause in _causes(change.causes)]
    lines += ["", "rules"]
    for rule in found.rules:
        lines += _value_lines(rule.key, rule.before, rule.after)
        lines += [f"      because of {cause}" for cause in _causes(rule.causes)]
    return "\n".join(lines)


def rule_json(found: Explanation, value_since: date | None) -> dict[str, Any]:
    """The answer of `law rule`: the value with its citation; `value_since` is when a computed one became what it is."""
    body = {name: value for name, value in found.to_json().items() if name != "others"}
    return body if value_since is None else {**body, "value_since": value_since.isoformat()}


def rule_text(found: Explanation, value_since: date | None) -> str:
    """A value on a line, its citation below."""
    if found.live is None or found.not_loaded is not None:
        return "\n".join(
            [str(found.not_loaded), *([f"  {found.live.cite}, {found.live.status}"] if found.live else [])]
        )
    value = found.live
    return "\n".join(
        [
            f"{found.key} on {found.day}: {_said(value)}",
            f"  {value.cite}, {value.status}, since {found.begins} ({value.since})",
            *([f"  {plain(value.value)} since {value_since}"] if value_since not in (None, found.begins) else []),
        ]
    )


def explain_json(found: Explanation, value_since: date | None, labels: Mapping[str, str]) -> dict[str, Any]:
    """The answer of `law explain` for a rule."""
    return {**rule_json(found, value_since), "others": found.to_json()["others"], "labels": dict(labels)}


def explain_text(found: Explanation, value_since: date | None, labels: Mapping[str, str], language: str) -> str:
    """A value, what it was computed from, the fact behind it, and why others do not hold."""
    lines = [labels.get(language, found.key), rule_text(found, value_since)]
    if found.live is not None and found.live.formula is not None:
        lines.append(f"  computed: {found.live.formula.text}")
        lines += [f"    {name} = {plain(value)}" for name, value in found.inputs.items()]
    if found.fact is not None:
        lines.append(f"  because {found.fact.event} happened on {found.fact.at}: {found.fact.source}")
        lines += [f"    {found.fact.note}"] if found.fact.note else []
    if found.live is not None:
        lines += [f"  note: {found.live.note}"] if found.live.note else []
        lines += [f"  source: {found.live.source}"] if found.live.source else []
    for other in found.others:
        lines.append(f"  not {_said(other.value)} ({other.value.cite}, {other.value.status}): {other.why_not}")
    return "\n".join(lines)


def origins_json(text: Work, key: str, origins: Origins, past: Sequence[TextStep]) -> dict[str, Any]:
    """The answer of `law explain` for a provision."""
    return {
        "provision": key,
        "on": text.day.isoformat(),
        "language": text.language,
        "status": text.status,
        "words": [
            {
                "id": part,
                "text": origin.text,
                "effect": origin.effect.id if origin.effect else None,
                "law": origin.effect.law if origin.effect else None,
            }
            for part, stretches in origins
            for origin in stretches
        ],
        "history": [_step_json(step) for step in past],
    }  # fmt: skip


def origins_text(text: Work, key: str, origins: Origins, past: Sequence[TextStep]) -> str:
    """The words of a provision in stretches, each with the effect behind it; then everything that changed it."""
    lines = [f"{key} on {text.day} ({_STATUS[text.status]})"]
    for part, stretches in origins:
        lines += [f"  {part}"] if part != key else []
        for origin in stretches:
            whence = f"{origin.effect.law}, {origin.effect.cite}" if origin.effect else "the text before"
            lines.append(f"  {origin.text.strip() or '(space)'}   [{whence}]")
    lines += ["", "changed:" if past else "nothing changed it"]
    for step in past:
        lines += _step_lines(step)
    return "\n".join(lines)


def check_text(report: Report) -> str:
    """Every disagreement, every exception with its reason, what was compared, and what no text held here checks."""
    body = report.to_json()
    days: dict[tuple[str, str, str], list[date | None]] = {}
    for one in (*report.disagreements, *report.unused):
        days.setdefault((one.where, one.language, one.message), []).append(one.day)
    lines = []
    for (where, language, message), several in days.items():
        last = f" to {several[-1]}" if len(several) > 1 else ""
        place = " ".join(filter(None, (f"{several[0] or ''}{last}", where, language)))
        lines.append(f"DIFFERS {place}: {message}")
    lines += [f"exception {one['where']}: {one['because']}" for one in body["exceptions"]]
    covered = report.coverage
    lines += [f"not stated {key}: the text held here leaves this number out" for key in covered.unstated]
    numbers = body["numbers"]
    return "\n".join(
        [
            *lines,
            f"{len(report.days)} days; numbers in the text: {numbers['stated']}, of rules {numbers['of_rules']}, "
            f"of no rule {numbers['of_no_rule']}",
            f"rules by number: {len(covered.stated)} stated, {len(covered.computed)} computed, "
            f"{len(covered.unstated)} not stated",
            f"rules in words: {len(covered.worded)} compared, {len(covered.words)} only when they change",
            f"rules of texts not held: {len(covered.elsewhere)}, not compared",
            f"changes compared: {report.changes} of rules, {report.text_changes} of provisions",
            "text and rules agree" if body["ok"] else "TEXT AND RULES DISAGREE",
        ]
    )


def preview_json(found: Preview) -> dict[str, Any]:
    """The answer of `law preview`."""
    return {
        "assumed": [{"event": fact.event, "day": fact.at.isoformat()} for fact in found.assumed],
        "days": [
            {
                "day": one.day.isoformat(),
                "texts": [{"work": name, **_line_json(line)} for name, line in one.texts],
                "rules": [
                    {"key": change.key, "before": _value_json(change.before), "after": _value_json(change.after)}
                    for change in one.rules
                ],
            }
            for one in found.days
        ],
        "disagreements": [one.to_json() for one in found.disagreements],
        "open_cases": None,
        "remark": NO_CASES,
    }


def preview_text(found: Preview) -> str:
    """What a draft would change, day by day, and what would then disagree."""
    lines = [f"assumed: {fact.event} on {fact.at}" for fact in found.assumed]
    for one in found.days:
        lines.append(f"from {one.day}: {len(one.texts)} provisions, {len(one.rules)} rules")
        for _, line in one.texts:
            lines += _line_lines(line)
        for change in one.rules:
            lines += _value_lines(change.key, change.before, change.after)
    lines += [] if found.days else ["nothing would change"]
    for where, message in dict.fromkeys((one.where, one.message) for one in found.disagreements):
        lines.append(f"would disagree: {where}: {message}")
    return "\n".join([*lines, NO_CASES])


def _printed(provision: Provision, depth: int) -> Iterator[str]:
    """A provision as it is printed: its number, its heading, its words; then what is below."""
    margin = "  " * depth
    match provision.kind:
        case "section":
            yield f"{margin}Section {provision.num}. {provision.heading}".rstrip(". ")
        case "article":
            yield f"{margin}Article {provision.num}" + (f". {provision.heading}" if provision.heading else "")
    number = {"paragraph": f"{provision.num}. ", "point": f"{provision.num}) "}.get(provision.kind, "")
    state = f"[{provision.state}] " if provision.state else ""
    if provision.text or provision.kind not in ("section", "article"):
        inner = margin + ("  " if provision.kind in ("section", "article") else "")
        yield f"{inner}{number}{state}{provision.text}".rstrip()
    for child in provision.children:
        yield from _printed(child, depth + (provision.kind != "section"))


def _provision_json(provision: Provision, eid: str) -> dict[str, Any]:
    return {
        "id": provision.id,
        "eid": eid,
        "num": provision.num,
        "heading": provision.heading,
        "text": provision.text,
        "state": provision.state,
    }


def _step_json(step: TextStep) -> dict[str, Any]:
    shown = step.after or step.before
    return {
        "id": shown.id if shown else None,
        "day": step.day.isoformat() if step.day else None,
        "effect": step.effect.id if step.effect else None,
        "cite": step.effect.cite if step.effect else None,
        "law": step.effect.law if step.effect else None,
        "waits_for": step.effect.commences.to_json() if step.effect else None,
        "before": _own_text(step.before),
        "after": _own_text(step.after),
    }


def _step_lines(step: TextStep) -> Iterator[str]:
    shown = step.after or step.before
    when = f"from {step.day}" if step.day else "day not known"
    waits = f", waits for {step.effect.commences}" if step.effect else ""
    yield f"  {shown.id if shown else ''} {when}{waits}"
    if step.before is not None:
        yield f"    - {_own_text(step.before)}"
    if step.after is not None:
        yield f"    + {_own_text(step.after)}"


def _own_text(provision: Provision | None) -> str | None:
    return None if provision is None else " ".join(filter(None, (one.text for one in provision.walk())))


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "change": line.change,
        "before": line.before.text if line.before else None,
        "after": line.after.text if line.after else None,
        "words": [list(pair) for pair in line.words],
    }


def _line_lines(line: Line) -> Iterator[str]:
    marks = {"same": ("", ""), "delete": ("[-", "-]"), "insert": ("{+", "+}")}
    yield f"  {line.id} {line.change}"
    headings = [one.heading for one in (line.before, line.after) if one is not None]
    if len(set(headings)) > 1:
        yield f"      [-{headings[0]}-]{{+{headings[1]}+}}"
    text = "".join(f"{marks[kind][0]}{words}{marks[kind][1]}" for kind, words in line.words)
    if text:
        yield f"      {text}"


def _value_json(value: Value | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {"value": plain(value.value), "unit": value.unit, "cite": value.cite, "status": value.status}


def _value_lines(key: str, before: Value | None, after: Value | None) -> Iterator[str]:
    was = "cannot say" if before is None else _said(before)
    now = "cannot say" if after is None else _said(after)
    cited = after or before
    cite = f"  ({cited.cite}, {cited.status})" if cited else ""
    yield f"  {key}: {was} -> {now}{cite}"


def _said(value: Value) -> str:
    """A value with its unit, where that says more than the value."""
    if value.value is None:
        return value.formula.text if value.formula else "unknown"
    shown = plain(value.value)
    text = (
        "; ".join(shown) if isinstance(shown, list) else str(shown).lower() if isinstance(shown, bool) else str(shown)
    )
    return text if value.unit in ("count", "share", "text", "list", "boolean", "majority") else f"{text} {value.unit}"


def _causes(causes: Sequence[Cause]) -> list[str]:
    return [f"{cause.event or 'the day itself'}, {_day(cause.day)}: {cause.source}" for cause in causes]


def _day(day: date | None) -> str:
    return "day not known" if day is None else day.isoformat()
