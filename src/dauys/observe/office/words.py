"""What does every page of a mission show: who we are, whether the record is read, what waits, why something was refused?"""

from __future__ import annotations

from dauys.errors import BadInput, DauysError
from dauys.observe.office.visit import Model, Office
from dauys.registers.catalogue import catalogue


def base_words(office: Office) -> Model:
    """What the layout needs."""
    identity, official = office.keep.mission.identity, office.official()
    return {
        "mission_name": None if identity is None else identity.names,
        "poll_names": None if official is None else official.poll.names,
        "reconstruction": official is not None and official.poll.reconstruction,
        "unread": office.fault() if identity is not None else "",
        "unsent": office.waiting(),
        "refusal": None,
    }


def refusal(error: DauysError) -> Model:
    """Everything that there is to know of a refusal: number, words of the catalogue, article, field."""
    check = str(getattr(error, "check", "") or "")
    return {
        "status": 0,
        "check": check,
        "known": catalogue("observe").get(check),
        "cite": str(getattr(error, "cite", "")),
        "message": error.message if isinstance(error, BadInput) else str(error),
        "field": error.field if isinstance(error, BadInput) else None,
        "row": error.row if isinstance(error, BadInput) else None,
        "found": None if not isinstance(error, BadInput) or error.found is None else str(error.found)[:200],
        "expected": error.expected if isinstance(error, BadInput) else None,
    }
