"""Does the second verifier accept a good bundle and name each planted fault? The bundles are built with our own record."""

from __future__ import annotations

import csv
import io
import json
import re
import runpy
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from copy import deepcopy
from datetime import date
from fractions import Fraction
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.count.areas import AreaCount, Outstanding
from dauys.count.decision import decide
from dauys.law.decision_rule import DecisionRule
from dauys.record import checkpoint
from dauys.record.checkpoint import Checkpoint
from dauys.record.entry import Entry, sign_entry
from dauys.record.merkle import leaf_hash, root
from dauys.record.note import COSIGNATURE, SigningKey, parse
from dauys.record.tiles import entry_bundle, split_bundle, write_tiles
from dauys.record.witness import cosignature

VERIFIER = Path(__file__).parents[1] / "independent_verifier.py"
BUNDLE = runpy.run_path(str(VERIFIER))["Bundle"]
LOG = SigningKey.from_seed("dauys/x/test", bytes(range(32)))
WITNESS = SigningKey.from_seed("observers.example/w1", bytes([1] * 32), COSIGNATURE)
COMMISSION = Ed25519PrivateKey.from_private_bytes(bytes([2] * 32))
STATION = Ed25519PrivateKey.from_private_bytes(bytes([3] * 32))
AT = "2022-06-05T22:00:00+06:00"
NAMES = {"A": "North", "B": "South", "C": "East"}
FIELDS = ("eligible", "participated", "yes", "no")
LABELS = {"kk": "x", "ru": "x", "en": "x"}
SHARE = {"value": "yes", "of": "participated", "more_than": "1/2"}
RULE = {
    "rule": "x/rule",
    "title": LABELS,
    "since": "1995-11-02",
    "cite": "art. 31",
    "status": "enacted",
    "fields": [
        {"name": "eligible", "role": "register"},
        {"name": "participated", "role": "base"},
        {"name": "yes", "role": "option"},
    ],
    "tests": [
        {
            "name": "held",
            "cite": "art. 31(2)",
            "labels": LABELS,
            "otherwise": "not-held",
            "share": {"value": "participated", "of": "eligible", "more_than": "1/2"},
        },
        {"name": "yes", "cite": "art. 31(3)", "labels": LABELS, "otherwise": "rejected", "tie": "tie", "share": SHARE},
        {
            "name": "areas",
            "cite": "art. 31(3)",
            "labels": LABELS,
            "otherwise": "rejected",
            "areas": {"where": SHARE, "at_least": "2/3"},
        },
    ],
}
FORM = {
    "form": "x/form",
    "cite": "art. 29",
    "status": "enacted",
    "fields": [{"name": name, "role": "option", "labels": LABELS} for name in FIELDS]
    + [{"name": "invalid", "role": "class", "optional": True, "labels": LABELS}],
    "identities": [
        {"number": "F.101", "relation": "participated = yes + no", "cite": "art. 29", "labels": LABELS},
        {"number": "F.102", "relation": "100 * participated <= 100 * eligible", "cite": "art. 29", "labels": LABELS},
        {"number": "F.103", "relation": "invalid + 1 <= participated", "cite": "art. 29", "labels": LABELS},
    ],
}


def values(*numbers):
    return dict(zip(FIELDS, numbers, strict=True))


def signed(kind, name, body, checks=(), by="commission", key=COMMISSION):
    return sign_entry(Entry("x/test", kind, name, AT, by, body, checks=tuple(checks)), key)


def the_poll():
    """The entries of a small poll up to its closing: 3 areas, 7 stations, one in quarantine until it is corrected."""
    held = {
        "s1": ("A", values(100, 80, 50, 30)),
        "s2": ("A", values(100, 60, 40, 20)),
        "s3": ("B", values(200, 150, 70, 80)),
        "s4": ("B", values(100, 70, 60, 10)),
        "s5": ("C", values(50, 40, 10, 30)),
        "s6": ("C", values(50, 40, 15, 24)),
        "s7": ("C", values(50, 30, 10, 20)),
    }
    areas = [{"code": code, "kind": "region", "names": {"en": NAMES[code]}, "weight": "1"} for code in NAMES]
    poll = {
        "day": "2022-06-05",
        "reconstruction": True,
        "areas": areas,
        "ballot_limit": {"share": "101/100", "cite": "art. 20"},
        "contests": [{"id": "q", "question": LABELS, "options": ["yes", "no"], "form": FORM, "rule": RULE}],
        "stations": 7,
        "keys": {"commission": b64encode(COMMISSION.public_key().public_bytes_raw()).decode()},
    }
    key = b64encode(STATION.public_key().public_bytes_raw()).decode()
    stations = [{"id": name, "area": area, "eligible": v["eligible"], "key": key} for name, (area, v) in held.items()]
    entries = [
        signed("poll", "poll", poll),
        signed("stations", "stations/0", {"stations": stations[:4]}),
        signed("stations", "stations/1", {"stations": stations[4:]}),
    ]
    for name, (_, numbers) in held.items():
        checks = ["F.101", "W.201"] if name == "s6" else []
        body = {"station": name, "contest": "q", "values": numbers}
        entries.append(signed("protocol", f"protocol/q/{name}", body, checks, by=name, key=STATION))
    fixed = {"before": held["s6"][1], "after": values(50, 40, 15, 25), "reason": "a misprint"}
    entries.append(signed("correction", "correction/q/s6/1", {"station": "s6", "contest": "q", "of": 8, **fixed}))
    entries.append(signed("closing", "closing", {}))
    return entries


def declared(entries):
    """The declaration after `entries`, counted here by hand; the tests' figures are written down for the good poll."""
    areas, counted, quarantined = {code: Counter(dict.fromkeys(FIELDS, 0)) for code in NAMES}, [], 0
    stations = {s["id"]: s["area"] for e in entries if e.kind == "stations" for s in e.body["stations"]}
    current = {e.body["station"]: e for e in entries if e.kind in ("protocol", "correction")}
    for name, area in stations.items():
        if name in current and any(check.startswith("F") for check in current[name].checks):
            quarantined += 1
        elif name in current:
            counted.append(name)
            areas[area].update(current[name].body.get("values") or current[name].body["after"])
    totals = sum(areas.values(), Counter())
    won = sum(2 * found["yes"] > found["participated"] for found in areas.values())
    tests = [
        {
            "name": "held",
            "value": totals["participated"],
            "needed": totals["eligible"] // 2 + 1,
            "met": True,
            "cite": "art. 31(2)",
        },
        {
            "name": "yes",
            "value": totals["yes"],
            "needed": totals["participated"] // 2 + 1,
            "met": True,
            "cite": "art. 31(3)",
        },
        {"name": "areas", "value": won, "needed": 2, "met": won >= 2, "cite": "art. 31(3)"},
    ]
    part = {
        "contest": "q",
        "stations": {
            "expected": len(stations),
            "counted": len(counted),
            "quarantined": quarantined,
            "missing": len(stations) - len(counted) - quarantined,
        },
        "covers": sha256("\n".join(sorted(counted)).encode()).hexdigest(),
        "totals": dict(totals),
        "areas": [{"code": code, "name": NAMES[code], **found} for code, found in areas.items()],
        "decision": {"outcome": "adopted", "tests": tests},
    }
    return {"stage": "final", "size": len(entries), "contests": [part]}


def publish(folder, entries, declaration=None, earlier=5):
    """Writes the bundle of `entries` and a declaration, with signatures and cosignatures that are all good."""
    declaration = declaration or declared(entries)
    entries = [*entries, signed("declaration", "declaration/final", declaration)]
    data = [entry.to_bytes() for entry in entries]
    tree = write_tiles(folder, data, [earlier])
    note = parse(checkpoint.sign(Checkpoint(LOG.name, tree.size, tree.root()), LOG))
    (folder / "checkpoint").write_text(str(note.with_signature(cosignature(note.text, WITNESS, 1_654_444_800))))
    (folder / "checkpoints").mkdir()
    begun = Checkpoint(LOG.name, earlier, root([leaf_hash(entry) for entry in data[:earlier]]))
    (folder / f"checkpoints/{earlier}").write_text(checkpoint.sign(begun, LOG))
    (folder / "keys.json").write_text(json.dumps({"log": str(LOG.vkey), "witnesses": [str(WITNESS.vkey)]}))
    first = declaration["contests"][0]
    shown = {name: first[name] for name in ("stations", "totals", "areas", "decision")}
    about = {"poll": "x/test", "stage": "final", "reconstruction": True}
    (folder / "results.json").write_text(json.dumps({**about, **shown, "contests": declaration["contests"]}))
    (folder / "README.txt").write_text("A reconstruction.\n")
    current = {e.body["station"]: e.body for e in entries if e.kind in ("protocol", "correction")}
    rows = io.StringIO()
    table = csv.writer(rows, lineterminator="\n")
    table.writerow(["station", "area", "contest", "nature", *FIELDS, "invalid"])
    for station in (s for e in entries if e.kind == "stations" for s in e.body["stations"]):
        body = current.get(station["id"], {})
        numbers = body.get("values") or body.get("after") or {}
        cells = [numbers.get(name, "") for name in (*FIELDS, "invalid")]
        table.writerow([station["id"], station["area"], "q", "reconstruction", *cells])
    (folder / "stations.csv").write_text(rows.getvalue())
    return folder


def answer(folder, *options):
    done = subprocess.run([sys.executable, str(VERIFIER), str(folder), *options], capture_output=True, text=True)
    assert not done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1)
    assert found["ok"] is all(check["ok"] for check in found["checks"])
    return found


def failed(folder, *options):
    return [check["id"] for check in answer(folder, *options)["checks"] if not check["ok"]]


@pytest.fixture
def bundle(tmp_path):
    return publish(tmp_path, the_poll())


def test_it_stands_alone():
    parts = ("independent_reader", "independent_roll", "independent_observers")
    for path in (VERIFIER, *(VERIFIER.with_name(f"{part}.py") for part in parts)):
        text = path.read_text()
        assert len(text.splitlines()) <= 400
        modules = set(re.findall(r"^\s*(?:import|from) ([a-z_0-9]+)", text, re.MULTILINE))
        assert modules <= set(sys.stdlib_module_names) | {"cryptography", *parts}


def test_a_good_bundle(bundle):
    found = answer(bundle, "--key", str(LOG.vkey))
    assert [check for check in found["checks"] if not check["ok"]] == []
    assert [check["id"] for check in found["checks"]] == [f"V.{number:02}" for number in range(1, 16)]


def test_a_bundle_at_an_address(bundle):
    """The same answer as for the folder, word for word; also where something is wrong, or nothing is there."""
    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(bundle)))
    Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    address = f"http://127.0.0.1:{served.server_port}"
    try:
        assert answer(f"{address}/", "--key", str(LOG.vkey)) == answer(bundle, "--key", str(LOG.vkey))
        replace_in(bundle / "results.json", b'"adopted"', b'"rejected"')
        assert failed(address) == failed(bundle) != []
        assert failed(f"{address}/nothing")[0] == "V.01"
    finally:
        served.shutdown()
        served.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        return


def replace_in(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


# What someone without the log's key can do to the files.


def test_a_changed_digit(bundle):
    replace_in(next((bundle / "tile/entries").glob("*.p/13")), b'"yes":50', b'"yes":51')
    assert failed(bundle)[0] == "V.03"
    assert {"V.03", "V.06", "V.08", "V.10"} <= set(failed(bundle))


def test_a_reordered_entry(bundle):
    path = next((bundle / "tile/entries").glob("*.p/13"))
    entries = split_bundle(path.read_bytes())
    entries[3], entries[4] = entries[4], entries[3]
    path.write_bytes(entry_bundle(entries))
    assert failed(bundle) == ["V.03", "V.04"]


def test_a_missing_entry(bundle):
    path = next((bundle / "tile/entries").glob("*.p/13"))
    path.write_bytes(entry_bundle(split_bundle(path.read_bytes())[:-1]))
    assert failed(bundle) == ["V.01"]


@pytest.mark.parametrize("name", ["checkpoint", "keys.json", "results.json", "stations.csv", "tile/0/000.p/13"])
def test_a_missing_file(bundle, name):
    (bundle / name).unlink()
    assert failed(bundle) == (["V.01", "V.02"] if name in ("checkpoint", "keys.json") else ["V.01"])


def test_a_changed_tile(bundle):
    path = bundle / "tile/0/000.p/13"
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    assert failed(bundle) == ["V.03"]


def test_a_forged_checkpoint(bundle):
    other = SigningKey.from_seed(LOG.name, bytes([9] * 32))
    forged = checkpoint.sign(Checkpoint.parse(parse((bundle / "checkpoint").read_text()).text), other)
    (bundle / "checkpoint").write_text(forged)
    assert failed(bundle) == ["V.02"]
    replace_in(bundle / "keys.json", str(LOG.vkey).encode(), str(other.vkey).encode())
    assert failed(bundle) == ["V.04"]  # the earlier checkpoint is still the log's own
    assert failed(bundle, "--key", str(LOG.vkey)) == ["V.02", "V.04"]


def test_a_shortened_checkpoint(bundle):
    replace_in(bundle / "checkpoint", b"\n13\n", b"\n12\n")
    assert failed(bundle) == ["V.01", "V.02"]


def test_a_forged_cosignature(bundle):
    note = parse((bundle / "checkpoint").read_text())
    line = cosignature(note.text + "x\n", WITNESS, 1_654_444_800)
    (bundle / "checkpoint").write_text(str(note.with_signature(line)))
    assert failed(bundle) == ["V.04"]


def test_an_earlier_checkpoint_of_another_record(bundle):
    (bundle / "checkpoints/5").write_text(checkpoint.sign(Checkpoint(LOG.name, 5, bytes(32)), LOG))
    assert failed(bundle) == ["V.04"]


@pytest.mark.parametrize(
    ("name", "old", "new", "number"),
    [
        ("results.json", b'"participated": 140', b'"participated": 141', "V.12"),
        ("results.json", b'"outcome": "adopted"', b'"outcome": "rejected"', "V.12"),
        ("results.json", b'"name": "North"', b'"name": "South"', "V.12"),
        ("results.json", b'"reconstruction": true', b'"reconstruction": false', "V.12"),
        ("stations.csv", b"s1,A,q,reconstruction,100", b"s1,B,q,reconstruction,100", "V.12"),
        ("stations.csv", b",100,80,", b",100,81,", "V.12"),
        ("stations.csv", b"s1,A,q,reconstruction,100,80,50,30,\n", b"", "V.07"),
        ("README.txt", b"reconstruction", b"result", "V.13"),
    ],
)
def test_a_changed_file(bundle, name, old, new, number):
    replace_in(bundle / name, old, new)
    assert failed(bundle) == [number]


# What the holder of all keys can do: everything is signed, and does not agree with itself.


def rebuilt(tmp_path, change):
    """The failed checks of a bundle whose entries or declaration were changed before all was signed."""
    entries = the_poll()
    declaration = deepcopy(declared(entries))
    changed = change(entries, declaration["contests"][0])
    return failed(publish(tmp_path, entries, declared(entries) if changed == "count again" else declaration))


def edit(entries, index, change, **signer):
    old = entries[index]
    body = deepcopy(dict(old.body))
    change(body)
    signer = signer or ({"by": old.by, "key": STATION} if old.kind == "protocol" else {})
    entries[index] = signed(old.kind, old.id, body, old.checks, **signer)


def test_a_declared_sum_that_is_wrong(tmp_path):
    assert rebuilt(tmp_path, lambda _, part: part["totals"].update(yes=256)) == ["V.10"]


def test_territories_swapped_in_the_declaration(tmp_path):
    def change(_, part):
        part["areas"][0]["code"], part["areas"][1]["code"] = "B", "A"

    assert rebuilt(tmp_path, change) == ["V.10"]


def test_territories_swapped_in_the_list(tmp_path):
    def change(entries, _):
        edit(entries, 1, lambda body: body["stations"][0].update(area="B"))

    assert rebuilt(tmp_path, change)[0] == "V.10"


def test_a_station_hidden_from_the_sums(tmp_path):
    def change(entries, _):
        entries.pop(3)
        edit(entries, 9, lambda body: body.update({"of": 7}))

    assert rebuilt(tmp_path, change)[0] == "V.07"


def test_a_station_left_out_and_named_missing(tmp_path):
    def change(entries, _):
        entries.pop(9)  # s7: with 40 voters it can change nothing, 245 of 440 say yes elsewhere
        edit(entries, 2, lambda body: body["stations"][2].update(eligible=40))
        edit(entries, 9, lambda body: body.update({"of": 8}))
        return "count again"

    assert rebuilt(tmp_path, change) == []


def test_what_is_missing_may_decide(tmp_path):
    """Without s4 (100 voters in B) the sums are open: the declaration must say so, and what is decided all the same."""

    def declare(entries, mets, outcome):
        entries.pop(6)
        edit(entries, 9, lambda body: body.update({"of": 7}))
        declaration = declared(entries)
        tests = declaration["contests"][0]["decision"]["tests"]
        # held: 400 of 550, at least 400 of 650; yes: 195 of 400, could be 295 of 500; areas: A is won, B open, C lost
        for test, value, needed, met in zip(tests, (400, 195, 1), (276, 201, 2), mets, strict=True):
            test.update(value=value, needed=needed, met=met)
        declaration["contests"][0]["decision"]["outcome"] = outcome
        return declaration

    def failures(name, mets, outcome):
        entries = the_poll()
        (tmp_path / name).mkdir()
        return failed(publish(tmp_path / name, entries, declare(entries, mets, outcome)))

    assert failures("right", (True, None, None), "undetermined") == []
    assert failures("too early", (True, None, None), "rejected") == ["V.11"]
    assert failures("too sure", (True, False, None), "rejected") == ["V.11"]
    assert failures("too careful", (None, None, None), "undetermined") == ["V.11"]


SHARES = st.fixed_dictionaries({"value": st.just("yes"), "of": st.sampled_from(["participated", "eligible"])}).flatmap(
    lambda share: st.tuples(st.sampled_from(["more_than", "at_least"]), st.sampled_from(["1/2", "2/3", "1/4"])).map(
        lambda bound: {**share, bound[0]: bound[1]}
    )
)
AREAS = st.lists(
    st.tuples(
        st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 4), st.sampled_from(["1", "1/2"])
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(AREAS, SHARES, SHARES, st.sampled_from(["2/3", "1/2"]), st.booleans())
def test_it_decides_as_the_package_does(areas, national, local, of_areas, strict):
    rule = deepcopy(RULE)
    rule["tests"][1].update(share=national)
    rule["tests"][2]["areas"] = {"where": local, "more_than" if strict else "at_least": of_areas}
    if "at_least" in national:
        del rule["tests"][1]["tie"]
    counts, sums, known = {}, {}, {}
    for number, (yes, no, absent, waiting, weight) in enumerate(areas):
        found = {"eligible": yes + no + absent, "participated": yes + no, "yes": yes}
        code = f"area {number}"
        counts[code] = AreaCount(found, Fraction(weight), "counted", Outstanding.of(waiting, waiting + waiting // 2))
        sums[code] = Counter(found)
        sums[code].update({"+eligible": waiting, "+listed": waiting, "+added": waiting // 2})
        known[code] = {"weight": weight}
    decision = decide(DecisionRule.from_json(rule), counts, date(2022, 6, 5))
    verifier = BUNDLE(".")
    verifier.poll, verifier.areas = {"day": "2022-06-05"}, known
    verifier.declared = [("final, q", {"decision": decision.to_json()}, {"rule": rule}, {}, sums)]
    assert [problem for fine, problem in verifier.decision() if not fine] == []


def test_a_station_outside_the_list(tmp_path):
    def change(entries, _):
        edit(entries, 2, lambda body: body["stations"].pop())
        return "count again"

    assert rebuilt(tmp_path, change)[0] == "V.06"  # the station has no key now
    assert "V.07" in failed(tmp_path)


def test_an_error_that_is_not_marked(tmp_path):
    def change(entries, _):
        edit(entries, 3, lambda body: body["values"].update(no=29))
        return "count again"

    assert rebuilt(tmp_path, change) == ["V.08"]


def test_an_error_that_is_no_error(tmp_path):
    def change(entries, _):
        old = entries[3]
        entries[3] = signed("protocol", old.id, old.body, ["F.102"], by="s1", key=STATION)

    assert rebuilt(tmp_path, change)[:2] == ["V.07", "V.08"]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update({"of": 7}),
        lambda body: body["before"].update(no=23),
        lambda body: body.update(reason=" "),
    ],
)
def test_a_correction_of_something_else(tmp_path, change):
    assert rebuilt(tmp_path, lambda entries, _: edit(entries, 10, change)) == ["V.09"]


def test_a_protocol_after_closing(tmp_path):
    def change(entries, _):
        entries.append(entries.pop(9))
        edit(entries, 9, lambda body: body.update({"of": 8}))
        return "count again"

    assert rebuilt(tmp_path, change) == ["V.05"]


def test_an_entry_twice(tmp_path):
    def change(entries, _):
        entries.insert(10, entries[9])
        return "count again"

    assert rebuilt(tmp_path, change) == ["V.05"]


def test_a_correction_by_a_station(tmp_path):
    def change(entries, _):
        edit(entries, 10, lambda body: None, by="s6", key=STATION)

    assert rebuilt(tmp_path, change) == ["V.06"]


def test_a_protocol_of_one_station_signed_by_another(tmp_path):
    def change(entries, _):
        edit(entries, 3, lambda body: None, by="s2", key=STATION)

    assert rebuilt(tmp_path, change) == ["V.06"]


@pytest.mark.parametrize(
    ("member", "wrong"), [("value", 251), ("needed", 235), ("met", False), ("met", None), ("cite", "art. 1")]
)
def test_a_test_that_does_not_follow(tmp_path, member, wrong):
    def change(_, part):
        part["decision"]["tests"][1][member] = wrong

    assert rebuilt(tmp_path, change) == ["V.11"]


def test_an_outcome_that_does_not_follow(tmp_path):
    assert rebuilt(tmp_path, lambda _, part: part["decision"].update(outcome="rejected")) == ["V.11"]


def test_sums_that_cover_other_stations(tmp_path):
    assert rebuilt(tmp_path, lambda _, part: part.update(covers="0" * 64)) == ["V.10"]


@pytest.mark.parametrize("data", [b"", b"nothing\n", b"\xff\xfe", b"a\n-1\nAAAA\n\n"])
def test_nonsense_is_an_answer_and_no_traceback(bundle, data):
    (bundle / "checkpoint").write_bytes(data)
    assert not answer(bundle)["ok"]
    (bundle / "keys.json").write_bytes(data)
    assert failed(bundle) == ["V.01", "V.02"]
