"""Which schema the database has: numbered SQL files, applied once, in order, each in one transaction.

Plain SQL rather than a migration framework: the schema is small, only ever grows, and a reader sees it as it is.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

import sqlalchemy as sa

from dauys.errors import DauysError

LOCK = 0x6461757973
"""Advisory lock number ("dauys"): two processes that start together migrate one after the other."""


def migrate(engine: sa.Engine) -> list[str]:
    """Applies the files of `store/migrations` not yet applied and returns their names.

    Raises DauysError if an applied file was changed since: a migration is never edited, the next one corrects it.
    """
    applied = []
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, sha256 text NOT NULL)")
        done = {row.name: row.sha256 for row in connection.execute(sa.text("SELECT name, sha256 FROM migration"))}
        folder = files("dauys.store") / "migrations"
        for path in sorted((p for p in folder.iterdir() if p.name.endswith(".sql")), key=lambda p: p.name):
            sql = path.read_text(encoding="utf-8")
            sha256 = hashlib.sha256(sql.encode()).hexdigest()
            if path.name in done:
                if done[path.name] != sha256:
                    raise DauysError(
                        f"migration {path.name} was applied in another form: this database belongs to another version; "
                        "use a fresh data folder or the version that made it"
                    )
                continue
            connection.exec_driver_sql(sql)
            connection.execute(
                sa.text("INSERT INTO migration VALUES (:name, :sha256)"), {"name": path.name, "sha256": sha256}
            )
            applied.append(path.name)
    return applied
