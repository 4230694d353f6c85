"""Do the entries about observers agree with the record? A part of the second verifier: docs/architecture.md in code, by itself."""

import csv
import re
from base64 import b64decode
from datetime import datetime
from hashlib import sha256
from io import StringIO
from zoneinfo import ZoneInfo

SENT = {"observer-sample", "observer-seed", "observation", "observer-audit", "observer-report"}
OBSERVERS = SENT | {
    "organisation", "organisation-refused", "organisation-suspended", "badge-suspended", "observation-answer",
}  # fmt: skip
HASH = re.compile("[0-9a-f]{64}")


def digest(text):
    return sha256(text.encode()).hexdigest()


def observers(bundle, good, canonical):
    """Pairs of whether something is as it must be, and what is wrong if not. `bundle` has the record in `parsed`, `stations`
    and `poll`; `good` looks at a signature, `canonical` gives the one JSON of a value."""
    entries, accredited, suspended, seeds, sampled = bundle.parsed, {}, {}, {}, set()
    for index, entry in enumerate(entries):
        kind, name, body = entry["kind"], entry["id"], entry["body"]
        if kind in OBSERVERS and kind != "organisation-refused":
            about = body.get("code") or body.get("organisation") or str(body["of"])
            about += {"observation": f"/{body.get('contest')}/{body.get('station')}"}.get(kind, "")
            about += {"observer-audit": f"/{body.get('contest')}"}.get(kind, "")
            about = body["badge"] if kind == "badge-suspended" else about
            numbered = name if kind == "organisation" else name.rpartition("/")[0]
            yield numbered == f"{kind}/{about}", f"{name} is not the id of what it says"
        if kind in SENT:
            yield from allowed(bundle, entry, accredited, suspended, good, canonical)
        if kind == "organisation":
            lead = body.get("coalition")
            yield lead is None or lead in accredited, f"{name} follows {lead}, who is not accredited"
            accredited.setdefault(body["code"], body)
        elif kind in ("organisation-suspended", "badge-suspended"):
            whom = body.get("badge") or body["organisation"]
            changes = suspended.get(whom, False) != body["suspended"] and body["organisation"] in accredited
            yield changes and body["reason"].strip(), f"{name} changes nothing, or is of nobody accredited"
            suspended[whom] = body["suspended"]
        elif kind == "observer-sample":
            fine = body["record_size"] <= index and HASH.fullmatch(body["commitment"])
            yield fine and HASH.fullmatch(body["frame_sha256"]), f"{name} names a later record, or no hashes"
            own = body["record_size"] == 0 or body["frame_sha256"] == digest(listed(bundle.stations.values()))
            yield own, f"{name} was drawn from another list than the record's"
            yield body["organisation"] not in sampled, f"{name} is a second sample"
            sampled.add(body["organisation"])
        elif kind == "observer-seed":
            sample = pointed(entries, index, body["of"], "observer-sample")
            own = sample and sample["organisation"] == body["organisation"]
            yield own and digest(body["seed"]) == sample["commitment"], f"{name}: the seed is not that of the sample"
        elif kind == "observation":
            yield from observation(bundle, index, name, body)
        elif kind == "observation-answer":
            yield from answer(bundle, index, name, body)
        elif kind == "observer-audit":
            key = body["organisation"], body["contest"], body["name"]
            committed = seeds.get(key, body.get("commitment"))
            fits = "seed" not in body or committed in (None, digest(body["seed"]))
            kept = {"seed", "commitment"} & set(body) and body.get("commitment", committed) == committed
            yield fits and kept, f"{name}: the seed or the commitment is not that of the audit's beginning"
            if committed is not None:
                seeds[key] = committed


def listed(stations):
    """The list of stations as a sample is drawn from it."""
    text = StringIO()
    rows = [(one["id"], one["area"], one["eligible"], int(one.get("abroad", False))) for one in stations]
    csv.writer(text, lineterminator="\n").writerows([("id", "area", "eligible", "abroad"), *rows])
    return text.getvalue()


def pointed(entries, before, index, *kinds):
    """The body of an earlier entry, if it is of one of these kinds."""
    known = type(index) is int and 0 <= index < before and entries[index]["kind"] in kinds
    return entries[index]["body"] if known else None


def allowed(bundle, entry, accredited, suspended, good, canonical):
    by, name, body = entry["by"], entry["id"], entry["body"]
    said = {member: value for member, value in entry.items() if member not in ("sig", "checks")}
    if by == "commission":
        public, own = bundle.poll["keys"].get(by, ""), entry["kind"] == "observer-audit" and body["organisation"] == by
        yield own, f"{name} is the commission's, and only an organisation says that"
    else:
        code = by.removeprefix("organisation/")
        known = accredited.get(code) if by.startswith("organisation/") else None
        yield known and body["organisation"] == code, f"{name} is of {by}, who is not accredited before, or is another"
        if not known:
            return
        public, day = known["key"], datetime.fromisoformat(entry["at"]).astimezone(ZoneInfo(bundle.poll["timezone"]))
        yield not suspended.get(code), f"{name} is of {code}, who is suspended"
        yield day.date().isoformat() <= known["until"], f"{name} comes after the accreditation of {code} ended"
        if entry["kind"] == "observation" and known["scope"] != ["*"]:
            area = bundle.stations.get(body["station"], {}).get("area")
            yield area in known["scope"], f"{name} is of a territory where {code} is not accredited"
    signed = good(b64decode(public), b64decode(entry.get("sig", "")), canonical(said).encode())
    yield signed, f"{name} is not signed by {by}"


def observation(bundle, index, name, body):
    contest, station, of = body["contest"], body["station"], body["of"]
    form = {field["name"] for field in bundle.contests[contest]["form"]["fields"]}
    known = station in bundle.stations and set(body["fields"]) <= form
    yield known, f"{name} is of no station or no fields of the poll"
    source = pointed(bundle.parsed, index, of, "protocol", "correction")
    fits = of is None or (source and (source["contest"], source["station"]) == (contest, station))
    yield fits, f"{name} is held against entry {of}, which is no protocol of that station"
    values = source.get("values", source.get("after")) if source else {}
    for field, pair in body["fields"].items():
        same = pair["published"] == values.get(field)
        yield same, f"{name}: {field} was published as {values.get(field)}, not {pair['published']}"


def answer(bundle, index, name, body):
    seen, because = pointed(bundle.parsed, index, body["of"], "observation"), body["because"]
    yield seen and body["reason"].strip(), f"{name} answers no observation, or gives no reason"
    yield (body["answer"] == "corrected") == (because is not None), f"{name} says {body['answer']} because of {because}"
    if seen and because is not None:
        change = pointed(bundle.parsed, index, because, "correction", "annulment") or {"contest": None}
        places = {seen["station"], bundle.stations.get(seen["station"], {}).get("area")}
        fits = change["contest"] == seen["contest"] and (change.get("station") or change.get("area")) in places
        yield fits, f"{name}: entry {because} corrects nothing there"
