"""Who are the officers of each station, as a file has them?"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

from dauys.errors import BadInput
from dauys.pollbook.rules.channels import OFFICER_ID, ROLES
from dauys.pollbook.wire.package import Officer

COLUMNS = ("station", "id", "role", "name")


def read_officers(path: Path) -> dict[str, tuple[Officer, ...]]:
    """The officers of each station out of a CSV file with the columns of `COLUMNS`. Raises BadInput with the row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the officers cannot be read: {error}", file=path, expected="a CSV file in UTF-8") from None
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        found = ",".join(reader.fieldnames or ())
        raise BadInput("other columns than expected", file=path, row=1, found=found, expected=",".join(COLUMNS))
    officers: dict[str, dict[str, Officer]] = {}
    for number, row in enumerate(reader, 2):
        if None in row or None in row.values() or not all(value.strip() for value in row.values()):
            raise BadInput("a cell is empty, or there are too many", file=path, row=number, expected=",".join(COLUMNS))
        station, name, role, called = (row[column].strip() for column in COLUMNS)
        if role not in ROLES:
            raise BadInput("no such role", file=path, row=number, field="role", found=role,
                           expected="chair, secretary or member")  # fmt: skip
        if not re.fullmatch(OFFICER_ID, name):
            raise BadInput("no id of an officer", file=path, row=number, field="id", found=name,
                           expected="small letters, digits, hyphens, at most 20")  # fmt: skip
        if name in (here := officers.setdefault(station, {})):
            raise BadInput("the officer is listed twice", file=path, row=number, field="id", found=name)
        here[name] = Officer(name, role, called)
    return {station: _complete(path, station, of) for station, of in officers.items()}


def _complete(path: Path, station: str, officers: Mapping[str, Officer]) -> tuple[Officer, ...]:
    roles = {officer.role for officer in officers.values()}
    if missing := [role for role in ("chair", "member") if role not in roles]:
        raise BadInput(f"station {station} has no {missing[0]}", file=path, expected="a chair and members for each")
    return tuple(officers.values())
