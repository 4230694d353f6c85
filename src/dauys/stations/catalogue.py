"""Which checks are there, what do they mean, and what follows when one is raised? The catalogue, in three languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from dauys.law.files import LANGUAGES, read_yaml
from dauys.law.form import Form
from dauys.registers.catalogue import Check, table
from dauys.registers.catalogue import catalogue as catalogue_of
from dauys.registers.poll import Contest


class Severity(StrEnum):
    """What follows from a check."""

    FAULT = "fault"
    ERROR = "error"
    WARNING = "warning"
    PUBLISHED = "published"


_BY_PREFIX = {
    "F.0": Severity.FAULT,
    "F.1": Severity.ERROR,
    "W.1": Severity.WARNING,
    "W.2": Severity.PUBLISHED,
}


def severity(number: str) -> Severity:
    """What follows from the check of this number."""
    return _BY_PREFIX[number[:3]]


def quarantines(checks: Iterable[str]) -> bool:
    """Whether a protocol that raised these checks waits in quarantine: one error is enough."""
    return any(number.startswith("F.") for number in checks)


def catalogue() -> Mapping[str, Check]:
    """All checks that hold in every poll, by number. A form adds its own identities: `checks_of`."""
    return catalogue_of("stations")


def checks_of(form: Form) -> Mapping[str, Check]:
    """The catalogue with the identities of a form, by number."""
    own = {i.number: Check(i.number, i.labels, _formula(str(i.relation)), i.cite) for i in form.identities}
    return dict(sorted((dict(catalogue()) | own).items()))


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a number means in some contests of a poll: two forms may give one number to two identities."""

    check: Check
    contests: tuple[str, ...]


def meanings(contests: Iterable[Contest]) -> list[Meaning]:
    """Every check that holds in these contests, by number; one whose meaning depends on the form, once for each."""
    found: dict[str, list[Meaning]] = {}
    for contest in contests:
        for number, check in checks_of(contest.form).items():
            same = found.setdefault(number, [])
            place = next((n for n, meaning in enumerate(same) if meaning.check == check), len(same))
            before = same[place].contests if place < len(same) else ()
            same[place : place + 1] = [Meaning(check, (*before, contest.id))]
    return [meaning for _, same in sorted(found.items()) for meaning in same]


@dataclass(frozen=True, slots=True)
class Misprint:
    """A figure that was really printed wrong: the checks that catch it and what a checker has to hold for that."""

    id: str
    checks: tuple[str, ...]
    needs: str


@cache
def misprints() -> tuple[Misprint, ...]:
    """The misprints that the W.2xx checks are tried on."""
    found = []
    for item in read_yaml(Path(__file__).parent / "misprints.yaml").items():
        parts = item.mapping(("id", "checks", "needs"))
        checks = tuple(number.text() for number in parts["checks"].items())
        found.append(Misprint(parts["id"].text(), checks, parts["needs"].text()))
    return tuple(found)


def _formula(relation: str) -> Mapping[str, str]:
    return dict.fromkeys(LANGUAGES, f"`{relation}`")


_WHAT = {
    Severity.FAULT: ("Faults", "the file or the request is refused whole, with row and field; nothing of it is stored"),
    Severity.ERROR: ("Errors", "the protocol is stored and waits in quarantine: in the record, not in the sums"),
    Severity.WARNING: ("Warnings", "the protocol or report is accepted and counted; the warning is shown"),
    Severity.PUBLISHED: ("Published figures", "the figure cannot be right as printed; it is shown with the reason"),
}


def markdown(forms: Iterable[Form]) -> str:
    """The text of docs/checks.md: the catalogue, and the identities of these forms."""
    lines = [
        "# Checks",
        "",
        "Every check has a number. The same numbers stand in messages, in answers over HTTP (`checks`, `error.check`), in the",
        "record and on pages. This page is made from `src/dauys/stations/checks.yaml` and the forms of the packs:",
        "`python -m dauys.stations.catalogue > docs/checks.md`; a test keeps it in step.",
    ]
    for follows, (title, what) in _WHAT.items():
        numbers = [check for check in catalogue().values() if severity(check.number) is follows]
        lines += ["", f"## {title}: {numbers[0].number[:3]}xx", "", f"What follows: {what}.", "", *table(numbers)]
    lines += ["", "## Observers (O)", "", "They have [a page of their own](observer-checks.md)."]
    lines += ["", "## Misprints that the W.2xx checks are tried on", ""]
    lines += ["All were really printed about votes in Kazakhstan; the tests hold each against its right figure.", ""]
    lines += ["| id | caught by | what that takes |", "|---|---|---|"]
    lines += [f"| {m.id} | {', '.join(m.checks)} | {m.needs} |" for m in misprints()]
    for form in forms:
        lines += ["", f"## Identities of the form `{form.id}`", "", f"{form.cite} ({form.status}).", ""]
        lines += ["| number | identity | English | Қазақша | Русский | law |", "|---|---|---|---|---|---|"]
        for identity in form.identities:
            label = identity.labels
            lines.append(
                f"| {identity.number} | `{identity.relation}` | {label['en']} | {label['kk']} | {label['ru']} "
                f"| {identity.cite} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Prints docs/checks.md."""
    from dauys.law.packs import form_names, load_form

    print(markdown(load_form(name) for name in form_names()), end="")


if __name__ == "__main__":
    main()
