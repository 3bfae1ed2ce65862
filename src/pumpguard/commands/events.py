"""``pumpguard tail`` and ``pumpguard why``: events as they come, and one of them explained."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from pumpguard.commands import (
    AsJson,
    Author,
    PolicyFile,
    StoreUrl,
    author_or_user,
    finished,
    seconds_of,
    shared_store,
    with_overrides,
)
from pumpguard.ops.events.fields import Event
from pumpguard.ops.events.reading import FileSource, Source, StreamSource, Wanted, last, refusal
from pumpguard.ops.events.words import NOT_LIFTED, explained, line
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.document import OverrideDocument
from pumpguard.policy import Policy

T = TypeVar("T")

FromFile = Annotated[
    Path | None, typer.Option("--file", exists=True, dir_okay=False, help="Lines of events.")
]


def tail(
    policy: PolicyFile,
    store: StoreUrl,
    file: FromFile = None,
    action: Annotated[
        str | None, typer.Option(help="Such as block, verified, posture or SEND_SPIKE.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Of the number (ISO code).")] = None,
    rule: Annotated[str | None, typer.Option(help="One that has found something.")] = None,
    count: Annotated[
        int, typer.Option("--last", "-n", min=0, help="How many, before new ones.")
    ] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for new ones.")] = False,
    json_wanted: AsJson = False,
) -> None:
    """Show the last events of the fleet, and with -f those that come.

    They are read from the stream in the store, where `Events(guard, Stream(guard))` writes them, or
    from a file. With --json each is a line as it was written.
    """
    wanted = Wanted(action, country and country.upper(), rule)
    shown = (lambda event: json.dumps(event, ensure_ascii=False)) if json_wanted else line

    async def work(source: Source) -> None:
        for event in reversed(await last(source, wanted, count)):
            typer.echo(shown(event))
        if follow:
            async for event in source.following():
                if wanted(event):
                    typer.echo(shown(event))

    try:
        _read(policy, store, file, work)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def why(
    policy: PolicyFile,
    store: StoreUrl,
    reference: Annotated[str, typer.Argument(help="As the refusal said it: 7Q3K-9XDM.")],
    file: FromFile = None,
    lift: Annotated[bool, typer.Option("--lift", help="Allow the number for a while.")] = False,
    lasting: Annotated[str, typer.Option("--for", help="How long: 30m, 1h, 7d.")] = "1h",
    author: Author = None,
    json_wanted: AsJson = False,
) -> None:
    """Explain a refusal by its reference, and lift what stands in its number's way.

    --lift puts the number on the allow list, for an hour unless --for says otherwise: then nothing
    refuses it but the posture closed and spent budgets. The number is not known, only its hash.
    """
    event = _read(policy, store, file, lambda source: refusal(source, reference))
    spelt = event["event"]["reference"]
    if lift:
        _lift(policy, store, event, lasting, author_or_user(author))
    if json_wanted:
        typer.echo(json.dumps(event, ensure_ascii=False))
        return
    for text in explained(event):
        typer.echo(text)
    codes = {each["code"] for each in event["pumpguard"].get("findings", ())}
    if lift:
        typer.echo(f"lifted: this number is allowed for {lasting}")
        for code in sorted(codes.intersection(NOT_LIFTED)):
            typer.echo(f"but {code} is not lifted by that")
    else:
        typer.echo(f"lift it for an hour: pumpguard why {spelt} --lift")


def _lift(policy: Path, store: str, event: Event, lasting: str, author: str) -> None:
    number, reference = event["pumpguard"]["number"]["hash"], event["event"]["reference"]

    async def allow(admin: OverrideAdmin, _: Policy) -> OverrideDocument:
        return await admin.allow(
            "number", f"#{number}", author=author, reason=f"reference {reference}",
            seconds=seconds_of(lasting),
        )  # fmt: skip

    with_overrides(policy, store, allow)


def _read(policy: Path, store: str, file: Path | None, work: Callable[[Source], Awaitable[T]]) -> T:
    async def run(loaded: Policy) -> T:
        if file is not None:
            return await work(FileSource(file))
        opened = shared_store(loaded, store)
        try:
            return await work(StreamSource(opened.stream))
        finally:
            await opened.aclose()

    return finished(policy, run, "its events are not known")
