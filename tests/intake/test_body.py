"""The body of a guarded request: read whole, within bounds, and then replayed once."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from pumpguard.errors import ClientGone, IntakeError
from pumpguard.intake.body import MAX_MESSAGES, Replay, read_body
from tests.asgi import DISCONNECT, arriving, scripted

LIMIT = 100
PATIENT = 60.0
TINY = 0.01


def chunk(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


@given(st.lists(st.binary(max_size=20), max_size=5))
@settings(deadline=None)
async def test_any_split_of_a_body_gives_the_same_bytes(chunks: list[bytes]) -> None:
    assert await read_body(arriving(*chunks), LIMIT, PATIENT) == b"".join(chunks)


async def test_a_message_may_leave_out_what_is_optional() -> None:
    """ASGI: ``body`` is empty and ``more_body`` is false unless they are said."""
    assert await read_body(scripted({"type": "http.request"}), LIMIT, PATIENT) == b""


async def test_a_body_may_be_exactly_as_long_as_the_limit() -> None:
    assert await read_body(arriving(b"x" * LIMIT), LIMIT, PATIENT) == b"x" * LIMIT
    assert await read_body(arriving(b"x" * 60, b"x" * 40), LIMIT, PATIENT) == b"x" * LIMIT


@pytest.mark.parametrize(
    "messages",
    [
        [chunk(b"x" * (LIMIT + 1), more=False)],
        [chunk(b"x" * LIMIT), chunk(b"x", more=False)],
        [chunk(b"x" * LIMIT), chunk(b"x")],  # and never an end
    ],
)
async def test_a_longer_body_is_413_as_soon_as_it_is_too_long(messages: list[Message]) -> None:
    with pytest.raises(IntakeError, match="413 body-too-large"):
        await read_body(scripted(*messages), LIMIT, PATIENT)


async def test_the_bytes_that_arrive_count_and_not_a_declared_length() -> None:
    """``read_body`` never sees headers: a Content-Length that lies is told nothing."""
    with pytest.raises(IntakeError, match="413"):
        await read_body(arriving(*[b"x"] * (LIMIT + 1)), LIMIT, PATIENT)


async def test_endless_empty_chunks_are_413() -> None:
    """A size limit alone would wait for ever on a body of no bytes."""
    with pytest.raises(IntakeError, match="413"):
        await read_body(scripted(*[chunk(b"")] * (MAX_MESSAGES + 1)), LIMIT, PATIENT)


async def test_a_body_may_come_in_as_many_messages_as_are_allowed() -> None:
    messages = [chunk(b"")] * (MAX_MESSAGES - 1) + [chunk(b"x", more=False)]
    assert await read_body(scripted(*messages), LIMIT, PATIENT) == b"x"


@pytest.mark.parametrize("messages", [[], [chunk(b"x")], [chunk(b"x"), chunk(b"y")]])
async def test_a_client_that_stalls_is_408(messages: list[Message]) -> None:
    """The deadline is for the whole body, whatever has come so far."""
    with pytest.raises(IntakeError, match="408 body-timeout"):
        await read_body(scripted(*messages), LIMIT, TINY)


async def test_a_client_that_never_pauses_is_408_too() -> None:
    """A byte now and then resets idle timers; this is none."""

    async def receive() -> Message:
        await asyncio.sleep(0)
        return chunk(b"")

    with pytest.raises(IntakeError, match=r"^(408|413)"):
        await read_body(receive, LIMIT, TINY)


@pytest.mark.parametrize("messages", [[DISCONNECT], [chunk(b"x"), DISCONNECT]])
async def test_a_client_that_hangs_up_is_gone(messages: list[Message]) -> None:
    with pytest.raises(ClientGone):
        await read_body(scripted(*messages), LIMIT, PATIENT)


async def test_the_replay_hands_the_body_out_once_and_then_what_follows_it() -> None:
    replay = Replay(b"body", scripted(DISCONNECT))
    assert await replay() == {"type": "http.request", "body": b"body", "more_body": False}
    assert await replay() == DISCONNECT


async def test_the_replay_waits_for_the_client_as_the_server_does() -> None:
    """An app that listens for the end of the connection must not be told of it too early."""
    replay = Replay(b"", scripted())
    await replay()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(TINY):
            await replay()
