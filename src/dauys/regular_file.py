"""How is a file opened that somebody else may have made? Only a regular one, without ever waiting, and never without end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotRegular(OSError):
    """A folder, a pipe, a device, or a path that can name no file at all."""


def open_regular(path: Path) -> BinaryIO:
    """The file at `path`, opened to read. Raises OSError: NotRegular for what is no regular file.

    A pipe would keep its reader waiting, a device would never end.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:  # a NUL, or half of a surrogate pair, in the path
        raise NotRegular(errno.EINVAL, "no file can have this name", str(path)) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotRegular(errno.EINVAL, "it is not a regular file", str(path))
    return os.fdopen(handle, "rb")


def read_regular(path: Path, largest: int) -> bytes:
    """All of a regular file. Raises OSError, also where it has more than `largest` bytes."""
    with open_regular(path) as file:
        data = file.read(largest + 1) if os.fstat(file.fileno()).st_size <= largest else None
    if data is None or len(data) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest:,} bytes", str(path))
    return data
