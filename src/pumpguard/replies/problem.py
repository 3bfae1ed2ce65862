"""Problem details (RFC 9457): the body of every refusal."""

from __future__ import annotations

import math

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from pumpguard.errors import IntakeError

TYPE = "tag:pumpguard,2026:problem/"
"""Problem types are names and lead nowhere; clients match on how they end."""


class Problem(JSONResponse):
    """An ``application/problem+json`` response; also an ASGI app, like all of starlette's."""

    media_type = "application/problem+json"

    def __init__(
        self,
        status: int,
        problem: str,
        title: str,
        detail: str,
        retry_after: float | None = None,
        **members: object,
    ) -> None:
        headers = {"cache-control": "no-store"}
        if retry_after is not None:
            headers["retry-after"] = str(max(1, math.ceil(retry_after)))
        said = {"type": TYPE + problem, "title": title, "status": status, "detail": detail}
        body: dict[str, object] = {**said, **members}
        super().__init__(body, status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, with headers of its own: a middleware around us may add to the list it gets,
        and the same problem is sent again."""
        headers = list(self.raw_headers)
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def unreadable(error: IntakeError) -> Problem:
    """The request could not be read as an attempt."""
    return Problem(error.status, error.problem, error.title, error.detail)
