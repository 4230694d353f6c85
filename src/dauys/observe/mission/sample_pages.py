"""Which stations do we observe? The list is frozen, the design committed to in the record, the stations drawn, the seed revealed.

Nothing goes back: a list that changed after the commitment is refused, a second draw too, and no station is replaced.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response

from dauys.errors import BadInput, DauysError
from dauys.observe.known.model import Mission, MissionError
from dauys.observe.known.official import official_frame
from dauys.observe.mission import design
from dauys.observe.office.visit import Model, Page, Visit
from dauys.observe.office.words import refusal
from dauys.observe.sample.draw import ALLOCATIONS, redraw, seed_sha256
from dauys.observe.sample.drawn import columns_of
from dauys.observe.sample.frame import Columns, file_sha256, id_column, read_frame
from dauys.regular_file import read_regular

SEED = "seed"
"""What the seed is kept under, outside the log, until the stations are drawn."""
SAYING = "commitment"
"""What the commitment is kept under while it is being said."""
LARGEST_SAMPLE = 64 << 20
LEAST_SEED = 16
"""Characters of a seed that is typed: 16 dice or words that nobody could foresee."""
_COMMITTING = threading.Lock()
ENDINGS = {".csv", ".txt", ".tsv", ".csv.gz", ".parquet", ".jsonl"}


def sample(visit: Visit) -> Model:
    """The state of the sample; before the commitment also the design that the address asks for."""
    mission, office = visit.mission, visit.office
    official = office.official()
    frame = mission.frame
    model: Model = {
        "frame": frame,
        "official_stations": 0 if official is None else len(official.stations),
        "changed": frame is not None
        and frame.record_size > 0
        and official is not None
        and official_frame(official)[1] != frame.sha256,
        "committed": mission.commitment,
        "plan": mission.plan,
        "sample": None if mission.sample is None else mission.sample.draw,
        "sent": _sent(mission),
        "revealed": next((one for one in mission.sent.values() if one.kind == "observer-seed"), None),
        "allocations": ALLOCATIONS,
        "asked": {},
        "columns": [],
        "preview": None,
        "design_fault": None,
        "past": mission.notes.get("past-vote"),
        "query": "",
        "checked": visit.request.query_params.get("checked", "") == "1",
        "stage": "drawn" if mission.sample else "committed" if mission.commitment else "design" if frame else "frame",
    }
    if frame is not None and not mission.commitment:
        model |= _design(visit)
    return model | {"state": _state(mission, model)}


def _state(mission: Mission, model: Model) -> Model:
    """The sample as JSON. The seed is left out until it is revealed."""
    sent, frame = model["sent"], mission.frame
    drawn = None if mission.sample is None else dict(mission.sample.draw)
    if drawn is not None and model["revealed"] is None:
        drawn.pop("seed")
    return {
        "stage": model["stage"],
        "frame": None
        if frame is None
        else {"sha256": frame.sha256, "stations": frame.stations, "record_size": frame.record_size},
        "design": None if mission.plan is None else dict(mission.plan),
        "commitment": mission.commitment,
        "entry": None if sent is None else sent.index,
        "revealed": None if model["revealed"] is None else model["revealed"].index,
        "preview": model["preview"],
        "sample": drawn,
    }


def _design(visit: Visit) -> Model:
    """The design of the address, and what it means; a fault stands beside the form."""
    mission = visit.mission
    assert mission.frame is not None
    asked = {name: value[:200] for name, value in visit.request.query_params.items()}
    past = mission.notes.get("past-vote")
    if past is not None:
        asked.setdefault("spread", str(past["spread"]))
    model: Model = {"asked": asked, "record": mission.frame.record_size > 0}
    try:
        path = design.frame_path(visit.office.keep.folder, mission.frame)
        model["columns"] = design.header(path)
        if asked.get("n") or asked.get("margin"):
            found = design.asked_of(asked, path, mission.frame.record_size > 0)
            model["preview"] = design.preview(found, path)
    except DauysError as error:
        model["design_fault"] = refusal(error)
    return model


def freeze(visit: Visit) -> str:
    """Freezes a list: the record's, or a file. Until a design is committed to, another one may still be frozen."""
    if visit.form is None:
        return "/sample"
    if visit.mission.commitment:
        raise MissionError("the frame is frozen: a design was committed to over it")
    if "file" in visit.files:
        body = _frozen_file(visit, visit.files["file"])
    else:
        official = visit.office.official() or visit.office.refresh()
        data, sha256 = official_frame(official)
        name = f"frame-{sha256[:16]}.csv"
        visit.office.keep.write(name, data)
        body = {"sha256": sha256, "stations": len(official.stations), "record_size": official.size, "file": name}
    visit.append("frame", body)
    return "/sample"


def _frozen_file(visit: Visit, path: Path) -> Model:
    ending = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    if ending not in ENDINGS:
        raise BadInput(
            "this is no table", field="file", found=ending, expected=", ".join(sorted(ENDINGS)), check="O.012"
        )
    frame = read_frame(path, Columns((visit.text("id", 80) or id_column(path),)))
    name = f"frame-{frame.sha256[:16]}{ending}"
    visit.office.keep.write(name, path.read_bytes())
    return {"sha256": frame.sha256, "stations": len(frame), "record_size": 0, "file": name}


def past_vote(visit: Visit) -> str:
    """How much stations differed in a past vote: S from a table of its stations, kept as a note with the file's hash."""
    if visit.form is None:
        return "/sample"
    if "file" not in visit.files:
        raise BadInput("choose the file of a past vote", field="file", check="O.012")
    path = visit.files["file"]
    y, x = visit.text("y", 80), visit.text("x", 80)
    if not y or not x:
        raise BadInput("name the two columns of the past vote", field="y, x", check="O.012")
    ids = (visit.text("id", 80),) if visit.text("id", 80) else (id_column(path),)
    frame = read_frame(path, Columns(ids, (), None, y, x))
    spread = design.spread_of(frame)
    body = {
        "name": "past-vote",
        "sha256": frame.sha256,
        "stations": len(frame),
        "y": y,
        "x": x,
        "spread": _text(spread),
    }
    visit.append("note", body)
    return "/sample#design"


def commit(visit: Visit) -> str:
    """Commits to a design and a seed: before the draw the record gets the list's hash, the design and the seed's hash."""
    if visit.form is None:
        return "/sample"
    with _COMMITTING:  # a double click is two requests
        return _commit(visit, visit.form)


def _commit(visit: Visit, form: Mapping[str, str]) -> str:
    mission, keep = visit.mission, visit.office.keep
    if mission.frame is None:
        raise MissionError("freeze the list of stations first: a design is one over a frame")
    if mission.commitment:
        raise MissionError("a design was committed to: it stays, or a mission could choose among samples")
    if (said := _said_before(visit)) is not None:
        visit.append("plan", said)
        return "/sample"
    path = design.frame_path(keep.folder, mission.frame)
    asked = design.asked_of(form, path, mission.frame.record_size > 0)
    design.preview(asked, path)
    seed = visit.text("seed", 400)
    if seed and len(seed) < LEAST_SEED:
        expected = f"{LEAST_SEED} characters or more, or nothing: then one is made by chance"
        raise BadInput("this seed could be guessed", field="seed", expected=expected, check="O.012")
    seed = seed or secrets.token_hex(32)
    commitment = seed_sha256(seed)
    keep.keep(SEED, seed)
    keep.keep(SAYING, json.dumps({"plan": asked.design(), "commitment": commitment}))
    if form.get("alone", "") != "1":
        _tell(visit, asked.design(), commitment)
    visit.append("plan", {"plan": asked.design(), "commitment": commitment})
    return "/sample"


def _said_before(visit: Visit) -> Model | None:
    """What was said to the record before the program ended and its own log had it; None where nothing was."""
    identity, office = visit.mission.identity, visit.office
    name = "" if identity is None else f"observer-sample/{identity.code}/1"
    waiting = [one.id for one in office.extra["outbox"].waiting()]
    said = office.keep.kept(SAYING) if name in visit.mission.sent or name in waiting else None
    found: Model | None = None if not said else json.loads(said)
    return found


def tell(visit: Visit) -> str:
    """Puts a commitment into the record that was only in the mission's own log: accredited later, or the wire was cut."""
    mission = visit.mission
    if visit.form is not None and mission.plan is not None and mission.commitment:
        _tell(visit, mission.plan, mission.commitment)
    return "/sample"


def _tell(visit: Visit, plan: Mapping[str, Any], commitment: str) -> None:
    mission = visit.mission
    if mission.identity is None or mission.frame is None:
        raise MissionError("say first who the mission is and where the official record is")
    code = mission.identity.code
    body = {
        "organisation": code, "frame_sha256": mission.frame.sha256, "record_size": mission.frame.record_size,
        "design": dict(plan), "stations": plan["n"], "commitment": commitment,
    }  # fmt: skip
    visit.office.send("observer-sample", f"observer-sample/{code}/1", body)


def draw(visit: Visit) -> str:
    """Draws the sample that was committed to, from the frozen file."""
    if visit.form is None:
        return "/sample"
    keep = visit.office.keep
    seed = keep.kept(SEED) or ""
    if not seed:
        raise MissionError("the seed is not here: put the mission's folder back from a copy")
    visit.append("drawn", design.drawn_now(visit.mission, keep.folder, seed))
    return "/sample"


def reveal(visit: Visit) -> str:
    """Puts the seed into the record: from then on anyone can draw the same stations."""
    if visit.form is None:
        return "/sample"
    mission = visit.mission
    if mission.sample is None or mission.identity is None:
        raise MissionError("there is no sample yet")
    sent = _sent(mission)
    if sent is None or sent.index is None:
        raise MissionError(
            "the commitment is not in the official record: there is nothing there that the seed would open"
        )
    code = mission.identity.code
    body = {"organisation": code, "of": sent.index, "seed": str(mission.sample.draw["seed"])}
    visit.office.send("observer-seed", f"observer-seed/{code}/1", body)
    return "/sample"


def check(visit: Visit) -> str:
    """Holds a file against the sample: a list must be the frozen one, a sample must have the same stations, none replaced."""
    if visit.form is None:
        return "/sample"
    mission = visit.mission
    if mission.frame is None or "file" not in visit.files:
        raise BadInput("choose a file: a list of stations, or a sample", field="file", check="O.012")
    path = visit.files["file"]
    if path.suffix != ".json":
        design.same(file_sha256(path), mission.frame)
        return "/sample?checked=1"
    try:
        body = json.loads(read_regular(path, LARGEST_SAMPLE))
    except (OSError, ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or mission.sample is None:
        raise BadInput("this is not a sample", field="file", expected="the file that this page gives", check="O.012")
    frozen = design.frame_path(visit.office.keep.folder, mission.frame)
    redraw(
        read_frame(frozen, columns_of(mission.sample.draw)), {**mission.sample.draw, "stations": body.get("stations")}
    )
    return "/sample?checked=1"


def frozen_file(visit: Visit) -> Response | str:
    """The frozen list, byte for byte."""
    frame = visit.mission.frame
    if frame is None:
        return "/sample"
    data = design.frame_path(visit.office.keep.folder, frame).read_bytes()
    headers = {"Content-Disposition": f'attachment; filename="{frame.file}"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


def drawn_file(visit: Visit) -> Response | str:
    """The sample as `dauys sample --json` says it; it names the seed."""
    if visit.mission.sample is None:
        return "/sample"
    headers = {"Content-Disposition": 'attachment; filename="sample.json"'}
    return JSONResponse(dict(visit.mission.sample.draw), headers=headers)


def _sent(mission: Mission) -> Any:
    """The last commitment that is in the record."""
    found = [one for one in mission.sent.values() if one.kind == "observer-sample"]
    return found[-1] if found else None


def _text(value: Fraction) -> str:
    return f"{float(value):.2f}"


PAGES = (
    Page("/sample", "mission/sample.html", sample, "Sample", twin="state"),
    Page("/sample/freeze", "", freeze),
    Page("/sample/past", "", past_vote),
    Page("/sample/commit", "", commit),
    Page("/sample/tell", "", tell),
    Page("/sample/draw", "", draw),
    Page("/sample/reveal", "", reveal),
    Page("/sample/check", "", check),
    Page("/sample/frame", "", frozen_file),
    Page("/sample/drawn", "", drawn_file),
)
