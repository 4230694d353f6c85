"""Somebody on the wire who sends an answer byte by byte keeps no station waiting for it, and no question open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from station_world import Clock, FakeCentre, enrolled, person

from dauys.pollbook.machine.sync import TIMEOUT, Unreached, connect


class Trickle(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b" "


@pytest.mark.parametrize("between", [0.0, 9.0])
def test_an_answer_without_an_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, between: float
) -> None:
    """`between`: seconds from one byte to the next; without any, the length of the answer ends it."""
    if not between:
        monkeypatch.setattr("dauys.pollbook.machine.sync.LARGEST_ANSWER", 1000)
    heard: list[float] = []

    def monotonic() -> float:
        heard.append(between)
        return sum(heard)

    monkeypatch.setattr("dauys.pollbook.machine.sync.time", SimpleNamespace(monotonic=monotonic, sleep=time.sleep))
    keep = enrolled(FakeCentre({"1": [person(1)]}), tmp_path, "1")
    wire = connect(keep, Clock(), httpx.MockTransport(lambda request: httpx.Response(200, stream=Trickle())))
    heard.clear()
    with pytest.raises(Unreached, match="no end"):
        wire.send()
    assert not between or sum(heard) < 4 * (TIMEOUT.read or 0)
