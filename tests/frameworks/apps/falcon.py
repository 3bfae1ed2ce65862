"""Falcon: its ASGI app, and resources."""

from __future__ import annotations

from typing import Any

from falcon.asgi import App, Request, Response

from pumpguard import PumpGuardMiddleware
from tests.frameworks.guarded import CORS_BEHIND, guard, send_sms


class Send:
    async def on_post(self, request: Request, response: Response) -> None:
        sent(await request.get_media(), response)


def sent(ask: Any, response: Response) -> None:
    response.status = 202
    response.media = {"to": ask["phone"], "note": ask["note"]}
    response.media |= send_sms(ask["phone"], ask["note"])


class Form:
    async def on_post(self, request: Request, response: Response) -> None:
        media = await request.get_media()
        if not isinstance(media, dict):  # multipart
            media = {part.name: await part.text async for part in media}
        sent(media, response)


class Stream:
    async def on_post(self, request: Request, response: Response) -> None:
        response.status = 202
        response.media = {"bytes": sum([len(chunk) async for chunk in request.stream])}


class Person:
    async def on_post(self, request: Request, response: Response, phone: str) -> None:
        response.status = 202
        response.media = {"to": phone, **send_sms(phone, "")}


class Fails:
    async def on_post(self, request: Request, response: Response) -> None:
        raise RuntimeError("a bug of this app")


class Verify:
    async def on_post(self, request: Request, response: Response) -> None:
        response.media = {"verified": (await request.get_media())["phone"]}


class Health:
    async def on_get(self, request: Request, response: Response) -> None:
        response.media = {"status": "well"}


falcon = App(cors_enable=CORS_BEHIND)
falcon.add_route("/otp/send", Send())
falcon.add_route("/api/otp/send", Send())
falcon.add_route("/otp/form", Form())
falcon.add_route("/otp/stream", Stream())
falcon.add_route("/people/{phone}/code", Person())
falcon.add_route("/otp/fails", Fails())
falcon.add_route("/otp/verify", Verify())
falcon.add_route("/health", Health())
app = PumpGuardMiddleware(falcon, guard=guard)
