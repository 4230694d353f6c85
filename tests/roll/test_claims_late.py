"""A claim that is confirmed after the voter's station has closed: the list stays as it is, and both sides are told so."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import roll_site
import sqlalchemy as sa
from roll_people import COMMISSION, VAULT, open_poll, row
from roll_site import ANNA, BORIS, NOW, POLL, Site, number_in, site
from test_claims_frozen import citizen, right
from test_claims_second import DIED, OTHER, typed

from dauys.polls.pollbook_join import withdraw
from dauys.record.log import of_kind
from dauys.registers.poll import Poll
from dauys.roll.freeze import freeze, total

pytestmark = pytest.mark.database
__all__ = ["site"]
BEFORE, AFTER = datetime(2022, 6, 5, 13, 50, tzinfo=UTC), datetime(2022, 6, 5, 14, 3, tzinfo=UTC)
"""By the clock of A-1, which closes at 20:00: 19:50 and 20:03. Area B is an hour further west, so that the list is still open."""


@pytest.fixture(autouse=True)
def west(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(connection: sa.Connection, poll_id: str) -> Poll:
        poll = open_poll(connection, poll_id)
        return replace(
            poll, areas=tuple(replace(one, timezone="Asia/Qyzylorda") if one.code == "B" else one for one in poll.areas)
        )

    monkeypatch.setattr(roll_site, "open_poll", opened)


@pytest.fixture
def frozen(west: None, site: Site) -> Site:
    freeze(site.connection, VAULT, site.poll, COMMISSION, NOW)
    packed = "INSERT INTO pollbook_package VALUES (:poll, 'A-1', 1, :at, '')"  # somebody else has the list
    site.connection.execute(sa.text(packed), {"poll": POLL, "at": NOW})
    return site


def confirmed(site: Site, at: datetime) -> tuple[str, str]:
    """Somebody is said to have died, and the second person confirms it then: the citizen's number, and what the desk says."""
    site.at = BEFORE
    number = number_in(site.claim("gone", row(1)["iin"], who="Ахметов2 Нурлан"))
    claim = int(str(site.connection.scalar(sa.text("SELECT max(id) FROM roll_claim"))))
    entry = typed(site.desk(ANNA, claim, act="find", about=OTHER).text)
    answer = site.desk(ANNA, claim, act="accept", reason="seen the papers", about=OTHER, **entry | DIED)
    assert answer.status_code == 303, answer.text
    site.at = at
    assert site.desk(BORIS, claim, act="approve").status_code == 303
    return number, desk(site, claim)


def desk(site: Site, claim: int) -> str:
    (told,) = re.findall(r'data-effect="([^"]+)"', page := site.desk(BORIS, claim).text)
    assert ("has the voter." in page) == (told in ("late", "not let go"))
    return str(told)


@pytest.mark.parametrize("used", [False, True])
def test_nobody_is_asked_and_the_citizen_hears_that_it_is_too_late(frozen: Site, used: bool) -> None:
    if used:
        frozen.connection.execute(sa.text("UPDATE entitlement SET state = 1 WHERE home = 'A-1'"))
    before = right(frozen, OTHER)
    number, told = confirmed(frozen, AFTER)
    assert told == "late" and right(frozen, OTHER) == before and total(frozen.connection, POLL) == 2
    assert frozen.count("roll_withdrawal") == frozen.count("pollbook_request") == 0
    told, page = citizen(frozen, number)
    assert told == "late" and "voting was over: it does not change any more" in page and "asked back" not in page
    for language, words in (("kk", "тізім енді өзгермейді"), ("ru", "список больше не меняется")):
        assert words in citizen(frozen, number, language)[1]


def test_whom_nobody_let_go_by_the_hour_the_desk_alone_hears_of(frozen: Site) -> None:
    """The citizen is told the same whatever came of it: who is not withdrawn may have voted."""
    number, told = confirmed(frozen, BEFORE)
    assert told == "asked"
    page = citizen(frozen, number)
    assert page[0] == "asked" and "unless it was used or voting ended first" in page[1]
    frozen.at = AFTER
    withdraw(frozen.connection, frozen.poll, COMMISSION, AFTER)
    assert desk(frozen, 1) == "not let go" and citizen(frozen, number) == page
    assert list(of_kind(frozen.connection, POLL, "withdrawals")) == []
