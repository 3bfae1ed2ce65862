"""The example app on a real socket, and a real browser in front of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from examples.target_app.app import create_app
from examples.target_app.settings import Settings
from pumpguard import Guard, Policy
from tests.browser.chromium import PATIENT, Chromium, program

POLICY = """
send = "/otp/send"
verify = "/otp/verify"
home = ["GB"]
deadline = 10
name = "{name}"
"""


class Served:
    """The app at a URL, with a look at everybody's phone."""

    def __init__(self, settings: Settings) -> None:
        app = create_app(settings)
        config = uvicorn.Config(app, port=0, ws="none", log_level="warning", proxy_headers=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> Served:
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
            assert self._thread.is_alive()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    @property
    def url(self) -> str:
        """Where the page is."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://localhost:{port}/"

    def get(self, path: str) -> Any:
        """What the app says."""
        with urllib.request.urlopen(self.url + path, timeout=PATIENT) as reply:
            return json.load(reply)

    def post(self, phone: str, **headers: str) -> tuple[int, dict[str, Any]]:
        """Ask for a code as a program does."""
        headers = {"content-type": "application/json", **headers}
        body = json.dumps({"phone": phone}).encode()
        asking = urllib.request.Request(self.url + "otp/send", body, headers)
        try:
            with urllib.request.urlopen(asking, timeout=PATIENT) as reply:
                return reply.status, json.load(reply)
        except urllib.request.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def messages(self) -> list[dict[str, Any]]:
        """All that was sent to anybody."""
        sent: list[dict[str, Any]] = self.get("sim/messages")["messages"]
        return sent

    def code(self, phone: str) -> str:
        """The code in the last message to a number, which may have been delivered later."""
        later = {"X-Sim-Time": str(self.messages()[-1]["at"] + 60)}
        asking = urllib.request.Request(f"{self.url}sim/inbox/{phone}", headers=later)
        with urllib.request.urlopen(asking, timeout=PATIENT) as reply:
            found = re.search(r"\d{6}", json.load(reply)["messages"][-1]["text"])
        assert found is not None
        return found.group()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """Debian's; who has none skips these tests, but never in CI."""
    path = program()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI has to install chromium")
        pytest.skip("there is no Chromium on this machine")
    with Chromium(path) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Chromium) -> Chromium:
    """The browser, for one test."""
    chromium.call("Network.emulateNetworkConditions", offline=False, latency=0,
                  downloadThroughput=-1, uploadThroughput=-1)  # fmt: skip
    chromium.call("Emulation.setEmulatedMedia", features=[])
    return chromium


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str, name: str) -> Settings:
    """A policy of this test's own; simulated, because only there can one look at phones."""
    file = tmp_path / "policy.toml"
    file.write_text(POLICY.format(name=name))
    return Settings(policy_file=file, redis_url=valkey_url, simulated=True, loss=0)


@pytest.fixture
def app(settings: Settings) -> Iterator[Served]:
    """The app under its usual rules."""
    with Served(settings) as served:
        yield served


@pytest.fixture
def wary(settings: Settings, app: Served) -> Served:
    """The app while everybody is challenged, as an operator orders it in an emergency."""

    async def order() -> None:
        assert settings.policy_file
        policy = Policy.from_toml(settings.policy_file)
        async with Guard(policy, str(settings.redis_url)) as guard:
            await guard.overrides.posture("challenge_all", author="operator")

    asyncio.run(order())
    return app
