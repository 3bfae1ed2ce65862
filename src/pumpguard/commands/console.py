"""``pumpguard console``: the operator's page, beside the app instead of in it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import typer

from pumpguard.challenges.base import Elsewhere
from pumpguard.commands import BAD_INPUT, PolicyFile, StoreUrl, shared_store, stop, warn
from pumpguard.errors import PolicyError
from pumpguard.external import LOOPBACK
from pumpguard.guard import Guard
from pumpguard.policy import Policy

if TYPE_CHECKING:
    from pumpguard.store.redis import RedisStore

TOKEN = "PUMPGUARD_CONSOLE_TOKEN"  # noqa: S105 - where it is, not what it is


def console(
    policy: PolicyFile,
    store: StoreUrl,
    host: Annotated[str, typer.Option(help="Where to listen; this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port.")] = 8321,
    https: Annotated[
        bool, typer.Option("--https", help="Browsers reach it by HTTPS, through a proxy.")
    ] = False,
) -> None:
    """Serve the operator's page: postures, lists, and the most an attacker can cost.

    Whoever knows the token in PUMPGUARD_CONSOLE_TOKEN comes in: at least 24 random characters.
    Processes with `Fleet(guard)` or a console of their own tell it what they see.
    """
    if host not in LOOPBACK and not https:
        warn("The token travels unencrypted: put HTTPS in front of it, and say --https.")
    try:
        loaded = Policy.from_toml(policy)
        asyncio.run(_serve(loaded, shared_store(loaded, store), host, port, https))
    except PolicyError as error:
        stop(f"{TOKEN}: {error}" if error.path == "token" else f"{policy}: {error}", BAD_INPUT)
    except ModuleNotFoundError as error:
        if error.name not in ("jinja2", "uvicorn"):
            raise
        stop(f"the page needs {error.name}: pip install 'pumpguard[cli,console]'", BAD_INPUT)


async def _serve(policy: Policy, store: RedisStore, host: str, port: int, https: bool) -> None:
    import uvicorn

    from pumpguard.ops.console import Console

    async with Guard(policy, store, challenge=Elsewhere()) as guard:
        page = Console(
            guard,
            token=os.environ.get(TOKEN, ""),
            secure=True if https else None,
            judges_nothing=True,
        )
        config = uvicorn.Config(
            page, host=host, port=port, ws="none", proxy_headers=False, server_header=False
        )
        await uvicorn.Server(config).serve()
