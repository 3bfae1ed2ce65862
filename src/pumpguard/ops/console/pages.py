"""What people see, and the forms with which they switch. It all works without JavaScript."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pumpguard.errors import IntakeError, PolicyError, StoreError
from pumpguard.guard import Guard
from pumpguard.ops.console import words
from pumpguard.ops.console.access import Session
from pumpguard.ops.console.asking import read_form
from pumpguard.ops.console.discreet import discreet, without
from pumpguard.ops.console.door import Door, check_origin
from pumpguard.ops.console.naming import found, named
from pumpguard.ops.console.orders import listing_from_form, posture_from_form
from pumpguard.ops.console.view import View

FRAGMENTS = ("posture", "notices", "traffic", "exposure", "lists", "decisions")
"""Parts of the page that are made anew by themselves; none has a field to type in."""

AGAIN = 3_000
"""Milliseconds after which a browser asks for news."""

DONE = {
    "posture": "Switched. Every process obeys within a second.",
    "listed": "Listed. Every process obeys within a second.",
    "removed": "Removed from the list.",
}
AWAY = "The store did not answer: what was ordered may or may not stand. Look before you repeat it."
LONGEST_AUTHOR = 60

Work = Callable[[dict[str, str], Session], Awaitable[str]]


class Pages:
    """The routes for people."""

    def __init__(self, guard: Guard, view: View, door: Door) -> None:
        self._desk = guard.orders
        self._view = view
        self._door = door
        self._key = guard.policy.secret
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for say in (words.when, words.clock, words.lasting, words.usd, words.because, discreet):
            self._templates.filters[say.__name__] = say
        self._templates.filters["named"] = lambda listing: named(listing, self._key)

    def routes(self) -> list[Route]:
        """What there is."""
        return [
            Route("/", self._home),
            Route("/events", self._events),
            Route("/login", self._ask_in, methods=["GET"]),
            Route("/login", self._let_in, methods=["POST"]),
            Route("/logout", self._let_out, methods=["POST"]),
            Route("/posture", self._switching(self._posture), methods=["POST"]),
            Route("/lists", self._switching(self._list), methods=["POST"]),
            Route("/lists/remove", self._switching(self._remove), methods=["POST"]),
        ]

    async def _home(self, request: Request) -> Response:
        session = self._door.session(request)
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
        form: dict[str, str] | None = None,
    ) -> Response:
        values = await self._view.values()
        wrong = wrong or values["unknown"]
        said = {"done": done, "wrong": wrong, "form": form or {}, "fragments": FRAGMENTS}
        return self._html(request, "page.html", status, session=session, **said, **values)

    async def _events(self, request: Request) -> Response:
        """One event per connection: the browser comes back by itself, a stopping server waits for
        nobody, and a session that is over is noticed."""
        session = self._door.session(request)
        if session is None:
            return Response(status_code=204)  # tells the browser to stop asking
        values = {**await self._view.values(), "session": session, "root": _root(request)}
        fragments = {
            name: self._templates.get_template(f"{name}.html").render(values) for name in FRAGMENTS
        }
        event = f"retry: {AGAIN}\ndata: {json.dumps(fragments)}\n\n"
        return Response(event, media_type="text/event-stream")

    async def _ask_in(self, request: Request) -> Response:
        if self._door.session(request) is not None:
            return _to(request, "")
        return self._html(request, "login.html", wrong=None, author="")

    async def _let_in(self, request: Request) -> Response:
        author, status = "", 422
        try:
            check_origin(request)
            form = await read_form(request)
            author = form.get("author", "").strip()
            if not author or len(author) > LONGEST_AUTHOR or not author.isprintable():
                wrong = f"Your name, please: at most {LONGEST_AUTHOR} characters."
                return self._html(request, "login.html", status, wrong=wrong, author="")
            await self._door.check_token(request, form.get("token", ""))
        except IntakeError as error:
            return self._html(
                request, "login.html", error.status, wrong=error.detail, author=author
            )
        reply = _to(request, "")
        self._door.let_in(request, reply, author)
        return reply

    async def _let_out(self, request: Request) -> Response:
        session = self._door.session(request)
        reply = _to(request, "login")
        if session is not None:
            self._door.check_form(request, session, await read_form(request))
            self._door.let_out(request, reply)
        return reply

    async def _posture(self, form: dict[str, str], session: Session) -> str:
        await posture_from_form(form, session.author).give(self._desk)
        return "posture"

    async def _list(self, form: dict[str, str], session: Session) -> str:
        await listing_from_form(form, session.author).give(self._desk)
        return "listed"

    async def _remove(self, form: dict[str, str], session: Session) -> str:
        listing = found(await self._desk.show(), form.get("id", ""), self._key)
        await self._desk.strike(listing)
        return "removed"

    def _switching(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def switch(request: Request) -> Response:
            session = self._door.session(request)
            if session is None:
                return _to(request, "login")
            form = await read_form(request)
            self._door.check_form(request, session, form)
            try:
                return _to(request, f"?done={await work(form, session)}")
            except PolicyError as error:
                wrong = f"Nothing was changed. {error.path}: expected {error.expected}."
                wrong = without(wrong, [form.get("value", "")])
                return await self._page(request, session, 422, wrong=wrong, form=form)
            except StoreError:
                return await self._page(request, session, 503, wrong=AWAY, form=form)

        return switch

    def _html(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        text = self._templates.get_template(name).render(root=_root(request), **values)
        return HTMLResponse(text, status)


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", ""))


def _to(request: Request, path: str) -> RedirectResponse:
    return RedirectResponse(f"{_root(request)}/{path}", 303)
