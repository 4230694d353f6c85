"""Which texts does a pack hold, in which languages, and what do they say on a day?

jurisdictions/<pack>/works/<name>/before.<language>.xml    the text before, as Akoma Ntoso
jurisdictions/<pack>/works/<name>/<law>.yaml               the laws that change it, in the order of their names
jurisdictions/<pack>/works/<name>/index.yaml               {ends: WHEN, cite}: from then on it is law no more (optional)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dauys.errors import BadInput, DauysError
from dauys.law.akn import read_akn
from dauys.law.consolidate import consolidate
from dauys.law.effects import AmendingLaw, Effect, read_law
from dauys.law.facts import Facts
from dauys.law.files import LANGUAGES, read_yaml
from dauys.law.packs import pack_folder
from dauys.law.snapshot import LawNotLoaded
from dauys.law.when import When, when_of
from dauys.law.works import Work


@dataclass(frozen=True, slots=True)
class Text:
    """A work of a pack: its text before in each language there is, and the laws that change it."""

    name: str
    before: Mapping[str, Work]
    laws: tuple[AmendingLaw, ...]
    ends: When | None = None
    ends_cite: str = ""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are; a missing one is said, never replaced by another."""
        return tuple(self.before)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """The effects of all laws, in the order of the laws."""
        return tuple(effect for law in self.laws for effect in law.effects)

    def on(self, day: date, facts: Facts, language: str) -> Work:
        """The text of a day; raises `LawNotLoaded`, or `DauysError` where it does not exist in this language."""
        if language not in self.before:
            raise DauysError(f"{self.name} is not here in {language!r}; there is: {', '.join(self.before)}")
        end = self.ends.resolve(facts) if self.ends else None
        if end is not None and day >= end:
            raise LawNotLoaded(self.name, day, self.ends_cite)
        if day < self.before[language].day:
            raise LawNotLoaded(self.name, day, f"the earliest text here is of {self.before[language].day}")
        return consolidate(self.before[language], self.effects, day, facts)


def text_names(pack: str) -> list[str]:
    """The works of a pack."""
    return sorted(path.name for path in (pack_folder(pack) / "works").glob("*") if path.is_dir())


def load_text(pack: str, name: str) -> Text:
    """A work of a pack; an unknown name is answered with the list of those there are."""
    names = text_names(pack)
    if name not in names:
        raise DauysError(f"there is no text {pack}/{name}; there are: {', '.join(names)}")
    return read_text_folder(pack_folder(pack) / "works" / name)


def read_text_folder(folder: Path) -> Text:
    """The work of a folder; raises `BadInput` where its languages or its laws do not fit together."""
    paths = {name: folder / f"before.{name}.xml" for name in LANGUAGES}
    before = {name: read_akn(path) for name, path in paths.items() if path.exists()}
    if not before:
        raise BadInput("there is no text before", file=folder, expected="before.<language>.xml")
    first = next(iter(before.values()))
    for name, work in before.items():
        if (work.language, work.uri, work.day, work.rank) != (name, first.uri, first.day, first.rank):
            raise BadInput("the languages are not those of one text of one day", file=paths[name])
        if work.ids() != first.ids():
            differing = sorted(set(work.ids()) ^ set(first.ids()))
            raise BadInput("the languages do not have the same provisions", file=paths[name], found=differing)
    laws = []
    for path in sorted(folder.glob("*.yaml"), key=lambda path: path.stem):
        if path.stem == "index":
            continue
        law = read_law(path)
        if law.of != first.uri:
            raise BadInput("the law changes another work", file=path, found=law.of, expected=first.uri)
        if missing := [name for name in before if name not in law.languages]:
            raise BadInput("the law is not written in every language of the text", file=path, found=missing)
        laws.append(law)
    index = folder / "index.yaml"
    if not index.exists():
        return Text(folder.name, before, tuple(laws))
    parts = read_yaml(index).mapping(("ends", "cite"))
    return Text(folder.name, before, tuple(laws), when_of(parts["ends"]), parts["cite"].text())
