"""dauys.page_forms: who sent it, how much of it is read, and which of it are fields."""

import asyncio
from collections.abc import Mapping

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from dauys.page_forms import form_of, from_here, limited


class Sent:
    """A body that comes piece by piece, and how many pieces were asked for."""

    def __init__(self, *pieces: bytes, method: str = "POST", kind: str = "application/x-www-form-urlencoded") -> None:
        self.pieces, self.read = pieces, 0
        self.scope = {"type": "http", "method": method, "headers": [(b"content-type", kind.encode())]}

    async def receive(self) -> Message:
        self.read += 1
        return {"type": "http.request", "body": self.pieces[self.read - 1], "more_body": self.read < len(self.pieces)}

    @property
    def request(self) -> Request:
        return Request(self.scope, self.receive)


@pytest.mark.parametrize(
    ("headers", "here"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": ""}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://dauys.test", "host": "dauys.test"}, False),
        ({"sec-fetch-site": "same-origin", "origin": "https://evil.test", "host": "dauys.test"}, True),
        ({"origin": "https://dauys.test", "host": "dauys.test"}, True),
        ({"origin": "https://dauys.test:8443", "host": "dauys.test"}, False),
        ({"origin": "https://evil.test", "host": "dauys.test"}, False),
        ({"origin": "null", "host": "dauys.test"}, False),
        ({"origin": "", "host": "dauys.test"}, False),
        ({"origin": "https://dauys.test"}, False),
    ],
)
def test_what_a_browser_says_of_who_sends(headers: Mapping[str, str], here: bool) -> None:
    assert from_here(Headers(headers)) is here


@pytest.mark.parametrize(("most", "found", "read"), [(6, b"abcdef", 3), (5, None, 3), (3, None, 2), (0, None, 1)])
def test_no_more_is_read_than_may_come(most: int, found: bytes | None, read: int) -> None:
    sent = Sent(b"ab", b"cd", b"ef")
    assert asyncio.run(limited(sent.request, most)) == found
    assert sent.read == read


def test_fields_of_a_form() -> None:
    assert asyncio.run(form_of(Sent(b"a=1%002&b=&", b"c=%D2%9A").request)) == {"a": "1\ufffd2", "b": "", "c": "Қ"}
    assert asyncio.run(form_of(Sent(method="GET").request)) is None
    for sent, status in (
        (Sent(b"{}", kind="application/json"), 415),
        (Sent(b"a=" + b"1" * 99), 413),
        (Sent(b"a=\xff"), 422),
    ):
        with pytest.raises(HTTPException) as refused:
            asyncio.run(form_of(sent.request, 100))
        assert refused.value.status_code == status
    with pytest.raises(HTTPException) as refused:
        asyncio.run(form_of(Sent(b"&".join([b"a=1"] * 41)).request))
    assert refused.value.status_code == 422
