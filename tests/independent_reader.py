"""Where do a bundle's bytes come from, a folder or an http(s) address, and which body has an entry? A part of the second verifier."""

import csv
import json
from argparse import ArgumentTypeError
from hashlib import sha256
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

LARGEST = 1 << 31
LAYOUT = ("README.txt", "datapackage.json", "keys.json", "nist-1500-100.json", "nist-1500-100.xml", "results.json",
          "stations.csv", "stations.parquet")  # fmt: skip


def reader(place):
    """`read(path)` of a bundle that lies in a folder or is served below an address; an address that answers no is an OSError."""
    if not is_address(place):
        return lambda path: (Path(place) / path).read_bytes()

    def read(path):
        asked = Request(f"{str(place).rstrip('/')}/{quote(path)}", headers={"user-agent": "independent-verifier"})
        with urlopen(asked, timeout=30) as answer:
            return answer.read(LARGEST)

    return read


def there(place):
    if not is_address(place) and not Path(place).is_dir():
        raise ValueError
    return place


def given(read, what):
    """What argparse takes where `read` raises nothing, as it was given."""

    def as_given(said):
        try:
            read(said)
        except ValueError:
            raise ArgumentTypeError(f"{said!r} is no {what}") from None
        return said

    return as_given


def tile(level, index, width):
    """The path of a tile (C2SP tlog-tiles)."""
    path = f"{index % 1000:03}"
    while index := index // 1000:
        path = f"x{index % 1000:03}/{path}"
    return f"tile/{level}/{path}" + (f".p/{width}" if width < 256 else "")


def is_address(place):
    return str(place).startswith(("http://", "https://"))


def earlier(place, read):
    """The earlier checkpoints, by name: those that the bundle says it has (None for one that is not there), and in a folder all
    that lie there."""
    lie = [] if is_address(place) else (Path(place) / "checkpoints").glob("*")
    found = {path.name: path.read_bytes() for path in lie}
    for name in map(str, json.loads(read("keys.json")).get("checkpoints", [])):
        try:
            found[name] = read(f"checkpoints/{name}")
        except OSError:
            found[name] = None
    return found


def files(place, read):
    """Name and bytes of the files beside the record that are there; at an address, those of the layout."""
    if not is_address(place):
        return [(path.name, path.read_bytes()) for path in sorted(Path(place).glob("*.*"))]
    found = []
    for name in LAYOUT:
        try:
            found.append((name, read(name)))
        except HTTPError as error:
            if error.code != 404:
                raise
    return found


def table(data):
    """The rows of stations.csv. A text that would begin like a formula has an apostrophe before it (docs/exports.md)."""

    def meant(cell):
        return cell[1:] if cell and cell[0] == "'" and cell[1:2] in tuple("=+-@'\t\r") else cell

    rows = csv.DictReader(data.decode().splitlines(keepends=True))
    return [{name: meant(cell) for name, cell in row.items()} for row in rows]


def joined(entries, canonical):
    """Gives each poll and declaration that says only {"parts": n, "sha256": hex} the body that the n entries after it hold; yields as checks do."""
    parts = set()
    for index, entry in enumerate(entries):
        name, count, digest = entry["id"], entry["body"].get("parts"), entry["body"].get("sha256")
        if entry["kind"] in ("poll", "declaration") and len(entry["body"]) == 2 and count and digest:
            said = entries[index + 1 : index + 1 + count]
            meant = [("part", f"part/{name}/{n}", entry["by"], entry["at"]) for n in range(1, count + 1)]
            found = [tuple(map(part.get, ("kind", "id", "by", "at"))) for part in said]
            if count < 1 or found != meant or {len(part["body"]) for part in said} != {1}:
                raise ValueError(f"entry {index}, {name}, is not followed by its {count} parts")
            text = "".join(part["body"]["text"] for part in said)
            if sha256(text.encode()).hexdigest() != digest:
                raise ValueError(f"entry {index}, {name}: its parts have another SHA-256")
            entry["body"] = json.loads(text)
            yield canonical(entry["body"]) == text, f"entry {index}, {name}: its parts are no canonical body"
            parts |= {part["id"] for part in said}
        yield (entry["kind"] == "part") <= (name in parts), f"entry {index}, {name}, is a part of nothing before it"
