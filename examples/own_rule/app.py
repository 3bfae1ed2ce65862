"""A rule of one's own beside the default ones. Run it: uvicorn examples.own_rule.app:app"""

from collections.abc import Sequence
from functools import cached_property

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pumpguard import Attempt, Finding, Guard, Policy, PumpGuardMiddleware, Reading, Rule, Window


class AccountLimit(Rule):
    """At most ``limit`` messages an hour for one account."""

    limit: int = 3

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The counter of each account, the same tuple every time."""
        return (Window(self.name, "account", self.limit, 3600, self.effect),)

    def counters(self, attempt: Attempt) -> Sequence[Window]:
        """What to count; requests without an account are not counted."""
        return self.windows

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding; a rule that counts is judged when a counter is full."""
        return self.finding("ACCOUNT_LIMIT", retry_after=readings[0].wait)


async def send(request: Request) -> JSONResponse:
    """Send a code."""
    return JSONResponse({"sent": True})


policy = Policy(send="/otp/send", account="json:account", extra_rules=[AccountLimit(limit=2)])
middleware = [Middleware(PumpGuardMiddleware, guard=Guard(policy, "memory://"))]
app = Starlette(routes=[Route("/otp/send", send, methods=["POST"])], middleware=middleware)
