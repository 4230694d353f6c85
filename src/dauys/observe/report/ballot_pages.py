"""The pages of audits of single ballots: what is drawn, what the ballots say, what that means, what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dauys.errors import BadInput
from dauys.observe.audit.assertions import HALF
from dauys.observe.audit.compound import needed
from dauys.observe.audit.plan import NATION
from dauys.observe.audit.polling import Polled
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Keeping, Model, Page, Visit
from dauys.observe.report.audit_about import about
from dauys.observe.report.audit_count import ballot_fields
from dauys.observe.report.audit_told import Sort
from dauys.observe.report.ballot_acts import BALLOT_ACTS, CHANCES, TITLES
from dauys.observe.report.ballot_entry import (
    comparison_count,
    comparison_sheets,
    enter_table,
    polling_count,
    polling_sheets,
)
from dauys.observe.report.ballot_state import (
    COMPARISON,
    POLLING,
    Answer,
    BallotState,
    answers,
    asked,
    manifest_of,
    state_of_ballots,
    verdict,
)
from dauys.observe.report.contests import area_names, chosen_contest, official_of
from dauys.observe.report.figures import chance, decimal
from dauys.observe.report.figures import share as percent
from dauys.registers.poll import Contest


def polling(visit: Visit) -> Model | str:
    """`/audit/polling`: ballots are drawn and read."""
    return _ballots(visit, POLLING)


def comparison(visit: Visit) -> Model | str:
    """`/audit/comparison`: ballots are drawn, read and held against what was reported of them."""
    return _ballots(visit, COMPARISON)


def _ballots(visit: Visit, sort: Sort) -> Model | str:
    official = official_of(visit)
    given = visit.request.query_params.get("of", "") if visit.form is None else visit.text("of", 60)
    contest = chosen_contest(official.poll, given)
    keep = visit.office.keep
    state = state_of_ballots(keep, sort, contest.id, contest.options[0])
    if visit.form is not None:
        act = visit.text("act", 10)
        if act == "table":
            enter_table(visit, contest, state)
        elif act in BALLOT_ACTS:
            BALLOT_ACTS[act](visit, official, contest, state)
        else:
            expected = ", ".join([*BALLOT_ACTS, "table"])
            raise BadInput("what is to be done?", field="act", found=act, expected=expected, check="O.012")
        return f"/audit/{sort.id}?of={contest.id}"
    model = about(visit, official, contest)
    model |= {
        "sort": sort.id,
        "half": model["share"] == HALF,
        "chances": [(one, decimal(100 * float(one), visit.lang, 0)) for one in CHANCES],
        "fields": [field.name for field in ballot_fields(contest)],
        "state": state,
        "stage": "rounds" if state.rounds else "committed" if state.commitment else "commit",
        "shown": _shown(keep, state, official, visit.lang) if state.rounds else None,
        "answer": ballot_summary(keep, sort, contest),
    }
    return model


def ballot_summary(keep: Keeping, sort: Sort, contest: Contest) -> dict[str, Any]:
    """The audit so far, for the JSON twin and the report (docs/audits.md): each part with the event that it came by."""
    state = state_of_ballots(keep, sort, contest.id, contest.options[0])
    body: dict[str, Any] = {
        "audit": sort.id, "contest": contest.id, "commitment": None, "rounds": [], "entered": [], "contests": [],
        "outcome": None,
    }  # fmt: skip
    if state.commitment is not None:
        body["commitment"] = {"seed_sha256": state.commitment.body["seed_sha256"], "event": state.commitment.n}
    if not state.rounds:
        return body
    manifest = manifest_of(keep, state)
    for number, made in enumerate(state.rounds, 1):
        told = {name: value for name, value in made.body.items() if name not in ("name", "contest")}
        wanted = asked(state, manifest, number)
        body["rounds"].append(told | {"event": made.n, "stations": len(wanted)})
        for station in wanted:
            event = state.seen.get((number, station))
            if event is not None:
                said = {name: event.body[name] for name in ("tallies", "ballots") if name in event.body}
                about = {"round": number, "station": station, "event": event.n, "entry": manifest.entries[station]}
                body["entered"].append(about | said)
    found, plan = answers(keep, state), state.plan
    body |= {
        "method": state.last["method"], "risk": str(plan.risk), "share": str(plan.share), "outcome": verdict(found),
        "contests": [_answer_json(state, one) for one in found],
    }  # fmt: skip
    if plan.regional is not None:
        regions = len({one.region for one in manifest.stations})
        body["rule"] = {"regions": regions, "needed": needed(regions, plan.regional)}
    return body


def _answer_json(state: BallotState, one: Answer) -> dict[str, Any]:
    """The keys of `dauys audit polling --json` and `dauys audit comparison --json`, and which assertion it is."""
    about = {
        "region": one.contest.region, "claim": "above" if one.contest.above else "below", "draws": one.contest.draws,
        "reported": {"winner": one.votes.winner, "ballots": one.votes.ballots}, "entered": one.drawn, "won": one.won,
        "outstanding": len(one.outstanding), "more": one.more,
    }  # fmt: skip
    if isinstance(one.said, Polled):
        return about | one.said.to_json()
    return about | {
        "method": state.last["method"], "risk": str(state.plan.risk), "margin": str(one.said.margin), "sample": one.drawn,
        "o2": one.said.over, "u2": one.said.under, "p_value": one.p_value, "confirmed": one.confirmed,
        "needed": None if one.more is None else one.drawn + one.more,
    }  # fmt: skip


def _shown(keep: Keeping, state: BallotState, official: Official, lang: str) -> Model:
    """What the page shows of the rounds."""
    manifest, plan, names = manifest_of(keep, state), state.plan, area_names(official, lang)
    areas = {one.id: names.get(one.region, one.region) for one in manifest.stations}
    found = answers(keep, state)
    rounds = []
    for number in range(len(state.rounds), 0, -1):
        wanted = asked(state, manifest, number)
        stations = [
            {
                "id": name, "area": areas[name], "ballots": sum(map(len, parts.values())),
                "event": None if (number, name) not in state.seen else state.seen[number, name].n,
            }
            for name, parts in wanted.items()
        ]  # fmt: skip
        stations.sort(key=lambda one: (str(one["area"]), str(one["id"])))
        done = sum(one["event"] is not None for one in stations)
        rounds.append({"number": number, "stations": stations, "done": done, "event": state.rounds[number - 1].n})
    regions, outcome = len({one.region for one in manifest.stations}), verdict(found)
    return {
        "plan": plan, "method": TITLES[state.last["method"]], "risk": decimal(100 * plan.risk, lang, 0),
        "chance": decimal(100 * float(state.last["chance"]), lang, 0), "contests": [_row(one, names, lang) for one in found],
        "outcome": outcome, "rounds": rounds, "ballots": sum(one.cast for one in manifest.stations), "regions": regions,
        "needed": None if plan.regional is None else needed(regions, plan.regional),
        "more": sum(one.more or 0 for one in found if not one.confirmed),
        "can_go_on": outcome == "go-on" and not any(one.outstanding for one in found), "recorded": _recorded(state),
        "against": state.last["method"] in ("super-simple", "alpha"),
        "drawn": sum(one.draws for one in plan.contests),
    }  # fmt: skip


def _row(one: Answer, names: dict[str, str], lang: str) -> Model:
    said = one.said
    return {
        "region": "" if one.contest.region == NATION else names.get(one.contest.region, one.contest.region),
        "above": one.contest.above, "announced": percent(one.votes.winner / one.votes.ballots, lang), "draws": one.contest.draws,
        "entered": one.drawn, "won": one.won, "outstanding": len(one.outstanding),
        "p": chance(one.p_value, lang) if one.drawn else "", "confirmed": one.confirmed, "more": one.more,
        "hopeless": one.hopeless, "over": 0 if isinstance(said, Polled) else said.over,
        "under": 0 if isinstance(said, Polled) else said.under,
    }  # fmt: skip


def _recorded(state: BallotState) -> bool:
    """Whether the newest recorded answer is of these ballots."""
    newest = max((event.n for event in (*state.seen.values(), *state.rounds)), default=-1)
    return bool(state.results) and state.results[-1].n > newest


PAGES: Sequence[Page] = (
    Page("/audit/polling", "report/ballots.html", polling, twin="answer"),
    Page("/audit/polling/count", "report/ballots_count.html", polling_count),
    Page("/audit/polling/sheets", "report/ballots.html", polling_sheets),
    Page("/audit/comparison", "report/ballots.html", comparison, twin="answer"),
    Page("/audit/comparison/count", "report/ballots_count.html", comparison_count),
    Page("/audit/comparison/sheets", "report/ballots.html", comparison_sheets),
)
