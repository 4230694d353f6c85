"""Which tables can anyone download? One row for each station and contest, as CSV and Parquet, described by Frictionless.

Every file is a pure function of a `Snapshot`: the verifier renders them again from the record and compares.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from dauys.polls.result import ANNULLED, REPEAT, STATES, ContestStanding, Sheet, Snapshot, results_json
from dauys.registers.spreadsheet import plain

TITLES = {
    "station": "Polling station",
    "area": "Code of the area where the station's votes count",
    "contest": "Question or office",
    "state": "accepted protocols are in the sums; missing, quarantined, annulled and repeat-pending ones are not",
    "version": "0 as first received, one more with each correction",
    "entry": "Place of the protocol in the record, from 0",
    "checks": "Numbers of the checks that the protocol raised (docs/checks.md)",
    "listed": "Voters on the station's list when the poll opened",
    "nature": "protocol, or reconstruction: not the real result of any station",
}

TEXTS = frozenset({"station", "area", "contest", "state", "checks", "nature"})
"""The columns that are text; all others are whole numbers."""


def columns(snapshot: Snapshot) -> list[str]:
    """The header of the table of stations: fixed columns, then every field of any contest's form."""
    fields = dict.fromkeys(field.name for sheet in snapshot.sheets for field in sheet.contest.form.fields)
    return [*TITLES, *fields]


def rows(snapshot: Snapshot) -> Iterator[list[Any]]:
    """The table of stations: contests in the order of the poll, stations by id; None where nothing is given."""
    fields = columns(snapshot)[len(TITLES) :]
    nature = "reconstruction" if snapshot.poll.reconstruction else "protocol"
    for sheet in snapshot.sheets:
        contest, states = sheet.contest.id, states_of(sheet)
        for row in in_order(sheet):
            station = sheet.stations[row]
            of_station = (station.id, station.area, contest, states[row])
            held = sheet.held.get(station.id)
            if held is None:
                yield [*of_station, None, None, None, station.eligible, nature, *(None for _ in fields)]
                continue
            checks = " ".join(held.checks) or None
            entered = (held.version, held.seq, checks, station.eligible, nature)
            yield [*of_station, *entered, *map(held.values.get, fields)]


def in_order(sheet: Sheet) -> list[int]:
    """The rows of a sheet by the id of the station: the order of every file, however the stations came."""
    return sorted(range(len(sheet.stations)), key=lambda row: sheet.stations[row].id)


def states_of(sheet: Sheet) -> list[str]:
    """The state of every station in a contest, row by row (STATES).

    An annulled area annuls its stations: they leave the sums with it.
    """
    void = {code: STATES[REPEAT if repeat else ANNULLED] for code, repeat in sheet.annulled_areas.items()}
    named = [STATES[state] for state in sheet.state.tolist()]
    if not void:
        return named
    return [void.get(station.area, state) for station, state in zip(sheet.stations, named, strict=True)]


def state_of(sheet: Sheet, row: int) -> str:
    """The state of the station in one row."""
    return states_of(sheet)[row]


def stations_csv(snapshot: Snapshot) -> bytes:
    """The table as CSV (RFC 4180, UTF-8, line feeds). No text in it is computed by a spreadsheet (registers.spreadsheet)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns(snapshot))
    for row in rows(snapshot):
        writer.writerow([plain(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue().encode()


def stations_frame(snapshot: Snapshot) -> pl.DataFrame:
    """The table with its types: texts and 64-bit integers."""
    schema = {name: pl.String if name in TEXTS else pl.Int64 for name in columns(snapshot)}
    return pl.DataFrame(list(rows(snapshot)), schema=schema, orient="row")


def stations_parquet(snapshot: Snapshot) -> bytes:
    """The table as Parquet."""
    out = io.BytesIO()
    stations_frame(snapshot).write_parquet(out)
    return out.getvalue()


def results_file(snapshot: Snapshot, standings: Sequence[ContestStanding]) -> bytes:
    """results.json: the answer of `dauys run --json`, less where the bundle lies."""
    return (json.dumps(results_json(snapshot, standings), ensure_ascii=False, indent=1) + "\n").encode()


def datapackage(snapshot: Snapshot, csv_bytes: bytes) -> bytes:
    """The Frictionless descriptor (Data Package v1, Table Schema) of the table of stations."""
    labels = {f.name: f.labels["en"] for sheet in snapshot.sheets for f in sheet.contest.form.fields}
    fields = [
        {
            "name": name,
            "type": "string" if name in TEXTS else "integer",
            "title": TITLES.get(name) or labels[name],
            "constraints": {"required": True} if name in {"station", "area", "contest", "state", "nature"} else {},
        }
        for name in columns(snapshot)
    ]
    title = snapshot.poll.names["en"]
    note = (
        "Station figures are a reconstruction, not real results of any station. "
        if snapshot.poll.reconstruction
        else ""
    )
    resource = {
        "name": "stations",
        "path": "stations.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(csv_bytes),
        "hash": f"sha256:{hashlib.sha256(csv_bytes).hexdigest()}",
        "schema": {"fields": fields, "primaryKey": ["contest", "station"], "missingValues": [""]},
    }
    body = {
        "profile": "tabular-data-package",
        "name": snapshot.poll.id.replace("/", "-"),
        "title": title,
        "description": f"{note}Stage: {snapshot.stage}; {snapshot.size} entries of the record.",
        "licenses": [{"name": "CC0-1.0", "title": "Creative Commons Zero 1.0"}],
        "resources": [resource],
    }
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()
