"""Entries about observers: what each may say, who may say it, and every planted fault is found by both verifiers (V.15)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.polls.replay import Replay
from dauys.record.canonical import canonical
from dauys.record.entry import Entry, sign_entry
from dauys.registers.poll import COMMISSION, Poll, Station
from dauys.registers.poll_file import find_poll, read_poll
from independent_observers import observers
from independent_verifier import Bundle, good
from independent_verifier import canonical as canonical_there

POLL: Poll = read_poll(find_poll("kz/2022-referendum")).poll
CONTEST = POLL.contests[0].id
HERE, THERE = POLL.areas[0].code, POLL.areas[1].code
AT = "2022-06-05T21:00:00+06:00"
VALUES = {
    "eligible": 1000,
    "received": 700,
    "participated": 690,
    "yes": 500,
    "no": 150,
    "invalid": 30,
    "not_counted": 10,
}
AFTER = VALUES | {"yes": 490, "no": 160}
HASH = sha256(b"frame").hexdigest()
LIST = sha256(f"id,area,eligible,abroad\ns1,{HERE},1000,0\ns2,{THERE},1000,0\n".encode()).hexdigest()
SEED = "quiet rivers"
COMMISSION_KEY, MISSION_KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))

Log = list[dict[str, Any]]


def public(key: Ed25519PrivateKey) -> str:
    return b64encode(key.public_key().public_bytes_raw()).decode()


def organisation(code: str = "qala", key: Ed25519PrivateKey = MISSION_KEY, **more: Any) -> dict[str, Any]:
    body = {
        "code": code, "names": {"en": "City Watch"}, "kind": "association", "scope": ["*"], "key": public(key),
        "until": "2023-05-20", "reason": "the charter names observing", "cite": "Elections law 20-1",
    }  # fmt: skip
    return {"kind": "organisation", "id": f"organisation/{code}", "by": COMMISSION, "body": body | more}


def sent(
    kind: str, place: str, key: Ed25519PrivateKey = MISSION_KEY, code: str = "qala", /, **body: Any
) -> dict[str, Any]:
    return {
        "kind": kind, "id": f"{kind}/{place}", "by": f"organisation/{code}", "key": key,
        "body": {"organisation": code, **body},
    }  # fmt: skip


def own(kind: str, place: str, /, **body: Any) -> dict[str, Any]:
    return {"kind": kind, "id": f"{kind}/{place}", "by": COMMISSION, "body": body}


def observation(station: str, of: int | None, n: int = 1, **fields: tuple[int, int | None]) -> dict[str, Any]:
    pairs = {name: {"copy": copy, "published": published} for name, (copy, published) in fields.items()}
    return sent(
        "observation", f"qala/{CONTEST}/{station}/{n}", contest=CONTEST, station=station, of=of, fields=pairs,
        photos=[HASH], note="the copy on the wall",
    )  # fmt: skip


def good_log() -> Log:
    """A record in which everything about observers is right. Places are named in the comments."""
    stations = [Station("s1", HERE, 1000).to_json(), Station("s2", THERE, 1000).to_json()]
    protocol = {"contest": CONTEST, "station": "s1"}
    return [
        own("poll", "", **POLL.to_json(), keys={COMMISSION: public(COMMISSION_KEY)}, stations=2) | {"id": "poll"},
        own("stations", "1", stations=stations),  # 1
        organisation(),  # 2
        own("organisation-refused", "1", names={"en": "X"}, kind="foreign", reasons=[{"why": "late", "cite": "20-2"}]),
        sent(
            "observer-sample", "qala/1", frame_sha256=LIST, record_size=2, design={"n": 1}, stations=1,
            commitment=sha256(SEED.encode()).hexdigest(),
        ),  # 4
        own("protocol", f"{CONTEST}/s1", **protocol, values=VALUES),  # 5
        sent("observer-seed", "qala/1", of=4, seed=SEED),  # 6
        observation("s1", 5, yes=(490, 500), no=(160, 150), delivered=(900, None)),  # 7
        own("closing", "") | {"id": "closing"},  # 8
        own("correction", f"{CONTEST}/s1/1", **protocol, of=5, before=VALUES, after=AFTER, reason="the copy is right"),  # 9
        own("observation-answer", "7/1", of=7, answer="corrected", because=9, reason="the station's copy was read again"),
        observation("s1", 9, 2, yes=(490, 490)),  # 11
        observation("s2", None, yes=(10, None)),  # 12
        sent(
            "observer-audit", f"qala/{CONTEST}/1", contest=CONTEST, name="paper", method="macro",
            commitment=sha256(b"dice").hexdigest(), plan={"risk": "1/20"}, result={},
        ),  # 13
        sent(
            "observer-audit", f"qala/{CONTEST}/2", contest=CONTEST, name="paper", method="macro", seed="dice",
            plan={"risk": "1/20"}, result={"p": "1/100"},
        ),  # 14
        sent("observer-report", "qala/1", sha256=HASH, title="What was seen", log_size=40, log_head=HASH),  # 15
        own("badge-suspended", f"{HASH}/1", organisation="qala", badge=HASH, suspended=True, reason="lost", cite=""),
        own("organisation-suspended", "qala/1", organisation="qala", suspended=True, reason="x", cite="20-1"),  # 17
        own("organisation-suspended", "qala/2", organisation="qala", suspended=False, reason="court", cite=""),  # 18
        observation("s2", None, 2, yes=(11, None)),  # 19
    ]  # fmt: skip


def signed(log: Log) -> list[Entry]:
    entries = []
    for one in log:
        entry = Entry(POLL.id, one["kind"], one["id"], one.get("at", AT), one["by"], one["body"])
        entries.append(sign_entry(entry, one.get("key", COMMISSION_KEY)))
    return entries


def ours(log: Log) -> dict[str, list[int]]:
    """The numbers of checks that fail in the package's fold, and at which entries."""
    replay = Replay()
    for seq, entry in enumerate(signed(log)):
        replay.apply(seq, entry)
    replay.check_list()
    replay.check_identities()
    found: dict[str, list[int]] = {}
    for fault in replay.faults:
        found.setdefault(fault.check, []).append(fault.seq)
    return found


def theirs(log: Log) -> list[str]:
    """What the second verifier says is wrong about observers."""
    bundle = Bundle("")
    bundle.parsed = [json.loads(entry.to_bytes()) for entry in signed(log)]
    bundle.poll = bundle.parsed[0]["body"]
    bundle.contests = {contest["id"]: contest for contest in bundle.poll["contests"]}
    bundle.stations = {one["id"]: one for one in bundle.parsed[1]["body"]["stations"]}
    return [problem for fine, problem in observers(bundle, good, canonical_there) if not fine]


def test_a_right_record_has_no_fault() -> None:
    assert ours(good_log()) == {}
    assert theirs(good_log()) == []


def forged(log: Log) -> int:
    log[7]["key"] = OTHER_KEY
    return 7


def by_the_commission(log: Log) -> int:
    log[7] |= {"by": COMMISSION, "key": COMMISSION_KEY}
    return 7


def suspended_sender(log: Log) -> int:
    del log[18]
    return 18


def refused_sender(log: Log) -> int:
    log.append(sent("observer-report", "x/1", OTHER_KEY, "x", sha256=HASH, title="t", log_size=1, log_head=HASH))
    return len(log) - 1


def before_accreditation(log: Log) -> int:
    log[2], log[4] = log[4], log[2]
    log[4]["id"] = "organisation/qala"
    return 2


def in_anothers_name(log: Log) -> int:
    log.append(organisation("other", OTHER_KEY))
    log.append(observation("s1", 9, 3, yes=(490, 490)) | {"by": "organisation/other", "key": OTHER_KEY})
    return len(log) - 1


def published_otherwise(log: Log) -> int:
    log[7]["body"]["fields"]["yes"]["published"] = 501
    return 7


def published_where_nothing_is(log: Log) -> int:
    log[7]["body"]["fields"]["delivered"]["published"] = 0
    return 7


def another_stations_protocol(log: Log) -> int:
    log[12]["body"] |= {"of": 9, "fields": {"yes": {"copy": 10, "published": 490}}}
    return 12


def a_later_protocol(log: Log) -> int:
    log[7]["body"]["of"] = 9
    return 7


def a_second_sample(log: Log) -> int:
    sample = log[4]["body"]
    again = {name: value for name, value in sample.items() if name not in ("organisation", "commitment")}
    log.append(sent("observer-sample", "qala/2", **again, commitment=sha256(b"another").hexdigest()))
    return len(log) - 1


def another_seed(log: Log) -> int:
    log[6]["body"]["seed"] = "loud rivers"
    return 6


def a_seed_of_no_sample(log: Log) -> int:
    log[6]["body"]["of"] = 3
    return 6


def another_list(log: Log) -> int:
    log[4]["body"]["frame_sha256"] = HASH
    return 4


def a_list_of_a_later_record(log: Log) -> int:
    log[4]["body"]["record_size"] = 5
    return 4


def another_audit_seed(log: Log) -> int:
    log[14]["body"]["seed"] = "loaded dice"
    return 14


def outside_its_territory(log: Log) -> int:
    log[2]["body"]["scope"] = [HERE]
    log[19]["body"]["station"], log[19]["id"] = "s2", f"observation/qala/{CONTEST}/s2/2"
    del log[12]
    log[9]["body"]["of"] = 5
    return 18


def after_its_time(log: Log) -> int:
    log[19]["at"] = "2023-05-21T00:30:00+06:00"
    return 19


def an_answer_to_nothing(log: Log) -> int:
    log[10]["body"]["of"], log[10]["id"] = 5, "observation-answer/5/1"
    return 10


def a_correction_of_another_place(log: Log) -> int:
    log[10]["body"]["because"] = 5
    return 10


def a_correction_unnamed(log: Log) -> int:
    log[10]["body"]["because"] = None
    return 10


def suspended_twice(log: Log) -> int:
    log[18]["body"]["suspended"] = True
    return 18


def a_coalition_led_by_nobody(log: Log) -> int:
    log.append(organisation("other", OTHER_KEY, coalition="nobody"))
    return len(log) - 1


FAULTS: list[Callable[[Log], int]] = [
    forged, by_the_commission, suspended_sender, refused_sender, before_accreditation, in_anothers_name,
    published_otherwise, published_where_nothing_is, another_stations_protocol, a_later_protocol, another_seed,
    a_second_sample,
    a_seed_of_no_sample, another_list, a_list_of_a_later_record, another_audit_seed, outside_its_territory, after_its_time, an_answer_to_nothing,
    a_correction_of_another_place, a_correction_unnamed, suspended_twice, a_coalition_led_by_nobody,
]  # fmt: skip


@pytest.mark.parametrize("plant", FAULTS)
def test_a_planted_fault_is_found_by_both(plant: Callable[[Log], int]) -> None:
    log = good_log()
    place = plant(log)
    assert place in ours(log).get("V.15", []), ours(log)
    assert any(log[place]["id"] in problem for problem in theirs(log)), theirs(log)


def test_the_commission_alone_accredits() -> None:
    log = good_log()
    log.append(organisation("own", OTHER_KEY) | {"by": "organisation/qala", "key": MISSION_KEY})
    assert ours(log) == {"V.06": [20]}


MISSHAPEN: list[tuple[int, dict[str, Any]]] = [
    (2, {"code": "Qala"}),
    (2, {"kind": "state"}),
    (2, {"scope": ["nowhere"]}),
    (2, {"scope": []}),
    (2, {"until": "soon"}),
    (2, {"key": "AAAA"}),
    (2, {"names": {}}),
    (3, {"reasons": []}),
    (4, {"commitment": SEED}),
    (4, {"stations": -1}),
    (6, {"of": True}),
    (7, {"contest": "another"}),
    (7, {"observer": "a name"}),
    (7, {"fields": {"maybe": {"copy": 1, "published": None}}}),
    (7, {"fields": {"yes": {"copy": 1}}}),
    (7, {"fields": {}, "photos": [], "note": " "}),
    (7, {"of": None}),
    (10, {"answer": "perhaps"}),
    (14, {"name": ""}),
    (15, {"log_head": "x"}),
]


@pytest.mark.parametrize(("place", "change"), MISSHAPEN)
def test_what_has_not_the_shape_of_its_kind_is_a_fault(place: int, change: dict[str, Any]) -> None:
    log = good_log()
    log[place]["body"] |= change
    assert place in ours(log).get("V.05", [])


def test_an_audit_has_its_seed_or_a_commitment() -> None:
    log = good_log()
    del log[14]["body"]["seed"]
    assert 14 in ours(log)["V.05"]


def test_entries_are_canonical() -> None:
    for entry in signed(good_log()):
        assert Entry.from_bytes(entry.to_bytes()) == entry
        assert canonical(json.loads(entry.to_bytes())) == entry.to_bytes()
