"""Who holds a right that no log holds?"""

from __future__ import annotations

CERTIFICATE = "certificate"
"""The holder of an entitlement whose voter carries an absentee certificate: the centre grants it where he shows it."""

WITHDRAWN = "withdrawn"
"""The holder of an entitlement that the commission took back after the freeze (pollbook.rules.decided): nobody uses it there."""

RETURNED = "returned/"
"""Begins the holder of an entitlement that was withdrawn by mistake, and given back while no machine of its voter's station
worked: let go, and free for whoever asks."""

NOBODY = "the centre"
"""On a list: nobody has the right of this voter, and the centre gives it to who asks."""

UNLISTED = "roll/"
"""Begins the holder of an entitlement that was added after the freeze and stands on no list: only the centre has it."""
