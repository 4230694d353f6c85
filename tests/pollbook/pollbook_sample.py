"""A small poll for the pollbook's tests: channels all on, three stations, officers, voters with ids that show who they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.pollbook.log.events import CHANNEL_LOGS, LogId
from dauys.pollbook.rules.channels import NAMES, Channels, Ruling
from dauys.pollbook.wire.package import SYSTEM, Officer, Package, Place, Voter

POLL = "test/pollbook"
ZONE = ZoneInfo("Asia/Almaty")
DAY = date(2022, 6, 5)
MORNING = datetime(2022, 6, 5, 10, 32, tzinfo=ZONE)
LEASE = datetime(2022, 6, 5, 22, 0, tzinfo=ZONE)
CENTRE = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
OFFICERS = (
    Officer("c1", "chair", "Aigul"),
    Officer("s1", "secretary", "Serik"),
    Officer("m1", "member", "Dana"),
    Officer("m2", "member", "Yerlan"),
)
SETTINGS: Mapping[str, dict[str, Any]] = {
    "mobile": {"until": "12:00", "members": 2},
    "certificate": {"until": "18:00"},
    "early": {"first": "2022-06-01", "last": "2022-06-04"},
    "remote": {"first": "2022-06-01", "last": "2022-06-05"},
    "envelope": {"two": "none"},
    "hand-out": {"roles": ["member"]},
}
NAMES_OF_POLL = {"kk": "Сынақ", "ru": "Проба", "en": "A trial"}


def all_on(**off: str) -> Channels:
    """Every channel on, but those named with the reason why not (`any_station="..."`)."""
    closed = {name.replace("_", "-"): reason for name, reason in off.items()}
    rulings = {
        name: Ruling("off", "art. 9", closed[name]) if name in closed else Ruling("on", f"art. {n}", settings=SETTINGS.get(name, {}))
        for n, name in enumerate(NAMES, 1)
    }  # fmt: skip
    return Channels(DAY, "Asia/Almaty", rulings)


def who(number: int) -> UUID:
    """The entitlement of voter `number`."""
    return UUID(int=0xE000_0000 + number)


def voter(number: int, **changes: Any) -> Voter:
    line = {
        "entitlement": who(number),
        "number": number,
        "iin": f"9001015{number:05}",
        "born": "1990-01-01",
        "surname": "Ахметов",
        "given": f"Әлихан{number}",
    }
    return Voter(**(line | changes))


def package(
    station: str = "1",
    voters: Iterable[Voter] | int = 3,
    *,
    generation: int = 1,
    channels: Channels | None = None,
    lease: datetime = LEASE,
    officers: tuple[Officer, ...] | None = None,
    closes: str = "",
    trial: bool = False,
) -> Package:
    """The package of a station, or of the electronic channel (`remote`). For most tests a list may be closed at any hour."""
    channel = station in CHANNEL_LOGS
    lines = tuple(voter(n) for n in range(voters)) if isinstance(voters, int) else tuple(voters)
    return Package(
        log=LogId(POLL, station, generation),
        names=NAMES_OF_POLL,
        centre=CENTRE.public_key().public_bytes_raw(),
        lease=lease,
        opens="07:00",
        closes=closes or ("23:00" if channel else "00:00"),
        channels=channels or all_on(),
        officers=officers or ((SYSTEM,) if channel else OFFICERS),
        voters=lines,
        trial=trial,
        stations={n: Place({"kk": f"№{n}", "ru": f"№{n}", "en": f"No. {n}"}, f"town {n}") for n in "123"},
    )


def key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))


def later(**span: float) -> datetime:
    return MORNING + timedelta(**span)
