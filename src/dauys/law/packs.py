"""Which packs are there, and what do they hold? A pack is a folder of data: one jurisdiction's law, areas and polls.

jurisdictions/<pack>/pack.yaml          {pack, names: {kk, ru, en}, areas: FILE, timezone}
jurisdictions/<pack>/rules/<name>.yaml  decision rules, called `<pack>/<name>`
jurisdictions/<pack>/forms/<name>.yaml  result forms, called `<pack>/<name>`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dauys.errors import BadInput, DauysError
from dauys.law.decision_rule import DecisionRule, read_rule
from dauys.law.files import read_yaml
from dauys.law.form import Form, read_form

JURISDICTIONS = Path(__file__).parent.parent / "jurisdictions"


@dataclass(frozen=True, slots=True)
class Pack:
    """One jurisdiction: `areas` is the path of its table of areas."""

    name: str
    names: Mapping[str, str]
    areas: Path
    timezone: str


def pack_names() -> list[str]:
    """The packs there are."""
    return sorted(path.parent.name for path in JURISDICTIONS.glob("*/pack.yaml"))


def pack_folder(name: str) -> Path:
    """The folder of a pack; an unknown name is answered with the list of those there are."""
    if name not in pack_names():
        raise DauysError(f"there is no pack {name!r}; there are: {', '.join(pack_names())}")
    return JURISDICTIONS / name


def load_pack(name: str) -> Pack:
    """What the pack says about itself; raises `DauysError`."""
    folder = pack_folder(name)
    parts = read_yaml(folder / "pack.yaml").mapping(required=("pack", "names", "areas", "timezone"))
    if parts["pack"].text() != name:
        parts["pack"].fail("the pack has another name than its folder", found=parts["pack"].text(), expected=name)
    areas = folder / parts["areas"].matching(r"[a-z0-9_-]+\.csv", "the name of a CSV file in the pack")
    return Pack(name, parts["names"].labels(), areas, parts["timezone"].text())


def rule_names() -> list[str]:
    """The decision rules of all packs."""
    return _names("rules")


def form_names() -> list[str]:
    """The result forms of all packs."""
    return _names("forms")


def load_rule(name: str) -> DecisionRule:
    """The decision rule called `<pack>/<name>`; an unknown name is answered with the list of those there are."""
    path = _path("rules", "decision rule", name)
    rule = read_rule(path)
    _check_name(path, name, rule.id)
    return rule


def load_form(name: str) -> Form:
    """The form called `<pack>/<name>`; an unknown name is answered with the list of those there are."""
    path = _path("forms", "form", name)
    form = read_form(path)
    _check_name(path, name, form.id)
    return form


def _names(kind: str) -> list[str]:
    paths = (path for name in pack_names() for path in (JURISDICTIONS / name / kind).glob("*.yaml"))
    return sorted(f"{path.parent.parent.name}/{path.stem}" for path in paths)


def _path(kind: str, word: str, name: str) -> Path:
    names = _names(kind)
    if name not in names:
        raise DauysError(f"there is no {word} {name!r}; there are: {', '.join(names)}")
    pack, _, stem = name.partition("/")
    return JURISDICTIONS / pack / kind / f"{stem}.yaml"


def _check_name(path: Path, name: str, found: str) -> None:
    if found != name:
        raise BadInput("the name inside differs from the place of the file", file=path, found=found, expected=name)
