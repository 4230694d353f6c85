"""What kind of picture is this, and what of it says more than the picture: where, when, by whose phone?

JPEG, PNG and WebP are taken apart by their segments, and what is not needed to show them is left out: place, time, names,
comments, thumbnails, films after the end. Of a JPEG only the way up stays. HEIC is known by its brand and refused: nothing here
can take out what the camera wrote into it, or tell its pixels. The mission's folder and the commission's desk hold a photo to the
same bounds.
(JPEG: ITU-T T.81 annex B; JFIF 1.02; Exif 2.3; PNG: W3C PNG 3rd edition, 5; WebP: RFC 9649; HEIC: ISO/IEC 23008-12.)
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from dauys.errors import BadInput

JPEG, PNG, WEBP, HEIC = "image/jpeg", "image/png", "image/webp", "image/heic"
LARGEST = 10 << 20
"""Bytes of one photo: a phone's page shrinks a picture to some hundred thousand before it is sent."""
MOST_PIXELS = 100_000_000
"""A picture of more is no photo of a phone: a small file of one colour would fill the memory of who opens it."""
ENDINGS = {JPEG: ".jpg", PNG: ".png", WEBP: ".webp", HEIC: ".heic"}
"""Of files that are handed out; HEIC only from a folder of before it was refused."""

_PNG_SIGN = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    (
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"gAMA",
        b"cHRM",
        b"sRGB",
        b"iCCP",
        b"sBIT",
        b"bKGD",
        b"pHYs",
        b"cICP",
    )
)
_WEBP_KEPT = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
_JPEG_KEPT = frozenset((*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF)) - {0xC8}
"""Frames, tables, scans; what is reserved or a decoder's own is not needed to show the picture."""
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
"""What ends a run of coded data: any marker but a stuffed zero, a restart, a fill byte."""
_ORIENTATION = 0x0112


def kind_of(head: bytes) -> str | None:
    """The kind of picture that begins with these bytes (16 are enough); None for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(_PNG_SIGN):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    return HEIC if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS else None


def bare(data: bytes) -> tuple[str, bytes]:
    """The kind of a picture and its bytes without what it need not tell; those it leaves as they are. Raises BadInput O.111."""
    kind = kind_of(data[:16])
    if kind is None:
        raise _no_picture(data)
    if kind == HEIC:
        raise BadInput(
            "a HEIC picture keeps the place where it was taken, and it cannot be taken out here: set the camera to JPEG "
            '("Most Compatible") and take it again, or open the page in a browser that shows HEIC: it sends JPEG',
            field="photo", found="HEIC", expected="JPEG, PNG or WebP", check="O.111",
        )  # fmt: skip
    try:
        found = b"".join({JPEG: _jpeg, PNG: _png, WEBP: _webp}[kind](data))
    except (IndexError, struct.error):
        raise BadInput("the picture is cut off or damaged: take it again", check="O.111") from None
    return kind, _webp_whole(found) if kind == WEBP else found


def too_large(size: int) -> BadInput:
    """The one message for a photo that is too large; `size` bytes have come by then, or are said to come."""
    message = "the photo is too large: take it with a lower resolution, or let the phone's page shrink it"
    found, expected = f"{size / (1 << 20):.1f} MiB by now", f"at most {LARGEST >> 20} MiB"
    return BadInput(message, field="photo", found=found, expected=expected, check="O.110")


def _no_picture(data: bytes) -> BadInput:
    found = "nothing" if not data else f"a file that begins with {data[:8].hex(' ')}"
    return BadInput("this is not a picture", found=found, expected="JPEG, PNG or WebP", check="O.111")


def _check_size(width: int, height: int) -> None:
    """Raises BadInput O.111 for what nobody should have to open."""
    if width * height > MOST_PIXELS:
        message, expected = (
            "the picture has too many pixels: take it with a lower resolution",
            f"at most {MOST_PIXELS:,}",
        )
        raise BadInput(message, found=f"{width:,} by {height:,}", expected=expected, check="O.111")


def _jpeg(data: bytes) -> Iterator[bytes]:
    """The segments of a JPEG that are kept, to the end of the image and no further."""
    yield data[:2]
    place, framed = 2, False
    while True:
        while data[place] == 0xFF and data[place + 1] == 0xFF:
            place += 1
        if data[place] != 0xFF:
            raise IndexError(place)
        marker = data[place + 1]
        if marker == 0xD9:
            if not framed:
                raise IndexError(place)
            yield b"\xff\xd9"
            return
        (length,) = struct.unpack_from(">H", data, place + 2)
        end = place + 2 + length
        if length < 2 or end > len(data):
            raise IndexError(place)
        segment = data[place:end]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame's header
            height, width = struct.unpack_from(">HH", segment, 5)
            _check_size(width, height or 0xFFFF)  # none: a later marker tells it
            framed = True
        if marker == 0xE1 and (turned := _orientation(segment[4:])) is not None:
            yield _only_orientation(turned)
        else:
            yield _jpeg_kept(marker, segment)
        place = end
        if marker == 0xDA:
            following = _MARKER.search(data, place)
            if following is None:
                raise IndexError(place)
            yield data[place : following.start()]
            place = following.start()


def _jpeg_kept(marker: int, segment: bytes) -> bytes:
    """What is kept of a segment: frames, tables and scans; of applications what colours need, without a thumbnail."""
    body = segment[4:]
    if marker in _JPEG_KEPT or (marker, body[:12]) == (0xE2, b"ICC_PROFILE\0"):
        return segment
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        return b"\xff\xe0\0\x10" + body[:12] + b"\0\0"
    if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        return b"\xff\xee\0\x0e" + body[:12]
    return b""


def _orientation(body: bytes) -> int | None:
    """Exif's way up, 2 to 8, where it is not the plain one."""
    if not body.startswith(b"Exif\0\0"):
        return None
    tiff = body[6:]
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    try:
        if order is None:
            return None
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for n in range(min(count, 200)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * n)
            if tag == _ORIENTATION:
                return value if 2 <= value <= 8 else None
    except struct.error:
        pass
    return None


def _only_orientation(turned: int) -> bytes:
    """An Exif segment that says which way is up, and nothing else."""
    directory = struct.pack(">HHHIHHI", 1, _ORIENTATION, 3, 1, turned, 0, 0)
    body = b"Exif\0\0" + b"MM\0*" + struct.pack(">I", 8) + directory
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _png(data: bytes) -> Iterator[bytes]:
    yield _PNG_SIGN
    place = len(_PNG_SIGN)
    if data[place + 4 : place + 8] != b"IHDR":
        raise IndexError(place)
    while True:
        length, name = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            raise IndexError(place)
        if name == b"IHDR":
            _check_size(*struct.unpack_from(">II", data, place + 8))
        if name in _PNG_KEPT:
            yield data[place:end]
        if name == b"IEND":
            return
        place = end


def _webp(data: bytes) -> Iterator[bytes]:
    """The chunks that are kept; `_webp_whole` puts the header before them."""
    (size,) = struct.unpack_from("<I", data, 4)
    end = size + 8
    if end > len(data) or size < 12:
        raise IndexError(end)
    place = 12
    while place < end:
        name, length = struct.unpack_from("<4sI", data, place)
        following = place + 8 + length + length % 2
        if place + 8 + length > end:
            raise IndexError(place)
        if name in _WEBP_KEPT:
            _check_size(*_webp_size(name, data[place + 8 : place + 8 + length]))
        if name == b"VP8X":  # the flags of what is left out: Exif 0x08, XMP 0x04
            yield data[place : place + 8] + bytes([data[place + 8] & ~0x0C]) + data[place + 9 : following]
        elif name in _WEBP_KEPT:
            yield data[place:following]
        place = following


def _webp_size(name: bytes, body: bytes) -> tuple[int, int]:
    """Width and height that a chunk tells (RFC 9649, 2.5 to 2.7; RFC 6386, 9.1); 0, 0 where it tells none."""
    if name in (b"VP8X", b"ANMF"):
        wide, high = struct.unpack_from("<3s3s", body, 4 if name == b"VP8X" else 6)
        return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", body, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _webp_whole(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks
