"""``pumpguard serve``: the guard as an HTTP service, for programs in any language."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from starlette.routing import BaseRoute

from pumpguard.challenges.base import Elsewhere
from pumpguard.commands import BAD_INPUT, PolicyFile, StoreUrl, stop, warn
from pumpguard.errors import PolicyError, StoreError
from pumpguard.external import LOOPBACK
from pumpguard.guard import Guard
from pumpguard.ops.events import Events, Stream
from pumpguard.ops.fleet import Fleet
from pumpguard.ops.metrics import FirewallMetrics
from pumpguard.policy import Policy


def serve(
    policy: PolicyFile,
    store: StoreUrl,
    tokens: Annotated[
        Path,
        typer.Option(
            envvar="PUMPGUARD_TOKENS",
            help="A file of bearer tokens, one a line: at least 24 random characters.",
        ),
    ],
    host: Annotated[str, typer.Option(help="Where to listen; this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port.")] = 8322,
    deadline: Annotated[float, typer.Option(help="Seconds after which a request gets a 503.")] = 1,
    drain: Annotated[
        float, typer.Option(min=0, help="Seconds after SIGTERM in which it goes on answering.")
    ] = 0,
    proof: Annotated[
        bool,
        typer.Option("--proof", help="Its clients pose challenges; else nobody is asked."),
    ] = False,
    hooks: Annotated[
        Path | None,
        typer.Option(help="A file of identity servers whose codes it sends (docs/hooks.md)."),
    ] = None,
    https: Annotated[bool, typer.Option("--https", help="HTTPS is in front of it.")] = False,
) -> None:
    """Serve decisions over HTTP: POST /v1/assess, /v1/verified, /v1/settle, /v1/explain.

    GET /openapi.json describes all of it. One process serves one core: start several on one store.
    """
    if host not in LOOPBACK and not https:
        warn("Tokens and numbers travel unencrypted: put HTTPS in front of it, and say --https.")
    reading = tokens
    try:
        from pumpguard.serve import BearerTokens, Service
        from pumpguard.serve.server import Server

        known = BearerTokens(tokens)
        metrics, reading = FirewallMetrics(), policy
        challenge = Elsewhere() if proof else None
        guard = Guard(
            Policy.from_toml(policy), store, challenge=challenge, on_decision=metrics.record
        )
        Fleet(guard)
        with suppress(StoreError):  # memory has no stream, and nobody else to read it
            Events(guard, Stream(guard))
        routes: tuple[BaseRoute, ...] = ()
        if hooks is not None:
            from pumpguard.serve.hooks.settings import hooks_of

            reading = hooks
            routes = hooks_of(hooks, guard)
        service = Service(guard, known, metrics=metrics, deadline=deadline, routes=routes)
    except PolicyError as error:
        stop(f"{reading}: {error}", BAD_INPUT)
    except ModuleNotFoundError as error:
        if error.name != "uvicorn":
            raise
        stop("the service needs uvicorn: pip install 'pumpguard[cli,serve]'", BAD_INPUT)
    Server(service, host, port, drain).run()
