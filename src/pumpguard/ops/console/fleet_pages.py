"""A number's or an address's story, bans that stand, and rules that only monitor for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pumpguard.errors import PolicyError, StoreError
from pumpguard.ops.console.auth import Session
from pumpguard.ops.console.forms import read_form, reason_of, seconds_of
from pumpguard.ops.console.frame import Frame, to
from pumpguard.ops.events.fields import Event
from pumpguard.ops.events.reading import StreamSource, refusal
from pumpguard.ops.events.sinks import stream_of
from pumpguard.ops.events.words import explained
from pumpguard.ops.fleet.desk import Desk
from pumpguard.ops.masking import without

HOUR = 3_600
"""Seconds for which a number is allowed by the reference of its refusal."""

AWAY = "The store did not answer; try again."


class FleetPages:
    """Forms about the fleet. What somebody types to find a person is in no address and kept
    nowhere."""

    def __init__(self, frame: Frame, desk: Desk) -> None:
        self._frame, self._desk = frame, desk

    def routes(self) -> list[Route]:
        change = self._frame.change
        return [
            Route("/story", self._story, methods=["POST"]),
            Route("/reference", self._explain, methods=["POST"]),
            Route("/reference/lift", change(self._allow, "who"), methods=["POST"]),
            Route("/bans", self._search, methods=["POST"]),
            Route("/bans/lift", change(self._lift, "who"), methods=["POST"]),
            Route("/rules/monitor", change(self._monitor, "rules"), methods=["POST"]),
            Route("/rules/enforce", change(self._enforce, "rules"), methods=["POST"]),
        ]

    async def _story(self, request: Request) -> Response:
        async def told(form: Mapping[str, str]) -> dict[str, Any]:
            await self._frame.view.speak()
            story = await self._desk.story(form.get("number", ""), form.get("address", ""))
            return {"story": story}

        return await self._asked(request, told)

    async def _search(self, request: Request) -> Response:
        async def found(form: Mapping[str, str]) -> dict[str, Any]:
            search = form.get("search", "").strip()
            return {"found": await self._desk.bans(search), "search": search}

        return await self._asked(request, found)

    async def _explain(self, request: Request) -> Response:
        async def explanation(form: Mapping[str, str]) -> dict[str, Any]:
            event = await self._refusal(form)
            return {"explained": list(explained(event)), "reference": event["event"]["reference"]}

        return await self._asked(request, explanation)

    async def _allow(self, form: Mapping[str, str], session: Session) -> str:
        event = await self._refusal(form)
        number, why = event["pumpguard"]["number"]["hash"], event["event"]["reference"]
        await self._frame.admin.allow(
            "number", f"#{number}", author=session.author, reason=f"reference {why}", seconds=HOUR
        )
        return "allowed"

    async def _refusal(self, form: Mapping[str, str]) -> Event:
        source = StreamSource(stream_of(self._frame.guard))
        return await refusal(source, form.get("reference", ""))

    async def _asked(self, request: Request, work: Any) -> Response:
        session = self._frame.auth.session(request)
        if session is None:
            return to(request, "login")
        form = await read_form(request)
        self._frame.auth.check_form(request, session, form)
        try:
            return await self._frame.page(request, session, "who", **await work(form))
        except PolicyError as error:
            typed = [form.get("number", ""), form.get("address", "")]
            wrong = without(f"{error.path}: expected {error.expected}.", typed)
            return await self._frame.page(request, session, "who", 422, wrong=wrong)
        except StoreError:
            return await self._frame.page(request, session, "who", 503, wrong=AWAY)

    async def _lift(self, form: Mapping[str, str], session: Session) -> str:
        reason = form.get("reason", "").strip()
        await self._desk.lift(form.get("id", ""), author=session.author, reason=reason)
        return "lifted"

    async def _monitor(self, form: Mapping[str, str], session: Session) -> str:
        rule, seconds = form.get("rule", ""), seconds_of(form)
        await self._desk.monitor(rule, seconds, author=session.author, reason=reason_of(form))
        return "monitored"

    async def _enforce(self, form: Mapping[str, str], session: Session) -> str:
        await self._desk.enforce(form.get("rule", ""), author=session.author)
        return "enforced"
