"""Which bytes stand for a value, so that everyone hashes and signs the same ones? (RFC 8785)

The record holds text, whole numbers, booleans, null, lists and objects. A float is refused: no float decides anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from dauys.errors import DauysError

JSON = str | int | bool | None | list["JSON"] | tuple["JSON", ...] | dict[str, "JSON"]

LARGEST_INTEGER = 2**53 - 1
"""Beyond this an IEEE 754 double, which RFC 8785 §3.2.2.3 prescribes, no longer holds every integer."""


class NotCanonical(DauysError):
    """A value or some bytes that have no place in the record; the message says which and why."""


# The standard encoder writes exactly RFC 8785 §3.2.2.2 strings (the same escapes, lower-case hex) and sorts keys by
# code point, which is the UTF-16 order of §3.2.3 as long as no key goes beyond the Basic Multilingual Plane.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
_encode_as_ordered = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def _whole(digits: str) -> int:
    _check_integer(value := int(digits))
    return value


def _refuse_float(digits: str) -> float:
    raise NotCanonical(f"{float(digits)!r} is not a whole number; the record holds only whole numbers")


_decode = json.JSONDecoder(parse_int=_whole, parse_float=_refuse_float, parse_constant=_refuse_float).decode
"""Refuses on the way in what `canonical` would refuse of values, so that a value read need not be walked again."""


def canonical(value: object) -> bytes:
    """The RFC 8785 bytes of `value`.

    Raises NotCanonical for floats, integers beyond ±(2**53 - 1), keys that are not text, lone surrogates, other types.
    """
    try:
        if _has_astral_key(value):
            return _bytes_of(_encode_as_ordered, _in_utf16_order(value))
    except RecursionError:
        raise NotCanonical("the value is nested too deeply or contains itself") from None
    return _bytes_of(_encode, value)


def _bytes_of(encode: Callable[[object], str], value: object) -> bytes:
    try:
        return encode(value).encode()
    except UnicodeEncodeError as error:
        found = f"U+{ord(error.object[error.start]):04X}"
        raise NotCanonical(f"text holds half of a surrogate pair ({found}), which is not a character") from None
    except RecursionError:
        raise NotCanonical("the value is nested too deeply or contains itself") from None


def written(value: object) -> bytes:
    """`canonical` for a value that was checked: keys of ASCII, no floats, numbers in bounds. The fast path of millions."""
    return _bytes_of(_encode, value)


def read(data: bytes) -> JSON:
    """The value of JSON bytes that need not be canonical: whoever reads so writes it again, and compares.

    Raises NotCanonical for bytes that are not UTF-8 or not JSON, and for floats and numbers out of bounds.
    """
    try:
        value: JSON = _decode(data.decode())
    except UnicodeDecodeError as error:
        raise NotCanonical(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise NotCanonical(f"not JSON at character {error.pos}: {error.msg}") from None
    except RecursionError:
        raise NotCanonical("the value is nested too deeply") from None
    except ValueError:  # Python refuses to read integers of thousands of digits
        raise NotCanonical("a number is too large") from None
    return value


def parse(data: bytes) -> JSON:
    """The value that canonical bytes stand for; `canonical(parse(data)) == data` always holds.

    Raises NotCanonical for bytes that are not UTF-8, not JSON, or not the one canonical form (repeated keys, floats,
    spaces, ...).
    """
    value = read(data)
    text = "" if data.isascii() else data.decode()
    beyond_bmp = len(text.encode("utf-16-le")) > 2 * len(text)
    again = canonical(value) if beyond_bmp else _bytes_of(_encode, value)
    if again != data:
        raise NotCanonical(_difference(data, again))
    return value


def _has_astral_key(value: object) -> bool:
    """Walks the whole value: refuses what has no canonical form, and says if a key needs the slow ordering."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return False
    if kind is int:
        _check_integer(value)  # type: ignore[arg-type]
        return False
    astral = False
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotCanonical(f"the key {key!r} is not text")
            if not key.isascii() and key > "" and max(key) > "\uffff":
                astral = True
            kind = type(item)
            if kind is str:
                continue
            if kind is int:
                if not -LARGEST_INTEGER <= item <= LARGEST_INTEGER:
                    _check_integer(item)
            elif _has_astral_key(item):
                astral = True
        return astral
    if isinstance(value, (list, tuple)):
        for item in value:
            if type(item) is not str and _has_astral_key(item):
                astral = True
        return astral
    if isinstance(value, str):
        return False
    if isinstance(value, float):
        raise NotCanonical(f"{value!r} is not a whole number; the record holds only whole numbers")
    raise NotCanonical(f"a {type(value).__name__} has no place in the record")


def _check_integer(value: int) -> None:
    if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        raise NotCanonical(f"a number of {value.bit_length()} bits is beyond 2**53 - 1")


def _in_utf16_order(value: object) -> object:
    if isinstance(value, dict):
        keys: Iterable[str] = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return {key: _in_utf16_order(value[key]) for key in keys}
    if isinstance(value, (list, tuple)):
        return [_in_utf16_order(item) for item in value]
    return value


def _difference(data: bytes, again: bytes) -> str:
    def refuse_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(found := dict(pairs)) < len(pairs):
            names = [name for name, _ in pairs]
            repeated = next(name for name in names if names.count(name) > 1)
            raise NotCanonical(f"the key {repeated!r} stands twice in one object")
        return found

    json.loads(data, object_pairs_hook=refuse_repeats)
    at = next((i for i, (a, b) in enumerate(zip(data, again, strict=False)) if a != b), min(len(data), len(again)))
    return f"not the canonical form (RFC 8785): differs from byte {at} on"
