"""Who is at the desk? Accounts with a role, passwords as scrypt hashes, sessions by a secret token.

There is no account until somebody makes the first one: `first_account`, a command of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from dauys.errors import BadInput, DauysError
from dauys.registers.cells import not_text
from dauys.stations.states import Role
from dauys.store.engine import Connection

COST = 1 << 16
"""scrypt's N (RFC 7914), with r = 8 and p = 1: 64 MiB and about a fifth of a second for each password."""

SHORTEST_PASSWORD = 12
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of passwords that are made here: none that is read for another one on paper."""
SESSION = timedelta(hours=12)
TRIES, PAUSE = 5, timedelta(minutes=5)
"""After five wrong passwords in a row an account waits five minutes."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may do something. A station's account is for one station of one poll."""

    name: str
    role: Role
    poll: str | None = None
    station: str | None = None

    @property
    def author(self) -> str:
        """How the record names it: never to be taken for a station or the commission, whatever the account is called."""
        return f"account/{self.name}"

    def may_send(self, poll: str, station: str) -> bool:
        """Whether this account may send what concerns that station by itself (a typist may not: it takes two)."""
        return self.role is Role.CLERK or (self.role is Role.STATION and (self.poll, self.station) == (poll, station))


def first_account(connection: Connection, name: str, password: str) -> Account:
    """Makes the first account, a clerk. Raises DauysError if there is any account already."""
    connection.execute(sa.text("LOCK TABLE account"))
    if connection.scalar(sa.text("SELECT count(*) FROM account")):
        raise DauysError("there are accounts already: a clerk makes the others")
    return make_account(connection, name, Role.CLERK, password)


def make_account(
    connection: Connection, name: str, role: Role, password: str, *, poll: str | None = None, station: str | None = None
) -> Account:
    """Makes an account. Raises BadInput F.043 if the name is taken or the password is too short, F.020 for the station.

    A name that has ended is taken, too: the record has it, and means one person.
    """
    if name != name.strip() or not name.isprintable() or not 0 < len(name) <= 100:
        raise BadInput(
            "an account has a name of at most 100 letters, digits and signs, with no blank before or after it",
            field="name", found=name, check="F.043",
        )  # fmt: skip
    _long_enough(password)
    if (role is Role.STATION) != (poll is not None and station is not None):
        message = "a station's account names its poll and its station, any other none"
        raise BadInput(message, field="station", found=station, check="F.043")
    if station is not None:
        listed = sa.text("SELECT 1 FROM station WHERE poll = :poll AND id = :station")
        if not_text(f"{poll}{station}") or not connection.scalar(listed, {"poll": poll, "station": station}):
            raise BadInput(f"{poll} has no such station here", field="station", found=station, check="F.020")
    made = connection.execute(
        sa.text(
            "INSERT INTO account (name, role, poll, station, password) VALUES (:name, :role, :poll, :station, :password) "
            "ON CONFLICT DO NOTHING RETURNING name"
        ),
        {"name": name, "role": role.value, "poll": poll, "station": station, "password": _hashed(password)},
    ).one_or_none()
    if made is None:
        raise BadInput("there is, or was, an account of this name", field="name", found=name, check="F.043")
    return Account(name, role, poll, station)


def made_password() -> str:
    """A password for somebody else, to be read from paper: 16 letters and digits, 79 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def set_password(connection: Connection, name: str, password: str) -> Account:
    """Gives an account that has not ended another password, and ends its sessions. Raises BadInput F.043."""
    _long_enough(password)
    changed = connection.execute(
        sa.text(
            "UPDATE account SET password = :password, failed = 0, retry = NULL WHERE name = :name AND ended IS NULL "
            "RETURNING name, role, poll, station"
        ),
        {"name": name, "password": _hashed(password)},
    ).one_or_none()
    if changed is None:
        raise BadInput("there is no such account, or it has ended", field="name", found=name, check="F.043")
    connection.execute(sa.text("DELETE FROM session WHERE account = :name"), {"name": name})
    return Account(changed.name, Role(changed.role), changed.poll, changed.station)


def end_account(connection: Connection, name: str, at: datetime) -> None:
    """Ends an account and its sessions for good; what it did keeps its name. Raises BadInput F.043.

    The last clerk stays: nobody else could make another.
    """
    connection.execute(sa.text("LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE"))
    role = connection.scalar(
        sa.text("SELECT role FROM account WHERE name = :name AND ended IS NULL"), {"name": name}
    )  # fmt: skip
    if role is None:
        raise BadInput("there is no such account, or it has ended", field="name", found=name, check="F.043")
    clerks = connection.scalar(sa.text("SELECT count(*) FROM account WHERE role = 'clerk' AND ended IS NULL"))
    if role == Role.CLERK and clerks == 1:
        raise BadInput("this is the last clerk: make another one first", field="name", found=name, check="F.043")
    connection.execute(sa.text("UPDATE account SET ended = :at WHERE name = :name"), {"at": at, "name": name})
    connection.execute(sa.text("DELETE FROM session WHERE account = :name"), {"name": name})
    connection.execute(sa.text("DELETE FROM upload WHERE account = :name"), {"name": name})


def accounts(connection: Connection, start: int = 0, limit: int = 100, begins: str = "") -> list[Account]:
    """Accounts that have not ended, by role and name; those whose name begins so."""
    query = sa.text(
        "SELECT name, role, poll, station FROM account WHERE ended IS NULL AND starts_with(name, :begins) "
        "ORDER BY role, name OFFSET :start LIMIT :limit"
    )
    rows = connection.execute(query, {"begins": begins, "start": start, "limit": limit})
    return [Account(row.name, Role(row.role), row.poll, row.station) for row in rows]


def is_password(connection: Connection, name: str, password: str) -> bool:
    """Whether this is the account's password."""
    stored = connection.scalar(sa.text("SELECT password FROM account WHERE name = :name"), {"name": name})
    return stored is not None and _matches(password, stored)


def _long_enough(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        message = f"a password has at least {SHORTEST_PASSWORD} characters"
        raise BadInput(message, field="password", check="F.043")


def sign_in(connection: Connection, name: str, password: str, at: datetime) -> str | None:
    """A new session's token; None when name or password is wrong or the account has to wait.

    The answer takes as long for a name that does not exist. The caller commits either way: failures are counted.
    """
    row = connection.execute(
        sa.text("SELECT password, failed, retry FROM account WHERE name = :name AND ended IS NULL FOR UPDATE"),
        {"name": name},
    ).one_or_none()
    good = _matches(password, _of_nobody() if row is None else row.password)
    if row is None:
        return None
    if row.retry is not None and at < row.retry:
        return None
    if not good:
        failed = row.failed + 1
        wait = at + PAUSE if failed >= TRIES else None
        connection.execute(
            sa.text("UPDATE account SET failed = :failed, retry = :retry WHERE name = :name"),
            {"failed": 0 if wait else failed, "retry": wait, "name": name},
        )
        return None
    connection.execute(sa.text("UPDATE account SET failed = 0, retry = NULL WHERE name = :name"), {"name": name})
    return issue_token(connection, name, at + SESSION)


def issue_token(connection: Connection, name: str, expires: datetime) -> str:
    """A token by which an account is known until then: for a session, or for a station's own software."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        sa.text("INSERT INTO session VALUES (:token, :account, :expires)"),
        {"token": _digest(token), "account": name, "expires": expires},
    )
    return token


def account_of(connection: Connection, token: str | None, at: datetime) -> Account:
    """Whose token this is. Raises BadInput F.041 for none, an unknown or an expired one."""
    row = connection.execute(
        sa.text(
            "SELECT name, role, poll, station FROM session JOIN account ON name = account "
            "WHERE token = :token AND expires > :at AND ended IS NULL"
        ),
        {"token": _digest(token or ""), "at": at},
    ).one_or_none()
    if row is None:
        raise BadInput("sign in first: there is no session with this token", check="F.041")
    return Account(row.name, Role(row.role), row.poll, row.station)


def sign_out(connection: Connection, token: str, at: datetime) -> None:
    """Ends a session, and forgets those that have expired."""
    connection.execute(
        sa.text("DELETE FROM session WHERE token = :token OR expires <= :at"), {"token": _digest(token), "at": at}
    )


def form_mark(token: str) -> str:
    """The secret that a form of this session carries, so that no other site can send it."""
    return hmac.new(token.encode(), b"form", "sha256").hexdigest()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(16)
    return f"scrypt${COST}$8$1${salt.hex()}${_scrypt(password, salt, COST, 8, 1).hex()}"


def _matches(password: str, stored: str) -> bool:
    _, cost, block, parallel, salt, expected = stored.split("$")
    found = _scrypt(password, bytes.fromhex(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(found, bytes.fromhex(expected))


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    memory = 128 * cost * block * 2
    secret = password.encode("utf-8", "surrogateescape")  # a terminal in another encoding hands bytes on as they are
    return hashlib.scrypt(secret, salt=salt, n=cost, r=block, p=parallel, maxmem=memory, dklen=32)


def _of_nobody() -> str:
    """What is held against a password whose name is not known: as dear as any, so that the time does not say it."""
    return f"scrypt${COST}$8$1${'00' * 16}${'00' * 32}"
