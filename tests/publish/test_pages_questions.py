"""Do the pages stay true where there are several questions, other rules and other forms, and no checkpoint yet?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sample_poll import Sample, protocol, reader, referendum, two_questions

from dauys.law.decision_rule import Share, Test, Threshold
from dauys.law.relation import Linear
from dauys.polls.keys import new_keys
from dauys.polls.opening import open_poll
from dauys.polls.result import Held, Sheet, contest_standing
from dauys.publish import source as sources
from dauys.publish.source import DatabaseSource
from dauys.record import log
from dauys.record.entry import Entry
from dauys.registers.poll import Poll
from dauys.stations.batch import one
from dauys.stations.intake import receive
from dauys.web.app import create_app
from site_client import SiteClient

AT = "2022-06-07T10:00:00+06:00"


def asking(poll: Poll, value: str, of: str, share: Fraction = Fraction(1)) -> Poll:
    """The poll with one question, decided by one comparison."""
    contest = poll.contests[0]
    asked = Share(Linear.parse(value), Linear.parse(of), Threshold(share, True))
    test: Test = replace(contest.rule.tests[0], kind="compare", share=asked)
    rule = replace(
        contest.rule, tests=(test,), roles={name: contest.form.field(name).role for name in contest.form.required}
    )
    return replace(poll, contests=(replace(contest, rule=rule),))


def shown(sample: Sample, part: str = "") -> tuple[str, Any]:
    with reader(sample) as client:
        address = f"/en/polls/{sample.poll_.id}/{part}"
        return unescape(client.get(address).text), client.get(f"{address.rstrip('/')}.json").json()


def test_one_answer_against_others_is_shown_as_its_part_of_those_who_took_part() -> None:
    sample = Sample(asking(referendum(), "yes", "no + invalid"), per_area=1)
    page, twin = shown(sample)
    (contest,) = twin["contests"]
    assert contest["line"] is None and "The line marks" not in page and "above 100.00%" not in page
    assert "“Yes” of those who took part, in percent; blue above 50%, orange below." in page
    for area in contest["areas"]:
        assert area["focus_share"] == area["shares"]["yes"]
        assert area["step"] == sum(Fraction(area["shares"]["yes"]) >= edge for edge in (30, 40, 50, 60, 70, 80))
    _, law = shown(Sample(referendum(), per_area=1))
    assert law["contests"][0]["line"] == "50.00"


def test_the_map_shows_the_part_by_which_the_law_decides() -> None:
    for share, line in ((Fraction(1, 2), None), (Fraction(2, 3), "66.66%")):
        page, twin = shown(Sample(asking(referendum(), "yes", "yes + no", share), per_area=1))
        assert "“Yes” of “Yes + No”, in percent; blue above 50%, orange below." in page
        assert ("The law draws the line at" in page) is (line is not None)
        for area in twin["contests"][0]["areas"]:
            yes, no = area["totals"]["yes"], area["totals"]["no"]
            assert area["step"] == sum(100 * yes >= edge * (yes + no) for edge in (30, 40, 50, 60, 70, 80))
            assert area["focus_share"] != area["shares"]["yes"]


@pytest.mark.parametrize("asks", [True, False])
def test_the_law_decides_by_turnout_only_where_it_asks_for_it(asks: bool) -> None:
    poll = asking(referendum(), "yes", "yes + no", Fraction(1, 2))
    contest = poll.contests[0]
    roles = {name: role for name, role in contest.rule.roles.items() if asks or role != "register"}
    poll = replace(poll, contests=(replace(contest, rule=replace(contest.rule, roles=roles)),))
    assert ("The law decides by this number." in shown(Sample(poll, per_area=1), "turnout")[0]) is asks


@pytest.mark.parametrize(("value", "of", "line"), [("yes", "participated", "50.00"), ("2 * yes", "participated", None),
                                                    ("yes", "yes + no", None), ("yes + 3", "participated", None)])  # fmt: skip
def test_bars_have_a_line_only_where_the_test_asks_for_a_part_of_the_whole_bar(
    value: str, of: str, line: str | None
) -> None:
    page, twin = shown(Sample(asking(referendum(), value, of, Fraction(1, 2)), per_area=1))
    assert twin["contests"][0]["line"] == line
    assert ("of those who took part</li>" in page) is (line is not None)


def test_a_form_without_classes_is_not_said_to_have_any() -> None:
    poll = referendum()
    contest = poll.contests[0]
    fields = tuple(f for f in contest.form.fields if f.role != "class")
    plain = replace(poll, contests=(replace(contest, form=replace(contest.form, fields=fields, identities=())),))
    sample = Sample(plain, per_area=1)
    mine = sample.held["q1"]
    for station, held in mine.items():
        values = {name: value for name, value in held.values.items() if name not in ("invalid", "not_counted")}
        mine[station] = replace(held, values=values)
    for part in ("", "areas", "stations/KZ11-0000"):
        page, _ = shown(sample, part)
        assert "Percentages are of" in page and "ballots not counted." not in page, part
        assert "with invalid ballots and ballots not counted." in shown(Sample(poll, per_area=1), part)[0]


class Waiting(Sample):
    """Two questions; of the second nothing waits. One protocol was confirmed as it is, one result annulled."""

    def corrections(self, poll_id: str) -> Sequence[tuple[int, Entry]]:
        values: Mapping[str, int] = self.held["q2"]["KZ11-0000"].values
        confirmed = {"contest": "q2", "station": "KZ11-0000", "of": 3, "before": values, "after": values, "reason": "r"}
        void = {"contest": "q1", "station": "KZ11-0001", "reason": "opened", "cite": "art. 9", "repeat": True}
        return [
            (900, Entry(poll_id, "correction", "correction/q2/KZ11-0000/1", AT, "commission", confirmed)),
            (901, Entry(poll_id, "annulment", "annulment/q1/KZ11-0001", AT, "commission", void)),
        ]


def test_what_waits_and_what_was_corrected_names_its_question() -> None:
    poll = two_questions()
    sample = Waiting(poll, per_area=2)
    for station in ("KZ11-0000", "KZ11-0001", "KZ15-0000"):
        held = sample.held["q1"][station]
        sample.held["q1"][station] = Held(held.seq, held.values, ("F.101",), 0)
    page, twin = shown(sample, "quarantine")
    assert [contest["quarantined"] for contest in twin["contests"]] == [3, 0]
    waits, answered = page.split("Corrections and annulments</h2>")
    assert re.findall(r'data-waiting="(\w+)"', waits) == ["q1"] and waits.count("<table") == 1
    assert "1 to 3 of 3" not in waits and "In quarantine: 3" in waits
    confirmed, void = answered.split("</article>")[:2]
    assert 'data-question="q2"' in confirmed and "A second question?" in confirmed
    assert "The same numbers, confirmed." in confirmed and "<table" not in confirmed
    assert 'data-question="q1"' in void and "A repeat vote is held there" in void


def test_what_is_to_vote_again_is_outstanding() -> None:
    sample = Sample(referendum(), per_area=2, stage="final-2")
    void = {("q1", "KZ75"): True}
    sheets = [Sheet.of(sample.poll_, c, sample.stations_, sample.held[c.id], void) for c in sample.poll_.contests]
    contests = tuple(map(contest_standing, sheets))
    now = sample.standing(sample.poll_.id)
    sample.made[now.size] = replace(now, contests=contests)
    page, twin = shown(sample)
    assert twin["contests"][0]["stations"]["repeat_pending"] == 2
    bounds = page[page.index('class="bounds-section"') :]
    assert "Nothing is missing" not in bounds and "To vote again: 2." in bounds and "<table" in bounds
    assert "Not yet reported: 0.</p>" in page and "Final result 2" in page and "final-2</" not in page


def test_a_number_that_two_forms_give_to_two_checks_is_explained_for_each() -> None:
    poll = two_questions()
    first, second = poll.contests
    identity = replace(first.form.identities[0], labels=dict.fromkeys(("kk", "ru", "en"), "The box adds up"))
    form = replace(second.form, identities=(identity, *second.form.identities))
    page, twin = shown(Sample(replace(poll, contests=(first, replace(second, form=form))), per_area=1), "checks")
    said = [(check["title"]["en"], check["contests"]) for check in twin["checks"] if check["number"] == identity.number]
    assert said == [(first.form.identities[0].labels["en"], ["q1"]), ("The box adds up", ["q2"])]
    assert page.count(f'id="{identity.number}"') == 1 and page.count(f'data-check="{identity.number}"') == 2
    assert "A second question?</span><br><strong>The box adds up" in page


@pytest.mark.database
def test_the_page_of_a_station_has_its_proof_before_anything_is_declared(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = replace(referendum(), id="test/early-proof")
    sample = Sample(poll, per_area=2)
    keys = new_keys(poll, tmp_path)
    contest, at = poll.contests[0], poll.closing() + timedelta(hours=1)

    def send(number: int) -> str:
        station = sample.stations_[number]
        with engine.begin() as connection:
            receive(connection, poll, one(contest.id, station.id, protocol(contest, station)), by="import", at=at)
        return f"/en/polls/{poll.id}/stations/{station.id}.json"

    with engine.begin() as connection:
        open_poll(connection, poll, sample.stations_, keys, poll.closing() - timedelta(hours=20))
        log.sign_checkpoint(connection, poll.id, keys.log)
    with (
        SiteClient(create_app(engine, maps=tmp_path)) as mirror,
        SiteClient(create_app(engine, maps=tmp_path, keys=lambda _: keys)) as client,
    ):
        first = send(0)
        monkeypatch.setattr(sources, "monotonic", lambda: 100.0)
        assert mirror.get(first).json()["contests"][0]["proof"] is None  # no key: nothing is signed
        proof = client.get(first).json()["contests"][0]["proof"]
        assert proof["size"] == proof["index"] + 1
        second = send(1)
        monkeypatch.setattr(sources, "monotonic", lambda: 109.0)
        assert client.get(second).json()["contests"][0]["proof"] is None  # signed a moment ago
        page = client.get(second.removesuffix(".json")).text
        assert f'<a href="/record/{poll.id}/checkpoint">' in page
        monkeypatch.setattr(sources, "monotonic", lambda: 111.0)
        assert client.get(second).json()["contests"][0]["proof"]["size"] == proof["size"] + 1
        assert client.get(first).json()["contests"][0]["proof"]["root"] != proof["root"]
    with engine.connect() as connection:
        assert DatabaseSource(engine).size(poll.id) == log.checkpoints(connection, poll.id)[-1][0]
