"""The page of the audit: a committed seed, stations to recount, what the recounts say, and whether it may stop."""

from __future__ import annotations

from typing import Any

from dauys.errors import BadInput
from dauys.observe.audit.compound import needed
from dauys.observe.audit.plan import NATION, Found
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Keeping, Model, Page, Visit
from dauys.observe.report import ballot_pages
from dauys.observe.report.audit_about import about
from dauys.observe.report.audit_acts import ACTS
from dauys.observe.report.audit_count import count, tally_sheets
from dauys.observe.report.audit_state import METHOD, Frozen, State, assessed, frozen, plan_of, state_of
from dauys.observe.report.contests import area_names, chosen_contest, official_of
from dauys.observe.report.figures import chance, decimal


def audit(visit: Visit) -> Model | str:
    """`/audit`: the state; commits a seed, draws, goes on to the next round, records what the recounts say."""
    official = official_of(visit)
    asked = visit.request.query_params.get("of", "") if visit.form is None else visit.text("of", 60)
    contest = chosen_contest(official.poll, asked)
    state = state_of(visit.office.keep, contest.id)
    if visit.form is not None:
        act = visit.text("act", 10)
        if act not in ACTS:
            raise BadInput("what is to be done?", field="act", found=act, expected=", ".join(ACTS), check="O.012")
        ACTS[act](visit, official, contest, state)
        return f"/audit?of={contest.id}"
    model = about(visit, official, contest) | {
        "sort": "",
        "state": state,
        "stage": "plan" if state.plan else "committed" if state.commitment else "commit",
        "shown": None,
        "answer": summary(visit.office.keep, contest.id),
    }
    if state.plan is not None:
        model["shown"] = _shown(state, frozen(visit.office.keep, state.plan["results_sha256"]), official, visit.lang)
    return model


def summary(keep: Keeping, contest: str) -> dict[str, Any]:
    """The audit so far, for the JSON twin and the report: each part with the event that it came by."""
    state = state_of(keep, contest)
    body: dict[str, Any] = {
        "contest": contest,
        "commitment": None,
        "rounds": [],
        "recounts": [],
        "contests": [],
        "outcome": None,
    }
    if state.commitment is not None:
        body["commitment"] = {"seed_sha256": state.commitment.body["seed_sha256"], "event": state.commitment.n}
    if state.plan is None:
        return body
    results = frozen(keep, state.plan["results_sha256"])
    announced = {one.id: one for one in results.stations}
    for made in state.rounds:
        told = {name: made.body[name] for name in ("plan", "record_size", "root", "results_sha256", "missing")}
        drawn = {name for names in made.body["stations"].values() for name in names}
        body["rounds"].append(told | {"event": made.n, "stations": len(drawn)})
    for name in state.drawn:
        entered, one = state.counts.get(name), announced[name]
        if entered is not None:
            counts = {"cast": entered.body["cast"], "yes": entered.body["yes"], "event": entered.n}
            said = {"announced_cast": one.cast, "announced_yes": one.yes, "entry": results.entries[name]}
            body["recounts"].append({"station": name} | counts | said)
    found, outcome = assessed(state, results)
    plan = plan_of(state.plan)
    body |= {
        "method": METHOD,
        "risk": str(plan.risk),
        "share": str(plan.share),
        "outcome": outcome,
        "drawn": len(state.drawn),
        "contests": [_found_json(one) for one in found],
    }
    if plan.regional is not None:
        regions = len({one.region for one in results.stations})
        body["rule"] = {"regions": regions, "needed": needed(regions, plan.regional)}
    return body


def _found_json(one: Found) -> dict[str, Any]:
    return {
        "region": one.contest.region, "claim": "above" if one.contest.above else "below", "draws": one.contest.draws,
        "bound": float(one.bound), "p_value": None if one.p_value is None else float(one.p_value),
        "confirmed": one.confirmed, "more": one.more, "outstanding": len(one.outstanding),
    }  # fmt: skip


def _shown(state: State, results: Frozen, official: Official, lang: str) -> Model:
    """What the page shows of a plan and its recounts."""
    found, outcome = assessed(state, results)
    names = area_names(official, lang)
    announced = {one.id: one for one in results.stations}
    assert state.plan is not None
    stations = []
    for name in state.drawn:
        event, one = state.counts.get(name), announced[name]
        same = event is not None and (event.body["cast"], event.body["yes"]) == (one.cast, one.yes)
        stations.append(
            {
                "id": name, "area": names.get(one.region, one.region), "entry": results.entries[name],
                "event": None if event is None else event.n, "same": same,
                "difference": None if event is None else (event.body["cast"] - one.cast, event.body["yes"] - one.yes),
            }
        )  # fmt: skip
    stations.sort(key=lambda one: (str(one["area"]), str(one["id"])))
    contests = [
        {
            "region": "" if one.contest.region == NATION else names.get(one.contest.region, one.contest.region),
            "above": one.contest.above, "draws": one.contest.draws, "bound": decimal(float(one.bound), lang, 3),
            "outstanding": len(one.outstanding), "p": "" if one.p_value is None else chance(float(one.p_value), lang),
            "confirmed": one.confirmed, "more": one.more,
        }
        for one in found
    ]  # fmt: skip
    plan = plan_of(state.plan)
    regions = len({one.region for one in results.stations})
    return {
        "plan": plan, "risk": decimal(100 * plan.risk, lang, 0), "contests": contests, "outcome": outcome, "stations": stations,
        "done": sum(one["event"] is not None for one in stations), "round": len(state.rounds),
        "regions": regions, "needed": None if plan.regional is None else needed(regions, plan.regional),
        "can_go_on": outcome == "go-on" and not any(one["outstanding"] for one in contests),
        "recorded": bool(state.results) and _recorded(state),
    }  # fmt: skip


def _recorded(state: State) -> bool:
    """Whether the newest recorded answer is of these recounts."""
    said = state.results[-1]
    newest = max((event.n for event in (*state.counts.values(), *state.rounds)), default=-1)
    return said.n > newest


PAGES = (
    Page("/audit", "report/audit.html", audit, "Audit", twin="answer"),
    Page("/audit/count", "report/audit_count.html", count),
    Page("/audit/sheets", "report/audit.html", tally_sheets),
    *ballot_pages.PAGES,
)
