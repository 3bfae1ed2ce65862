"""The wire format: what is written and read, wherever it is cut."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import exceptions as redis

from pumpguard.store.transport.calls import ErrorReply
from pumpguard.store.transport.resp import NOTHING, BrokenReply, pack, reader

line = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
flat = st.one_of(
    st.none().map(lambda _: b"$-1\r\n"),
    st.none().map(lambda _: b"*-1\r\n"),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: b":%d\r\n" % n),
    st.binary(max_size=40).map(lambda data: b"$%d\r\n%b\r\n" % (len(data), data)),
    line.map(lambda text: b"+%b\r\n" % text.encode()),
    line.map(lambda text: b"-%b\r\n" % text.encode()),
)
replies = st.recursive(
    flat,
    lambda inner: st.lists(inner, max_size=4).map(
        lambda items: b"*%d\r\n" % len(items) + b"".join(items)
    ),
    max_leaves=12,
)


def read(chunks: list[bytes]) -> list[Any]:
    """All replies in these chunks; errors as their text, because exceptions are never equal."""
    replies, found = reader(), []
    for chunk in chunks:
        replies.feed(chunk)
        while (reply := replies.gets()) is not NOTHING:
            found.append(told(reply))
    return found


def told(reply: Any) -> Any:
    if isinstance(reply, list):
        return [told(item) for item in reply]
    return (type(reply.reply), str(reply)) if isinstance(reply, ErrorReply) else reply


def test_a_command_is_an_array_of_bulk_strings() -> None:
    """Numbers as Python writes them, texts in UTF-8."""
    assert pack(("SET", "clé", b"\x00", 1, 0.5)) == (
        b"*5\r\n$3\r\nSET\r\n$4\r\ncl\xc3\xa9\r\n$1\r\n\x00\r\n$1\r\n1\r\n$3\r\n0.5\r\n"
    )


@given(st.lists(replies, max_size=4), st.lists(st.integers(0, 200), max_size=5))
def test_replies_are_read_alike_wherever_they_are_cut(sent: list[bytes], cuts: list[int]) -> None:
    """Chunks end anywhere, also between CR and LF."""
    data = b"".join(sent)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    chunks = [data[a:b] for a, b in pairwise(places)]
    expected = read([data])
    assert len(expected) == len(sent)
    assert read(chunks) == expected


@pytest.mark.parametrize("word", [None, [], object()])
def test_only_words_can_be_sent(word: Any) -> None:
    """Anything else is a mistake in the caller's code, and is found before it is sent."""
    with pytest.raises(TypeError):
        pack(("GET", word))


@pytest.mark.parametrize(
    "garbage", [b"x", b"\r\n", b":x\r\n", b"$x\r\n", b"*x\r\n", b"*1\r\n!\r\n"]
)
def test_what_is_no_reply_is_noticed(garbage: bytes) -> None:
    """At the first byte that cannot be one."""
    replies = reader()
    replies.feed(garbage)
    with pytest.raises(BrokenReply):
        replies.gets()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("NOSCRIPT No matching script.", redis.NoScriptError),
        ("READONLY You can't write", redis.ReadOnlyError),
        ("MOVED 3999 127.0.0.1:6381", redis.MovedError),
        ("ASK 3999 ::1:6381", redis.AskError),
        ("TRYAGAIN Multiple keys", redis.TryAgainError),
        ("LOADING Redis is loading", redis.BusyLoadingError),
        ("CLUSTERDOWN Hash slot not served", redis.ClusterDownError),
        ("MASTERDOWN Link with MASTER is down", redis.MasterDownError),
        ("CROSSSLOT Keys in request", redis.ClusterCrossSlotError),
        ("OOM command not allowed", redis.OutOfMemoryError),
        ("NOAUTH Authentication required.", redis.AuthenticationError),
        ("WRONGPASS invalid", redis.AuthenticationError),
        ("NOPERM no permissions", redis.NoPermissionError),
        ("MISCONF Errors writing", redis.ResponseError),
        ("MOVED nowhere", redis.ResponseError),
        ("ERR unknown", redis.ResponseError),
        ("", redis.ResponseError),
    ],
)
def test_error_replies_have_the_types_of_redis_py(said: str, kind: type) -> None:
    """So that whoever knows redis-py knows them."""
    fault = ErrorReply.of(said)
    assert type(fault.reply) is kind
    assert str(fault) == said


def test_a_redirection_says_where_to() -> None:
    """Also to an IPv6 address, and to no host, which means the same."""
    for said, place in (("h:7", ("h", 7)), ("::1:8", ("::1", 8)), (":9", ("", 9))):
        reply = ErrorReply.of(f"MOVED 1 {said}").reply
        assert isinstance(reply, redis.MovedError)
        assert (reply.host, reply.port) == place


def test_a_long_complaint_is_cut() -> None:
    """What servers repeat of a command does not fill the logs."""
    assert len(str(ErrorReply.of("ERR " + "x" * 10_000))) == 200
