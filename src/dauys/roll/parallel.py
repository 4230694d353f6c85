"""How is work on blocks of rows shared among processes, in order, with only a few blocks in memory?

Frames that go to them do so in Arrow's older form of texts, which takes Polars a quarter of the time of its own.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from io import BytesIO
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.reduction import ForkingPickler
from threading import Thread
from typing import Any, TypeVar

import polars as pl

from dauys.errors import DauysError

Item = TypeVar("Item")
Made = TypeVar("Made")

MOST = 4
"""Processes; beyond that the database is the narrow place."""


def _as_arrow(frame: pl.DataFrame) -> tuple[Callable[[bytes], pl.DataFrame], tuple[bytes]]:
    data = BytesIO()
    frame.write_ipc_stream(data, compression="uncompressed", compat_level=pl.CompatLevel.oldest())
    return pl.read_ipc_stream, (data.getvalue(),)


ForkingPickler.register(pl.DataFrame, _as_arrow)


def cores() -> int:
    """How many processes are of use on this machine."""
    return min(MOST, os.cpu_count() or 1)


class _Process:
    """What a process that was started for it does with each item."""

    work: Callable[[Any], Any]


def _begin(work: Callable[[Any], Any]) -> None:
    _Process.work = staticmethod(work)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for work for ever, with the roll's keys and some people in its memory."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _do(item: Any) -> Any:
    return _Process.work(item)


def mapped(work: Callable[[Item], Made], items: Iterable[Item], processes: int = 0) -> Iterator[Made]:
    """`work` of each item, in order; with `processes` in fresh ones, at most two items ahead for each.

    `work` and the items must pickle; `work` goes to a process once. Raises DauysError if one dies, as when memory runs out.
    """
    if not processes:
        yield from map(work, items)
        return
    others = set(active_children())
    # Fresh processes: a fork of one that has threads (Polars, the reader ahead) may stand still for ever.
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (work,)) as pool:
        waiting: deque[Future[Made]] = deque()
        try:
            failed = None
            given = iter(items)
            while True:
                try:
                    item = next(given)
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001 - what was given before it comes first, and may fail first
                    failed = error
                    break
                waiting.append(pool.submit(_do, item))
                if len(waiting) > 2 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
            if failed is not None:
                raise failed
        except BrokenProcessPool as error:
            raise DauysError("a process of the import died: nothing was kept; is there enough memory?") from error
        except BaseException:  # nobody waits for what they are at
            for process in set(active_children()) - others:
                process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
