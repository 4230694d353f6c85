"""What people see while the database does not answer: one sentence and when to come again, never a traceback."""

from __future__ import annotations

import sqlalchemy as sa

from dauys.publish.source import DatabaseSource
from dauys.web.app import site
from site_client import SiteClient


def test_a_database_that_does_not_answer_is_a_503() -> None:
    nowhere = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1})
    client = SiteClient(site(DatabaseSource(nowhere)), raises=False)
    page = client.get("/en/")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "3")
    assert "try again" in page.text
    assert "Traceback" not in page.text
    assert client.get("/kk/polls/test/small/").status_code == 503
