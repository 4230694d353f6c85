"""Does this bundle prove its result? A second verifier: docs/architecture.md in code, sharing nothing with the package.

`python independent_verifier.py DIR|URL [--key VKEY]` prints {"ok", "checks": [{"id", "what", "ok", "found", "expected"}]} and
exits with 1 when a check fails, with 2 where there is none. Needs only Python and `cryptography`; written to be read, not fast.
"""

import argparse
import json
import re
from base64 import b64decode
from collections import Counter
from datetime import datetime
from fractions import Fraction
from hashlib import sha256
from math import ceil, floor, lcm
from operator import eq, le, lt

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from independent_observers import OBSERVERS, SENT, observers
from independent_reader import earlier, files, given, joined, reader, table, there, tile
from independent_roll import roll_and_check_ins

ROLL = {"roll", "roll-stations", "additions", "withdrawals", "restorations", "envelopes"}
BEFORE = ROLL | {"poll", "stations", "turnout", "protocol", "closing"}
LATER = OBSERVERS | {"part", "correction", "turnout-correction", "annulment", "declaration", "publication", "check-ins"}
MEMBERS = {"poll", "kind", "id", "at", "by", "body"}
SHOWN = ("stations", "totals", "areas", "decision")


def tree(hashes):
    """The root over leaf hashes (RFC 6962 §2.1)."""
    while len(hashes) > 1:
        pairs = [hashes[at : at + 2] for at in range(0, len(hashes), 2)]
        hashes = [sha256(b"\1" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return hashes[0] if hashes else sha256(b"").digest()


def good(public, signature, message):
    try:
        return Ed25519PublicKey.from_public_bytes(public).verify(signature, message) is None
    except (InvalidSignature, ValueError):
        return False


def read_key(vkey):
    """(name, key id, type, public key) of a verifier key (C2SP signed-note)."""
    name, digits, data = vkey.split("+", 2)
    data = b64decode(data, validate=True)
    if sha256(name.encode() + b"\n" + data).hexdigest()[:8] != digits or len(data) != 33:
        raise ValueError(f"{vkey} is not a verifier key")
    return name, bytes.fromhex(digits), data[0], data[1:]


def read_note(data):
    """(text, {(name, key id): signature}, origin, size, root) of a signed checkpoint (C2SP tlog-checkpoint)."""
    text, _, lines = data.decode().rpartition("\n\n")
    parts = ((name, b64decode(blob, validate=True)) for _, name, blob in map(str.split, lines.splitlines()))
    signatures = {(name, blob[:4]): blob[4:] for name, blob in parts}
    origin, size, root, *_ = text.split("\n")
    return text + "\n", signatures, origin, int(size), b64decode(root, validate=True)


def canonical(value):
    """RFC 8785 of text, whole numbers, booleans, null, lists and objects."""

    def ordered(part):
        if isinstance(part, dict):
            return {key: ordered(part[key]) for key in sorted(part, key=lambda key: key.encode("utf-16-be"))}
        if isinstance(part, float) or (type(part) is int and abs(part) >= 2**53):
            raise ValueError(f"{part} is not a whole number that JSON can hold")
        return list(map(ordered, part)) if isinstance(part, list) else part

    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":"))


def linear(text, values):
    """The sum of terms `[int *] field` or `int`."""
    terms = re.findall(r"(?:(\d+) \* )?(?:(\d+)|(\w+))", text)
    return sum(int(factor or 1) * (values[name] if name else int(number)) for factor, number, name in terms)


def holds(relation, values):
    """Whether a relation is true; one that names a field the protocol lacks asks nothing."""
    if not set(re.findall(r"[a-z]\w*", relation)) <= set(values):
        return True
    left, sign, right = re.split(r" (<=|=|<) ", relation)
    return {"=": eq, "<=": le, "<": lt}[sign](linear(left, values), linear(right, values))


def differing(where, claimed, found):
    for name in sorted({name for name, value in {**claimed, **found}.items() if type(value) is int and name[0] != "+"}):
        yield claimed.get(name, 0) == found[name], f"{where}: {name} is {found[name]}, declared {claimed.get(name)}"


def ask(test, roles, sums):
    """(value, least that suffices, met or None where open, [least, greatest] margin) of a share of sums. Besides fields,
    `sums` hold voters outstanding: "+eligible" on lists; "+listed" of them may have voted; "+added" came on the day."""
    of, asked, strict = test.get("of"), test.get("more_than") or test["at_least"], "more_than" in test

    def weigh(values):
        return linear(test["value"], values), Fraction(asked) * linear(of, values) if of else linear(asked, values)

    def margin(*names):
        value, least = weigh({name: names.count(name) for name in roles})
        return value - least

    register, base = ([name for name in roles if roles[name] == role] for role in ("register", "base"))
    choices = [(), base, *((*base, name) for name in roles if roles[name] in ("option", "class"))]
    listed, added = [margin(*c) for c in choices], [margin(), *(margin(*register, *c) for c in choices)]
    value, least = weigh({name: sums[name] for name in roles})
    start = value - least + sums["+eligible"] * margin(*register)
    margins = [start + sums["+listed"] * end(listed) + sums["+added"] * end(added) for end in (min, max)]
    some = any((value, least, sums["+listed"], sums["+added"]))
    low, high = (some and (margin > 0 or (margin == 0 and not strict)) for margin in margins)
    return value, max(floor(least) + 1 if strict else ceil(least), 1), high if low == high else None, margins


class Bundle:
    """The bundle. Each check yields pairs: whether something is as it must be, and what is wrong if it is not."""

    def __init__(self, folder, vkey=None):
        self.place, self.vkey, self.entries, self.tiles, self.parsed = folder, vkey, [], {}, []
        self.read = reader(folder)

    def load(self):
        keys = json.loads(self.read("keys.json"))
        self.log_key, self.witnesses = read_key(keys["log"]), [read_key(key) for key in keys["witnesses"]]
        self.note = read_note(self.read("checkpoint"))
        self.results, size = json.loads(self.read("results.json")), self.note[3]
        self.table = table(self.read("stations.csv"))
        self.earlier = {name: data and read_note(data) for name, data in earlier(self.place, self.read).items()}
        for first in range(0, size, 256):
            data, at, before = self.read(tile("entries", first // 256, min(256, size - first))), 0, len(self.entries)
            while at < len(data):
                start, at = at + 2, at + 2 + int.from_bytes(data[at : at + 2], "big")
                self.entries.append(data[start:at])
            whole = at == len(data) and len(self.entries) - before == min(256, size - first)
            yield whole, f"entry bundle {first // 256} is cut off or has another number of entries"
        for level, hashes in ((level, size >> (8 * level)) for level in range(8)):
            paths = [tile(level, first // 256, min(256, hashes - first)) for first in range(0, hashes, 256)]
            self.tiles |= {path: self.read(path) for path in paths}

    def by_log(self, note):
        name, identifier, kind, public = self.log_key
        return kind == 1 and good(public, note[1].get((name, identifier), b""), note[0].encode())

    def log_signature(self):
        yield not self.vkey or read_key(self.vkey) == self.log_key, "keys.json has another key of the log than --key"
        yield self.by_log(self.note), "the signature of the log under the checkpoint is not valid"

    def hashes(self):
        self.leaves = level = [sha256(b"\0" + entry).digest() for entry in self.entries]
        for number in range(8):
            parts = [level[first : first + 256] for first in range(0, len(level), 256)]
            for path, part in ((tile(number, index, len(part)), part) for index, part in enumerate(parts)):
                yield self.tiles[path] == b"".join(part), f"{path} does not agree with the entries"
            level = [tree(part) for part in parts if len(part) == 256]
        yield tree(self.leaves) == self.note[4], f"the entries hash to {tree(self.leaves).hex()}, not the root"

    def history(self):
        for name, identifier, kind, public in self.witnesses:
            if blob := self.note[1].get((name, identifier)):
                message = f"cosignature/v1\ntime {int.from_bytes(blob[:8], 'big')}\n{self.note[0]}".encode()
                yield kind == 4 and good(public, blob[8:], message), f"the cosignature of {name} is not valid"
        for name, note in self.earlier.items():
            yield note and self.by_log(note), f"checkpoints/{name} is not there, or not signed by the log"
            begins = note and (note[2], str(note[3])) == (self.note[2], name) and note[3] <= self.note[3]
            yield begins and tree(self.leaves[: note[3]]) == note[4], f"checkpoints/{name} does not begin this record"

    def shape(self):
        seen = set()
        for index, data in enumerate(self.entries):
            entry = json.loads(data)
            if canonical(entry).encode() != data or set(entry) - {"sig", "checks"} != MEMBERS:
                raise ValueError(f"entry {index} is not a canonical entry")
            self.parsed.append(entry)
            name, kind, what = entry["id"], entry["kind"], f"entry {index}, {entry['id']}"
            yield name not in seen, f"{what}, is in the record twice"
            yield name.split("/")[0] == kind and kind in BEFORE | LATER, f"{what}, is a {kind}"
            yield (index == 0) == (kind == "poll"), f"{what}, stands in the place of the poll, or the poll in its place"
            yield entry["poll"] == self.parsed[0]["poll"], f"{what}, is of {entry['poll']}, another poll"
            yield datetime.fromisoformat(entry["at"]).tzinfo, f"{what}, is at {entry['at']}, which has no offset"
            yield "closing" not in seen or kind in LATER, f"{what}, comes after closing"
            seen.add(name)
        yield from joined(self.parsed, canonical)
        self.poll = self.parsed[0]["body"]
        self.areas = {area["code"]: area for area in self.poll["areas"]}
        self.contests = {contest["id"]: contest for contest in self.poll["contests"]}
        listed = [station for _, entry in self.of_kind("stations") for station in entry["body"]["stations"]]
        self.stations = {station["id"]: station for station in listed}
        where, forms = {"protocol": "values", "correction": "after"}, self.of_kind("protocol", "correction")
        self.forms = [(i, e, e["body"]["contest"], e["body"]["station"], e["body"][where[e["kind"]]]) for i, e in forms]
        yield len(self.stations) == len(listed), "a station is listed twice"

    def of_kind(self, *kinds):
        return [(index, entry) for index, entry in enumerate(self.parsed) if entry["kind"] in kinds]

    def authors(self):
        keys = {name: b64decode(data) for name, data in self.poll["keys"].items()}
        for index, entry in self.of_kind(*(BEFORE | LATER) - SENT):
            by, own = entry["by"], entry["kind"] in ("protocol", "turnout")
            its = own and by == entry["body"]["station"] and b64decode(self.stations.get(by, {}).get("key", ""))
            key = keys.get(by) or its or None
            yield key or (own and "sig" not in entry), f"entry {index}, {entry['id']}: no key of {by} is known"
            said = canonical({k: v for k, v in json.loads(self.entries[index]).items() if k in MEMBERS} if key else {})
            yield not key or good(key, b64decode(entry.get("sig", "")), said.encode()), f"{entry['id']} is not by {by}"

    def count(self, contest, size):
        held = {s: (values, e.get("checks", ())) for i, e, c, s, values in self.forms if i < size and c == contest}
        bodies = [entry["body"] for index, entry in self.of_kind("annulment") if index < size]
        void = {b.get("station") or b["area"]: b["repeat"] for b in bodies if b["contest"] == contest}
        states = {"expected": list(self.stations), "counted": [], "quarantined": [], "missing": [], "annulled": []}
        sums, limit = {code: Counter() for code in self.areas}, Fraction(self.poll["ballot_limit"]["share"])
        for name, station in self.stations.items():
            area, eligible, (values, checks) = sums[station["area"]], station["eligible"], held.get(name, ({}, ()))
            state = "quarantined" if any(check.startswith("F") for check in checks) else "counted"
            if name in void or name not in held:
                state = "missing" if void.get(name, True) else "annulled"
            if station["area"] in void:
                state = "annulled" if state == "counted" else state
            elif state == "counted":
                area.update(values)
            if void.get(station["area"], state not in ("counted", "annulled")):
                most = ceil(eligible * limit)
                area.update({"+eligible": eligible, "+listed": min(eligible, most), "+added": max(0, most - eligible)})
            states[state].append(name)
        return states, sums

    def completeness(self):
        yield len(self.stations) == self.poll["stations"], f"{len(self.stations)}, not {self.poll['stations']} stations"
        for station in self.stations.values():
            yield station["area"] in self.areas, f"station {station['id']} is in {station['area']}, no area of the poll"
        for _, entry, contest, station, _ in self.forms:
            yield station in self.stations and contest in self.contests, f"{entry['id']} is of nothing in the poll"
            named = entry["kind"] == "correction" or entry["id"] == f"protocol/{contest}/{station}"
            yield named, f"{entry['id']} is of station {station}"
        rows = sorted((row["contest"], row["station"]) for row in self.table)
        listed = sorted((contest, station) for contest in self.contests for station in self.stations)
        yield rows == listed, f"stations.csv does not hold every station once: {sorted(set(rows) ^ set(listed))[:3]}"
        said = [(entry["id"], entry["body"]) for _, entry in self.of_kind("declaration")]
        self.declared = []
        for where, body in said or [("results.json", self.results)]:
            for part in body["contests"]:
                found = self.count(part["contest"], body["size"])
                self.declared.append((f"{where}, {part['contest']}", part, self.contests[part["contest"]], *found))
        for where, part, _, states, _ in self.declared:
            for state in ("expected", "counted", "quarantined", "missing"):
                said, found = part["stations"][state], states[state]
                yield said == len(found), f"{where}: {said} stations {state}, by the record {len(found)} {found[:3]}"

    def identities(self):
        reports = {}
        for index, entry in self.of_kind("turnout", "turnout-correction"):
            body = entry["body"]
            reports.setdefault(body["station"], []).append((body["time"], index, body.get("after", body)["received"]))
        for index, entry, contest, station, values in self.forms:
            form = self.contests[contest]["form"]
            own = {i["number"] for i in form["identities"]}  # its warnings, too
            said = {c for c in entry.get("checks", []) if c.startswith("F") or c in own}
            fields = {field["name"]: field.get("optional", False) for field in form["fields"]}
            named = {name for name in fields if not fields[name]} <= set(values) <= set(fields)
            good_values = named and all(type(value) is int and value >= 0 for value in values.values())
            yield good_values, f"{entry['id']} has not the fields of the form, or a value that is no count"
            broken = {i["number"] for i in form["identities"] if not holds(i["relation"], values)}
            last = max((told for told in reports.get(station, ()) if told[1] < index), default=("", 0, -1))[2]
            broken |= {"F.110"} if entry["kind"] == "protocol" and values.get("received", last) < last else set()
            broken |= said & {"F.105"} if "words" in entry["body"] else set()  # the words themselves are not read here
            yield broken == said, f"{entry['id']} breaks {sorted(broken)}, marked {sorted(said)}"

    def corrections(self):
        held = {}
        for index, entry in self.of_kind("protocol", "turnout", "correction", "turnout-correction"):
            body, place = entry["body"], tuple(map(entry["body"].get, ("station", "contest", "time")))
            if "correction" in entry["kind"]:
                named, force = (body["of"], body["before"]), held.get(place)
                yield named == force, f"{entry['id']} replaces {named}; in force was {force}"
                yield body["reason"].strip(), f"{entry['id']} gives no reason"
            now = body.get("after") or body.get("values") or {k: body[k] for k in ("eligible", "received")}
            held[place] = index, now

    def totals(self):
        for index, entry in self.of_kind("declaration"):
            yield entry["body"]["size"] == index, f"{entry['id']} does not cover the {index} entries before it"
        for where, part, _, states, sums in self.declared:
            yield from differing(where, part["totals"], sum(sums.values(), Counter()))
            covers = sha256("\n".join(sorted(states["counted"])).encode()).hexdigest()
            yield part["covers"] == covers, f"{where}: `covers` is not that of the {len(states['counted'])} that count"
            yield [area["code"] for area in part["areas"]] == list(self.areas), f"{where}: not the areas of the poll"
            for area in part["areas"]:
                yield from differing(f"{where}, {area['code']}", area, sums[area["code"]])
                named = area["name"] in self.areas[area["code"]]["names"].values()
                yield named, f"{where}: {area['code']} is not {area['name']}"

    def results_of(self, tests, roles, sums):
        weights = {code: Fraction(area["weight"]) for code, area in self.areas.items()}
        for test in tests:
            if "areas" not in test:
                yield ask(test.get("share") or test["compare"], roles, sum(sums.values(), Counter()))
                continue
            strict, asked = "more_than" in test["areas"], test["areas"].get("more_than") or test["areas"]["at_least"]
            asks = {code: ask(test["areas"]["where"], roles, sums[code]) for code in sums}
            now = sum(weights[code] for code, (value, needed, *_) in asks.items() if value >= needed)
            sure, most = (sum(weights[c] for c in asks if asks[c][2] in ok) for ok in ((True,), (True, None)))
            bar = Fraction(asked) * sum(weights.values())
            step = Fraction(1, lcm(*(weight.denominator for weight in weights.values())))
            needed = step * (floor(bar / step) + 1 if strict else ceil(bar / step))
            yield now, needed, sure >= needed or (None if most >= needed else False), [sure - bar, most - bar]

    def decision(self):
        for where, part, contest, _, sums in self.declared:
            rule, said = contest["rule"], part["decision"]
            loaded = rule["since"] <= self.poll["day"] <= rule.get("until", "9999")
            tests, roles = rule["tests"] if loaded else [], {field["name"]: field["role"] for field in rule["fields"]}
            yield len(said["tests"]) == len(tests), f"{where}: the tests are not those of the rule"
            possible, going, results = set(), loaded, self.results_of(tests, roles, sums)
            for test, claim, (value, needed, met, margins) in zip(tests, said["tests"], results, strict=False):
                found = test["name"], value, needed, met, test["cite"]
                told = claim["name"], Fraction(claim["value"]), Fraction(claim["needed"]), claim["met"], claim["cite"]
                yield found == told, f"{where}: {', '.join(map(str, found))}; declared {', '.join(map(str, told))}"
                tie = {test["tie"]} if "tie" in test and margins[0] <= 0 <= margins[1] else set()
                if going and not met:
                    possible |= tie | (set() if tie and margins == [0, 0] else {test["otherwise"]})
                going = going and met is not False
            possible |= {"adopted"} if going else set() if loaded else {"law-not-loaded"}
            outcome = "undetermined" if len(possible) > 1 else min(possible)
            yield said["outcome"] == outcome, f"{where}: the outcome is {outcome}, declared {said['outcome']}"
        for _, entry in self.of_kind("publication"):
            ground = [e["body"]["contests"] for at, e in self.of_kind("declaration") if at == entry["body"]["because"]]
            adopted = ground and {part["decision"]["outcome"] for part in ground[0]} == {"adopted"}
            yield adopted, f"{entry['id']} follows from no result that is adopted"

    def published(self):
        results, kinds = self.results, {entry["kind"] for entry in self.parsed}
        stage = "counting" if "protocol" in kinds else "voting" if {"turnout", "check-ins"} & kinds else "opening"
        last = ([entry["body"] for _, entry in self.of_kind("declaration")] or [results | {"stage": stage}])[-1]
        said = {part["contest"]: part for part in results["contests"]}
        about = self.parsed[0]["poll"], last["stage"], self.poll["reconstruction"], set(self.contests)
        yield about == (results["poll"], results["stage"], results["reconstruction"], set(said)), f"not about {about}"
        pairs = [(results, last["contests"][0]), *((said[part["contest"]], part) for part in last["contests"])]
        for found, part, name in ((found, part, name) for found, part in pairs for name in SHOWN):
            yield found[name] == part[name], f"results.json, {part['contest']}: `{name}` is not what was declared"
        held, nature = {}, "reconstruction" if self.poll["reconstruction"] else "protocol"
        for index, entry, contest, station, values in self.forms:
            held[contest, station] = {**values, "entry": index, "checks": " ".join(entry.get("checks", []))}
        for row in self.table:
            station, own = self.stations[row["station"]], held.get((row["contest"], row["station"]), {})
            own = own | {"area": station["area"], "listed": station["eligible"], "nature": nature}
            fields = [field["name"] for field in self.contests[row["contest"]]["form"]["fields"]]
            for name in ("entry", "checks", "area", "listed", "nature", *fields):
                yield (row.get(name) or "") == str(own.get(name, "")), f"stations.csv: {row['station']}, {name}"

    def labelled(self):
        for name, data in files(self.place, self.read) if self.poll["reconstruction"] else ():
            yield name == "keys.json" or b"reconstruct" in data.lower(), f"{name} is silent"


CHECKS = [
    (Bundle.load, "the bundle is readable and complete", "every file of the layout"),
    (Bundle.log_signature, "the log signed the checkpoint", "a signature of the log's key"),
    (Bundle.hashes, "entries and tiles are those of the checkpoint", "its root"),
    (Bundle.history, "witnesses and earlier checkpoints agree", "good signatures over beginnings of this record"),
    (Bundle.shape, "every entry is well-formed and in order", "canonical entries, each once, none too late"),
    (Bundle.authors, "every entry is signed by its author", "signatures of keys named in the record"),
    (Bundle.completeness, "every station is accounted for", "a protocol, or to be counted as missing"),
    (Bundle.identities, "the errors of every protocol are marked", "the checks that recomputation raises"),
    (Bundle.corrections, "every correction names what it replaces", "the entry and the values in force"),
    (Bundle.totals, "the sums add up", "the sums of the protocols that count"),
    (Bundle.decision, "the decision follows from the sums", "the outcome under the rule in the record"),
    (Bundle.published, "the published files say what the record says", "the same numbers"),
    (Bundle.labelled, "a reconstruction says so everywhere", "the word in every published file"),
    (lambda b: roll_and_check_ins(b.parsed, set(b.stations), tree, canonical), "the roll adds up", "sums that follow"),
    (lambda b: observers(b, good, canonical), "what observers say is theirs and is so", "their own true words"),
]


def verify(folder, vkey=None):
    bundle, checks = Bundle(folder, vkey), []  # V.01 to V.15; stops where nothing further can be said
    for number, (check, what, expected) in enumerate(CHECKS, start=1):
        problems, broken = [], False
        try:
            problems.extend(problem for fine, problem in check(bundle) if not fine)
        except (OSError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
            problems, broken = [*problems, f"cannot be read: {type(error).__name__}: {error}"], True
        found = problems[0] + f" (and {len(problems) - 1} more)" * (len(problems) > 1) if problems else "as expected"
        checks.append({"id": f"V.{number:02}", "what": what, "ok": not problems, "found": found, "expected": expected})
        if (number == 2 and not checks[0]["ok"]) or (number == 5 and broken):
            break
    return {"ok": all(check["ok"] for check in checks), "checks": checks}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Checks a verification bundle.")
    parser.add_argument("folder", metavar="DIR|URL", type=given(there, "folder"))
    parser.add_argument("--key", dest="vkey", type=given(read_key, "verifier key"), help="the log's key")
    print(json.dumps(answer := verify(**vars(parser.parse_args())), ensure_ascii=False, indent=1))
    raise SystemExit(not answer["ok"])
