"""Texts as trees: ids are unique and tell where a provision stands; a draft puts and takes and loses nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from random_texts import WORKS, work_of

from dauys.errors import DauysError
from dauys.law.works import Draft, Provision, Work, eids, number_order, reading_order


@settings(max_examples=80, deadline=None)
@given(WORKS)
def test_a_draft_of_a_text_is_the_text(work: Work) -> None:
    draft = Draft(work.provisions)
    assert draft.provisions() == work.provisions
    assert list(draft.walk("")) == work.ids()
    for key in work.ids():
        if key not in draft.bare:
            continue
        tree, parent = draft.tree(key), draft.parent[key]
        place = draft.order[parent].index(key)
        draft.take(key)
        assert key not in draft.bare
        draft.put(parent, place, tree)
        assert draft.provisions() == work.provisions


@pytest.mark.parametrize(
    ("provisions", "message"),
    [
        ((Provision("art_1"), Provision("art_1")), "stands twice"),
        ((Provision("art_x"),), "not an id"),
        ((Provision("para_1"),), "not an id"),
        ((Provision("art_1__al_1__para_2"),), "not an id"),
        ((Provision("art_1__para_2"),), "under another one than its id says"),
        ((Provision("art_1", children=(Provision("art_2__para_1"),)),), "under another one"),
        ((Provision("art_1", state="gone"),), "unknown state"),
        ((Provision("art_1", num="I"),), "not a number"),
    ],
)
def test_misplaced_provisions_are_refused(provisions: tuple[Provision, ...], message: str) -> None:
    with pytest.raises(DauysError, match=message):
        work_of(*provisions)


def test_unknown_ranks_and_statuses_are_refused() -> None:
    for change in ({"rank": "poem"}, {"status": "sure"}):
        with pytest.raises(DauysError, match="unknown"):
            replace(work_of(), **change)


def test_order_and_printed_ids() -> None:
    assert sorted(["10", "3-1", "3", "10-1", "4"], key=number_order) == ["3", "3-1", "4", "10", "10-1"]
    keys = ["art_10", "art_2__para_10", "art_2__para_2__al_2", "art_2__para_2", "art_2__para_2__point_1", "sec_1"]
    assert sorted(keys, key=reading_order) == [
        "sec_1", "art_2__para_2", "art_2__para_2__point_1", "art_2__para_2__al_2", "art_2__para_10", "art_10",
    ]  # fmt: skip
    section = Provision("sec_3", "3", children=(Provision("art_1", "4", children=(Provision("art_1__al_2"),)),))
    assert eids([section]) == {"sec_3": "sec_3", "art_1": "art_4", "art_1__al_2": "art_4__al_2"}


def test_a_missing_provision_is_one_message() -> None:
    with pytest.raises(DauysError, match="there is no provision art_7"):
        work_of(Provision("art_1")).get("art_7")
