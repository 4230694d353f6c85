"""What do the rule files of a pack say? `parameters/**.yaml`, read strictly, in OpenFisca's shape (which reads them, too).

The key of a rule is its path with dots: `senate/presidential_quota.yaml` is `senate.presidential_quota`. A file holds
one rule (it has `values`) or a group: names, each with a rule or a group.

    description: Deputies of the Senate whom the President appoints                 (optional)
    metadata:
      unit: count                                       see `dauys.law.unit`
      labels: {kk: ..., ru: ..., en: ...}
      pending:                                          (optional) values whose event has not happened; drafts
        - {value: 12, since: senate-draft.adopted, cite: "...", status: draft}
    values:
      2007-05-22:
        value: 15
        metadata: {since: constitution-2007.published, cite: Const. 50(2), status: enacted}
      2023-03-19:
        value: 10
        metadata: {since: {event: mazhilis-8.elected}, cite: "Const. 50(2), 99(3)", status: enacted}

* `since` is a When (`dauys.law.when`); the date above it is the day it begins under the pack's facts, and is checked.
* Unknown is `value: null` with status `unknown`. A formula (`dauys.law.formula`) is `value: null` with `formula: ...`.
* A value lives until a later one begins. Where the law itself ends it, `until` (a When, the first day without it) says
  so; on that day another entry stands, and none before. `rank` (instruction < decree < law < constitutional_law <
  constitution; `law` where not said) lets a higher act win over a later one.
* Further members of a value: `unit` (another one of the same family), `note`, `source`.
* `parameters/index.yaml` may say `metadata: {ends: WHEN, cite: ...}`: from then on the book answers "law not loaded".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

from dauys.errors import BadInput
from dauys.law.facts import Facts
from dauys.law.files import Node, read_yaml
from dauys.law.form import NAME, STATUSES, Status
from dauys.law.formula import AREAS, Formula
from dauys.law.packs import pack_folder
from dauys.law.rules import RANKS, Book, Rule, Value
from dauys.law.unit import NUMERIC, UNITS, one_family, read_value
from dauys.law.when import When, when_of

_NAME_IN_WORDS = "a name of lower-case letters, digits and underscores"


def load_book(pack: str, facts: Facts) -> Book:
    """The rules of a pack, checked against its facts; raises `DauysError`."""
    return read_book(pack_folder(pack) / "parameters", facts)


def read_book(folder: Path, facts: Facts) -> Book:
    """The rules of a folder, checked against the facts by which its dates are written; raises `BadInput`."""
    rules: dict[str, Rule] = {}
    ends: When | None = None
    ends_cite = ""
    for path in sorted(folder.rglob("*.yaml")):
        names = path.relative_to(folder).with_suffix("").parts
        if path.name == "index.yaml":
            index = _index_of(read_yaml(path), root=len(names) == 1)
            ends, ends_cite = index or (ends, ends_cite)
            continue
        if path.with_suffix("").is_dir():
            raise BadInput("a file and a folder have the same name", file=path, expected="one of the two")
        for name in names:
            Node.of(name, str(path)).matching(NAME, f"as the name of the file or folder {_NAME_IN_WORDS}")
        rules |= {rule.key: rule for rule in _rules_of(read_yaml(path), names, facts)}
    if not rules:
        raise BadInput("there are no rules in this folder", file=folder, expected="YAML files")
    book = Book(rules, ends, ends_cite)
    _check(book, facts)
    return book


def with_drafts(book: Book, drafts: Node, facts: Facts) -> Book:
    """The book with values that are not law: a mapping of keys to values, written as in `pending`. Raises `DauysError`."""
    rules = dict(book.rules)
    for key, entry in drafts.entries():
        rule = book.rule(key.text())
        rules[rule.key] = replace(rule, values=(*rule.values, _pending(entry, rule.unit, facts)))
    drafted = replace(book, rules=rules)
    _check(drafted, facts)
    return drafted


def _index_of(node: Node, *, root: bool) -> tuple[When, str] | None:
    parts = node.mapping(optional=("description", "metadata") if root else ("description",))
    if "metadata" not in parts:
        return None
    metadata = parts["metadata"].mapping(required=("ends", "cite"))
    return when_of(metadata["ends"]), metadata["cite"].text()


def _rules_of(node: Node, names: tuple[str, ...], facts: Facts) -> Iterator[Rule]:
    members = node.entries()
    if any(key.text() in ("values", "metadata") for key, _ in members):
        yield _rule_of(node, ".".join(names), facts)
        return
    for key, member in members:
        if key.text() == "description":
            member.text()
        else:
            name = key.matching(NAME, f"`values`, or {_NAME_IN_WORDS}")
            yield from _rules_of(member, (*names, name), facts)


def _rule_of(node: Node, key: str, facts: Facts) -> Rule:
    parts = node.mapping(required=("metadata", "values"), optional=("description",))
    metadata = parts["metadata"].mapping(required=("unit", "labels"), optional=("pending",))
    unit = metadata["unit"].choice(*UNITS)
    values = [_dated(date, entry, unit, facts) for date, entry in parts["values"].entries()]
    if not values:
        parts["values"].fail("a rule without a value", expected="at least one; an unknown one is null")
    pending = metadata["pending"].items() if "pending" in metadata else []
    return Rule(
        key=key,
        unit=unit,
        labels=metadata["labels"].labels(),
        values=(*values, *(_pending(entry, unit, facts) for entry in pending)),
        description=parts["description"].text() if "description" in parts else "",
    )


def _dated(date: Node, entry: Node, unit: str, facts: Facts) -> Value:
    parts = entry.mapping(required=("value", "metadata"))
    value = _value_of(parts["value"], parts["metadata"].mapping(*_MEMBERS), unit, date.line)
    begins = value.since.resolve(facts)
    if begins is None:
        date.fail("this event has not happened", found=value.since, expected="a recorded fact, or a place in `pending`")
    if begins != date.date():
        date.fail("another day than `since` says", found=date.text(), expected=f"{begins}, from {value.since}")
    if value.status == "draft":
        date.fail("a draft begins on no day", found=value.status, expected="a place in `pending`")
    return value


def _pending(entry: Node, unit: str, facts: Facts) -> Value:
    parts = entry.mapping(("value", *_MEMBERS[0]), _MEMBERS[1])
    value = _value_of(parts["value"], parts, unit, entry.line)
    if (begins := value.since.resolve(facts)) is not None:
        entry.fail("this value is not pending", found=f"{value.since} is {begins}", expected=f"it under {begins}")
    return value


_MEMBERS = (("since", "cite", "status"), ("until", "formula", "unit", "rank", "note", "source"))


def _value_of(node: Node, parts: dict[str, Node], unit: str, line: int | None) -> Value:
    if "unit" in parts:
        other = parts["unit"].choice(*UNITS)
        if not one_family(unit, other):
            parts["unit"].fail("a unit of another family than the rule's", found=other, expected=unit)
        unit = other
    status = cast(Status, parts["status"].choice(*STATUSES))
    formula = _formula_of(parts["formula"], unit) if "formula" in parts else None
    is_null = node.raw.value == "null" and node.raw.tag.endswith(":null")
    if formula is not None and not is_null:
        node.fail("a value and a formula", found=node.raw.value, expected="`null` beside a formula")
    if formula is None and is_null != (status == "unknown"):
        node.fail(
            f"`{status}` does not go with this value", found=node.raw.value, expected="`null` and `unknown` together"
        )
    return Value(
        value=None if is_null else read_value(node, unit),
        unit=unit,
        since=when_of(parts["since"]),
        cite=parts["cite"].text(),
        status=status,
        until=when_of(parts["until"]) if "until" in parts else None,
        formula=formula,
        rank=parts["rank"].choice(*RANKS) if "rank" in parts else "law",
        note=parts["note"].text() if "note" in parts else "",
        source=parts["source"].text() if "source" in parts else "",
        file=node.file,
        line=line,
    )


def _formula_of(node: Node, unit: str) -> Formula:
    if unit not in NUMERIC:
        node.fail("a formula gives a number", found=unit, expected=f"one of the units: {', '.join(NUMERIC)}")
    try:
        return Formula.parse(node.text())
    except BadInput as error:
        node.fail(error.message, found=error.found, expected=error.expected)


def _check(book: Book, facts: Facts) -> None:
    """What no single rule can know: names and units in formulas, cycles, two live values, ends without a successor."""
    for rule in book.rules.values():
        for value in rule.values:
            if value.formula is not None:
                _check_formula(book, value, value.formula)
            ends = None if value.until is None else value.until.resolve(facts)
            if ends is not None and ends not in {other.since.resolve(facts) for other in rule.values}:
                raise value.error("nothing says what follows", found=f"until {ends}", expected=f"an entry for {ends}")
        for day in {value.since.resolve(facts) for value in rule.values} - {None}:
            assert day is not None
            rule.live(day, lambda when: when.resolve(facts))
    _refuse_cycles(book)


def _check_formula(book: Book, value: Value, formula: Formula) -> None:
    def unit_of(name: str) -> str:
        if name.startswith(AREAS):
            return "count"
        if name not in book.rules:
            raise BadInput("a name that is no rule", found=name, expected=f"the key of a rule, or `{AREAS}NAME`")
        unit = book.rules[name].unit
        if unit not in NUMERIC:
            raise BadInput("a rule that is no number", found=f"{name} is {unit}", expected="rules with numbers")
        return unit

    try:
        unit = formula.unit(unit_of)
    except BadInput as error:
        raise value.error(error.message, found=error.found, expected=error.expected) from None
    if unit is not None and unit != value.unit:
        raise value.error("unit mismatch", found=f"{formula.text} is {unit}", expected=value.unit)


def _refuse_cycles(book: Book) -> None:
    """Formulas that need each other are refused, on whatever days they live."""
    done: set[str] = set()

    def visit(key: str, way: tuple[str, ...]) -> None:
        if key in done or key not in book.rules:
            return
        for value in book.rules[key].values:
            for name in value.formula.names if value.formula else ():
                if name in (*way, key):
                    cycle = (*way, key)[(*way, key).index(name) :]
                    raise value.error("circular formulas", found=" -> ".join((*cycle, name)), expected="no cycle")
                visit(name, (*way, key))
        done.add(key)

    for key in book.rules:
        visit(key, ())
