"""The door: lets people in by their cookie and programs by the token, and nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from pumpguard.errors import IntakeError
from pumpguard.ops.console.access import COOKIE, LIFETIME, Access, Session, from_elsewhere, matches
from pumpguard.ops.console.asking import Clients
from pumpguard.ops.console.wrong_tokens import WrongTokens

PAUSE = 0.5
"""Seconds before a wrong token is answered."""

logger = logging.getLogger("pumpguard")


class Door:
    """Checks whoever comes. ``secure`` is the cookie's; ``None``: as each request's scheme says."""

    def __init__(
        self, access: Access, wrong: WrongTokens, clients: Clients, secure: bool | None
    ) -> None:
        self._access = access
        self._wrong = wrong
        self._clients = clients
        self._secure = secure

    def session(self, request: Request) -> Session | None:
        """The session that a request belongs to."""
        return self._access.session(request.cookies.get(COOKIE))

    def check_form(self, request: Request, session: Session, form: Mapping[str, str]) -> None:
        """Whether we have shown this form to this person. Raises `IntakeError`."""
        check_origin(request)
        if not matches(session, form.get("form_token")):
            detail = "This form is from another session; load the page again."
            raise IntakeError(403, "stale-form", "Not this form", detail)

    async def check_program(self, request: Request) -> None:
        """Whether a program has said the token. Raises `IntakeError`."""
        check_origin(request)
        await self.check_token(request, self._access.bearer(request.headers))

    async def check_token(self, request: Request, token: str | None) -> None:
        """Whether this is the token; wrong ones are counted, and answered slowly. Raises
        `IntakeError`."""
        if token is None:
            detail = "Say the token: Authorization: Bearer …"
            raise IntakeError(401, "unauthorized", "Not signed in", detail)
        address = self._clients.address(request)
        if self._wrong.wait(address) > 0:
            detail = "Too many wrong tokens from this address; try again later."
            raise IntakeError(429, "too-many-tries", "Too many tries", detail)
        if not self._access.opens(token):
            self._wrong.count(address)
            logger.warning("PG051 a wrong token for the console")
            await asyncio.sleep(PAUSE)
            raise IntakeError(401, "unauthorized", "Not signed in", "This is not the token.")

    def let_in(self, request: Request, reply: Response, author: str) -> None:
        """Give somebody a session."""
        cookie = self._access.admit(author)
        reply.set_cookie(COOKIE, cookie, max_age=int(LIFETIME), **self._cookie(request))  # type: ignore[arg-type]

    def let_out(self, request: Request, reply: Response) -> None:
        """Take it back."""
        reply.delete_cookie(COOKIE, **self._cookie(request))  # type: ignore[arg-type]

    def _cookie(self, request: Request) -> dict[str, object]:
        secure = request.url.scheme == "https" if self._secure is None else self._secure
        path = request.scope.get("root_path", "") + "/"
        return {"path": path, "secure": secure, "httponly": True, "samesite": "strict"}


def check_origin(request: Request) -> None:
    """Whether a request comes from a page of ours, or from no page. Raises `IntakeError`."""
    if from_elsewhere(request.headers):
        detail = "This request comes from another site's page."
        raise IntakeError(403, "foreign-origin", "Not from here", detail)
