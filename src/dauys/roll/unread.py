"""What may be said of a file of voters that is no table? Where, and what was expected: never what stands there.

Readers of tables show the cell that they cannot take. Here it may be somebody's IIN, birth date or name, and a message ends on
a terminal, in a log, in a letter. A column's name is shown only where the first row is seen to be a header, and not a voter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeVar

from dauys.errors import BadInput

Item = TypeVar("Item")

SAME_NAME, UNKNOWN = "F.007", "F.009"


def unread(fault: BadInput, header: Collection[str] = ()) -> BadInput:
    """The same fault without what was found; of a column the name, where it is one of `header`."""
    shown = fault.found if fault.check in (SAME_NAME, UNKNOWN) and fault.found in header else None
    return fault.but(found=shown)


def shown_nothing(read: Iterator[Item]) -> Iterator[Item]:
    """What is read of a table; a fault comes without what was found, and without the fault that it was."""
    try:
        yield from read
    except BadInput as fault:
        said = unread(fault)
    else:
        return
    raise said
