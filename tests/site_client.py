"""How do the tests ask a site for its pages? Over the app itself; one thread answers for all of them.

`TestClient` outside a `with` starts a thread and an event loop for each request, which takes longer than most pages do.
"""

from __future__ import annotations

import atexit
import warnings
from contextlib import ExitStack
from functools import cache
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.types import ASGIApp

with warnings.catch_warnings():  # it asks for a newer client library; ours does the same
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["TestClient", "client_of"]


def client_of(app: ASGIApp, **how: Any) -> TestClient:
    """A client of the app, whose start and end are not called (`with TestClient(app)` calls them)."""
    client = TestClient(app, **how)
    client.portal = _portal()
    return client


@cache
def _portal() -> BlockingPortal:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(start_blocking_portal())
