"""What the tests of this room share: the desk over a poll of nine stations."""

from __future__ import annotations

from desk_site import client

__all__ = ["client"]
