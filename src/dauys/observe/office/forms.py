"""What was sent with a form: fields, and files on the disk, within limits?"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from dauys import page_forms
from dauys.errors import BadInput

LARGEST_FORM = 4 << 20
"""Bytes of a form without files: a pasted list of some thousand lines."""
LARGEST_UPLOAD = 64 << 20
"""Bytes of a form with files, all together. What a picture may have is a rule of the field's (field.photos)."""
MOST_FIELDS, MOST_FILES = 5_000, 32
_ENDING = re.compile(r"(\.[a-z0-9]{1,8}){1,2}\Z")


@dataclass
class Sent:
    """A form that was sent. `files` are uploads by field; a second file of a field is `name#2`. `close` deletes them."""

    fields: Mapping[str, str]
    files: dict[str, Path] = field(default_factory=dict)
    _folder: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()


async def read_form(request: Request) -> Sent | None:
    """What a POST brought; None for another method. Raises HTTPException 413, 400."""
    if request.method != "POST":
        return None
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _multipart(request)
    data = b"".join([piece async for piece in _limited(request, LARGEST_FORM)])
    try:
        return Sent(
            dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        )
    except ValueError:
        raise HTTPException(400, "this is no form") from None


async def _multipart(request: Request) -> Sent:
    parser = MultiPartParser(
        request.headers, _limited(request, LARGEST_UPLOAD), max_files=MOST_FILES, max_fields=MOST_FIELDS,
        max_part_size=LARGEST_FORM,
    )  # fmt: skip
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise HTTPException(400, f"this is no form: {getattr(error, 'message', error)}") from None
    fields: dict[str, str] = {}
    sent = Sent(fields)
    try:
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields[name] = value
            elif value.filename:
                if sent._folder is None:
                    sent._folder = tempfile.TemporaryDirectory(prefix="dauys-mission-")
                await run_in_threadpool(_store, sent, Path(sent._folder.name), name, value)
    except BaseException:
        sent.close()
        raise
    finally:
        await form.close()
    return sent


def _store(sent: Sent, folder: Path, name: str, value: UploadFile) -> None:
    """A file that was sent, under a name of ours; its ending stays, as readers of tables go by it."""
    ending = _ENDING.search((value.filename or "").lower())
    path = folder / f"{len(sent.files)}{ending[0] if ending else ''}"
    with path.open("xb") as file:
        shutil.copyfileobj(value.file, file)
    count = sum(other.partition("#")[0] == name for other in sent.files)
    sent.files[name if count == 0 else f"{name}#{count + 1}"] = path


async def _limited(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise HTTPException(413, f"what is sent at once has at most {most:,} bytes")
        yield piece


def from_here(request: Request) -> None:
    """Raises BadInput O.024 where another site sends this."""
    if not page_forms.from_here(request.headers):
        raise BadInput("the request comes from another site; open the page here", check="O.024")
