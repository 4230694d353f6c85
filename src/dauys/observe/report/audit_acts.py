"""What is done on the audit's page: the seed committed to, stations drawn, a further round, the recounts' answer recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

from dauys.observe.audit.plan import Plan
from dauys.observe.known.model import MissionError
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Visit
from dauys.observe.report.audit_state import (
    FOLDER,
    METHOD,
    Frozen,
    State,
    assessed,
    freeze,
    frozen,
    further,
    planned,
    stations_of,
    threshold,
)  # fmt: skip
from dauys.observe.report.audit_told import BATCHES, chosen_risk, commit, revealed, send_again, tell
from dauys.registers.poll import Contest


def _commit(visit: Visit, official: Official, contest: Contest, state: State) -> None:
    commit(visit, contest, BATCHES, state.commitment, METHOD)


def _draw(visit: Visit, official: Official, contest: Contest, state: State) -> None:
    """Freezes the results as the record has them, and draws with the seed that is now revealed."""
    if state.plan is not None:
        raise MissionError("the stations are drawn already")
    seed, risk = revealed(visit, contest, BATCHES, state.commitment), chosen_risk(visit)
    share, regional = threshold(contest.rule, contest)
    data = freeze(official, contest)
    digest = sha256(data).hexdigest()
    visit.office.keep.write(f"{FOLDER}/{digest}.csv", data)
    results = frozen(visit.office.keep, digest)
    plan = planned(results, digest, seed, risk, share, regional if visit.text("double", 3) == "yes" else None)
    _round(
        visit, contest, plan, results, official.size, official.root, len(official.stations) - len(results.stations), 1
    )


def _next(visit: Visit, official: Official, contest: Contest, state: State) -> None:
    """More draws with the same seed; the first ones stay."""
    if state.plan is None:
        raise MissionError("draw the first stations first")
    results = frozen(visit.office.keep, state.plan["results_sha256"])
    found, outcome = assessed(state, results)
    if outcome != "go-on" or any(one.outstanding for one in found):
        raise MissionError("a further round follows when every drawn station was recounted and did not suffice")
    body = state.plan
    _round(
        visit,
        contest,
        further(state, found),
        results,
        body["record_size"],
        body["root"],
        body["missing"],
        len(state.rounds) + 1,
    )


def _round(
    visit: Visit, contest: Contest, plan: Plan, results: Frozen, size: int, root: str, missing: int, number: int
) -> None:
    body = {
        "name": f"{contest.id}/plan/{number}", "contest": contest.id, "round": number, "plan": plan.to_json(),
        "results_sha256": plan.frame_sha256, "record_size": size, "root": root, "missing": missing,
        "stations": stations_of(plan, results),
    }  # fmt: skip
    visit.append("audit", body)
    told = {"round": number, "record_size": size, "root": root, "missing": missing, **plan.to_json()}
    tell(visit, contest, BATCHES, METHOD, {"seed": plan.seed}, told, {})


def _record(visit: Visit, official: Official, contest: Contest, state: State) -> None:
    """What the recounts say now, into the log and the record."""
    if state.plan is None:
        raise MissionError("nothing was recounted yet")
    results = frozen(visit.office.keep, state.plan["results_sha256"])
    found, outcome = assessed(state, results)
    announced = {one.id: (one.cast, one.yes) for one in results.stations}
    counted = {name: counts for name, counts in state.recounts.items() if name in announced}
    result = {
        "round": len(state.rounds),
        "outcome": outcome,
        "recounts": len(state.counts),
        "differ": sum(announced[name] != counts for name, counts in counted.items()),
        "contests": [
            {
                "region": one.contest.region, "claim": "above" if one.contest.above else "below", "draws": one.contest.draws,
                "p_value": None if one.p_value is None else f"{float(one.p_value):.6g}", "confirmed": one.confirmed,
            }
            for one in found
        ],
    }  # fmt: skip
    name = f"{contest.id}/result/{len(state.results) + 1}"
    visit.append("audit", {"name": name, "contest": contest.id, **result})
    chosen, plan = {"seed": state.plan["plan"]["seed"]}, {"results_sha256": state.plan["results_sha256"]}
    tell(visit, contest, BATCHES, METHOD, chosen, plan, result)


def _again(visit: Visit, official: Official, contest: Contest, state: State) -> None:
    send_again(visit, contest)


ACTS: Mapping[str, Callable[[Visit, Official, Contest, State], None]] = {
    "commit": _commit,
    "draw": _draw,
    "next": _next,
    "record": _record,
    "again": _again,
}
