"""What a guard offers to functions: the wrapped sender, and guarding one of them by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from pumpguard.shadow.sender import sender

if TYPE_CHECKING:
    from pumpguard.decision import Decision
    from pumpguard.guard import Guard

P = ParamSpec("P")
R = TypeVar("R")


class Protects:
    """Methods of a `Guard`. What they need is imported when they are used."""

    sender = staticmethod(sender)

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
