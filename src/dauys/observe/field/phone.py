"""What do observers' phones get, and what do they send? Pages that work with the wire cut, and the two addresses they sync with.

The pages work without JavaScript while there is a wire: forms post. With it, `field.js` keeps what was written on the phone
(IndexedDB), `field_worker.js` keeps the pages, and both photos and reports are sent when there is a wire again:

    POST /o/api/photos    the bytes of one picture               -> {"sha256", "size", "kind"}
    POST /o/api/reports   {"key", "station", "form", "contest", "answers", "written", "sent", "photos": [sha256]}
                          -> 201, or 200 where it was there: {"report", "standing", "flags": [{"check", ...}], "asked", ...}
    GET  /o/api/reports   {"reports": [...]}: what came of this observer, and what the office said of it

A refusal is `{"error": {"check", "message", ...}}` with 401 (sign in), 403, 409, 413 or 422. Sending again is always safe.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from dauys.errors import BadInput, DauysError
from dauys.observe.field import photos, words
from dauys.observe.field.forms import form_of
from dauys.observe.field.intake import Incoming, note_poll, poll_of, take
from dauys.observe.known.model import MissionError, Observer
from dauys.observe.known.reports import Photo, Report
from dauys.observe.office.door import Door, Session, Shut
from dauys.observe.office.forms import Sent, from_here, read_form
from dauys.observe.office.shown import Shown
from dauys.observe.office.visit import Model, Office
from dauys.observe.office.words import refusal
from dauys.page_forms import LANGUAGES, limited

LARGEST_REPORT = 64 << 10
_STATUS = {"O.023": 401, "O.024": 403, "O.103": 403, "O.106": 409, "O.110": 413}


def routes(office: Office, door: Door, shown: Shown) -> Sequence[BaseRoute]:
    """The routes of observers' phones (mission.app.ROUTES)."""
    phone = _Phone(office, door, shown)
    found: list[BaseRoute] = [
        Route("/o/api/photos", _quiet(phone.photo), methods=["POST"]),
        Route("/o/api/reports", _quiet(phone.report), methods=["GET", "POST"]),
    ]
    for lang in LANGUAGES:
        found += [
            Route(f"/{lang}/o", phone.home),
            Route(f"/{lang}/o/in", _quiet(phone.sign_in), methods=["GET", "POST"]),
            Route(f"/{lang}/o/out", _quiet(phone.sign_out), methods=["POST"]),
            Route(f"/{lang}/o/rights", phone.rights),
            Route(f"/{lang}/o/form/{{form}}", _quiet(phone.form), methods=["GET", "POST"]),
            Route(f"/{lang}/o/form/{{form}}/{{contest}}", _quiet(phone.form), methods=["GET", "POST"]),
        ]
    return found


def _quiet(ask: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """What takes something in, ended without a word where the wire is cut meanwhile: nobody hears the answer."""

    @wraps(ask)
    async def asked(request: Request) -> Response:
        try:
            return await ask(request)
        except ClientDisconnect:
            return Response(status_code=400)

    return asked


class _Phone:
    def __init__(self, office: Office, door: Door, shown: Shown) -> None:
        self._office, self._door, self._shown = office, door, shown
        self._tries = CapacityLimiter(2)
        """Codes that are tried at once."""

    async def home(self, request: Request) -> Response:
        return await run_in_threadpool(self._home, request)

    def _home(self, request: Request) -> Response:
        found = self._door.observer_session(request)
        if found is None:
            return RedirectResponse(f"/{_lang(request)}/o/in", 303, {"Cache-Control": "no-store"})
        session, observer = found
        self._remember()
        office, mission = self._office, self._office.keep.mission
        poll = poll_of(mission, office.official())
        model = {
            "observer": observer,
            "stations": [words.station(office, name) for name in mission.where(observer.id)],
            "forms": words.forms(poll),
            "reports": [words.report(office, one) for one in self._mine(observer)],
            "poll": poll,
            "sent": request.query_params.get("sent", ""),
        }
        return self._show(request, "field/home.html", model, session)

    async def sign_in(self, request: Request) -> Response:
        sent = await read_form(request)
        fields = None if sent is None else sent.fields
        if sent is not None:
            sent.close()
        return await to_thread.run_sync(self._sign_in, request, fields, limiter=self._tries)

    def _sign_in(self, request: Request, fields: Mapping[str, str] | None) -> Response:
        """A code in the address (a QR code) is only filled in: nobody is signed in by opening a page."""
        lang, query = _lang(request), request.query_params
        model: Model = {"id": query.get("id", "")[:40], "code": query.get("code", "")[:20], "refusal": None}
        if fields is None:
            return self._show(request, "field/sign_in.html", model, None)
        typed = fields.get("id", "")[:40]
        try:
            from_here(request)
            session = self._door.observer_sign_in(typed, fields.get("code", "")[:40])
        except DauysError as error:
            model |= {"id": typed, "code": "", "refusal": refusal(error)}
            return self._show(request, "field/sign_in.html", model, None, _status(error))
        response = RedirectResponse(f"/{lang}/o", 303, {"Cache-Control": "no-store"})
        secure = request.url.scheme == "https"
        response.set_cookie(
            self._door.observer_cookie, session.token, httponly=True, samesite="strict", secure=secure, path="/",
            max_age=int((session.until - self._office.clock()).total_seconds()),
        )  # fmt: skip
        return response

    async def sign_out(self, request: Request) -> Response:
        sent = await read_form(request)
        found = self._door.observer_session(request)
        response = RedirectResponse(f"/{_lang(request)}/o/in", 303, {"Cache-Control": "no-store"})
        if found is not None and sent is not None and _marked(sent, found[0]):
            await run_in_threadpool(self._door.sign_out, found[0])
            response.delete_cookie(self._door.observer_cookie, path="/")
        return response

    async def rights(self, request: Request) -> Response:
        found = self._door.observer_session(request)
        model = await run_in_threadpool(words.rights, self._office)
        return self._show(request, "field/rights.html", model, None if found is None else found[0])

    async def form(self, request: Request) -> Response:
        found = await run_in_threadpool(self._door.observer_session, request)
        if found is None:  # before anything of the form is read
            return RedirectResponse(f"/{_lang(request)}/o/in", 303, {"Cache-Control": "no-store"})
        sent = await read_form(request)
        try:
            return await run_in_threadpool(self._form, request, sent, *found)
        finally:
            if sent is not None:
                await run_in_threadpool(sent.close)

    def _form(self, request: Request, sent: Sent | None, session: Session, observer: Observer) -> Response:
        lang = _lang(request)
        office, mission = self._office, self._office.keep.mission
        contest = request.path_params.get("contest", "")
        try:
            asked = form_of(request.path_params["form"], poll_of(mission, office.official()), contest)
        except BadInput as error:
            return self._show(request, "field/refused.html", {"refusal": refusal(error)}, session, 404)
        model: Model = {
            "observer": observer,
            "form": words.form(asked, contest),
            "cite": words.duties_cite(office) if asked.id == "incident" else "",
            "stations": [words.station(office, name) for name in mission.where(observer.id)],
            "station": request.query_params.get("station", ""),
            "typed": {},
            "key": f"page-{secrets.token_hex(12)}",
            "refusal": None,
        }
        if sent is None:
            return self._show(request, "field/form.html", model, session)
        try:
            from_here(request)
            if not _marked(sent, session):
                raise BadInput("the page has expired; open it again", check="O.024")
            taken = self._posted(observer, sent, asked.id, contest)
        except DauysError as error:
            typed = {name[2:]: value for name, value in sent.fields.items() if name.startswith("a-")}
            kept = {
                "typed": typed,
                "station": sent.fields.get("station", ""),
                "key": sent.fields.get("key", model["key"]),
            }
            return self._show(
                request, "field/form.html", model | kept | {"refusal": refusal(error)}, session, _status(error)
            )
        return RedirectResponse(f"/{lang}/o?sent={taken.n}", 303, {"Cache-Control": "no-store"})

    def _posted(self, observer: Observer, sent: Sent, form: str, contest: str) -> Report:
        """A form that a page posted without JavaScript, its photos with it."""
        office, fields = self._office, sent.fields
        pictures = tuple(
            photos.store(office.keep, path, observer.id)
            for name, path in sent.files.items()
            if name.startswith("photo")
        )
        answers = {name[2:]: value for name, value in fields.items() if name.startswith("a-") and value.strip()}
        incoming = Incoming(
            fields.get("key", "")[:100], observer.id, fields.get("station", "")[:100], form, answers, "phone", contest,
            photos=pictures,
        )  # fmt: skip
        return take(office.keep, incoming, office.clock(), office.official())

    async def photo(self, request: Request) -> Response:
        """Streams one picture to the disk; what is too large is refused while it comes."""
        try:
            observer = self._api(request, "")
            stored = await photos.receive(self._office.keep, request.stream(), observer.id)
        except DauysError as error:
            return _problem(error, request)
        return JSONResponse({"sha256": stored.sha256, "size": stored.size, "kind": stored.kind}, 201)

    async def report(self, request: Request) -> Response:
        try:
            observer = self._api(request, "application/json" if request.method == "POST" else "")
            if request.method == "GET":
                mine = await run_in_threadpool(
                    lambda: [words.report(self._office, one) for one in self._mine(observer)]
                )
                return JSONResponse({"reports": mine}, headers={"Cache-Control": "no-store"})
            data = await limited(request, LARGEST_REPORT)
            if data is None:
                raise HTTPException(413, f"a report has at most {LARGEST_REPORT:,} bytes")
            return await run_in_threadpool(self._report, observer, data)
        except DauysError as error:
            return _problem(error, request)

    def _report(self, observer: Observer, data: bytes) -> Response:
        office = self._office
        incoming = _incoming(office, observer, data)
        self._remember()
        there = incoming.key in office.keep.mission.by_key
        taken = take(office.keep, incoming, office.clock(), office.official())
        return JSONResponse(words.report(office, taken), 200 if there else 201)

    def _api(self, request: Request, content: str) -> Observer:
        """Who asks. Raises BadInput O.023 (nobody), O.024 (from another site, or no JSON)."""
        found = self._door.observer_session(request)
        if found is None:
            raise BadInput("sign in first", check="O.023")
        if request.method == "POST":
            from_here(request)
        if content and request.headers.get("content-type", "").partition(";")[0] != content:
            raise BadInput(f"this is to be {content}", check="O.024")
        return found[1]

    def _mine(self, observer: Observer) -> list[Report]:
        return [one for one in reversed(self._office.keep.mission.reports.values()) if one.observer == observer.id][
            :100
        ]

    def _remember(self) -> None:
        """Notes the poll once the record was read, so that copies can be written while it cannot be."""
        official = self._office.official()
        if official is not None:
            note_poll(self._office.keep, official.poll, self._office.clock())

    def _show(
        self, request: Request, template: str, model: Model, session: Session | None, status: int = 200
    ) -> Response:
        base: Model = {
            "observer": None,
            "who": "" if session is None else session.who,
            "zone": words.zone_of(self._office),
            "pack": words.pack_of(self._office),
            "here_path": request.url.path,
        }
        return self._shown.show(request, template, base | model, status, session)


def _incoming(office: Office, observer: Observer, data: bytes) -> Incoming:
    """A report as a phone's page sends it. Raises BadInput O.119, O.112."""
    shape = BadInput("this is no report", expected='{"key", "station", "form", "answers", ...}', check="O.119")
    try:
        body: Any = json.loads(data)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except (ValueError, RecursionError):
        raise shape from None
    texts = ("key", "station", "form", "contest", "written", "sent")
    if not isinstance(body, dict) or not isinstance(body.get("answers"), dict):
        raise shape
    if any(not isinstance(body.get(name, ""), str) for name in texts):
        raise shape
    answers, named = body["answers"], body.get("photos", [])
    if any(not isinstance(value, str) for value in answers.values()) or not isinstance(named, list):
        raise shape
    told = {name: body.get(name, "")[:100] for name in texts}
    return Incoming(
        told["key"], observer.id, told["station"], told["form"], answers, "phone", told["contest"], told["written"],
        told["sent"], tuple(_photo(office, name) for name in named),
    )  # fmt: skip


def _photo(office: Office, name: object) -> Photo:
    missing = BadInput("the photo did not come: send it first", field="photos", found=str(name)[:64], check="O.112")
    try:
        found = photos.kind_kept(office.keep, str(name))
    except MissionError:
        raise missing from None
    if found is None:
        raise missing
    return found


def _problem(error: DauysError, request: Request) -> JSONResponse:
    body: dict[str, Any] = error.as_json() if isinstance(error, BadInput) else {"message": str(error)}
    lang = request.query_params.get("lang", "")
    known = refusal(error)["known"]
    if known is not None and lang in LANGUAGES:
        body |= {"title": known.title[lang], "text": known.text[lang]}
    return JSONResponse({"error": body}, _status(error), {"Cache-Control": "no-store"})


def _status(error: DauysError) -> int:
    return 429 if isinstance(error, Shut) else _STATUS.get(str(getattr(error, "check", "")), 422)


def _marked(sent: Sent, session: Session) -> bool:
    return hmac.compare_digest(sent.fields.get("mark", "").encode(), session.mark.encode())


def _lang(request: Request) -> str:
    return request.url.path.split("/")[1]
