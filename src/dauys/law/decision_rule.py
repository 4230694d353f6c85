"""By which tests does a vote decide? A rule as data: each test with its threshold, its article and its outcome.

A rule is read from a file of a pack (`jurisdictions/kz/rules/...yaml`) and embedded into the poll's entry in the
record, so that whoever holds the record can decide again. Both have the same members:

    {"rule": "kz/referendum-constitution", "title": {"kk", "ru", "en"}, "since": "1995-11-02", "until": day (or absent),
     "cite", "status",
     "fields": [{"name", "role"}]           the fields the tests need, with roles as in `dauys.law.form`
     "tests": [{"name", "cite", "labels": {"kk", "ru", "en"},
                "otherwise": "not-held" | "rejected"     the outcome when the test is not met
                "tie": "tie"                (optional) the outcome on exact equality, where equality is not enough;
                                            absent: as `otherwise`
                and exactly one of
                "share": SHARE              SHARE holds of the national totals
                "areas": {"where": SHARE, THRESHOLD}     the weight of the areas where SHARE holds, compared with that
                                            share of the weight of all areas that exist on the day
                "compare": {"value": SUM, "more_than": SUM} | {"value": SUM, "at_least": SUM}}]}

    SHARE is {"value": SUM, "of": SUM, THRESHOLD}; THRESHOLD is "more_than": "p/q" or "at_least": "p/q";
    SUM is field names joined by ` + `.

A share is met when q x value > p x of (more_than) or q x value >= p x of (at_least), in whole numbers; nothing of
nothing (value = of = 0) meets no share. The tests are taken in their order: the first one that is not met gives the
outcome; when all are met it is `adopted`. Before `since` and after `until` the outcome is `law-not-loaded`.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

from dauys.errors import BadInput
from dauys.law.files import Node, read_yaml
from dauys.law.form import NAME, ROLES, STATUSES, Role, Status
from dauys.law.relation import Linear

Outcome = Literal["adopted", "rejected", "not-held", "tie", "undetermined", "law-not-loaded"]
Kind = Literal["share", "areas", "compare"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """More than, or at least, an exact share."""

    share: Fraction
    strict: bool

    def met(self, value: Fraction | int, of: Fraction | int) -> bool:
        """Whether `value` is more than (at least) the share of `of`."""
        if value == 0 and of == 0:
            return False
        return value > self.share * of if self.strict else value >= self.share * of

    def needed(self, of: Fraction | int, unit: Fraction | int = 1) -> Fraction:
        """The least multiple of `unit` that meets the threshold."""
        steps = self.share * of / unit
        whole = steps.numerator // steps.denominator
        if self.strict or whole != steps:
            whole += 1
        return max(whole, 1) * Fraction(unit)


@dataclass(frozen=True, slots=True)
class Share:
    """A test of one set of totals: `value` against a share of `of`."""

    value: Linear
    of: Linear
    threshold: Threshold

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it needs."""
        return tuple(dict.fromkeys(self.value.fields + self.of.fields))

    def met(self, values: Mapping[str, int]) -> bool:
        """Whether it holds of these totals, exactly."""
        return self.threshold.met(self.value.of(values), self.of.of(values))

    def margin(self, values: Mapping[str, int]) -> int:
        """q x value - p x of: above 0 is met, 0 is the boundary, below 0 is not met."""
        share = self.threshold.share
        return share.denominator * self.value.of(values) - share.numerator * self.of.of(values)

    def needed(self, values: Mapping[str, int]) -> int:
        """The least `value` that would meet it, `of` being as it is."""
        return int(self.threshold.needed(self.of.of(values)))


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a rule. Kind `areas` asks `share` of each area, and `of_areas` of the weight of those that pass."""

    __test__ = False  # not a test class, whatever pytest makes of the name

    name: str
    kind: Kind
    share: Share
    of_areas: Threshold | None
    otherwise: Outcome
    tie: Outcome | None
    cite: str
    labels: Mapping[str, str]

    @property
    def unmet_outcomes(self) -> tuple[Outcome, ...]:
        """The outcomes this test can give when it is not met."""
        return (self.otherwise,) if self.tie in (None, self.otherwise) else (self.otherwise, self.tie)


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """How one kind of vote decides, and in which years. `roles` gives the fields in order, with what each counts."""

    id: str
    title: Mapping[str, str]
    since: datetime.date
    until: datetime.date | None
    cite: str
    status: Status
    roles: Mapping[str, Role]
    tests: tuple[Test, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that the tests need."""
        return tuple(self.roles)

    def in_force(self, on: datetime.date) -> bool:
        """Whether the rule is law on that day (`until` is its last day)."""
        return self.since <= on and (self.until is None or on <= self.until)

    def fields_with(self, *roles: Role) -> tuple[str, ...]:
        """The fields that have one of these roles."""
        return tuple(name for name, role in self.roles.items() if role in roles)

    def to_json(self) -> dict[str, Any]:
        """The members described above."""
        return {
            "rule": self.id,
            "title": dict(self.title),
            "since": self.since.isoformat(),
            **({} if self.until is None else {"until": self.until.isoformat()}),
            "cite": self.cite,
            "status": self.status,
            "fields": [{"name": name, "role": role} for name, role in self.roles.items()],
            "tests": [_test_json(test) for test in self.tests],
        }

    @classmethod
    def from_json(cls, data: object, file: str | None = None) -> DecisionRule:
        """The rule that `to_json` wrote; raises `BadInput`, calling the place `file`."""
        return rule_of(Node.of(data, file))


def read_rule(path: Path) -> DecisionRule:
    """The rule in a YAML file; raises `BadInput`."""
    return rule_of(read_yaml(path))


def rule_of(node: Node) -> DecisionRule:
    """The rule that a node describes; raises `BadInput` with its line."""
    parts = node.mapping(required=("rule", "title", "since", "cite", "status", "fields", "tests"), optional=("until",))
    since = parts["since"].date()
    until = parts["until"].date() if "until" in parts else None
    if until is not None and until < since:
        parts["until"].fail("ends before it begins", found=until, expected=f"{since} or later")
    roles = _roles_of(parts["fields"])
    tests: dict[str, Test] = {}
    for item in parts["tests"].items():
        test = _test_of(item, roles)
        if test.name in tests:
            item.fail("this test is named twice", found=test.name, expected="each name once")
        tests[test.name] = test
    if not tests:
        parts["tests"].fail("a rule without a test", expected="at least one")
    return DecisionRule(
        id=parts["rule"].text(),
        title=parts["title"].labels(),
        since=since,
        until=until,
        cite=parts["cite"].text(),
        status=cast(Status, parts["status"].choice(*STATUSES)),
        roles=roles,
        tests=tuple(tests.values()),
    )


def _roles_of(node: Node) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for item in node.items():
        parts = item.mapping(required=("name", "role"))
        name = parts["name"].matching(NAME, "lower-case letters, digits and underscores")
        if name in roles:
            item.fail("this field is listed twice", found=name, expected="each field once")
        role = cast(Role, parts["role"].choice(*(role for role in ROLES if role != "ballots")))
        if role in ("register", "base") and role in roles.values():
            item.fail(f"a second field with the role {role}", found=name, expected="at most one")
        roles[name] = role
    return roles


def _test_of(node: Node, roles: Mapping[str, Role]) -> Test:
    kinds = ("share", "areas", "compare")
    parts = node.mapping(required=("name", "cite", "labels", "otherwise"), optional=("tie", *kinds))
    given = [kind for kind in kinds if kind in parts]
    if len(given) != 1:
        node.fail("a test has one kind", found=", ".join(given) or "none", expected=f"one of: {', '.join(kinds)}")
    kind = cast(Kind, given[0])
    of_areas = None
    if kind == "share":
        share = _share_of(parts[kind], roles)
    elif kind == "compare":
        share = _comparison_of(parts[kind], roles)
    else:
        inner = parts[kind].mapping(required=("where",), optional=("more_than", "at_least"))
        share, of_areas = _share_of(inner["where"], roles), _threshold_of(parts[kind], inner)
    otherwise = cast(Outcome, parts["otherwise"].choice("not-held", "rejected"))
    tie = cast(Outcome, parts["tie"].choice("tie", otherwise)) if "tie" in parts else None
    if tie == "tie" and not (of_areas or share.threshold).strict:
        parts["tie"].fail("equality meets `at_least`, so there is no tie", expected="`more_than`, or no `tie`")
    return Test(
        name=parts["name"].matching(r"[a-z][a-z0-9-]*", "lower-case letters, digits and hyphens"),
        kind=kind,
        share=share,
        of_areas=of_areas,
        otherwise=otherwise,
        tie=tie,
        cite=parts["cite"].text(),
        labels=parts["labels"].labels(),
    )


def _share_of(node: Node, roles: Mapping[str, Role]) -> Share:
    parts = node.mapping(required=("value", "of"), optional=("more_than", "at_least"))
    return Share(_sum_of(parts["value"], roles), _sum_of(parts["of"], roles), _threshold_of(node, parts))


def _comparison_of(node: Node, roles: Mapping[str, Role]) -> Share:
    parts = node.mapping(required=("value",), optional=("more_than", "at_least"))
    bound = _bound_of(node, parts)
    return Share(
        _sum_of(parts["value"], roles), _sum_of(bound, roles), Threshold(Fraction(1), strict="more_than" in parts)
    )


def _bound_of(node: Node, parts: Mapping[str, Node]) -> Node:
    given = [parts[name] for name in ("more_than", "at_least") if name in parts]
    if len(given) != 1:
        node.fail("a test has one threshold", expected="either more_than or at_least")
    return given[0]


def _threshold_of(node: Node, parts: Mapping[str, Node]) -> Threshold:
    bound = _bound_of(node, parts)
    share = bound.fraction()
    if not 0 < share <= 1:
        bound.fail("not a share", found=share, expected="above 0 and at most 1")
    return Threshold(share, strict="more_than" in parts)


def _sum_of(node: Node, roles: Mapping[str, Role]) -> Linear:
    text = node.text()
    try:
        linear = Linear.parse(text)
    except BadInput:
        linear = Linear((), 1)
    if linear.constant or any(factor != 1 for factor, _ in linear.terms):
        node.fail("cannot be read", found=text, expected="field names joined by ` + `")
    for name in linear.fields:
        if name not in roles:
            node.fail("a field that the rule does not list", found=name, expected=f"one of: {', '.join(roles)}")
    return linear


def _test_json(test: Test) -> dict[str, Any]:
    share = test.share
    body: dict[str, Any]
    if test.kind == "compare":
        body = {"value": str(share.value), _word(share.threshold): str(share.of)}
    else:
        body = {"value": str(share.value), "of": str(share.of), _word(share.threshold): str(share.threshold.share)}
    if test.of_areas is not None:
        body = {"where": body, _word(test.of_areas): str(test.of_areas.share)}
    return {
        "name": test.name,
        "cite": test.cite,
        "labels": dict(test.labels),
        "otherwise": test.otherwise,
        **({} if test.tie is None else {"tie": test.tie}),
        test.kind: body,
    }


def _word(threshold: Threshold) -> str:
    return "more_than" if threshold.strict else "at_least"
