"""What is done on the pages of audits of single ballots: seed, manifest and draw, further rounds, the recorded answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from typing import Any

from dauys.errors import BadInput
from dauys.observe.audit.assertions import HALF, Votes
from dauys.observe.audit.ballot_plan import make_ballot_plan, reported
from dauys.observe.audit.comparing import METHODS as COMPARING
from dauys.observe.audit.comparing import Compared, compared
from dauys.observe.audit.plan import Contest as Assertion
from dauys.observe.audit.plan import Plan, Station
from dauys.observe.audit.polling import METHODS as POLLING_METHODS
from dauys.observe.audit.records import Records, read_manifest, read_records
from dauys.observe.known.model import MissionError
from dauys.observe.known.official import Official
from dauys.observe.office.visit import Visit
from dauys.observe.report.audit_count import ballot_fields
from dauys.observe.report.audit_state import FOLDER, Frozen, Row, announced, frozen, table, threshold
from dauys.observe.report.audit_told import chosen_risk, commit, revealed, send_again, tell
from dauys.observe.report.ballot_state import POLLING, BallotState, answers, as_reported, poll, verdict
from dauys.observe.sample.frame import file_sha256
from dauys.registers.poll import Contest

CHANCES = ("0.7", "0.8", "0.9")
TITLES = {
    "bravo": "BRAVO", "minerva": "Minerva", "super-simple": "super-simple", "alpha": "ALPHA", "oneaudit": "ONEAudit, ALPHA",
}  # fmt: skip


def method_of(state: BallotState, method: str) -> str:
    """What the record calls the method."""
    return f"{state.sort.name} ({TITLES[method]})"


def _commit(visit: Visit, official: Official, contest: Contest, state: BallotState) -> None:
    commit(visit, contest, state.sort, state.commitment, state.sort.name)


def _draw(visit: Visit, official: Official, contest: Contest, state: BallotState) -> None:
    """Freezes the manifest, and the ballots' records where they are compared, and draws with the seed that is now revealed."""
    if state.rounds:
        raise MissionError("the ballots are drawn already")
    seed, risk = revealed(visit, contest, state.sort, state.commitment), chosen_risk(visit)
    share, regional = threshold(contest.rule, contest)
    method, chance = visit.text("method", 20), visit.text("chance", 5) or CHANCES[-1]
    known = POLLING_METHODS if state.sort is POLLING else (*COMPARING, "oneaudit")
    if method not in known or chance not in CHANCES:
        found = method if method not in known else chance
        raise BadInput("which method?", field="method", found=found, expected=", ".join(known), check="O.012")
    if share != HALF and method not in ("alpha", "oneaudit"):
        raise BadInput(
            "the method compares with one half of the ballots", field="method", found=str(share), expected="ONEAudit or ALPHA",
            check="O.189",
        )  # fmt: skip
    rows = announced(official, contest)
    rows, about, records = _piles(visit, contest, method, rows)
    data = table(rows)
    digest = sha256(data).hexdigest()
    visit.office.keep.write(f"{FOLDER}/{digest}.csv", data)
    manifest = frozen(visit.office.keep, digest)
    made = make_ballot_plan(
        manifest.stations, digest, seed, risk, share, regional if visit.text("double", 3) == "yes" else None,
        _first(manifest, records, method, chance, seed, risk, share), "O.189",
    )  # fmt: skip
    _same_outcome(made, announced(official, contest))
    missing = len(official.stations) - len(rows)
    read = {"record_size": official.size, "root": official.root, "missing": missing}
    _round(visit, contest, state, made, {"method": method, "chance": chance, **read, **about})


def _piles(
    visit: Visit, contest: Contest, method: str, rows: Sequence[Row]
) -> tuple[list[Row], dict[str, Any], Records | None]:  # fmt: skip
    """The manifest, what it is made of, and the ballots' records. A pile has at least the ballots that were announced.

    `apart`: at so many stations the table that was sent has another number of ballots, or of those for the option.
    """
    path, records = visit.files.get("table"), None
    about: dict[str, Any] = {"source": "record", "file_sha256": "", "apart": 0, "records_sha256": "", "records": 0}
    stations = {row[0] for row in rows}
    if method in COMPARING:
        if path is None:
            raise BadInput("no file was chosen", field="table", expected="station,ballot,vote", check="O.172")
        records = read_records(path, stations, {field.name for field in ballot_fields(contest)}, "O.188")
        counts = records.counts(contest.options[0])
        data = records.to_csv()
        about |= {"records": len(records), "records_sha256": sha256(data).hexdigest()}
        visit.office.keep.write(f"{FOLDER}/{about['records_sha256']}.ballots", data)
    elif path is None:
        return list(rows), about, None
    else:
        listed = read_manifest(path, stations, "O.187")
        counts = {station: (listed[station], yes) for station, _, _, yes, _ in rows}
    about |= {"source": "file", "file_sha256": file_sha256(path)}
    found = []
    for station, region, cast, yes, entry in rows:
        size, said = counts.get(station, (0, 0))
        about["apart"] += (size, said) != (cast, yes)
        found.append((station, region, max(size, cast), said, entry))
    return found, about, records


def _first(
    manifest: Frozen, records: Records | None, method: str, chance: str, seed: str, risk: Fraction, share: Fraction
) -> Callable[[Assertion, Votes], int | None]:  # fmt: skip
    """The size of the first round of an assertion."""

    def polled(one: Assertion, votes: Votes) -> int | None:
        return poll(method, votes, (), risk, float(chance)).next

    def against(one: Assertion, votes: Votes) -> int | None:
        ahead = as_reported(manifest, records, one, seed)
        kind, part = "alpha" if method == "oneaudit" else method, share if one.above else 1 - share
        return compared(kind, [], votes.winner, votes.ballots, part, risk, ahead).next

    return polled if method in POLLING_METHODS else against


def _same_outcome(made: Plan, rows: Sequence[Row]) -> None:
    """What the tables say must be what was announced. Raises BadInput O.188."""
    stations = [Station(*row[:4]) for row in rows]
    for one in made.contests:
        votes = reported(stations, one)
        share = made.share if one.above else 1 - made.share
        if not Fraction(votes.winner, votes.ballots) > share:
            raise BadInput(
                "the ballots' table adds up to another outcome than was announced", field="table", found=one.region,
                expected="the records that the announced counts were made of", check="O.188",
            )  # fmt: skip


def _round(visit: Visit, contest: Contest, state: BallotState, plan: Plan, about: Mapping[str, Any]) -> None:
    number = len(state.rounds) + 1
    told = {"round": number, **about, "results_sha256": plan.frame_sha256}
    name = f"{state.sort.named(contest.id)}round/{number}"
    visit.append("audit", {"name": name, "contest": contest.id, "plan": plan.to_json(), **told})
    method = method_of(state, about["method"])
    tell(visit, contest, state.sort, method, {"seed": plan.seed}, {**told, **plan.to_json()}, {})


def _next(visit: Visit, official: Official, contest: Contest, state: BallotState) -> None:
    """More draws for what is not confirmed, with the same seed; the first ones stay."""
    if not state.rounds:
        raise MissionError("draw the first ballots first")
    found = answers(visit.office.keep, state)
    if verdict(found) != "go-on" or any(one.outstanding for one in found):
        raise MissionError("a further round follows when every drawn ballot was entered and they did not suffice")
    contests = tuple(
        replace(one.contest, draws=one.contest.draws + (0 if one.confirmed else one.more or 0)) for one in found
    )
    about = {name: state.last[name] for name in _KEPT}
    _round(visit, contest, state, replace(state.plan, contests=contests), about)


_KEPT = (
    "method", "chance", "record_size", "root", "missing", "source", "file_sha256", "apart", "records_sha256", "records",
)  # fmt: skip


def _record(visit: Visit, official: Official, contest: Contest, state: BallotState) -> None:
    """What the ballots say now, into the log and the record."""
    if not state.rounds:
        raise MissionError("no ballot was drawn yet")
    found = answers(visit.office.keep, state)
    told = []
    for one in found:
        said = {
            "region": one.contest.region, "claim": "above" if one.contest.above else "below", "draws": one.contest.draws,
            "entered": one.drawn, "won": one.won, "p_value": f"{one.p_value:.6g}", "confirmed": one.confirmed,
        }  # fmt: skip
        if isinstance(one.said, Compared):
            said |= {"o2": one.said.over, "u2": one.said.under}
        told.append(said)
    result = {"round": len(state.rounds), "outcome": verdict(found), "contests": told}
    name = f"{state.sort.named(contest.id)}result/{len(state.results) + 1}"
    visit.append("audit", {"name": name, "contest": contest.id, **result})
    chosen, plan = {"seed": state.plan.seed}, {"results_sha256": state.last["results_sha256"]}
    tell(visit, contest, state.sort, method_of(state, state.last["method"]), chosen, plan, result)


def _again(visit: Visit, official: Official, contest: Contest, state: BallotState) -> None:
    send_again(visit, contest)


BALLOT_ACTS: Mapping[str, Callable[[Visit, Official, Contest, BallotState], None]] = {
    "commit": _commit,
    "draw": _draw,
    "next": _next,
    "record": _record,
    "again": _again,
}
