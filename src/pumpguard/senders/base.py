"""What all senders share: one request, a deadline, no retry, and what an answer means."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import inf
from operator import getitem
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from pumpguard.config import require
from pumpguard.decision import Decision
from pumpguard.errors import PumpGuardError
from pumpguard.external import ExternalService, is_safe
from pumpguard.intake.phone import canonical
from pumpguard.shadow.carry import current_decision

if TYPE_CHECKING:
    import httpx

OnSent = Callable[[str, str, Decision | None], None]
"""Is told the provider, its id of a message, and the decision that it was sent under, if any."""


class NotSent(PumpGuardError):
    """The provider has refused a message: nothing was sent. ``code`` is the provider's own, or an
    HTTP status."""

    def __init__(self, provider: str, code: object) -> None:
        self.provider, self.code = provider, code
        super().__init__(f"{provider} has refused the message ({code}); nothing was sent")


class ProviderAway(PumpGuardError, ConnectionError):
    """The provider could not be connected to: nothing was sent, and it is about no number."""


class SendUnknown(PumpGuardError, TimeoutError):
    """Nobody knows whether the message was sent: count it as sent, and do not send it again."""


class Sender:
    """Sends a text by a provider: ``await sender(phone, text)`` is the provider's id of it.

    It asks once, within ``deadline`` seconds, and never again: what may have been sent is not sent
    twice. ``sent`` is told of every message. Raises `NotSent`, `ProviderAway` and
    `SendUnknown`, and `IntakeError` for what is no number; `pumpguard.sender` knows what each of
    them means. ``feedback`` says whether it can be told of what became of its messages
    (`pumpguard.senders.feedback`).
    """

    provider: ClassVar[str]
    feedback = False

    def __init__(self, *, deadline: float = 5.0, sent: OnSent | None = None) -> None:
        require(0 < deadline < inf, "sender.deadline", "seconds above 0", deadline)
        self._deadline = deadline
        self._sent: tuple[OnSent, ...] = () if sent is None else (sent,)

    @property
    def hears_of(self) -> str:
        """Whose messages it can be told of."""
        return self.provider

    def tell(self, sent: OnSent) -> None:
        """Tell this too of every message."""
        self._sent += (sent,)

    async def __call__(self, phone: str, text: str, *, decision: Decision | None = None) -> str:
        number = canonical(phone).e164
        try:
            async with asyncio.timeout(self._deadline):
                id = await self.ask(number, text)
        except SendUnknown:
            raise
        except TimeoutError:
            raise SendUnknown(f"{self.provider} did not answer in {self._deadline} s") from None
        for each in self._sent:
            each(self.provider, id, decision or current_decision())
        return id

    async def ask(self, phone: str, text: str) -> str:
        """Send it; the provider's id of it. ``phone`` is in E.164."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close connections of its own."""

    def refused(self, code: object) -> NoReturn:
        """Say that the provider has sent nothing."""
        raise NotSent(self.provider, code)

    def unclear(self, why: str) -> NoReturn:
        """Say that nobody knows."""
        raise SendUnknown(f"{self.provider}: {why}")


class HttpSender(Sender):
    """A provider that takes a message over HTTP, by ``httpx`` (extra ``[senders]``).

    ``base`` is the address of its API, and ``client`` an ``httpx.AsyncClient`` of yours, which is
    not closed here. An answer of 2xx was taken; 4xx was refused, and nothing was sent; anything
    else, and a connection that breaks once it is open, is unclear. Raises `PolicyError`.
    """

    code_at: ClassVar[Sequence[str | int]] = ("code",)
    """Where the JSON of a refusal has the provider's own code."""

    def __init__(
        self,
        base: str,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        client: httpx.AsyncClient | None = None,
        deadline: float = 5.0,
        sent: OnSent | None = None,
    ) -> None:
        super().__init__(deadline=deadline, sent=sent)
        require(is_safe(base), "sender.base", "an https:// address", base)
        self._base, self._client = base.rstrip("/"), client
        self._proof: dict[str, Any] = {"headers": dict(headers or {})}
        if auth is not None:
            self._proof["auth"] = auth
        try:
            self._own = ExternalService(deadline, time.monotonic, "")
        except ModuleNotFoundError as error:
            error.add_note("senders need httpx: pip install 'pumpguard[senders]'")
            raise

    async def aclose(self) -> None:
        await self._own.aclose()

    async def post(self, path: str, **content: Any) -> Any:
        """The JSON of an answer. Raises `NotSent`, `ProviderAway` and `SendUnknown`."""
        import httpx

        client = self._client or self._own.client()
        try:
            reply = await client.post(self._base + path, **self._proof, **content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ProviderAway(f"{self.provider}: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            self.unclear(type(error).__name__)
        if 300 <= reply.status_code < 500 and reply.status_code != 408:
            self.refused(self.code_of(_json(reply)) or reply.status_code)
        if not reply.is_success:
            self.unclear(f"status {reply.status_code}")
        return _json(reply)

    def code_of(self, problem: Any) -> object:
        """The provider's own code in the JSON of a refusal, if it has one."""
        return _at(problem, self.code_at)

    def id_in(self, found: Any, *path: str | int) -> str:
        """The text at this place of an answer. Without one it is unclear what became of it."""
        found = _at(found, path)
        if not isinstance(found, str) or not found:
            self.unclear("an answer without an id")
        return found


def _json(reply: httpx.Response) -> Any:
    try:
        return reply.json()
    except ValueError:
        return None


def _at(found: Any, path: Sequence[str | int]) -> Any:
    """What stands at this place of JSON, if anything does."""
    try:
        return reduce(getitem, path, found)
    except (KeyError, IndexError, TypeError):
        return None
