"""How do many clients send what they have ready, cheaply enough that it is the server that is measured? One thread, raw sockets.

Each client posts its bodies in order, each after the answer to the last. Requests are made before the clock runs; of an answer
no more is read than its status and its length, and what it must contain.
"""

from __future__ import annotations

import contextlib
import heapq
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Driven:
    """`waits`: seconds from when each request was due until its answer was there."""

    seconds: float
    waits: Sequence[float]


@dataclass(slots=True)
class _Client:
    wire: socket.socket
    requests: Sequence[bytes]
    due: Sequence[float] = ()
    sent: int = 0
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    since: float = 0.0
    answer: bytes = b""


def drive(
    port: int, path: str, work: Sequence[Sequence[bytes]], wanted: Sequence[bytes], pace: float | None = None
) -> Driven:
    """All clients at once; with `pace` each client's requests are due at random, one in each so many seconds.

    Raises AssertionError where an answer is not 200 or lacks one of the `wanted`.
    """
    dice, waits = Random(1), []
    clients = [_Client(_open(port), [_request(path, body) for body in bodies]) for bodies in work]
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.wire, selectors.EVENT_READ, client)
    left = sum(len(client.requests) for client in clients)
    start = time.perf_counter()
    for client in clients:
        client.due = [0 if pace is None else start + (n + dice.random()) * pace for n in range(len(client.requests))]
    free = [(client.due[0], place) for place, client in enumerate(clients)]
    heapq.heapify(free)
    places = {id(client): place for place, client in enumerate(clients)}
    while left:
        now = time.perf_counter()
        while free and free[0][0] <= now:
            client = clients[heapq.heappop(free)[1]]
            client.since = client.due[client.sent] or now
            client.unsent, client.answer = memoryview(client.requests[client.sent]), b""
            _send(selector, client)
        for key, mask in selector.select(max(0.0, free[0][0] - time.perf_counter()) if free else None):
            client = key.data
            if mask & selectors.EVENT_WRITE:
                _send(selector, client)
            elif _answered(client, wanted):
                waits.append(time.perf_counter() - client.since)
                client.sent += 1
                left -= 1
                if client.sent < len(client.requests):
                    heapq.heappush(free, (client.due[client.sent], places[id(client)]))
    seconds = time.perf_counter() - start
    for client in clients:
        client.wire.close()
    selector.close()
    return Driven(seconds, waits)


def _open(port: int) -> socket.socket:
    wire = socket.create_connection(("127.0.0.1", port))
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.setblocking(False)
    return wire


def _request(path: str, body: bytes) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: centre\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _send(selector: selectors.BaseSelector, client: _Client) -> None:
    """As much as the socket takes; the rest when it takes more."""
    with contextlib.suppress(BlockingIOError):
        client.unsent = client.unsent[client.wire.send(client.unsent) :]
    full = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent else 0)
    if selector.get_key(client.wire).events != full:
        selector.modify(client.wire, full, client)


def _answered(client: _Client, wanted: Sequence[bytes]) -> bool:
    """Reads what came; whether the answer is whole. Raises AssertionError for a wrong one."""
    came = client.wire.recv(1 << 16)
    assert came, "the server hung up"
    client.answer += came
    head, end, body = client.answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    if len(body) < length:
        return False
    assert head.startswith(b"HTTP/1.1 200") and all(one in body for one in wanted), client.answer[:400]
    return True
