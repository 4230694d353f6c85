"""No IIN stands in what an officer writes: it would stay in the log."""

from __future__ import annotations

from uuid import UUID

import pytest
from officers_desk import Desk
from pollbook_sample import MORNING

from dauys.errors import BadInput
from dauys.pollbook.machine import acts
from dauys.roll.free_text import no_iin
from dauys.roll.iin import is_iin


@pytest.mark.parametrize(
    "digits", ["{}", "{} {}", "{}-{}", "gave it to {} {}.", "№5: {}", "5 kg {}–{}", "{} / {}", "{}_{}", "{}\u200b{}",
     "{}, 10:32", "{}.", "{} {} 5", "{} {} {} {}", " ".join(["{}"] * 12)],
)  # fmt: skip
def test_no_reason_holds_an_iin(digits: str) -> None:
    desk = Desk()
    vote = desk.vote(0)
    number = "731101400000"
    long = len(number) // digits.count("{}")
    text = digits.format(*(number[n : n + long] for n in range(0, len(number), long)))
    assert is_iin(number)
    before = desk.book.head
    with pytest.raises(BadInput) as refused:
        acts.do_undo(desk.book, vote.n, reason=text, officer="m1", at=MORNING)
    assert refused.value.check == "P.077" and number[-6:] not in str(refused.value)
    with pytest.raises(BadInput, match=r"P\.077"):
        acts.do_envelope(desk.book, UUID(int=1), reason=text, officer="m1", at=MORNING)
    assert desk.book.head == before
    for fine in (
        "12 ballots",
        "731101400001",
        "7311014000001",
        "7311014000",
        "2022-06-05 10:32",
        "№ 1234 5678 9012 3456",
        "05.06.2022 11:05",  # these days and hours have twelve digits, and the check digit fits
        "at the table, 16/04/2030 18.34, once more",
        "05.06.22 14:30:15, 16:09, 10:12, 17:12",
    ):
        assert no_iin(fine) == fine


def test_an_iin_in_other_figures_is_one() -> None:
    arabic = {ord("0") + n: 0x660 + n for n in range(10)}
    for figures in (arabic, str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")):
        with pytest.raises(BadInput, match=r"P\.077"):
            no_iin(f"gave it to {'731101400000'.translate(figures)}")
    assert no_iin("1 " * 20_000)
