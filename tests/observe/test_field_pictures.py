"""Does a picture leave behind what it need not tell, and is everything else in it kept to the byte?"""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dauys.errors import BadInput
from dauys.observe.accreditation.pictures import bare, kind_of

SECRET = b"51.1605N 71.4704E"


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def exif(turned: int, order: str = "<") -> bytes:
    entries = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, turned, 0) + struct.pack(f"{order}HHII", 0x8825, 4, 1, 60)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return b"Exif\0\0" + mark + struct.pack(f"{order}IH", 8, 2) + entries + bytes(4) + SECRET


JFIF, ICC = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"), segment(0xE2, b"ICC_PROFILE\0\1\1colours")
TABLES = segment(0xDB, bytes(65)) + segment(0xC2, b"\x08\0\1\0\1\1\1\x11\0") + segment(0xC4, bytes(20))
SCAN = segment(0xDA, b"\1\1\0\0\x3f\0") + b"coded\xff\x00data\xff\xd3more"
END = b"\xff\xd9"


def jpeg(*told: bytes, after: bytes = b"") -> bytes:
    return b"\xff\xd8" + JFIF + b"".join(told) + ICC + TABLES + SCAN + segment(0xC4, bytes(9)) + SCAN + END + after


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_jpeg_keeps_colours_and_which_way_is_up(order: str) -> None:
    told = (
        segment(0xE1, exif(6, order)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET),
        segment(0xFE, SECRET),
    )
    more = (segment(0xE2, b"MPF\0" + SECRET), segment(0xED, b"Photoshop 3.0\0" + SECRET))
    kind, clean = bare(jpeg(*told, *more, after=jpeg(segment(0xE1, exif(1)))))
    assert kind == "image/jpeg" and SECRET not in clean
    upright = clean.replace(clean[clean.index(b"\xff\xe1") : clean.index(ICC)], b"")
    assert upright == jpeg() and b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06" in clean
    assert bare(clean) == (kind, clean)


def test_what_is_bare_stays_as_it_is() -> None:
    assert bare(jpeg())[1] == jpeg() == bare(jpeg(segment(0xE1, exif(1))))[1]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def test_a_png_and_a_webp() -> None:
    head, end = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)), chunk(b"IDAT", b"x") + chunk(b"IEND", b"")
    told = b"".join(chunk(name, SECRET) for name in (b"tEXt", b"eXIf", b"iTXt", b"tIME", b"zTXt"))
    assert bare(head + told + end + SECRET) == ("image/png", head + end)

    def riff(*chunks: bytes) -> bytes:
        body = b"WEBP" + b"".join(chunks)
        return b"RIFF" + struct.pack("<I", len(body)) + body

    def part(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    extended, bitmap = part(b"VP8X", b"\x2c" + bytes(9)), part(b"VP8L", b"bitmap!")
    found = bare(riff(extended, bitmap, part(b"EXIF", SECRET), part(b"XMP ", SECRET)) + SECRET)
    assert found == ("image/webp", riff(part(b"VP8X", b"\x20" + bytes(9)), bitmap))


def webp(name: bytes, data: bytes) -> bytes:
    body = b"WEBP" + name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("width", "height", "fits"), [(60_000, 60_000, False), (10_001, 10_000, False), (10_000, 10_000, True)]
)
def test_a_small_file_of_a_vast_picture_is_refused_by_its_header(width: int, height: int, fits: bool) -> None:
    frame = b"\x08" + struct.pack(">HH", height, width) + b"\1\1\x11\0"
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    moving = bytes(6) + canvas[4:] + bytes(4)
    files = [
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">II5x", width, height)) + chunk(b"IEND", b""),
        *(b"\xff\xd8" + segment(marker, frame) + SCAN + END for marker in (0xC0, 0xC1, 0xC2, 0xCF)),
        webp(b"VP8X", canvas),
        webp(b"ANMF", moving),
    ]
    if width < 1 << 14:
        files += [
            webp(b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)),
            webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)),
        ]
    for data in files:
        if fits:
            assert bare(data)[1] == data
            continue
        with pytest.raises(BadInput, match="pixels") as caught:
            bare(data)
        assert caught.value.check == "O.111"


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"msf1"])
def test_a_heic_is_known_and_refused_with_what_to_do(brand: bytes) -> None:
    """Nothing here could take the place out of it, or tell its pixels."""
    with pytest.raises(BadInput, match="set the camera to JPEG") as caught:
        bare(struct.pack(">I", 24) + b"ftyp" + brand + bytes(12) + SECRET)
    assert (caught.value.check, caught.value.found) == ("O.111", "HEIC")


def test_a_thumbnail_and_segments_that_nobody_needs_are_left_out() -> None:
    drawn = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + b"rgb" + SECRET)
    odd = b"".join(segment(marker, SECRET) for marker in (0x02, 0xC8, 0xE3, 0xEE, 0xF0, 0xFD))
    tinted = segment(0xEE, b"Adobe" + bytes(7) + SECRET)
    assert bare(jpeg().replace(JFIF, drawn + odd))[1] == jpeg()
    assert bare(jpeg(tinted))[1] == jpeg(segment(0xEE, b"Adobe" + bytes(7)))


@pytest.mark.parametrize("data", [b"\xff\xd8" + SCAN + END, b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IEND" + bytes(4)])
def test_a_picture_that_tells_no_size_is_damaged(data: bytes) -> None:
    with pytest.raises(BadInput, match="damaged"):
        bare(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ\x90\0",
        b"GIF89a",
        b"%PDF-1.7",
        b"\xff\xd8\xff",
        jpeg()[:-2],
        jpeg()[:40],
        b"<svg/>",
        b"RIFF\xff\0\0\0WEBP",
    ],
)
def test_what_is_no_picture_or_half_of_one_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        bare(data)
    assert caught.value.check == "O.111"


@given(st.binary(max_size=200), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBP", b""]))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_a_picture_or_refused(data: bytes, sign: bytes) -> None:
    try:
        kind, clean = bare(sign + data)
    except BadInput as fault:
        assert fault.check == "O.111"
    else:
        assert kind == kind_of(clean[:16]) != "image/heic" and bare(clean) == (kind, clean)
