"""Replay: what each operation does, that it fails closed, and that a day depends on nothing but facts and effects."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_texts import DAY, WORKS, work_of

from dauys.errors import BadInput
from dauys.law.consolidate import caused, consolidate, days_of_change, history, live, prospects, replay
from dauys.law.effects import Effect, conflict, parse_law
from dauys.law.facts import Fact, Facts
from dauys.law.redline import redline
from dauys.law.works import Provision, Work

HEAD = """law: /akn/kz/act/law/2022-01-01/2
of: /akn/kz/act/law/2020-01-01/1
title: {kk: З, ru: З, en: L}
status: reconstructed
languages: [en]
"""
VOTE = "vote.published"
FACTS = Facts([Fact(VOTE, date(2022, 6, 8), "x"), Fact("election", date(2023, 3, 19), "x")])
LATE = date(2030, 1, 1)


def effects_of(*items: str, head: str = HEAD) -> tuple[Effect, ...]:
    text = "".join(f"  - {item}\n" if item.startswith("{") else item for item in items)
    return parse_law(f"{head}effects:\n{text}", "law.yaml").effects


def one(op: str, target: str, more: str = "", start: str = VOTE, key: str = "e1") -> str:
    return f"{{id: {key}, op: {op}, target: {target}, commences: {start}, cite: x{more and ', ' + more}}}"


def sample() -> Work:
    return work_of(
        Provision("art_1", "1", "One", "The Council has 7 members.", "", (
            Provision("art_1__para_1", "1", "", "Of the Council, 2 by the Senate.", "", (
                Provision("art_1__para_1__point_1", "1", "", "first;"),
                Provision("art_1__para_1__point_2", "2", "", "the Council."),
                Provision("art_1__para_1__al_2", "", "", "After the points."),
            )),
            Provision("art_1__para_2", "2", "", "Two."),
        )),
        Provision("art_2", "2", "", "Council, Councils and a Council."),
    )  # fmt: skip


def after(*items: str) -> Work:
    return consolidate(sample(), effects_of(*items), LATE, FACTS)


def says(work: Work) -> dict[str, str]:
    return {p.id: p.text for p in work.walk()}


def test_words_are_replaced_in_the_target_only() -> None:
    work = after(one("replace_words", "art_1__para_1", "count: 2, en: {old: Council, new: Court}"))
    changed = {line.id for line in redline(replace(sample(), day=LATE), work).lines}
    assert changed == {"art_1__para_1", "art_1__para_1__point_2"}
    assert work.get("art_1__para_1").text == "Of the Court, 2 by the Senate."


def test_words_are_whole_words() -> None:
    work = after(one("replace_words", "art_2", "count: 2, en: {old: Council, new: Court}"))
    assert work.get("art_2").text == "Court, Councils and a Court."


def test_throughout_spares_what_it_says() -> None:
    work = after(one("throughout", "all", "count: 3, except: [art_2], en: {old: Council, new: Court}"))
    assert [key for key, text in says(work).items() if "Court" in text] == [
        "art_1", "art_1__para_1", "art_1__para_1__point_2",
    ]  # fmt: skip
    assert work.get("art_2") == sample().get("art_2")


def test_words_are_inserted_and_deleted_with_their_spaces() -> None:
    assert (
        after(one("insert_words", "art_2", "en: {after: a Council, new: of two}"))
        .get("art_2")
        .text.endswith("a Council of two.")
    )
    assert (
        after(one("insert_words", "art_2", 'en: {after: Councils, new: ", Courts"}')).get("art_2").text
        == "Council, Councils, Courts and a Council."
    )
    assert (
        after(one("insert_words", "art_2", "en: {before: and, new: too}")).get("art_2").text
        == "Council, Councils too and a Council."
    )
    assert after(one("delete_words", "art_2", "en: {old: and a Council}")).get("art_2").text == "Council, Councils."
    assert after(one("delete_words", "art_1__para_2", "en: {old: Two}")).get("art_1__para_2").text == "."
    assert (
        after(one("delete_words", "art_1__para_1", 'en: {old: "Of the Council,"}')).get("art_1__para_1").text
        == "2 by the Senate."
    )


def test_a_provision_is_reworded_with_all_below_it() -> None:
    item = "  - id: e1\n    op: reword\n    target: art_1__para_1\n    commences: vote.published\n    cite: x\n"
    item += "    en: |\n      New.\n\n      2) other;\n\n      Part two.\n"
    work = after(item)
    assert [(p.id, p.num, p.text) for p in work.get("art_1__para_1").walk()] == [
        ("art_1__para_1", "1", "New."),
        ("art_1__para_1__point_2", "2", "other;"),
        ("art_1__para_1__al_2", "", "Part two."),
    ]


def test_provisions_are_added_by_their_numbers() -> None:
    work = after(
        one("add", "art_1", "en: 1-1. Between."),
        one("add", "art_1", "en: 3. Last.", key="e2"),
        one("add", "art_1__para_1", 'en: "1-1) inserted;"', key="e3"),
        one("add", "art_1__para_2", "number: 2, en: A second part.", key="e4"),
        one("add", "all", '"en": "### Article 1-1\\n\\n1. New article."', key="e5"),
    )
    assert [p.id for p in work.walk()] == [
        "art_1", "art_1__para_1", "art_1__para_1__point_1", "art_1__para_1__point_1-1", "art_1__para_1__point_2",
        "art_1__para_1__al_2", "art_1__para_1-1", "art_1__para_2", "art_1__para_2__al_2", "art_1__para_3",
        "art_1-1", "art_1-1__para_1", "art_2",
    ]  # fmt: skip


def test_a_repealed_number_stays_and_an_unnumbered_part_goes() -> None:
    work = after(one("repeal", "art_1__para_1"), one("repeal", "art_2", "en: Repealed by law 2.", key="e2"))
    assert (work.get("art_1__para_1").state, work.get("art_1__para_1").children) == ("repealed", ())
    assert work.get("art_2").text == "Repealed by law 2."
    assert not after(one("repeal", "art_1__para_1__al_2")).has("art_1__para_1__al_2")


def test_ids_survive_renumbering() -> None:
    work = after(
        one("renumber", "art_1__para_2", "number: 3", start="2022-01-01"),
        one("add", "art_1", "en: 2-1. New.", start="2022-01-02", key="e2"),
        one("replace_words", "paragraph 3 of Article 1", "en: {old: Two, new: Changed}", start="2022-01-03", key="e3"),
        one("replace_words", "art_1__para_2", "en: {old: Changed, new: Again}", start="2022-01-04", key="e4"),
    )
    assert (work.get("art_1__para_2").num, work.get("art_1__para_2").text) == ("3", "Again.")
    assert work.eids()["art_1__para_2"] == "art_1__para_3"


def test_headings_suspensions_and_slips() -> None:
    work = after(
        one("retitle", "art_1", "en: Another"),
        one("suspend", "art_1__para_2", key="e2"),
        one("corrigendum", "art_2", 'en: {old: "a Council", new: "A Council"}', key="e3"),
    )
    assert (work.get("art_1").heading, work.get("art_1__para_2").state) == ("Another", "suspended")
    assert work.get("art_2").text == "Council, Councils and A Council."


CLOSED = [
    (one("replace_words", "art_9", "en: {old: a, new: b}"), "no target"),
    (one("reword", "art_1__para_7", "en: x"), "no target"),
    (one("add", "art_9", "en: 1. x"), "no target"),
    (one("replace_words", "art_1__para_1", "en: {old: Council, new: b}"), "finds its words in 2 places"),
    (one("replace_words", "art_2", "en: {old: Court, new: b}"), "finds its words in 0 places"),
    (one("replace_words", "art_2", "count: 3, en: {old: Council, new: b}"), "in 2 places"),
    (one("replace_words", "art_1__para_1__point_1", "en: {old: firs, new: b}"), "in 0 places"),
    (
        one("throughout", "all", "count: 5, except: [art_7], en: {old: Council, new: b}"),
        "spares a provision that does not",
    ),
    (one("add", "art_1", "en: 2. x"), "stands in the text already"),
    (one("add", "art_1", "after: art_2, en: 4. x"), "no such place"),
    (one("renumber", "art_1__para_2", "number: 1"), "another provision has"),
    (one("renumber", "art_1__para_1__al_2", "number: 1"), "gives a number to a part that has none"),
    (one("repeal", "art_1__para_1__al_2", "en: gone"), "leaves words"),
    (one("repeal", "paragraph 9 of Article 1"), "no single target"),
]


@pytest.mark.parametrize(("item", "message"), CLOSED)
def test_a_replay_fails_closed_and_names_effect_file_and_line(item: str, message: str) -> None:
    effects = effects_of(one("suspend", "art_1", start="never", key="first"), item)
    with pytest.raises(BadInput, match=f"effect e1 .*{message}") as refused:
        consolidate(sample(), effects, LATE, FACTS)
    assert (refused.value.file, refused.value.line) == ("law.yaml", 8)


def test_a_repealed_provision_cannot_be_changed() -> None:
    with pytest.raises(BadInput, match="effect e2 changes a provision that is repealed"):
        after(one("repeal", "art_2"), one("replace_words", "art_2", "en: {old: a, new: b}", key="e2"))


def test_a_citation_with_two_targets_is_refused() -> None:
    work = work_of(Provision("art_1", "1", "", "a"), Provision("art_2", "1", "", "b"))
    with pytest.raises(BadInput, match="no single target: the citation names 2 provisions"):
        replay(work, effects_of(one("suspend", "Article 1")))


def test_a_language_that_the_law_is_not_written_in_is_refused() -> None:
    with pytest.raises(BadInput, match="is not written in 'ru'"):
        replay(replace(sample(), language="ru"), effects_of(one("retitle", "art_1", "en: x")))


def test_starts_are_events_and_days() -> None:
    effects = effects_of(
        one("retitle", "art_1", "en: vote"),
        one("retitle", "art_1", "en: later", start="{event: vote.published, day: 2023-01-01}", key="e2"),
        one("retitle", "art_1", "en: election", start="election", key="e3"),
        one("retitle", "art_1", "en: never", start="new.court", key="e4"),
    )

    def heading(day: date, facts: Facts = FACTS) -> str:
        return consolidate(sample(), effects, day, facts).get("art_1").heading

    days = ("2022-06-07", "2022-06-08", "2022-12-31", "2023-01-01", "2023-03-19", "2030-01-01")
    assert [heading(date.fromisoformat(day)) for day in days] == [
        "One", "vote", "vote", "later", "election", "election",
    ]  # fmt: skip
    assert heading(LATE, FACTS.without("election")) == "later"
    assert heading(LATE, Facts()) == "One"
    assert days_of_change(sample(), effects, FACTS) == [date(2022, 6, 8), date(2023, 1, 1), date(2023, 3, 19)]
    with pytest.raises(BadInput, match="the text of this day is not here"):
        heading(date(2019, 12, 31))


def test_nothing_of_a_law_starts_without_what_it_requires() -> None:
    effects = effects_of(one("retitle", "art_1", "en: x", start="election"), head=HEAD + f"requires: {VOTE}\n")
    assert consolidate(sample(), effects, LATE, FACTS).get("art_1").heading == "x"
    assert consolidate(sample(), effects, LATE, FACTS.without(VOTE)).provisions == sample().provisions


def test_a_temporary_effect_ends_and_what_rests_on_it_fails() -> None:
    temporary = one("retitle", "art_1", "en: For a time, expires: election")
    effects = effects_of(temporary)
    assert consolidate(sample(), effects, date(2023, 3, 18), FACTS).get("art_1").heading == "For a time"
    assert consolidate(sample(), effects, date(2023, 3, 19), FACTS).get("art_1").heading == "One"
    assert [change.day for change in history(sample(), effects, FACTS, "art_1")] == [
        date(2022, 6, 8),
        date(2023, 3, 19),
    ]
    resting = effects_of(
        one("replace_words", "art_2", "en: {old: and, new: or}, expires: election"),
        one("replace_words", "art_2", "en: {old: or, new: nor}", start="2023-01-01", key="e2"),
    )
    with pytest.raises(BadInput, match="effect e2 finds its words in 0 places"):
        consolidate(sample(), resting, LATE, FACTS)


def test_an_amendment_can_amend_an_amendment() -> None:
    work = after(
        one("add", "all", 'en: "### Article 3\\n\\n1. New words."'),
        one("replace_words", "art_3__para_1", "en: {old: New, new: Newer}", start="2023-01-01", key="e2"),
    )
    assert work.get("art_3__para_1").text == "Newer words."


def test_history_and_origins_of_words() -> None:
    effects = effects_of(
        one("replace_words", "art_1", "count: 3, en: {old: Council, new: Court}"),
        one("reword", "art_1__para_2", "en: Two judges.", start="2023-01-01", key="e2"),
        one("replace_words", "art_1__para_2", "en: {old: Two, new: Four}", start="election", key="e3"),
        one("replace_words", "art_1__para_2", "en: {old: Four, new: Five}", start="never", key="e4"),
    )
    changes = history(sample(), effects, FACTS, "art_1__para_2")
    assert [(change.day, change.effect and change.effect.id) for change in changes] == [
        (date(2023, 1, 1), "e2"), (date(2023, 3, 19), "e3"), (None, "e4"),
    ]  # fmt: skip
    origins = caused(sample(), effects, LATE, FACTS, "art_1__para_2")
    assert [origin.effect and (origin.text, origin.effect.id) for origin in origins] == [
        ("Four", "e3"), (" judges", "e2"), None,
    ]  # fmt: skip
    assert [(o.text, o.effect and o.effect.id) for o in caused(sample(), effects, LATE, FACTS, "art_1")] == [
        ("The ", None), ("Court", "e1"), (" has 7 members.", None),
    ]  # fmt: skip
    with pytest.raises(BadInput, match="art_9 is not in the text"):
        caused(sample(), effects, LATE, FACTS, "art_9")


def test_what_is_enacted_and_begins_later_stands_beside_the_text() -> None:
    effects = effects_of(
        one("retitle", "art_1", "en: Later", start="election"),
        one("retitle", "art_2", "en: Someday", start="new.court", key="e2"),
        head=HEAD + f"requires: {VOTE}\n",
    )
    shown = prospects(sample(), effects, date(2023, 1, 1), FACTS)
    assert [(c.day, c.before and c.before.heading, c.after and c.after.heading) for c in shown] == [
        (date(2023, 3, 19), "One", "Later"), (None, "", "Someday"),
    ]  # fmt: skip
    assert not prospects(sample(), effects, date(2022, 6, 7), FACTS)


@st.composite
def amended(draw: st.DrawFn) -> tuple[Work, list[Effect]]:
    """A text and effects that fit it, on few days, each after others of its day and before it."""
    work = draw(WORKS)
    items = []
    now = work
    for number in range(draw(st.integers(1, 6))):
        places = [p for p in now.walk() if p.state != "repealed"]
        op = draw(st.sampled_from(["retitle", "reword", "repeal", "suspend", "replace_words", "add"]))
        if not places:
            break
        target = draw(st.sampled_from(places))
        more = {
            "retitle": f"en: Heading {number}",
            "reword": f"en: Wording {number}.",
            "replace_words": f"en: {{old: of, new: of{number}}}",
            "add": f'en: "### Article {60 + number}\\n\\n1. New."',
        }.get(op, "")
        start = date(2021, 1, 1) + timedelta(days=(number + draw(st.integers(0, 1))) // 2)
        item = effects_of(one(op, "all" if op == "add" else target.id, more, str(start), f"e{number}"))
        try:
            after = replay(work, live(work, [*items, *item], LATE, Facts()))
        except BadInput:
            continue
        items, now = [*items, *item], after
    return work, items


@settings(max_examples=50, deadline=None)
@given(amended(), st.randoms(use_true_random=False))
def test_any_admissible_order_gives_the_same_text(case: tuple[Work, list[Effect]], random: object) -> None:
    """Effects of one day that touch different places may change places; those that conflict keep the law's order."""
    work, effects = case
    ordered = live(work, effects, LATE, Facts())
    shuffled: list[Effect] = []
    waiting = list(ordered)
    while waiting:
        free = [e for n, e in enumerate(waiting) if not any(conflict(e, other) for other in waiting[:n])]
        chosen = random.choice(free)  # type: ignore[attr-defined]
        waiting.remove(chosen)
        shuffled.append(chosen)
    assert replay(work, shuffled) == replay(work, ordered)


@settings(max_examples=50, deadline=None)
@given(amended())
def test_the_text_changes_only_on_days_of_effects_and_only_in_targets(case: tuple[Work, list[Effect]]) -> None:
    work, effects = case
    starts = set(days_of_change(work, effects, Facts()))
    for before, day in pairwise(date(2020, 12, 30) + timedelta(days=n) for n in range(8)):
        one_, two = (consolidate(work, effects, when, Facts()) for when in (before, day))
        changed = {line.id for line in redline(one_, two).lines}
        assert not changed or day in starts
        begun = [e for e in effects if e.start(Facts()) == day]
        assert all(any(key == t or key.startswith(t + "__") for e in begun for t in e.touches()) for key in changed)


@settings(max_examples=30, deadline=None)
@given(amended())
def test_without_the_fact_every_text_is_the_text_before(case: tuple[Work, list[Effect]]) -> None:
    work, effects = case
    bound = [replace(effect, requires=effects_of(one("suspend", "art_1"))[0].commences) for effect in effects]
    assert consolidate(work, bound, LATE, Facts()).provisions == work.provisions
    assert consolidate(work, bound, LATE, FACTS).provisions == replay(work, live(work, bound, LATE, FACTS)).provisions


def test_the_base_holds_what_began_before_it() -> None:
    effects = effects_of(one("retitle", "art_9", "en: x", start=str(DAY)))
    assert consolidate(sample(), effects, LATE, FACTS).provisions == sample().provisions
