"""Which contest of the poll is a page about, in which time zone are its moments, what are its territories called?"""

from __future__ import annotations

from collections.abc import Mapping

from dauys.errors import BadInput
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Visit
from dauys.registers.poll import Contest, Poll


def chosen_contest(poll: Poll, name: str) -> Contest:
    """The contest of that id; without a name the first one. Raises BadInput O.174."""
    for contest in poll.contests:
        if contest.id == name or not name:
            return contest
    known = ", ".join(one.id for one in poll.contests)
    raise BadInput("the poll has no such contest", field="of", found=name[:60], expected=known, check="O.174")


def contest_links(poll: Poll, chosen: str) -> list[tuple[str, Mapping[str, str], bool]]:
    """Each contest's id, question and whether it is the chosen one; none where there is only one."""
    if len(poll.contests) == 1:
        return []
    return [(contest.id, contest.question, contest.id == chosen) for contest in poll.contests]


def zone_of(visit: Visit) -> str:
    """The mission's time zone; UTC before it has one."""
    identity = visit.mission.identity
    return "UTC" if identity is None else identity.zone


def area_names(official: Official | None, lang: str) -> dict[str, str]:
    """The territories' names by code; none before the record was read."""
    if official is None:
        return {}
    return {area.code: area.names.get(lang) or area.code for area in official.poll.areas}


def official_of(visit: Visit) -> Official:
    """The official record as it was read last. Raises BadInput O.173 where it was not."""
    found = visit.office.official()
    if found is None:
        raise BadInput(
            "the official record was not read yet", expected="read it on the page Set-up first", check="O.173"
        )
    return found
