"""Who gets an account at the desk, and how does it end? A clerk's page, and one where everybody changes the own password."""

from __future__ import annotations

from dauys.errors import BadInput
from dauys.record.log import polls
from dauys.stations.accounts import (
    accounts,
    end_account,
    is_password,
    made_password,
    make_account,
    set_password,
)
from dauys.stations.desk_visit import Model, Page, Visit
from dauys.stations.overview import poll_of
from dauys.stations.states import Role

PER_PAGE = 100


def _accounts(visit: Visit) -> Model | str:
    """Passwords are made here and shown once, to be handed over on paper."""
    connection, done = visit.connection, None
    if visit.form is not None:
        name, password = visit.sent("name"), made_password()
        match visit.sent("act"):
            case "end":
                if name == visit.account.name:
                    message = "your own account is ended by another clerk"
                    raise BadInput(message, field="name", found=name, check="F.043")
                end_account(connection, name, visit.at)
                done = {"name": name, "state": "ended", "password": ""}
            case "password":
                set_password(connection, name, password)
                done = {"name": name, "state": "renewed", "password": password}
            case _:
                role = _role(visit.sent("role"))
                station = role is Role.STATION
                make_account(
                    connection, name, role, password, poll=visit.sent("poll") if station else None,
                    station=visit.station() if station else None,
                )  # fmt: skip
                done = {"name": name, "state": "made", "password": password}
    start = visit.start()
    begins = visit.asked("begins")
    found = accounts(connection, start, PER_PAGE + 1, begins)
    model: Model = {
        "begins": begins,
        "accounts": found[:PER_PAGE],
        "next": start + PER_PAGE if len(found) > PER_PAGE else None,
        "roles": [role.value for role in Role],
        "polls": [(poll, dict(poll_of(connection, poll).names)) for poll in polls(connection)],
    }
    return model if done is None else model | {"done": done, "typed": {}}


def _role(text: str) -> Role:
    if text not in {role.value for role in Role}:
        raise BadInput("there is no such role", field="role", found=text, expected=", ".join(Role), check="F.043")
    return Role(text)


def _password(visit: Visit) -> Model | str:
    """Whoever got a password on paper makes an own one; then the sign-in comes again."""
    if visit.form is None:
        return {}
    name, current, new = visit.account.name, str(visit.form.get("current", "")), str(visit.form.get("new", ""))
    if not is_password(visit.connection, name, current):
        raise BadInput("this is not your present password", field="current", check="F.041")
    if new != str(visit.form.get("again", "")):
        raise BadInput("the new password stands there in two forms", field="again", check="F.043")
    set_password(visit.connection, name, new)
    return "/in"


PAGES = (
    Page("/accounts", "desk/accounts.html", _accounts, (Role.CLERK,)),
    Page("/password", "desk/password.html", _password, tuple(Role)),
)
