"""A form that people fill in, and pages for refusals. Run it: uvicorn examples.form.app:app"""

from __future__ import annotations

import math
from html import escape

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pumpguard import Action, Decision, Guard, Policy, PumpGuardMiddleware
from pumpguard.errors import IntakeError

PAGE = """<!doctype html><html lang="en"><title>Sign in</title>
<form method="post" action="/send" enctype="multipart/form-data">
<p role="alert">{message}</p>
<label>Your phone <input name="phone" type="tel" value="{phone}" autocomplete="tel"></label>
<button>Send me a code</button>
</form></html>"""


def page(message: str = "", phone: str = "", status: int = 200) -> HTMLResponse:
    """The form, with what was typed before and why it did not do."""
    return HTMLResponse(PAGE.format(message=escape(message), phone=escape(phone)), status)


async def refused(refused: Decision | IntakeError, request: Request) -> Response:
    """The page for a refusal: how to go on, and no word of why."""
    match refused:
        case IntakeError():
            return page(refused.detail, status=refused.status)
        case Decision(action=Action.THROTTLE):
            seconds = math.ceil(refused.retry_after or 60)
            answer = page(f"Please wait {seconds} seconds.", await typed(request), 429)
            answer.headers["retry-after"] = str(seconds)
            return answer
    return page("No code can be sent. Check the number.", await typed(request), 403)


async def typed(request: Request) -> str:
    """The number as it was written."""
    return str((await request.form()).get("phone", ""))


async def form(request: Request) -> Response:
    """The empty form."""
    return page()


async def send(request: Request) -> Response:
    """Send a code; a request that is refused does not come here."""
    await typed(request)  # here your SMS provider is called
    return RedirectResponse("/code", 303)


guard = Guard(Policy(send="/send", home=["GB"]), "memory://", on_refusal=refused)
routes = [Route("/", form), Route("/send", send, methods=["POST"])]
app = Starlette(routes=routes, middleware=[Middleware(PumpGuardMiddleware, guard=guard)])
