"""A station's package: sealed by a code, signed by the centre, read strictly; the enrolment that answers it."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st
from pollbook_sample import CENTRE, key, package, voter

from dauys.errors import BadInput, DauysError
from dauys.pollbook.log.events import LogId
from dauys.pollbook.wire.package import Enrolment, Package, enrolment, new_code, proof_key, proves, seal, unseal
from dauys.record.canonical import canonical, parse

CODE, SALT, NONCE = new_code(b"0123456789abcdef"), b"s" * 16, b"n" * 12
SEALED = seal(package(), CODE, CENTRE, SALT, NONCE)


def test_a_package_opens_with_its_code_and_says_the_same() -> None:
    assert unseal(SEALED, CODE) == package()
    assert unseal(SEALED, CODE.lower().replace("-", " ")) == package()
    for text in ("Ахметов", "9001015", "Aigul", CODE):
        assert text.encode() not in SEALED


def test_the_seal_is_what_the_module_says() -> None:
    """Opened here by the description alone."""
    outer = json.loads(SEALED)
    log = LogId("test/pollbook", "1", 1)
    info = b"dauys pollbook package v1\0seal\0" + log.start.encode()
    opened = HKDF(SHA256(), 32, b64decode(outer["salt"]), info).derive(b"0123456789abcdef")
    header = canonical({name: outer[name] for name in ("dauys", "poll", "station", "generation", "salt")})
    sealed = b64decode(outer["sealed"])
    content = json.loads(AESGCM(opened).decrypt(sealed[:12], sealed[12:], header))
    assert [line["iin"] for line in content["voters"]] == [voter(n).iin for n in range(3)]
    CENTRE.public_key().verify(b64decode(outer.pop("sig")), canonical(outer))


@given(st.integers(0, 100_000), st.integers(1, 255))
@settings(max_examples=80, deadline=None)
def test_any_changed_byte_is_refused(place: int, change: int) -> None:
    data = bytearray(SEALED)
    data[place % len(data)] ^= change
    with pytest.raises(DauysError):
        unseal(bytes(data), CODE)


def test_wrong_codes_and_wrong_signers() -> None:
    other = new_code(b"another code ...")
    for code, check in (
        (other, "P.012"),
        (CODE[:-1] + ("0" if CODE[-1] != "0" else "1"), "P.038"),
        (CODE[:-2], "P.038"),
    ):
        with pytest.raises(BadInput) as error:
            unseal(SEALED, code)
        assert error.value.check == check and "Ахметов" not in str(error.value)
    with pytest.raises(DauysError):
        seal(package(), CODE, key(1), SALT, NONCE)
    outer = parse(SEALED)
    assert isinstance(outer, dict)
    body = {name: value for name, value in outer.items() if name != "sig"}
    forged = {**body, "sig": b64encode(key(1).sign(canonical(body))).decode()}
    with pytest.raises(BadInput, match=r"P\.014"):
        unseal(canonical(forged), CODE)


def test_a_package_of_another_station_does_not_open_under_its_name() -> None:
    outer = parse(SEALED)
    assert isinstance(outer, dict)
    with pytest.raises(BadInput, match=r"P\.012"):
        unseal(canonical({**outer, "station": "2"}), CODE)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff\xfe", SEALED[:-5], SEALED + b"\n", canonical({"dauys": "pollbook package v2"})]
)
def test_what_is_no_package_is_one_message(data: bytes) -> None:
    with pytest.raises(BadInput, match=r"P\.011"):
        unseal(data, CODE)


def test_contents_of_another_shape_are_refused() -> None:
    log, true = package().log, package().content()
    assert Package.of_content(log, true) == package()
    line = true["voters"][0]
    wrong = (
        {"voters": [line, line]}, {"voters": [{**line, "born": "1990-02-30"}]}, {"voters": [{**line, "epoch": True}]},
        {"voters": [{**line, "x": 1}]}, {"voters": None}, {"centre": "AAAA"}, {"lease": "soon"},
        {"officers": [{"id": "m1", "role": "king", "name": "x"}]}, {"officers": true["officers"] * 2},
        {"hours": {"open": "7"}}, {"channels": {}}, {"names": {"kk": "x"}}, {"more": 1},
    )  # fmt: skip
    for change in wrong:
        with pytest.raises(DauysError) as error:
            Package.of_content(log, {**true, **change})
        assert "Ахметов" not in str(error.value) and line["iin"] not in str(error.value)


def test_an_enrolment_proves_the_code_and_nothing_else_does() -> None:
    public = key(1).public_key().public_bytes_raw()
    said = Enrolment.from_bytes(enrolment(SEALED, CODE, public).to_bytes())
    kept = proof_key(CODE, SALT, package().log)
    assert said.key == public and proves(said, kept)
    stranger = key(2).public_key().public_bytes_raw()
    assert not proves(Enrolment(said.log, stranger, said.proof), kept)
    assert not proves(Enrolment(LogId(said.log.poll, "2", 1), said.key, said.proof), kept)
    assert not proves(enrolment(SEALED, new_code(b"another code ..."), stranger), kept)
    assert kept not in SEALED
    for data in (b"", b"{}", said.to_bytes().replace(b'"key":"', b'"key":"A')):
        with pytest.raises(BadInput, match=r"P\.019"):
            Enrolment.from_bytes(data)
