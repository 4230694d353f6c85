"""Is every sampled station told apart rightly, and what follows from the differences? A small record with planted ones."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest
from compared_world import CLOSES, CONTEST, World, law, protocol

from dauys.errors import BadInput
from dauys.observe.accreditation.entries import observer_shape
from dauys.observe.compare.answer import Answer, answer_of
from dauys.observe.compare.effect import _needed, _others, count, effect
from dauys.observe.compare.entries import next_number, observation, observations, same
from dauys.observe.compare.national import Measure, expected_margin, implausible, measures_of, national
from dauys.observe.compare.standing import STANDINGS, Copy, compare
from dauys.observe.known.model import Mission
from dauys.observe.known.official import Official, official_frame
from dauys.observe.night.snapshots import drawn_of_draw
from dauys.observe.sample.draw import Plan, draw
from dauys.observe.sample.drawn import as_body
from dauys.observe.sample.frame import Columns, read_frame
from dauys.polls.result import Held, Sheet, contest_standing
from dauys.record.entry import Entry
from dauys.registers.poll import Station

DRAWN = (
    "KZ11-0000",
    "KZ11-0001",
    "KZ11-0002",
    "KZ15-0000",
    "KZ15-0001",
    "KZ15-0002",
    "KZ19-0000",
    "KZ19-0001",
    "KZ19-0002",
)


@pytest.fixture(scope="module")
def world() -> World:
    """One station of each standing."""
    world = World().count("KZ11-0002", checks={"KZ15-0000": ("F.103",)})
    world.correct("KZ11-0001", yes=protocol(world.stations["KZ11-0001"])["yes"] + 7)
    world.annul(station="KZ15-0001")
    return world


@pytest.fixture(scope="module")
def official(world: World) -> Official:
    return world.official()


def test_each_standing(world: World, official: Official) -> None:
    values = {name: protocol(world.stations[name]) for name in DRAWN}
    yes = values["KZ11-0000"]["yes"]
    copies = {(CONTEST, name): Copy(values[name]) for name in DRAWN if name not in ("KZ15-0002",)}
    copies[CONTEST, "KZ11-0000"] = Copy(
        values["KZ11-0000"] | {"yes": yes - 5, "no": values["KZ11-0000"]["no"] + 5}, ("ab" * 32,)
    )
    copies[CONTEST, "KZ19-0000"] = Copy(values["KZ19-0000"], others=(values["KZ19-0001"],), disputed=True)
    copies[CONTEST, "KZ19-0001"] = Copy({"yes": 1}, verified=False)
    copies[CONTEST, "KZ19-0002"] = Copy({"yes": values["KZ19-0002"]["yes"]})
    made = compare(copies, official, DRAWN)
    assert {one.station: one.standing for one in made.stations} == {
        "KZ11-0000": "differ", "KZ11-0001": "corrected", "KZ11-0002": "not-published", "KZ15-0000": "quarantined",
        "KZ15-0001": "annulled", "KZ15-0002": "no-copy", "KZ19-0000": "disputed", "KZ19-0001": "unverified", "KZ19-0002": "agree",
    }  # fmt: skip
    assert made.stations[0].station == "KZ11-0000" and sum(made.counts.values()) == len(DRAWN)
    assert set(made.counts) == set(STANDINGS)
    differ, corrected = made.stations[0], made.stations[1]
    assert [(d.field, d.copy, d.published) for d in differ.differences] == [
        ("yes", yes - 5, yes), ("no", values["KZ11-0000"]["no"] + 5, values["KZ11-0000"]["no"]),
    ]  # fmt: skip
    assert corrected.corrected is not None and corrected.corrected.reason == "a slip of the pen"
    assert corrected.differences[0].published == corrected.differences[0].copy + 7
    assert made.compared == 4 and [one.station for one in made.differing] == ["KZ11-0000", "KZ11-0001"]
    assert set(made.usable) == {"KZ11-0000", "KZ11-0001", "KZ11-0002", "KZ15-0000", "KZ19-0002"}
    agree = made.stations[-1]
    assert "no" in agree.unread and "yes" not in agree.unread


def test_only_what_counts_is_counted_otherwise(world: World, official: Official) -> None:
    """Of a station in quarantine, or annulled, neither number is in a sum."""
    names = ("KZ11-0000", "KZ11-0001", "KZ15-0000", "KZ15-0001", "KZ15-0002")
    copies = {}
    for name in names:
        values = protocol(world.stations[name])
        copies[CONTEST, name] = Copy(values | {"yes": values["yes"] - 9, "no": values["no"] + 9})
    found = answer_of(copies, official, None, CLOSES, sampled=names)
    assert {one.station: one.standing for one in found.comparison.stations}["KZ15-0000"] == "quarantined"
    assert found.effect is not None and found.effect.replaced == ("KZ11-0000", "KZ11-0001", "KZ15-0002")
    assert found.effect.moved() == {"yes": -9 - 9 - 7 - 9, "no": 27}  # the correction had added 7 to yes


def test_what_is_no_copy_of_the_sample_is_refused(official: Official) -> None:
    def refused(copies: dict[tuple[str, str], Copy], drawn: tuple[str, ...] = DRAWN) -> str | None:
        with pytest.raises(BadInput) as fault:
            compare(copies, official, drawn)
        return fault.value.check

    assert refused({(CONTEST, "KZ23-0000"): Copy({"yes": 1})}) == "O.150"
    assert refused({}, ("NOWHERE",)) == "O.151"
    assert refused({(CONTEST, "KZ11-0000"): Copy({"maybe": 1})}) == "O.152"
    assert refused({(CONTEST, "KZ11-0000"): Copy({"yes": -1})}) == "O.153"
    assert refused({(CONTEST, "KZ11-0000"): Copy({"yes": 1}, others=({"yes": 10**12},), disputed=True)}) == "O.153"


def standing_of(world: World, official: Official) -> object:
    """The way that the site and the verifier count."""
    held = {name: Held(one.index, one.values, one.checks) for (_, name), one in official.protocols.items()}
    sheet = Sheet.of(law(), law().contests[0], list(official.stations.values()), held, official.annulled)
    return contest_standing(sheet)


def test_the_count_without_copies_is_that_of_the_site(world: World, official: Official) -> None:
    found, expected = count(official, law().contests[0], {}), standing_of(world, official)
    assert dict(found.totals).items() <= dict(expected.totals).items()  # type: ignore[attr-defined]
    assert found.decision == expected.decision  # type: ignore[attr-defined]
    other = World()
    other.count()
    other.annul(area="KZ71", repeat=True)
    again = other.official()
    assert count(again, law().contests[0], {}).decision == standing_of(other, again).decision  # type: ignore[attr-defined]


def worst(official: Official, station: Station) -> dict[str, int]:
    """A protocol that is against "yes" with every ballot that the law lets the station have."""
    cap = official.poll.ballot_limit.cap(station.eligible)
    return {"eligible": max(station.eligible, cap), "participated": cap, "yes": 0}


def test_as_many_wrong_stations_turn_the_outcome_and_no_fewer() -> None:
    world = World()
    world.count()
    official = world.official()
    contest = law().contests[0]
    found = effect(official, contest, {}, (), 10)
    assert found.published.decision.outcome == "adopted" and not found.changed
    turns = {turn.test: turn.stations for turn in found.turns}
    # the nation: stations by what each can take from "2 yes - participated", largest first
    lead = {
        name: 2 * one.values["yes"]
        - one.values["participated"]
        + official.poll.ballot_limit.cap(official.stations[name].eligible)
        for (_, name), one in official.protocols.items()
    }
    ordered = sorted(lead, key=lambda name: -lead[name])
    others = _others(official, contest, frozenset())
    yes_test = next(test for test in contest.rule.tests if test.name == "yes")
    held = [name for _, name in official.protocols]
    moves = dict(zip(sorted(held, key=list(official.stations).index), others.moves(yes_test, down=True), strict=True))
    assert moves == lead
    k = turns["yes"]
    assert k is not None
    for n, met in ((k, False), (k - 1, True)):
        instead = {name: worst(official, official.stations[name]) for name in ordered[:n]}
        tests = {test.name: test.met for test in count(official, contest, instead).decision.tests}
        assert tests["yes"] is met
    # territories: six of seventeen must turn; in each the fewest stations, by trying
    few = []
    for area in law().areas:
        names = sorted(
            (name for name in lead if official.stations[name].area == area.code), key=lambda name: -lead[name]
        )
        for n in range(1, len(names) + 1):
            instead = {name: worst(official, official.stations[name]) for name in names[:n]}
            areas = count(official, contest, instead).decision.tests
            if not next(row.met for test in areas for row in test.areas if row.area == area.code):
                few.append(n)
                break
    assert turns["territories"] == list(accumulate(sorted(few)))[5]
    assert found.least == min(value for value in turns.values() if value is not None)
    assert found.can_change is (found.least <= 10)
    assert replace(found, unseen=None).can_change is None
    assert replace(found, unseen=found.least - 1).can_change is False and replace(found, unseen=found.least).can_change


def test_only_areas_that_hold_can_be_lost() -> None:
    world = World()
    world.count()
    official = world.official()
    contest = law().contests[0]
    gone = ("KZ11", "KZ15", "KZ19")
    swapped = {
        name: {"yes": one.values["no"], "no": one.values["yes"]}
        for (_, name), one in official.protocols.items()
        if official.stations[name].area in gone
        and not name.endswith("5")  # one of each is left, and could do nothing more
    }
    found = effect(official, contest, swapped, (), 0)
    assert found.copies.decision.outcome == "adopted"  # 14 of 17 still say yes, and three more would have to turn
    (turn,) = [turn for turn in found.turns if turn.test == "territories"]
    before = {turn.test: turn.stations for turn in effect(official, contest, {}, list(swapped), 0).turns}
    few = []
    for area in law().areas:
        if area.code not in gone:
            one = {
                name: held.values
                for (_, name), held in official.protocols.items()
                if official.stations[name].area == area.code
            }
            lead = sorted(
                (
                    2 * v["yes"] - v["participated"] + official.poll.ballot_limit.cap(official.stations[n].eligible)
                    for n, v in one.items()
                ),
                reverse=True,
            )
            margin = sum(2 * v["yes"] - v["participated"] for v in one.values())
            few.append(next(n for n, total in enumerate(accumulate(lead), 1) if total >= margin))
    assert turn.stations == sum(sorted(few)[:3]) and before["territories"] == sum(sorted(few)[:6])


def test_the_boundary_itself() -> None:
    """More than a half fails at exactly a half; at least a half fails one below it."""
    assert _needed(10, True, True, [5, 5]) == 2 and _needed(10, False, True, [5, 5]) is None
    assert _needed(10, False, True, [1, 5, 5]) == 3
    assert _needed(-10, True, False, [5, 1, 5]) == 3 and _needed(-10, False, False, [5, 5]) == 2


def test_a_lost_vote_needs_every_failed_test_turned() -> None:
    world = World()
    world.count()
    official = world.official()
    no = {name: {"yes": one.values["no"], "no": one.values["yes"]} for (_, name), one in official.protocols.items()}
    lost = effect(official, law().contests[0], no, (), 3)
    assert lost.changed and lost.copies.decision.outcome == "rejected"
    assert lost.published.decision.outcome == "adopted" and len(lost.replaced) == 102
    assert [turn.met for turn in lost.turns] == [True, False] and lost.least is None  # nobody is left who could
    assert lost.moved()["yes"] == -lost.moved()["no"] < 0


def test_the_range_is_that_of_the_worst_stations() -> None:
    world = World()
    world.count()
    official = world.official()
    found = effect(official, law().contests[0], {}, (), 1)
    (yes,) = [one for one in found.ranges if one.test == "yes"]
    totals = found.published.totals
    ends = []
    for (_, name), one in official.protocols.items():
        end = worst(official, official.stations[name])
        top, whole = (
            totals["yes"] - one.values["yes"],
            totals["participated"] - one.values["participated"] + end["participated"],
        )
        ends.append((2 * top - whole, Fraction(top, whole)))
    assert yes.least == min(ends)[1] and yes.now == Fraction(totals["yes"], totals["participated"])
    assert yes.greatest is not None and yes.greatest > yes.now > yes.least


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Official, dict[str, object]]:
    world = World(12)
    world.count()
    drawn = world.drawn(tmp_path_factory.mktemp("frame"), 51)
    return world, world.official(), drawn


def answered(world: World, official: Official, drawn: dict[str, object], shift: int = 0, leave: int = 0) -> Answer:
    names = list(drawn["stations"])[leave:]  # type: ignore[call-overload]
    values = {name: protocol(world.stations[name]) for name in names}
    for one in values.values():
        one["yes"], one["no"] = (
            one["yes"] - shift * one["participated"] // 100,
            one["no"] + shift * one["participated"] // 100,
        )
    return answer_of({(CONTEST, name): Copy(one) for name, one in values.items()}, official, drawn, CLOSES)


def test_the_nation_agrees_with_honest_copies(honest: tuple[World, Official, dict[str, object]]) -> None:
    found = answered(*honest)
    yes, held = found.national
    assert (yes.measure.name, held.measure.name) == ("yes", "held")
    world, official, drawn = honest
    strata = drawn["strata"]
    # the combined ratio by hand: 17 strata of 12 stations, 3 drawn in each, so every weight is 4
    values = [protocol(world.stations[name]) for one in strata for name in one["ids"]]  # type: ignore[attr-defined]
    by_hand = sum(one["yes"] for one in values) / sum(one["participated"] for one in values)
    assert yes.said.found.estimate == pytest.approx(by_hand, abs=1e-12) and yes.said.found.df == 51 - 17
    assert yes.allowed == pytest.approx(yes.t * yes.said.found.se) and yes.agrees is True
    total = [one.values for one in official.protocols.values()]
    assert yes.official == Fraction(sum(one["yes"] for one in total), sum(one["participated"] for one in total))
    assert found.agrees and found.to_json()["agrees"] and found.unseen is not None and found.unseen.differing == 0
    assert yes.to_json()["facts"]["received"] == 51 and not yes.implausible


def test_copies_that_say_less_yes_fall_outside(honest: tuple[World, Official, dict[str, object]]) -> None:
    found = answered(*honest, shift=6)
    assert found.national[0].agrees is False and found.national[1].agrees is True and not found.agrees
    assert found.comparison.counts["differ"] == 51
    assert found.unseen is not None and found.unseen.at_most >= 51 and found.effect is not None
    assert found.effect.moved()["yes"] < 0 and any("OUTSIDE" in text for text in found.to_json()["words"])


def test_missing_copies_are_named_and_counted(honest: tuple[World, Official, dict[str, object]]) -> None:
    found = answered(*honest, leave=20)
    body = found.to_json()
    assert body["stations"]["no-copy"] == 20 == len(body["without_copy"])
    assert body["national"][0]["facts"]["received"] == 31
    assert body["unseen"]["if_missing_differ"] > body["unseen"]["at_most"]


def test_an_annulled_station_came_and_counts_as_nothing(tmp_path: Path) -> None:
    world = World(12).count()
    drawn = world.drawn(tmp_path, 51)
    world.annul(station=drawn["stations"][4])
    found = answered(world, world.official(), drawn)
    yes = found.national[0]
    values = [protocol(world.stations[name]) for name in drawn["stations"] if name != drawn["stations"][4]]
    by_hand = sum(one["yes"] for one in values) / sum(one["participated"] for one in values)
    assert yes.said.partial is None and yes.said.facts["received"] == 51
    assert yes.said.found.estimate == pytest.approx(by_hand, abs=1e-12)
    total = [protocol(one) for name, one in world.stations.items() if name != drawn["stations"][4]]
    assert yes.official == Fraction(sum(one["yes"] for one in total), sum(one["participated"] for one in total))


def test_a_margin_that_stations_cannot_give_is_flagged(honest: tuple[World, Official, dict[str, object]]) -> None:
    _, official, drawn = honest
    counted = [one.values for one in official.protocols.values()]
    yes = measures_of(law().contests[0], "yes")[0]
    expected = expected_margin(yes, counted, 51)
    assert expected is not None and expected > 0.001
    # by hand: S of (y - R x)/x_bar over all 204 stations, Cochran's margin for 51 of them
    ratio = sum(one["yes"] for one in counted) / sum(one["participated"] for one in counted)
    mean = sum(one["participated"] for one in counted) / 204
    spread = sum(((one["yes"] - ratio * one["participated"]) / mean) ** 2 for one in counted) / 203
    assert expected == pytest.approx(1.959963984540054 * (spread * (1 - 51 / 204) / 51) ** 0.5, rel=1e-12)
    assert "few hundredths" in implausible(0.0003, 51, 204, expected)
    assert "simple sample of 51" in implausible(expected / 4, 51, 204, expected)
    assert not implausible(expected / 2, 51, 204, expected) and not implausible(0.0, 204, 204, None)
    # copies that all say the same share: a spread that no vote has
    flat = {name: {"participated": 1000, "yes": 771} for name in drawn["stations"]}  # type: ignore[attr-defined]
    same_everywhere = national(yes, drawn_of_draw(drawn), flat, counted, CLOSES)
    assert same_everywhere is not None and "few hundredths" in same_everywhere.implausible


def test_of_a_draw_by_size_no_bound_is_made(honest: tuple[World, Official, dict[str, object]], tmp_path: Path) -> None:
    world, official, _ = honest
    path = tmp_path / "frame.csv"
    path.write_bytes(official_frame(official)[0])
    columns = Columns(("id",), (), "eligible")
    drawn = as_body(draw(read_frame(path, columns), Plan(40, "simple", pps=True), "dice"), columns)
    found = answered(world, official, drawn)
    assert found.unseen is None and "by size" in found.no_bound and found.national[0].expected is None
    assert found.effect is not None and found.effect.can_change is None and found.effect.ranges == ()
    assert found.national[0].agrees is True and "hartley-rao" in found.national[0].said.found.method


def test_an_option_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="no such option"):
        measures_of(law().contests[0], "maybe")
    assert isinstance(measures_of(law().contests[0])[0], Measure)


def test_an_observation_says_what_anyone_can_check_and_the_answer_is_read_back(world: World) -> None:
    official = world.official()
    values = protocol(world.stations["KZ11-0000"])
    copies = {(CONTEST, "KZ11-0000"): Copy(values | {"yes": values["yes"] - 5}, ("cd" * 32, "ab" * 32, "ab" * 32))}
    (one,) = compare(copies, official, ["KZ11-0000"]).stations
    name, body = observation("echo", CONTEST, one, 1, "seen by two")
    assert name == f"observation/echo/{CONTEST}/KZ11-0000/1"
    assert body == {
        "organisation": "echo", "contest": CONTEST, "station": "KZ11-0000", "of": world.held["KZ11-0000"],
        "fields": {"yes": {"copy": values["yes"] - 5, "published": values["yes"]}}, "photos": ["ab" * 32, "cd" * 32],
        "note": "seen by two",
    }  # fmt: skip
    (late,) = compare({(CONTEST, "KZ11-0002"): Copy({"yes": 4})}, official, ["KZ11-0002"]).stations
    _, early = observation("echo", CONTEST, late, 1)
    assert early["of"] is None and early["fields"] == {"yes": {"copy": 4, "published": None}}
    for n, (about, said) in enumerate([(one, body), (late, early)], 1):  # it is what the record takes (V.15)
        entry = Entry(
            law().id,
            "observation",
            f"observation/echo/{CONTEST}/{about.station}/1",
            CLOSES.isoformat(),
            "organisation/echo",
            said,
        )
        assert observer_shape(entry.kind, entry.body, law(), entry.id) == entry.id, n
    later = World()
    later.entries = list(world.entries)
    index = later.say("observation", name, body, 1000)
    answer = {"of": index, "answer": "stands", "because": None, "reason": "recounted"}
    later.say("observation-answer", f"observation-answer/{index}/1", answer, 1100)
    found = later.official(official)
    (said,) = observations(found, "echo", CONTEST)["KZ11-0000"]
    assert (said.index, said.answer, said.reason) == (index, "stands", "recounted") and same(said.body, body)
    assert observations(found, "chorus", CONTEST) == {} and len(observations(found, "", CONTEST)) == 1
    assert next_number(Mission(), found, "echo", CONTEST, "KZ11-0000") == 2
    assert next_number(Mission(), found, "echo", CONTEST, "KZ11-0001") == 1
