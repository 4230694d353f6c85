"""Does the second person see what he confirms, and is it about whom the claim is about? And who looked at whose entry?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from roll_people import VAULT, apply_rows, row
from roll_site import ANNA, BORIS, POLL, Site, site

from dauys.roll.pages import Officer
from dauys.roll.versions import in_force

pytestmark = pytest.mark.database
__all__ = ["site"]
MINE, OTHER, STRANGER = row(1)["iin"], row(2)["iin"], row(77)["iin"]
DIED = {"status": "died", "since": "2022-05-01"}


def typed(page: str) -> dict[str, str]:
    """The entry of a page's form as a browser would send it."""
    return dict(re.findall(r'name="(\w+)" maxlength="200" value="([^"]*)"', page)) | {"status": "eligible"}


def status(site: Site, iin: str) -> str:
    found = in_force(site.connection, UUID(bytes=VAULT.voter(iin)))
    assert found is not None
    return found.status


def rows(page: str) -> dict[str, tuple[str, str, bool]]:
    """Of the table before and after: each field's two texts, and whether it is marked as changed."""
    found = {}
    for name, changed, cell in re.findall(r'<tr data-field="(\w+)"( data-changed)?>.*?<td>(.*?)</td>', page, re.DOTALL):
        if changed:
            was, now = re.search("<del>(.*?)</del>", cell), re.search("<ins>(.*?)</ins>", cell)
            found[name] = (was[1] if was else "", now[1] if now else "", True)
        else:
            found[name] = (cell.strip(), cell.strip(), False)
    assert found, page
    return found


def test_a_claim_corrects_nobody_but_the_claimant(site: Site) -> None:
    site.claim("place", MINE, address="Новая 1")
    entry = typed(site.desk(ANNA, 1).text)
    answer = site.desk(ANNA, 1, act="accept", reason="address corrected", **entry | {"iin": OTHER} | DIED)
    assert answer.status_code == 422 and 'data-fault="other"' in answer.text
    assert (
        site.connection.scalar(sa.text("SELECT state FROM roll_claim")) == "open" and status(site, OTHER) == "eligible"
    )
    # nor by saying that it is about somebody else: only who claims that somebody is gone shows another entry
    answer = site.desk(ANNA, 1, act="accept", reason="address corrected", about=OTHER, **entry | {"iin": OTHER} | DIED)
    assert answer.status_code == 422 and status(site, OTHER) == "eligible"
    assert 'value="Ахметов2"' not in site.desk(ANNA, 1, act="find", about=OTHER).text
    assert site.desk(ANNA, 1, act="accept", reason="seen", **entry | {"house": "1"}).status_code == 303


def test_who_is_gone_is_the_one_whose_entry_was_shown(site: Site) -> None:
    site.claim("gone", MINE, who="Ахметов2 Нурлан")
    entry = typed(site.desk(ANNA, 1, act="find", about=OTHER).text) | DIED
    for about, iin in (("", OTHER), (OTHER, MINE), (STRANGER, STRANGER)):
        answer = site.desk(ANNA, 1, act="accept", reason="a certificate", **entry | {"about": about, "iin": iin})
        assert answer.status_code == 422 and 'data-fault="other"' in answer.text, (about, iin)
    assert "Nobody with this IIN is on the roll" in site.desk(ANNA, 1, act="find", about=STRANGER).text
    assert site.desk(ANNA, 1, act="accept", reason="a certificate", about=OTHER, **entry).status_code == 303


def test_a_station_is_shown_and_corrects_its_own_voters_alone(site: Site, tmp_path: Path) -> None:
    far = row(8, station="B-1")["iin"]
    apply_rows(site.connection, tmp_path, [row(8, station="B-1")], kind="changes")
    site.claim("gone", MINE, who="Ахметов8 Нурлан")
    own = Officer("account/a1", "mark-of-a1", POLL, "A-1")
    entry = typed(site.desk(ANNA, 1, act="find", about=far).text) | DIED
    pages = [site.desk(own, 1, act="find", about=iin).text.replace(iin, "") for iin in (far, STRANGER)]
    assert (
        pages[0] == pages[1]
        and "on the roll of your station" in pages[0]
        and "Ахметов8" not in typed(pages[0]).values()
    )
    assert site.desk(own, 1, act="accept", reason="gone", about=far, **entry).status_code == 422
    assert 'value="Ахметов2"' in site.desk(own, 1, act="find", about=OTHER).text
    assert len([by for _, _, by, _ in looks(site) if by == own.name]) >= 3


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("as it is now", "as it will be", "changed")), ("ru", ("сейчас", "станет", "изменено")),
     ("kk", ("қазір", "болады", "өзгерді")), ],
)  # fmt: skip
def test_the_second_person_sees_the_entry_before_and_after(site: Site, language: str, words: tuple[str, ...]) -> None:
    site.claim("place", MINE, address="Новая 1")
    new = {"station": "A-2", "street": "Новая"}
    site.desk(ANNA, 1, act="accept", reason="registered there", **typed(site.desk(ANNA, 1).text) | new)
    site.officer = BORIS
    page = site.client.get(f"/{language}/desk/claims/1").text
    seen = rows(page)
    assert seen["station"] == ("A-1", "A-2", True) and seen["street"] == ("Абая", "Новая", True)
    assert seen["surname"] == ("Ахметов1", "Ахметов1", False) and seen["iin"] == (MINE, MINE, False)
    assert {name for name, (_, _, changed) in seen.items() if changed} == {"station", "street"}
    assert all(word in page for word in words), [word for word in words if word not in page]
    assert 'value="approve"' in page


def test_of_a_newcomer_the_second_person_sees_that_nothing_was_there(site: Site) -> None:
    site.claim("missing", STRANGER, surname="Ахметова", given="Айгүл")
    entry = {"iin": STRANGER, "surname": "Ахметова", "given": "Айгүл", "station": "A-2", "status": "eligible"}
    site.desk(ANNA, 1, act="accept", reason="seen the papers", **entry)
    page = site.desk(BORIS, 1).text
    assert rows(page)["surname"] == ("", "Ахметова", True) and "not on the roll" in page


def looks(site: Site) -> list[Any]:
    return [
        tuple(row)
        for row in site.connection.execute(sa.text("SELECT poll, outcome, by, client FROM roll_lookup ORDER BY id"))
    ]


def test_every_entry_that_is_shown_at_the_desk_is_logged_with_who_saw_it(site: Site) -> None:
    site.claim("gone", MINE, who="Ахметов2 Нурлан")
    before = len(looks(site))
    site.desk(ANNA, 1)  # the claim alone: no entry is shown
    assert looks(site)[before:] == []
    for iin in (OTHER, STRANGER):
        site.desk(ANNA, 1, act="find", about=iin)
    entry = typed(site.desk(ANNA, 1, act="find", about=OTHER).text) | DIED
    site.desk(ANNA, 1, act="accept", reason="a certificate", about=OTHER, **entry)
    site.desk(BORIS, 1)
    anna = (POLL, "shown", "account/anna", None)
    assert looks(site)[before:] == [anna, anna, anna, (POLL, "shown", "account/boris", None)]
    kept = str(site.connection.execute(sa.text("SELECT * FROM roll_lookup")).all())
    assert OTHER not in kept and VAULT.voter(OTHER).hex() not in kept


def test_the_desk_s_looks_do_not_use_up_a_citizen_s_questions(site: Site) -> None:
    site.claim("gone", MINE, who="Ахметов2 Нурлан")
    for _ in range(11):
        site.desk(ANNA, 1, act="find", about=OTHER)
    assert site.ask(OTHER).status_code == 200
