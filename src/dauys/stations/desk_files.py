"""How does a file get in at the desk? Chosen, looked at as it was read and would be taken, and only then sent."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import UploadFile

from dauys.errors import BadInput
from dauys.registers.poll import Poll
from dauys.stations.catalogue import meanings
from dauys.stations.desk_visit import Model, Page, Visit, about
from dauys.stations.overview import station_count
from dauys.stations.requests import KINDS, kind_of
from dauys.stations.sending import LARGEST_FILE, Looked, Upload, forget, keep, kept, look, send
from dauys.stations.states import Role


def _file(visit: Visit) -> Model | str:
    """The file that waits stays until it is sent, forgotten, or another takes its place."""
    poll, act = visit.poll, visit.sent("act")
    model = about(poll) | {
        "checks": _meant(poll), "labels": _labels(poll), "several": len(poll.contests) > 1,
        "kinds": KINDS, "largest": LARGEST_FILE >> 20, "listed": station_count(visit.connection, poll.id),
    }  # fmt: skip
    if visit.form is None:
        return model | {"waiting": kept(visit.connection, poll.id, visit.account)}
    if act == "forget":
        forget(visit.connection, visit.account)
        return model | {"waiting": None}
    if act in ("look", "send"):
        waiting = kept(visit.connection, poll.id, visit.account)
        if waiting is None or (act == "send" and visit.sent("kept") != waiting.at.isoformat()):
            raise BadInput("this is not the file you looked at: look at it again", field="file", check="F.030")
        if act == "send":
            answer = send(visit.connection, poll, waiting, visit.account, visit.at, visit.beside)
            return model | {"waiting": None, "name": waiting.name, "answer": answer}
        return (
            model | {"waiting": waiting} | _looked(*look(visit.connection, poll, waiting, visit.account, visit.beside))
        )
    upload = _upload(visit, poll.id)
    found = look(visit.connection, poll, upload, visit.account, visit.beside)
    keep(visit.connection, upload, visit.account)
    return model | {"waiting": upload} | _looked(*found)


def _meant(poll: Poll) -> dict[str, list[Mapping[str, str]]]:
    """The titles of each number: several where the forms of several contests give it to different identities."""
    titles: dict[str, list[Mapping[str, str]]] = {}
    for meaning in meanings(poll.contests):
        titles.setdefault(meaning.check.number, []).append(meaning.check.title)
    return titles


def _labels(poll: Poll) -> dict[str, list[Mapping[str, str]]]:
    """What the forms call each field: several labels where several forms call it otherwise."""
    labels: dict[str, list[Mapping[str, str]]] = {}
    for contest in poll.contests:
        for field in contest.form.fields:
            if field.labels not in labels.setdefault(field.name, []):
                labels[field.name].append(field.labels)
    return labels


def _upload(visit: Visit, poll_id: str) -> Upload:
    """The file of the form. Raises BadInput F.001."""
    chosen = visit.form.get("file") if visit.form else None
    if not isinstance(chosen, UploadFile) or not chosen.filename:
        raise BadInput("no file is chosen", field="file", check="F.001", expected=", ".join(KINDS))
    kind_of(chosen.filename)
    content = chosen.file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise BadInput("the file is too large for the desk: send it over HTTP or with `dauys protocols`", field="file",
                       check="F.001", expected=f"at most {LARGEST_FILE:,} bytes")  # fmt: skip
    about = "turnout" if visit.sent("about") == "turnout" else "protocols"
    name = chosen.filename.replace("\0", "")[-100:]
    return Upload(poll_id, about, name, visit.sent("columns"), content, visit.at)


def _looked(looked: Looked, answer: Model) -> Model:
    return {
        "seen": answer,
        "parts": [(part, rows, dict(looked.sums[part])) for part, rows in looked.rows.items()],
        "first": looked.first,
        "names_of": list(dict.fromkeys(name for sums in looked.sums.values() for name in sums)),
    }


PAGES = (
    Page("/{poll:path}/file", "desk/file.html", _file, (Role.CLERK,), largest=LARGEST_FILE + (1 << 16)),
)  # fmt: skip
