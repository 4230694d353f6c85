"""Do the roll and the check-ins of a record add up? A part of the second verifier: docs/architecture.md in code, by itself."""

import re
from collections import Counter
from hashlib import sha256

HASH = re.compile("[0-9a-f]{64}")
SAYS_SO = {"B.102", "B.108"}  # checks of a protocol whose ballots handed out are not the check-ins

WHY = {"P.026", "P.056", "P.060", "P.061", "P.062", "P.064", "P.107"}  # reasons for which an envelope does not count


def hashes(values):
    """Whether these are hashes in hex, sorted, each once."""
    return values == sorted(set(values)) and all(map(HASH.fullmatch, values))


def roll_and_check_ins(entries, listed, tree, canonical):
    """Pairs of whether something is as it must be, and what is wrong if not. `entries` of the record, in order; `listed`
    are the ids of all stations; `tree` makes the root of leaf hashes, `canonical` the one JSON of a value."""
    frozen, stations, added, more, used, total = [], {}, Counter(), Counter(), Counter(), 0
    seen, gone, logs, opened = set(), set(), {}, set()
    places = set(listed)  # where voters are checked in
    turned, counted = Counter(), Counter()
    day = None  # the poll's
    for entry in entries:
        kind, name, body = entry["kind"], entry["id"], entry["body"]
        if kind == "poll" and body.get("voting", {}).get("remote", {}).get("on") is True:
            places.add("remote")  # the electronic channel: by the poll's own rule, and no station
        if kind == "poll":
            day = body["day"]
        if kind == "roll":
            yield not frozen and HASH.fullmatch(body["root"]), f"{name} is the second roll, or has no root"
            yield day in (None, body["day"]), f"{name} is of {body['day']}, and the poll is on {day}"
            frozen.append(body)
            total += body["voters"]
        elif kind == "roll-stations":
            for one in body["stations"]:
                good = frozen and one["id"] in listed and one["id"] not in stations and one["voters"] >= 0
                yield good and set(one) == {"id", "voters", "root"}, f"{name}: {one['id']} is unknown, or there twice"
                stations[one["id"]] = one
        elif kind in ("additions", "withdrawals", "restorations"):
            station, made, sign = body["station"], body["commitments"], -1 if kind == "withdrawals" else 1
            added[kind, station] += 1
            follows = (
                station in stations and name == f"{kind}/{station}/{added[kind, station]}" and body["reason"].strip()
            )
            yield follows, f"{name} gives no reason, or is not the next change of a station of the roll"
            fine = body["count"] == len(made) > 0 and hashes(made)
            yield fine, f"{name} has another count, or commitments that are not sorted, or twice"
            here = {(station, one) for one in made}
            if kind == "additions":
                yield seen.isdisjoint(made), f"{name} adds who was added before"
                seen.update(made)
            elif kind == "withdrawals":
                yield gone.isdisjoint(here), f"{name} withdraws what is withdrawn"
                gone |= here
            else:
                yield here <= gone, f"{name} gives back what is not withdrawn"
                gone -= here
            total += sign * body["count"]
            more[station] += sign * body["count"]
            yield (
                station not in stations or stations[station]["voters"] + more[station] >= 0,
                f"{name} withdraws too many",
            )
        elif kind == "check-ins":
            station, made, undone = body["station"], body["commitments"], body["undone"]
            last, standing, ever = logs.get((station, body["generation"]), (0, set(), set()))
            follows = station in places and name == f"{kind}/{station}/{body['generation']}/{body['last']}"
            yield follows and last < body["first"] <= body["last"], f"{name} does not follow event {last} of a station"
            yield hashes(made) and hashes(undone) and ever.isdisjoint(made), f"{name}: not sorted, or a check-in twice"
            yield standing | set(made) >= set(undone), f"{name} takes back what does not stand"
            now = (standing | set(made)) - set(undone)
            yield body["used"] == len(now), f"{name}: {body['used']} are said to stand, by the record {len(now)}"
            logs[station, body["generation"]] = body["last"], now, ever | set(made)
            used[station] += len(now) - len(standing)
        elif kind == "envelopes":
            station, good, bad = body["station"], body["counted"], body["refused"]
            turned[station] += 1
            follows = station in listed and name == f"envelopes/{station}/{turned[station]}"
            yield follows, f"{name} is not the next entry of a station's envelopes"
            every = [one for some in (good, *bad.values()) for one in some]
            fine = every and all(map(hashes, (good, *bad.values()))) and set(bad) <= WHY and all(bad.values())
            yield fine, f"{name} names no envelope, one for no reason, or not in order"
            yield len(set(every)) == len(every) and opened.isdisjoint(every), f"{name} has an envelope twice"
            opened.update(every)
            counted[station] += len(good)
            yield (
                body["used"] == counted[station],
                f"{name}: {body['used']} are said to count, by the record {counted[station]}",
            )
            rule = body["rule"]
            yield set(rule) == {"two", "cite"} and rule["two"] in ("none", "first"), f"{name} names no rule"
        elif kind == "protocol" and (body["station"] in used or body["station"] in counted):
            said, stood = body["values"].get("received"), used[body["station"]] + counted[body["station"]]
            fine = said in (None, stood) or SAYS_SO & set(entry.get("checks", ()))
            yield (
                fine,
                f"{name}: {said} ballots were handed out, {stood} by check-ins and envelopes, and no check says so",
            )
    for body in frozen:
        yield set(stations) == set(listed) and len(listed) == body["stations"], "a station is missing in the roll"
        voters = sum(one["voters"] for one in stations.values())
        yield voters == body["voters"], f"the stations of the roll have {voters} voters, not {body['voters']}"
        leaves = [b"\0" + canonical(stations[station]).encode() for station in sorted(stations)]
        root = tree([sha256(leaf).digest() for leaf in leaves]).hex()
        yield root == body["root"], f"the stations of the roll lead to {root}, not to its root"
        voted = sum(used.values()) + sum(counted.values())
        yield voted <= total, f"{voted} check-ins and envelopes stand, of {total} voters on the roll"
