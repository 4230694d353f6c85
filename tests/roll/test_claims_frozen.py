"""After the freeze: what a confirmed claim does to the list of the poll, and whether both sides are told what it did."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from roll_people import COMMISSION, VAULT, row
from roll_site import ANNA, BORIS, BORN, NOW, POLL, Site, number_in, site
from test_claims_second import DIED, OTHER, STRANGER, typed

from dauys.errors import DauysError
from dauys.record.log import of_kind
from dauys.roll import claims
from dauys.roll.effects import effect
from dauys.roll.freeze import freeze, total

pytestmark = pytest.mark.database
__all__ = ["site"]
MINE = row(1)["iin"]


@pytest.fixture
def frozen(site: Site) -> Site:
    freeze(site.connection, VAULT, site.poll, COMMISSION, NOW)
    return site


def accepted(site: Site, claim: int, about: str = "", **new: str) -> tuple[str, str]:
    """Two people accept a claim; what the second is told: the effect, and the page."""
    entry = typed(site.desk(ANNA, claim, act="find", about=about).text if about else site.desk(ANNA, claim).text)
    answer = site.desk(ANNA, claim, act="accept", reason="seen the papers", about=about, **entry | new)
    assert answer.status_code == 303, answer.text
    assert "The list of this poll is frozen" in site.desk(BORIS, claim).text
    answer = site.desk(BORIS, claim, act="approve")
    assert answer.status_code == 303 and answer.headers["location"] == f"/en/desk/claims/{claim}"
    page = site.desk(BORIS, claim).text
    (told,) = re.findall(r'data-effect="([^"]+)"', page)
    return told, page


def citizen(site: Site, number: str, language: str = "en") -> tuple[str, str]:
    page = site.client.post(f"/{language}/roll/claim/follow", data={"number": number, "born": BORN}).text
    assert 'data-state="applied"' in page
    (told,) = re.findall(r'data-effect="([^"]+)"', page)
    return told, page


def right(site: Site, iin: str) -> Any:
    who = UUID(bytes=VAULT.entitlement(POLL, UUID(bytes=VAULT.voter(iin))))
    return site.connection.execute(sa.text("SELECT home, holder FROM entitlement WHERE id = :id"), {"id": who}).one()


@pytest.mark.parametrize(("kind", "field", "new"), [
    ("place", "address", {"station": "A-2"}), ("name", "surname", {"surname": "Ахмет"}),
])  # fmt: skip
def test_another_station_or_name_is_corrected_on_the_roll_and_both_hear_where_he_votes(
    frozen: Site, kind: str, field: str, new: dict[str, str]
) -> None:
    number = number_in(frozen.claim(kind, MINE, **{field: "x"}))
    told, page = accepted(frozen, 1, **new)
    assert told == "stays" and "votes at station A-1" in page and "The list is corrected" not in page
    told, page = citizen(frozen, number)
    assert told == "stays" and "you vote at station A-1" in page and "the list is corrected" not in page
    assert 'data-outcome="listed"' in frozen.ask(MINE).text and right(frozen, MINE).home == "A-1"
    for language, word in (("kk", "A-1 учаскесінде"), ("ru", "на участке A-1")):
        assert word in citizen(frozen, number, language)[1]


def test_the_right_of_somebody_gone_is_asked_back_by_the_confirmation_itself(frozen: Site) -> None:
    number = number_in(frozen.claim("gone", MINE, who="Ахметов2 Нурлан"))
    assert accepted(frozen, 1, OTHER, **DIED)[0] == "withdrawn"
    assert right(frozen, OTHER).holder == "withdrawn" and total(frozen.connection, POLL) == 1
    ((_, entry),) = of_kind(frozen.connection, POLL, "withdrawals")
    assert entry.body["reason"] == "claim 1, Elections law 24 to 26-1" and entry.body["count"] == 1
    assert 'data-outcome="not listed"' in frozen.ask(OTHER).text
    assert citizen(frozen, number)[0] == "asked"


def test_who_claims_that_somebody_is_gone_does_not_hear_whether_the_right_was_used(frozen: Site) -> None:
    pages = []
    for outcome in ("asked", "used", "withdrawn"):
        with frozen.connection.begin_nested() as trial:
            packed = "INSERT INTO pollbook_package VALUES (:poll, 'A-1', 1, :at, '')"
            if outcome != "withdrawn":  # somebody else has the list
                frozen.connection.execute(sa.text(packed), {"poll": POLL, "at": NOW})
            number = number_in(frozen.claim("gone", MINE, who="Ахметов2 Нурлан"))
            claim = int(str(frozen.connection.scalar(sa.text("SELECT max(id) FROM roll_claim"))))
            told, _ = accepted(frozen, claim, OTHER, **DIED)
            if outcome == "used":
                frozen.connection.execute(sa.text("UPDATE roll_withdrawal SET outcome = 'used', decided = asked"))
                told = effect(frozen.connection, VAULT, frozen.poll, _last_set(frozen), NOW).what
            assert told == outcome
            pages.append(citizen(frozen, number))
            trial.rollback()
    assert len(set(pages)) == 1 and pages[0][0] == "asked" and "A-1" not in pages[0][1]


def _last_set(site: Site) -> int:
    return int(str(site.connection.scalar(sa.text("SELECT max(id) FROM roll_set"))))


def test_where_the_commission_s_key_is_not_nobody_says_that_the_list_is_corrected(
    frozen: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replace(frozen.office, seal=lambda poll: None)
    for name in ("seal", "ask_back"):
        object.__setattr__(frozen.office, name, getattr(plain, name))
    numbers = [number_in(frozen.claim("gone", MINE, who="Ахметов2 Нурлан")),
               number_in(frozen.claim("missing", STRANGER, surname="Ахметова", given="Айгүл"))]  # fmt: skip
    told, page = accepted(frozen, 1, OTHER, **DIED)
    assert told == "to ask" and f'href="/en/desk/withdrawals/{POLL}"' in page
    assert accepted(frozen, 2, station="A-2")[0] == "to add"
    assert [citizen(frozen, number)[0] for number in numbers] == ["to do", "to do"]
    assert all("yet to correct it" in citizen(frozen, number)[1] for number in numbers)


def test_before_the_freeze_and_for_a_newcomer_the_list_is_corrected(site: Site) -> None:
    first = number_in(site.claim("place", MINE, address="x"))
    entry = typed(site.desk(ANNA, 1).text)
    site.desk(ANNA, 1, act="accept", reason="yes", **entry | {"station": "A-2"})
    site.desk(BORIS, 1, act="approve")
    assert citizen(site, first)[0] == "corrected"
    freeze(site.connection, VAULT, site.poll, COMMISSION, NOW)
    assert citizen(site, first)[0] == "corrected" and right(site, MINE).home == "A-2"
    second = number_in(site.claim("missing", STRANGER, surname="Ахметова", given="Айгүл"))
    assert accepted(site, 2, station="B-1")[0] == "corrected" and right(site, STRANGER).home == "B-1"
    told, page = citizen(site, second)
    assert told == "corrected" and "the list is corrected" in page


def test_nobody_is_promised_a_place_on_the_list_of_a_station_that_has_closed(frozen: Site) -> None:
    """The list of a poll is open until its last station closes; where clocks differ, others have closed by then."""
    frozen.claim("missing", STRANGER, surname="Ахметова", given="Айгүл")
    west = replace(frozen.poll.areas[1], timezone="Asia/Aqtau")
    poll, at = replace(frozen.poll, areas=(frozen.poll.areas[0], west)), datetime(2022, 6, 5, 14, 3, tzinfo=UTC)
    entry = typed(frozen.desk(ANNA, 1).text) | {"born": "1979-10-28"}

    def accept(station: str) -> int:
        row = entry | {"station": station}
        return claims.accept(frozen.connection, VAULT, poll, 1, row, "account/anna", at, "seen the papers")

    with pytest.raises(DauysError, match="station A-1 has closed"):
        accept("A-1")
    assert frozen.count("roll_set") == 1 and accept("B-1")


def test_a_right_that_was_withdrawn_waits_to_be_given_back(frozen: Site) -> None:
    frozen.claim("gone", MINE, who="Ахметов2 Нурлан")
    accepted(frozen, 1, OTHER, **DIED)
    number = number_in(frozen.claim("missing", OTHER, surname="Ахметов2", given="Нурлан"))
    told, page = accepted(frozen, 2, since="")
    assert told == "to give back" and "give it back" in page and citizen(frozen, number)[0] == "to do"
