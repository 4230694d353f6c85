"""The redline says everything: what it makes of the text before is the text after, for any two texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_texts import WORKS, work_of

from dauys.errors import BadInput
from dauys.law.redline import apply, columns, redline, words_changed
from dauys.law.works import Provision, Work


@settings(max_examples=60, deadline=None)
@given(WORKS, WORKS)
def test_apply_of_a_redline_gives_the_text_after(before: Work, after: Work) -> None:
    after = replace(after, day=date(2021, 1, 1), status="translation")
    change = redline(before, after)
    assert apply(change, before) == after
    assert apply(redline(after, before), after) == before
    same = {p.id for p in before.walk()} & {p.id for p in after.walk()}
    untouched = same - {line.id for line in change.lines}
    assert all(before.get(key).bare() == after.get(key).bare() for key in untouched)


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text())
def test_words_join_to_both_texts(before: str, after: str) -> None:
    words = words_changed(before, after)
    assert "".join(text for kind, text in words if kind != "insert") == before
    assert "".join(text for kind, text in words if kind != "delete") == after
    assert all(text for _, text in words)
    assert (before == after) == all(kind == "same" for kind, _ in words)


def test_differences_are_whole_words() -> None:
    assert words_changed("of the Constitutional Council, chair", "of the Constitutional Court, chair") == (
        ("same", "of the Constitutional "),
        ("delete", "Council"),
        ("insert", "Court"),
        ("same", ", chair"),
    )


def test_the_comparative_table() -> None:
    before = work_of(
        Provision(
            "art_1", "1", children=(Provision("art_1__para_1", "1", "", "15 deputies"), Provision("art_1__para_2", "2"))
        )
    )
    after = work_of(
        Provision(
            "art_1",
            "1",
            children=(Provision("art_1__para_1", "1", "", "10 deputies"), Provision("art_1__para_3", "3", "", "New.")),
        )
    )
    rows = columns(redline(before, after))
    assert [(row.id, row.change, row.before, row.after) for row in rows] == [
        ("art_1__para_1", "reworded", "15 deputies", "10 deputies"),
        ("art_1__para_2", "removed", "", ""),
        ("art_1__para_3", "added", "", "New."),
    ]
    assert rows[0].words == (("delete", "15"), ("insert", "10"), ("same", " deputies"))


def test_each_kind_of_change_is_named() -> None:
    one = Provision("art_1", "1", "Title", "Text.")
    kinds = {}
    for name, other in {
        "repealed": replace(one, text="", state="repealed"),
        "suspended": replace(one, state="suspended"),
        "reworded": replace(one, num="2", text="Other."),
        "renumbered": replace(one, num="2"),
        "retitled": replace(one, heading="Other"),
    }.items():
        kinds[name] = redline(work_of(one), work_of(other)).lines[0].change
    assert all(name == found for name, found in kinds.items())


def test_a_redline_of_another_text_is_refused() -> None:
    one, two = work_of(Provision("art_1", "1", "", "a")), work_of(Provision("art_1", "1", "", "b"))
    change = redline(one, two)
    with pytest.raises(BadInput, match="art_1 differs"):
        apply(change, work_of(Provision("art_1", "1", "", "c")))
    with pytest.raises(BadInput, match="another text"):
        apply(change, replace(one, day=date(2021, 1, 1)))
    with pytest.raises(BadInput, match="different works or languages"):
        redline(one, replace(two, language="ru"))
