"""Does an open page hear of growth, once, and does the stream end when the reader leaves?"""

from __future__ import annotations

import asyncio

import pytest
from sample_poll import POLL, Sample, reader, referendum

from dauys.publish import live
from dauys.publish.live import Size, changes


async def _stream(sizes: list[int], limit: int) -> list[str]:
    """What a reader hears who stays for `limit` looks at a record of these sizes."""
    looks = 0

    async def gone() -> bool:
        nonlocal looks
        looks += 1
        return looks > limit

    class Sizes(Size):
        async def now(self) -> int:
            return sizes[min(looks - 1, len(sizes) - 1)]

    return [text async for text in changes(Sizes(lambda: 0), gone, every=0)]


def test_the_size_is_said_at_once_and_whenever_it_has_changed() -> None:
    said = asyncio.run(_stream([5, 5, 5, 9, 9, 12], 6))
    assert said[0] == "retry: 3000\n\n"
    assert said[1:] == [f'event: size\nid: {n}\ndata: {{"size": {n}}}\n\n' for n in (5, 9, 12)]


def test_a_silent_stream_says_that_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ALIVE", -1.0)
    said = asyncio.run(_stream([5], 3))
    assert said[2:] == [": alive\n\n"] * 2


def test_many_readers_ask_the_database_once() -> None:
    asked = 0

    def ask() -> int:
        nonlocal asked
        asked += 1
        return 7

    async def crowd() -> list[int]:
        size = Size(ask)
        return await asyncio.gather(*(size.now() for _ in range(50)))

    assert asyncio.run(crowd()) == [7] * 50
    assert asked == 1


def test_an_unknown_poll_has_no_events() -> None:
    with reader(Sample(referendum(), per_area=1)) as client:
        assert client.get("/events/kz/none").status_code == 404


def test_the_stream_ends_when_the_server_closes() -> None:
    source = Sample(referendum(), per_area=1)
    with reader(source) as client:
        client.app.state.closing = True  # type: ignore[attr-defined]
        answer = client.get(f"/events/{POLL}")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == "retry: 3000\n\n"


def test_the_page_names_its_stream_and_its_size() -> None:
    source = Sample(referendum(), per_area=1)
    with reader(source) as client:
        text = client.get(f"/en/polls/{POLL}/").text
        assert f'data-events="/events/{POLL}" data-size="{source.size(POLL)}"' in text
        source.grown = 4
        assert f'data-size="{source.size(POLL)}"' in client.get(f"/en/polls/{POLL}/").text
