"""Somebody who uses the target app, at a time of their own."""

from __future__ import annotations

import re
from typing import Any

import httpx
from fastapi import FastAPI

NOON = 1_750_000_000.0
BRITISH = "+447400123456"
BANGLADESHI = "+8801712345678"
UNALLOCATED = "+441632960001"
"""In a range that Ofcom keeps free for television drama: the right length, but nobody's."""


class Visitor:
    """Calls the app over HTTP at ``self.now``, which only moves when a test moves it."""

    def __init__(self, app: FastAPI, *, simulated: bool = True) -> None:
        self.now = NOON
        self._simulated = simulated
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://target")

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {**request.pop("headers", {})}
        if self._simulated:
            headers.setdefault("X-Sim-Time", str(self.now))
        return await self._http.request(method, path, headers=headers, **request)

    async def get(self, path: str) -> Any:
        reply = await self.call("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def send(
        self, phone: str = BRITISH, *, address: str = "81.2.69.142", **headers: str
    ) -> httpx.Response:
        """Ask for a code, from a British home unless another address is given."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call(
            "POST",
            "/otp/send",
            json={"phone": phone},
            headers={"X-Forwarded-For": address, **named},
        )

    async def verify(self, code: str, phone: str = BRITISH) -> httpx.Response:
        return await self.call("POST", "/otp/verify", json={"phone": phone, "code": code})

    async def texts(self, phone: str = BRITISH) -> list[str]:
        inbox = await self.get(f"/sim/inbox/{phone}")
        return [message["text"] for message in inbox["messages"]]

    async def code(self, phone: str = BRITISH) -> str:
        """Wait for the text message and read the code in it."""
        self.now += 10
        found = re.search(r"\b\d{6}\b", (await self.texts(phone))[-1])
        assert found
        return found.group()


def another(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06}"
