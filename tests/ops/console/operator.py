"""Somebody at the console: speaks ASGI to a mounted page, with cookies and forms as browsers do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.routing import Mount

from pumpguard import Guard
from pumpguard.ops.console import Console
from tests.asgi import FORM, JSON, Reply, call, request

TOKEN = "2b7e151628aed2a6abf7158809cf4f3c"
HOST = {"host": "app.example"}
ROOT = "/pumpguard"


class Operator:
    """A person with a browser in front of ``app``, or a program with ``token``."""

    def __init__(self, guard: Guard, **settings: Any) -> None:
        self.console = Console(guard, token=TOKEN, **settings)
        self.app = Starlette(routes=[Mount(ROOT, self.console)])
        self.cookie = ""
        self.client: tuple[str, int] | None = ("198.51.100.7", 4711)

    async def get(self, path: str = "/", query: str = "", **headers: str) -> Reply:
        """Load a page."""
        return await self._send("GET", path, None, b"", headers, query)

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> Reply:
        """Send a form as it is given."""
        return await self._send("POST", path, FORM, urlencode(form).encode(), headers)

    async def submit(self, path: str, **form: str) -> Reply:
        """Send a form as the page has it."""
        return await self.post(path, {"form_token": await self.form_token(), **form})

    async def sign_in(self, token: str = TOKEN, author: str = "mike", **headers: str) -> Reply:
        """Come in, or try to; a cookie is kept."""
        reply = await self.post("/login", {"author": author, "token": token}, **headers)
        self.cookie = reply.headers.get("set-cookie", "").partition(";")[0]
        return reply

    async def form_token(self) -> str:
        """What the forms of this session carry."""
        found = re.search('name="form_token" value="([0-9a-f]{64})"', await self.page())
        assert found is not None
        return found[1]

    async def page(self) -> str:
        """The page, when what is reckoned aside is there."""
        await self.console.view.exposure.wait()
        await self.console.view.concerns.wait()
        reply = await self.get()
        assert reply.status == 200
        return reply.body.decode()

    async def api(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Ask as a program does."""
        headers = {"authorization": f"Bearer {TOKEN}", **headers}
        sent = b"" if body is None else json.dumps(body).encode()
        return await self._send(method, f"/api{path}", JSON, sent, headers)

    async def _send(
        self,
        method: str,
        path: str,
        content_type: str | None,
        body: bytes,
        headers: Mapping[str, str],
        query: str = "",
    ) -> Reply:
        said = {**HOST, **({"cookie": self.cookie} if self.cookie else {})}
        said.update({name.replace("_", "-"): value for name, value in headers.items()})
        scope = request(
            method,
            ROOT + path,
            content_type=content_type,
            headers=said,
            client=self.client,
            query=query,
        )
        return await call(self.app, scope, body)
