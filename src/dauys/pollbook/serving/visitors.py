"""What does the centre say of a voter who stands at a station, and may his right be asked for from there? By law and custody.

The part of `serving.service` that needs no database: it is given what the centre knows of the voter. Who he is goes only to a
station at which the law of the day may let him vote.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dauys.pollbook.log.events import LogId, is_channel
from dauys.pollbook.rules.channels import (
    ANY_STATION,
    CALLED,
    CERTIFICATE,
    PAPER_FIRST,
    REMOTE,
    Channels,
    NotAllowed,
    certificate_elsewhere,
)
from dauys.pollbook.rules.holders import CERTIFICATE as CARRIED
from dauys.pollbook.rules.holders import WITHDRAWN
from dauys.pollbook.rules.places import PERHAPS_USED
from dauys.pollbook.wire.package import Voter


@dataclass(frozen=True, slots=True)
class Asked:
    """A voter's right, as far as it decides where he may vote. `settled`, `settled_here`: the settlements of his own station
    and of the one that asks; `left`: his right is left over in the closed log of an earlier machine; `gone`: it comes from nobody
    before a lost machine is found."""

    home: str
    holder: str
    settled: str = ""
    settled_here: str = ""
    left: bool = False
    gone: bool = False


def way_here(log: LogId, asked: Asked) -> str | None:
    """By which way of the law he would vote at this station; None at his own, where he needs none."""
    if is_channel(log.holder):
        return REMOTE
    if asked.holder == CARRIED:
        return CERTIFICATE
    return None if asked.home == log.station else ANY_STATION


def must_be_allowed(log: LogId, asked: Asked, channels: Channels) -> None:
    """Raises NotAllowed: P.026 the law of this poll does not know the way, P.035 a certificate within his own settlement, P.022
    a certificate, which is shown to officers and to no machine."""
    way = way_here(log, asked)
    if way is None or asked.holder == log.holder:
        return
    ruling = channels[way]
    if not ruling.on:
        message = f"{CALLED[way]} is off: {ruling.reason}; the voter votes at station {asked.home}"
        raise NotAllowed(message, "P.026", ruling.cite)
    if way == REMOTE and asked.holder == CARRIED:
        message = "the voter carries an absentee certificate: he votes at a station, where he shows it"
        raise NotAllowed(message, "P.022", channels[CERTIFICATE].cite)
    if way == CERTIFICATE and asked.home != log.station:  # his own station takes it back
        certificate_elsewhere(asked.settled, asked.settled_here, ruling)


def voted_electronically(log: LogId, asked: Asked, used: bool) -> bool:
    """Whether he stands at a station and his right was used in an electronic channel."""
    return used and is_channel(asked.holder) and not is_channel(log.holder)


def paper_replaces(log: LogId, asked: Asked, channels: Channels, at: datetime) -> bool:
    """Whether a right that was used electronically may be asked for from here: by the rule, on a day of paper ballots, and while
    the channel is not closed."""
    if not is_channel(asked.holder) or is_channel(log.holder) or not channels[PAPER_FIRST].on or asked.left:
        return False
    try:
        channels.may_check_in_on_paper(at)
    except NotAllowed:
        return False
    return True


def must_be_found(log: LogId, asked: Asked) -> None:
    """Raises NotAllowed where asking for the right brings nothing by itself: P.034 only a lost machine could say whether it was
    used, P.056 the commission withdrew it."""
    if asked.holder == WITHDRAWN:
        raise NotAllowed("the commission withdrew this right", "P.056")
    ours = asked.holder.rpartition("/")[0] == log.holder.rpartition("/")[0]
    if asked.gone or (ours and asked.holder != log.holder and not asked.left):
        raise NotAllowed(PERHAPS_USED, "P.034")


def found(
    log: LogId, asked: Asked, channels: Channels, at: datetime, *, used: bool, address: str, line: Voter
) -> dict[str, Any]:
    """The answer to `find` of somebody on the roll: `line` is who he is, or null and `why`.

    Where the law does not let him vote here, nobody here has to know who holds his right, and whether he has voted: null.
    `paper`, where he voted electronically: whether a paper ballot replaces that.
    """
    said: dict[str, Any] = {
        "found": True,
        "home": asked.home,
        "home_address": address,
        "holder": asked.holder,
        "used": used,
    }
    try:
        must_be_allowed(log, asked, channels)
    except NotAllowed as error:
        return said | {"holder": None, "used": None, "line": None, "why": _why(log, asked, channels, error)}
    try:
        if not used:
            must_be_found(log, asked)
        elif voted_electronically(log, asked, used):
            said["paper"] = paper_replaces(log, asked, channels, at)
            if not said["paper"]:
                message = (
                    f"the voter has voted electronically, and no paper ballot replaces that{_not_now(asked, channels)}"
                )
                raise NotAllowed(message, "P.070", channels[PAPER_FIRST].cite)
    except NotAllowed as error:
        return said | {"line": None, "why": _why(log, asked, channels, error)}
    return said | {"line": line.to_json(), "why": None}


def _not_now(asked: Asked, channels: Channels) -> str:
    if asked.left or not channels[PAPER_FIRST].on:
        return " any more: the channel is closed" if asked.left else ""
    return " today: by the centre's clock it is no day of paper ballots"


def _why(log: LogId, asked: Asked, channels: Channels, error: NotAllowed) -> dict[str, str]:
    why = {"check": error.check, "cite": error.cite, "message": error.message}
    way = way_here(log, asked)
    if error.check == "P.026" and way is not None:
        ruling = channels[way]
        why |= {"way": way, "off": "pilot" if ruling.pilot else ruling.state}
    return why
