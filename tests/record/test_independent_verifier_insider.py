"""Does the second verifier find what the holder of all keys does: all is signed, and does not agree with itself?"""

from __future__ import annotations

import runpy
from collections import Counter
from copy import deepcopy
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_bundle import RULE, STATION, VERIFIER, declared, failed, publish, signed, the_poll

from dauys.count.areas import AreaCount, Outstanding
from dauys.count.decision import decide
from dauys.law.decision_rule import DecisionRule

BUNDLE = runpy.run_path(str(VERIFIER))["Bundle"]


def rebuilt(tmp_path, change):
    """The failed checks of a bundle whose entries or declaration were changed before all was signed."""
    entries = the_poll()
    declaration = deepcopy(declared(entries))
    changed = change(entries, declaration["contests"][0])
    return failed(publish(tmp_path, entries, declared(entries) if changed == "count again" else declaration))


def edit(entries, index, change, **signer):
    old = entries[index]
    body = deepcopy(dict(old.body))
    change(body)
    signer = signer or ({"by": old.by, "key": STATION} if old.kind == "protocol" else {})
    entries[index] = signed(old.kind, old.id, body, old.checks, **signer)


def test_a_declared_sum_that_is_wrong(tmp_path):
    assert rebuilt(tmp_path, lambda _, part: part["totals"].update(yes=256)) == ["V.10"]


def test_territories_swapped_in_the_declaration(tmp_path):
    def change(_, part):
        part["areas"][0]["code"], part["areas"][1]["code"] = "B", "A"

    assert rebuilt(tmp_path, change) == ["V.10"]


def test_territories_swapped_in_the_list(tmp_path):
    def change(entries, _):
        edit(entries, 1, lambda body: body["stations"][0].update(area="B"))

    assert rebuilt(tmp_path, change)[0] == "V.10"


def test_a_station_hidden_from_the_sums(tmp_path):
    def change(entries, _):
        entries.pop(3)
        edit(entries, 9, lambda body: body.update({"of": 7}))

    assert rebuilt(tmp_path, change)[0] == "V.07"


def test_a_station_left_out_and_named_missing(tmp_path):
    def change(entries, _):
        entries.pop(9)  # s7: with 40 voters it can change nothing, 245 of 440 say yes elsewhere
        edit(entries, 2, lambda body: body["stations"][2].update(eligible=40))
        edit(entries, 9, lambda body: body.update({"of": 8}))
        return "count again"

    assert rebuilt(tmp_path, change) == []


def test_what_is_missing_may_decide(tmp_path):
    """Without s4 (100 voters in B) the sums are open: the declaration must say so, and what is decided all the same."""

    def declare(entries, mets, outcome):
        entries.pop(6)
        edit(entries, 9, lambda body: body.update({"of": 7}))
        declaration = declared(entries)
        tests = declaration["contests"][0]["decision"]["tests"]
        # held: 400 of 550, at least 400 of 650; yes: 195 of 400, could be 295 of 500; areas: A is won, B open, C lost
        for test, value, needed, met in zip(tests, (400, 195, 1), (276, 201, 2), mets, strict=True):
            test.update(value=value, needed=needed, met=met)
        declaration["contests"][0]["decision"]["outcome"] = outcome
        return declaration

    def failures(name, mets, outcome):
        entries = the_poll()
        (tmp_path / name).mkdir()
        return failed(publish(tmp_path / name, entries, declare(entries, mets, outcome)))

    assert failures("right", (True, None, None), "undetermined") == []
    assert failures("too early", (True, None, None), "rejected") == ["V.11"]
    assert failures("too sure", (True, False, None), "rejected") == ["V.11"]
    assert failures("too careful", (None, None, None), "undetermined") == ["V.11"]


SHARES = st.fixed_dictionaries({"value": st.just("yes"), "of": st.sampled_from(["participated", "eligible"])}).flatmap(
    lambda share: st.tuples(st.sampled_from(["more_than", "at_least"]), st.sampled_from(["1/2", "2/3", "1/4"])).map(
        lambda bound: {**share, bound[0]: bound[1]}
    )
)
AREAS = st.lists(
    st.tuples(
        st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 4), st.sampled_from(["1", "1/2"])
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=80, deadline=None)
@given(AREAS, SHARES, SHARES, st.sampled_from(["2/3", "1/2"]), st.booleans())
def test_it_decides_as_the_package_does(areas, national, local, of_areas, strict):
    rule = deepcopy(RULE)
    rule["tests"][1].update(share=national)
    rule["tests"][2]["areas"] = {"where": local, "more_than" if strict else "at_least": of_areas}
    if "at_least" in national:
        del rule["tests"][1]["tie"]
    counts, sums, known = {}, {}, {}
    for number, (yes, no, absent, waiting, weight) in enumerate(areas):
        found = {"eligible": yes + no + absent, "participated": yes + no, "yes": yes}
        code = f"area {number}"
        counts[code] = AreaCount(found, Fraction(weight), "counted", Outstanding.of(waiting, waiting + waiting // 2))
        sums[code] = Counter(found)
        sums[code].update({"+eligible": waiting, "+listed": waiting, "+added": waiting // 2})
        known[code] = {"weight": weight}
    decision = decide(DecisionRule.from_json(rule), counts, date(2022, 6, 5))
    verifier = BUNDLE(".")
    verifier.poll, verifier.areas = {"day": "2022-06-05"}, known
    verifier.declared = [("final, q", {"decision": decision.to_json()}, {"rule": rule}, {}, sums)]
    assert [problem for fine, problem in verifier.decision() if not fine] == []


def test_a_station_outside_the_list(tmp_path):
    def change(entries, _):
        edit(entries, 2, lambda body: body["stations"].pop())
        return "count again"

    assert rebuilt(tmp_path, change)[0] == "V.06"  # the station has no key now
    assert "V.07" in failed(tmp_path)


def test_an_error_that_is_not_marked(tmp_path):
    def change(entries, _):
        edit(entries, 3, lambda body: body["values"].update(no=29))
        return "count again"

    assert rebuilt(tmp_path, change) == ["V.08"]


def test_an_error_that_is_no_error(tmp_path):
    def change(entries, _):
        old = entries[3]
        entries[3] = signed("protocol", old.id, old.body, ["F.102"], by="s1", key=STATION)

    assert rebuilt(tmp_path, change)[:2] == ["V.07", "V.08"]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update({"of": 7}),
        lambda body: body["before"].update(no=23),
        lambda body: body.update(reason=" "),
    ],
)
def test_a_correction_of_something_else(tmp_path, change):
    assert rebuilt(tmp_path, lambda entries, _: edit(entries, 10, change)) == ["V.09"]


def test_a_protocol_after_closing(tmp_path):
    def change(entries, _):
        entries.append(entries.pop(9))
        edit(entries, 9, lambda body: body.update({"of": 8}))
        return "count again"

    assert rebuilt(tmp_path, change) == ["V.05"]


def test_an_entry_twice(tmp_path):
    def change(entries, _):
        entries.insert(10, entries[9])
        return "count again"

    assert rebuilt(tmp_path, change) == ["V.05"]


def test_a_correction_by_a_station(tmp_path):
    def change(entries, _):
        edit(entries, 10, lambda body: None, by="s6", key=STATION)

    assert rebuilt(tmp_path, change) == ["V.06"]


def test_a_protocol_of_one_station_signed_by_another(tmp_path):
    def change(entries, _):
        edit(entries, 3, lambda body: None, by="s2", key=STATION)

    assert rebuilt(tmp_path, change) == ["V.06"]


@pytest.mark.parametrize(
    ("member", "wrong"), [("value", 251), ("needed", 235), ("met", False), ("met", None), ("cite", "art. 1")]
)
def test_a_test_that_does_not_follow(tmp_path, member, wrong):
    def change(_, part):
        part["decision"]["tests"][1][member] = wrong

    assert rebuilt(tmp_path, change) == ["V.11"]


def test_an_outcome_that_does_not_follow(tmp_path):
    assert rebuilt(tmp_path, lambda _, part: part["decision"].update(outcome="rejected")) == ["V.11"]


def test_sums_that_cover_other_stations(tmp_path):
    assert rebuilt(tmp_path, lambda _, part: part.update(covers="0" * 64)) == ["V.10"]
