"""`dauys account`: who may sit at the desk and send protocols in."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import click

from dauys.cli.main import answer
from dauys.errors import BadInput
from dauys.stations.accounts import end_account, first_account, issue_token, make_account, set_password
from dauys.stations.states import Role
from dauys.store.engine import open_store

TOKEN_DAYS = 3


@click.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.CLERK.value, show_default=True)
@click.option("--poll", help="For a station's account: its poll.")
@click.option("--station", help="For a station's account: its station.")
@click.option("--first", is_flag=True, help="Make the first account, a clerk: only while there is none.")
@click.option("--new-password", is_flag=True, help="Give the account NAME another password.")
@click.option("--end", is_flag=True, help="End the account NAME for good.")
@click.option("--token", is_flag=True, help=f"Also print a token for programs, good for {TOKEN_DAYS} days.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON (docs/commands.md).")
def account(
    name: str, role: str, poll: str | None, station: str | None, first: bool, new_password: bool, end: bool, token: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Make the account NAME. There is no default account and no default password.

    The password is asked for, or taken from the environment (DAUYS_PASSWORD); never from the command line.
    """
    if first + new_password + end > 1:
        raise BadInput("one of --first, --new-password and --end at a time")
    if end:
        with open_store().begin() as connection:
            end_account(connection, name, datetime.now(UTC))
        answer({"name": name, "ended": True}, as_json, f"account {name} has ended")
        return 0
    password = os.environ.get("DAUYS_PASSWORD") or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with open_store().begin() as connection:
        if first:
            made = first_account(connection, name, password)
        elif new_password:
            made = set_password(connection, name, password)
        else:
            made = make_account(connection, name, Role(role), password, poll=poll, station=station)
        expires = datetime.now(UTC) + timedelta(days=TOKEN_DAYS)
        secret = issue_token(connection, name, expires) if token else None
    body = {"name": made.name, "role": made.role.value, "poll": made.poll, "station": made.station}
    text = f"account {made.name}: {made.role.value}" + (
        f"\ntoken until {expires:%Y-%m-%d %H:%M} UTC: {secret}" if secret else ""
    )
    answer(body | ({"token": secret} if secret else {}), as_json, text)
    return 0
