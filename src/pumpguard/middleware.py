"""The middleware: pure ASGI, without state of its own between requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path

from starlette.types import Receive, Scope, Send

from pumpguard.alerts import Alert
from pumpguard.challenges.base import Challenge
from pumpguard.config import require_app
from pumpguard.decision import Action, Decision
from pumpguard.errors import ClientGone, IntakeError
from pumpguard.guard import Guard
from pumpguard.intake.body import Kept, Replay
from pumpguard.intake.conditions import SentWhen
from pumpguard.intake.fields import Fields
from pumpguard.intake.flow import FlowAnswer, FlowReader
from pumpguard.intake.network import Networks
from pumpguard.intake.routes import Routes
from pumpguard.lifespan import AnyApp, live
from pumpguard.listeners import WatchedRequest
from pumpguard.policy import Policy
from pumpguard.replies import BAD_REQUEST, UNAVAILABLE, OnRefusal, Refusals
from pumpguard.scores import Score
from pumpguard.shadow.answer import Answers, WatchedAnswer
from pumpguard.shadow.carry import is_decided
from pumpguard.shadow.current import IN_SCOPE, CurrentRequest
from pumpguard.shadow.more import with_more
from pumpguard.shadow.open_requests import OPEN
from pumpguard.shadow.route_record import RouteRecords
from pumpguard.shadow.visible import VisibleRefusals
from pumpguard.store.base import Store
from pumpguard.verify_route import VerifyRoute


class PumpGuardMiddleware:
    """Guards the routes of a policy; everything else passes untouched.

        app.add_middleware(PumpGuardMiddleware, policy=Policy(send="/otp/send"), store="redis://…")

    Give it a ``policy`` (or its file's path) and a ``store`` with the options of `Guard`, or a
    ready ``guard`` where other parts of the app use it too. Raises `PolicyError`.
    """

    def __init__(
        self,
        app: AnyApp,
        policy: Policy | str | Path | None = None,
        store: str | Store = "memory://",
        *,
        guard: Guard | None = None,
        clock: Callable[[], float] | None = None,
        challenge: Challenge | None = None,
        networks: Networks | None = None,
        score: Score | None = None,
        on_decision: Callable[[Decision], None] | None = None,
        on_alert: Callable[[Alert], None] | None = None,
        on_refusal: OnRefusal | None = None,
    ) -> None:
        require_app(app, 3, "an ASGI app; of WSGI it is guarded by pumpguard.wsgi.PumpGuardWSGI")
        if guard is None and policy is not None:
            guard = Guard(
                policy,
                store,
                clock=clock,
                challenge=challenge,
                networks=networks,
                score=score,
                on_decision=on_decision,
                on_alert=on_alert,
                on_refusal=on_refusal,
            )
        elif guard is None or policy is not None:
            raise TypeError("give either a policy or a guard")
        elif on_refusal is not None:
            raise TypeError("give on_refusal to the guard")
        self.app = app
        self.guard = guard
        policy = guard.policy
        self._verify = verify = VerifyRoute(app, guard)
        self._sends = Routes(policy.send, but=verify.routes)
        self._handlers = [(self._sends, self._guard_send)]
        if verify.routes is not None:
            self._handlers.append((verify.routes, verify.watch))
        self._read, self._monitors = guard.reader.read, policy.mode == "monitor"
        self._flow = None if policy.flow is None else FlowReader(policy.flow)
        answers = (guard.challenge, guard.on_refusal, guard.notices, policy.texts)
        self._refusals = Refusals(app, *answers)
        self._visible = VisibleRefusals(guard.rules)
        self._records = RouteRecords(policy.send, guard.notices)
        self._answers = Answers(SentWhen(policy.sent_when), guard.notices)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] == "http":
            for routes, handle in self._handlers:
                parameters = routes.match(scope)
                if parameters is not None:
                    await handle(scope, receive, send, parameters)
                    return
            self._passed(scope)
        elif scope["type"] == "websocket" and self._sends.names(scope["path"]):
            self.guard.observations.unguarded.websocket(scope["path"])
            # Nobody reads it: each message is decided about when it is sent.
            await with_more(self.guard, self.app, scope, receive, send)
            return
        elif scope["type"] == "lifespan":
            await live(app=self.app, close=self.guard.aclose)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _passed(self, scope: Scope) -> None:
        """An unguarded request: is there a route that it should have met?"""
        for routes, _ in self._handlers:
            if routes.unmet:
                self.guard.observations.unguarded.passed(scope, routes.where, routes.unmet)

    async def _guard_send(
        self, scope: Scope, receive: Receive, send: Send, parameters: Mapping[str, str]
    ) -> None:
        """Read, decide, reply and record; ``parameters`` are those of the path."""
        receive = Kept(receive) if self._monitors else receive
        watched = None
        if self.guard.listeners:
            send = watched = WatchedRequest(scope, send, self.guard.listeners)
        try:
            attempts, body = await self._read(scope, receive, parameters)
        except ClientGone:
            return
        except IntakeError as error:
            self.guard.observations.unread(error.problem, error.detail)
            await self._undecided(error, scope, receive, send)
            return
        except Exception as error:
            # A bug of ours or of a policy's function: nothing was counted, so nothing may be sent.
            what, text = type(error).__name__, "exception while reading a request; answered 400"
            self.guard.notices.say("PG021", what, text, level=logging.ERROR, exc_info=True)
            self.guard.observations.unread("exception", "see PG021")
            await self._undecided(BAD_REQUEST, scope, receive, send)
            return
        replay = Replay(body, receive)
        if not attempts:  # the policy says that such a request sends nothing
            self.guard.observations.sends_nothing()
            await self._verify.passed(scope, replay, send)
            return
        around: CurrentRequest | None = scope.get(IN_SCOPE)
        if around is not None and is_decided(around, self.guard.tokens, attempts):
            self.guard.observations.judged_twice()
            await self.app(scope, replay, send)
            return
        self.guard.observations.read(scope, attempts[0])
        others: list[Decision] = []
        try:
            for attempt in attempts:
                others.append(await self.guard.decide(attempt))
        except Exception as error:
            for other in others:
                self.guard.reports.not_sent(other)
            text = "exception while deciding; answered 503, nothing was sent"
            name = type(error).__name__
            self.guard.notices.say("PG022", name, text, level=logging.ERROR, exc_info=True)
            await self._undecided(UNAVAILABLE, scope, replay, send)
            return
        others.sort(key=attrgetter("action"), reverse=True)
        decision, *others = others  # the strictest answers
        if watched is not None:
            watched.decided(decision)
        flow: FlowAnswer | None = None
        if self._flow is not None and decision.action in (Action.ALLOW, Action.SHADOW):
            send = flow = FlowAnswer(self._flow, Fields(scope, body, parameters), send)
        try:
            if decision.action is Action.ALLOW:
                for attempt in attempts:
                    self._visible.count(attempt)
                if await self._run_app(decision, scope, replay, send, parameters, others):
                    self.guard.admitted(decision, None if flow is None else flow.flow)
            elif decision.action is Action.SHADOW:
                decision = await self._shadow(decision, scope, replay, send, parameters, others)
            else:
                if decision.action is Action.CHALLENGE and self.guard.challenge is not None:
                    self.guard.observations.asked_for_proof()
                await self._refusals.reply(decision, scope, replay, send)
        except Exception:
            if watched is not None:
                watched.raised()
            raise
        finally:
            self.guard.record(decision, *others, watched=watched)
        if flow is not None or self.guard.simulated:
            await self.guard.reports.told()

    async def _undecided(
        self, error: IntakeError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Refuse what nothing could be decided about; a policy that only monitors lets it pass."""
        if self._monitors:
            await self.app(scope, receive.again() if isinstance(receive, Kept) else receive, send)
        else:
            await self._refusals.reply(error, scope, receive, send)

    async def _shadow(
        self,
        decision: Decision,
        scope: Scope,
        receive: Receive,
        send: Send,
        parameters: Mapping[str, str],
        others: Sequence[Decision],
    ) -> Decision:
        """Answer a shadow so that nobody can tell; the decision to record."""
        shown, recorded = self._visible.resolve(decision)
        if shown.action is Action.SHADOW and self._records.of(scope).trusted():
            await self._run_app(decision, scope, receive, send, parameters, others)
        else:
            await self._refusals.reply(shown, scope, receive, send)
        return recorded

    async def _run_app(
        self,
        decision: Decision,
        scope: Scope,
        receive: Receive,
        send: Send,
        parameters: Mapping[str, str],
        others: Sequence[Decision] = (),
    ) -> bool:
        """Let the app answer; if nothing was sent, what it was charged is given back. Returns
        whether it may have been sent."""
        route = self._records.only or self._records.of(scope)
        request = CurrentRequest(
            decision, self.guard.simulated, route, self.guard.tokens, others=others,
            more=self.guard.more, loop=asyncio.get_running_loop(),
        )  # fmt: skip
        around = scope.get(IN_SCOPE)
        token, scope[IN_SCOPE] = OPEN.enter(request, around), request
        give_back = partial(self.guard.reports.give_back, decision, *others)
        # A shadow goes the way of a message, to the microsecond.
        answer = WatchedAnswer(self._answers, scope, parameters, send, request, give_back)
        try:
            await self.app(scope, receive, answer)
        except Exception:
            answer.fail()
            raise
        finally:
            OPEN.leave(request, token, answer.status)
            scope[IN_SCOPE] = around
            if decision.action is Action.SHADOW:
                route.answered(request, answer.status)
            await answer.finish()
        return not request.given_back
