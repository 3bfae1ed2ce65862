"""The hand-written floor: body, phone, country, one EVALSHA, and nothing else.

It is what a careful engineer would write for exactly this app: no errors are handled, nothing is
configured, nothing explained, a lost connection loses everything, and its two-bucket windows admit
too much at their edges. It says how cheap such a guard can be, and pumpguard is held against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib.resources import files

import iptocc
import orjson
import phonenumbers
from redis.asyncio import Redis
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .kit.traffic import PATH
from .kit.wire import Wire, connect
from .systems import Variant
from .systems.app import make_app

HOUR, DAY, WEEK = 3_600, 86_400, 604_800

CODES = {
    str(code): regions[0] for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
}


def script(amount: int) -> str:
    """The script with its eight limits: 2 per phone, 2 per address, 3 prefixes, 1 country."""
    spans = ((60, WEEK), (HOUR, DAY), (HOUR,), (HOUR,), (DAY,), (DAY,))
    subjects = [",".join(f"{{{amount},{span}}}" for span in each) for each in spans]
    windows = ",".join(f"{{{each}}}" for each in subjects)
    longest = ",".join(str(2_000 * max(each)) for each in spans)
    lua = files("benchmarks").joinpath("floor.lua").read_text("utf-8")
    return f"local WINDOWS = {{{windows}}}\nlocal LONGEST = {{{longest}}}\n{lua}"


class Floor:
    """The floor as ASGI middleware."""

    def __init__(self, app: ASGIApp, wire: Wire, sha: str) -> None:
        self.app = app
        self._wire = wire
        self._sha = sha

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, ask, pass on or refuse."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        message = await receive()
        keys = subjects(orjson.loads(message["body"])["phone"], scope["client"][0])
        if await self._wire.call("EVALSHA", self._sha, len(keys), *keys) != 1:
            await send({"type": "http.response.start", "status": 429, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return

        async def replay() -> Message:
            return message

        await self.app(scope, replay, send)


def subjects(phone: str, address: str) -> Sequence[str]:
    """The six keys of a request, from a number in E.164 and an address."""
    if not (phone[0] == "+" and phone[1:].isdigit() and 8 <= len(phone) <= 16):
        raise ValueError(phone)
    region = CODES.get(phone[1:2]) or CODES.get(phone[1:3]) or CODES[phone[1:4]]
    at_home = iptocc.country_code(address) == region
    return (
        f"f:p:{phone}", f"f:a:{address}", f"f:x:{phone[:-2]}", f"f:x:{phone[:-3]}",
        f"f:x:{phone[:-4]}", f"f:c:{region}:{at_home:d}",
    )  # fmt: skip


async def build(url: str, stack: AsyncExitStack, amount: int) -> ASGIApp:
    """The floor around the app."""
    loader = Redis.from_url(url)
    sha = await loader.script_load(script(amount))
    await loader.aclose()
    return Floor(make_app(), await connect(url, stack), sha)


FLOOR = Variant("floor", "hand-written floor", "floor", 8, build, __doc__.splitlines()[0])
