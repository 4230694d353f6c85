"""What a request brings, and what an error answers: bodies of bounded size, uploads on disk, JSON errors with numbers."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from dauys import page_forms
from dauys.errors import BadInput, DauysError
from dauys.record.canonical import NotCanonical
from dauys.record.entry import EntryError
from dauys.registers.table import unique

COOKIE = "dauys_desk"
LARGEST_FORM = 1 << 20
LARGEST_BODY = 32 << 20
LARGEST_UPLOAD = 8 << 30
KINDS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".json", ".jsonl", ".jsonl.gz")

_STATUS = {
    "F.024": 409,
    "F.025": 409,
    "F.028": 409,
    "F.030": 409,
    "F.034": 409,
    "F.040": 403,
    "F.041": 401,
    "F.042": 403,
}


def status_of(error: DauysError) -> int:
    """The HTTP status of an error: 401, 403, 409 by its number, else 422; 404 for what is not there."""
    if isinstance(error, EntryError | NotCanonical):  # too long for the record, or no text at all
        return 422
    if not isinstance(error, BadInput):
        return 404
    return _STATUS.get(error.check or "", 422)


def problem(error: DauysError) -> Response:
    """`{"error": {"check","message","row","field","found","expected"}}`."""
    body = error.as_json() if isinstance(error, BadInput) else {"message": str(error)}
    # in ASCII: what was found may be half of a surrogate pair, which has no UTF-8
    return Response(json.dumps({"error": body}), status_of(error), media_type="application/json")


def token_of(request: Request) -> str | None:
    """The bearer token, or the session cookie."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE)


def from_here(request: Request) -> None:
    """Raises BadInput F.042 where another site sends this."""
    if not page_forms.from_here(request.headers):
        raise BadInput("the request comes from another site: open the page here and send it again", check="F.042")


async def json_body(request: Request) -> Any:
    """The JSON of a request. Raises BadInput F.017 if it is none, has a key twice, or exceeds 32 MiB."""
    data = await page_forms.limited(request, LARGEST_BODY)
    if data is None:
        raise BadInput("the request is too large: send a file to .../protocols/file", check="F.017")
    return await run_in_threadpool(_parsed, data)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise BadInput("the body is not JSON", check="F.017", found=str(error)) from error


async def form_of(request: Request, largest: int = LARGEST_FORM) -> FormData | None:
    """The fields and files of a form that was sent; None where nothing was. A NUL, which no text has, becomes U+FFFD.

    Raises HTTPException 411, 413: whoever has not signed in yet may not fill the memory.
    """
    if request.method != "POST":
        return None
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411, "a form says how long it is")
    if int(length[:12]) > largest:
        raise HTTPException(413, f"a form has at most {largest:,} bytes")
    fields = (await request.form()).multi_items()
    return FormData(
        [(name, value.replace("\0", "\ufffd") if isinstance(value, str) else value) for name, value in fields]
    )


def rows_of(body: Any, name: str) -> list[Mapping[str, Any]]:
    """One object, a list of them, or `{name: [...]}`. Raises BadInput F.003, F.017."""
    if isinstance(body, Mapping) and isinstance(body.get(name), list) and len(body) == 1:
        body = body[name]
    rows = body if isinstance(body, list) else [body]
    if not rows:
        raise BadInput("the list has no rows", check="F.003", expected="at least one row")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise BadInput("an object is expected", row=number, check="F.017", found=row, expected='{"station": ...}')
    return rows


def kind_of(name: str) -> str:
    """The end of a file's name, which says what kind it is. Raises BadInput F.001."""
    ending = next((kind for kind in sorted(KINDS, key=len, reverse=True) if name.lower().endswith(kind)), None)
    if ending is None:
        raise BadInput(
            "the kind of file is not known by its name (over HTTP: ?name=FILE)", check="F.001", found=name or None,
            expected=", ".join(KINDS),
        )  # fmt: skip
    return ending


@asynccontextmanager
async def upload(request: Request, name: str) -> AsyncIterator[Path]:
    """The body of a request as a file on disk, streamed; `name` says by its end what kind it is. Raises BadInput F.001."""
    ending = kind_of(name)
    with tempfile.TemporaryDirectory(prefix="dauys-upload") as folder:
        path = Path(folder) / f"upload{ending}"
        size = 0
        with path.open("wb") as file:
            async for piece in request.stream():
                size += len(piece)
                if size > LARGEST_UPLOAD:
                    raise BadInput("the file is too large", check="F.001", expected="at most 8 GiB")
                file.write(piece)
        yield path
