"""How does the report become a file that stays: PDF by Chromium, JSON, both under their SHA-256, named in log and record?"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from dauys.errors import BadInput
from dauys.observe.audit import sheets
from dauys.observe.known.model import Event, MissionError
from dauys.observe.office.visit import Keeping, Visit
from dauys.observe.report.traces import notes_of

FOLDER = "reports"
PREFIX = "report/"
"""Of the notes' names; what follows is the number of the report, from 1."""
_LINK = re.compile(r'<link rel="stylesheet" href="/static/([a-z]+\.css)[^"]*">')
_ICON = re.compile(r'<link rel="icon"[^>]*>')
KINDS = {"json": "application/json", "pdf": "application/pdf"}


def inlined(page: str) -> bytes:
    """The page as PDF: its style sheets put into it, so that it needs nothing from anywhere. Raises DauysError."""
    whole = _ICON.sub("", _LINK.sub(lambda found: f"<style>{_style(found[1])}</style>", page))
    with tempfile.TemporaryDirectory(prefix="dauys-report-") as folder:
        path = Path(folder) / "report.html"
        path.write_text(whole, encoding="utf-8")
        made = sheets.pdf(path)
        assert made is not None  # the caller asked for the browser
        return made.read_bytes()


def _style(name: str) -> str:
    return (resources.files("dauys.observe") / "static" / name).read_text("utf-8")


def write_report(visit: Visit, body: Mapping[str, Any], data: bytes, printed: bytes | None) -> Event:
    """Keeps JSON and PDF, notes them in the log, and sends an entry for each to the record."""
    keep, identity = visit.office.keep, visit.mission.identity
    if identity is None:
        raise MissionError("say first who the mission is: a report is signed")
    files = {"json": data} | ({} if printed is None else {"pdf": printed})
    hashes = {}
    for kind, content in files.items():
        hashes[kind] = sha256(content).hexdigest()
        keep.write(f"{FOLDER}/{hashes[kind]}.{kind}", content)
    number = len(kept_reports(keep)) + 1
    note = {
        "name": f"{PREFIX}{number}", "sha256": hashes, "language": visit.lang, "log_size": body["log"]["size"],
        "log_head": body["log"]["head"], "record_size": body["record"]["size"], "root": body["record"]["root"],
    }  # fmt: skip
    event = keep.append("note", note, "office", visit.at)
    before = f"observer-report/{identity.code}/"
    for kind, digest in hashes.items():
        entry = {
            "organisation": identity.code, "sha256": digest, "title": f"{identity.poll}, {kind.upper()}, {number}",
            "log_size": body["log"]["size"], "log_head": body["log"]["head"],
        }  # fmt: skip
        taken = sum(name.startswith(before) for name in keep.mission.sent)
        waiting = visit.office.extra.get("outbox")
        if waiting is not None:
            taken += sum(one.id.startswith(before) for one in waiting.waiting())
        visit.office.send("observer-report", f"{before}{taken + 1}", entry)
    return event


def kept_reports(keep: Keeping) -> list[Event]:
    """The notes of the reports that were kept, the newest first."""
    return sorted(notes_of(keep, PREFIX).values(), key=lambda one: -one.n)


def kept_file(keep: Keeping, digest: str) -> tuple[str, bytes, str]:
    """(file name, content, kind) of a report of this mission by its SHA-256. Raises BadInput O.186."""
    for note in kept_reports(keep):
        for kind, known in note.body["sha256"].items():
            path = keep.folder / FOLDER / f"{known}.{kind}"
            if known == digest and path.is_file():
                return f"report-{note.body['name'].removeprefix(PREFIX)}.{kind}", path.read_bytes(), KINDS[kind]
    raise BadInput("no report with this hash was kept here", field="sha256", found=digest[:64], check="O.186")
