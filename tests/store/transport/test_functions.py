"""Scripts that a server keeps as functions: loaded once, not waited for, not needed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from hashlib import sha1

import pytest

from pumpguard.store.scripts import Call, Script
from pumpguard.store.transport import functions
from pumpguard.store.transport.calls import ErrorReply
from pumpguard.store.transport.functions import TRIES, name
from pumpguard.store.transport.link import Link
from tests.conftest import SERVERS
from tests.store.transport.fleet import Server, version
from tests.store.transport.linking import MakeLink
from tests.store.transport.stand_ins import fake

BODY = "return {redis.call('INCR', KEYS[1]), ARGV[1]}"
KEPT = f"local before = 0 return function() before = before + 1 {BODY} end"
KEEPS = Script(sha1(BODY.encode()).hexdigest(), BODY, KEPT)

RECENT = {
    which: program for which, program in SERVERS.items() if program is None or version(program) >= 7
}
BEFORE = {which: program for which, program in SERVERS.items() if which not in RECENT}


@pytest.fixture(params=RECENT)
def own(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of the test's own that knows functions."""
    with Server(program=RECENT[request.param]) as server:
        yield server


async def counted(link: Link, key: str, times: int = 1) -> list[int]:
    """One call after the other; each returns how many there were, and what it was told."""
    found = [await link.run(Call(KEEPS, [key], ["said"])) for _ in range(times)]
    assert all(said == b"said" for _, said in found)
    return [count for count, _ in found]


def calls(server: Server) -> dict[str, int]:
    """How often the server was asked for what concerns scripts."""
    stats = server.ask("INFO", "commandstats")
    names = {"evalsha", "eval", "fcall", "function|load"}
    found = {each.removeprefix("cmdstat_"): row["calls"] for each, row in stats.items()}
    return {each: found[each] for each in sorted(names & set(found))}


async def as_function(link: Link, server: Server, key: str) -> None:
    """Call until the server has been asked for a function; then begin to count what it is asked."""
    async with asyncio.timeout(20):
        while "fcall" not in calls(server):
            await counted(link, key)
    server.ask("CONFIG", "RESETSTAT")


async def test_the_first_call_asks_for_it_and_does_not_wait(
    make_link: MakeLink, own: Server, name: str
) -> None:
    """It goes by the hash, as ever, and so do those that come before the server has answered."""
    link = make_link(own.url)
    assert await counted(link, name) == [1]
    assert {**calls(own), "function|load": 1} == {"eval": 1, "evalsha": 1, "function|load": 1}
    await as_function(link, own, name)
    assert len(await counted(link, name, 5)) == 5
    assert calls(own) == {"fcall": 5}


async def test_what_another_process_has_loaded_is_used(
    make_link: MakeLink, own: Server, name: str
) -> None:
    """A server has each text once, whoever brought it, and keeps it beside its data."""
    await as_function(make_link(own.url), own, name)
    await as_function(make_link(own.url), own, name)
    assert len(own.ask("FUNCTION", "LIST")) == 1


async def test_a_function_that_is_gone_costs_one_more_trip(
    make_link: MakeLink, own: Server, name: str
) -> None:
    """Every call counts once, and the next one asks for it again."""
    link = make_link(own.url)
    await as_function(link, own, name)
    own.ask("FUNCTION", "FLUSH")
    before = int(own.ask("GET", name))
    assert await counted(link, name) == [before + 1]
    assert calls(own) == {"eval": 1, "fcall": 1}
    own.ask("CONFIG", "RESETSTAT")
    await as_function(link, own, name)
    assert len(await counted(link, name, 5)) == 5
    assert calls(own) == {"fcall": 5}


async def test_a_crowd_of_first_calls_loads_it_once(
    make_link: MakeLink, own: Server, name: str
) -> None:
    """Those that the server answers by "no script" do not take the function away again."""
    link = make_link(own.url)
    await asyncio.gather(*(counted(link, name) for _ in range(64)))
    await as_function(link, own, name)
    await counted(link, name, 20)
    assert calls(own) == {"fcall": 20}


@pytest.mark.parametrize("right", ["function|load", "fcall"])
async def test_without_the_right_all_go_by_the_hash(
    make_link: MakeLink, own: Server, name: str, right: str
) -> None:
    """No call fails for that, and the server is asked once."""
    own.ask("ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all", f"-{right}")
    url = own.url.replace("://", "://app:pw@")
    assert await counted(make_link(url), name, 5) == [1, 2, 3, 4, 5]
    found = calls(own)
    assert found["evalsha"] + found["eval"] >= 5
    (refused,) = own.ask("ACL", "LOG")
    assert refused[refused.index(b"count") + 1] == 1


@pytest.mark.parametrize("program", BEFORE.values(), ids=list(BEFORE))
async def test_an_older_server_is_asked_once(
    make_link: MakeLink, name: str, program: str | None
) -> None:
    """Redis 6 has no functions."""
    with Server(program=program) as server:
        assert await counted(make_link(server.url), name, 5) == [1, 2, 3, 4, 5]
        assert calls(server) == {"eval": 1, "evalsha": 5}


async def test_what_fails_is_tried_again_later_and_not_for_ever(
    make_link: MakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some proxies hang up at commands that they do not know, and take a few calls with them."""
    monkeypatch.setattr(functions, "AGAIN_AFTER", 0.0)

    def answer(command: list[bytes]) -> bytes | None:
        return None if command[0] == b"FUNCTION" else b"*2\r\n:1\r\n$4\r\nsaid\r\n"

    async with fake(answer) as proxy:
        link = make_link(proxy.url)
        for _ in range(3 * TRIES):
            await asyncio.gather(counted(link, "k"), return_exceptions=True)
        assert proxy.verbs().count(b"FUNCTION") == TRIES + 1
        assert await counted(link, "k", 20) == [1] * 20


async def test_until_then_nobody_tries(make_link: MakeLink) -> None:
    """A server that loads its data, or is full, is not asked for more with each call."""

    def answer(command: list[bytes]) -> bytes | None:
        full = b"-OOM command not allowed when used memory > 'maxmemory'\r\n"
        return full if command[0] == b"FUNCTION" else b"*2\r\n:1\r\n$4\r\nsaid\r\n"

    async with fake(answer) as server:
        assert await counted(make_link(server.url), "k", 20) == [1] * 20
        assert server.verbs().count(b"FUNCTION") == 1


async def test_a_function_that_fails_is_no_reason_to_call_the_script(
    make_link: MakeLink, own: Server, name: str
) -> None:
    """It may have counted before it failed."""
    body = "redis.call('INCR', KEYS[1]) error('no')"
    script = Script(sha1(body.encode()).hexdigest(), body, f"return function() {body} end")
    link = make_link(own.url)
    for _ in range(3):
        with pytest.raises(ErrorReply):
            await link.run(Call(script, [name], []))
    assert own.ask("GET", name) == b"3"


def test_names_come_from_texts() -> None:
    """So two versions of pumpguard do not replace each other's."""
    assert name(KEEPS) == f"pumpguard_{KEEPS.sha}"
