"""What does every answer of a machine's pages bear: headers, static files, languages, the time of day?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from dauys.pollbook.machine.book import Book

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


Render = Callable[[Request, str, Mapping[str, Any], int], HTMLResponse]
"""Shows a template: request, its name, the model, the status."""


@cache
def asset(name: str) -> str:
    """The address of a static file, with a mark that changes with its content."""
    content = (resources.files("dauys.pollbook") / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:10]}"


def clock_of(book: Book, at: str) -> str:
    """The station's time of day, `10:32`; empty for no moment. Another day is said too."""
    if not at:
        return ""
    channels = book.package.channels
    local = channels.local(datetime.fromisoformat(at))
    return f"{local:%H:%M}" if local.date() == channels.day else f"{local:%d.%m. %H:%M}"
