"""What stands in the files that are published beside the record? Each is a function of a snapshot alone, without a database."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from dauys.polls.result import ContestStanding, Snapshot, contest_standing
from dauys.publish import exports, nist

PUBLISHED = {
    "results.json": "application/json",
    "stations.csv": "text/csv; charset=utf-8",
    "stations.parquet": "application/vnd.apache.parquet",
    "datapackage.json": "application/json",
    "nist-1500-100.xml": "application/xml",
    "nist-1500-100.json": "application/json",
    "README.txt": "text/plain; charset=utf-8",
}
"""The files beside the record, each a pure function of it, with their media types."""


class Rendering:
    """The PUBLISHED files of one snapshot, each from it alone. What several of them need is made once."""

    def __init__(self, now: Snapshot) -> None:
        self.now = now
        self._makers: dict[str, Callable[[], bytes]] = {
            "results.json": lambda: exports.results_file(now, self.standings),
            "stations.csv": lambda: self._table,
            "stations.parquet": lambda: exports.stations_parquet(now),
            "datapackage.json": lambda: exports.datapackage(now, self._table),
            "nist-1500-100.xml": lambda: self._report.xml(),
            "nist-1500-100.json": lambda: self._report.json(),
            "README.txt": lambda: readme(now).encode(),
        }

    def file(self, name: str) -> bytes:
        """One of the PUBLISHED files."""
        return self._makers[name]()

    @cached_property
    def standings(self) -> list[ContestStanding]:
        """How each contest stands."""
        return [contest_standing(sheet) for sheet in self.now.sheets]

    @cached_property
    def _table(self) -> bytes:
        return exports.stations_csv(self.now)

    @cached_property
    def _report(self) -> nist.Report:
        return nist.Report(self.now, self.standings)


def render(now: Snapshot, name: str) -> bytes:
    """One of the PUBLISHED files, from a snapshot alone."""
    return Rendering(now).file(name)


def readme(now: Snapshot) -> str:
    """README.txt: what the folder is and how to check it."""
    poll = now.poll
    warning = (
        "\nRECONSTRUCTION: results by station were never published. Every station-level figure here is a\n"
        "reconstruction that agrees with all published totals; none is the real result of a station.\n"
        if poll.reconstruction
        else ""
    )
    return f"""{poll.names["en"]}
{poll.names["kk"]} · {poll.names["ru"]}
Stage: {now.stage}. Entries in the record: {now.size}. Newest entry: {now.as_of}.
{warning}
Check everything here, without a database:

    ./dauys verify THIS-FOLDER

checkpoint            the signed state of the record (C2SP checkpoint), with the cosignatures of witnesses
checkpoints/          earlier signed states
tile/                 the record itself (C2SP tlog-tiles, RFC 6962 tree)
keys.json             the keys claimed here: compare them with the ones that the commission printed
results.json          totals, areas, decision with its articles
stations.csv, .parquet, datapackage.json    one row for each station and question
nist-1500-100.xml, .json                    the same in NIST SP 1500-100
"""
