"""Hashes and seals: against RFC 4231, the standard library, and AES-GCM used directly; and what errors say."""

from __future__ import annotations

import hmac
import json
import pickle
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from dauys.roll.vault import VaultError, keyed, load_vault, make_vault, new_vault

PERSON = '{"iin":"791028302728","surname":"Ахметов"}'.encode()
VOTER = bytes(16)


def test_hmac_vectors_of_rfc_4231() -> None:
    assert keyed(b"Jefe")([b"what do ya want for nothing?"])[0].hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert (
        keyed(b"\x0b" * 20, b"Hi ")([b"There"])[0].hex()
        == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    )


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_hmac_is_that_of_the_standard_library(key: bytes, message: bytes) -> None:
    assert keyed(key)([message])[0] == hmac.digest(key, message, "sha256")


def test_ids_are_as_the_contract_says(tmp_path: Path) -> None:
    vault = make_vault(tmp_path / "keys/roll.key")
    index = b64decode(json.loads((tmp_path / "keys/roll.key").read_text())["index"])
    voter = hmac.new(index, b"iin:791028302728", sha256).digest()[:16]
    assert vault.voter("791028302728") == voter
    expected = hmac.new(index, b"entitlement:kz/x:" + voter, sha256).digest()[:16]
    assert vault.entitlement("kz/x", voter) == expected


def test_a_sealed_person_opens_with_the_key_of_the_file_alone(tmp_path: Path) -> None:
    sealed = make_vault(tmp_path / "roll.key").seal(VOTER, PERSON)
    key = b64decode(json.loads((tmp_path / "roll.key").read_text())["seal"])
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], VOTER) == PERSON
    assert load_vault(tmp_path / "roll.key").open(VOTER, sealed) == PERSON


@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_a_changed_or_moved_seal_does_not_open(plain: bytes, place: int) -> None:
    vault = new_vault()
    sealed = vault.seal(VOTER, plain)
    assert vault.open(VOTER, sealed) == plain
    broken = bytearray(sealed)
    broken[place % len(broken)] ^= 1
    for voter, data in ((VOTER, bytes(broken)), (b"\1" * 16, sealed), (VOTER, sealed[:20]), (VOTER, b"")):
        with pytest.raises(VaultError):
            vault.open(voter, data)


def test_the_same_person_is_the_same_bytes_and_another_is_not() -> None:
    vault = new_vault()
    assert vault.seal(VOTER, PERSON) == vault.seal(VOTER, PERSON)
    nonces = {vault.seal(VOTER, PERSON + bytes([n]))[:12] for n in range(256)}
    assert len(nonces) == 256 and vault.seal(b"\1" * 16, PERSON)[:12] not in nonces


def test_nothing_of_keys_or_persons_is_printed(tmp_path: Path) -> None:
    vault = make_vault(tmp_path / "roll.key")
    assert repr(vault) == str(vault) == "Vault"
    sealed = vault.seal(VOTER, PERSON)
    with pytest.raises(VaultError) as refused:
        new_vault().open(VOTER, sealed)
    assert "791028302728" not in str(refused.value) and refused.value.__cause__ is None
    assert pickle.loads(pickle.dumps(vault)).open(VOTER, sealed) == PERSON


def test_the_key_file_is_private_and_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "roll.key"
    make_vault(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(VaultError, match="there already"):
        make_vault(path)
    path.chmod(0o644)
    with pytest.raises(VaultError, match="chmod 600"):
        load_vault(path)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"index": 1}', '{"index": "AAAA", "seal": "AAAA", "block": "AAAA"}', "\udcff"]
)
def test_a_broken_key_file_is_one_message(tmp_path: Path, text: str) -> None:
    path = tmp_path / "roll.key"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    path.chmod(0o600)
    with pytest.raises(VaultError):
        load_vault(path)
    with pytest.raises(VaultError, match="backup"):
        load_vault(tmp_path / "other.key")
