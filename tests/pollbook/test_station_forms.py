"""Is whatever may be typed into the officers' forms answered, and is a ballot signed for by who hands it out?"""

from __future__ import annotations

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pollbook_sample import who
from station_tablet import Tablet
from station_world import PIN, Clock, iin

from dauys.page_forms import LANGUAGES
from dauys.pollbook.log.member_keys import hand_out_bytes, officer_key_bytes
from dauys.pollbook.machine import acts
from dauys.pollbook.station.door import Door
from dauys.pollbook.station.keys import fingerprint
from dauys.pollbook.station.visit import Station

FORMS = ("/find", "/hand-out", "/undo", "/mobile", "/certificate", "/certificate-back", "/queue", "/ballots", "/protocol", "/elsewhere",
         "/elsewhere/ask", "/envelope", "/day", "/pin", "/officers")  # fmt: skip
TYPED = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "0", "-1", "9" * 5_000, "²", str(who(1)), iin(1), "mobile", "\0", "\ud7ff"]),
)
NAMES = ("text", "who", "salt", "n", "reason", "other", "number", "count", "what", "seen", "member", "second", "channel",
         "iin", "id", "request", "pin", "again", "officer", "received", "born", "surname", "given", "sure")  # fmt: skip


@given(
    path=st.sampled_from(FORMS), fields=st.dictionaries(st.sampled_from(NAMES), TYPED, max_size=6), chair=st.booleans()
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_is_answered(station: Station, path: str, fields: dict[str, str], chair: bool) -> None:
    tablets = station.__dict__.setdefault("_tablets", {})
    tablet = tablets.get(chair) or tablets.setdefault(chair, Tablet(station, "c1" if chair else "m1"))
    if path == "/officers":
        fields = fields | {"officer": "nobody"}  # a true first PIN would sign the test out
    session = station.door.session(next(iter(tablet.client.cookies.values())))
    assert session is not None
    answer = tablet.client.post(f"/en{path}", data={"mark": session.mark, **fields})
    assert answer.status_code in (200, 303, 403, 409, 422), answer.text
    assert "Traceback" not in answer.text


def test_a_member_signs_with_a_key_of_his_own(station: Station, clock: Clock) -> None:
    """Made, shown, used, replaced by its own signature; closed after a restart, and gone with a forgotten PIN."""
    book, tablet = station.keep.book, Tablet(station, "m1")

    def make(on: Tablet, pin: str = PIN) -> int:
        return on.post("/key", **on.fields("/key", "/key"), pin=pin).status_code

    assert "You have none" in tablet.get("/key").text and make(tablet, "0000") == 401 and not book.keys
    assert make(tablet) == 303
    first = book.keys["m1"]
    assert fingerprint(first.key) in tablet.get("/key").text and not first.signed
    tablet.hand_out(20)
    one = station.keep.events()[-1]
    verify = Ed25519PublicKey.from_public_bytes(first.key).verify
    verify(b64decode(one.body["sig"]), hand_out_bytes(book.log, one.body))
    tap = tablet.fields("/key", "/key")
    for _ in range(2):  # the same tap twice is one new key
        assert tablet.post("/key", **tap, pin=PIN).status_code == 303
    second, announced = book.keys["m1"], station.keep.events()[-1]
    assert second.signed and second.n == announced.n == one.n + 1
    verify(b64decode(announced.body["sig"]), officer_key_bytes(book.log, announced.body))
    assert fingerprint(second.key) in Tablet(station, "m2").get("/key").text
    # the program starts again: the cookie is good, the key is closed until he signs in
    station.door = Door(station.keep, clock)
    assert "your key is closed" in tablet.hand_out(21).text and who(21) not in book.used_by
    again = Tablet(station, "m1")
    assert again.hand_out(21).status_code == 303 and who(21) in book.used_by
    # a PIN of his own opens the same key; a first PIN from the chair opens none, and the new key says so
    assert again.post("/pin", pin="482915", again="482915", present=PIN).status_code == 303
    assert station.door.sign_in("m1", "482915").signing is not None
    forgot = station.door.sign_in("m1", station.door.first_pin("m1"))
    assert forgot.signing is None
    station.door.choose(forgot, "739152", "739152")
    last = Tablet(station)
    assert last.client.post("/en/in", data={"officer": "m1", "pin": "739152"}).status_code == 303
    assert make(last, "739152") == 303 and not book.keys["m1"].signed and last.hand_out(22).status_code == 303
    with pytest.raises(acts.Refused, match=r"P\.042"):
        acts.do_officer_key(book, "m1", bytes(32), at=clock(), sign=Ed25519PrivateKey.generate().sign)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_of_keys_is_in_every_language(station: Station, lang: str) -> None:
    assert Tablet(station, "m1", lang).get("/key").status_code == 200
