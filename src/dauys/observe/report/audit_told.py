"""The seed of an audit, and what an audit says to the official record: committed to, revealed, sent, sent again."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dauys.errors import BadInput, DauysError
from dauys.observe.known.model import Event, MissionError
from dauys.observe.office.visit import Keeping, Visit
from dauys.observe.sample.draw import seed_sha256
from dauys.registers.poll import Contest

RISKS = (Fraction(1, 10), Fraction(1, 20), Fraction(1, 100))
LEAST_SEED = 16
_UNSENT = "audit-unsent/"


@dataclass(frozen=True, slots=True)
class Sort:
    """An audit with a seed of its own: its part of the names in the log (empty: none), what the record calls it."""

    id: str
    name: str

    def named(self, contest: str) -> str:
        """What the names of its events begin with."""
        return f"{contest}/{self.id}/" if self.id else f"{contest}/"


BATCHES = Sort("", "paper")


def commit(visit: Visit, contest: Contest, sort: Sort, before: Event | None, method: str) -> None:
    """Fixes the seed: its SHA-256 into the log and the record; the seed itself stays beside the log until the draw."""
    if before is not None:
        raise MissionError("the audit's seed is committed to already")
    seed = visit.text("seed", 200) or secrets.token_hex(20)
    if len(seed) < LEAST_SEED:
        raise BadInput(
            "the seed is too short to be unforeseeable", field="seed", expected=f"{LEAST_SEED} signs", check="O.178"
        )
    visit.office.keep.keep(_seed_name(contest, sort), seed)
    body = {"name": f"{sort.named(contest.id)}commitment", "contest": contest.id, "seed_sha256": seed_sha256(seed)}
    visit.append("audit", body)
    tell(visit, contest, sort, method, {"commitment": seed_sha256(seed)}, {}, {})


def revealed(visit: Visit, contest: Contest, sort: Sort, commitment: Event | None) -> str:
    """The seed that was committed to. Raises MissionError before the commitment, BadInput O.179 where it is gone."""
    if commitment is None:
        raise MissionError("commit to a seed first: whoever chooses it after the results can choose what is drawn")
    seed = visit.office.keep.kept(_seed_name(contest, sort)) or ""
    if seed_sha256(seed) != commitment.body["seed_sha256"]:
        raise BadInput(
            "the seed that was committed to is gone", field="seed", found=f"SHA-256 {seed_sha256(seed)}", check="O.179"
        )
    return seed


def chosen_risk(visit: Visit) -> Fraction:
    """The risk limit that was chosen. Raises BadInput O.012."""
    risk = next((one for one in RISKS if str(one) == visit.text("risk", 10)), None)
    if risk is None:
        raise BadInput("which risk limit?", field="risk", found=visit.text("risk", 10), check="O.012")
    return risk


def tell(
    visit: Visit, contest: Contest, sort: Sort, method: str, chosen: Mapping[str, str], plan: Mapping[str, Any],
    result: Mapping[str, Any],
) -> None:  # fmt: skip
    """Sends an entry about the audit to the official record; what it refuses is kept, to be sent again.

    `chosen` is its `commitment` or its `seed` (docs/architecture.md, "Entries").
    """
    identity = visit.mission.identity
    if identity is None:
        raise MissionError("say first who the mission is: an audit is signed")
    body = {
        "organisation": identity.code, "contest": contest.id, "name": sort.name, "method": method, **chosen,
        "plan": dict(plan), "result": dict(result),
    }  # fmt: skip
    _send(visit, contest, [*unsent(visit.office.keep, contest.id), {"body": body, "why": ""}])


def send_again(visit: Visit, contest: Contest) -> None:
    """What the record refused of the contest's audits, once more, in its order."""
    _send(visit, contest, unsent(visit.office.keep, contest.id))


def unsent(keep: Keeping, contest: str) -> list[dict[str, Any]]:
    """What the official record refused of the contest's audits, oldest first: `body`, and `why`."""
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


def _seed_name(contest: Contest, sort: Sort) -> str:
    return f"audit-seed/{contest.id}/{sort.id}" if sort.id else f"audit-seed/{contest.id}"
