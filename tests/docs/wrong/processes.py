"""Stores, secrets and processes: what is said of what stands behind a guard."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Litestar, post
from litestar.middleware import DefineMiddleware

from pumpguard import Guard, PumpGuardMiddleware
from pumpguard.intake.network import UnknownNetworks
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.full_cache import FullCache
from pumpguard.store.redis import RedisStore
from tests.docs.wrong.app import App
from tests.docs.wrong.stage import PATIENCE, Request, Stage, Traffic, WrongSetup
from tests.store.transport.fleet import Server, free_ports
from tests.store.transport.stand_ins import fake

SECRET = "s" * 32


def made(
    setup: str,
    says: str,
    store: str,
    group: str = "workers and loops",
    processes: str = "",
    **settings: Any,
) -> WrongSetup:
    """A set-up that is said as soon as it is made; ``processes`` is what the server was told."""

    async def begin(stage: Stage) -> Request:
        if processes:
            stage.environment("WEB_CONCURRENCY", processes)
        policy = stage.Policy(send="/otp/send", **settings)
        url = where(stage, store)
        behind = PumpGuardMiddleware(App().app, policy, url, networks=UnknownNetworks())
        stage.guards.append(behind.guard)
        return Traffic(behind)

    return WrongSetup(group, setup, says, begin)


def where(stage: Stage, store: str) -> str:
    """A URL; of a real server, where it is Redis."""
    return stage.stack.enter_context(EmbeddedServer()).url if store == "redis://" else store


def server(says: str, setup: str, break_it: Any, **settings: Any) -> WrongSetup:
    """A real server that is not as it should be."""

    async def begin(stage: Stage) -> Request:
        url = await break_it(stage)
        policy = stage.Policy(send="/otp/send", secret=SECRET, **settings)
        return Traffic(stage.guarded(App().app, policy, at(stage, url)))

    return WrongSetup("stores", setup, says, begin, background=says != "PG010")


def at(stage: Stage, url: str) -> FullCache:
    """What `open_store` makes of the URL, with a simulated time."""
    store = RedisStore(url, name=stage.policy_name, secret=SECRET, checkup=True)
    return FullCache(store, stage.clock)


async def nobody(stage: Stage) -> str:
    return f"redis://127.0.0.1:{free_ports(1)[0]}"


async def evicting(stage: Stage) -> str:
    return stage.stack.enter_context(Server("--maxmemory-policy", "allkeys-lru")).url


async def locked(stage: Stage) -> str:
    found = stage.stack.enter_context(Server())
    found.ask("ACL", "SETUSER", "app", "on", ">right", "~*", "+@all")
    return found.url.replace("redis://", "redis://app:wrong@")


async def replica(stage: Stage) -> str:
    found = stage.stack.enter_context(Server())
    found.ask("REPLICAOF", "127.0.0.1", "1")
    return found.url


async def no_such_database(stage: Stage) -> str:
    return f"{stage.stack.enter_context(Server()).url}/99"


async def poor_rights(stage: Stage) -> str:
    found = stage.stack.enter_context(Server())
    found.ask("ACL", "SETUSER", "app", "on", ">pw", "~*", "+@read")
    return found.url.replace("redis://", "redis://app:pw@")


async def old(stage: Stage) -> str:
    info = b"# Server\r\nredis_version:5.0.14\r\n"
    reply = b"$%d\r\n%s\r\n" % (len(info), info)
    found = await stage.stack.enter_async_context(
        fake(lambda command: reply if command[0] == b"INFO" else b"+OK\r\n")
    )
    return found.url


def two(setup: str, **second: Any) -> WrongSetup:
    """Two processes' guards of one name over one server; the second says what it finds."""

    async def begin(stage: Stage) -> Request:
        url = stage.stack.enter_context(EmbeddedServer()).url
        first = stage.Policy(send="/otp/send", secret=SECRET)
        other = stage.Policy(**{"send": "/otp/send", "secret": SECRET, **second})
        one = stage.guarded(App().app, first, url)
        await Traffic(one)(0)
        stage.lines.clear()  # that was said in the other process
        behind = stage.guarded(App(str(other.send)).app, other, url)
        other_one = Guard(other, url, clock=stage.clock, networks=UnknownNetworks())
        stage.guards.insert(0, other_one)
        async with asyncio.timeout(PATIENCE):
            while not await other_one.check():  # noqa: ASYNC110 - a server has no event
                await asyncio.sleep(0.01)
        return Traffic(behind, path=str(other.send))

    return WrongSetup("secrets", setup, "PG008", begin, background=True)


async def twice(stage: Stage) -> Request:
    """The middleware is added twice, each with a guard of its own."""
    policy = stage.Policy(send="/otp/send")
    return Traffic(stage.guarded(stage.guarded(App().app, policy), policy))


async def around_itself(stage: Stage) -> Request:
    """The middleware is added twice, with one guard."""
    inner = stage.guarded(App().app, stage.Policy(send="/otp/send"))
    return Traffic(PumpGuardMiddleware(inner, guard=inner.guard))


async def litestar(stage: Stage) -> Request:
    """Litestar builds the middleware anew for every route."""

    @post("/otp/send")
    async def send() -> dict[str, str]:
        return {"status": "sent"}

    @post("/otp/verify")
    async def verify() -> dict[str, str]:
        return {"status": "ok"}

    policy = stage.Policy(send="/otp/send")
    guarded: Any = PumpGuardMiddleware
    defined = DefineMiddleware(
        guarded, policy=policy, store="memory://", clock=stage.clock,
        networks=UnknownNetworks(),
    )  # fmt: skip
    quiet: dict[str, Any] = {"openapi_config": None, "logging_config": None}
    app: Any = Litestar([send, verify], middleware=[defined], **quiet)
    return Traffic(app)


PROCESSES: list[WrongSetup] = [
    made('`store="memory://"`; `WEB_CONCURRENCY=4`', "PG005", "memory://", processes="4"),
    made('`Policy(send="/otp/send", workers=4)`; `store="memory://"`', "PG005", "memory://",
         workers=4),
    made('`Policy(send="/otp/send")`, without `workers`; `WEB_CONCURRENCY=4`', "PG007", "redis://",
         processes="4", secret=SECRET),
    WrongSetup("workers and loops", "`add_middleware(PumpGuardMiddleware, policy=policy)` twice",
               "PG078", twice),
    WrongSetup("workers and loops", "`add_middleware(PumpGuardMiddleware, guard=guard)` twice",
               "PG068", around_itself),
    WrongSetup("workers and loops", "Litestar: `DefineMiddleware(PumpGuardMiddleware, "
               "policy=policy)`", "PG078", litestar),
    server("PG017", "`redis://…`, where no server is", nobody),
    server("PG010", "`redis://…`, where no server is", nobody),
    server("PG012", "a server with `maxmemory-policy allkeys-lru`", evicting),
    server("PG014", "a wrong password", locked),
    server("PG016", "a replica", replica),
    server("PG016", "`redis://…/99`, a database that is not there", no_such_database),
    server("PG013", "a user with `+@read` alone", poor_rights),
    server("PG015", "Redis 5", old),
    made("`store=\"redis://…\"`, without `secret`", "PG006", "redis://", "secrets"),
    two("`secret=secrets.token_hex()`, another in each process", secret="t" * 32),
    two('another app: `Policy(send="/sms")`, without a `name` of its own', send="/sms"),
]  # fmt: skip
