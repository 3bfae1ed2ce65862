"""What CAPTCHA services have in common: they are sent a token and say whether it is good."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pumpguard.attempt import Attempt
from pumpguard.challenges.base import Challenge, Solution
from pumpguard.config import require
from pumpguard.decision import Decision
from pumpguard.external import ExternalService, Unavailable, is_safe

if TYPE_CHECKING:
    import httpx

AT_ONCE = 64
"""Tokens that the service is asked about at one time; more of a flood stay unsolved."""

MAX_SOLVED = 10_000

OUTAGE = "internal-error"
OUR_FAULT = frozenset({"missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch"})
"""Error codes that say nothing about the client."""

logger = logging.getLogger("pumpguard")


class SiteVerify(Challenge):
    """A service that is asked whether a token is good.

    ``secret`` and ``site_key`` come from the service; ``hostnames`` are those of your own pages,
    and a token from any other page is no solution. ``action`` is checked where it is given. A token
    that was good is remembered for its ``lifetime``, because the service accepts it only once and
    a request may be refused for something else; the guard lets it through once.

    The service is asked once and has ``deadline`` seconds. After three faults in a row it is left
    alone for half a minute. While it cannot be asked, challenges stay ``"unsolved"``, or count as
    ``"solved"`` with ``on_failure``; other limits hold either way. ``send_address`` gives the
    client's address to the service. Needs the ``[captcha]`` extra. Raises `PolicyError`.
    """

    kind: ClassVar[str]
    url: ClassVar[str]

    def __init__(
        self,
        secret: str,
        *,
        site_key: str,
        hostnames: Sequence[str],
        action: str | None = None,
        deadline: float = 2.0,
        on_failure: Literal["unsolved", "solved"] = "unsolved",
        send_address: bool = False,
        url: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url or self.url
        require(is_safe(self._url), "challenge.url", "an https:// address", self._url)
        for name, value in (("secret", secret), ("site_key", site_key)):
            require(value, f"challenge.{name}", "what the service gave you")
        named = not isinstance(hostnames, str) and hostnames and all(hostnames)
        require(named, "challenge.hostnames", "the host names of your pages", hostnames)
        require(0 < deadline < inf, "challenge.deadline", "seconds above 0", deadline)
        known = on_failure in ("unsolved", "solved")
        require(known, "challenge.on_failure", "'unsolved' or 'solved'", on_failure)
        self._secret, self._site_key, self._action = secret, site_key, action
        self._hostnames = frozenset(name.lower() for name in hostnames)
        self._clock = clock
        self._fails_open = on_failure == "solved"
        self._send_address = send_address
        self._in_flight, self._complained = 0, False
        self._good: dict[str, float] = {}
        outage = f"{self.kind} unavailable (%s); for %d s every solution counts as {on_failure}"
        self._service = ExternalService(deadline, clock, f"PG035 {outage}")

    def pose(self, decision: Decision) -> Mapping[str, object]:
        posed = {"kind": self.kind, "site_key": self._site_key}
        return posed if self._action is None else {**posed, "action": self._action}

    async def solved(self, said: str, attempt: Attempt) -> Solution | bool:
        if not (said.isascii() and said.isprintable()):
            return False
        solution = Solution(blake2b(said.encode(), digest_size=16).hexdigest())
        if self._good.get(solution.id, -inf) > self._clock():
            return solution
        if self._in_flight >= AT_ONCE:
            return False
        try:
            reply = await self._ask(said, attempt)
        except Unavailable:
            return self._fails_open and solution
        if not self._is_good(reply):
            return False
        self._good[solution.id] = self._clock() + self.lifetime
        if len(self._good) > MAX_SOLVED:
            del self._good[next(iter(self._good))]
        return solution

    async def aclose(self) -> None:
        await self._service.aclose()

    def accepts(self, reply: Mapping[str, Any]) -> bool:
        """Whether a reply that says ``success`` means a person on one of our pages."""
        return str(reply.get("hostname", "")).lower() in self._hostnames and (
            self._action is None or reply.get("action") == self._action
        )

    def form(self, token: str) -> dict[str, str]:
        """The fields that are sent to the service."""
        return {"secret": self._secret, "response": token}

    async def _ask(self, token: str, attempt: Attempt) -> dict[str, Any]:
        """The reply. Raises `Unavailable`."""
        form = self.form(token)
        if self._send_address and attempt.client.address is not None:
            form["remoteip"] = attempt.client.address

        async def verify(client: httpx.AsyncClient) -> dict[str, Any]:
            response = await client.post(self._url, data=form)
            return _checked(response.raise_for_status().json())

        self._in_flight += 1
        try:
            return await self._service.ask(verify)
        finally:
            self._in_flight -= 1

    def _is_good(self, reply: Mapping[str, Any]) -> bool:
        if reply["success"] is True:
            return self.accepts(reply)
        ours = OUR_FAULT.intersection(_codes(reply))
        if ours and not self._complained:
            self._complained = True
            logger.error(
                "PG034 %s rejects our secret or site key, nobody can solve its challenge: %s",
                *(self.kind, sorted(ours)),
            )
        return False


def _checked(reply: Any) -> dict[str, Any]:
    """The reply, if it says whether the token is good. Raises `Unavailable`."""
    usable = isinstance(reply, dict) and isinstance(reply.get("success"), bool)
    if not usable or OUTAGE in _codes(reply):
        raise Unavailable
    return dict(reply)


def _codes(reply: Mapping[str, Any]) -> list[str]:
    codes = reply.get("error-codes")
    return [str(code) for code in codes] if isinstance(codes, list) else []
