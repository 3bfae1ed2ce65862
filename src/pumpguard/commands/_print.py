"""Overrides printed for people, or as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import typer
from rich.console import Console

from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.posture import EVERYWHERE, Posture, PostureOverride


def print_overrides(
    overrides: OverrideDocument,
    json_wanted: bool,
    print_some: Callable[[OverrideDocument], None],
) -> None:
    """Print all overrides as JSON, or with ``print_some`` those that a command is about."""
    if json_wanted:
        typer.echo(json.dumps(overrides.to_json(time.time()), indent=2))
    else:
        print_some(overrides)


def print_postures(overrides: OverrideDocument) -> None:
    """Print the fleet's posture, and those of countries that have their own."""
    now = time.time()
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"posture: {overrides.fleet(now)}{_reason(overrides, now)}")
    for country, override in sorted(overrides.postures.items()):
        if country != EVERYWHERE and override.in_force(now) is not None:
            console.print(f"{country}: {overrides.posture(country, now)}{_by_whom(override)}")


def print_listings(overrides: OverrideDocument) -> None:
    """Print both lists, a line for each entry."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for each in sorted(overrides.listings, key=lambda each: (each.verdict, each.kind, each.shown)):
        how = " (spends freely)" if each.spends_freely else ""
        end = "" if each.until is None else f", until {_time(each.until)}"
        reason = f": {each.reason}" if each.reason else ""
        by = f"by {each.author} at {_time(each.at)}"
        console.print(f"{each.verdict} {each.kind} {each.shown}{how}, {by}{end}{reason}")
    if not overrides.listings:
        console.print("Nobody is on a list.")


def _reason(overrides: OverrideDocument, now: float) -> str:
    override = overrides.postures.get(EVERYWHERE)
    if override is not None and (overrides.set_by_person(now) or overrides.step is None):
        return (
            _by_whom(override)
            if override.until is None or now < override.until
            else _ended(override)
        )
    if overrides.step is not None and overrides.fleet(now) is not Posture.NORMAL:
        step = overrides.step
        return f", by the ladder after {step.code} at {_time(step.heard)}, steps down when calm"
    return ""


def _by_whom(override: PostureOverride) -> str:
    reason = f": {override.reason}" if override.reason else ""
    end = "" if override.until is None else f", until {_time(override.until)}, then {override.then}"
    return f", by {override.author} at {_time(override.at)}{end}{reason}"


def _ended(override: PostureOverride) -> str:
    return (
        f", since {override.posture} by {override.author} has ended at {_time(override.until or 0)}"
    )


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
