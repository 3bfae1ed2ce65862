"""A CAPTCHA service: a real HTTP server on loopback that keeps to the siteverify contract."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

from tests.loopback import Loopback, read_request

SECRET, SITE_KEY, HOST = "their secret", "their-site-key", "app.example"


class Service(Loopback):
    """Accepts each token in ``tokens`` once, and says of it what stands there."""

    def __init__(self, **tokens: dict[str, Any]) -> None:
        super().__init__()
        self.tokens = tokens
        self.asked: list[dict[str, str]] = []
        self.raw: bytes | None = None
        """What it answers instead, if anything."""

    @property
    def url(self) -> str:
        """Where it asks to be asked."""
        return f"{self.origin}/siteverify"

    async def reply(self, head: str, reader: asyncio.StreamReader) -> bytes:
        """What the contract says, about a request that keeps to it."""
        assert head.startswith("POST /siteverify HTTP/1.1\r\n")
        headers, body = await read_request(head, reader)
        assert headers["content-type"] == "application/x-www-form-urlencoded"
        self.asked.append({name: value for name, (value,) in parse_qs(body.decode()).items()})
        return json.dumps(self._answer(self.asked[-1])).encode() if self.raw is None else self.raw

    def _answer(self, form: dict[str, str]) -> dict[str, Any]:
        if form.get("secret") != SECRET:
            return {"success": False, "error-codes": ["invalid-input-secret"]}
        if form.get("sitekey", SITE_KEY) != SITE_KEY:
            return {"success": False, "error-codes": ["sitekey-secret-mismatch"]}
        said = self.tokens.pop(form["response"], None)
        if said is None:
            return {"success": False, "error-codes": ["timeout-or-duplicate"]}
        return {"success": True, "hostname": HOST, "error-codes": [], **said}
