"""What does a result protocol look like: which fields, in which order, and which identities must hold between them?

A form is read from a file of a pack (`jurisdictions/kz/forms/referendum-protocol.yaml`) and embedded into the poll's
entry in the record. Both have the same members:

    {"form": "kz/referendum-protocol", "cite", "status",
     "fields": [{"name", "number" (as printed on the form; absent where the form prints none), "role",
                 "optional" (true, or absent), "labels": {"kk", "ru", "en"}}],
     "identities": [{"number": "F.101" (or "W.110": it warns), "relation" (see `dauys.law.relation`), "cite", "labels"}]}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from dauys.errors import BadInput
from dauys.law.files import Node, read_yaml
from dauys.law.relation import Relation

Role = Literal["register", "ballots", "base", "option", "class"]
"""What a field counts: `register` voters on the list; `ballots` papers handled; `base` ballots found, of which
percentages are taken; `option` ballots for an answer; `class` ballots of the base that are for no answer."""

Status = Literal["enacted", "draft", "reconstructed", "paraphrase", "unknown"]
"""How well the law behind a value is known (design, section Law)."""

ROLES: tuple[Role, ...] = get_args(Role)
STATUSES: tuple[Status, ...] = get_args(Status)
NAME = r"[a-z][a-z0-9_]*"


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form. `number` is the one printed there, None where the form prints none."""

    name: str
    number: str | None
    labels: Mapping[str, str]
    role: Role
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """A relation that an error-free protocol fulfils, with the number of its check (docs/checks.md)."""

    number: str
    relation: Relation
    cite: str
    labels: Mapping[str, str]

    @property
    def warns(self) -> bool:
        """Whether a protocol that breaks it is counted all the same (W): what it says need not hold once the list has changed."""
        return self.number.startswith("W.")

    def applies_to(self, fields: Collection[str]) -> bool:
        """Whether a protocol that gives `fields` can be held against it (optional fields may be absent)."""
        return all(name in fields for name in self.relation.fields)


@dataclass(frozen=True, slots=True)
class Form:
    """A result form of one contest. Fields and identities stand in the order of the form."""

    id: str
    fields: tuple[Field, ...]
    identities: tuple[Identity, ...]
    cite: str
    status: Status

    @property
    def names(self) -> tuple[str, ...]:
        """All field names."""
        return tuple(field.name for field in self.fields)

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that every protocol gives."""
        return tuple(field.name for field in self.fields if not field.optional)

    @property
    def options(self) -> tuple[str, ...]:
        """The fields that are answers of the contest."""
        return tuple(field.name for field in self.fields if field.role == "option")

    def field(self, name: str) -> Field:
        """The field called `name`; raises KeyError."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def broken(self, values: Mapping[str, int]) -> tuple[Identity, ...]:
        """The identities that one protocol breaks, among those whose fields it gives."""
        return tuple(i for i in self.identities if i.applies_to(values) and not i.relation.holds(values))

    def to_json(self) -> dict[str, Any]:
        """The members described above."""
        return {
            "form": self.id,
            "cite": self.cite,
            "status": self.status,
            "fields": [
                {"name": field.name, "role": field.role, "labels": dict(field.labels)}
                | ({} if field.number is None else {"number": field.number})
                | ({"optional": True} if field.optional else {})
                for field in self.fields
            ],
            "identities": [
                {"number": i.number, "relation": str(i.relation), "cite": i.cite, "labels": dict(i.labels)}
                for i in self.identities
            ],
        }

    @classmethod
    def from_json(cls, data: object, file: str | None = None) -> Form:
        """The form that `to_json` wrote; raises `BadInput`, calling the place `file`."""
        return form_of(Node.of(data, file))


def read_form(path: Path) -> Form:
    """The form in a YAML file; raises `BadInput`."""
    return form_of(read_yaml(path))


def form_of(node: Node) -> Form:
    """The form that a node describes; raises `BadInput` with its line."""
    parts = node.mapping(required=("form", "cite", "status", "fields", "identities"))
    fields: dict[str, Field] = {}
    for item in parts["fields"].items():
        field = _field_of(item)
        if field.name in fields:
            item.fail("this field is listed twice", found=field.name, expected="each field once")
        fields[field.name] = field
    identities: dict[str, Identity] = {}
    for item in parts["identities"].items():
        identity = _identity_of(item, fields)
        if identity.number in identities:
            item.fail("this number is used twice", found=identity.number, expected="each number once")
        identities[identity.number] = identity
    return Form(
        id=parts["form"].text(),
        fields=tuple(fields.values()),
        identities=tuple(identities.values()),
        cite=parts["cite"].text(),
        status=cast(Status, parts["status"].choice(*STATUSES)),
    )


def _field_of(node: Node) -> Field:
    parts = node.mapping(required=("name", "role", "labels"), optional=("number", "optional"))
    return Field(
        name=parts["name"].matching(NAME, "lower-case letters, digits and underscores"),
        number=parts["number"].text() if "number" in parts else None,
        labels=parts["labels"].labels(),
        role=cast(Role, parts["role"].choice(*ROLES)),
        optional="optional" in parts and parts["optional"].boolean(),
    )


def _identity_of(node: Node, fields: Collection[str]) -> Identity:
    parts = node.mapping(required=("number", "relation", "cite", "labels"))
    try:
        relation = Relation.parse(parts["relation"].text())
    except BadInput as error:
        parts["relation"].fail(error.message, found=error.found, expected=error.expected)
    unknown = [name for name in relation.fields if name not in fields]
    if unknown:
        parts["relation"].fail(
            "a field that the form does not have", found=unknown[0], expected=f"one of: {', '.join(fields)}"
        )
    return Identity(
        number=parts["number"].matching(r"F\.[0-9]{3}|W\.1[0-9]{2}", "the number of a check, like F.101 or W.110"),
        relation=relation,
        cite=parts["cite"].text(),
        labels=parts["labels"].labels(),
    )
