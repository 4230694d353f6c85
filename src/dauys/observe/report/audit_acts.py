"""What is done on the audit's page: the seed committed to, stations drawn, a further round, the recounts' answer recorded."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from hashlib import sha256
from typing import Any

from dauys.errors import BadInput, DauysError
from dauys.observe.audit.plan import Plan
from dauys.observe.mission.model import MissionError
from dauys.observe.mission.official import Official
from dauys.observe.mission.visit import Keeping, Visit
from dauys.observe.report.audit_state import (
    FOLDER,
    METHOD,
    NAME,
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
from dauys.observe.sample import seed_sha256
from dauys.registers.poll import Contest

RISKS = (Fraction(1, 10), Fraction(1, 20), Fraction(1, 100))
LEAST_SEED = 16
_UNSENT = "audit-unsent/"


def _commit(visit: Visit, official: Official, contest: Contest, state: State) -> None:
    """Fixes the seed: its SHA-256 into the log and the record; the seed itself stays beside the log until the draw."""
    if state.commitment is not None:
        raise MissionError("the audit's seed is committed to already")
    seed = visit.text("seed", 200) or secrets.token_hex(20)
    if len(seed) < LEAST_SEED:
        raise BadInput(
            "the seed is too short to be unforeseeable", field="seed", expected=f"{LEAST_SEED} signs", check="O.178"
        )
    visit.office.keep.keep(_seed_name(contest), seed)
    visit.append("audit", {"name": f"{contest.id}/commitment", "contest": contest.id, "seed_sha256": seed_sha256(seed)})
    _tell(visit, contest, {"commitment": seed_sha256(seed)}, {}, {})


def _draw(visit: Visit, official: Official, contest: Contest, state: State) -> None:
    """Freezes the results as the record has them, and draws with the seed that is now revealed."""
    if state.commitment is None:
        raise MissionError("commit to a seed first: whoever chooses it after the results can choose the stations")
    if state.plan is not None:
        raise MissionError("the stations are drawn already")
    seed = visit.office.keep.kept(_seed_name(contest)) or ""
    if seed_sha256(seed) != state.commitment.body["seed_sha256"]:
        raise BadInput(
            "the seed that was committed to is gone", field="seed", found=f"SHA-256 {seed_sha256(seed)}", check="O.179"
        )
    risk = next((one for one in RISKS if str(one) == visit.text("risk", 10)), None)
    if risk is None:
        raise BadInput("which risk limit?", field="risk", found=visit.text("risk", 10), check="O.012")
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
    _tell(visit, contest, {"seed": plan.seed}, told, {})


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
    _tell(
        visit, contest, {"seed": state.plan["plan"]["seed"]}, {"results_sha256": state.plan["results_sha256"]}, result
    )


def _tell(
    visit: Visit, contest: Contest, chosen: Mapping[str, str], plan: Mapping[str, Any], result: Mapping[str, Any]
) -> None:
    """Sends an entry about the audit to the official record; what it refuses is kept, to be sent again."""
    identity = visit.mission.identity
    if identity is None:
        raise MissionError("say first who the mission is: an audit is signed")
    body = {
        "organisation": identity.code, "contest": contest.id, "name": NAME, "method": METHOD, **chosen, "plan": dict(plan),
        "result": dict(result),
    }  # fmt: skip
    _send(visit, contest, [*unsent(visit.office.keep, contest.id), {"body": body, "why": ""}])


def _again(visit: Visit, official: Official, contest: Contest, state: State) -> None:
    _send(visit, contest, unsent(visit.office.keep, contest.id))


def unsent(keep: Keeping, contest: str) -> list[dict[str, Any]]:
    """What the official record refused of an audit, oldest first: `body`, and `why`."""
    found: list[dict[str, Any]] = json.loads(keep.kept(_UNSENT + contest) or "[]")
    return found


def _send(visit: Visit, contest: Contest, bodies: Sequence[Mapping[str, Any]]) -> None:
    """One after the other, under the next free numbers; from the first that is refused on they are kept."""
    left, why = [one["body"] for one in bodies], ""
    while left and not why:
        try:
            name = _next_id(visit, str(left[0]["organisation"]), contest)
            visit.office.send("observer-audit", name, left[0])
        except DauysError as error:
            why = str(error)
        else:
            del left[0]
    visit.office.keep.keep(_UNSENT + contest.id, json.dumps([{"body": one, "why": why} for one in left]))


def _next_id(visit: Visit, code: str, contest: Contest) -> str:
    before = f"observer-audit/{code}/{contest.id}/"
    outbox = visit.office.extra.get("outbox")
    taken = [*visit.mission.sent, *(() if outbox is None else (one.id for one in outbox.waiting()))]
    return f"{before}{1 + sum(name.startswith(before) for name in taken)}"


def _seed_name(contest: Contest) -> str:
    return f"audit-seed/{contest.id}"


ACTS: Mapping[str, Callable[[Visit, Official, Contest, State], None]] = {
    "commit": _commit,
    "draw": _draw,
    "next": _next,
    "record": _record,
    "again": _again,
}
