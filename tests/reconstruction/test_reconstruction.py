"""Do the reconstructed stations agree with everything that was published, and only with what is believed?"""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dauys
from dauys.errors import BadInput
from dauys.reconstruction import Contradiction, check, read_figures, read_settings, rebuild, reconstruct
from dauys.reconstruction.__main__ import main, rendered
from dauys.reconstruction.book import Book
from dauys.reconstruction.figures import percent
from dauys.reconstruction.territories import solve_territories

ROOT = Path(__file__).parents[2]
FOLDER = Path(dauys.__file__).parent / "jurisdictions/kz/polls/2022-referendum"
SHARED = ROOT.parent / "shared/data/kazakhstan"
WEST = ("KZ15", "KZ23", "KZ27", "KZ43", "KZ47")
CLASSES = ("yes", "no", "invalid", "not_counted")


@pytest.fixture(scope="module")
def poll():
    return reconstruct(FOLDER)


@pytest.fixture(scope="module")
def figures():
    return read_figures(FOLDER / "published.csv")


@pytest.fixture(scope="module")
def settings():
    return read_settings(FOLDER)


def test_every_believed_figure_comes_out_to_its_printed_digits(poll, figures):
    checked = check(poll, figures)
    assert len(checked) == len(figures) > 150
    wrong = [(c.figure.id, c.figure.printed, c.recomputed) for c in checked if c.figure.used and not c.matches]
    assert wrong == []


def test_the_check_sees_a_single_moved_ballot(poll, figures):
    yes = poll.protocols["yes"].copy()
    yes[0] += 1
    moved = replace(poll, protocols={**poll.protocols, "yes": yes})
    wrong = {c.figure.id for c in check(moved, figures) if c.figure.used and not c.matches}
    assert wrong == {"yes-preliminary-nation", "yes-final-nation"}


def test_misprints_do_not_come_out(poll, figures):
    matching = {c.figure.id for c in check(poll, figures) if not c.figure.used and c.matches}
    assert matching <= {f"E03-{area}" for area in WEST}, "a stale value may be near; the others are wrong"


def test_national_totals_from_plain_sums(poll):
    final = {field: int(column.sum()) for field, column in poll.final.items()}
    assert final == {
        "eligible": 11_734_642,
        "received": 8_030_739,
        "participated": 7_985_769,
        "yes": 6_163_516,
        "no": 1_490_470,
        "invalid": 205_924,
        "not_counted": 125_859,
    }
    assert int(poll.protocols["participated"].sum()) == 7_986_293
    areas = np.array(poll.stations.areas)
    adopted = [
        a
        for a in set(poll.stations.areas)
        if 2 * final_of(poll, "yes", areas == a) > final_of(poll, "participated", areas == a)
    ]
    assert len(adopted) == 17


def final_of(poll, field, where):
    return int(poll.final[field][where].sum())


def test_printed_shares_by_hand(poll):
    areas = np.array(poll.stations.areas)

    def share(area, field):
        where = areas == area
        part, whole = int(poll.protocols[field][where].sum()), int(poll.protocols["participated"][where].sum())
        return percent(part, whole, 2)

    assert [share("KZ75", c) for c in CLASSES] == ["65.22", "27.41", "4.60", "2.77"]
    assert [share(a, "yes") for a in ("KZ15", "KZ23", "KZ27", "KZ47")] == ["71.47", "73.14", "73.27", "71.00"]
    assert share("KZ39", "no") == "20.87"


def test_highest_and_lowest_participation_are_the_printed_ones(poll):
    areas = np.array(poll.stations.areas)
    turnout = {
        a: final_of(poll, "participated", areas == a) / final_of(poll, "eligible", areas == a)
        for a in set(areas.tolist())
    }
    assert max(turnout, key=turnout.get) == "KZ61"
    assert min(turnout, key=turnout.get) == "KZ75"


def test_identities_of_every_protocol_before_and_after_correction(poll):
    for values in (poll.protocols, poll.final):
        assert (values["participated"] == sum(values[c] for c in CLASSES)).all()
        assert (values["participated"] <= values["received"]).all()
        assert (values["received"] <= values["eligible"]).all()
        assert all((column >= 0).all() for column in values.values())


def test_turnout_rises_and_the_list_hardly_grows(poll):
    received, eligible = poll.turnout.received, poll.turnout.eligible
    assert (np.diff(received, axis=0) >= 0).all()
    assert (np.diff(eligible, axis=0) >= 0).all()
    assert (received <= eligible).all()
    assert ((poll.protocols["eligible"] - poll.stations.opening) * 100 < poll.stations.opening).all()
    assert (received[-1] == poll.protocols["received"]).all()
    assert poll.protocols["eligible"].max() <= 3000, "elections law, art. 23(2)"


def test_stations(poll):
    ids, areas, abroad = poll.stations.ids, poll.stations.areas, poll.stations.abroad
    assert len(ids) == len(set(ids)) == 10_012
    assert all(i.startswith(f"{a}-A" if out else f"{a}-") for i, a, out in zip(ids, areas, abroad, strict=True))
    assert sum(abroad) == 65
    assert {a for a, out in zip(areas, abroad, strict=True) if out} == {"KZ71"}
    assert sum(a in WEST for a in areas) == 1858
    assert "KZ11-0001" in ids
    assert "KZ71-A65" in ids


def test_the_correction_is_the_published_difference(poll):
    assert len(poll.corrections) == 7
    difference = {f: sum(c.after[f] - c.before[f] for c in poll.corrections) for f in poll.protocols}
    assert {f: d for f, d in difference.items() if d} == {"participated": -524, "yes": -347, "no": -5, "invalid": -172}
    for c in poll.corrections:
        assert c.station.startswith("KZ75-")
        assert "2022-06-06T08:00" < c.at.isoformat() < "2022-06-08T10:00"
        assert set(c.reason) == {"kk", "ru", "en"}
        place = poll.stations.ids.index(c.station)
        assert c.before == {f: int(column[place]) for f, column in poll.protocols.items()}


def test_arrival_is_a_night(poll):
    assert poll.arrival.min() > 0
    assert poll.arrival.max() < 11 * 60, "the western stations close an hour later and must be in before 08:00 too"
    assert np.mean(poll.arrival <= 240) > 0.9


def test_stations_are_not_all_alike_and_do_not_heap(poll):
    shares = poll.protocols["yes"] / poll.protocols["participated"]
    areas = np.array(poll.stations.areas)
    assert all(shares[areas == a].std() > 0.02 for a in set(poll.stations.areas))
    full = (poll.protocols["received"] == poll.protocols["eligible"]) | (
        poll.protocols["yes"] == poll.protocols["participated"]
    )
    assert full.sum() < 10
    digits = np.bincount(poll.protocols["yes"] % 10, minlength=10)
    expected = len(shares) / 10
    assert ((digits - expected) ** 2 / expected).sum() < 27.88, "chi-square, 9 degrees, one in a thousand"


def test_the_same_on_every_machine(poll):
    assert poll.digest() == "43a4e32dc0837464138ec0650bc1918c8d55e9ec6f7f689647efdb576d589a72"


def test_another_seed_gives_other_stations_and_the_same_figures(settings, figures, poll):
    other = rebuild(replace(settings, seed="another"), figures)
    assert other.digest() != poll.digest()
    assert all(c.matches for c in check(other, figures) if c.figure.used)


def believed(figures, *ids, dropped=()):
    known = {f.id for f in figures}
    assert known.issuperset((*ids, *dropped))
    changes = dict.fromkeys(ids, "yes") | dict.fromkeys(dropped, "no")
    return Book(replace(f, believed=changes.get(f.id, f.believed)) for f in figures)


@pytest.mark.parametrize(
    ("misprint", "right"),
    [
        ("E01", "turnout-22:00-KZ39"),
        ("E02-count", "received-20:00-nation"),
        ("E02-percent", "received-20:00-nation"),
        ("E04", "invalid-preliminary-nation"),
        ("E05", "turnout-18:00-KZ15"),
        ("E06", "turnout-12:00-KZ23"),
    ],
)
def test_a_misprint_believed_beside_the_right_figure_fails_by_name(figures, settings, misprint, right):
    with pytest.raises(Contradiction) as failure:
        solve_territories(believed(figures, misprint), settings)
    assert {misprint, right} <= set(failure.value.figures)
    assert misprint in str(failure.value)


@pytest.mark.parametrize(
    ("misprint", "dropped"),
    [
        ("E01", ["turnout-22:00-KZ39"]),
        ("E02-count", ["received-20:00-nation", "turnout-20:00-nation"]),
        ("E02-percent", ["received-20:00-nation", "turnout-20:00-nation"]),
        ("E04", ["invalid-preliminary-nation", "invalid-preliminary-nation-percent"]),
    ],
)
def test_a_misprint_believed_alone_fails_by_name(figures, settings, misprint, dropped):
    with pytest.raises(Contradiction) as failure:
        solve_territories(believed(figures, misprint, dropped=dropped), settings)
    assert misprint in failure.value.figures
    assert misprint in str(failure.value)


def test_the_stale_values_of_20_00_could_be_in_the_national_count(figures, settings):
    """docs/reconstruction.md says so: E03 excludes no solution."""
    solve_territories(believed(figures, *(f"E03-{a}" for a in WEST)), settings)


def test_half_up():
    assert percent(1, 8, 2) == "12.50"
    assert percent(125, 100_000, 2) == "0.13"
    assert percent(124_999, 100_000_000, 2) == "0.12"
    assert percent(1, 3, 0) == "33"
    assert percent(0, 0, 2) == "-"


def test_limits_are_all_numbers_that_print_alike(figures):
    figure = next(f for f in figures if f.id == "turnout-22:00-KZ75")
    base = 98_765
    low, high = figure.limits(base)
    alike = [v for v in range(low - 50, high + 51) if percent(v, base, 2) == "33.30"]
    assert alike == list(range(low, high + 1))


def test_the_page_holds_the_present_tables():
    page = ROOT / "docs/reconstruction.md"
    assert rendered(FOLDER, page) == page.read_text(encoding="utf-8"), "run the command at the end of the page"


def test_the_command_refuses_a_page_without_marks(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    assert main([str(FOLDER), str(page)]) == 2
    assert "marks the tables" in capsys.readouterr().err
    assert page.read_text() == "nothing\n"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("10012,count", "10012,counts"), "unit"),
        (("10012,count", "10 012,count"), "printed"),
        (("10012,count,,yes", "10012,count,,maybe"), "believed"),
        (("28.59,percent,eligible", "28.59,percent,"), "of"),
        (("stations-east,", "stations-nation,"), "id"),
    ],
)
def test_a_wrong_row_is_refused_with_its_place(tmp_path, change, field):
    text = (FOLDER / "published.csv").read_text(encoding="utf-8")
    assert change[0] in text
    file = tmp_path / "published.csv"
    file.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_figures(file)
    assert (refused.value.field, refused.value.row is not None) == (field, True)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("station_limit: 3000", "station_limits: 3000", "station_limits"),
        ("area: KZ75", "area: KZ99", "correction.area"),
        ("register: evening", "register: noon", "reports[5].register"),
        ("first: 2022-06-07T10:00+06:00", "first: 2022-06-31T10:00+06:00", "correction.first"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(tmp_path, old, new, field):
    (tmp_path / "prior.csv").write_bytes((FOLDER / "prior.csv").read_bytes())
    text = (FOLDER / "reconstruction.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "reconstruction.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_settings(tmp_path)
    assert refused.value.field == field
    assert refused.value.line


@pytest.mark.skipif(not SHARED.exists(), reason="the facts of ../shared/data are not here")
def test_published_csv_retypes_the_facts(figures):
    """Against the independent transcription in ../shared: every turnout value and every national count."""
    printed = {(f.moment, f.area, f.field, f.printed) for f in figures}
    with (SHARED / "referendum2022_turnout_snapshots.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            for value in filter(None, (row["ballots_received_pct"], row["other_value_seen"])):
                whole, _, decimals = value.partition(".")
                shown = f"{whole}.{decimals:0<2}"
                assert (row["time_capital"], row["code"], "received", shown) in printed
    with (SHARED / "referendum2022_national.csv").open(encoding="utf-8") as lines:
        for row in list(csv.DictReader(lines))[1:]:
            for field, name in (
                ("participated",) * 2,
                ("yes",) * 2,
                ("no",) * 2,
                ("invalid",) * 2,
                ("valid_not_counted", "not_counted"),
            ):
                assert (row["stage"], "nation", name, row[field]) in printed
