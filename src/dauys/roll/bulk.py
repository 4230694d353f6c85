"""How do millions of rows get into a table: by binary COPY (`roll.binary`), and the indexes built after them?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from psycopg import sql

from dauys.roll.binary import CLOSING, OPENING
from dauys.store.engine import Connection, driver


@contextmanager
def loading(connection: Connection, table: str, many: bool) -> Iterator[bool]:
    """While an empty table takes `many` rows, its indexes are gone; they are built again, as they were, at the end.

    Yields whether that is so: nobody else reads the table then until the transaction ends. A table that has rows stays as it is.
    """
    if not many:
        yield False
        return
    for step in ("look", "look again, locked"):
        if connection.scalar(sa.text(f"SELECT EXISTS (SELECT FROM {table})")):  # noqa: S608 - a name of ours
            yield False
            return
        if step == "look":  # a table that has rows is not locked
            connection.exec_driver_sql(f"LOCK TABLE {table}")
    connection.exec_driver_sql(f"TRUNCATE {table}")  # rows of a table made anew may be written as settled (FREEZE)
    again = list(_dropped(connection, table))
    yield True
    connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
    for statement in again:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"ANALYZE {table}")


def _dropped(connection: Connection, table: str) -> list[str]:
    """Drops the keys and indexes of a table; the statements that make them again."""
    again = []
    keys = connection.execute(
        sa.text(
            "SELECT conname, pg_get_constraintdef(oid) AS made FROM pg_constraint "
            "WHERE conrelid = CAST(:table AS regclass) AND contype IN ('p', 'u')"
        ),
        {"table": table},
    ).all()
    for key in keys:
        connection.exec_driver_sql(f'ALTER TABLE {table} DROP CONSTRAINT "{key.conname}"')
        again.append(f'ALTER TABLE {table} ADD CONSTRAINT "{key.conname}" {key.made}')
    indexes = connection.execute(
        sa.text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :table"), {"table": table}
    ).all()
    for index in indexes:
        connection.exec_driver_sql(f'DROP INDEX "{index.indexname}"')
        again.append(index.indexdef)
    return again


def copy_rows(
    connection: Connection, table: str, columns: tuple[str, ...], blocks: Iterable[bytes], fresh: bool
) -> None:
    """Copies blocks of packed rows; `fresh`: into a table that `loading` has emptied."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY{})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", FREEZE" if fresh else ""),
    )
    with driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(OPENING)
        for block in blocks:
            copy.write(block)
        copy.write(CLOSING)
