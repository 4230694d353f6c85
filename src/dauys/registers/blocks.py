"""How to read a file of any size as blocks of whole rows: plain or gzip, UTF-8, never more than one block in memory."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

from dauys.errors import BadInput
from dauys.regular_file import open_regular

Item = TypeVar("Item")

BLOCK = 3 << 19
"""Bytes of text read at a time."""

LONGEST_ROW = 1 << 20
"""A longer row is a quote that was never closed (or not a table at all)."""

GZIP = b"\x1f\x8b"
_QUOTE = ord('"')
_QUOTED = re.compile(rb'"[^"]*"')
_MARKS = {b"\xff\xfe\0\0": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or another zip: save it as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save it as CSV UTF-8",
    b"%PDF": "a PDF: a table is needed",
    b"BZh": "a bzip2 archive: unpack it first",
    b"\xfd7zXZ": "an xz archive: unpack it first",
    b"(\xb5/\xfd": "a zstd archive: unpack it first",
}


def bare(text: bytes) -> bytes:
    """The text less its quoted parts: what is left has only separators and line ends that count."""
    return _QUOTED.sub(b"", text) if b'"' in text else text


def blocks(path: Path, size: int = BLOCK, quotes: bool = True, longest: int = LONGEST_ROW) -> Iterator[bytes]:
    """The text of a file in blocks that end where a row ends (with `quotes`, line ends inside quotes do not count).

    A row has at most `longest` bytes, or those of one block. A UTF-8 byte order mark is dropped, and blank lines at the
    end. Raises BadInput F.001, F.002, F.004 to F.006 and F.008 (a quote that is never closed).
    Except for UTF-16 the encoding is not checked here: see `decode`. The next block is unpacked and cut in a thread.
    """
    return ahead(_blocks(path, size, quotes, longest))


def whole(path: Path) -> bytes:
    """All of such a text at once, in this thread: for tables that fit into memory. Raises BadInput as `blocks`."""
    return b"".join(_blocks(path, BLOCK, quotes=True, longest=LONGEST_ROW))


def _blocks(path: Path, size: int, quotes: bool, longest: int) -> Iterator[bytes]:
    rest, begun = b"", False
    for number, piece in enumerate(_pieces(path, size)):
        text = _opening(path, piece) if number == 0 else piece
        if b"\0" in text:
            raise BadInput("the file has NUL bytes: it is not text", file=path, check="F.005", expected="text in UTF-8")
        end = _rows_end(rest, text, quotes)
        if end == 0:  # no row that begins in this piece ends in it
            rest, text = b"", rest + text
            end = _rows_end(rest, text, quotes)
        if end == 0:
            if len(text) > longest:
                raise _never_closed(path, text)
            rest = text
            continue
        begun = True
        yield b"".join((rest, memoryview(text)[:end]))
        rest = text[end:]
    end = _end_of_text(rest, len(rest))
    if end and quotes and b'"' in bare(rest):
        raise _never_closed(path, rest)
    if end:
        yield rest[:end] + b"\n"
    elif not begun:
        raise BadInput("the file is empty", file=path, check="F.002", expected="a header line and rows")


def _rows_end(rest: bytes, text: bytes, quotes: bool) -> int:
    """Where the last whole row of rest + text ends in `text`; 0 where it does not. Blank lines after it do not belong to it:
    they wait for what follows, for only at the end of the file do they mean nothing.
    """
    end = _end_of_text(text, _last_row_end(rest, text) if quotes else text.rfind(b"\n") + 1)
    return end and text.index(b"\n", end) + 1


def _end_of_text(text: bytes, end: int) -> int:
    """Where the text before `end` ends if its blank lines at the end are left out."""
    while end and text[end - 1] in b"\r\n":
        end -= 1
    return end


def _never_closed(path: Path, text: bytes) -> BadInput:
    quoted = b'"' in text
    return BadInput(
        "a quote is opened and never closed" if quoted else f"a row of {len(text):,} bytes and more is no row",
        file=path,
        check="F.008",
        found=text.lstrip()[:60].decode(errors="replace"),
        expected='each quoted field closed, a " inside it doubled, lines that end with LF or CR LF',
    )


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, the next one made in a thread while the caller works on the last.

    A reading that is given up never waits for its thread: the garbage collector may end it in any thread, even in one
    that this thread waits for.
    """
    asked: SimpleQueue[bool] = SimpleQueue()
    made: SimpleQueue[tuple[Item | None, BaseException | None]] = SimpleQueue()
    Thread(target=_make, args=(items, asked, made), daemon=True).start()
    try:
        asked.put(True)
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if item is None:
                return
            asked.put(True)
            yield item
    finally:
        error = None  # it holds this frame
        asked.put(False)


def _make(
    items: Iterator[Item], asked: SimpleQueue[bool], made: SimpleQueue[tuple[Item | None, BaseException | None]]
) -> None:
    """One item each time it is asked for, None after the last; until it is told that no more are needed."""
    while asked.get():
        try:
            made.put((next(items, None), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the items are waited for
            made.put((None, error))


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    try:
        with open_regular(path) as file:
            first = file.read(size)
            if not first.startswith(GZIP):
                while first:
                    yield first if len(first) == size else _ended(first)
                    first = file.read(size)
                return
            unpack = zlib.decompressobj(31)
            packed, limit = first, size // 4  # the first piece is small: whoever waits for it can begin
            while packed:
                text = unpack.decompress(packed, limit)
                limit = size
                packed = unpack.unconsumed_tail
                if unpack.eof:  # gzip files may be several, one after the other
                    packed = unpack.unused_data.lstrip(b"\0") or file.read(size).lstrip(b"\0")
                    unpack = zlib.decompressobj(31) if packed else unpack
                elif not packed:
                    packed = file.read(size // 4)
                if text:
                    yield _ended(text) if unpack.eof else text
            if text := unpack.flush():  # what the limit of a piece kept back
                yield _ended(text) if unpack.eof else text
            if not unpack.eof:
                raise BadInput(
                    "the gzip file is cut off: send it again", file=path, check="F.006", expected="a whole gzip file"
                )
    except zlib.error as error:
        raise BadInput("the gzip file is damaged: send it again", file=path, check="F.006", found=str(error)) from error
    except OSError as error:
        raise BadInput(f"the file cannot be read: {error.strerror}", file=path, check="F.001") from error


def _ended(text: bytes) -> bytes:
    """The end of a file with the line end that its last row may lack."""
    return text if text.endswith(b"\n") else text + b"\n"


def _opening(path: Path, piece: bytes) -> bytes:
    """The first piece without a byte order mark, if it can be the beginning of a UTF-8 text at all."""
    for mark, what in _FOREIGN.items():
        if piece.startswith(mark):
            raise BadInput(f"the file is {what}", file=path, check="F.001", expected="CSV, Parquet or JSON")
    for mark, name in _MARKS.items():
        if piece.startswith(mark):
            raise _encoding(path, name, None)
    for first, name in ((1, "UTF-16LE"), (0, "UTF-16BE")):
        if (half := piece[first:2000:2]) and half.count(0) * 2 > len(half):
            raise _encoding(path, name, None)
    return piece.removeprefix(b"\xef\xbb\xbf")


def decode(text: bytes, path: Path, first_row: int) -> str:
    """The text, or BadInput F.004 with the row of the first byte that is not UTF-8 and the encoding it looks like."""
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        row = first_row + bare(text[: error.start]).count(b"\n")
        line = text[text.rfind(b"\n", 0, error.start) + 1 :].split(b"\n", 1)[0]
        raise _encoding(path, _likeness(text[max(0, error.start - 200) : error.start + 200]), row, line) from error


def _encoding(path: Path, name: str, row: int | None, line: bytes = b"") -> BadInput:
    return BadInput(
        f"the file is not in UTF-8, it looks like {name}: save it as CSV UTF-8, "
        f"or convert it: iconv -f {name} -t UTF-8 OLD > NEW",
        file=path,
        row=row,
        check="F.004",
        found=line[:60].decode(name, errors="replace") if line else None,
        expected="UTF-8",
    )


_FREQUENT = set('оеаинтслвркдмупыяО ЕАИНТСРУ,;"')


_SINGLE = re.compile(rb"(?<=[A-Za-z])[\x80-\xff](?![\x80-\xff])|(?<![\x80-\xff])[\x80-\xff](?=[A-Za-z])")


def _likeness(text: bytes) -> str:
    """Western, where most of the bytes stand alone in Latin words; else the old Cyrillic encoding in which most of them are
    frequent letters.
    """
    if 2 * len(_SINGLE.findall(text)) > sum(byte > 0x7F for byte in text):
        return "CP1252"

    def frequent(name: str) -> int:
        return sum(character in _FREQUENT for character in text.decode(name, "replace"))

    return max(("CP1251", "KOI8-R", "CP866"), key=frequent)


def _last_row_end(rest: bytes, text: bytes) -> int:
    """Where the last whole row of rest + text ends in `text`: after its last line end that no quote encloses; or 0."""
    cut = text.rfind(b"\n") + 1
    if b'"' not in text and b'"' not in rest:
        return cut
    inside = (_quotes(rest, len(rest)) + _quotes(text, cut)) % 2 == 1
    while cut and inside:
        quote = text.rfind(b'"', 0, cut)  # it opens the part that the line end lies in
        before = text.rfind(b"\n", 0, max(quote, 0)) + 1
        inside = text.count(b'"', before, max(quote, 0)) % 2 == 1
        cut = before
    return cut


def _quotes(text: bytes, end: int) -> int:
    """How many quotes stand before `end`."""
    import numpy as np  # a station's pollbook looks at no table, and starts sooner without

    return int(np.count_nonzero(np.frombuffer(text, np.uint8, end) == _QUOTE))
