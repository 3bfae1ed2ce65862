"""The app that everything is measured around: FastAPI, a JSON body, an answer of 202."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import ASGIApp

from ..kit.traffic import PATH, VERIFY
from . import Variant


class SendCode(BaseModel):
    """The body of a request for a code."""

    phone: str


async def send_code(body: SendCode) -> dict[str, str]:
    """Say that a code was sent, and send none."""
    return {"status": "sent"}


async def verify_code(body: SendCode) -> dict[str, str]:
    """Say that the code was right."""
    return {"status": "verified"}


def make_app(endpoint: Callable[..., Any] = send_code, dependencies: Sequence[Any] = ()) -> FastAPI:
    """The app, with a peer's wrapped endpoint or dependencies where it has such."""
    app = FastAPI(openapi_url=None)
    app.post(PATH, status_code=202, dependencies=list(dependencies))(endpoint)
    app.post(VERIFY)(verify_code)
    return app


async def build(url: str, stack: AsyncExitStack, amount: int) -> ASGIApp:
    """The bare app."""
    return make_app()


BARE = Variant("bare", "bare FastAPI", "bare", 0, build, note="validates the body, answers 202")
