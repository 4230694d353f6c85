"""How are bytes written so that a person can type them, and a slip is noticed?

Crockford's Base32 in groups of five (no I, L, O, U; small letters, O for 0 and I or L for 1 are read as meant), ended by
one check character by the rule of ISO/IEC 7064, MOD 37-2 (with signs of its own for the values from 32 on, so that it is
never an I, L or O): it notices every single wrong character and every two that changed places. All characters are in
the alphanumeric mode of QR codes.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from dauys.errors import BadInput

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECKS = ALPHABET + "U*$+%"
GROUP = 5
DRAWS = 16
"""So often bytes are drawn whose code ends in no sign: in five of 37 draws it does."""

_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1"})


def spell(data: bytes) -> str:
    """The code that stands for these bytes, in groups."""
    width = -(-len(data) * 8 // 5)
    number = int.from_bytes(data, "big") << (width * 5 - len(data) * 8)
    text = "".join(ALPHABET[number >> 5 * place & 31] for place in range(width - 1, -1, -1))
    text += _check(text)
    return "-".join(text[start : start + GROUP] for start in range(0, len(text), GROUP))


def without_sign(draw: Callable[[], bytes]) -> bytes:
    """Random bytes whose code ends in a letter or a digit, so that it is easily said and typed. A code with a sign is as good:
    where no draw gives another one, it stays."""
    for _ in range(DRAWS):
        data = draw()
        if spell(data)[-1] in ALPHABET:
            break
    return data


def unspell(text: str, length: int, what: str) -> bytes:
    """The `length` bytes that a code stands for; raises BadInput P.038, calling the code `what`."""
    width = -(-length * 8 // 5)
    plain = "".join(char for char in text.upper() if char not in " -\t\r\n")
    body, check = plain[:-1].translate(_MEANT), plain[-1:].translate(_MEANT)
    spare = width * 5 - length * 8
    if len(plain) != width + 1:
        message, found = f"{what} has {width + 1} characters", f"{len(plain)} characters"
        raise BadInput(message, found=found, expected="all of it, groups apart or together", check="P.038")
    if strange := [char for char in body if char not in ALPHABET]:
        raise BadInput(f"{what} never has this character", found=strange[0], expected=ALPHABET, check="P.038")
    number = sum(ALPHABET.index(char) << 5 * place for place, char in enumerate(reversed(body)))
    if check != _check(body) or number & ((1 << spare) - 1):
        raise BadInput(f"{what} has a slip of the pen; compare it character by character", check="P.038")
    return (number >> spare).to_bytes(length, "big")


def number_of(envelope: UUID) -> str:
    """What stands on a provisional envelope: the first eight hex digits of its id."""
    return envelope.hex[:8].upper()


def _check(text: str) -> str:
    """ISO/IEC 7064 MOD 37-2: the character that makes the sum of value times 2^place, modulo 37, equal to 1."""
    total = 0
    for char in text:
        total = (total + CHECKS.index(char)) * 2 % 37
    return CHECKS[(1 - total) % 37]
