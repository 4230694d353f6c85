"""Likely duplicates: found in a made-up nation where they were planted, and decided by people, with a way back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from duplicates_planted import KINDS, write_planted
from hypothesis import given, settings
from hypothesis import strategies as st
from roll_people import AT, DAY, STATIONS, VAULT, apply_rows, empty, iin_of, rolled_back, row

from dauys.errors import DauysError
from dauys.roll.changes import approve, reject
from dauys.roll.duplicates import LARGE, Comparing, find
from dauys.roll.importing import bring
from dauys.roll.likeness import LEAST, POINTS, WORDS, compare, features, words
from dauys.roll.pairs import both, count_pairs, different, get_pair, reopen, same, worklist
from dauys.roll.versions import history, in_force
from dauys.roll.voter import Person

HOUR = timedelta(hours=1)
BORN = date(1979, 10, 28)


def person(**more: object) -> Person:
    found = Person(iin_of(BORN, 1), BORN, "Ахметов", "Нұрлан", "Абайұлы", {}, {"locality": "Акбулак", "street": "Абая"})
    return replace(found, **more)  # type: ignore[arg-type]


def score(one: Person, other: Person) -> int:
    found = compare(features(one), features(other), least=-1000)
    assert found is not None
    return found.score


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (person(), "surname:same"),
        (person(surname="Ахмедов"), "surname:alike"),
        (person(given="Нурлан", patronymic="Абаевич"), "patronymic:same"),
        (person(born=date(1979, 8, 10)), "born:other"),
        (person(born=date(1979, 10, 26)), "born:digit"),
        (person(patronymic=""), "patronymic:missing"),
        (person(address={}), "address:missing"),
        (person(address={"locality": "Акбулак", "street": "Абая", "house": "9"}), "address:street"),
        (person(surname="Лебедев"), "surname:other"),
    ],
)
def test_the_evidence_says_what_agrees_and_what_differs(other: Person, code: str) -> None:
    found = compare(features(person()), features(other), least=-1000)
    assert found is not None and code in found.evidence


def test_a_swapped_day_and_month_and_a_married_name() -> None:
    born, swapped = date(1979, 3, 10), date(1979, 10, 3)
    one = features(person(born=born))
    found = compare(one, features(person(born=swapped)))
    assert found is not None and "born:swapped" in found.evidence
    woman = person(iin=iin_of(BORN, 1, True), given="Айгүл", surname="Ахметова", patronymic="Абайқызы")
    found = compare(features(woman), features(replace(woman, surname="Лебедева")))
    assert found is not None and "surname:hers" in found.evidence
    man = replace(woman, iin=iin_of(BORN, 2), address={})  # by his IIN
    assert compare(features(woman), features(man)) is None and score(woman, man) == score(woman, woman) - 40 - 15


def test_every_code_has_points_and_words_in_three_languages() -> None:
    assert POINTS.keys() == WORDS.keys()
    assert {tuple(sorted(texts)) for texts in WORDS.values()} == {("en", "kk", "ru")}
    found = compare(features(person()), features(person()))
    assert found is not None and len(words(found.evidence, "kk")) == len(found.evidence)


names = st.sampled_from(["Ахметов", "Ахмедов", "Лебедева", "Дүйсенов", "Дуйсенов", ""])
people = st.builds(
    person, surname=names.filter(bool), given=st.sampled_from(["Нұрлан", "Нурлан", "Нуржан"]), patronymic=names,
    born=st.sampled_from([BORN, date(1979, 10, 29), date(1980, 10, 28), date(1979, 3, 10), date(1979, 10, 3)]),
    address=st.sampled_from([{}, {"street": "Абая"}, {"street": "Абая", "house": "1"}]),
)  # fmt: skip


@settings(max_examples=60)
@given(people, people, st.integers(0, 100))
def test_likeness_is_the_same_both_ways_and_the_threshold_only_leaves_out(
    one: Person, other: Person, least: int
) -> None:
    assert score(one, other) == score(other, one) <= score(one, one)
    found = compare(features(one), features(other), least)
    assert (found is not None) is (score(one, other) >= least)


def test_a_large_block_is_compared_by_neighbours_and_in_bounded_time() -> None:
    count = 4 * LARGE
    entries = []
    for serial in range(count):
        name = "".join("абвгдежзик"[int(digit)] for digit in f"{serial:04}")
        someone = person(iin=iin_of(BORN, serial), surname=f"Б{name}ов")
        if serial == count - 1:
            someone = replace(someone, surname="Баааао")  # alike to the first one, ааааов
        voter = VAULT.voter(someone.iin)
        entries.append((1, voter, "A-1", VAULT.seal(voter, someone.to_bytes())))
    found = Comparing(VAULT, LEAST)(entries)
    wanted = {VAULT.voter(iin_of(BORN, 0)), VAULT.voter(iin_of(BORN, count - 1))}
    assert any({one, other} == wanted for one, other, *_ in found)
    assert len(found) < count * 100


pytest_database = pytest.mark.database


@pytest_database
def test_precision_and_recall_where_duplicates_were_planted(connection: sa.Connection, tmp_path: Path) -> None:
    """The figures of docs/roll.md: twelve thousand voters, 96 of them once more, twelve of each kind."""
    empty(connection)
    each = 12
    planted = write_planted(tmp_path / "n.csv", 12_000, each)
    held = bring(
        connection, VAULT, tmp_path / "n.csv", STATIONS, day=DAY, by="anna", at=AT, bad_file=tmp_path / "bad.csv"
    )
    assert held.set_id is not None and held.bad == 0
    approve(connection, held.set_id, "boris", AT)
    true = {frozenset(UUID(bytes=VAULT.voter(iin)) for iin in pair): kind for pair, kind in planted.items()}

    def measured() -> tuple[Counter[str], int]:
        pairs = worklist(connection, limit=10_000)
        hits = Counter(true[key] for pair in pairs if (key := frozenset((pair.one, pair.other))) in true)
        return hits, len(pairs)

    first = find(connection, VAULT, AT)
    hits, proposed = measured()
    assert first.proposed == proposed and first.known == first.gone == 0
    assert {kind for kind in KINDS if hits[kind] < each - 1} == {"given"}  # both numbers have the given name in them
    assert hits.total() >= 0.85 * len(true) and hits.total() >= 0.95 * proposed
    second = find(connection, VAULT, AT, thorough=True)
    hits, proposed = measured()
    assert second.known == first.proposed and second.proposed == proposed - first.proposed
    assert hits.total() >= 0.97 * len(true) and hits.total() >= 0.95 * proposed
    third = find(connection, VAULT, AT)  # less thorough again: what is open stays
    assert third.proposed == third.gone == 0 and measured()[1] == proposed


@pytest.fixture
def pair(connection: sa.Connection, tmp_path: Path) -> int:
    """One person under two IINs, and a third one who is somebody else."""
    empty(connection)
    twin = row(1) | {"iin": iin_of(BORN, 900), "station": "B-1", "street": "Мира"}
    apply_rows(connection, tmp_path, [row(1), twin, row(5, date(1981, 2, 3))])
    assert find(connection, VAULT, AT).proposed == 1
    (found,) = worklist(connection)
    return found.id


def voter(number: int) -> UUID:
    return UUID(bytes=VAULT.voter(iin_of(BORN, number)))


@pytest_database
def test_the_worklist_has_nothing_personal(connection: sa.Connection, pair: int) -> None:
    kept = str(connection.execute(sa.text("SELECT * FROM roll_pair")).all())
    found = get_pair(connection, pair)
    for text in (kept, repr(found), str(found.to_json()), repr(both(connection, VAULT, found))):
        assert "Ахметов" not in text and "1979" not in text and row(1)["iin"] not in text
    assert found.evidence[0] == "born:same" and found.score >= LEAST


@pytest_database
def test_same_takes_one_off_by_a_second_person_and_comes_back(connection: sa.Connection, pair: int) -> None:
    number = same(connection, VAULT, pair, voter(1), "anna", AT, "one passport")
    assert get_pair(connection, pair).state == "same" and count_pairs(connection) == {"same": 1}
    with pytest.raises(DauysError, match="second person"):
        approve(connection, number, "anna", AT)
    assert find(connection, VAULT, AT) == replace(find(connection, VAULT, AT), proposed=0)
    approve(connection, number, "boris", AT + HOUR)
    gone = in_force(connection, voter(900))
    assert gone is not None and (gone.status, gone.station) == ("duplicate", "B-1") and not gone.may_vote(DAY)
    assert (stays := in_force(connection, voter(1))) is not None and stays.may_vote(DAY)
    assert find(connection, VAULT, AT).known == 0
    rolled_back(connection, number, "boris", AT + 2 * HOUR, "two brothers")
    assert get_pair(connection, pair).state == "open" and (back := in_force(connection, voter(900))) is not None
    assert back.may_vote(DAY) and [known.state for known in history(connection, voter(900))] == [
        "applied",
        "rolled back",
    ]
    different(connection, pair, "boris", AT + 2 * HOUR, "two brothers")
    kept = connection.execute(sa.text("SELECT what, by FROM roll_pair_decision ORDER BY n")).all()
    assert [tuple(line) for line in kept] == [("same", "anna"), ("different", "boris")]
    with pytest.raises(sa.exc.DatabaseError, match="never changed"), connection.begin_nested():
        connection.execute(sa.text("DELETE FROM roll_pair_decision"))


@pytest_database
def test_a_rejected_set_opens_the_pair_again(connection: sa.Connection, pair: int) -> None:
    number = same(connection, VAULT, pair, voter(900), "anna", AT, "one passport")
    reject(connection, number, "boris", AT, "look again")
    assert get_pair(connection, pair).state == "open"
    assert find(connection, VAULT, AT).proposed == 1
    assert same(connection, VAULT, pair, voter(900), "anna", AT, "one passport") != number


@pytest_database
def test_different_is_remembered_until_one_of_them_changes(
    connection: sa.Connection, pair: int, tmp_path: Path
) -> None:
    different(connection, pair, "anna", AT, "two passports")
    assert find(connection, VAULT, AT).proposed == 0 and worklist(connection) == []
    apply_rows(connection, tmp_path, [row(1), row(5, date(1981, 2, 3))], at=AT + HOUR)  # the same again, in a new set
    assert find(connection, VAULT, AT).proposed == 0
    reopen(connection, pair, "boris", AT, "a third passport")
    assert [one.id for one in worklist(connection)] == [pair]
    different(connection, pair, "anna", AT, "still two")
    apply_rows(connection, tmp_path, [row(1, street="Мира")], at=AT + 2 * HOUR)
    assert find(connection, VAULT, AT).proposed == 1 and get_pair(connection, pair).state == "open"


@pytest_database
def test_an_entry_that_changed_is_not_decided_about_unseen(
    connection: sa.Connection, pair: int, tmp_path: Path
) -> None:
    apply_rows(connection, tmp_path, [row(1, surname="Лебедев")], at=AT + HOUR)
    with pytest.raises(DauysError, match="search again"):
        same(connection, VAULT, pair, voter(1), "anna", AT, "one passport")
    assert find(connection, VAULT, AT, least=90).gone == 1
    assert get_pair(connection, pair).state == "gone"
    apply_rows(connection, tmp_path, [row(1)], at=AT + 2 * HOUR)
    assert find(connection, VAULT, AT).proposed == 1 and get_pair(connection, pair).state == "open"


@pytest_database
def test_three_entries_of_one_person_never_all_go(connection: sa.Connection, tmp_path: Path) -> None:
    empty(connection)
    rows = [row(1) | {"iin": iin_of(BORN, number)} for number in (1, 900, 901)]
    apply_rows(connection, tmp_path, rows)
    assert find(connection, VAULT, AT).proposed == 3
    pairs = {frozenset((one.one, one.other)): one.id for one in worklist(connection)}
    a, b, c = voter(1), voter(900), voter(901)
    sets = [same(connection, VAULT, pairs[frozenset((a, b))], a, "anna", AT, "one")]
    for stays in (b, c):  # b goes; and if it went for c as well, a and c would stay
        with pytest.raises(DauysError, match="goes by pair"):
            same(connection, VAULT, pairs[frozenset((b, c))], stays, "anna", AT, "one")
    sets.append(same(connection, VAULT, pairs[frozenset((a, c))], a, "anna", AT, "one"))
    for number in sets:
        approve(connection, number, "boris", AT)
    assert [in_force(connection, one).status for one in (a, b, c)] == ["eligible", "duplicate", "duplicate"]  # type: ignore[union-attr]


@pytest_database
def test_a_decision_needs_a_name_a_reason_and_an_open_pair(connection: sa.Connection, pair: int) -> None:
    for by, reason in ((" ", "why"), ("anna", " ")):
        with pytest.raises(DauysError, match="a name and a reason"):
            different(connection, pair, by, AT, reason)
    with pytest.raises(DauysError, match=r"P\.077"):
        different(connection, pair, "anna", AT, "she is 791028-302728")
    with pytest.raises(DauysError, match="no such entry"):
        same(connection, VAULT, pair, voter(5), "anna", AT, "one")
    different(connection, pair, "anna", AT, "two")
    with pytest.raises(DauysError, match="decided already"):
        same(connection, VAULT, pair, voter(1), "anna", AT, "one")
    with pytest.raises(DauysError, match="there is no pair"):
        get_pair(connection, 10**9)
