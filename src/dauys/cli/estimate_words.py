"""How is an estimate said: as JSON for one moment of the night, and in words for a person?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dauys.observe.compare.replay import Counted
from dauys.observe.estimates.double_rule import DoubleRule
from dauys.observe.night.snapshots import Said


def snapshot(one: Said) -> dict[str, Any]:
    body = one.found.to_json()
    state = one.partial
    return {
        "at": one.facts["at"], "received": one.facts["received"], "estimate": body["estimate"], "se": body["se"],
        "ci": body["ci"], "band": None if state is None else list(state.band),
        "publish": state is None or state.publish, "reasons": [] if state is None else list(state.reasons),
    }  # fmt: skip


def text(
    said: Said,
    states: list[Said],
    both: DoubleRule | None,
    hours: Sequence[Counted] = (),
    official: Counted | None = None,
) -> str:
    """The answer for a person. `hours`: what was counted at each of the states."""
    found, facts, state = said.found, said.facts, said.partial
    scale, unit = (1.0, "") if found.estimate > 1 or "total" in found.method else (100.0, " %")

    def value(number: float) -> str:
        return f"{scale * number:,.3f}"

    lines = [
        f"{value(found.estimate)}{unit}, {100 * found.confidence:g} % interval {value(found.ci[0])} to {value(found.ci[1])}"
        + (" if what is missing is missing at random within its stratum" if state else ""),
        f"  standard error {value(found.se)}, {found.df} degrees of freedom; {found.method}; interval by {found.interval}",
        f"  {facts['received']:,} of {facts['designed']:,} drawn stations, {facts['strata']:,} strata; "
        f"of {facts['population']}; share of {facts['denominator']}",
    ]
    if found.deff_ballots is not None:
        lines.append(f"  design effect {found.deff_ballots:.1f}: ballots come by stations, not one by one")
    if state is not None:
        lines.append(
            f"  band: {value(state.band[0])} to {value(state.band[1])} if missing stations differ by {100 * state.shift:g} points"
        )
        lines.append(f"  whatever the missing say: {value(state.worst[0])} to {value(state.worst[1])}")
        lines += [f"  DO NOT PUBLISH: {reason}" for reason in state.reasons]
    lines += [f"  note: {remark}" for remark in said.remarks]
    for one in said.by:
        lines.append(
            f"  {one.name}: {value(one.found.estimate)}, {value(one.found.ci[0])} to {value(one.found.ci[1])} (n = {one.found.n})"
        )
    if official is not None and official.share is not None:
        inside = "inside" if found.ci[0] <= official.share <= found.ci[1] else "outside"
        lines.append(
            f"  the official value of {official.stations:,} stations: {value(official.share)}{unit}, {inside} the interval"
        )
    for number, past in enumerate(states):
        publish = past.partial is None or past.partial.publish
        lines.append(
            f"  {past.facts['at']}  {past.facts['received']:>6,}  {value(past.found.estimate)} "
            f"[{value(past.found.ci[0])}, {value(past.found.ci[1])}]{_counted(hours[number], value) if hours else ''}"
            f"{'' if publish else '  do not publish'}"
        )
    if both is not None:
        low, high = both.territories
        chance = f"{low:.4f}" if low == high else f"{low:.4f} to {high:.4f}"
        lines.append(f"  at least {both.needed} of {both.of} say yes: probability {chance}")
    return "\n".join(lines)


def _counted(official: Counted, value: Callable[[float], str]) -> str:
    return "" if official.share is None else f"  counted {official.stations:>7,}: {value(official.share)}"
