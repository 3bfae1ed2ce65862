"""The middleware: pure ASGI, without state of its own between requests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from pumpguard import sending
from pumpguard.challenges.base import Challenge
from pumpguard.decision import Action, Decision
from pumpguard.errors import ClientGone, IntakeError
from pumpguard.guard import Guard
from pumpguard.intake.body import Replay
from pumpguard.intake.network import Networks
from pumpguard.intake.routes import Routes
from pumpguard.ops.alerts import Alert
from pumpguard.policy import Policy
from pumpguard.replies.problem import Problem, unreadable
from pumpguard.replies.refusal import refusal
from pumpguard.replies.shadow import Kind, Replays, kind_of
from pumpguard.rules.challenge import with_single_use
from pumpguard.scores.base import Score
from pumpguard.shadow.visible import Visible
from pumpguard.store.base import Store
from pumpguard.watching import FAILURE, Verification, Watched

logger = logging.getLogger("pumpguard")


class PumpGuardMiddleware:
    """Guards the routes of a policy; everything else passes untouched.

        app.add_middleware(PumpGuardMiddleware, policy=Policy(send="/otp/send"), store="redis://…")

    Give it a ``policy`` and a ``store`` with the options of `Guard`, or a ready ``guard`` where
    other parts of the app use it too.
    """

    def __init__(
        self,
        app: ASGIApp,
        policy: Policy | None = None,
        store: str | Store = "memory://",
        *,
        guard: Guard | None = None,
        clock: Callable[[], float] | None = None,
        challenge: Challenge | None = None,
        networks: Networks | None = None,
        score: Score | None = None,
        on_decision: Callable[[Decision], None] | None = None,
        on_alert: Callable[[Alert], None] | None = None,
    ) -> None:
        if (policy is None) == (guard is None):
            raise TypeError("give either a policy or a guard")
        if guard is None:
            assert policy is not None  # noqa: S101 - for the type checker; checked above
            guard = Guard(
                policy,
                store,
                clock=clock,
                challenge=challenge,
                networks=networks,
                score=score,
                on_decision=on_decision,
                on_alert=on_alert,
            )
        self.app = app
        self.guard = guard
        self._routes = Routes(guard.policy.send)
        verify = guard.policy.verify
        self._visible = Visible(with_single_use(guard.policy.chain, guard.challenge))
        self._replays = Replays() if guard.policy.shadow == "replay" else None
        self._verify_routes = None if verify is None else Routes(verify, "verify")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] == "http":
            parameters = self._routes.match(scope)
            if parameters is not None:
                responder = Responder(
                    self.app, self.guard, parameters, self._visible, self._replays
                )
                await responder(scope, receive, send)
                return
            if self._verify_routes is not None:
                parameters = self._verify_routes.match(scope)
                if parameters is not None:
                    await Verification(self.app, self.guard, parameters)(scope, receive, send)
                    return
        try:
            await self.app(scope, receive, send)
        finally:
            if scope["type"] == "lifespan":
                await self.guard.aclose()


class Responder:
    """One guarded request: read, decide, reply, record."""

    def __init__(
        self,
        app: ASGIApp,
        guard: Guard,
        parameters: Mapping[str, str],
        visible: Visible,
        replays: Replays | None,
    ) -> None:
        self.app = app
        self.guard = guard
        self.parameters = parameters
        self.visible = visible
        self.replays = replays

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        try:
            attempt, body = await self.guard.reader.read(scope, receive, self.parameters)
        except ClientGone:
            return
        except IntakeError as error:
            await unreadable(error)(scope, receive, send)
            return
        except Exception:
            # A bug of ours or of a policy's function: whatever it is, nothing was counted, so
            # nothing may be sent.
            logger.exception("PG021 a guarded request could not be read")
            problem = Problem(400, "bad-request", "Bad request", "The request cannot be read.")
            await problem(scope, receive, send)
            return
        try:
            decision = await self.guard.decide(attempt)
        except Exception:
            logger.exception("PG022 a guarded request could not be decided about")
            problem = Problem(503, "unavailable", "Try again", "No code can be sent right now.")
            await problem(scope, receive, send)
            return
        try:
            if decision.action is Action.SHADOW:
                decision = await self._silently(decision, scope, Replay(body, receive), send)
            elif decision.allowed:
                self.visible.note(attempt)
                await self._through_the_app(decision, scope, Replay(body, receive), send)
            else:
                await refusal(decision, self.guard.challenge)(scope, receive, send)
        finally:
            self.guard.record(decision)

    async def _silently(
        self, decision: Decision, scope: Scope, receive: Receive, send: Send
    ) -> Decision:
        """Answer a shadow so that nobody can tell; the decision to record."""
        shown, recorded = self.visible.shown(decision)
        if shown.action is not Action.SHADOW:
            await refusal(shown, self.guard.challenge)(scope, receive, send)
        elif self.replays is not None:
            # Never through the app: that it could keep silent is what this policy denies.
            answered = await self.replays.reply(
                self._kind(scope), decision.attempt, send, simulated=self.guard.simulated
            )
            if not answered:
                await refusal(decision, self.guard.challenge)(scope, receive, send)
        elif sending.has_sender():
            await self._through_the_app(decision, scope, receive, send)
        else:
            logger.warning("PG002 shadow decisions refuse openly until a sender is wrapped")
            await refusal(decision, self.guard.challenge)(scope, receive, send)
        return recorded

    def _kind(self, scope: Scope) -> Kind:
        return kind_of(scope, self.parameters)

    async def _through_the_app(
        self, decision: Decision, scope: Scope, receive: Receive, send: Send
    ) -> None:
        token = sending.enter(decision, self.guard.simulated)
        if self.replays is not None and decision.allowed:
            send = self.replays.watch(self._kind(scope), decision.attempt, send)
        watched = Watched(send)
        try:
            # A shadow goes the way of a message, to the microsecond.
            watching = decision.reservation or not decision.allowed
            await self.app(scope, receive, watched if watching else send)
        except Exception:
            watched.status = watched.status or FAILURE
            raise
        finally:
            sending.leave(token)
            if watched.failed and decision.reservation:
                self.guard.settle(decision, "failed")
                if self.guard.simulated:  # a simulation must come out the same every time
                    await self.guard.settled()
