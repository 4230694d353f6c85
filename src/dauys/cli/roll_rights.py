"""How does the roll, which knows no pollbook, have rights asked back? By the shell, which knows both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dauys.cli.main import counted
from dauys.cli.pollbook_restored import held, journal
from dauys.pollbook.settling import additions
from dauys.pollbook.settling.asked import State
from dauys.pollbook.settling.returns import Back
from dauys.pollbook.settling.withdrawals import Asked, added_by, withdraw_added, withdraw_set
from dauys.polls.keys import keys_of
from dauys.polls.opening import load_poll
from dauys.polls.pollbook_join import withdraw as settle
from dauys.record.log import is_closed
from dauys.registers.poll import Poll
from dauys.roll.claims import Claim
from dauys.roll.effects import AskBack, Effect, carry, frozen_before
from dauys.roll.freeze import Added
from dauys.roll.ground import ground
from dauys.roll.keys import vault_of
from dauys.roll.vault import Vault
from dauys.stations.ledger import lock
from dauys.store.engine import Connection, data_folder


def asking_back(vault: Callable[[], Vault]) -> AskBack:
    """As `dauys roll withdraw` does it: the rights are asked for, and withdrawn at once where nobody else holds them."""

    def ask(
        connection: Connection, poll: Poll, number: int, reason: str, by: str, key: Ed25519PrivateKey, at: datetime
    ) -> None:
        withdraw_set(connection, vault(), poll, number, reason, by, at)
        settle(connection, poll, key, at)

    return ask


def held_all(engine: sa.Engine, polls: Sequence[str], at: datetime) -> None:
    """Before rights of these polls are withdrawn or given: were their books put back from a copy?"""
    for poll in polls:
        held(engine, journal(), poll, at)


def taken_over(connection: Connection, claim: Claim | None, number: int, by: str, at: datetime) -> Effect | None:
    """What the set of a claim did to the frozen list of its poll; None for another set, or where none was frozen before.

    Raises DauysError where the commission's key is not here: then it is approved where it is.
    """
    if claim is None or not frozen_before(connection, claim.poll, number):
        return None
    poll, vault = load_poll(connection, claim.poll), vault_of(connection, data_folder())
    key = keys_of(poll, data_folder() / "keys").commission
    ask_back = asking_back(lambda: vault)
    return carry(connection, vault, poll, number, ground(claim.id, claim.cite), by, key, at, additions, ask_back)


def added_to(connection: Connection, number: int) -> list[str]:
    """The polls that are not closed, and whose frozen roll the set has added voters to."""
    names = connection.scalars(sa.text("SELECT DISTINCT poll FROM roll_addition ORDER BY poll")).all()
    return [name for name in names if not is_closed(connection, name) and added_by(connection, name, number)]


def ask_back_added(connection: Connection, number: int, reason: str, by: str, at: datetime) -> dict[str, Asked]:
    """Asks back, in every poll that is not closed, the rights of those whom the set that is rolled back had added.

    Withdrawn at once where nobody else holds them. Raises DauysError where the poll's key or the roll's is not here.
    """
    found = {}
    for name in added_to(connection, number):
        poll = load_poll(connection, name)
        key = keys_of(poll, data_folder() / "keys").commission
        lock(connection, name)  # the record before the rights, as `serve` does
        vault = vault_of(connection, data_folder())
        found[name] = withdraw_added(connection, vault, poll, number, reason, by, at)
        settle(connection, poll, key, at)
    return found


def withdrawn_by(connection: Connection, number: int) -> list[str]:
    """The polls that are not closed and in which rights are asked back, or withdrawn, because of the set."""
    query = "SELECT DISTINCT poll FROM roll_withdrawal WHERE set_id = :set AND outcome IN ('asked', 'withdrawn') ORDER BY poll"
    return [name for name in connection.scalars(sa.text(query), {"set": number}) if not is_closed(connection, name)]


def frozen_with(connection: Connection, number: int) -> list[str]:
    """The polls that are not closed and whose roll was frozen with the set."""
    query = "SELECT poll FROM roll_freeze WHERE :set = ANY(sets) ORDER BY poll"
    return [name for name in connection.scalars(sa.text(query), {"set": number}) if not is_closed(connection, name)]


def of_those_added(found: Added) -> str:
    """What became of the voters of a set that was added, in words."""
    text = f"{counted(found.added, 'voter')} added in {counted(found.stations, 'station')}; the roll: {found.total:,}"
    if found.on_list or found.may_not or found.elsewhere:
        text += f"\n  {found.on_list:,} were on it already, {found.may_not:,} may not vote"
        text += f", {found.elsewhere:,} vote at stations that this poll does not have"
    if found.later:
        sets = ", ".join(str(number) for number in found.later_sets)
        text += f"\n  {found.later:,} of its voters are in force by later sets ({sets}): add those, too"
    return text


def of_those_given_back(found: Back) -> str:
    """What became of the rights of a set, in words."""
    text = f"{counted(found.returned, 'right')} given back; {found.kept:,} not asked for any more, "
    text += f"{found.not_withdrawn:,} not withdrawn"
    if found.free:
        text += f"\n  {found.free:,} with nobody, for no machine of their station works: who asks first is given them"
    why = {
        "may not vote, or would have two": found.may_not,
        "too late, the list is closed": found.late,
        "used all the same": found.used,
    }
    return text + "".join(f"\n  {count:,} stay withdrawn: {name}" for name, count in why.items() if count)


def of_all_withdrawn(poll: str, now: State) -> str:
    """How the rights of a poll stand that were asked back, in words."""
    text = f"{poll}: {now.withdrawn:,} withdrawn, {now.asked:,} waiting for their holders, {now.used:,} used"
    text += f", {now.returned:,} given back" if now.returned else ""
    text += f", {now.kept:,} not asked for any more" if now.kept else ""
    return text + (f"\nALARM P.109: {now.twice:,} used two rights" if now.twice else "")
