"""Is HEAD answered as GET is, without the body?"""

from __future__ import annotations

import pytest
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from dauys.publish.source import DatabaseSource
from dauys.web.app import site
from site_client import SiteClient


def pieces() -> APIRouter:
    routes = APIRouter()

    @routes.get("/piece/{name}")
    async def piece(name: str) -> Response:
        if name == "none":
            raise HTTPException(404)

        async def endless():  # type: ignore[no-untyped-def]
            while True:
                yield "event\n"

        return StreamingResponse(endless()) if name == "stream" else PlainTextResponse(name * 2000)

    return routes


@pytest.mark.parametrize("address", ["/piece/a", "/piece/none", "/static/dauys.css", "/", "/record/x/checkpoint"])
def test_head_has_the_status_and_the_headers_of_get(address: str) -> None:
    with SiteClient(site(DatabaseSource(None), [pieces()]), follow_redirects=False) as client:  # type: ignore[arg-type]
        full, head = client.get(address), client.head(address)
    assert head.content == b"" and head.status_code == full.status_code != 405
    assert dict(head.headers) == dict(full.headers)
    assert int(head.headers["content-length"]) == len(full.content)


def test_a_stream_without_end_ends_for_head() -> None:
    with SiteClient(site(DatabaseSource(None), [pieces()])) as client:  # type: ignore[arg-type]
        assert client.head("/piece/stream").status_code == 200
