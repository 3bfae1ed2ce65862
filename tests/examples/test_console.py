"""The operator's page of the example app."""

from __future__ import annotations

from examples.target_app.app import create_app
from examples.target_app.settings import Settings
from tests.examples.visitor import Visitor

TOKEN = "2b7e151628aed2a6abf7158809cf4f3c"


async def test_without_a_token_there_is_no_page() -> None:
    visitor = Visitor(create_app(Settings(redis_url="memory://", simulated=True)))
    assert (await visitor.call("GET", "/pumpguard/login")).status_code == 404


async def test_with_a_token_the_app_can_be_closed() -> None:
    """Over the same API as anywhere, while the app sends and the page counts."""
    settings = Settings(redis_url="memory://", simulated=True, loss=0, console_token=TOKEN)
    visitor = Visitor(create_app(settings))
    assert (await visitor.call("GET", "/pumpguard/login")).status_code == 200
    assert (await visitor.send()).status_code == 202
    headers = {"authorization": f"Bearer {TOKEN}"}
    order = {"posture": "closed", "author": "mike"}
    reply = await visitor.call("POST", "/pumpguard/api/posture", json=order, headers=headers)
    assert reply.json()["posture"] == "closed"
    assert (await visitor.send("+447400999999")).status_code == 429
