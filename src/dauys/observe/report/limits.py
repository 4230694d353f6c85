"""What does the report not say? Its limits, by name: those that always hold, and those of this mission's state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ALWAYS = ("limit_protocols", "limit_sample", "limit_indicators", "limit_result")


def limits(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each with its numbers; `report/words.yaml` has the sentences."""
    found: list[dict[str, Any]] = []
    if body["poll"]["reconstruction"]:
        found.append({"name": "limit_reconstruction"})
    if body["mission"]["accredited"] is None:
        found.append({"name": "limit_accredited"})
    found += [{"name": name} for name in ALWAYS]
    if not body["record"]["declared"]:
        found.append({"name": "limit_declared"})
    design, seen = body["design"], body["observed"]
    if design["sample"] is None:
        found.append({"name": "limit_no_sample"})
    else:
        drawn, verified = seen["stages"]["planned"], seen["stages"]["verified"]
        if verified < drawn:
            found.append({"name": "limit_missing", "n": drawn - verified, "all": drawn})
        if design["committed"] is None:
            found.append({"name": "limit_uncommitted"})
        elif design["first_protocol"] is not None and design["committed"] > design["first_protocol"]:
            found.append({"name": "limit_late_commitment", "n": design["committed"], "all": design["first_protocol"]})
        found.append({"name": "limit_own_seed"})
        if design["revealed"] is None:
            found.append({"name": "limit_seed"})
        found.append(
            {"name": "limit_detects", "n": _least(design["sample"]["detects"]), "all": design["sample"]["population"]}
        )
    waiting = sum(one["new"] for one in seen["forms"])
    if waiting:
        found.append({"name": "limit_unverified", "n": waiting})
    for contest in body["contests"]:
        begun = [one["rounds"][-1] for one in (contest["audit"], *contest["ballots"]) if one["rounds"]]
        if not begun:
            found.append({"name": "limit_no_audit", "contest": contest["id"]})
        elif outside := max(one["missing"] for one in begun):
            found.append({"name": "limit_audit", "n": outside, "contest": contest["id"]})
        if contest["indicators"] is None:
            found.append({"name": "limit_no_indicators", "contest": contest["id"]})
    if body["waiting"]:
        found.append({"name": "limit_waiting", "n": body["waiting"]})
    return found


def _least(detects: Mapping[str, Any]) -> int | None:
    value = detects.get("least_bad")
    return value if isinstance(value, int) else None
