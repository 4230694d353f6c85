"""What does the centre say of a voter who stands at a station, and may his right be asked for from there? By law and custody.

The part of `pollbook.service` that needs no database: it is given what the centre knows of the voter. Who he is goes only to a
station at which the law of the day may let him vote.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dauys.pollbook.channels import ANY_STATION, CERTIFICATE, REMOTE, Channels, NotAllowed, certificate_elsewhere
from dauys.pollbook.custody import CERTIFICATE as CARRIED
from dauys.pollbook.custody import WITHDRAWN
from dauys.pollbook.log import CHANNEL_LOGS, LogId
from dauys.pollbook.package import Voter


@dataclass(frozen=True, slots=True)
class Asked:
    """A voter's right, as far as it decides where he may vote. `settled`, `settled_here`: the settlements of his own station
    and of the one that asks; `left`: his right is left over in the closed log of an earlier machine."""

    home: str
    holder: str
    settled: str = ""
    settled_here: str = ""
    left: bool = False


def way_here(log: LogId, asked: Asked) -> str | None:
    """By which way of the law he would vote at this station; None at his own, where he needs none."""
    if asked.holder == CARRIED:
        return CERTIFICATE
    if log.station in CHANNEL_LOGS:
        return REMOTE
    return None if asked.home == log.station else ANY_STATION


def must_be_allowed(log: LogId, asked: Asked, channels: Channels) -> None:
    """Raises NotAllowed: P.026 the law of this poll does not know the way, P.035 a certificate within his own settlement."""
    way = way_here(log, asked)
    if way is None or asked.holder == log.holder:
        return
    ruling = channels[way]
    if not ruling.on:
        message = f"{way} is off: {ruling.reason}; the voter votes at station {asked.home}"
        raise NotAllowed(message, "P.026", ruling.cite)
    if way == CERTIFICATE:
        certificate_elsewhere(asked.settled, asked.settled_here, ruling)


def must_be_found(log: LogId, asked: Asked) -> None:
    """Raises NotAllowed where asking for the right brings nothing by itself: P.034 only the lost machine of this station
    could say whether it was used, P.056 the commission withdrew it."""
    if asked.holder == WITHDRAWN:
        raise NotAllowed("the commission withdrew this right", "P.056")
    ours = asked.holder.rpartition("/")[0] == log.holder.rpartition("/")[0]
    if ours and asked.holder != log.holder and not asked.left:
        raise NotAllowed("it is not known whether this right was used on the station's lost machine", "P.034")


def found(log: LogId, asked: Asked, channels: Channels, *, used: bool, address: str, line: Voter) -> dict[str, Any]:
    """The answer to `find` of somebody on the roll: `line` is who he is, or null and `why`."""
    said: dict[str, Any] = {
        "found": True,
        "home": asked.home,
        "home_address": address,
        "holder": asked.holder,
        "used": used,
    }
    try:
        must_be_allowed(log, asked, channels)
        if not used:
            must_be_found(log, asked)
    except NotAllowed as error:
        why = {"check": error.check, "cite": error.cite, "message": error.message}
        way = way_here(log, asked)
        if error.check == "P.026" and way is not None:
            ruling = channels[way]
            why |= {"way": way, "off": "pilot" if ruling.pilot else ruling.state}
        return said | {"line": None, "why": why}
    return said | {"line": line.to_json(), "why": None}
