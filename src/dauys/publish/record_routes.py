"""How does a verifier or a witness read the record over HTTP? C2SP tlog-tiles below /record/POLL/."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response

from dauys.errors import DauysError
from dauys.page_forms import limited
from dauys.polls.keys import Keys
from dauys.publish.archive import bundle_zip
from dauys.publish.bundle import PUBLISHED, published_file
from dauys.publish.record_files import keys_json, newest_checkpoint, tile_bytes
from dauys.record import log
from dauys.record.tiles import NotPublished
from dauys.store.engine import data_folder

KEPT_FOR_EVER = "public, max-age=31536000, immutable"
LARGEST_COSIGNATURE = 4096


def record_router(engine: sa.Engine, keys_for: Callable[[str], Keys | None]) -> APIRouter:
    """The routes; `keys_for(poll)` is None where this installation cannot sign for the poll (a mirror)."""
    router = APIRouter(prefix="/record", tags=["record"])

    @router.get("/{poll:path}/checkpoint", response_class=PlainTextResponse)
    def checkpoint(poll: str) -> PlainTextResponse:
        with engine.begin() as connection:
            _expect_poll(connection, poll)
            return PlainTextResponse(newest_checkpoint(connection, poll, keys_for(poll)), headers=_live())

    @router.get("/{poll:path}/checkpoints/{size}", response_class=PlainTextResponse)
    def earlier_checkpoint(poll: str, size: int) -> PlainTextResponse:
        with engine.connect() as connection:
            for signed, note in log.checkpoints(connection, poll, every=True):
                if signed == size:
                    return PlainTextResponse(note, headers=_live())
        raise HTTPException(404, f"no checkpoint of {size} entries")

    @router.get("/{poll:path}/keys.json")
    def keys(poll: str) -> Response:
        with engine.connect() as connection:
            _expect_poll(connection, poll)
            held = keys_for(poll)
            if held is None:
                raise HTTPException(404, "this mirror holds no keys of that poll")
            return Response(keys_json(connection, poll, held), media_type="application/json", headers=_live())

    @router.get("/{poll:path}/tile/{rest:path}")
    def tile(poll: str, rest: str) -> Response:
        with engine.connect() as connection:
            try:
                data = tile_bytes(connection, poll, f"tile/{rest}")
            except NotPublished as error:
                raise HTTPException(404, str(error)) from None
            except DauysError as error:
                raise HTTPException(400, str(error)) from None
        return Response(data, media_type="application/octet-stream", headers={"Cache-Control": KEPT_FOR_EVER})

    @router.post("/{poll:path}/cosign", response_class=PlainTextResponse)
    async def cosign(poll: str, request: Request) -> PlainTextResponse:
        body = await limited(request, LARGEST_COSIGNATURE)
        if body is None:
            raise HTTPException(413, f"a cosignature has at most {LARGEST_COSIGNATURE} bytes")
        try:
            with engine.begin() as connection:
                size = log.add_cosignature(connection, poll, body.decode("utf-8"))
        except (DauysError, UnicodeDecodeError) as error:
            raise HTTPException(403, str(error)) from None
        return PlainTextResponse(f"cosigned {size}\n")

    @router.get("/{poll:path}/bundle.zip")
    def whole(poll: str) -> FileResponse:
        with engine.connect() as connection:
            _expect_poll(connection, poll)
        held = keys_for(poll)
        if held is None:
            raise HTTPException(404, "this mirror holds no keys of that poll")
        path = bundle_zip(engine, poll, held, data_folder() / "bundles")
        return FileResponse(path, media_type="application/zip", filename=path.name, headers=_live())

    @router.get("/{poll:path}/{name}")
    def published(poll: str, name: str) -> Response:
        if name not in PUBLISHED:
            raise HTTPException(404, f"published files: {', '.join(PUBLISHED)}")
        with engine.connect() as connection:
            _expect_poll(connection, poll)
            data = published_file(connection, poll, name)
        headers = _live() | {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type=PUBLISHED[name], headers=headers)

    return router


def _expect_poll(connection: sa.Connection, poll: str) -> None:
    if log.size(connection, poll) == 0:
        raise HTTPException(404, f"no record of {poll}")


def _live() -> dict[str, str]:
    return {"Cache-Control": "no-cache"}
