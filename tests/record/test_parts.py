"""An entry longer than 65,535 bytes stands in the record in parts, and is read whole, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.record.canonical import canonical
from dauys.record.entry import MAX_ENTRY_BYTES, Entry, EntryError, check_signature, sign_entry
from dauys.record.parts import CHARACTERS, PART, Joining, joined, parts_of, sign_whole, whole

KEY = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
PUBLIC = KEY.public_key().public_bytes_raw()
AT = "2022-06-05T07:00:00+06:00"


def long(kind: str = "poll", text: str = 'Ауыл 🗳 "\\') -> Entry:
    return Entry("x/test", kind, kind, AT, "commission", {"names": {"kk": text * 20_000}, "stations": 7})


def small() -> Entry:
    return replace(long(), body={"stations": 7})


def test_what_fits_is_one_entry_as_ever() -> None:
    assert sign_whole(small(), KEY) == [sign_entry(small(), KEY)]
    room = MAX_ENTRY_BYTES - sign_entry(replace(long(), body={"x": ""}), KEY).size()
    assert len(sign_whole(replace(long(), body={"x": "a" * room}), KEY)) == 1
    assert len(sign_whole(replace(long(), body={"x": "a" * (room + 1)}), KEY)) > 1


@pytest.mark.parametrize("character", ["a", '"', "\\", "\x01", "Ә", "\u2028", "🗳"])
def test_every_part_fits_whatever_is_in_it(character: str) -> None:
    entry = long(text=character)
    written = sign_whole(entry, KEY)
    assert [one.kind for one in written[1:]] == [PART] * parts_of(written[0])
    assert max(len(one.to_bytes()) for one in written) <= MAX_ENTRY_BYTES
    found = list(whole(one.to_bytes() for one in written))
    assert [seq for seq, _ in found] == list(range(len(written)))
    assert found[0][1].body == entry.body
    assert (found[0][1].parts, found[0][1].to_bytes()) == (len(written) - 1, written[0].to_bytes())
    assert all(check_signature(one, PUBLIC) for _, one in found)


def test_other_kinds_have_no_parts() -> None:
    [one] = sign_whole(long("protocol"), KEY)
    with pytest.raises(EntryError, match="split it"):
        one.to_bytes()
    assert parts_of(replace(small(), kind="protocol", body={"parts": 3, "sha256": "00"})) == 0


def broken() -> dict[str, list[Entry]]:
    head, first, *others = sign_whole(long(), KEY)

    def said(text: str) -> Entry:
        return replace(head, body={"parts": 1, "sha256": sha256(text.encode()).hexdigest()})

    return {
        "one is missing": [head, first, *others[1:]],
        "the last is missing": [head, first, *others[:-1]],
        "two change places": [head, others[0], first, *others[1:]],
        "of another author": [head, replace(first, by="s1"), *others],
        "of another time": [head, replace(first, at="2022-06-05T07:00:01+06:00"), *others],
        "with more in it": [head, replace(first, body={"text": first.body["text"], "more": 1}), *others],
        "not a text": [head, replace(first, body={"text": 1}), *others],
        "another text": [head, replace(first, body={"text": " " + first.body["text"]}), *others],
        "another hash": [replace(head, body={**head.body, "sha256": "00" * 32}), first, *others],
        "no object": [said("[]"), replace(first, body={"text": "[]"})],
        "not canonical": [said('{ "a":1}'), replace(first, body={"text": '{ "a":1}'})],
        "half a character": [said("?"), replace(first, body={"text": '"\ud800"'})],
    }


@pytest.mark.parametrize("fault", broken())
def test_parts_that_are_not_those_of_the_entry_are_not_joined(fault: str) -> None:
    head, *parts = broken()[fault]
    with pytest.raises(EntryError):
        joined(head, parts)
    joining = Joining()
    found = [one for seq, entry in enumerate([head, *parts, small()]) for one in joining.take(seq, entry)]
    assert found + joining.rest() == list(enumerate([head, *parts, small()]))


@pytest.mark.parametrize("parts", [0, -1, True, "2", None, 2.0])
def test_a_number_of_parts_that_is_none(parts: object) -> None:
    assert parts_of(replace(small(), body={"parts": parts, "sha256": "00"})) == 0


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["small", "whole", "torn", "stray"]), max_size=8), st.integers(1, 4))
def test_a_stream_is_given_in_order_and_nothing_is_lost(kinds: list[str], parts: int) -> None:
    text = canonical({"names": {"kk": "х" * 40}}).decode()
    step, digest = -(-len(text) // parts), sha256(text.encode()).hexdigest()
    texts = [text[at : at + step] for at in range(0, len(text), step)]
    stream: list[Entry] = []
    expected = 0
    for n, kind in enumerate(kinds):
        name = f"declaration/{n}"
        head = Entry("x/test", "declaration", name, AT, "commission", {"parts": len(texts), "sha256": digest})
        tail = [replace(head, kind=PART, id=f"part/{name}/{k}", body={"text": t}) for k, t in enumerate(texts, 1)]
        chosen = {"small": [small()], "whole": [head, *tail], "torn": [head, *tail[:-1]], "stray": tail[:1]}[kind]
        expected += kind == "whole"
        stream += chosen
    found = list(whole(entry.to_bytes() for entry in stream))
    assert [(seq, one.id) for seq, one in found] == [(seq, one.id) for seq, one in enumerate(stream)]
    assert sum(json.loads(canonical(one.body)) == json.loads(text) for _, one in found) == expected
    assert CHARACTERS * 4 < MAX_ENTRY_BYTES
