"""What does the pollbook say about the protocol's fields, and where do the two differ? Numbers, and numbered checks.

The counting follows custody: who is held here is on the list here. `eligible` is the list, and who came (moved, added,
with a certificate), less who left. Summed over all stations it is the roll, less certificates that nobody showed.
Nothing here corrects a protocol: a difference is shown with its number, and a person finds out which of the two is right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dauys.pollbook.rules.channels import MOBILE


@dataclass(frozen=True, slots=True)
class Member:
    """One member's ballots: got from the chair, given back, spoilt in his hands, and handed to voters."""

    officer: str
    got: int = 0
    returned: int = 0
    spoilt: int = 0
    issued: int = 0

    @property
    def left(self) -> int:
        """Ballots he must still have: 0 when all adds up; below 0 he handed out more than he got."""
        return self.got - self.returned - self.spoilt - self.issued


@dataclass(frozen=True, slots=True)
class Sums:
    """The fields of a protocol as the pollbook has them; `came` and `left` by reason; `members` by officer.

    `envelopes` wait to be resolved. `enclosed`: ballots handed out with an envelope that are not among `received`, because it
    waits or does not count. Both kinds are among what their members handed out. `cancelled`: those that were noted as such.
    `whole`: they are the station's. Those of a later machine alone are not: an earlier one noted ballots and voters, too.
    """

    eligible: int
    received: int
    delivered: int
    cancelled: int
    mobile_requests: int
    mobile_received: int
    listed: int
    came: Mapping[str, int]
    left: Mapping[str, int]
    undone: int
    envelopes: int
    enclosed: int
    closed: bool
    members: Mapping[str, Member] = field(default_factory=dict)
    whole: bool = True

    @property
    def fields(self) -> dict[str, int]:
        """What pre-fills the protocol: only fields that the pollbook counts, and ballots only where they were noted.

        A ballot in an envelope that does not count is cancelled unopened, and one that waits stands there until it counts: so
        what was delivered is what was handed out and cancelled, and over all stations `received` are voters, each once.
        A protocol is of the whole station.
        """
        if not self.whole:
            return {}
        known = {"eligible": self.eligible, "received": self.received, "mobile_requests": self.mobile_requests}
        ballots = {"delivered": self.delivered, "cancelled": self.cancelled + self.enclosed}
        return known | (ballots if self.delivered else {})

    def to_json(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in self.__slots__ if name not in ("came", "left", "members")},
            "came": dict(self.came),
            "left": dict(self.left),
            "members": {
                name: {"got": m.got, "returned": m.returned, "spoilt": m.spoilt, "issued": m.issued, "left": m.left}
                for name, m in self.members.items()
            },
        }


@dataclass(slots=True)
class Counting:
    """What stands in a log, as it is counted: who is here by the list and the log, and what was handed out by whom.

    `standing`: officer and way to vote of each check-in; `envelopes`: officers; `ballots`: what, how many, and the member who got
    or gave them, or nothing.
    """

    listed: int
    here: int
    came: Iterable[str]
    left: Iterable[str]
    standing: Collection[tuple[str, str]]
    undone: int
    ballots: Collection[tuple[str, int, str]]
    envelopes: Collection[str]
    mobile_requests: int
    closed: bool
    whole: bool = True

    def sums(self) -> Sums:
        """The sums of the log."""
        ballots: Counter[str] = Counter()
        members: dict[str, Counter[str]] = defaultdict(Counter)
        for what, count, member in self.ballots:
            ballots[what] += count
            if member:
                members[member][what] += count
        for officer in (*(officer for officer, _ in self.standing), *self.envelopes):
            members[officer]["issued"] += 1
        return Sums(
            eligible=self.here,
            received=len(self.standing),
            delivered=ballots["delivered"],
            cancelled=ballots["cancelled"],
            mobile_requests=self.mobile_requests,
            mobile_received=sum(channel == MOBILE for _, channel in self.standing),
            listed=self.listed,
            came=dict(Counter(self.came)),
            left=dict(Counter(self.left)),
            undone=self.undone,
            envelopes=len(self.envelopes),
            enclosed=len(self.envelopes),
            closed=self.closed,
            members={
                name: Member(name, n["handed-to-member"], n["returned"], n["spoilt"], n["issued"])
                for name, n in sorted(members.items())
            },
            whole=self.whole,
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """One check that was raised: its number, the field or officer it is about, and both figures."""

    check: str
    subject: str
    pollbook: int
    protocol: int


def together(several: Sequence[Sums]) -> Sums:
    """The sums of one station that kept several logs, because a machine was lost: each right is held in one of them.

    Of ballots that were moved nothing is said while one of the logs may be incomplete: the next machine notes what became of
    those that the lost one had, and without that one's notes neither adds up. The paper has them.
    """

    def total(name: str) -> int:
        return sum(getattr(one, name) for one in several)

    closed = all(one.closed for one in several)
    members: dict[str, Member] = {}
    for sums in several:
        for name, one in sums.members.items():
            was = members.get(name, Member(name))
            counts = (was.got + one.got, was.returned + one.returned, was.spoilt + one.spoilt, was.issued + one.issued)
            members[name] = Member(name, *counts) if closed else Member(name, issued=counts[-1])
    return Sums(
        **{name: total(name) if closed or name not in ("delivered", "cancelled") else 0 for name in _COUNTS},
        came=dict(sum((Counter(one.came) for one in several), Counter())),
        left=dict(sum((Counter(one.left) for one in several), Counter())),
        closed=closed,
        members=members,
        whole=True,
    )


_COUNTS = (
    "eligible", "received", "delivered", "cancelled", "mobile_requests", "mobile_received", "listed", "undone", "envelopes",
    "enclosed",
)  # fmt: skip


def check_protocol(sums: Sums, protocol: Mapping[str, int], sealed: int | None = None) -> list[Difference]:
    """The checks that a protocol's fields raise against the pollbook, by number.

    Fields that the protocol does not give are not checked, and none where the sums are not the whole station's. `sealed`: how
    many check-ins of this station stand in the record, where that is known.
    """
    if not sums.whole:
        return check_book(sums)
    ours = sums.fields
    found = [
        Difference(number, name, ours[name], protocol[name])
        for name, number in _FIELDS.items()
        if name in protocol and name in ours and protocol[name] != ours[name]
    ]
    if "participated" in protocol and protocol["participated"] > sums.received:
        found.append(Difference("B.106", "participated", sums.received, protocol["participated"]))
    if "mobile_ballots" in protocol and protocol["mobile_ballots"] > sums.mobile_received:
        found.append(Difference("B.107", "mobile_ballots", sums.mobile_received, protocol["mobile_ballots"]))
    if sealed is not None and sealed != sums.received:
        found.append(Difference("B.108", "received", sums.received, sealed))
    return found + check_book(sums)


_FIELDS = {
    "eligible": "B.101",
    "received": "B.102",
    "delivered": "B.103",
    "cancelled": "B.104",
    "mobile_requests": "B.105",
}


def check_book(sums: Sums) -> list[Difference]:
    """The checks that the pollbook raises by itself: ballots of members, ballots in all, a list that is still open.

    Ballots move between a station's machines unseen, so they add up only where the sums are the whole station's.
    """
    # where nobody is noted to have got any, they are not kept by member; where one is, a member without any is a difference, too
    noted = list(sums.members.values()) if sums.whole and any(one.got for one in sums.members.values()) else []
    found = [Difference("B.109", one.officer, one.got, one.got - one.left) for one in noted if one.left]
    accounted = sums.received + sums.enclosed + sums.cancelled
    if sums.whole and sums.delivered and sums.closed and sums.delivered != accounted:
        found.append(Difference("B.110", "delivered", accounted, sums.delivered))
    if not sums.closed:
        found.append(Difference("B.201", "close", 0, 1))
    if sums.undone * 50 > sums.received and sums.undone >= 5:
        found.append(Difference("B.202", "undone", sums.undone, sums.received))
    if sums.envelopes:
        found.append(Difference("B.203", "envelopes", sums.envelopes, 0))
    return found
