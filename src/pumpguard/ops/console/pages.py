"""The pages for people, and the forms that change overrides. All work without JavaScript."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pumpguard.errors import IntakeError
from pumpguard.ops.console import text
from pumpguard.ops.console.auth import Session, check_origin
from pumpguard.ops.console.forms import listing_from_form, posture_from_form, read_form
from pumpguard.ops.console.frame import PAGES, Frame, to

MAX_AUTHOR = 60


class Pages:
    """The routes for people."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._admin, self._auth = frame, frame.admin, frame.auth

    def routes(self) -> list[Route]:
        change = self._frame.change
        return [
            *(Route(f"/{name}", self._shown(name), methods=["GET"]) for name in PAGES),
            Route("/events", self._frame.events),
            Route("/login", self._login_page, methods=["GET"]),
            Route("/login", self._sign_in, methods=["POST"]),
            Route("/logout", self._sign_out, methods=["POST"]),
            Route("/posture", change(self._posture), methods=["POST"]),
            Route("/lists", change(self._list), methods=["POST"]),
            Route("/lists/remove", change(self._remove), methods=["POST"]),
        ]

    def _shown(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def show(request: Request) -> Response:
            session = self._auth.session(request)
            if session is None:
                return to(request, "login")
            return await self._frame.page(request, session, name)

        return show

    async def _login_page(self, request: Request) -> Response:
        if self._auth.session(request) is not None:
            return to(request, "")
        return self._frame.html(request, "login.html", wrong=None, author="")

    async def _sign_in(self, request: Request) -> Response:
        author, status = "", 422
        html = self._frame.html
        try:
            check_origin(request)
            form = await read_form(request)
            author = form.get("author", "").strip()
            if not author or len(author) > MAX_AUTHOR or not author.isprintable():
                wrong = f"Your name, please: at most {MAX_AUTHOR} characters."
                return html(request, "login.html", status, wrong=wrong, author="")
            await self._auth.check_token(request, form.get("token", ""))
        except IntakeError as error:
            status, wrong = error.status, error.detail
            return html(request, "login.html", status, wrong=wrong, author=author)
        reply = to(request, "")
        self._auth.sign_in(request, reply, author)
        return reply

    async def _sign_out(self, request: Request) -> Response:
        session = self._auth.session(request)
        reply = to(request, "login")
        if session is not None:
            self._auth.check_form(request, session, await read_form(request))
            self._auth.sign_out(request, reply)
        return reply

    async def _posture(self, form: Mapping[str, str], session: Session) -> str:
        change = posture_from_form(form, session.author)
        await change.apply(self._admin)
        ends = change.country is None or change.posture == "normal"
        return "posture" if ends else f"posture&undo={change.country}"

    async def _list(self, form: Mapping[str, str], session: Session) -> str:
        document = await listing_from_form(form, session.author).apply(self._admin)
        return f"listed&undo={text.listing_id(document.listings[-1], self._frame.key)}"

    async def _remove(self, form: Mapping[str, str], session: Session) -> str:
        overrides = await self._admin.show()
        listing = text.listing_by_id(overrides, form.get("id", ""), self._frame.key)
        await self._admin.remove_listing(listing, author=session.author)
        return "removed"
