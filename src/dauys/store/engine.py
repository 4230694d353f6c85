"""How to reach the database: `DAUYS_DATABASE_URL`, or the embedded server in the data folder; always migrated."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from dauys.errors import DauysError
from dauys.store import embedded
from dauys.store.migrate import migrate

Connection = sa.Connection

FAULTS = (sa.exc.SQLAlchemyError, psycopg.Error)
"""What a database raises: a statement that SQLAlchemy does, or one by a cursor below it (`driver`)."""

AWAY = (sa.exc.OperationalError, psycopg.OperationalError)
"""Those of them that later may not be raised again: the server is away, or gave one of two up that waited for each other."""

EXAMPLE = "postgresql://user@host:5432/dauys"


def data_folder() -> Path:
    """The project's data folder: `DAUYS_HOME`, or `.dauys` where the command was called."""
    return Path(os.environ.get("DAUYS_HOME", ".dauys"))


def open_store(folder: Path | None = None) -> sa.Engine:
    """An engine on a database with the newest schema. With no `DAUYS_DATABASE_URL`, the embedded server in `folder`.

    Connections that broke are replaced. The transaction in which one broke is not done again: only its caller knows
    whether that is safe.
    """
    engine = _engine(os.environ.get("DAUYS_DATABASE_URL") or embedded.start(folder or data_folder()))
    try:
        migrate(engine)
    except sa.exc.OperationalError as error:
        raise DauysError(f"the database cannot be reached: {error.orig}") from error
    return engine


def _engine(url: str) -> sa.Engine:
    """The address as libpq reads it, several hosts included (`postgresql://a:5432,b:5432/dauys`): SQLAlchemy reads none.

    Raises DauysError.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise DauysError(f"DAUYS_DATABASE_URL must start with postgresql://, for example {EXAMPLE}")
    try:
        said = {name: str(value) for name, value in conninfo_to_dict(f"postgresql://{rest}").items()}
        user, password, database = said.pop("user", None), said.pop("password", None), said.pop("dbname", None)
        address = sa.URL.create("postgresql+psycopg", user, password, database=database, query=said)
        return sa.create_engine(address, pool_pre_ping=True, hide_parameters=True)  # they may be about a voter
    except (psycopg.Error, ValueError, sa.exc.ArgumentError) as error:
        why = str(error).partition(": ")[0]  # what follows may be a part of the password
        raise DauysError(f"DAUYS_DATABASE_URL cannot be read ({why.strip()}); for example {EXAMPLE}") from error


def many(texts: Iterable[str]) -> str:
    """Texts as one JSON list, for `= ANY(ARRAY(SELECT json_array_elements_text(CAST(:name AS json))))`.

    The driver would write a list of texts one by one, which for thousands takes longer than to look them up.
    """
    return json.dumps(list(texts), ensure_ascii=False)


def driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    """The psycopg connection below a SQLAlchemy one, in the same transaction: for COPY."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw
