"""What do the desk's pages say: of a reconstruction, of a check that two questions give one number, of what came of a form?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from desk_site import PASSWORD, POLL, SiteClient, bearer, enter, mark_of, submit
from sample_stations import AT, GOOD, labels, open_sample, sample_poll

from dauys.law.form import Form
from dauys.record.entry import Entry
from dauys.record.log import append
from dauys.registers.poll import Contest, Poll
from dauys.stations import desk_annulments, desk_files, desk_protocols, desk_turnout
from dauys.stations.accounts import make_account
from dauys.stations.readers import protocol_columns
from dauys.stations.states import Role

pytestmark = pytest.mark.database
TYPED = {name: str(value) for name, value in GOOD.items()}
TWO = "test/two-forms"
RECEIVED = {"kk": "Бюллетень алды", "ru": "Выдано бюллетеней", "en": "Ballots handed out"}


def two_forms(poll_id: str = TWO) -> Poll:
    """A poll of two questions: the second has a form of its own, with other words for a number and for a field."""
    poll = sample_poll(poll_id)
    first = poll.contests[0]
    fields = tuple(replace(f, labels=RECEIVED) if f.name == "received" else f for f in first.form.fields)
    sums = tuple(
        replace(i, labels=labels("The box adds up")) if i.number == "F.101" else i for i in first.form.identities
    )
    form: Form = replace(first.form, id="test/form", fields=fields, identities=sums)
    return replace(poll, contests=(first, Contest("q2", labels("q2"), form, first.rule)))


def first_title(poll: Poll) -> str:
    return next(i.labels["en"] for i in poll.contests[0].form.identities if i.number == "F.101")


def test_every_page_of_a_reconstruction_says_so(client: SiteClient, connection: sa.Connection) -> None:
    poll = replace(sample_poll("test/rebuilt"), reconstruction=True)
    open_sample(connection, poll, 3)
    make_account(connection, "r1", Role.STATION, PASSWORD, poll=poll.id, station="s1")
    who = bearer(connection, "clerk")
    rows = [{"station": "s0", **GOOD, "yes": 501}, {"station": "s1", **GOOD}]
    client.post(f"/api/polls/{poll.id}/protocols", json=rows, headers=who)
    assert client.get(f"/api/polls/{poll.id}/checks").json()["reconstruction"] is True
    assert client.get(f"/api/polls/{POLL}/checks").json()["reconstruction"] is False
    pages = (*desk_protocols.PAGES, *desk_turnout.PAGES, *desk_files.PAGES, *desk_annulments.PAGES)
    for name, role in (("clerk", Role.CLERK), ("cho", Role.RESOLVER), ("r1", Role.STATION)):
        enter(client, name)
        for page in (page for page in pages if role in page.roles):
            for which, said in ((poll.id, True), (POLL, False)):
                if said or role is not Role.STATION:
                    address = "/en/desk" + page.path.replace("{poll:path}", which)
                    assert ('id="reconstruction"' in client.get(address).text) is said, address
    enter(client, "clerk")
    assert 'id="reconstruction"' in client.get(f"/en/desk/{poll.id}/correct?station=s1").text


def test_a_check_is_called_as_the_form_of_its_question_calls_it(client: SiteClient, connection: sa.Connection) -> None:
    poll = two_forms()
    open_sample(connection, poll, 3)
    wrong = {**GOOD, "yes": 501}
    rows = [{"station": "s0", "contest": "q1", **wrong}, {"station": "s1", "contest": "q2", **wrong}]
    client.post(f"/api/polls/{TWO}/protocols", json=rows, headers=bearer(connection, "clerk"))
    enter(client, "clerk")
    page = client.get(f"/en/desk/{TWO}/quarantine").text
    one, two = page[page.index(">s0") :].split(">s1")
    assert first_title(poll) in one and "The box adds up" not in one
    assert "The box adds up" in two and first_title(poll) not in two
    said = [c for c in client.get(f"/api/polls/{TWO}/checks").json()["catalogue"] if c["number"] in ("F.101", "F.105")]
    assert [(c["number"], c["title"]["en"], c["contests"]) for c in said[:2]] == [
        ("F.101", first_title(poll), ["q1"]),
        ("F.101", "The box adds up", ["q2"]),
    ]
    assert [c["contests"] for c in said[2:]] == [["q1", "q2"]]
    mark = mark_of(client.get(f"/en/desk/{TWO}/file").text)
    head = ",".join(("station", "contest", *GOOD))
    table = "\n".join([head, *(f"s2,{q},{','.join(map(str, wrong.values()))}" for q in ("q1", "q2"))]).encode()
    file = client.post(f"/en/desk/{TWO}/file", data={"mark": mark}, files={"file": ("p.csv", table)}).text
    assert f"{first_title(poll)} / The box adds up" in file
    assert f"{poll.contests[0].form.field('received').labels['en']} / Ballots handed out" in file


def test_a_column_is_called_as_any_of_the_forms_calls_it() -> None:
    poll = two_forms()
    first = poll.contests[0].form.field("received").labels
    for label in (*first.values(), *RECEIVED.values()):
        layout = protocol_columns(poll).layout(["station", "contest", label.upper(), *(set(GOOD) - {"received"})], None)
        assert layout.places["received"] == (2,)
    fields = tuple(replace(f, labels=first) if f.name == "yes" else f for f in poll.contests[1].form.fields)
    unclear = replace(
        poll, contests=(poll.contests[0], replace(poll.contests[1], form=replace(poll.contests[1].form, fields=fields)))
    )
    assert first["kk"].casefold() not in (protocol_columns(unclear).aliases or {})


@pytest.fixture
def differing(client: SiteClient) -> Iterator[SiteClient]:
    """s3 typed twice: two numbers and the words of one differ."""
    enter(client, "ann")
    submit(client, f"/en/desk/{POLL}/type", station="s3", **TYPED, yes_words="One hundred twenty-one")
    enter(client, "bek")
    other = TYPED | {"yes": "499", "no": "151"}
    submit(client, f"/en/desk/{POLL}/type", station="s3", **other, yes_words="five hundred")
    yield client


def test_the_resolver_sees_what_was_written_and_is_told_what_came_of_it(differing: SiteClient) -> None:
    client = differing
    enter(client, "cho")
    address = f"/en/desk/{POLL}/resolve?contest=q1&station=s3"
    page = client.get(address).text
    assert "<td>One hundred twenty-one</td><td>five hundred</td>" in page
    heads = re.findall(r'<tr><th scope="row">(.*?)</th>', page)
    assert [head for head in heads if "(in words)" in head] == [heads[1]] and len(heads) == 3  # yes, in words, no
    sent = submit(client, address, station="s3", **TYPED, yes_words="one hundred twenty-one")
    told = client.get(sent.headers["location"]).text
    assert 'data-station="s3" data-state="quarantined"' in told and "F.105" in told and "not in the sums" in told
    enter(client, "clerk")
    again = submit(client, f"/en/desk/{POLL}/type", station="s3", **TYPED)
    assert again.status_code == 409 and "F.025" in again.text  # it is decided: a correction changes it


def test_two_who_agree_on_a_wrong_form_are_told_that_it_waits(client: SiteClient) -> None:
    paper = {"station": "s4", **TYPED, "yes": "501"}
    enter(client, "ann")
    submit(client, f"/en/desk/{POLL}/type", **paper, yes_words="five hundred and one")
    enter(client, "bek")
    told = submit(client, f"/en/desk/{POLL}/type", **paper, yes_words="Five hundred one").text
    assert "both typists agree" in told and "not in the sums" in told
    assert first_title(sample_poll()) in told
    assert 'title="Digits only' in told


def test_a_correction_that_came_second_shows_what_is_in_force(client: SiteClient, connection: sa.Connection) -> None:
    client.post(f"/api/polls/{POLL}/protocols", json=[{"station": "s5", **GOOD}], headers=bearer(connection, "clerk"))
    enter(client, "clerk")
    address = f"/en/desk/{POLL}/correct?contest=q1&station=s5"
    of = re.search(r'name="of" value="(\d+)"', client.get(address).text)
    assert of

    def send(**changes: str) -> Any:
        return submit(client, address, **(TYPED | changes), of=of[1], reason="recount")

    assert send(yes="499", no="151").status_code == 303
    late = send(yes="498", no="152")
    assert late.status_code == 409 and "F.030" in late.text
    assert "<dd>499</dd>" in late.text and 'value="498"' in late.text
    fresh = re.search(r'<a href="(\?contest=q1&amp;station=s5)">', late.text)
    assert fresh
    assert 'value="499"' in client.get(f"/en/desk/{POLL}/correct{fresh[1].replace('&amp;', '&')}").text
    assert (
        late.text.index("eligible: 1000") < late.text.index("yes: 499") < late.text.index("no: 151")
    )  # as on the paper


def test_what_is_too_large_is_shown_as_it_was_sent(client: SiteClient, connection: sa.Connection) -> None:
    who = bearer(connection, "clerk")
    row = {"station": "s6", **GOOD, "yes": 99999999999999999999999}
    error = client.post(f"/api/polls/{POLL}/protocols", json=row, headers=who).json()["error"]
    assert (error["check"], error["found"]) == ("F.015", "'99999999999999999999999'")
    error = client.post(f"/api/polls/{POLL}/protocols", json={**GOOD, "station": 750000000106}, headers=who).json()[
        "error"
    ]
    assert (error["check"], error["found"]) == ("F.020", "'750000000106'")


def test_nobody_types_a_form_for_a_poll_that_is_closed(client: SiteClient, connection: sa.Connection) -> None:
    append(connection, POLL, [Entry(POLL, "closing", "closing", AT, "commission", {})])
    enter(client, "ann")
    refused = submit(client, f"/en/desk/{POLL}/type", station="s3", **TYPED)
    assert refused.status_code == 409 and "F.024" in refused.text and "stays missing" in refused.text
    assert connection.scalar(sa.text("SELECT count(*) FROM paper WHERE poll = :p"), {"p": POLL}) == 0


def test_every_page_names_its_question_where_there_are_two(client: SiteClient, connection: sa.Connection) -> None:
    poll = two_forms()
    open_sample(connection, poll, 3)
    question = poll.contests[1].question["en"]
    batch = [{"station": "s0", **GOOD, "yes": 501, "contest": "q2"}]
    client.post(f"/api/polls/{poll.id}/protocols", json=batch, headers=bearer(connection, "clerk"))
    enter(client, "clerk")
    shown = client.get(f"/en/desk/{poll.id}/correct?station=s0&contest=q2").text
    assert f"s0 · {question}</h1>" in shown
    for name, yes in (("ann", "500"), ("bek", "490")):
        enter(client, name)
        submit(client, f"/en/desk/{poll.id}/type?contest=q2", station="s1", **TYPED | {"yes": yes})
    enter(client, "cho")
    for address in ("", f"/{poll.id}/resolve"):
        assert f"s1 · {question}</a>" in client.get(f"/en/desk{address}").text, address
    assert f"s1 · {question}</h1>" in client.get(f"/en/desk/{poll.id}/resolve?contest=q2&station=s1").text
