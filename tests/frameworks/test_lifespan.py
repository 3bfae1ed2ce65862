"""A server need not tell the app that it starts: the guard connects with its first request."""

from __future__ import annotations

import os

import pytest

from pumpguard.store.embedded import EmbeddedServer
from tests.frameworks.served import Served


@pytest.mark.parametrize("framework", ["fastapi", "starlette", "litestar", "quart", "falcon"])
def test_without_a_lifespan(framework: str, servers: dict[str, EmbeddedServer]) -> None:
    """These serve without one; BlackSheep and Sanic do not, with a guard or without."""
    command = ("-m", "tests.frameworks.serve", "{fd}", framework, "off")
    name = f"frameworks-{os.urandom(6).hex()}"
    phone = "+447400123456"
    with Served(command, STORE=servers["valkey"].url, POLICY_NAME=name) as app:
        assert [app.ask(phone).status_code for _ in range(3)] == [202, 202, 429]
        assert len(app.sent(phone)) == 2
