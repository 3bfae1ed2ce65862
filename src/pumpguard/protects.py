"""What a guard offers to functions: the wrapped sender, also where a decision is carried to, and
guarding one of them by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from pumpguard.shadow.carry import resumed
from pumpguard.shadow.open_requests import OPEN
from pumpguard.shadow.sender import sender
from pumpguard.shadow.tokens import Tokens

if TYPE_CHECKING:
    from pumpguard.decision import Decision
    from pumpguard.guard import Guard

P = ParamSpec("P")
R = TypeVar("R")


class Protects:
    """Methods of a `Guard`. What guarding needs is imported when it is used."""

    tokens: Tokens
    sender = staticmethod(sender)

    def token(self, decision: Decision) -> str:
        """A decision as a signed text, for a job or a header: wherever the message is sent,
        ``with guard.resume(token):`` makes wrapped senders obey it, for an hour. It holds no
        number and no address in clear. A policy without a ``secret`` signs with a random key that
        this process alone has."""
        request = OPEN.of(decision)
        if request is not None:
            request.handed_over()
        return self.tokens.issue(decision)

    def resume(self, carried: Decision | str | None) -> AbstractContextManager[None]:
        """Within it, wrapped senders obey a decision that was made elsewhere, as it stands or as a
        token (`pumpguard.current_token`); with ``None``, none. Raises `TicketError` for a token
        that is forged, of another secret, or older than an hour."""
        return resumed(carried, self.tokens)

    def protect(
        self, phone: Callable[..., object], **facts: Callable[..., object]
    ) -> Callable[..., AsyncIterator[Decision | None]]:
        """A dependency of FastAPI that guards its endpoint, without the middleware::

            def phone_of(ask: Ask) -> str:
                return ask.phone

            @app.post("/otp/send", dependencies=[Depends(guard.protect(phone_of))])

        ``phone`` is a dependency that gives the number, as the client spelt it; ``facts`` are
        others, for ``session``, ``account``, ``device`` and the policy's own dimensions. What is
        refused is answered as the middleware answers. It gives the `Decision`. Of the answer it
        sees only whether the endpoint has raised.
        """
        from pumpguard.per_route.dependency import dependency

        return dependency(cast("Guard", self), phone, facts)

    def protected(
        self, phone: Callable[P, object], **facts: Callable[P, object]
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """A decorator that guards one function, without the middleware::

            @guard.protected(lambda request: request.POST["phone"])
            def send(request): ...

        ``phone`` and ``facts`` are called with the function's own arguments, before it; see
        `protect`. The function gets its framework's request (starlette, Litestar, Django,
        BlackSheep, Falcon, Sanic), or the framework keeps it (Flask, Quart); a refusal is a
        response of that framework. An ``async`` function may read its request in ``phone`` if that
        is ``async`` too. A plain one waits in its thread.
        """
        from pumpguard.per_route import protected

        facts_: Any = facts
        return protected(cast("Guard", self), phone, facts_)
