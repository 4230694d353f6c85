"""A small poll, signed and published as a bundle with our own record; and what the second verifier says of a bundle."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.record import checkpoint
from dauys.record.checkpoint import Checkpoint
from dauys.record.entry import Entry, sign_entry
from dauys.record.merkle import leaf_hash, root
from dauys.record.note import COSIGNATURE, SigningKey, parse
from dauys.record.tiles import write_tiles
from dauys.record.witness import cosignature
from independent_verifier import verify

VERIFIER = Path(__file__).parents[1] / "independent_verifier.py"
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


def publish(folder, entries, declaration=None, earlier=5, over=True):
    """Writes the bundle of `entries` and a declaration (unless it is not over), with signatures and cosignatures that are all
    good."""
    declaration = declaration or declared(entries)
    entries = [*entries, *([signed("declaration", "declaration/final", declaration)] if over else [])]
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
    head = {"poll": "x/test", "stage": "final" if over else "counting", "size": len(entries), "reconstruction": True}
    (folder / "results.json").write_text(json.dumps({**head, **shown, "contests": declaration["contests"]}))
    (folder / "README.txt").write_text("A reconstruction.\n")
    current = {e.body["station"]: (n, e) for n, e in enumerate(entries) if e.kind in ("protocol", "correction")}
    rows = io.StringIO()
    table = csv.writer(rows, lineterminator="\n")
    table.writerow(["station", "area", "contest", "entry", "checks", "listed", "nature", *FIELDS, "invalid"])
    for station in (s for e in entries if e.kind == "stations" for s in e.body["stations"]):
        place, entry = current.get(station["id"], ("", None))
        numbers = (entry and (entry.body.get("values") or entry.body.get("after"))) or {}
        about = ["q", place, " ".join(entry.checks) if entry else "", station["eligible"], "reconstruction"]
        cells = [numbers.get(name, "") for name in (*FIELDS, "invalid")]
        table.writerow([station["id"], station["area"], *about, *cells])
    (folder / "stations.csv").write_text(rows.getvalue())
    return folder


def answer(folder, *options):
    """The whole answer of the second verifier as anybody calls it: a program of its own."""
    done = subprocess.run([sys.executable, str(VERIFIER), str(folder), *options], capture_output=True, text=True)
    assert not done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1)
    assert found["ok"] is all(check["ok"] for check in found["checks"])
    return found


def failed(folder, key=None):
    """The numbers of the checks that fail; asked in this process: starting one takes longer than the answer."""
    return [check["id"] for check in verify(str(folder), key)["checks"] if not check["ok"]]
