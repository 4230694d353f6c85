"""A badge is checked without a server: what the commission signed holds, anything else does not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.observe.accreditation.badge import (
    ENDED,
    FORGED,
    LONGEST,
    SUSPENDED,
    VALID,
    Answer,
    Badge,
    commitment,
    look_at,
    picture,
    read,
    write,
)  # fmt: skip

KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
BADGE = Badge(
    "qala/17",
    "Әлия Нұрланқызы",
    "Қала бақылаушылары",
    "qala",
    "kz/2024-referendum",
    "c2FsdHNhbHRzYWx0c2E",
    "2025-08-20",
)
DAY = date(2024, 10, 6)


def looked(
    text: str, suspended: dict[str, bool] | None = None, codes: dict[str, bool] | None = None, on: date = DAY
) -> Answer:
    return look_at(text, BADGE.poll, PUBLIC, suspended or {}, codes or {}, on)


def test_a_badge_of_the_commission_holds_until_its_last_day() -> None:
    text = write(BADGE, KEY)
    assert looked(text) == Answer(VALID, BADGE, commitment(BADGE))
    assert looked(f" {text}\n").state == VALID  # as it is pasted
    assert looked(text, on=date(2025, 8, 20)).state == VALID
    assert looked(text, on=date(2025, 8, 21)).state == ENDED
    assert looked(text, suspended={commitment(BADGE): True}).state == SUSPENDED
    assert looked(text, codes={"qala": True}).state == SUSPENDED
    assert looked(text, suspended={commitment(BADGE): False}, codes={"qala": False}).state == VALID


def test_another_key_another_poll_and_a_changed_name_are_forged() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
    assert looked(write(BADGE, other)).state == FORGED
    assert looked(write(replace(BADGE, poll="kz/other"), KEY)).state == FORGED
    assert looked(write(BADGE, KEY).replace("Әлия", "Алия")).state == FORGED


def test_a_badge_for_one_station_says_so_and_the_station_is_signed() -> None:
    text = write(replace(BADGE, station="750101"), KEY)
    found = looked(text).badge
    assert found is not None and found.station == "750101"
    said = json.loads(text)
    del said["station"]
    assert looked(json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)).state == FORGED


@given(st.data())
def test_no_change_of_a_character_is_valid(data: st.DataObject) -> None:
    text = write(BADGE, KEY)
    place = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.characters(codec="utf-8", exclude_characters=text[place]))
    changed = text[:place] + char + text[place + 1 :]
    try:
        assert looked(changed).state != VALID or changed.strip() == text
    except BadInput as fault:
        assert fault.check == "O.014"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "no badge", '{"badge":1}', "\ud800", '{"badge":"qala/1","sig":"AA=="}', "{" * 2000]
)
def test_what_is_no_badge_is_said_to_be_none(text: str) -> None:
    with pytest.raises(BadInput, match=r"O\.014"):
        looked(text)


def test_a_name_is_needed_and_fits() -> None:
    for name in ("", " ", "x" * 121, "line\nfeed"):
        with pytest.raises(BadInput, match=r"O\.013"):
            write(replace(BADGE, name=name), KEY)
    assert len(write(replace(BADGE, name="Ә" * 120, of="Қ" * 120), KEY).encode()) <= LONGEST
    with pytest.raises(BadInput, match=r"O\.013"):
        write(replace(BADGE, of="Қ" * 400), KEY)


def test_the_code_is_a_picture_in_the_page_that_holds_the_text() -> None:
    import segno

    text = write(BADGE, KEY)
    assert read(text)[0] == BADGE
    drawn = picture(text)
    assert drawn.startswith("<svg") and "http" not in drawn.replace("http://www.w3.org", "")
    assert int(segno.make(text, error="m", micro=False).version) <= 20  # what a phone reads from paper
