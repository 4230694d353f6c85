"""How to reach the database: `DAUYS_DATABASE_URL`, or the embedded server in the data folder; always migrated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from dauys.errors import DauysError
from dauys.store import embedded
from dauys.store.migrate import migrate

Connection = sa.Connection


def data_folder() -> Path:
    """The project's data folder: `DAUYS_HOME`, or `.dauys` where the command was called."""
    return Path(os.environ.get("DAUYS_HOME", ".dauys"))


def open_store(folder: Path | None = None) -> sa.Engine:
    """An engine on a database with the newest schema. With no `DAUYS_DATABASE_URL`, the embedded server in `folder`."""
    url = os.environ.get("DAUYS_DATABASE_URL") or embedded.start(folder or data_folder())
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise DauysError("DAUYS_DATABASE_URL must start with postgresql://, for example postgresql://user@host/dauys")
    try:
        engine = sa.create_engine(f"postgresql+psycopg://{rest}", pool_pre_ping=True)
    except (ValueError, sa.exc.ArgumentError) as error:
        raise DauysError(f"DAUYS_DATABASE_URL cannot be read ({error}): postgresql://user@host:5432/dauys") from error
    try:
        migrate(engine)
    except sa.exc.OperationalError as error:
        raise DauysError(f"the database cannot be reached: {error.orig}") from error
    return engine


def driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    """The psycopg connection below a SQLAlchemy one, in the same transaction: for COPY."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw
