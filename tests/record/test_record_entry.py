"""Does an entry mean one sequence of bytes, and does its signature cover all of them? Oracle: `rfc8785`."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import DauysError
from dauys.record.entry import MAX_ENTRY_BYTES, Entry, check_signature, sign_entry

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
ENTRY = Entry("kz/x", "protocol", "protocol/q/1", "2022-06-05T20:30:00+06:00", "station/1", {"values": {"да": 1}})
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES, NAMES, NAMES, st.dictionaries(NAMES, st.integers(0, 10**9), max_size=5), st.booleans())
def test_bytes_are_canonical_and_read_back(poll, kind, name, by, body, signed):
    entry = Entry(poll, kind, name, ENTRY.at, by, body)
    entry = sign_entry(entry, KEY) if signed else entry
    members = {"poll": poll, "kind": kind, "id": name, "at": ENTRY.at, "by": by, "body": body}
    if signed:
        members["sig"] = base64.b64encode(KEY.sign(rfc8785.dumps(members))).decode()
    assert entry.to_bytes() == rfc8785.dumps(members)
    read = Entry.from_bytes(entry.to_bytes())
    assert read == entry
    assert read.signed_bytes() == rfc8785.dumps({key: value for key, value in members.items() if key != "sig"})
    assert check_signature(entry, PUBLIC) is check_signature(read, PUBLIC) is signed


@pytest.mark.parametrize("member", ["poll", "kind", "id", "by"])
def test_a_signature_covers_every_member(member):
    signed = sign_entry(ENTRY, KEY)
    assert not check_signature(replace(signed, **{member: "other"}), PUBLIC)
    assert not check_signature(replace(signed, at="2022-06-05T20:30:01+06:00"), PUBLIC)
    assert not check_signature(replace(signed, body={"values": {"да": 2}}), PUBLIC)
    assert not check_signature(signed, Ed25519PrivateKey.generate().public_key().public_bytes_raw())


def test_the_receiver_adds_its_checks_outside_the_signature():
    signed = sign_entry(ENTRY, KEY)
    marked = replace(signed, checks=("F.101", "W.203"))
    assert check_signature(marked, PUBLIC)
    assert marked.to_bytes() == rfc8785.dumps(json.loads(signed.to_bytes()) | {"checks": ["F.101", "W.203"]})
    read = Entry.from_bytes(marked.to_bytes())
    assert read == marked
    assert read.signed_bytes() == ENTRY.signed_bytes() == signed.signed_bytes()
    assert check_signature(read, PUBLIC)
    assert Entry.from_bytes(replace(ENTRY, checks=("W.203",)).to_bytes()).checks == ("W.203",)


def test_a_bad_public_key_is_an_error():
    with pytest.raises(DauysError, match="not an Ed25519 public key"):
        check_signature(sign_entry(ENTRY, KEY), b"short")


def test_an_entry_fits_a_bundle_or_is_refused():
    empty = len(replace(ENTRY, body={"x": ""}).to_bytes())
    whole = replace(ENTRY, body={"x": "a" * (MAX_ENTRY_BYTES - empty)})
    assert len(whole.to_bytes()) == 65_535
    assert Entry.from_bytes(whole.to_bytes()) == whole
    over = replace(ENTRY, body={"x": "a" * (MAX_ENTRY_BYTES - empty + 1)})
    with pytest.raises(DauysError, match="65,536 bytes, more than 65,535; split it"):
        over.to_bytes()
    with pytest.raises(DauysError, match="65,536 bytes"):
        Entry.from_bytes(rfc8785.dumps(json.loads(ENTRY.to_bytes()) | {"body": over.body}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "found at, body, by, extra, id"),
        ({"poll": None}, "'poll' of an entry is text"),
        ({"id": ""}, "'id' of an entry is text"),
        ({"body": [1]}, "is an object"),
        ({"at": "2022-06-05T20:30:00"}, "expected ISO 8601 with an offset"),
        ({"at": "yesterday"}, "expected ISO 8601 with an offset"),
        ({"at": 5}, "expected ISO 8601 with an offset"),
        ({"checks": []}, "list of check numbers"),
        ({"checks": ["F.101", 5]}, "list of check numbers"),
        ({"checks": "F.101"}, "list of check numbers"),
        ({"sig": None}, "text or absent"),
        ({"sig": ""}, "not base64 of 64 bytes"),
        ({"sig": 5}, "not base64 of 64 bytes"),
        ({"sig": "A" * 87 + "="}, "not base64 of 64 bytes"),
    ],
)
def test_other_members_are_refused(change, message):
    with pytest.raises(DauysError, match=message):
        Entry.from_bytes(rfc8785.dumps(json.loads(ENTRY.to_bytes()) | change))


@pytest.mark.parametrize("data", [b"[]", b"{}", b"1", b"", ENTRY.to_bytes()[:-1], ENTRY.to_bytes() + b" "])
def test_other_bytes_are_refused(data):
    with pytest.raises(DauysError):
        Entry.from_bytes(data)


def test_a_float_is_refused():
    with pytest.raises(DauysError, match="whole number"):
        replace(ENTRY, body={"share": 0.77}).to_bytes()
