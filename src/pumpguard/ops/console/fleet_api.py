"""The JSON API of the fleet: its sums, stories, bans and rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from starlette.requests import Request

from pumpguard.ops.console.forms import change_from, read_json
from pumpguard.ops.fleet.desk import Desk
from pumpguard.ops.fleet.summary import story_json, summary
from pumpguard.ops.fleet.today import rules_today
from pumpguard.ops.masking import masked_text

Call = Callable[[Request], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """A number, an address, or both."""

    number: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """A ban to lift, by its id."""

    id: str
    author: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """A rule that only monitors for so many seconds; without them, that ends."""

    rule: str
    author: str
    seconds: float | None = None
    reason: str = ""


class FleetApi:
    """The calls under ``api/`` about the fleet."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def calls(self) -> Iterator[tuple[str, str, Call]]:
        """Method, path and work of each."""
        yield "GET", "fleet", self._fleet
        yield "GET", "bans", self._bans
        yield "POST", "bans/lift", self._lift
        yield "GET", "rules", self._rules
        yield "POST", "rules", self._monitor
        yield "POST", "story", self._story
        yield "GET", "orders", self._orders

    async def _fleet(self, request: Request) -> Any:
        return summary(await self._desk.reader.look())

    async def _bans(self, request: Request) -> Any:
        return [asdict(each) for each in await self._desk.bans()]

    async def _lift(self, request: Request) -> Any:
        lift = change_from(Lift, await read_json(request))
        found = await self._desk.lift(lift.id, author=lift.author, reason=lift.reason)
        return {"lifted": None if found is None else asdict(found)}

    async def _rules(self, request: Request) -> Any:
        return [each.to_json() for each in await rules_today(self._desk)]

    async def _monitor(self, request: Request) -> Any:
        order = change_from(Monitor, await read_json(request))
        who = {"author": order.author, "reason": order.reason}
        if order.seconds is None:
            await self._desk.enforce(order.rule, **who)
        else:
            await self._desk.monitor(order.rule, order.seconds, **who)
        return await self._rules(request)

    async def _story(self, request: Request) -> Any:
        """By POST: numbers and addresses stand in no URL, which logs keep."""
        whom = change_from(Whom, await read_json(request))
        return story_json(await self._desk.story(whom.number, whom.address))

    async def _orders(self, request: Request) -> Any:
        document = await self._desk.guard.overrides.show()
        told = [asdict(each) for each in document.orders]
        return [{**each, "reason": masked_text(each["reason"])} for each in told]
