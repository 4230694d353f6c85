"""Who holds a voter's right, who may use it up, and who may give it to the next one? The rules, for both sides.

An entitlement is one voter's right in one poll. At any time exactly one holder has it in custody. Each change of custody
raises its epoch by one. The rules (docs/custody.md argues that they suffice):

1. Only the holder uses it up (`check-in`), and only once; `undo` takes a use back, and only where it was made.
2. Only the holder lets it go (`release`, `certificate`), unused, in its own log; from then on it cannot use it.
3. Only the centre gives it to the next one (a grant), and only when the holder's release, or the end of the holder's
   log (`close`), is in what the centre has of that log.
4. A holder takes a grant (`receive`) only for itself, and only for an epoch later than any it knows.
5. No clock moves custody. A lease that ends stops its station; it frees nothing.
6. What is typed from a lost machine's paper, in a log of its own, uses what that machine holds, in its place and epoch. Taken
   back it is the machine's; what the machine's own log says, once it is found, goes before it. A line whose check-in that log has
   uses nothing, until the log takes that back.

`after` is the station's side (pollbook.rules.places): what one event does to one entitlement in one log. `Centre` is the centre's
side as a small value; the centre's database implements the same rules and is tested against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from dauys.pollbook.log.events import AFTER_CLOSE, Batch, Event, Head, LogError, LogId, is_channel, verify_batch
from dauys.pollbook.rules.centre import Centre as Centre
from dauys.pollbook.rules.grants import Grant, Request, back_request, why_given
from dauys.pollbook.rules.holders import CERTIFICATE, UNLISTED, WITHDRAWN
from dauys.pollbook.rules.known import BESIDE_ITS_PAPER, UNDONE_BESIDE_ITS_PAPER, use_of_line
from dauys.pollbook.rules.known import Alarm as Alarm
from dauys.pollbook.rules.known import Custody as Custody
from dauys.pollbook.rules.known import Known as Known
from dauys.pollbook.rules.known import State as State
from dauys.pollbook.rules.known import Use as Use
from dauys.pollbook.rules.late import off_an_earlier_list, onto_the_next_list
from dauys.pollbook.rules.places import CustodyError as CustodyError
from dauys.pollbook.rules.places import Place as Place
from dauys.pollbook.rules.places import Standing as Standing
from dauys.pollbook.rules.places import after as after
from dauys.pollbook.rules.places import not_on_the_roll, was_asked_back, was_used


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a batch: how far the log is acknowledged, and what the station is to do."""

    centre: Centre
    acknowledged: Head
    send_from: int | None = None
    stopped: str = ""
    alarms: tuple[Alarm, ...] = ()


def enrol(centre: Centre, log: LogId, key: bytes) -> Centre:
    """A station's log begins, under the station's public key. Enrolling it again with the same key changes nothing.

    The next generation begins only when the last one is declared lost. It holds nothing: what the lost log held stays
    with the lost log. Raises CustodyError P.019.
    """
    if (known := centre.logs.get(log)) is not None:
        if known.key != key:
            raise CustodyError(f"{log} is enrolled with another key; enrol the next generation", "P.019")
        return centre
    earlier = [other for other in centre.logs if other.station == log.station and other.paper_of is None]
    if log.paper_of is not None:
        earlier = [other for other in centre.logs if other == log.paper_of]
    elif log.poll != centre.poll or log.generation != len(earlier) + 1:
        raise CustodyError(f"{log} is not the next generation of a station of {centre.poll}", "P.019")
    if any(not centre.logs[other].lost for other in earlier) or (log.paper_of is not None and not earlier):
        raise CustodyError(f"station {log.station} works; declare it lost before it is enrolled again", "P.019")
    return replace(centre, logs={**centre.logs, log: Known(key)}, books=centre.books.begun(log))


def declare_lost(centre: Centre, log: LogId) -> Centre:
    """The commission gives a station's machine up for lost. Custody stays where it is: it may be found, or still work."""
    given_up = replace(centre.logs[log], lost=True)
    return replace(centre, logs={**centre.logs, log: given_up}, books=centre.books.lost(log))


def take(centre: Centre, batch: Batch) -> Taken:
    """Applies what is new in a batch; what was taken before is acknowledged again and changes nothing.

    Raises LogError P.003 (not enrolled), P.004 (not its key), P.005 (not one chain).
    """
    known = centre.logs.get(batch.log)
    if known is None or not known.key:
        raise LogError(f"{batch.log} is not enrolled here", "P.003")
    verify_batch(batch, known.key)
    batch.check_chain()
    if known.stopped:
        return Taken(centre, centre.head(batch.log), stopped=known.stopped)
    if batch.first > len(known.hashes) + 1:
        return Taken(centre, centre.head(batch.log), send_from=len(known.hashes) + 1)
    if (n := known.parting(batch)) is not None:
        alarm = Alarm("P.106", batch.log, n, None, f"two histories: event {n} was another one before")
        stopped = replace(centre, logs={**centre.logs, batch.log: replace(known, stopped=alarm.text)})
        stopped = replace(stopped, alarms=(*centre.alarms, alarm))
        return Taken(stopped, centre.head(batch.log), stopped=alarm.text, alarms=(alarm,))
    before = centre
    for event in batch.events[len(known.hashes) + 1 - batch.first :]:
        centre = apply(centre, batch.log, event)
    if not known.closed and centre.logs[batch.log].closed:
        centre = onto_the_next_list(centre, batch.log.station)
    return Taken(centre, centre.head(batch.log), alarms=centre.alarms[len(before.alarms) :])


def apply(centre: Centre, log: LogId, event: Event) -> Centre:
    """One new event of a log. What breaks a rule is kept and raises an alarm; it moves no custody."""
    known = centre.logs[log]
    who = known.check_ins.get(event.body["of"]) if event.kind == "undo" else event.entitlement
    late = known.closed and event.kind not in AFTER_CLOSE
    known = replace(known, hashes=(*known.hashes, event.head.hash), closed=known.closed or event.kind == "close")
    centre = replace(centre, logs={**centre.logs, log: known})
    if late:
        centre = _alarm(centre, log, event, who, "P.107", f"`{event.kind}` after the list was closed")
    match event.kind:
        case "check-in" if who is not None:
            return _check_in(centre, log, event, who)
        case "undo":
            return _undo(centre, log, event, who)
        case "release" | "certificate" if who is not None:
            return _let_go(centre, log, event, who)
        case "certificate-back" if who is not None:
            return _certificate_back(centre, log, event, who)
        case "receive" if who is not None:
            return _receive(centre, log, event, who)
        case "reported" | "reported-undo" if who is not None:
            return replace(centre, logs={**centre.logs, log: known.line(who, event)})
    return centre


def _check_in(centre: Centre, log: LogId, event: Event, who: UUID) -> Centre:
    centre = off_an_earlier_list(centre, log.paper_of or log, who)
    uses = (*centre.uses.get(who, ()), (log, event.n))
    known = centre.logs[log].line(who, event)
    known = replace(known, check_ins={**known.check_ins, event.n: who})
    centre = replace(centre, uses={**centre.uses, who: uses}, logs={**centre.logs, log: known})
    custody = centre.custody.get(who)
    held = (log.paper_of or log).holder  # what a lost machine's paper shows as used, that machine held
    if custody is not None and custody.holder == held and custody.state is State.UNUSED:
        centre = put(centre, who, replace(custody, holder=log.holder, state=State.USED, n=event.n))
        if log.paper_of is None and all(use[0] == log.paper for use in uses[:-1]):
            return centre if len(uses) == 1 else _alarm(centre, log, event, who, "P.108", BESIDE_ITS_PAPER)
        return centre if len(uses) == 1 else _alarm(centre, log, event, who, "P.102", "a right was used twice")
    if custody is not None and _typed(custody, log):
        centre = put(centre, who, replace(custody, holder=log.holder, n=event.n))
        return _alarm(centre, log, event, who, "P.108", BESIDE_ITS_PAPER)
    centre = _alarm(centre, log, event, who, "P.101", "a right was used that was not this station's to use")
    return centre if len(uses) == 1 else _alarm(centre, log, event, who, "P.102", "a right was used twice")


def _undo(centre: Centre, log: LogId, event: Event, who: UUID | None) -> Centre:
    of = int(event.body["of"])
    if who is None:
        return _alarm(centre, log, event, None, "P.104", f"event {of} is no check-in that stands")
    known = centre.logs[log]
    known = replace(known, check_ins={n: one for n, one in known.check_ins.items() if n != of})
    uses = tuple(use for use in centre.uses[who] if use != (log, of))
    centre = replace(centre, uses={**centre.uses, who: uses}, logs={**centre.logs, log: known})
    custody = centre.custody.get(who)  # another one: the undone check-in had raised the alarm
    if custody is not None and custody == Custody(log.holder, custody.epoch, State.USED, of):
        # what was typed from a lost machine's paper is the machine's again, as if it had not been
        centre = put(centre, who, Custody((log.paper_of or log).holder, custody.epoch))
    return _by_hand(centre, log, event, who)


def _by_hand(centre: Centre, log: LogId, event: Event, who: UUID) -> Centre:
    """A lost machine took a check-in back, beside which its paper has a line that was only counted: that is a use now."""
    paper = None if log.paper_of else centre.logs.get(log.paper)
    line = None if paper is None else paper.reported.get(who)
    if line is None or any(use[0] == log for use in centre.uses[who]):
        return centre
    use = use_of_line(line, event, centre.head(log.paper))
    return apply(_alarm(centre, log, event, who, "P.108", UNDONE_BESIDE_ITS_PAPER), log.paper, use)


def _typed(custody: Custody, log: LogId) -> bool:
    """Whether what was typed from this machine's paper uses the right. What its own log says, once it is found, goes before."""
    return log.paper_of is None and (custody.holder, custody.state) == (log.paper.holder, State.USED)


def _let_go(centre: Centre, log: LogId, event: Event, who: UUID) -> Centre:
    centre = off_an_earlier_list(centre, log, who)
    custody = centre.custody.get(who)
    if event.kind == "certificate":
        known = centre.logs[log]
        known = replace(known, certificates={**known.certificates, who: event.body["epoch"]})
        centre = replace(centre, logs={**centre.logs, log: known})
    if custody is not None and _typed(custody, log):
        centre = _alarm(centre, log, event, who, "P.108", "a found log let go what was typed from its paper")
        custody = Custody(log.holder, custody.epoch)
    if centre.books.ever and custody is not None and custody.epoch > event.body["epoch"]:
        return centre  # late: the centre had given it on before it was put back
    if custody != Custody(log.holder, event.body["epoch"]):
        return _alarm(centre, log, event, who, "P.103", "a right was let go that was not this station's to let go")
    certified = Custody(CERTIFICATE, custody.epoch + 1)
    free = certified if event.kind == "certificate" else replace(custody, state=State.RELEASED)
    asked = centre.books.asked(centre.requests, log, event, who)
    return replace(put(centre, who, free), books=centre.books.let_go(log, who, free.epoch), requests=asked)


def _certificate_back(centre: Centre, log: LogId, event: Event, who: UUID) -> Centre:
    """Asks for the right, as anybody may to whom the certificate is shown: while its voter holds it, the centre gives it."""
    epoch = event.body["epoch"]
    if centre.logs[log].certificates.get(who) != epoch:
        return _alarm(centre, log, event, who, "P.103", "a certificate was taken back that this station had not given")
    if centre.custody[who] != Custody(CERTIFICATE, epoch + 1):
        return centre  # it was shown meanwhile, somewhere else
    asked = Request(back_request(log, event.n), who, epoch + 1, log.holder)
    return replace(centre, requests={**centre.requests, asked.id: asked})


def _receive(centre: Centre, log: LogId, event: Event, who: UUID) -> Centre:
    given = centre.grants.get(event.body["grant"]["request"])
    if given is None or (given.entitlement, given.epoch, given.to) != (who, event.body["epoch"], log.holder):
        custody, epoch = centre.custody.get(who), event.body["epoch"]
        if (custody is None or custody.epoch != epoch) and centre.books.gave(log, event):  # before it was put back
            return put(centre, who, Custody(log.holder, epoch)) if custody is None or custody.epoch < epoch else centre
        return _alarm(centre, log, event, who, "P.105", "custody was taken that the centre did not give")
    return replace(centre, grants={name: one for name, one in centre.grants.items() if one != given})


def put(centre: Centre, who: UUID, custody: Custody) -> Centre:
    """The centre with that custody of that right."""
    return replace(centre, custody={**centre.custody, who: custody})


def give(centre: Centre, who: UUID, custody: Custody) -> Centre:
    """The same, where it is the centre that gives; raises CustodyError P.090, P.052 where it may have given that already."""
    centre.books.must_be_free(who, custody.epoch - 1, unread(centre))
    return replace(put(centre, who, custody), books=centre.books.given(who, custody.epoch))


def in_doubt(centre: Centre, who: UUID, epoch: int) -> bool:
    """Whether a machine that nobody has read may have been given this right, which was free in that epoch."""
    return centre.books.in_doubt(who, epoch, unread(centre))


def unread(centre: Centre) -> bool:
    """Whether a machine was given up, since the centre was put back, of which nobody has all."""
    unheard = (centre.logs.get(log) for log in centre.books.missed - centre.books.whole)
    return any(known is None or not known.complete for known in unheard)


def _alarm(centre: Centre, log: LogId, event: Event, who: UUID | None, check: str, text: str) -> Centre:
    return replace(centre, alarms=(*centre.alarms, Alarm(check, log, event.n, who, text)))


def on_roll(centre: Centre, who: UUID) -> Custody:
    """How a right stands. Raises CustodyError P.020 for one that is not on the roll."""
    if (custody := centre.custody.get(who)) is None:
        raise not_on_the_roll()
    return custody


def must_be_unused(centre: Centre, who: UUID) -> None:
    """Raises CustodyError P.021 for a right of which a use stands."""
    if (custody := centre.custody[who]).state is State.USED or centre.uses.get(who):
        raise was_used(custody.holder)


def ask(centre: Centre, request: str, who: UUID, to: LogId, *, paper: bool = False) -> Centre:
    """Somebody stands at `to` whose right is elsewhere. Asking moves nothing; asking twice changes nothing.

    `paper`: one that was used electronically may be asked for, too. Raises CustodyError: P.020 not on the roll, P.021 used,
    P.050 already there, P.051 that station cannot take it.
    """
    custody = on_roll(centre, who)
    if request in centre.requests:
        return centre
    beaten = paper and is_channel(custody.holder) and not is_channel(to.holder) and len(centre.uses.get(who, ())) == 1
    if not beaten:
        must_be_unused(centre, who)
    if custody.holder == to.holder and custody.state is State.UNUSED:
        raise CustodyError("the right is held by this very station", "P.050")
    must_take(centre, to)
    return replace(centre, requests={**centre.requests, request: Request(request, who, custody.epoch, to.holder)})


def unask(centre: Centre, who: UUID, to: LogId) -> Centre:
    """Nobody waits at `to` for the right any more: what it asked for is forgotten, and its holder keeps it. What was let go by
    then, or given, comes all the same: nothing moves back without a release."""
    has = centre.custody.get(who)
    ours = {name for name, one in centre.requests.items() if (one.entitlement, one.to) == (who, to.holder)}
    epochs = {centre.requests[name].epoch for name in ours - centre.grants.keys()}
    if has is not None and (has.holder == to.holder or (has.state is State.RELEASED and has.epoch in epochs)):
        return centre
    return replace(centre, requests={name: one for name, one in centre.requests.items() if name not in ours})


def asked_of(centre: Centre, log: LogId) -> tuple[Request, ...]:
    """What this log's holder is asked to let go, as far as the centre knows: unused, or used in a channel. Nothing, once its
    machine was given up: its officers may have gone on by hand, with what it held."""
    if centre.logs[log].lost:
        return ()
    states = (State.UNUSED, State.USED) if is_channel(log.holder) else (State.UNUSED,)
    ours = {who: has.epoch for who, has in centre.custody.items() if has.holder == log.holder and has.state in states}
    return tuple(one for one in centre.requests.values() if ours.get(one.entitlement) == one.epoch)


def may_grant(centre: Centre, who: UUID) -> bool:
    """Rule 3: whether nobody can use this entitlement any more unless the centre gives it to him."""
    custody = centre.custody[who]
    return free(centre, custody) and not centre.uses.get(who) and not in_doubt(centre, who, custody.epoch)


def free(centre: Centre, custody: Custody) -> bool:
    """Whether a right that stands so is nobody's any more, by all that the centre has: let go, carried by its voter, on no list,
    or left over in a log that is complete."""
    if custody.state is not State.UNUSED:
        return custody.state is State.RELEASED
    nobody = custody.holder == CERTIFICATE or custody.holder.startswith(UNLISTED)
    return nobody or never_listed(centre, custody) or centre.over(custody.holder)


def never_listed(centre: Centre, custody: Custody) -> bool:
    """Whether no list has the right yet on which it stands since the roll was frozen: only the centre knows of it."""
    return any(custody == Custody(f"station/{station}/1", 0) for station in centre.unmade)


def grant(centre: Centre, request: str, to: LogId) -> tuple[Centre, Grant]:
    """Gives custody to who asked for it. The grant is unsigned; the one who holds the centre's key signs it.

    Raises CustodyError: P.052 the holder has not let it go, P.053 it went elsewhere meanwhile, P.051.
    """
    if (given := centre.grants.get(request)) is not None:
        return centre, given
    asked = centre.requests.get(request)
    if asked is None or asked.to != to.holder:
        raise CustodyError("there is no such request of this station", "P.053")
    if (custody := centre.custody[asked.entitlement]).epoch != asked.epoch:
        raise CustodyError(f"the right went to {custody.holder} meanwhile", "P.053")
    must_not_be_asked_back(centre, asked.entitlement)
    if not may_grant(centre, asked.entitlement):
        raise CustodyError(f"{custody.holder} holds the right and has not let it go", "P.052")
    must_take(centre, to)
    ahead = never_listed(centre, custody)
    why = why_given(custody.holder, to, released=custody.state is State.RELEASED, ahead=ahead)
    given = Grant(centre.poll, asked.entitlement, custody.epoch + 1, to.holder, why, request)
    centre = give(centre, given.entitlement, Custody(to.holder, given.epoch))
    return replace(centre, grants={**centre.grants, request: given}), given


def must_not_be_asked_back(centre: Centre, who: UUID) -> None:
    """Raises CustodyError P.056 for a right that the commission has asked for."""
    back = (who, centre.custody[who].epoch, WITHDRAWN)
    if any((one.entitlement, one.epoch, one.to) == back for one in centre.requests.values()):
        raise was_asked_back()


def granted_to(centre: Centre, log: LogId) -> tuple[Grant, ...]:
    """What was given to this log's holder and is not yet in its log: told again with every answer."""
    return tuple(given for given in centre.grants.values() if given.to == log.holder)


def must_take(centre: Centre, to: LogId) -> None:
    """Raises CustodyError P.051 unless that log can still receive."""
    known = centre.logs.get(to)
    if known is None or known.closed or known.stopped or known.lost:
        raise CustodyError(f"{to.holder} is not open", "P.051")
