"""Is a mission's store durable, closed against change, and the same state whenever it is opened?"""

from __future__ import annotations

import shutil
import sqlite3
import stat
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.observe.known.keep import KEY, STORE, chain, create, open_keep
from dauys.observe.known.model import MissionError, fold

AT = datetime.fromisoformat("2022-06-05T07:00:00+06:00")
OBSERVER = {"id": "O-1", "name": "A", "organisation": "adil"}


def test_what_was_stored_is_there_again(tmp_path: Path) -> None:
    keep = create(tmp_path / "m")
    keep.append("observer", OBSERVER, "office", AT)
    keep.append("suspended", {"observer": "O-1", "why": "badge"}, "office", AT)
    keep.keep("seed", "secret")
    digest = keep.store_photo(b"jpeg")
    before, head, public = keep.mission, keep.head(), keep.public
    keep.close()
    again = open_keep(tmp_path / "m")
    assert (again.mission, again.head(), again.public) == (before, head, public)
    assert again.kept("seed") == "secret" and again.photo(digest).read_bytes() == b"jpeg"
    assert chain(again.events()) == head and fold(again.events()) == before
    again.close()


def test_key_and_photos_are_their_owners_alone(tmp_path: Path) -> None:
    keep = create(tmp_path / "m")
    keep.store_photo(b"x")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "m").rglob("*")]
    assert all(mode & 0o077 == 0 for mode in modes), modes
    assert stat.S_IMODE((tmp_path / "m" / KEY).stat().st_mode) == 0o600
    keep.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event SET bytes = CAST(replace(CAST(bytes AS TEXT), 'badge', 'other') AS BLOB) WHERE n = 1",
        "DELETE FROM event WHERE n = 1",
        "UPDATE event SET n = 5 WHERE n = 2",
    ],
)
def test_a_changed_log_is_refused(tmp_path: Path, change: str) -> None:
    keep = create(tmp_path)
    for kind, body in (
        ("observer", OBSERVER),
        ("suspended", {"observer": "O-1", "why": "badge"}),
        ("suspended", {"observer": "O-1", "why": ""}),
    ):
        keep.append(kind, body, "office", AT)
    keep.close()
    database = sqlite3.connect(tmp_path / STORE)
    with database:
        database.execute(change)
    database.close()
    with pytest.raises(BadInput) as error:
        open_keep(tmp_path)
    assert error.value.check == "O.021"


def test_one_program_at_a_time_and_never_twice(tmp_path: Path) -> None:
    keep = create(tmp_path)
    for attempt, check in ((open_keep, "O.022"), (create, "O.020")):
        with pytest.raises(BadInput) as error:
            attempt(tmp_path)
        assert error.value.check == check
    keep.close()
    with pytest.raises(BadInput) as error:
        open_keep(tmp_path / "nowhere")
    assert error.value.check == "O.020"
    (tmp_path / STORE).write_bytes(b"not a store")
    with pytest.raises(BadInput) as error:
        open_keep(tmp_path)
    assert error.value.check == "O.021"


def test_what_may_not_follow_changes_nothing(tmp_path: Path) -> None:
    keep = create(tmp_path)
    keep.append("observer", OBSERVER, "office", AT)
    keep.append("suspended", {"observer": "O-1", "why": "badge"}, "office", AT)
    before, head = keep.mission, keep.head()
    with pytest.raises(MissionError):
        keep.append("assigned", {"observer": "O-1", "station": "S"}, "office", AT)
    with pytest.raises(KeyError):  # a body that lacks a member is a mistake of ours, and leaves no trace either
        keep.append("observer", {"id": "O-2"}, "office", AT)
    assert (keep.mission, keep.head(), len(keep.events())) == (before, head, 2)
    keep.append("suspended", {"observer": "O-1", "why": ""}, "office", AT)
    assert before.observers["O-1"].suspended and not keep.mission.observers["O-1"].suspended, "a picture never changes"
    keep.close()


def test_a_disk_that_fails_leaves_the_state_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = create(tmp_path)
    keep.append("observer", OBSERVER, "office", AT)

    class Full:
        """A database on which nothing can be written."""

        def commit(self) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        def rollback(self) -> None:
            good.rollback()

        def execute(self, text: str, *values: Any) -> object:
            return good.execute(text, *values)

    good = keep._database
    monkeypatch.setattr(keep, "_database", Full())
    with pytest.raises(BadInput) as error:
        keep.append("suspended", {"observer": "O-1", "why": "badge"}, "office", AT)
    assert error.value.check == "O.021" and "full" in str(error.value)
    monkeypatch.setattr(keep, "_database", good)
    assert keep.mission.size == 1 and not keep.mission.observers["O-1"].suspended
    keep.append("suspended", {"observer": "O-1", "why": "badge"}, "office", AT)
    keep.close()


def test_a_block_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    keep = create(tmp_path)
    keep.append("observer", OBSERVER, "office", AT)
    head = keep.head()
    with pytest.raises(ValueError, match="the third row"), keep.acting() as mission:
        keep.append("suspended", {"observer": "O-1", "why": "badge"}, "office", AT)
        keep.keep("seed", "secret")
        with pytest.raises(MissionError):  # caught inside: the block goes on
            keep.append("suspended", {"observer": "O-9", "why": "badge"}, "office", AT)
        assert mission.observers["O-1"].suspended and keep.mission.size == 2
        raise ValueError("the third row")
    assert (keep.mission.size, keep.head(), keep.kept("seed")) == (1, head, None)
    with keep.acting():
        keep.append("suspended", {"observer": "O-1", "why": "badge"}, "office", AT)
        keep.append("suspended", {"observer": "O-1", "why": ""}, "office", AT)
    before = keep.mission
    keep.close()
    again = open_keep(tmp_path)
    assert again.mission == before and before.size == 3
    again.close()


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["observer", "suspended", "assigned", "unassigned", "report", "judged", "note"]),
        st.integers(1, 4),
        st.integers(1, 3),
    ),
    max_size=20,
)


@settings(max_examples=12, deadline=None)
@given(ACTS)
def test_any_run_of_acts_is_the_fold_of_its_log(acts: list[tuple[str, int, int]]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        keep = create(folder)
        for n, (kind, who, where) in enumerate(acts):
            bodies: dict[str, dict[str, Any]] = {
                "observer": {"id": f"O-{who}", "name": "A", "organisation": f"org{where % 2}"},
                "suspended": {"observer": f"O-{who}", "why": "w" * (where % 2)},
                "assigned": {"observer": f"O-{who}", "station": f"S{where}"},
                "unassigned": {"observer": f"O-{who}", "station": f"S{where}"},
                "report": {
                    "key": str(n % 5), "observer": f"O-{who}", "station": f"S{where}", "form": "count", "values": {},
                    "written": AT.isoformat(), "channel": "phone",
                },
                "judged": {"report": where, "standing": "verified"},
                "note": {"name": str(where), "n": n},
            }  # fmt: skip
            body = bodies[kind]
            size = keep.mission.size
            try:
                keep.append(kind, body, "office", AT)
            except MissionError:
                assert keep.mission.size == size
        state = keep.mission
        for there in state.assigned.values():
            organisations = [state.observers[name].organisation for name in there]
            assert len(set(organisations)) == len(organisations), "one of an organisation at a station"
        assert fold(keep.events()) == state
        keep.close()
    finally:
        shutil.rmtree(folder)
