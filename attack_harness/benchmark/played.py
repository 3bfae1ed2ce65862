"""Plays one cell and measures it."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Sequence

from pumpguard.money.prices import PriceTable

from ..actors import Call, Exchange, Json, Log
from ..books import Message, read_ledger, repriced
from ..clock import DAY, HOUR, MIDNIGHT
from ..figures import Table
from ..run import play
from ..targets import Target
from .cells import Cell, Setting
from .code import digest
from .day import Day
from .defences import knows_prices
from .loss import before_refusal, spend_entry
from .people import people_entry
from .profit import profit_entry
from .stage import stage


async def run_cell(cell: Cell, setting: Setting, position: int = 0) -> Table:
    """Play one cell; returns its result, ready to be written."""
    (result,) = await run_cells((cell,), setting, position)
    return result


async def run_cells(cells: Sequence[Cell], setting: Setting, position: int = 0) -> list[Table]:
    """Play the first of some cells that differ by their prices alone, and change nothing by them;
    returns the results of all."""
    began = time.perf_counter()
    day = Day(cells[0], setting)
    gc.collect()  # a full collection in the middle of a play would be measured as the defence's
    gc.freeze()
    async with stage(cells[0], setting, position, day.budget, day.announced) as target:
        before = await _accounts(target, MIDNIGHT)
        log = await play(day.reached(target), day.everybody())
        close = day.ends + DAY + HOUR
        ledger = await read_ledger(target, close, before.messages)
        after = await _accounts(target, close)
    gc.unfreeze()
    after.must_have_paid_for(ledger, before)
    ledgers = [ledger, *(repriced(ledger, PriceTable.load(c.prices)) for c in cells[1:])]
    alerts = after.alerts - before.alerts
    common = {
        "users": people_entry(day.outcomes, day.attacked, day.when, day.about),
        "refusals_by_rule": dict(after.rules - before.rules),
        "alerts": dict(alerts),
        "false_alerts": day.crowd.false_alerts(alerts) / day.crowd.days if day.crowd else None,
        "calls": log.calls,
        "code": digest(knows_prices(cells[0].defence)),
    }
    attacks = [_attack(day, log, each) for each in ledgers]
    seconds = round((time.perf_counter() - began) / len(cells), 3)
    return [{**attack, **common, "wall_seconds": seconds} for attack in attacks]


class Accounts:
    """What an app says of itself at one time."""

    def __init__(self, bill: Table, traffic: Json) -> None:
        self.messages = int(bill["messages_sent"])
        self.dollars = float(bill["total_spent"])
        self.rules, self.alerts = (
            Counter({str(name): int(times) for name, times in (traffic.get(key) or {}).items()})
            for key in ("by_rule", "alerts")
        )

    def must_have_paid_for(self, ledger: Sequence[Message], before: Accounts) -> None:
        """Refuse a ledger that is not what the customer paid for."""
        billed = self.dollars - before.dollars
        listed = sum(message.price for message in ledger)
        if abs(billed - listed) > 0.01:
            raise ValueError(f"the bill says ${billed:.2f}, the ledger adds up to ${listed:.2f}")


async def _accounts(target: Target, at: float) -> Accounts:
    bill = await target.call(Call("GET", "/otp/billing"), at)
    if bill.status != 200:
        raise ValueError(f"GET /otp/billing answered {bill.status}")
    traffic = await target.call(Call("GET", "/metrics/firewall"), at)
    return Accounts(dict(bill.json), traffic.json)


def _attack(day: Day, log: Log, ledger: Sequence[Message]) -> Table:
    """The attacker's part of the result; nothing on a day without one."""
    if day.attack is None:
        return {"attack": None}
    requests = [e for e in log.exchanges if e.side == day.attack.name]
    paid = asked_by(requests, ledger)
    return {
        "attack": {
            "title": day.attack.title,
            "parameters": day.parameters,
            "starts_seconds": day.attack.starts,
            "ends_seconds": round(day.attack.ends, 3),
            "numbers": len(day.attack.phones),
            "countries": list(day.attacked.countries),
            "is_block": day.attacked.is_block,
            **spend_entry(requests, paid),
            **profit_entry(day.attack, requests, paid),
            "before": before_refusal(requests, paid),
        },
        "recovery": day.visitors.recovery(),
        "covered": day.visitors.covered(),
    }


def asked_by(requests: Sequence[Exchange], ledger: Sequence[Message]) -> list[Message]:
    """The messages that these requests led to: number and moment are the same."""
    asked = {(request.phone, request.at) for request in requests}
    return [message for message in ledger if (message.phone, message.at) in asked]
