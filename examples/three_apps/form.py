"""A sign-up of pages: multipart forms, a session, a redirect after every step, and the message is
sent after the answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from html import escape
from typing import Any

import phonenumbers
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pumpguard import Action, Decision, Guard, Policy, PumpGuardMiddleware, sender
from pumpguard.errors import IntakeError
from pumpguard.intake.fields import Fields

SESSIONS: dict[object, dict[str, str]] = {}

TICK_BOX = '<input type="checkbox" name="not_a_robot" value="…">'


def joined(dial: str, typed: str) -> str:
    """The number of a select and a text field, into which people also paste whole numbers."""
    typed = "+" + typed[2:] if typed.startswith("00") else typed.strip()
    return typed if typed.startswith("+") else dial + typed.lstrip("0")


def number(fields: Fields) -> str | None:
    """What the form says, or for a resend the session."""
    if typed := fields.get("form:phone"):
        return joined(str(fields.get("form:dial") or ""), str(typed))
    return SESSIONS.get(fields.get("cookie:sid"), {}).get("phone")


POLICY = Policy(
    send=["/signup", "/signup/resend"],
    verify="/signup/code",
    phone=number,
    flow="cookie:sid",
    verified_when="location:/welcome",
    home=["GB", "IE", "FR", "DE", "US"],
    daily_budget=600,
    proxies=["127.0.0.0/8"],
    secret="a secret of at least sixteen characters",
)


def page(text: str, status: int = 200) -> HTMLResponse:
    """Any of the pages."""
    return HTMLResponse(f"<!doctype html><form method=post>{text}<button>Go on</button>", status)


async def refused(refused: Decision | IntakeError, request: Request) -> Response:
    """The page for a refusal."""
    if isinstance(refused, IntakeError):
        return page(escape(refused.detail), refused.status)
    if refused.action is Action.CHALLENGE:
        return page(f"One more step: {TICK_BOX}", 403)
    if refused.action is Action.THROTTLE:
        answer = page("Please wait a little.", 429)
        answer.headers["retry-after"] = str(round(refused.retry_after or 60) + 1)
        return answer
    return page("No code can be sent to this number.", 403)


def create_app(send_sms: Callable[[str, str], object], guard: Guard) -> Starlette:
    """The app, with what calls the provider."""
    send_sms = sender(send_sms, shadowed=None)  # nobody reads what it returns

    async def show(request: Request) -> Response:
        sid, csrf = secrets.token_hex(8), secrets.token_hex(8)
        SESSIONS[sid] = {"csrf": csrf}
        answer = page(f'<input name=csrf value="{csrf}"><input name=dial><input name=phone>')
        answer.set_cookie("sid", sid, httponly=True)
        return answer

    def code_sent(session: dict[str, str]) -> Response:
        session["code"] = f"{secrets.randbelow(10**6):06}"
        task = BackgroundTask(send_sms, session["phone"], f"Your code is {session['code']}")
        return RedirectResponse("/signup/code", 303, background=task)

    async def posted(request: Request) -> tuple[dict[str, str], dict[str, Any]]:
        session = SESSIONS.get(request.cookies.get("sid"), {})
        form = dict(await request.form())
        return (session if session.get("csrf") == form.get("csrf") else {}), form

    async def signup(request: Request) -> Response:
        session, form = await posted(request)
        if not session:
            return page("This form is too old.", 403)
        found = phonenumbers.parse(joined(form["dial"], form["phone"]))
        session["phone"] = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
        return code_sent(session)

    async def resend(request: Request) -> Response:
        session, _ = await posted(request)
        return code_sent(session) if "phone" in session else RedirectResponse("/signup", 303)

    async def code(request: Request) -> Response:
        if request.method == "GET":
            return page("<input name=code>")
        session, form = await posted(request)
        if not session or session.get("code") != form["code"]:
            return page("This is not the code. <input name=code>")
        del session["code"], session["phone"]
        return RedirectResponse("/welcome", 303)

    routes = [
        Route("/signup", show),
        Route("/signup", signup, methods=["POST"]),
        Route("/signup/resend", resend, methods=["POST"]),
        Route("/signup/code", code, methods=["GET", "POST"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(PumpGuardMiddleware, guard=guard)])
