"""Are notes and keys those of C2SP signed-note? Oracles: the vector of Go's `sumdb/note`, and `aics_tlog`."""

from __future__ import annotations

import stat

import aics_tlog
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.record import note
from dauys.record.note import NoteError, SigningKey, VerifierKey

# Key, text and signature as published with golang.org/x/mod/sumdb/note.
GO_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
KEY = SigningKey.from_seed("example.org/log", bytes(range(32)))
OTHER = SigningKey.from_seed("example.org/other", bytes(32))


def test_a_published_note_verifies_and_is_made_again_byte_for_byte():
    key = SigningKey.from_text(GO_KEY)
    assert str(key.vkey) == GO_VKEY
    assert key.to_text() == GO_KEY
    assert note.verify(GO_NOTE, [VerifierKey.parse(GO_VKEY)]) == (key.vkey,)
    assert note.sign(note.parse(GO_NOTE).text, key) == GO_NOTE


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\r").filter(lambda c: c >= " " or c == "\n"))
)
def test_another_implementation_reads_our_notes(text):
    text += "\n"
    signed = note.sign(text, KEY, OTHER)
    assert note.parse(signed).text == text
    assert str(note.parse(signed)) == signed
    theirs = aics_tlog.parse_note(signed)
    assert theirs.text == text
    for key in (KEY, OTHER):
        assert aics_tlog.verify_note(theirs, [aics_tlog.parse_vkey(str(key.vkey))])
        assert aics_tlog.sign_note(text, key.private, key.name).signature == next(
            s.blob for s in note.parse(signed).signatures if s.by(key.vkey)
        )


def test_unknown_signatures_are_ignored_and_bad_ones_of_known_keys_are_not():
    signed = note.sign("text\n", KEY, OTHER)
    assert note.verify(signed, [KEY.vkey]) == (KEY.vkey,)
    assert set(note.verify(signed, [OTHER.vkey, KEY.vkey])) == {KEY.vkey, OTHER.vkey}
    same_name = SigningKey.from_seed(OTHER.name, bytes([7] * 32))
    with pytest.raises(NoteError, match=r"not signed by example.org/other"):
        note.verify(signed, [same_name.vkey])
    with pytest.raises(NoteError, match=r"signature of example.org/log is not valid"):
        note.verify(signed.replace("text\n", "Text\n"), [KEY.vkey])
    good = note.parse(signed)
    forged = note.Signature(OTHER.name, OTHER.vkey.key_id, good.signatures[0].blob)
    with pytest.raises(NoteError, match=r"signature of example.org/other is not valid"):
        note.verify(good.with_signature(forged), [KEY.vkey, OTHER.vkey])
    with pytest.raises(NoteError, match="not signed by any known key"):
        note.verify(signed, [])


def test_a_second_line_of_one_key_replaces_the_first():
    signed = note.parse(note.sign("text\n", KEY, OTHER))
    again = signed.with_signature(signed.signatures[0])
    assert [s.name for s in again.signatures] == [OTHER.name, KEY.name]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("text", "expected text, an empty line"),
        ("text\n\n", "expected text, an empty line"),
        ("text\n\n— name AAAAAAA=", "expected text, an empty line"),
        ("text\n\n- name AAAAAAA=\n", "not a signature line"),
        ("text\n\n— name\n", "not a signature line"),
        ("text\n\n— na+me AAAAAAA=\n", "not a signature line"),
        ("text\n\n— name AAAA\n", "too short"),
        ("text\n\n— name AAAAAAB=\n", "not base64"),
        ("text\n\n— name ÄAAAAAA=\n", "not base64"),
        ("te\txt\n\n— name AAAAAAA=\n", "control characters, found 0x09"),
        ("text\r\n\n— name AAAAAAA=\n", "control characters, found 0x0d"),
        (b"te\xffxt\n\n", "UTF-8"),
        ("text\n\n" + "— name AAAAAAA=\n" * 101, "101 signatures"),
    ],
)
def test_malformed_notes(data, message):
    with pytest.raises(NoteError, match=message):
        note.parse(data)


@pytest.mark.parametrize("text", ["", "no end", "bell\x07\n", "\ud800\n"])
def test_what_cannot_be_signed(text):
    with pytest.raises(NoteError):
        note.sign(text, KEY)


@pytest.mark.parametrize(
    ("vkey", "message"),
    [
        ("nothing", "NAME\\+8 hex digits\\+base64"),
        (GO_VKEY.replace("c74f20a3", "c74f20a4"), "does not fit its id"),
        (GO_VKEY.replace("PeterNeumann", "Peter"), "does not fit its id"),
        (GO_VKEY[:-1], "not base64"),
        (GO_VKEY + "AAAA", "33 bytes|32 bytes"),
        ("a b+c74f20a3+" + GO_VKEY[22:], "neither spaces"),
        ("a+00000000+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "signature type 0x02"),
    ],
)
def test_malformed_keys(vkey, message):
    with pytest.raises(NoteError, match=message):
        VerifierKey.parse(vkey)


def test_a_key_is_saved_for_its_owner_alone_and_never_overwritten(tmp_path):
    path = tmp_path / "log.key"
    KEY.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == KEY.to_text() + "\n"
    assert SigningKey.load(path).vkey == KEY.vkey
    with pytest.raises(NoteError, match="never overwritten"):
        OTHER.save(path)
    assert SigningKey.load(path).vkey == KEY.vkey
    path.chmod(0o644)
    with pytest.raises(NoteError, match="chmod 600"):
        SigningKey.load(path)
    path.chmod(0o600)
    path.write_text(KEY.to_text().replace("example", "exemple"))
    with pytest.raises(NoteError, match="damaged"):
        SigningKey.load(path)
    path.write_bytes(b"\xff")
    with pytest.raises(NoteError, match="cannot be read"):
        SigningKey.load(path)
    with pytest.raises(NoteError, match="cannot be read"):
        SigningKey.load(tmp_path / "none.key")


def test_generated_keys_differ():
    assert SigningKey.generate("a").vkey != SigningKey.generate("a").vkey
    with pytest.raises(NoteError, match="32 bytes, found 5"):
        SigningKey.from_seed("a", b"short")
