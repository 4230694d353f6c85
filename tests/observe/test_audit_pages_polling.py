"""Does the page of ballot polling draw, take in, answer and go on as the commands and the articles say?"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from hashlib import sha256
from itertools import repeat
from pathlib import Path

import pytest
from audited_ballots import FIELDS, SEED, begin, command, fill, state, truth
from compared_world import CONTEST
from reported_world import LATE, PAGES, Night

from dauys.errors import BadInput
from dauys.observe.audit import minerva
from dauys.observe.audit.assertions import Votes
from dauys.observe.audit.ballots import Ballot
from dauys.observe.audit.comparing import compared
from dauys.observe.audit.draws import ballots
from dauys.observe.known.model import MissionError
from dauys.observe.report.ballot_state import (
    asked,
    drawn_of,
    manifest_of,
    poll,
)
from dauys.observe.report.gather import gather


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def test_ballots_are_drawn_evenly_and_the_same_for_ever() -> None:
    piles = {"b": 10, "a": 30, "none": 0, "c": 60}
    drawn = ballots(piles, "seed", 3000, "ballot,*")
    first = int.from_bytes(sha256(b"seed,\ndraw,ballot,*,1").digest(), "big") * 100 >> 256
    order = [("a", n + 1) for n in range(30)] + [("b", n + 1) for n in range(10)] + [("c", n + 1) for n in range(60)]
    assert drawn[0] == order[first] and drawn[:9] == ballots(dict(reversed(piles.items())), "seed", 9, "ballot,*")
    counts = Counter(drawn)
    assert set(counts) == set(order) and max(counts.values()) < 60
    whole = ballots(piles, "seed", 100, "ballot,*", again=False)
    assert sorted(whole) == order and whole == list(dict.fromkeys(drawn))[:100]
    with pytest.raises(ValueError, match="more ballots"):
        ballots(piles, "seed", 101, "ballot,*", again=False)


def test_polling_by_minerva_from_the_seed_to_the_entry(night: Night) -> None:
    with pytest.raises(MissionError, match="commit"):
        night.act("/audit/polling", act="draw", risk="1/20", method="minerva")
    begin(night, "polling", method="minerva", chance="0.9")
    assert (
        night.sent[0][1]["name"] == "ballot polling"
        and night.sent[0][1]["commitment"] == sha256(SEED.encode()).hexdigest()
    )
    found = state(night)
    manifest = manifest_of(night.book, found)
    yes, cast = sum(one.yes for one in manifest.stations), sum(one.cast for one in manifest.stations)
    size = found.plan.contests[0].draws
    assert size == minerva.next_size(Fraction(yes, cast), Fraction(1, 20), 0.9)
    assert night.sent[1][1]["seed"] == SEED and night.sent[1][1]["plan"]["contests"][0]["draws"] == size
    for station in asked(found, manifest, 1):
        page = night.html("/audit/polling/count", f"of={CONTEST}&round=1&station={station}")
        assert "In the record" not in page
    fill(night, found)
    answer = night.model("/audit/polling")["answer"]
    (one,) = answer["contests"]
    told = command("polling", "--winner", yes, "--loser", cast - yes, "--round", f"{one['won']}:{size - one['won']}")
    assert {name: one[name] for name in told} == told
    expected = sum(
        truth(night, *place) == "yes" for rounds in drawn_of(found, manifest).values() for place in rounds[0]
    )
    assert one["won"] == expected and one["entered"] == size
    night.act("/audit/polling", act="record")
    name, body = night.sent[-1]
    assert name == f"observer-audit/echo/{CONTEST}/3" and body["result"]["outcome"] == answer["outcome"]
    assert night.model("/audit/polling")["shown"]["recorded"]
    with pytest.raises(MissionError, match="already"):
        begin(night, "polling", method="bravo")


def test_a_round_that_does_not_suffice_is_followed_by_another(night: Night) -> None:
    begin(night, "polling", method="bravo", chance="0.7")
    with pytest.raises(MissionError, match="entered"):
        night.act("/audit/polling", act="next")
    first = state(night)
    flips = iter(range(10**6))
    fill(night, first, lambda station, place: ("yes", "invalid", "yes", "not_counted")[next(flips) % 4])
    shown = night.model("/audit/polling")["shown"]
    one = night.model("/audit/polling")["answer"]["contests"][0]
    assert shown["outcome"] == "go-on" and shown["can_go_on"] and one["next"] == shown["more"] > 0
    assert "does not say that the outcome is wrong" in night.html("/audit/polling")
    night.act("/audit/polling", act="next")
    second = state(night)
    before, after = (drawn_of(one, manifest_of(night.book, one))["*"] for one in (first, second))
    assert after[0] == before[0] and len(after[1]) == one["next"]
    fill(night, second)
    (one,) = night.model("/audit/polling")["answer"]["contests"]
    reported = one["reported"]
    rounds = []
    for number in (1, 2):
        won = sum(event.body["tallies"]["*"]["yes"] for (of, _), event in state(night).seen.items() if of <= number)
        drawn = sum(len(part) for part in after[:number])
        rounds += ["--round", f"{won}:{drawn - won}"]
    loser = reported["ballots"] - reported["winner"]
    told = command(
        "polling", "--method", "bravo", "--chance", "0.7", "--winner", reported["winner"], "--loser", loser, *rounds
    )
    assert {name: one[name] for name in told} == told


def test_the_double_rule_takes_the_cheapest_territories(night: Night) -> None:
    begin(night, "polling", method="minerva", double="yes")
    found = state(night)
    regions = [one.region for one in found.plan.contests]
    assert regions[0] == "*" and len(regions) == 13
    stations = manifest_of(night.book, found).stations
    share = {
        name: Fraction(
            sum(s.yes for s in stations if s.region == name), sum(s.cast for s in stations if s.region == name)
        )
        for name in {s.region for s in stations}
    }
    assert sorted(regions[1:]) == sorted(sorted(share, key=lambda one: -share[one])[:12])
    fill(night, found)
    body = night.model("/audit/polling")["answer"]
    assert body["rule"] == {"regions": 17, "needed": 12}
    assert (body["outcome"] == "confirmed") == all(one["p_value"] <= 0.05 for one in body["contests"])
    for region, places in drawn_of(found, manifest_of(night.book, found)).items():
        assert region == "*" or all(night.official.stations[station].area == region for station, _ in places[0])


def test_a_manifest_that_was_sent_and_ballots_that_are_not_there(night: Night, tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    sizes = {name: one.values["participated"] for (_, name), one in night.official.protocols.items()}
    station = min(sizes)
    sizes[station] -= 40
    path.write_text("station,ballots\n" + "".join(f"{name},{size}\n" for name, size in sizes.items()))
    begin(night, "polling", {"table": path}, method="minerva")
    found = state(night)
    pile = next(one for one in manifest_of(night.book, found).stations if one.id == station)
    assert pile.cast == sizes[station] + 40 and found.last["apart"] == 1 and found.last["source"] == "file"
    fill(night, found, lambda station, place: "missing")
    (one,) = night.model("/audit/polling")["answer"]["contests"]
    assert one["won"] == 0 and one["p_value"] == 1.0 and not one["confirmed"]


@pytest.mark.parametrize("text", ["KZ99,1\n", "", "{0},1\n{0},1\n", "{0},1\n", "{0},x\n"])
def test_a_manifest_that_does_not_fit_is_refused(night: Night, tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text("station,ballots\n" + text.format(min(night.official.stations)))
    with pytest.raises(BadInput):
        begin(night, "polling", {"table": path}, method="minerva")
    assert not state(night).rounds


def test_tallies_that_do_not_add_up_and_second_thoughts(night: Night) -> None:
    begin(night, "polling", method="minerva")
    found = state(night)
    station, parts = next(iter(asked(found, manifest_of(night.book, found), 1).items()))
    given = {f"n-0-{name}": "0" for name in (*FIELDS, "missing")}
    with pytest.raises(BadInput, match="add up"):
        night.act("/audit/polling/count", round="1", station=station, **given)
    with pytest.raises(BadInput, match="whole number"):
        night.act("/audit/polling/count", round="1", station=station, **given | {"n-0-yes": str(1 + len(parts["*"]))})
    good = given | {"n-0-yes": str(len(parts["*"]))}
    night.act("/audit/polling/count", round="1", station=station, **good)
    with pytest.raises(BadInput, match="reason"):
        night.act("/audit/polling/count", round="1", station=station, **good)
    night.act("/audit/polling/count", round="1", station=station, reason="a slip", **good)
    for wrong in ({"round": "2"}, {"round": "x"}, {"station": "KZ"}):
        with pytest.raises(BadInput):
            night.act("/audit/polling/count", **{"round": "1", "station": station} | wrong)


def test_a_round_from_a_table(night: Night, tmp_path: Path) -> None:
    begin(night, "polling", method="minerva", double="yes")
    found = state(night)
    wanted = asked(found, manifest_of(night.book, found), 1)
    rows = [
        (station, str(place), truth(night, station, place), region)
        for station, parts in wanted.items()
        for region, places in parts.items()
        for place in places
    ]
    random.Random(1).shuffle(rows)
    path = tmp_path / "round.csv"

    def send(given: Sequence[tuple[str, ...]]) -> None:
        path.write_text("station,ballot,vote,region\n" + "".join(",".join(row) + "\n" for row in given))
        PAGES["/audit/polling"].act(
            night.visit("/audit/polling", {"of": CONTEST, "act": "table"}, files={"table": path})
        )

    for bad in (rows[1:], [*rows, rows[0]], [("KZ", "1", "yes", "*")], [(*rows[0][:2], "maybe", "*"), *rows[1:]]):
        with pytest.raises(BadInput):
            send(bad)
    assert not state(night).seen
    send(rows)
    body = night.model("/audit/polling")["answer"]
    assert len(body["entered"]) == len(wanted) and not any(one["outstanding"] for one in body["contests"])
    one = body["contests"][0]
    assert one["won"] == sum(vote == "yes" and region == "*" for _, _, vote, region in rows)
    with pytest.raises(BadInput, match="is entered"):
        send(rows)


def test_sizes_are_those_of_others() -> None:
    """R2B2 (Minerva), Arlo (BRAVO), rlacalc (super-simple): as the pages ask for them."""
    tenth, votes = Fraction(1, 10), Votes(60_000, 40_000, 100_000)
    assert poll("minerva", votes, (), tenth, 0.9).next == 179
    assert poll("bravo", votes, (), tenth, 0.9).next == 351 and poll("bravo", votes, (), tenth, 0.7).next == 184
    for winner, size in ((60_000, 24), (55_000, 48), (52_500, 96), (50_100, 2393)):
        ahead = repeat(Ballot(True, Fraction(1)))
        assert compared("super-simple", [], winner, 100_000, Fraction(1, 2), tenth, ahead).next == size


def test_the_report_says_what_the_ballots_said(night: Night) -> None:
    begin(night, "polling", method="bravo")
    fill(night, state(night))
    body = gather(night.office, LATE)
    polled, untouched = body["contests"][0]["ballots"]
    assert polled == json.loads(json.dumps(night.model("/audit/polling")["answer"])) and untouched["rounds"] == []
    assert "limit_no_audit" not in {one["name"] for one in body["limits"]}
    page = night.html("/report")
    events = {one["event"] for one in (*polled["rounds"], *polled["entered"])}
    assert "BRAVO" in page and "The paper was not audited." not in page
    assert all(f"/report/event?n={n}" in page for n in events)
