"""``pumpguard check policy.toml``: what to mend, and what such a policy was worth when played."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence, Set
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.request import urlopen

import typer

from pumpguard.commands import BAD_INPUT, AsJson, shared_store, stop
from pumpguard.commands.exposure import total, while_expected
from pumpguard.errors import OverrideError, PolicyError
from pumpguard.money.exposure import exposure as exposure_of
from pumpguard.ops.check import LIFTED, NOTES, concerns, nothing_heard, standing
from pumpguard.ops.markets import Market, markets
from pumpguard.ops.openapi import route_concerns
from pumpguard.ops.played import document, nearest, not_enforced, parts_of, rows, told
from pumpguard.outcomes.telling import heard_by
from pumpguard.overrides.document import OverrideDocument
from pumpguard.policy import Policy
from pumpguard.store.health import Concern
from pumpguard.store.health import check as store_concerns

TO_MEND = 2
"""The exit code where something is to be mended."""

NOT_PLAYED = (
    "What such a policy is worth is not known: only those that enforce the whole default chain "
    "were played."
)

DOCUMENTS = ("/openapi.json", "/schema/openapi.json", "/schema/")
"""Where FastAPI, Litestar and drf-spectacular put it."""

SECONDS, MOST = 5.0, 20_000_000
"""What bounds its reading: so long, and so many bytes."""


def check(
    policy: Annotated[Path, typer.Argument(help="The policy, a TOML file.")],
    store: Annotated[
        str | None,
        typer.Option(envvar="PUMPGUARD_REDIS_URL", help="Check this store, too: rights, eviction…"),
    ] = None,
    challenge: Annotated[
        bool, typer.Option("--challenge", help="The app passes challenge= to the middleware.")
    ] = False,
    openapi: Annotated[
        str | None,
        typer.Option(help="The running app's OpenAPI document: its URL, the app's, or a file."),
    ] = None,
    json_wanted: AsJson = False,
) -> None:
    """What to mend about a policy, its store and its routes in the running app, and what such a
    policy was worth when played.

    Ends with 0 if there is nothing to mend, with 1 if the policy or the app's document cannot be
    used, and with 2 if something is to be mended (notes aside). The codes are those of the log
    (docs/operations.md).
    """
    try:
        loaded = Policy.from_toml(policy)
        found = exposure_of(loaded)
        there, grown, expected = _of_store(loaded, store) if store else ([], [], {})
    except (PolicyError, OverrideError) as error:
        stop(f"{policy}: {error}", BAD_INPUT)
    routes = _of_app(loaded, openapi) if openapi else ()
    everything = (*there, *routes, *concerns(loaded, found, has_challenge=challenge))
    parts = parts_of(loaded, has_challenge=challenge)
    played = loaded.mode == "enforce" and not not_enforced(loaded)
    mend = [each for each in everything if each.code not in NOTES]
    if json_wanted:
        said = {
            "to_mend": [asdict(each) for each in mend],
            "notes": [asdict(each) for each in everything if each.code in NOTES],
            "markets": [asdict(each) for each in grown],
            "played": _row(parts) if played else None,
        }
        typer.echo(json.dumps(said, indent=2))
    else:
        _print(everything)
        if found.bounded:
            who = _who(loaded, lifted=any(each.code == LIFTED for each in there))
            typer.echo(f"{who} can make this policy spend at most {total(found)}.")
        if expected and found.bounded:
            meanwhile = exposure_of(loaded, expected=expected)
            typer.echo(f"More than usual is expected. {while_expected(meanwhile)}")
        for market in grown:
            typer.echo(f"market: {market}; if it is to stay, list it in home")
        for line in told(parts, rows()) if played else [NOT_PLAYED]:
            typer.echo(line)
    if mend:
        raise typer.Exit(TO_MEND)


def _who(policy: Policy, *, lifted: bool) -> str:
    """Who can spend it, and when: as `pumpguard exposure` says it."""
    if policy.mode == "monitor":
        return "NOT BOUNDED at the moment. With mode = 'enforce' an attacker"
    if lifted:
        return "NOT BOUNDED at the moment. Once that ends an attacker"
    return "An attacker"


def _row(parts: Set[str]) -> dict[str, Any]:
    """The row of a policy with these parts, and how it was made."""
    row = nearest(parts, rows())
    made = {name: value for name, value in document().items() if name != "rows"}
    return {**made, **asdict(row), "parts": sorted(row.parts)}


def _of_store(policy: Policy, url: str) -> tuple[list[Concern], list[Market], dict[str, float]]:
    """What is wrong with the store, as a guard over it would find, and else what is set in it, what
    it says of countries that are not home, and how many times the usual is expected where."""

    async def look() -> tuple[list[Concern], list[Market], dict[str, float]]:
        opened = shared_store(policy, url)
        try:
            if wrong := await store_concerns(opened):
                return [*wrong], [], {}
            document, now = OverrideDocument.parse(await opened.overrides.read()), time.time()
            found = [*standing(document, now)]
            if policy.verified and not await opened.recall(heard_by(policy.use)):
                found.append(nothing_heard())
            return found, await markets(policy, opened), document.expected(now)
        finally:
            await opened.aclose()

    return asyncio.run(look())


def _of_app(policy: Policy, where: str) -> tuple[Concern, ...]:
    """What does not fit between the policy and the app whose document this is."""
    try:
        return tuple(route_concerns(policy, _document(where)))
    except (OSError, ValueError) as error:
        stop(f"{where}: {error}", BAD_INPUT)


def _document(where: str) -> dict[str, Any]:
    """The document at this URL, at the places where frameworks have it below, or in this file.
    Raises `OSError` and `ValueError`."""
    if not where.startswith(("http://", "https://")):
        return _read(Path(where).read_bytes())
    base, wrong = where.rstrip("/"), OSError("it has no document")
    for url in (where, *(f"{base}{path}" for path in DOCUMENTS)):
        try:
            with urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - HTTP, see above
                return _read(answer.read(MOST))
        except (OSError, ValueError) as error:
            wrong = OSError(f"no OpenAPI document there, nor at {', '.join(DOCUMENTS)} ({error})")
    raise wrong


def _read(text: bytes) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict) or not ("openapi" in found or "swagger" in found):
        raise ValueError("no OpenAPI document in JSON")
    return found


def _print(everything: Sequence[Concern]) -> None:
    for each in sorted(everything, key=lambda each: each.code in NOTES):
        typer.echo(f"{'note' if each.code in NOTES else 'mend'}: {each}")
    if all(each.code in NOTES for each in everything):
        typer.echo("Nothing is to be mended.")
