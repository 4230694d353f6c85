"""What do the pages of all audits of a contest begin with?"""

from __future__ import annotations

from dauys.observe.audit import sheets
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Model, Visit
from dauys.observe.report.audit_state import threshold
from dauys.observe.report.audit_told import RISKS, unsent
from dauys.observe.report.contests import contest_links, zone_of
from dauys.observe.report.figures import decimal
from dauys.registers.poll import Contest


def about(visit: Visit, official: Official, contest: Contest) -> Model:
    """The official count, the share that the rule asks for, risk limits to choose from, what is not sent yet."""
    share, regional = threshold(contest.rule, contest)
    counted = sum(of == contest.id and one.counted for (of, _), one in official.protocols.items())
    return {
        "of": contest.id,
        "question": contest.question,
        "links": contest_links(official.poll, contest.id),
        "mission_zone": zone_of(visit),
        "official": official,
        "counted": counted,
        "missing": len(official.stations) - counted,
        "share": share,
        "regional": regional,
        "risks": [(str(risk), decimal(100 * risk, visit.lang, 0)) for risk in RISKS],
        "has_browser": sheets.browser() is not None,
        "unsent": unsent(visit.office.keep, contest.id),
    }
