"""What all pages share: templates, the session, forms that change something, fresh numbers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pumpguard.decision import Action
from pumpguard.errors import PolicyError, StoreError
from pumpguard.guard import Guard
from pumpguard.masking import masked
from pumpguard.money.solve import dollars
from pumpguard.ops.console import text
from pumpguard.ops.console.auth import Authenticator, Session
from pumpguard.ops.console.forms import DURATIONS, read_form
from pumpguard.ops.console.view import View
from pumpguard.ops.fleet import words
from pumpguard.ops.masking import masked_evidence, masked_text, without
from pumpguard.overrides.lists import LISTED_KINDS
from pumpguard.overrides.posture import Posture
from pumpguard.times import clock, minute, when

REFRESH = 3_000
"""Milliseconds after which a browser asks again."""

RENDERED_FOR = 1.0
"""Seconds for which what was rendered serves every browser that asks this process."""

SHARE = 50
"""How many times as long as rendering took it is not done again."""

FORM_TOKEN, ROOT = "form-token-of-this-session", "root-of-this-mount"
"""What stands in what is rendered for all, until it is known for whom."""

PAGES: Mapping[str, tuple[str, Sequence[str]]] = {
    "": (
        "Now",
        (
            "attack",
            "posture",
            "notices",
            "noticed",
            "traffic",
            "exposure",
            "lists",
            "decisions",
        ),
    ),
    "who": ("Who and why", ("bans",)),
    "rules": ("Rules", ()),
    "money": ("Money", ("money_part", "exposure")),
    "orders": ("Orders", ("orders_part",)),
}
"""The pages: their names, and their parts that are refreshed; none has an input field."""

DONE = {
    "posture": "Switched. Every process obeys within a second.",
    "listed": "Listed. Every process obeys within a second.",
    "removed": "Removed from the list.",
    "lifted": "Lifted, with its strikes. Every process obeys within five seconds.",
    "allowed": "This number is allowed for an hour. Every process obeys within a second.",
    "monitored": "It only monitors. Every process obeys within a second.",
    "enforced": "It is as the policy has it.",
}
AWAY = "The store did not answer: the change may or may not be in force. Look before you repeat it."

Parts = dict[str, tuple[str, str]]
"""By name: a hash of what was rendered, and that in JSON."""

Work = Callable[[Mapping[str, str], Session], Awaitable[str]]


class Frame:
    """Renders pages and answers forms."""

    def __init__(self, guard: Guard, view: View, auth: Authenticator) -> None:
        self.guard, self.admin, self.view, self.auth = guard, guard.overrides, view, auth
        self.key = guard.policy.secret
        self._rendered: dict[str, tuple[float, Parts]] = {}
        self._rendering = asyncio.Lock()
        self._changes = 0
        self.templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters = (
            *(when, clock, minute, text.lasting, text.largest, masked, dollars),
            *(masked_text, text.masked_listing, masked_evidence, words.lines),
            *(words.verdict, words.why, text.ordered, text.told, text.alarm),
        )
        self.templates.filters.update({each.__name__: each for each in filters})
        self.templates.globals.update(
            Action=Action, postures=[*map(str, Posture)], kinds=LISTED_KINDS, durations=DURATIONS,
            pages=PAGES,
        )  # fmt: skip
        self.templates.filters["id"] = lambda listing: text.listing_id(listing, self.key)

    async def page(
        self, request: Request, session: Session, name: str, status: int = 200, **own: Any
    ) -> Response:
        """One of `PAGES`; ``own`` are the values of this answer alone."""
        values = await self.view.values(name)
        query = request.query_params
        undo = query.get("undo", "")
        defaults: dict[str, Any] = {
            "done": DONE.get(query.get("done", "")), "undo": undo if undo.isalnum() else "",
            "form": {}, "wrong": None, "story": None, "search": "", "found": None,
            "explained": None, "reference": "",
        }  # fmt: skip
        own = {**defaults, **own}
        own["wrong"] = own["wrong"] or values["unknown"]
        template = f"{name or 'page'}.html"
        return self.html(request, template, status, session=session, at=name, **{**values, **own})

    async def events(self, request: Request) -> Response:
        """One event per connection: the browser reconnects by itself, no open connection delays a
        shutdown, and a session that has ended is noticed. What has not changed is not sent."""
        session = self.auth.session(request)
        if session is None:
            return Response(status_code=204)  # tells the browser to stop asking
        name = request.query_params.get("page", "")
        parts = await self._fresh_parts(name if name in PAGES else "")
        seen = request.headers.get("last-event-id", "").split(".")
        news = [f'"{part}": {html}' for part, (tag, html) in parts.items() if tag not in seen]
        event = f"retry: {REFRESH}\n"
        if news:
            data = "{" + ", ".join(news) + "}"
            data = data.replace(FORM_TOKEN, session.form_token).replace(ROOT, root(request))
            event += f"id: {'.'.join(tag for tag, _ in parts.values())}\ndata: {data}\n\n"
        return Response(event, media_type="text/event-stream")

    async def _fresh_parts(self, name: str) -> Parts:
        """A page's parts, rendered once for everybody: at most once a second, and for at most a
        fiftieth of the time."""
        async with self._rendering:
            until, parts = self._rendered.get(name, (0.0, {}))
            if monotonic() < until:
                return parts
            changes, began = self._changes, monotonic()
            anybody = Session("", 0.0, FORM_TOKEN)
            own = {"session": anybody, "root": ROOT, "search": "", "found": None}
            values = {**await self.view.values(name), **own}
            parts = {}
            for each in PAGES[name][1]:
                html = self.templates.get_template(f"{each}.html").render(values)
                parts[each] = blake2b(html.encode(), digest_size=6).hexdigest(), json.dumps(html)
            if changes == self._changes:  # else it may be of before the change
                took = monotonic() - began
                fresh = max(RENDERED_FOR, SHARE * took)
                self._rendered[name] = monotonic() + fresh, parts
            return parts

    def change(self, work: Work, name: str = "") -> Callable[[Request], Awaitable[Response]]:
        """Answers a form: ``work`` says what was done, for the page's address."""

        async def change(request: Request) -> Response:
            session = self.auth.session(request)
            if session is None:
                return to(request, "login")
            form = await read_form(request)
            self.auth.check_form(request, session, form)
            try:
                done = await work(form, session)
                self._changes += 1
                self._rendered.clear()
                return to(request, f"{name}?done={done}")
            except PolicyError as error:
                wrong = f"Nothing was changed. {error.path}: expected {error.expected}."
                wrong = without(wrong, [form.get("value", "")])
                return await self.page(request, session, name, 422, wrong=wrong, form=form)
            except StoreError:
                return await self.page(request, session, name, 503, wrong=AWAY, form=form)

        return change

    def html(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        html = self.templates.get_template(name).render(root=root(request), **values)
        return HTMLResponse(html, status)


def root(request: Request) -> str:
    """Where the console is mounted."""
    return str(request.scope.get("root_path", ""))


def to(request: Request, path: str) -> RedirectResponse:
    """On to another page of it."""
    return RedirectResponse(f"{root(request)}/{path}", 303)
