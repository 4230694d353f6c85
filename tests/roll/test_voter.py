"""Persons and statuses: the rule in Python and in SQL, the person's bytes for one and for a column, what prints."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from roll_people import DAY, row

from dauys.roll.packing import block_texts, plain_texts
from dauys.roll.rows import COLUMNS
from dauys.roll.vault import VaultError
from dauys.roll.versions import may_vote as in_sql
from dauys.roll.voter import STATUSES, Person, blocks, may_vote, of_age, skeleton

printable = st.text(st.characters(blacklist_categories=["C"]), max_size=12).map(str.strip)


@pytest.mark.database
def test_the_rule_of_a_status_is_the_same_in_python_and_in_sql(connection: sa.Connection) -> None:
    days = [None, DAY - timedelta(1), DAY, DAY + timedelta(1)]
    cases = [(status, since, until) for status in ("eligible", "prison") for since in days for until in days]
    query = sa.text(
        f"SELECT {in_sql('v')} FROM (SELECT :status AS status, CAST(:since AS date) AS since, CAST(:until AS date) AS until) v"
    )
    for status, since, until in cases:
        given_ = {"status": status, "since": since, "until": until, "on": DAY}
        assert connection.scalar(query, given_) == may_vote(status, since, until, DAY), given_


def test_an_exclusion_holds_from_its_first_to_its_last_day() -> None:
    first, last = date(2022, 1, 1), date(2022, 6, 4)
    assert [may_vote("prison", first, last, day) for day in (date(2021, 12, 31), first, last, DAY)] == [
        True,
        False,
        False,
        True,
    ]
    assert not may_vote("died", first, None, DAY) and may_vote("eligible", None, None, DAY)
    assert set(STATUSES) >= {"eligible", "incapable", "prison", "died", "abroad", "duplicate"}


@pytest.mark.parametrize(
    ("born", "on", "adult"),
    [
        (date(2004, 6, 5), date(2022, 6, 5), True),
        (date(2004, 6, 6), date(2022, 6, 5), False),
        (date(2004, 2, 29), date(2022, 2, 28), False),
        (date(2004, 2, 29), date(2022, 3, 1), True),
    ],
)
def test_of_age(born: date, on: date, adult: bool) -> None:
    assert of_age(born, on) is adult


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(dict.fromkeys(set(COLUMNS) - {"iin", "born", "status", "since", "until"}, printable)),
        min_size=1,
        max_size=5,
    )
)
def test_one_person_and_a_column_of_persons_are_the_same_bytes(texts: list[dict[str, str]]) -> None:
    rows = [row(serial) | more for serial, more in enumerate(texts, 1)]
    frame = pl.DataFrame([{name: each.get(name, "") for name in COLUMNS} for each in rows])
    plain, (one, two) = plain_texts(frame).to_list(), block_texts(frame)
    for number, each in enumerate(rows):
        person = Person(
            each["iin"], date.fromisoformat(each["born"]), each["surname"], each["given"], each["patronymic"],
            {name: each[f"{name}_kk"] for name in ("surname", "given", "patronymic")},
            {name: each[name] for name in ("locality", "street", "house", "flat")},
        )  # fmt: skip
        assert plain[number].encode() == person.to_bytes()
        again = Person.from_bytes(person.to_bytes())
        assert again.to_bytes() == person.to_bytes() and (again.surname, again.born) == (person.surname, person.born)
        assert json.loads(plain[number])["surname"] == person.surname
        made = blocks(each["born"], each["surname"], each["given"], each["patronymic"])
        assert (one[number].encode(), two[number].encode()) == made


def test_skeletons_join_spellings() -> None:
    assert skeleton("Нұрғалиев") == skeleton("нургалиев") and skeleton("Әлия") == skeleton("Алия")
    assert skeleton("Анна-Мария") == "анамария" and skeleton("Гүлмира") == skeleton("Гульмира")


def test_a_person_does_not_print() -> None:
    person = Person("791028302728", date(1979, 10, 28), "Ахметов", "Нұрлан", address={"street": "Абая"})
    assert repr(person) == "Person()"
    with pytest.raises(VaultError) as refused:
        Person.from_bytes(b'{"iin":"791028302728"}')
    assert "7910" not in str(refused.value)
