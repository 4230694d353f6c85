"""Does an open page of the mission's office follow what comes in, and does it still without JavaScript?"""

from __future__ import annotations

import asyncio
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

from field_world import Phone, incoming, mission, send, site

from dauys.observe.office.following import Live
from dauys.publish.live import Size, changes

LIVE = Live(
    Path(str(resources.files("dauys.web") / "static" / "live.js")),
    lambda size: lambda gone: changes(Size(size), gone, 0.001),
)


def first_size(app: Any, phone: Phone) -> tuple[int, int | None]:
    """Status, and the first number that the stream tells; the reader then goes away."""
    told: list[bytes] = []
    status = 0
    asked = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if asked:
            return asked.pop()
        while not any(b"event: size" in piece for piece in told):
            await asyncio.sleep(0.001)
        return {"type": "http.disconnect"}

    async def hear(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        told.append(message.get("body", b""))

    cookie = "; ".join(f"{name}={value}" for name, value in phone.cookies.items())
    scope = {
        "type": "http", "method": "GET", "path": "/events", "raw_path": b"/events", "query_string": b"", "root_path": "",
        "scheme": "http", "http_version": "1.1", "server": ("mission.test", 80), "client": ("127.0.0.1", 9),
        "headers": [(b"cookie", cookie.encode()), (b"host", b"mission.test")],
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(app(scope, receive, hear), 5))
    found = re.search(rb"data: (.*)", b"".join(told))
    return status, None if found is None else json.loads(found[1])["size"]


def test_the_coverage_follows_what_comes_in(tmp_path: Path) -> None:
    keep = mission(tmp_path)
    send(keep, incoming("a/1"))
    app, door = site(keep, live=LIVE)
    office = Phone(app, door, who="office")
    for path in ("/en", "/en/coverage"):
        page = office.get(path).text
        shown = int(re.search(r'<body data-events="/events" data-size="(\d+)"', page)[1])  # type: ignore[index]
        assert first_size(app, office) == (200, shown), "what is shown is what the stream tells first"
        assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in page, "without JavaScript as before"
        script = re.search(r'<script src="(/static/live\.js[^"]*)" defer>', page)
        assert script is not None and office.get(script[1]).content == LIVE.script.read_bytes()
        assert 'id="live"' in page and 'id="main"' in page, "where the script says its state, and what it changes"
    send(keep, incoming("a/2"))
    assert first_size(app, office) == (200, shown + 1), "one more"
    assert first_size(app, Phone(app, door))[0] == 401, "an observer's phone follows nothing of the office"
    assert "data-events" not in Phone(app, door).get("/en/o").text


def test_without_a_stream_the_page_is_loaded_again(tmp_path: Path) -> None:
    keep = mission(tmp_path)
    send(keep, incoming("a/1"))
    page = Phone(*site(keep), who="office").get("/en").text
    assert "<script" not in page and "<noscript>" not in page and '<meta http-equiv="refresh" content="60">' in page
