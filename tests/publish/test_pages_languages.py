"""Is a Kazakh or Russian page in its language to the last word, also where something was refused?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from sample_poll import POLL, Sample, SiteClient, reader, referendum

from dauys.errors import BadInput
from dauys.polls.standing import HistoryItem, ProtocolView, StationView
from dauys.web.render import environment

PARTS = (
    *("", "areas", "areas/KZ75", "stations/KZ75-0001", "turnout"),
    *("quarantine", "checks", "record", "downloads", "reconstruction"),
)
NAMES = {
    *("Dauys", "dauys", "English", "Asia", "Almaty", "JSON", "json", "Lines", "Gzip", "gzip", "Parquet", "NIST"),
    *("Frictionless", "plotly", "Aidos", "Kanapyanov", "tlog", "tiles", "checkpoint", "checkpoints", "signed", "note"),
}
"""Latin words that no language writes otherwise: names of people, packages, formats and files."""
SAMPLE = re.compile(r"KZ\d\d(?:-\d+)?|kz/2022-referendum|\S+\.\w{3,7}\b|aigul|recount|commission|ballots of.*")
"""Ids and files, and what the sample's clerk wrote in English."""
CODE = {"code", "pre", "script", "style", "title"}
VOID = {"meta", "link", "br", "input", "img", "hr"}


class Text(HTMLParser):
    """What a reader sees outside of code and hashes, apart from what is marked as English."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.marked = "", ""
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        skipped = tag in CODE or {"proof", "hash"} & set(classes) or (tag == "a" and "download" in given)
        english = given.get("lang") == "en" and "hreflang" not in given and tag != "html"
        if tag not in VOID:
            self._open.append("code" if skipped else "english" if english else "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if "english" in self._open:
            self.marked += data
        elif "code" not in self._open:
            self.text += f" {data} "


@pytest.fixture(scope="module")
def night() -> Iterator[SiteClient]:
    with reader(Sample(referendum(), counted=60, quarantined=8)) as client:
        yield client


@pytest.mark.parametrize("lang", ["kk", "ru"])
@pytest.mark.parametrize("part", PARTS)
def test_no_english_word_is_left_on_a_page(night: SiteClient, lang: str, part: str) -> None:
    seen = Text(night.get(f"/{lang}/polls/{POLL}/{part}").text)
    assert seen.marked == ""
    words = set(re.findall(r"\b[A-Za-z]{4,}\b", SAMPLE.sub(" ", seen.text)))
    assert words - NAMES == set()


@pytest.mark.parametrize(
    ("lang", "cite"),
    [
        ("kk", "«Республикалық референдум туралы» ҚР Конституциялық заңының 31-бабының 3-тармағы"),
        ("ru", "пункт 3 статьи 31 Конституционного закона РК «О республиканском референдуме»"),
        ("en", "Constitutional Law &#34;On the republican referendum&#34;, art. 31(3)"),
    ],
)
def test_a_test_of_the_law_cites_its_article_in_the_language_of_the_page(
    night: SiteClient, lang: str, cite: str
) -> None:
    assert night.get(f"/{lang}/polls/{POLL}/").text.count(cite) == 2


class Annulled(Sample):
    """A poll whose first station was annulled, on the ground of a law that no pack has."""

    def _view(self, contest, station):  # type: ignore[no-untyped-def]
        item = HistoryItem(
            7, "annulment", "2022-06-07T10:00:00+06:00", "court", None, "fraud", True, None, "Const. 2; Act 7"
        )
        return ProtocolView(contest, "repeat-pending", {}, (), (item,), None)


def test_an_article_that_cannot_be_read_is_marked_as_english() -> None:
    with reader(Annulled(referendum())) as client:
        text = client.get(f"/ru/polls/{POLL}/stations/KZ75-0001").text
    assert '(статья 2 Конституции РК; <span lang="en">Act 7</span>)' in text


class Refusing(Sample):
    """A source that refuses every station by a numbered check."""

    def station(self, poll_id: str, station_id: str) -> StationView:
        raise BadInput("the station is not on the list", field="station", found=station_id, check="F.020")


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("kk", ("Белгісіз учаске.", "Бұл учаске жарияланған тізімде жоқ.", "Табылғаны", "Өріс")),
        ("ru", ("Неизвестный участок.", "Этого участка нет в опубликованном списке.", "Найдено", "Поле", "Участок")),
        ("en", ("Unknown station.", "The station is not on the list.", "Found", "Field", "Station")),
    ],
)
def test_a_refusal_is_explained_in_the_language_of_the_page(lang: str, words: tuple[str, ...]) -> None:
    with reader(Refusing(referendum())) as client:
        answer = client.get(f"/{lang}/polls/{POLL}/stations/<b>9")
    assert answer.status_code == 404
    assert "F.020" in answer.text and "&lt;b&gt;9" in answer.text and "<b>9" not in answer.text
    seen = Text(answer.text)
    assert [word for word in words if word not in seen.text] == []
    assert ("on the list" in answer.text) == (lang == "en")  # the number says it all


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("kk", ("Бөлшек сан.", "Жол", "3", "«Иә» деп дауыс бергендердің саны (сөзбен)", "12,5", "бүтін сан")),
        ("ru", ("Дробное число.", "Строка", "3", "Число голосов «за» (прописью)", "12,5", "целое число")),
        ("en", ("A decimal number.", "Row", "3", "Votes for (yes) (in words)", "12,5", "a whole number")),
    ],
)
def test_a_fault_names_the_line_of_the_form_as_the_form_does(lang: str, words: tuple[str, ...]) -> None:
    fields = [{"name": field.name, "labels": dict(field.labels)} for field in referendum().contests[0].form.fields]
    fault = BadInput("write it whole", row=3, field="yes_words", found="12,5", expected="a whole number", check="F.013")
    seen = Text(environment(lang).get_template("fault.html").render(fault=fault, fields=fields))
    assert [word for word in words if word not in " ".join(seen.text.split())] == []
    assert "write it whole" not in seen.marked  # its number, what was found and what was expected say it all


def test_a_fault_that_no_check_explains_shows_its_message() -> None:
    fault = BadInput("the protocol has changed", field="of", found="7", expected="entry 9 with {'yes': 1}")
    seen = Text(environment("ru").get_template("fault.html").render(fault=fault))
    assert "The protocol has changed." in seen.marked and "записи 9: yes: 1" in seen.text
    assert "entry" not in seen.text and "7" in seen.text


def test_a_reason_in_three_languages_is_shown_in_the_language_of_the_page() -> None:
    own = {lang: environment(lang).from_string("{{ text|own }}") for lang in ("kk", "ru", "en")}
    assert {lang: page.render(text="қате · ошибка · error") for lang, page in own.items()} == {
        "kk": "қате",
        "ru": "ошибка",
        "en": "error",
    }
    assert own["kk"].render(text="recount · of the box") == "recount · of the box"


@pytest.mark.parametrize("lang", ["kk", "ru"])
def test_a_page_that_is_not_there_says_so_in_its_language(night: SiteClient, lang: str) -> None:
    seen = Text(night.get(f"/{lang}/polls/kz/none/").text)
    assert "no poll" not in seen.text and "no poll" in seen.marked


@pytest.mark.parametrize(
    "station", ["A.json", "A", "A/areas/KZ75", "12/stations/3", "A/", "A.json.json", "turnout", "Ұ 1?#%"]
)
def test_a_station_may_be_called_anything(station: str) -> None:
    """Ids are other people's: the links of lists lead to the page, and the page to its twin."""
    sample = Sample(referendum())
    sample.stations_ = [
        type(s)(station if n == 0 else s.id, s.area, s.eligible) for n, s in enumerate(sample.stations_)
    ]
    area = sample.stations_[0].area
    with reader(sample) as client:
        listed = client.get(f"/ru/polls/{POLL}/areas/{area}").text
        link = re.search(r'<th scope="row"><a href="(/ru/polls/[^"]*/stations/[^"]*)">', listed)
        assert link is not None
        page = client.get(link[1])
        assert page.status_code == 200
        twin = re.search(r'type="application/json" href="([^"]*)"', page.text)
        assert twin is not None
        assert client.get(twin[1].replace("?", "%3F").replace("#", "%23")).json()["station"]["id"] == station
