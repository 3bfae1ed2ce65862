"""Orders as people read them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import typer
from rich.console import Console

from pumpguard.orders.document import Orders
from pumpguard.orders.posture import EVERYWHERE, Order, Posture
from pumpguard.orders.telling import as_json


def show(orders: Orders, json_wanted: bool, print_some: Callable[[Orders], None]) -> None:
    """As JSON, which is all of them, or what a command prints of them."""
    if json_wanted:
        typer.echo(json.dumps(as_json(orders, time.time()), indent=2))
    else:
        print_some(orders)


def print_postures(orders: Orders) -> None:
    """The posture of the fleet, and of the countries that have one of their own."""
    now = time.time()
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"posture: {orders.fleet(now)}{_because(orders, now)}")
    for country, order in sorted(orders.postures.items()):
        if country != EVERYWHERE and order.standing(now) is not None:
            console.print(f"{country}: {orders.posture(country, now)}{_given(order)}")


def print_listings(orders: Orders) -> None:
    """Who is allowed and who is denied, a line each."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for each in sorted(orders.listings, key=lambda each: (each.verdict, each.kind, each.shown)):
        how = " (spends freely)" if each.spends_freely else ""
        end = "" if each.until is None else f", until {_time(each.until)}"
        reason = f": {each.reason}" if each.reason else ""
        by = f"by {each.author} at {_time(each.at)}"
        console.print(f"{each.verdict} {each.kind} {each.shown}{how}, {by}{end}{reason}")
    if not orders.listings:
        console.print("Nobody is on a list.")


def _because(orders: Orders, now: float) -> str:
    order = orders.postures.get(EVERYWHERE)
    if order is not None and (orders.held(now) or orders.step is None):
        return _given(order) if order.until is None or now < order.until else _ended(order)
    if orders.step is not None and orders.fleet(now) is not Posture.NORMAL:
        step = orders.step
        return f", by the ladder after {step.code} at {_time(step.heard)}, steps down when calm"
    return ""


def _given(order: Order) -> str:
    reason = f": {order.reason}" if order.reason else ""
    end = "" if order.until is None else f", until {_time(order.until)}, then {order.then}"
    return f", by {order.author} at {_time(order.at)}{end}{reason}"


def _ended(order: Order) -> str:
    return f", since {order.posture} by {order.author} has ended at {_time(order.until or 0)}"


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
