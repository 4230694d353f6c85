"""How does a model become a page: Jinja templates of every room, one environment per language, one layout?

A room hands over a template name and a model of plain values (the same that its JSON twin sends); words, numbers, links
and layout are made here. Templates come from the `templates` folder of each room that has one.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from hashlib import sha256
from importlib import resources
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_gmt
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import BytecodeCache, ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from jinja2.bccache import Bucket
from markupsafe import Markup, escape

from dauys.law.citation_words import said
from dauys.publish import figures
from dauys.registers.poll import is_trial
from dauys.roll.ground import by_claim
from dauys.stations.catalogue import catalogue
from dauys.web.fault_words import message_shape, shape_of
from dauys.web.languages import DEFAULT, LANGUAGES, negotiate, translations

DATES = {"kk": "kk", "ru": "ru", "en": "en_GB"}
"""The locales that dates are written in: the day before the month."""
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
ROOMS = ("web", "publish", "stations", "pollbook", "roll", "observe")
"""The rooms whose templates the site can show; the first that has a name wins."""

SHELLS_OWN = frozenset(("path", "site", "twin", "wall", "languages"))
"""What every template is given here: a model has no such names."""


def render(request: Request, template: str, model: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """The page that `template` makes of `model`, in the language of the request's path."""
    if taken := SHELLS_OWN & model.keys():
        raise ValueError(f"{template}: {', '.join(sorted(taken))} in the model would hide behind the shell's own")
    lang = language(request)
    page = environment(lang).get_template(template)
    query = f"?{request.url.query}" if request.url.query else ""
    html = page.render(
        model,
        path=request.url.path,
        site=str(request.base_url).rstrip("/"),
        twin=twin(request.url.path),
        wall="wall" in request.query_params,
        languages={
            code: (name, f"/{code}{_after_language(request.url.path)}{query}") for code, name in LANGUAGES.items()
        },
    )
    return HTMLResponse(html, status, {"Cache-Control": "no-cache", "Content-Language": lang})


def language(request: Request) -> str:
    """The language a request's path begins with, else the best one for its Accept-Language header."""
    first = request.url.path.split("/")[1]
    return first if first in LANGUAGES else negotiate(request.headers.get("accept-language"))


def twin(path: str) -> str:
    """The address of a page's JSON twin: `/en/polls/kz/x/` has `/en/polls/kz/x.json`, `/en/` has `/en.json`."""
    return path.removesuffix("/") + ".json"


def template_folders() -> list[PackageLoader]:
    """A loader for every room that has templates."""
    package = resources.files("dauys")
    return [PackageLoader(f"dauys.{room}") for room in ROOMS if (package / room / "templates").is_dir()]


class _Compiled(BytecodeCache):
    """Templates compiled in this process: their code is the same in every language."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (code := self._codes.get(bucket.key)) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


@cache
def environment(lang: str) -> Environment:
    """Templates with the words, numbers and dates of one language."""
    env = Environment(
        loader=ChoiceLoader(template_folders()),
        autoescape=select_autoescape(("html", "svg")),
        undefined=StrictUndefined,
        auto_reload=False,
        bytecode_cache=_COMPILED,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_translations(translations(lang), newstyle=True)  # type: ignore[attr-defined]
    env.tests["trial"] = is_trial
    say = _sayer(translations(lang).gettext)
    env.globals.update(
        _=say,
        gettext=say,
        lang=lang,
        static=static,
        percent=figures.percent,
        check_of=catalogue().get,
        poll_path=lambda poll: f"/{lang}/polls/{poll}/",
        station_path=lambda poll, station: f"/{lang}/polls/{poll}/stations/{_station(station)}",
    )
    env.filters.update(
        num=lambda value: figures.number(value, lang),
        duration=lambda value, unit: figures.duration(value, unit, lang),
        pct=lambda share: figures.percent_text(share, lang),
        cite=lambda text, pack: _cite(text, pack, lang),
        claim=by_claim,
        name=lambda labels: labels.get(lang) or labels.get(DEFAULT) or next(iter(labels.values())),
        day=lambda value: format_date(date.fromisoformat(value), "long", locale=DATES[lang]),
        short_day=lambda value: format_date(date.fromisoformat(value), "medium", locale=DATES[lang]),
        time=lambda value, zone: datetime.fromisoformat(value).astimezone(ZoneInfo(zone)).strftime("%H:%M"),
        moment=lambda value, zone: _moment(value, zone, lang),
        zone=lambda zone, at: zone_name(zone, at),
        own=lambda text: _own(text, lang),
        sentence=lambda text: text[:1].upper() + text[1:],
        url=lambda text: quote(str(text), safe="/"),
        shape=shape_of,
        message_shape=message_shape,
    )
    return env


def _sayer(translate: Callable[[str], str]) -> Callable[..., Markup]:
    """The `gettext` of Jinja's new style (always a format string, always escaped), but made once for a message.

    A page says some hundreds of messages, most of them again and again and without variables.
    """

    @lru_cache(4096)
    def message(text: str) -> Markup:
        return Markup(translate(text))

    @lru_cache(4096)
    def plain(text: str) -> Markup:
        return message(text) % {}

    def gettext(text: str, /, **variables: object) -> Markup:
        return message(text) % variables if variables else plain(text)

    return gettext


def zone_name(zone: str, at: str) -> str:
    """The zone as people can check it: its tz name and its offset at that moment, `Asia/Almaty, UTC+06:00`."""
    return f"{zone}, {get_timezone_gmt(_local(at, zone), 'long', locale='en').replace('GMT', 'UTC')}"


def _own(text: str, lang: str) -> str:
    """The part in the page's language of a text that the record holds in all three, as `kk · ru · en`."""
    parts = text.split(" · ")
    return parts[list(LANGUAGES).index(lang)] if len(parts) == len(LANGUAGES) else text


def _station(station: str) -> str:
    """A station's id in an address. One that ends like a twin's address gets a mark of its own: a slash after it."""
    return quote(station, safe="/") + ("/" if station.endswith((".json", "/")) else "")


def _cite(text: str, pack: str, lang: str) -> Markup:
    """A citation of a pack in the page's language; what could not be read stays English and is marked so."""
    parts = (
        Markup('<span lang="en">{}</span>').format(words)
        if own != lang and not _CYRILLIC.search(words)
        else escape(words)
        for words, own in said(text, lang, pack)
    )
    return Markup("; ").join(parts)


def _local(value: str, zone: str) -> datetime:
    parsed = datetime.fromisoformat(value)
    return parsed.astimezone(ZoneInfo(zone)) if parsed.tzinfo else parsed.replace(tzinfo=ZoneInfo(zone))


def _moment(value: str, zone: str, lang: str) -> str:
    local = _local(value, zone)
    return f"{format_date(local.date(), 'long', locale=DATES[lang])}, {local:%H:%M}"


@cache
def static(name: str) -> str:
    """The address of a static file, with a mark that changes with its content so that it can be kept for ever."""
    content = (resources.files("dauys.web") / "static" / name).read_bytes()
    return f"/static/{name}?v={urlsafe_b64encode(sha256(content).digest())[:8].decode()}"


def _after_language(path: str) -> str:
    first, _, rest = path.lstrip("/").partition("/")
    return f"/{rest}" if first in LANGUAGES else "/"
