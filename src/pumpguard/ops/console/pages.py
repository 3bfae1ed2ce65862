"""The pages for people, and the forms that change overrides. All work without JavaScript."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pumpguard.alerts import masked
from pumpguard.decision import Action
from pumpguard.errors import IntakeError, PolicyError, StoreError
from pumpguard.guard import Guard
from pumpguard.money.solve import dollars
from pumpguard.ops.console import text
from pumpguard.ops.console.auth import Authenticator, Session, check_origin
from pumpguard.ops.console.forms import DURATIONS, listing_from_form, posture_from_form, read_form
from pumpguard.ops.console.view import View
from pumpguard.overrides.lists import LISTED_KINDS
from pumpguard.overrides.posture import Posture

FRAGMENTS = ("posture", "notices", "noticed", "traffic", "exposure", "lists", "decisions")
"""Parts of the page that are refreshed; none has an input field."""

REFRESH = 3_000
"""Milliseconds after which a browser asks again."""

DONE = {
    "posture": "Switched. Every process obeys within a second.",
    "listed": "Listed. Every process obeys within a second.",
    "removed": "Removed from the list.",
}
AWAY = "The store did not answer: the change may or may not be in force. Look before you repeat it."
MAX_AUTHOR = 60

Work = Callable[[Mapping[str, str], Session], Awaitable[str]]


class Pages:
    """The routes for people."""

    def __init__(self, guard: Guard, view: View, auth: Authenticator) -> None:
        self._admin = guard.overrides
        self._view = view
        self._auth = auth
        self._key = guard.policy.secret
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters = (
            *(text.when, text.clock, text.lasting, text.largest, masked, dollars),
            *(text.masked_text, text.masked_listing, text.masked_evidence),
        )
        self._templates.filters.update({each.__name__: each for each in filters})
        self._templates.globals.update(
            Action=Action, postures=[*map(str, Posture)], kinds=LISTED_KINDS, durations=DURATIONS
        )
        self._templates.filters["id"] = lambda listing: text.listing_id(listing, self._key)

    def routes(self) -> list[Route]:
        return [
            Route("/", self._home),
            Route("/events", self._events),
            Route("/login", self._login_page, methods=["GET"]),
            Route("/login", self._sign_in, methods=["POST"]),
            Route("/logout", self._sign_out, methods=["POST"]),
            Route("/posture", self._change(self._posture), methods=["POST"]),
            Route("/lists", self._change(self._list), methods=["POST"]),
            Route("/lists/remove", self._change(self._remove), methods=["POST"]),
        ]

    async def _home(self, request: Request) -> Response:
        session = self._auth.session(request)
        if session is None:
            return _to(request, "login")
        done = DONE.get(request.query_params.get("done", ""))
        return await self._page(request, session, done=done)

    async def _page(
        self,
        request: Request,
        session: Session,
        status: int = 200,
        *,
        done: str | None = None,
        wrong: str | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Response:
        values = await self._view.values()
        wrong = wrong or values["unknown"]
        own = {"done": done, "wrong": wrong, "form": form or {}, "fragments": FRAGMENTS}
        return self._html(request, "page.html", status, session=session, **own, **values)

    async def _events(self, request: Request) -> Response:
        """One event per connection: the browser reconnects by itself, no open connection delays a
        shutdown, and a session that has ended is noticed."""
        session = self._auth.session(request)
        if session is None:
            return Response(status_code=204)  # tells the browser to stop asking
        values = {**await self._view.values(), "session": session, "root": _root(request)}
        fragments = {
            name: self._templates.get_template(f"{name}.html").render(values) for name in FRAGMENTS
        }
        event = f"retry: {REFRESH}\ndata: {json.dumps(fragments)}\n\n"
        return Response(event, media_type="text/event-stream")

    async def _login_page(self, request: Request) -> Response:
        if self._auth.session(request) is not None:
            return _to(request, "")
        return self._html(request, "login.html", wrong=None, author="")

    async def _sign_in(self, request: Request) -> Response:
        author, status = "", 422
        try:
            check_origin(request)
            form = await read_form(request)
            author = form.get("author", "").strip()
            if not author or len(author) > MAX_AUTHOR or not author.isprintable():
                wrong = f"Your name, please: at most {MAX_AUTHOR} characters."
                return self._html(request, "login.html", status, wrong=wrong, author="")
            await self._auth.check_token(request, form.get("token", ""))
        except IntakeError as error:
            status, wrong = error.status, error.detail
            return self._html(request, "login.html", status, wrong=wrong, author=author)
        reply = _to(request, "")
        self._auth.sign_in(request, reply, author)
        return reply

    async def _sign_out(self, request: Request) -> Response:
        session = self._auth.session(request)
        reply = _to(request, "login")
        if session is not None:
            self._auth.check_form(request, session, await read_form(request))
            self._auth.sign_out(request, reply)
        return reply

    async def _posture(self, form: Mapping[str, str], session: Session) -> str:
        await posture_from_form(form, session.author).apply(self._admin)
        return "posture"

    async def _list(self, form: Mapping[str, str], session: Session) -> str:
        await listing_from_form(form, session.author).apply(self._admin)
        return "listed"

    async def _remove(self, form: Mapping[str, str], session: Session) -> str:
        overrides = await self._admin.show()
        listing = text.listing_by_id(overrides, form.get("id", ""), self._key)
        await self._admin.remove_listing(listing)
        return "removed"

    def _change(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def change(request: Request) -> Response:
            session = self._auth.session(request)
            if session is None:
                return _to(request, "login")
            form = await read_form(request)
            self._auth.check_form(request, session, form)
            try:
                return _to(request, f"?done={await work(form, session)}")
            except PolicyError as error:
                wrong = f"Nothing was changed. {error.path}: expected {error.expected}."
                wrong = text.without(wrong, [form.get("value", "")])
                return await self._page(request, session, 422, wrong=wrong, form=form)
            except StoreError:
                return await self._page(request, session, 503, wrong=AWAY, form=form)

        return change

    def _html(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        html = self._templates.get_template(name).render(root=_root(request), **values)
        return HTMLResponse(html, status)


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", ""))


def _to(request: Request, path: str) -> RedirectResponse:
    return RedirectResponse(f"{_root(request)}/{path}", 303)
