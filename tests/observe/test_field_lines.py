"""Is a line of text read as it was meant, in three languages and any order, and never guessed?"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from field_world import CODE, COPY, NIGHT, STATIONS, mission, official
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.observe.field import alike, lines
from dauys.observe.field.lines import Answered, read_line, take_lines
from dauys.observe.known.model import Mission

WAYS = {
    "eligible": ("eligible", "LIST", "список", "тізім", "Spisok".replace("Spisok", "СПИСКЕ")),
    "received": ("issued", "выдано", "БЕРІЛДІ", "получ"),
    "participated": ("part", "PARTICIPATED", "приняли", "қатысты", "участв"),
    "yes": ("yes", "ДА", "за", "ИӘ", "YЕS", "дa"),
    "no": ("no", "НЕТ", "жоқ", "против", "N0"),
    "invalid": ("inv", "недейств", "жарамсыз", "INVALID"),
    "not_counted": ("notcounted", "both", "неучт", "есепсіз"),
}
CHECK_CODE = lines._check_code
FORMS = ("PROTOCOL", "протокол", "Хаттама", "")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mission]:
    """Codes are hashed slowly: only the test about them tries them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_check_code", lambda observer, code: None)
        yield mission(tmp_path_factory.mktemp("lines")).mission


def read(line: str, drawn: Mission) -> dict[str, object]:
    found = read_line(line, drawn, official())
    return {"observer": found.observer, "station": found.station, "form": found.form, "contest": found.contest} | dict(
        found.answers
    )


def whole(**more: str) -> dict[str, object]:
    base = {"observer": "O-1", "station": "KZ10-0123", "form": "protocol", "contest": "charter"}
    return {**base, **more}


@pytest.mark.parametrize(
    "line",
    [
        "KZ10-0123 PROTOCOL charter YES 512 NO=88, INV 3 PART 608 #O-1 code ABCDE-23456",
        "kz10 0123 протокол charter за 512; против:88 недейств. 3 приняли 608 набл O1 код ABCDE 23456",
        "ХАТТАМА charter КZ10-О123 иә512 жоқ88 жарамсыз3 қатысты608 №1 құпия abcde23456",
        "KZ10-0123 charter yes512 no88 inv3 part608 #1 code ABCDE23456",
        "#1 charter 608 PART 3 INV 88 NO 512 YES KZl0O123 code ABCDE23456",
        "+77010000001: KZ10-0123 charter YES-512 NO-88 INV-З PART-6O8 code ABCDE23456",
        "2022-06-05T21:10:00+06:00 +7 701 000 00 01 KZ10/0123 charter y 512 n 88 inv 3 part 608 code ABCDE23456".replace(
            " y ", " yes "
        ).replace(" n ", " no "),
    ],
)
def test_one_protocol_in_many_ways(line: str, drawn: Mission) -> None:
    assert read(line, drawn) == whole(yes="512", no="88", invalid="3", participated="608")


@pytest.mark.parametrize(
    ("line", "check", "said"),
    [
        ("KZ10-0123 charter YES 1 234 #1 code X", "O.115", "nothing says what this is.*'234'"),
        ("KZ10-0123 charter YES NO 5 #1 code X", "O.115", "nothing stands after yes"),
        ("KZ10-0123 charter YES 5 YES 6 #1 code X", "O.115", "twice"),
        ("KZ10-0123 charter YES 5 BANANA 6 #1 code X", "O.115", "BANANA"),
        ("KZ10-0123 charter YES 5² #1 code X", "O.115", "nothing stands after yes|number|what this is"),
        ("KZ10-0123 charter YES ② #1 code X", "O.115", "yes"),
        ("KZ99-0123 charter YES 5 #1 code X", "O.105", "sample"),
        ("KZ10-0123 charter YES 5 code X", "O.115", "who sends"),
        ("KZ10-0123 charter YES 5 #77 code X", "O.102", "no such observer"),
        ("KZ10-0123 charter YES 5 #1", "O.116", "no code"),
        ("KZ10-0123 YES 5 #1 code X", "O.113", "contest"),
        ("!!!", "O.116", "no code"),
    ],
)
def test_what_is_not_understood_is_not_guessed(line: str, check: str, said: str, drawn: Mission) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        read(line, drawn)
    assert caught.value.check == check


def test_other_forms(drawn: Mission) -> None:
    hour = read("KZ10-0123 явка 12:00 выдано 345 очередь 12 #1 код X", drawn)
    assert hour == whole(form="voting", contest="", as_of="12:00", handed_out="345", queue="12")
    came = read("прибыл KZ10-0123 7.05 допущен нет причина сказали: мест нет #1 код X", drawn)
    assert came["admitted"] == "no" and came["arrived"] == "7.05"
    assert str(came["refused_why"]).startswith("сказали: мест нет")
    bad = read("KZ10-0123 оқиға түрі үгіт ауыр 11:20 факт есік алдында парақ таратты #1 код X", drawn)
    assert (bad["sort"], bad["weight"], bad["happened"]) == ("campaigning", "grave", "11:20")
    opened = read("KZ10-0123 setup 7:00 list 1000 empty #1 code X", drawn)
    assert opened["boxes_empty"] == "yes" and opened["eligible"] == "1000"


@given(
    seed=st.integers(0, 10**6),
    numbers=st.dictionaries(st.sampled_from(sorted(COPY)), st.integers(0, 99_999), min_size=1),
)
@settings(max_examples=60, deadline=None)
def test_any_order_of_any_words_gives_the_numbers_back(seed: int, drawn: Mission, numbers: dict[str, int]) -> None:
    pick = random.Random(seed)
    chunks = []
    for name, number in numbers.items():
        digits = "".join(pick.choice({"0": "0OoО", "1": "1lI"}.get(digit, digit)) for digit in str(number))
        digits = digits if any(map(str.isdecimal, digits)) or len(digits) <= 2 else str(number)
        word = pick.choice(WAYS[name])
        glue = pick.choice((" ", "=", ": ", "-", ""))
        glue = " " if glue == "" and not (digits[:1].isdecimal() and word.isalpha()) else glue
        chunks.append(word + glue + digits)
    chunks += [pick.choice(("#1", "#O-1", "obs O-1", "набл 1")), "code ABCDE-23456", "charter", pick.choice(FORMS)]
    chunks.append(pick.choice(("KZ10-0123", "kz10 0123", "Station KZ10-0123", "участок кz1O-0123")))
    pick.shuffle(chunks)
    line = pick.choice((" ", ", ", "; ", "  ", " / ")).join(chunks)
    assert read(line, drawn) == whole(**{name: str(number) for name, number in numbers.items()}), line


PIECES = (
    "KZ10-0123",
    "charter",
    "YES",
    "NO",
    "512",
    "O",
    "l",
    "#",
    "#1",
    "code",
    "X",
    ":",
    "-",
    "12:00",
    "incident",
    "факт",
)


@given(line=st.text(max_size=80) | st.lists(st.sampled_from(PIECES)).map(" ".join))
@settings(max_examples=60, deadline=None)
def test_no_line_brings_anything_but_an_answer(line: str, drawn: Mission) -> None:
    try:
        read_line(line, drawn, official())
    except BadInput as fault:
        assert fault.check and str(fault)


def test_every_line_is_answered_and_codes_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_check_code", CHECK_CODE)
    keep = mission(tmp_path)
    good = f"KZ10-0123 charter eligible 1000 issued 612 part 608 yes 512 no 88 inv 3 both 5 #1 code {CODE}"
    text = (
        f"{good}\n\n{good}\nKZ10-0123 charter yes 1 no 1 part 2 #1 code WRONG\nhello\n{good.replace('512', '51x2')}\n"
    )
    answers: list[Answered] = take_lines(keep, text, NIGHT, official())
    assert [one.number for one in answers] == [1, 3, 4, 5, 6]
    assert [(one.report is not None, one.there) for one in answers][:2] == [(True, False), (True, True)]
    assert [one.fault.check for one in answers if one.fault] == ["O.116", "O.116", "O.115"]
    assert answers[0].report is not None and answers[0].report.flags == () and answers[0].report.channel == "sms"
    assert answers[0].report.station == STATIONS[3]


def test_the_lines_of_the_documentation_are_read(tmp_path: Path, drawn: Mission) -> None:
    keep = mission(tmp_path)
    who = {"id": "O-017", "name": "A", "organisation": "adil", "secret": "", "phone": "+77010000017"}
    keep.append("observer", who, "office", NIGHT)
    record = official()
    one = replace(record, poll=replace(record.poll, contests=record.poll.contests[:1]))
    text = (Path(__file__).parents[2] / "docs" / "field.md").read_text("utf-8")
    shown = [line for line in text.split("```text\n")[1].split("```")[0].splitlines() if line]
    found = [read_line(line, keep.mission, one) for line in shown]
    assert [line.observer for line in found] == ["O-017"] * 4 and {line.station for line in found} == {STATIONS[3]}
    assert [line.answers.get("yes") for line in found] == ["512", "512", None, "512"]
    assert found[2].answers == {"as_of": "12:00", "handed_out": "345"} and found[3].written.startswith("2022-06-05")


def test_a_line_costs_the_same_however_many_observe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep, looked = mission(tmp_path), 0
    for n in range(60):
        keep.append("observer", {"id": f"P-{100 + n}", "name": "x", "organisation": "adil"}, "office", NIGHT)

    def folded(text: str, real: Callable[[str], str] = alike.folded) -> str:
        nonlocal looked
        looked += 1
        return real(text)

    monkeypatch.setattr(alike, "folded", folded)
    text = "\n".join(f"{STATIONS[3]} turnout {9 + n // 6}:{n % 6}0 issued {n} #1 code {CODE}" for n in range(40))
    answers = take_lines(keep, text, NIGHT, official())
    assert sum(one.report is not None for one in answers) == 40
    assert looked < 69 + 6 * len(answers), "each observer and station once, and what a line names"
