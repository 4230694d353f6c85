"""Who are we, whose record do we follow, and does that record know our key? The mission's set-up, in the browser."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dauys.errors import BadInput, DauysError
from dauys.observe.known.model import MissionError
from dauys.observe.known.official import Official, record_address
from dauys.observe.office.running import site_of
from dauys.observe.office.visit import Model, Office, Page, Visit
from dauys.page_forms import LANGUAGES

CODE = re.compile("[a-z0-9][a-z0-9-]{0,39}")
"""As the record has organisations' codes (observe.accreditation)."""


def setup(visit: Visit) -> Model | str:
    """Shows who we are; a form changes it. The record is read before anything is kept: a wrong address is said at once."""
    if visit.form is not None:
        return _set_up(visit)
    mission, office = visit.mission, visit.office
    official = office.official()
    identity = mission.identity
    return {
        "identity": identity,
        "public": office.keep.public,
        "official_site": site_of(identity.source) if identity is not None and "://" in identity.source else "",
        "standing": None if identity is None else standing(official, identity.code),
        "key_fits": None if identity is None else key_fits(official, identity.code, office.keep.public),
        "official": None
        if official is None
        else {"size": official.size, "root": official.root, "log_key": official.log_key, "poll": official.poll.id,
              "stations": len(official.stations), "declared": official.declared, "as_of": official.as_of,
              "zone": official.poll.timezone},
        "fault": office.fault(),
        "outbox": [
            {"id": one.id, "kind": one.kind, "why": one.why} for one in office.extra.get("outbox", _NOTHING).waiting()
        ],
        "sent": list(mission.sent.values()),
        "witness": _witness(office),
        "drawn": mission.sample is not None,
        "partners": [] if identity is None else partners(official, identity.code),
        "languages_of_names": LANGUAGES,
    }  # fmt: skip


def _set_up(visit: Visit) -> str:
    code = visit.text("code", 40).lower()
    if CODE.fullmatch(code) is None or code == "commission":
        expected = "small letters, digits and hyphens, as the commission gave it"
        raise BadInput(
            "this cannot be an organisation's code", field="code", found=code, expected=expected, check="O.012"
        )
    names = {lang: name for lang in LANGUAGES if (name := visit.text(f"name-{lang}", 200))}
    if not names:
        raise BadInput(
            "an organisation has a name", field="name", expected="a name in one language at least", check="O.012"
        )
    source, log_key = visit.text("source", 500), visit.text("log_key", 300)
    if source.startswith(("http://", "https://")):
        source = record_address(source)
    coalition = [one for part in visit.text("coalition").split(",") if (one := part.strip().lower())]
    if wrong := next((one for one in coalition if CODE.fullmatch(one) is None), None):
        raise BadInput("this cannot be an organisation's code", field="coalition", found=wrong, check="O.012")
    official: Official = visit.office.extra["reading"].look(source, log_key)
    before = visit.mission.identity
    if before is not None and visit.mission.sample is not None and before.code != code:
        raise MissionError("the sample was committed to under this code: it stays")
    body = {
        "code": code, "names": names, "poll": official.poll.id, "source": source, "zone": official.poll.timezone,
        "log_key": official.log_key, "coalition": coalition,
    }  # fmt: skip
    visit.append("identity", body)
    visit.office.refresh()
    return "/setup"


def standing(official: Official | None, code: str) -> Model | None:
    """What the record says of the organisation: accredited until when and where, or suspended and why; None: nothing yet."""
    if official is None:
        return None
    found: Model | None = None
    for index, entry in official.observers.items():
        if entry.kind == "organisation" and entry.body["code"] == code:
            found = {
                "entry": index, "until": entry.body["until"], "scope": list(entry.body["scope"]), "key": entry.body["key"],
                "names": entry.body["names"], "cite": entry.body.get("cite", ""), "suspended": "", "kind": entry.body["kind"],
            }  # fmt: skip
        elif entry.kind == "organisation-suspended" and entry.body["organisation"] == code and found is not None:
            found["suspended"] = str(entry.body["reason"]) if entry.body["suspended"] else ""
    return found


def partners(official: Official | None, code: str) -> list[str]:
    """The organisations that the record has under this one's lead, in a coalition."""
    entries = [] if official is None else official.observers.values()
    return [
        str(one.body["code"]) for one in entries if one.kind == "organisation" and one.body.get("coalition") == code
    ]


def key_fits(official: Official | None, code: str, public: str) -> bool | None:
    """Whether the record knows this mission's key; None: it does not know the organisation yet."""
    found = standing(official, code)
    return None if found is None else bool(found["key"] == public)


def refresh(visit: Visit) -> str:
    """Reads the record and sends what waits, now. What could not be done stands on the page."""
    if visit.form is not None:
        try:
            visit.office.refresh()
        except MissionError:
            raise
        except DauysError:  # it stands in `fault`
            pass
        visit.office.extra.get("outbox", _NOTHING).flush()
    return "/setup"


def give_up(visit: Visit) -> str:
    """Gives up an entry that the record does not take."""
    if visit.form is not None:
        visit.office.extra.get("outbox", _NOTHING).drop(visit.text("id", 300))
    return "/setup"


def password(visit: Visit) -> Model | str:
    """The office's password."""
    door = visit.office.extra["door"]
    if visit.form is None:
        return {"first": not door.has_password}
    door.choose(visit.form.get("password", ""), visit.form.get("again", ""))
    return ""


def out(visit: Visit) -> str:
    """Signs out: the app ends the session."""
    return "/in"


def _witness(office: Office) -> Mapping[str, object] | None:
    witness = office.extra.get("witness")
    return None if witness is None else {"vkey": witness.vkey, **witness.said}


class _Nothing:
    """An office without a wire: nothing waits."""

    def waiting(self) -> list[Model]:
        return []

    def flush(self) -> None:
        return

    def drop(self, entry_id: str) -> None:
        return


_NOTHING = _Nothing()

PAGES = (
    Page("/setup", "mission/setup.html", setup, "Set-up"),
    Page("/setup/refresh", "", refresh),
    Page("/setup/drop", "", give_up),
    Page("/password", "mission/password.html", password),
    Page("/out", "", out),
)
