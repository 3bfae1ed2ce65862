"""A page from another origin asks for codes: its script can read what the guard answers.

CORS is answered by each framework's own means behind the guard; and in front of it by starlette's,
or as a proxy does it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pumpguard.store.embedded import EmbeddedServer
from tests.browser.chromium import Chromium
from tests.frameworks.served import Served
from tests.frameworks.table import SERVERS, WRITING, is_shown

ASK = """(async () => {{
    const reply = await fetch("{url}/otp/send", {{
        method: "POST",
        headers: {{"content-type": "application/json"}},
        body: JSON.stringify({{phone: "{phone}", note: "from a page"}}),
    }});
    const waits = reply.headers.get("retry-after");
    return {{status: reply.status, waits, body: await reply.json()}};
}})()"""


class Page(BaseHTTPRequestHandler):
    """A page without anything on it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>another origin</title>")

    def log_message(self, *args: object) -> None:
        return


@pytest.fixture
def origin() -> Iterator[str]:
    """Where that page is."""
    # In threads: a browser connects beforehand, and says nothing.
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def read_by(browser: Chromium, app: Served, origin: str) -> list[dict[str, Any]]:
    """What the page's script reads of a message, of a throttle, and of what asks for proof."""
    browser.open(origin)
    phones = ("+447400155001", "+447400155001", "+447400155001", "+33612345678", "no number")
    return [browser.js(ASK.format(url=app.url, phone=phone)) for phone in phones]


def holds(said: list[dict[str, Any]]) -> None:
    assert [each["status"] for each in said] == [202, 202, 429, 403, 422]
    assert int(said[2]["waits"]) == said[2]["body"]["retry_after"]
    assert said[3]["body"]["challenge"]["challenge"]  # what to solve


every = pytest.mark.parametrize("framework", list(SERVERS))


@every
def test_cors_behind(
    framework: str, browser: Chromium, origin: str, servers: dict[str, EmbeddedServer]
) -> None:
    """The app's own CORS stands behind the guard: refusals can be read all the same."""
    with Served(SERVERS[framework], **environment(servers)) as app:
        holds(read_by(browser, app, origin))
    assert os.environ.get(WRITING) or is_shown("test_cors_behind", framework)


@every
def test_cors_in_front(
    framework: str, browser: Chromium, origin: str, servers: dict[str, EmbeddedServer]
) -> None:
    """Something in front of the guard answers for CORS, and the app knows nothing of it."""
    with Served(SERVERS[framework], IN_FRONT="1", **environment(servers)) as app:
        holds(read_by(browser, app, origin))
    assert os.environ.get(WRITING) or is_shown("test_cors_in_front", framework)


def environment(servers: dict[str, EmbeddedServer]) -> dict[str, str]:
    return {"STORE": servers["valkey"].url, "POLICY_NAME": f"browser-{os.urandom(6).hex()}"}
