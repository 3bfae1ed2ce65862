"""The same guard in front of a WSGI app: Flask or Django under gunicorn, with sync or threaded
workers."""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Iterable
from concurrent.futures import TimeoutError
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from starlette.types import Receive, Scope, Send

from pumpguard.config import require_app
from pumpguard.guard import Guard
from pumpguard.loop_thread import LOOP
from pumpguard.middleware import PumpGuardMiddleware
from pumpguard.policy import Policy
from pumpguard.store.base import Store
from pumpguard.wsgi.exchange import Exchange
from pumpguard.wsgi.scope import scope_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["PumpGuardWSGI"]

EXCHANGE = "pumpguard.exchange"
"""Where a scope holds its `Exchange`."""

LAST_WORDS = 3.0
"""Seconds for which a process that ends delivers what is queued."""


_serving: WeakSet[Guard] = WeakSet()
"""Guards that have met a request in this process."""


class PumpGuardWSGI:
    """Guards the routes of a policy in front of a WSGI app; everything else passes untouched.

        app.wsgi_app = PumpGuardWSGI(app.wsgi_app, policy=Policy(send="/otp/send"), store="redis://…")

    The arguments are those of `PumpGuardMiddleware`, which does all the work: in an event loop that
    has a thread of its own, started by the first request of each process. The app runs in the
    server's thread, as without the guard. Not for workers that patch threads (gevent, eventlet).
    Raises `PolicyError`.
    """

    def __init__(
        self,
        app: WSGIApplication,
        policy: Policy | str | Path | None = None,
        store: str | Store = "memory://",
        *,
        guard: Guard | None = None,
        **options: Any,
    ) -> None:
        require_app(app, 2, "a WSGI app; of ASGI it is guarded by pumpguard.PumpGuardMiddleware")
        self._app = app
        self._asgi = _Around(_run, policy, store, guard=guard, **options)
        self.guard = self._asgi.guard

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on, or answer it."""
        scope = scope_of(environ)
        if not self._asgi.guards(scope):
            return self._app(environ, start_response)
        _serving.add(self.guard)
        exchange = Exchange(self._app, environ, self.guard.policy.max_body)
        scope[EXCHANGE] = exchange
        return exchange.answer(self._asgi, scope, start_response)


class _Around(PumpGuardMiddleware):
    def guards(self, scope: Scope) -> bool:
        """Whether this request has to pass through the middleware."""
        if any(routes.match(scope) is not None for routes, _ in self._handlers):
            return True
        self._passed(scope)
        return False


async def _run(scope: Scope, receive: Receive, send: Send) -> None:
    """The WSGI app, as the middleware calls it."""
    await scope[EXCHANGE].run(scope, receive, send)


@atexit.register
def _end() -> None:
    """Deliver what is queued, as the process ends."""
    for guard in list(_serving):
        with contextlib.suppress(TimeoutError):
            LOOP.submit(guard.aclose()).result(LAST_WORDS)
