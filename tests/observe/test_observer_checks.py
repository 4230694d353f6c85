"""The numbered checks of observers: their page is made of the catalogue, and what the code says is in it."""

from __future__ import annotations

import re
from pathlib import Path

from dauys.observe.catalogue import markdown
from dauys.registers.catalogue import catalogue

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_checks_is_made_of_the_catalogue() -> None:
    page = (ROOT / "docs/observer-checks.md").read_text(encoding="utf-8")
    assert page == markdown(), "python -m dauys.observe.catalogue > docs/observer-checks.md"
    for number, check in catalogue("observe").items():
        assert f"| {number} | **{check.title['en']}.**" in page  # no number is outside the parts of the page


def test_every_number_in_the_code_is_in_the_catalogue_and_the_reverse() -> None:
    places = [*(ROOT / "src/dauys/observe").rglob("*.py"), *(ROOT / "src/dauys/cli").glob("*.py")]
    used = {number for path in places for number in re.findall(r'"(O\.\d{3})"', path.read_text(encoding="utf-8"))}
    forms = (ROOT / "src/dauys/observe/field/forms.yaml").read_text(encoding="utf-8")
    used |= set(re.findall(r"number: (O\.\d{3})", forms))
    assert used - set(catalogue("observe")) == set()
    assert set(catalogue("observe")) - used == set()
