"""What is wrong or strange about a protocol? Every check by its number, over whole columns at once.

Identities come from the form (law.form), so a new country brings its own. The others are listed in checks.yaml. All
are decided in whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dauys.law.form import Form, Identity
from dauys.stations.batch import Batch, Column, Mask
from dauys.stations.words import agree

NOT_FOUND_SHARE, NOT_FOUND_LEAST = 20, 10
"""W.107: more than one in 20 ballots handed out, and at least 10, are not in the boxes."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of each station of a batch before its protocol, row by row.

    `listed` is the list when the poll opened; `reported` and `reported_eligible` are the last turnout report's ballots
    handed out and list, -1 where there was none; `signs` marks stations whose key is on the list.
    """

    listed: Column
    reported: Column
    reported_eligible: Column
    signs: Mask


def protocol_checks(form: Form, batch: Batch, known: Known, *, corrected: bool = False) -> list[tuple[str, ...]]:
    """The numbers that each protocol raises, in order.

    A correction answers F.110: whoever signs it has looked at the report and gives a reason.
    """
    raised = {identity.number: _broken(identity, batch) for identity in form.identities}
    if batch.words:
        raised["F.105"] = _words_differ(batch)
    raised |= _plausible(batch)
    eligible, received = batch.values.get("eligible"), batch.values.get("received")
    if received is not None and not corrected:
        raised["F.110"] = (received < known.reported) & _given(batch, "received")
    if eligible is not None:
        before = np.where(known.reported_eligible >= 0, known.reported_eligible, known.listed)
        raised["W.103"] = (eligible != before) & _given(batch, "eligible")
    if not corrected and known.signs.any():
        signed = [bool(sig) for sig in batch.sig] if batch.sig is not None else [False] * len(batch)
        raised["W.109"] = known.signs & ~np.array(signed, np.bool_)
    return by_row(raised, len(batch))


def by_row(raised: Mapping[str, Mask], rows: int) -> list[tuple[str, ...]]:
    """Numbers for each row, in the order of numbers."""
    found: list[tuple[str, ...]] = [()] * rows
    for number in sorted(raised):
        for place in np.flatnonzero(raised[number]):
            found[place] = (*found[place], number)
    return found


def _given(batch: Batch, *names: str) -> Mask:
    """The rows that give all these fields."""
    given = np.ones(len(batch), np.bool_)
    for name in names:
        if name in batch.missing:
            given &= ~batch.missing[name]
    return given


def _broken(identity: Identity, batch: Batch) -> Mask:
    if not identity.applies_to(batch.values):
        return np.zeros(len(batch), np.bool_)
    return identity.relation.violations(batch.values) & _given(batch, *identity.relation.fields)


def _plausible(batch: Batch) -> dict[str, Mask]:
    """W.101, W.106, W.107."""
    raised: dict[str, Mask] = {}
    eligible, participated = batch.values.get("eligible"), batch.values.get("participated")
    received = batch.values.get("received")
    if participated is not None and eligible is not None:
        given = _given(batch, "participated", "eligible")
        raised["W.101"] = (participated >= eligible) & (eligible > 0) & given
        raised["W.106"] = ((participated == 0) | (eligible == 0)) & given
    if participated is not None and received is not None:
        lost = received - participated
        given = _given(batch, "participated", "received")
        raised["W.107"] = (lost >= NOT_FOUND_LEAST) & (lost * NOT_FOUND_SHARE > received) & given
    return raised


def _words_differ(batch: Batch) -> Mask:
    """F.105: a number is written out in words that do not say it."""
    differ = np.zeros(len(batch), np.bool_)
    for name, texts in batch.words.items():
        column = batch.values.get(name)
        given = _given(batch, name)
        for place, text in enumerate(texts):
            if text and (column is None or not given[place] or not agree(int(column[place]), text)):
                differ[place] = True
    return differ


PPM = 1_000_000
NEIGHBOURS, NEIGHBOUR_BALLOTS = 20, 50
DEVIATIONS, LEAST_PPM = 5, 100_000


def far_from_neighbours(areas: Sequence[str], part: Column, base: Column) -> Mask:
    """W.104: rows whose share of an answer is far from that of the other stations of their area.

    In whole millionths: d = |share - median| > 5 x (median of d) and > 100,000 (10 points). Only stations with at
    least 50 ballots are compared, in areas that have at least 20 of them; of an even number the lower median counts.
    """
    far = np.zeros(len(base), np.bool_)
    names, area = np.unique(np.asarray(areas, dtype=object).astype(str), return_inverse=True)
    large = base >= NEIGHBOUR_BALLOTS
    for number in range(len(names)):
        places = np.flatnonzero((area == number) & large)
        if len(places) < NEIGHBOURS:
            continue
        share = part[places] * PPM // base[places]
        distance = np.abs(share - _median(share))
        far[places] = (distance > DEVIATIONS * _median(distance)) & (distance > LEAST_PPM)
    return far


def _median(values: Column) -> int:
    middle = (len(values) - 1) // 2
    return int(np.partition(values, middle)[middle])


@dataclass(frozen=True, slots=True)
class Previous:
    """The report before this one, row by row: -1 where there was none. `open` marks stations still open now."""

    received: Column
    eligible: Column
    listed: Column
    open: Mask


def turnout_checks(eligible: Column, received: Column, previous: Previous) -> list[tuple[str, ...]]:
    """The numbers that each turnout report raises: F.111, W.102, W.103, W.105."""
    before = np.where(previous.eligible >= 0, previous.eligible, previous.listed)
    return by_row(
        {
            "F.111": received > eligible,
            "W.102": received < previous.received,
            "W.103": eligible != before,
            "W.105": (received == previous.received) & (received > 0) & previous.open,
        },
        len(received),
    )
