"""Do the pages say what the standing says, in three languages, whole, safe, and the same as their JSON twins?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from sample_poll import POLL, Sample, SiteClient, reader, referendum, two_questions

from dauys.polls.standing import HistoryItem, ProtocolView

HOME = f"polls/{POLL}/"
PARTS = (
    *("", "areas", "areas/KZ75", "stations/KZ75-0001", "turnout"),
    *("quarantine", "checks", "record", "downloads", "reconstruction"),
)
LANGUAGES = ("kk", "ru", "en")
WORD = {"kk": "реконструкция", "ru": "реконструкция", "en": "reconstruction"}
VOID = {"meta", "link", "br", "input", "img", "hr", "path", "rect", "circle"}


_PIECE = re.compile(
    r"([^<]+)|<(/?)([a-z][^\s/>]*)([^>\"'/]*(?:\"[^\"]*\"[^>\"'/]*)*)(/?)>|<!--.*?-->|<!doctype[^>]*>",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"\s+([^\s=/>\"'<]+)(?:=\"([^\"]*)\")?")


class Page:
    """A page as a list of (tag, attributes); every tag must be closed in order, every < begin one, every value be quoted.

    The scripts and styles of our pages are files: a page with one in it is refused.
    """

    def __init__(self, text: str) -> None:
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        texts: list[str] = []
        still_open: list[str] = []
        at = 0
        for piece in _PIECE.finditer(text):
            assert piece.start() == at, text[at : at + 80]
            at = piece.end()
            words, closing, tag, attributes, ended = piece.groups()
            if words:
                texts.append(words)
            elif closing:
                assert still_open and still_open.pop() == tag.lower(), (tag, still_open[-3:])
            elif tag:
                self.tags.append((tag.lower(), _attributes(attributes) if attributes else {}))
                if not ended and tag.lower() not in VOID:
                    empty = text.startswith(f"</{tag}>", at)
                    assert empty or tag.lower() not in ("script", "style"), text[at : at + 80]
                    still_open.append(tag.lower())
        assert at == len(text), text[at : at + 80]
        assert still_open == [], still_open
        self.text = unescape("".join(texts))

    def all(self, tag: str | None = None, **wanted: str) -> list[dict[str, str | None]]:
        names = {name.replace("_", "-"): value for name, value in wanted.items()}
        return [a for t, a in self.tags if (tag in (None, t)) and all(a.get(n) == v for n, v in names.items())]

    def with_attribute(self, name: str) -> list[dict[str, str | None]]:
        return [a for _, a in self.tags if name in a]


def _attributes(text: str) -> dict[str, str | None]:
    """The attributes of a tag, each once."""
    found = _ATTRIBUTE.findall(text)
    assert "".join(_ATTRIBUTE.split(text)[::3]).strip() == "", text
    given = {name.lower(): unescape(value) for name, value in found}
    assert len(given) == len(found), text
    return given


@pytest.fixture(scope="module")
def night() -> Iterator[SiteClient]:
    with reader(Sample(referendum(), counted=60, quarantined=8)) as client:
        yield client


def page(client: SiteClient, path: str, status: int = 200) -> Page:
    answer = client.get(path)
    assert answer.status_code == status, answer.text[:300]
    return Page(answer.text)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("part", PARTS)
def test_every_page_is_whole_and_says_reconstruction(night: SiteClient, lang: str, part: str) -> None:
    shown = page(night, f"/{lang}/{HOME}{part}")
    assert shown.all("html", lang=lang)
    assert len(shown.all("h1")) == 1 and len(shown.all("main")) == 1
    assert shown.all("aside", id="reconstruction") and WORD[lang] in shown.text.lower()
    ids = [a["id"] for a in shown.with_attribute("id")]
    assert len(ids) == len(set(ids))
    assert all(a.get("scope") for a in shown.all("th"))
    assert all(a.get("aria-label") for a in shown.all(role="region"))
    assert not shown.with_attribute("style") and not shown.with_attribute("onclick")
    assert all(a.get("src", "").startswith("/static/") for a in shown.all("script"))  # type: ignore[union-attr]
    links = [a["href"] or "" for a in shown.with_attribute("href")]
    assert all(link.startswith(("/", "#")) for link in links)


@pytest.mark.parametrize("part", PARTS)
def test_the_twin_is_the_model_of_the_page(night: SiteClient, part: str) -> None:
    path = f"/en/{HOME}{part}".rstrip("/") + ".json"
    shown = page(night, f"/en/{HOME}{part}")
    assert [a["href"] for a in shown.all("link", type="application/json")] == [path]
    body = night.get(path)
    assert body.status_code == 200 and body.headers["content-type"] == "application/json"
    model = body.json()
    assert model["poll"]["reconstruction"] is True
    assert str(model["size"]) == shown.all("body")[0]["data-size"]
    # what is marked as a value on the page stands in the twin
    numbers = set(re.findall(r"\d+", json.dumps(model)))
    for marked in shown.with_attribute("data-value"):
        assert str(marked["data-value"]) in numbers


def test_the_result_shows_the_decision_and_the_sums(night: SiteClient) -> None:
    model = night.get(f"/en/{HOME}".rstrip("/") + ".json").json()
    [contest] = model["contests"]
    shown = page(night, f"/en/{HOME}")
    assert [a["data-outcome"] for a in shown.with_attribute("data-outcome")] == [contest["decision"]["outcome"]]
    assert [a["data-test"] for a in shown.with_attribute("data-test")] == [
        t["name"] for t in contest["decision"]["tests"]
    ]
    counted = {a["code"]: a["stations"]["counted"] for a in contest["areas"]}
    listed = [a for a in shown.all("li") if "data-area" in a and "data-stations-counted" in a]
    assert {a["data-area"]: int(a["data-stations-counted"] or 0) for a in listed} == counted
    assert sum(counted.values()) == contest["stations"]["counted"]
    for field, total in contest["totals"].items():
        assert total == sum(area["totals"][field] for area in contest["areas"])
    assert f"{contest['totals']['yes']:,}" in shown.text and f"{contest['shares']['yes']}%" in shown.text
    assert len([a for a in shown.all("li") if "data-leads" in a]) == 17
    assert len([a for a in shown.all("li") if a.get("class") == "needed"]) == 1
    assert contest["covers"][:16] in shown.text


def test_the_maps_have_one_shape_for_each_territory(night: SiteClient) -> None:
    text = night.get(f"/kk/{HOME}").text
    for kind in ("tiles", "outlines"):
        drawn = re.search(rf'data-map="{kind}".*?</svg>', text, re.S)
        if kind == "outlines" and drawn is None:
            pytest.skip("the data package with true outlines is not installed")
        assert drawn is not None
        codes = re.findall(r'data-area="(\w+)"', drawn[0])
        assert sorted(codes) == sorted(area.code for area in referendum().areas)
        assert len(re.findall(r'<path class="shape"', drawn[0])) == 17
    assert text.count('class="shape marker"') == 3


def test_numbers_are_written_as_each_language_does(night: SiteClient) -> None:
    contest = night.get(f"/en/{HOME}".rstrip("/") + ".json").json()["contests"][0]
    total, share = contest["totals"]["yes"], contest["shares"]["yes"]
    grouped = f"{total:,}".replace(",", "\u00a0")
    for lang in ("kk", "ru"):
        text = page(night, f"/{lang}/{HOME}").text
        assert grouped in text and share.replace(".", ",") + "\u00a0%" in text


def test_nothing_is_missing_any_more() -> None:
    with reader(Sample(referendum(), stage="final")) as client:
        shown = page(client, f"/en/{HOME}")
        [bounds] = shown.with_attribute("data-can-change")
        assert bounds["data-can-change"] == "false" and bounds["data-possible"] == "adopted"
        assert [a["data-outcome"] for a in shown.with_attribute("data-outcome")] == ["adopted"]
        assert all(a["data-met"] == "true" for a in shown.with_attribute("data-test"))
        assert "Final result" in shown.text


def test_before_anything_is_counted() -> None:
    with reader(Sample(referendum(), counted=0, stage="voting", reports=2)) as client:
        for lang in LANGUAGES:
            for part in PARTS:
                page(client, f"/{lang}/{HOME}{part}")
        shown = page(client, f"/en/{HOME}")
        assert [a["data-outcome"] for a in shown.with_attribute("data-outcome")] == ["undetermined"]
        assert shown.text.count("nothing counted yet") > 17
        assert "Nothing has been counted yet" in shown.text


def test_two_questions_and_three_answers() -> None:
    with reader(Sample(two_questions(), counted=70, quarantined=3)) as client:
        shown = page(client, "/ru/polls/two/questions/")
        assert [a["data-contest"] for a in shown.with_attribute("data-contest")] == ["q1", "q2"]
        assert [a["data-field"] for a in shown.all("p") if "data-field" in a] == [
            *("yes", "no", "invalid", "not_counted"),
            *("yes", "no", "abstain", "invalid", "not_counted"),
        ]
        assert "Воздержался" in shown.text and "реконструкц" not in shown.text.lower()
        for part in PARTS[:-1]:
            assert "реконструкц" not in page(client, f"/ru/polls/two/questions/{part}").text.lower()
        page(client, "/ru/polls/two/questions/reconstruction", 404)
        odd = page(client, "/ru/polls/two/questions/areas/A1?start=abc", 422)
        assert "start" in odd.text
        assert client.get("/ru/polls/two/questions/areas/A1.json?start=abc").json().keys() == {"error"}


def test_of_many_answers_the_territories_show_those_with_the_most_votes() -> None:
    poll = two_questions()
    first, second = poll.contests
    form = second.form
    option = next(f for f in form.fields if f.role == "option")
    many = tuple(replace(option, name=f"c{n}", optional=True) for n in range(30))
    sample = Sample(replace(poll, contests=(first, replace(second, form=replace(form, fields=(*form.fields, *many))))))
    with reader(sample) as client:
        shown, table = page(client, "/en/polls/two/questions/"), page(client, "/en/polls/two/questions/areas")
        model = client.get("/en/polls/two/questions.json").json()["contests"][1]
    toned = [f["name"] for f in model["fields"] if f["tone"]]
    assert len(toned) > 30 and len(model["drawn"]) == 12
    assert [name for name in toned if name in model["drawn"]] == model["drawn"]
    least = min(model["totals"].get(name, 0) for name in model["drawn"])
    assert all(model["totals"].get(name, 0) <= least for name in toned if name not in model["drawn"])
    assert "those 12 lines" in shown.text and "those 12 lines" in table.text
    assert {a["data-field"] for a in shown.all("p") if "data-field" in a} >= set(toned)  # of the whole, every one


def test_a_station_shows_its_form_checks_history_and_proof(night: SiteClient) -> None:
    source = Sample(referendum(), counted=60, quarantined=8)
    station = next(name for name, held in source.held["q1"].items() if held.quarantined)
    shown = page(night, f"/en/{HOME}stations/{station}")
    values = source.held["q1"][station].values
    fields = {a["data-field"]: a["data-value"] for a in shown.all("tr") if "data-field" in a}
    assert fields == {name: str(value) for name, value in values.items()}
    checks = {a["data-check"]: a["data-passed"] for a in shown.with_attribute("data-check")}
    assert checks["F.101"] == "false" and checks["F.102"] == "true"
    assert len([a for a in shown.all("li") if "data-entry" in a]) == 2
    assert [a["data-changed"] for a in shown.all("li") if "data-changed" in a] == [
        *(name for name in source.poll_.contests[0].form.names if name in values),
        "yes",
    ]
    assert f"1 → {values['yes']:,}" in shown.text and "commission, aigul" in shown.text
    assert "0b" * 32 in shown.text and f"#{'F.101'}" in night.get(f"/en/{HOME}stations/{station}").text
    assert station in page(night, f"/en/{HOME}quarantine").text


@pytest.mark.parametrize("place", ["quarantine", "stations/KZ10-0001"])
def test_a_report_that_was_corrected_is_shown_with_both_numbers(night: SiteClient, place: str) -> None:
    source = Sample(referendum(), counted=60, quarantined=8)
    place = place.replace("KZ10-0001", source.stations_[0].id)
    text = night.get(f"/en/{HOME}{place}").text
    shown = text.partition('data-entry="901"')[2].partition("</article>")[0]
    assert "Correction of a turnout report" in shown and "ballots of another station" in shown
    assert "<td>521</td><td>251</td>" in shown and "Voters on the lists" not in shown
    twin = night.get(f"/en/{HOME}{place}.json").json()
    (said,) = (one for one in twin.get("corrections", twin.get("turnout_corrections")) if one["seq"] == 901)
    assert said["before"]["received"] == 521 and said["time"] == "10:00"


def test_a_warning_is_no_failure(night: SiteClient) -> None:
    source = Sample(referendum(), counted=60, quarantined=8)
    station = next(name for name, held in source.held["q1"].items() if held.checks == ("W.105",))
    text = night.get(f"/en/{HOME}stations/{station}").text
    row = text.partition('data-check="W.105"')[2].partition("</tr>")[0]
    assert 'data-met="null"' in row and "noticed" in row and 'data-met="false"' not in text


def test_a_station_that_was_annulled_before_it_reported_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Sample(referendum())
    ended = HistoryItem(
        9, "annulment", "2022-06-05T19:00:00+06:00", "commission", None, "fire", True, "aigul", "art. 32"
    )
    view = ProtocolView(source.poll_.contests[0], "repeat-pending", {}, (), (ended,), None)
    monkeypatch.setattr(source, "_view", lambda contest, station: view)
    with reader(source) as client:
        shown = page(client, f"/en/{HOME}stations/{source.stations_[0].id}")
        twin = client.get(f"/en/{HOME}stations/{source.stations_[0].id}.json").json()["contests"][0]
    assert "Annulled, to be repeated" in shown.text and "fire (art. 32)" in shown.text and "aigul" in shown.text
    assert "No protocol has come in" not in shown.text and "Proof that" not in shown.text
    assert (twin["state"], twin["history"][0]["cite"], twin["history"][0]["changed"]) == (
        "repeat-pending",
        "art. 32",
        [],
    )


def test_long_lists_come_in_pages() -> None:
    source = Sample(referendum(), per_area=230)
    with reader(source) as client:
        first = page(client, f"/en/{HOME}areas/KZ11")
        last = page(client, f"/en/{HOME}areas/KZ11?start=200")
        assert len(first.with_attribute("data-station")) == 100 and len(last.with_attribute("data-station")) == 30
        assert [a["href"] for a in last.all("a", aria_current="page") if "start" in (a["href"] or "")] == [
            f"/en/{HOME}areas/KZ11?start=200"
        ] * 2
        assert client.get(f"/en/{HOME}areas/KZ11.json?start=200").json()["stations"][0]["id"] == "KZ11-0200"


def test_the_front_leads_to_the_only_poll_in_the_readers_language(night: SiteClient) -> None:
    answer = night.get("/", headers={"Accept-Language": "de, ru;q=0.9, en;q=0.8"})
    assert (answer.status_code, answer.headers["location"]) == (307, "/ru/")
    assert night.get("/ru/").headers["location"] == f"/ru/{HOME}"
    assert night.get("/en.json").json()["polls"][0]["id"] == POLL
    assert night.get("/de/").status_code == 404


@pytest.mark.parametrize(("lang", "word"), [("kk", "Табылмады"), ("ru", "Не найдено"), ("en", "Not found")])
@pytest.mark.parametrize(
    "path", ["nothing", "polls/kz/other/", HOME + "areas/XX", HOME + "stations/none", HOME + "a/b/"]
)
def test_what_is_not_there_is_said_in_the_readers_language(night: SiteClient, lang: str, word: str, path: str) -> None:
    assert word in page(night, f"/{lang}/{path}", 404).text


def test_what_is_not_there_is_json_for_machines(night: SiteClient) -> None:
    answer = night.get(f"/en/{HOME}stations/none.json")
    assert answer.status_code == 404 and "none" in answer.json()["error"]


def test_nothing_from_elsewhere_and_nothing_inline(night: SiteClient) -> None:
    answer = night.get(f"/en/{HOME}")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    for static in re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text):
        file = night.get(static)
        assert file.status_code == 200 and "immutable" in file.headers["cache-control"]
        assert "http" not in file.text.replace("http://www.w3.org/2000/svg", "")


def test_names_are_escaped() -> None:
    source = Sample(referendum())
    row: Any = source.stations_[0]
    object.__setattr__(row, "id", "KZ11-<b>&\"'/x")
    with reader(source) as client:
        text = client.get(f"/en/{HOME}areas/KZ11").text
        assert "<b>&" not in text and "KZ11-&lt;b&gt;&amp;" in text
        link = next(href for href in re.findall(r'href="([^"]+)"', text) if "stations/KZ11-%3Cb" in href)
        assert "KZ11-&lt;b&gt;" in client.get(link).text
