"""What a guard has seen so far of the app around it, and what it says of that, once an hour.

A guard that is set up wrongly fails in silence: it hears of no verification, reads no number, meets
no request. Each of these shows in the first hundred requests. All counts are of this process.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, Protocol
from weakref import WeakKeyDictionary

from pumpguard.notices import Notices

if TYPE_CHECKING:
    from starlette.types import Scope

OTHERS = 100
"""Requests that pass unguarded before it is said that a route has met none."""

IN_A_ROW = 20
"""Unreadable requests in a row, or requests of one public peer, that are said."""

MATURE = 300.0
"""Seconds after which a code will hardly be entered any more: people take 13.5 in the median."""

SILENT, LATEST = 50, 100
"""Of so many messages that old somebody has entered a code; so many are looked at."""

MISUNDERSTOOD, ASKED_EVERY = 5, 60.0
"""Verifications that were answered like successes and not understood, while none was; and seconds
between questions whether another process has heard one."""

Misunderstood = Literal["answer", "number", "flow", "wrong_code"]


class Route(Protocol):
    """A guarded route, as far as it matters here."""

    @property
    def text(self) -> str: ...

    def guards(self, method: str) -> bool: ...

    def resembles(self, path: str) -> bool: ...


_guards: WeakKeyDictionary[Observations, tuple[str, str | int]] = WeakKeyDictionary()
"""The guards of this process, by what they count for."""


class Observations:
    """Plain counts of what one guard has seen, fed by the middleware and the outcomes.

    ``header`` is the one with the client's address, ``trusts`` says whether it is believed of a
    peer. ``listens``: whether the policy says that verifications are told. ``deaf``: codes are
    entered and none was ever heard, in no process, so the rules that need them only monitor.
    """

    def __init__(
        self, notices: Notices, header: str, trusts: Callable[[str], bool], *, listens: bool
    ) -> None:
        self.deaf = False
        self.heard = not listens
        self.counts: Counter[str] = Counter()
        self.unreadable: Counter[str] = Counter()
        """Requests that could not be read, by what was wrong."""
        self.misunderstood: Counter[Misunderstood] = Counter()
        """Verifications that were answered below 400 and taught nothing, by what was missing."""
        self._notices = notices
        self._headers = (header.lower().encode("latin-1"), b"forwarded")
        self._trusts = trusts
        self._in_a_row = 0
        self._peers: Counter[str] = Counter()
        self._waiting: deque[float] = deque()
        self._asks_at = 0.0
        self._missed: Counter[str] = Counter()

    def snapshot(self) -> dict[str, object]:
        """All counts, ready for JSON."""
        return {
            **self.counts,
            "unreadable": dict(self.unreadable),
            "misunderstood": dict(self.misunderstood),
            "deaf": self.deaf,
        }

    def counts_for(self, policy: str, store: object) -> None:
        """The guard counts for the policy of this name, in this store: is it the only one?"""
        mine = (policy, store if isinstance(store, str) else id(store))
        # Without what stands behind the scheme, which may be a password.
        shown = f"{store.partition('://')[0]}://" if isinstance(store, str) else "one store"
        if sum(each == mine for each in _guards.values()) == 1:
            self._notices.say(
                "PG078", policy,
                "a second guard of the policy %r over %s in this process: over memory:// each has "
                "limits of its own. Make one Guard and pass guard= (in Litestar, build the "
                "middleware once: DefineMiddleware builds it anew for every route)",
                policy, shown,
            )  # fmt: skip
        _guards[self] = mine

    def read(self, scope: Scope, address: str | None) -> None:
        """A guarded request was read; ``address`` is the client's, as far as it is proven."""
        self.counts["read"] += 1
        self._in_a_row = 0
        if address is None:
            self._say_no_address(scope)
            return
        for name, _ in scope["headers"]:
            if name in self._headers:
                self._forwarded(scope["client"], address)
                break

    def unread(self, problem: str, detail: str) -> None:
        """A guarded request could not be read, so its user gets no code."""
        self.counts["unread"] += 1
        self.unreadable[problem] += 1
        self._in_a_row += 1
        if self._in_a_row < IN_A_ROW:
            return
        self._notices.say(
            "PG072", "unreadable",
            "the last %d guarded requests could not be read (%s: %s); their users get no code. "
            "Check phone= and what the client sends",
            self._in_a_row, problem, detail,
        )  # fmt: skip

    def passed(self, scope: Scope, where: str, unmet: Iterable[Route]) -> None:
        """A request passed unguarded while these routes of a setting have met none."""
        method, path = scope["method"], scope["path"]
        for route in unmet:
            if not route.guards(method):
                continue
            self._missed[route.text] += 1
            self.counts["past_verify"] += where == "verify"
            alike = route.resembles(path)
            if alike or self._missed[route.text] >= OTHERS:
                self._notices.say(
                    "PG070", route.text,
                    "%s=%r has met none of %d requests with its method, which passed unguarded%s; "
                    "name the whole path, with prefixes and mounts",
                    where, route.text, self._missed[route.text],
                    f" ({method} {path[:LATEST]!r})" if alike else "",
                )  # fmt: skip

    def websocket(self, path: str) -> None:
        """A websocket was opened on a guarded path, where only wrapped senders are guarded."""
        self.counts["websockets"] += 1
        self._notices.say(
            "PG077", "websocket",
            "a websocket on the guarded path %r passes: its messages are decided about only where "
            "a function wrapped with pumpguard.sender sends them",
            path[:LATEST],
        )  # fmt: skip

    def _say_no_address(self, scope: Scope) -> None:
        self.counts["no_address"] += 1
        peer = (scope.get("client") or ("",))[0]
        self._notices.say(
            "PG073", "no address",
            "requests come without a client address (peer %r): no limit by address holds. Behind "
            "a proxy on a Unix socket, set proxies=[\"unix\"]",
            peer,
        )  # fmt: skip

    def _forwarded(self, client: tuple[str, int] | None, address: str) -> None:
        """A header says for whom the peer speaks; does the policy name the peer?"""
        peer = client[0] if client else ""
        if self._trusts(peer):
            return
        self.counts["forwarded_by_strangers"] += 1
        if len(self._peers) < LATEST or peer in self._peers:
            self._peers[peer] += 1
        # Anybody may send the header from outside, but hardly from inside.
        inside = not ip_address(address).is_global
        if inside or self._peers[peer] >= IN_A_ROW:
            self._notices.say(
                "PG074", peer if inside else "outside",
                "%s forwards requests for others and is not in proxies: all its users share one "
                "address and its limits. If it is yours, name it",
                peer,
            )  # fmt: skip

    def sent(self, at: float) -> bool:
        """A message went out at this Unix time. Whether that is reason to ask, as `suspects`."""
        self.counts["sent"] += 1
        if self.heard:
            return False
        if len(self._waiting) < LATEST:
            self._waiting.append(at)
        while self._waiting and self._waiting[0] <= at - MATURE:
            self._waiting.popleft()
            self.counts["matured"] += 1
        return self.suspects(at)

    def suspects(self, at: float) -> bool:
        """Whether to ask the fleet for verifications; then call `hear` or `fall_silent`."""
        fine = self.counts["matured"] < SILENT and self.counts["misheard"] < MISUNDERSTOOD
        return not (self.heard or fine or at < self._asks_at)

    def asked(self, at: float) -> None:
        """The fleet was asked; not again for a minute."""
        self._asks_at = at + ASKED_EVERY

    def hear(self) -> None:
        """A verification of an open message was heard, here or in another process."""
        if self.deaf:
            text = "a verification was heard; the rules that need them are enforced"
            self._notices.say("PG071", "heard", text, level=logging.INFO)
        self.heard, self.deaf = True, False
        self._waiting.clear()

    def fall_silent(self) -> None:
        """No process has heard a verification. That may also be an attack on an app without users,
        so the rules are only lifted where codes were entered, here or past the route."""
        self.deaf = self.counts["misheard"] >= MISUNDERSTOOD or self.counts["past_verify"] >= SILENT
        missing = ", ".join(f"{n} by their {what}" for what, n in self.misunderstood.items())
        self._notices.say(
            "PG071", "verify",
            "%d messages were sent and no verification was heard; not understood: %s. The rules "
            "that need verifications %s. Check verify=, verify_phone=, flow= and verified_when=",
            self.counts["sent"], missing or "none",
            "only monitor until one is heard" if self.deaf else "stay enforced: none was missed",
        )  # fmt: skip

    def verified(self, *, is_open: bool) -> None:
        """A verification was told; ``is_open``: for a message that was on its way."""
        self.counts["verified" if is_open else "verified_without_message"] += 1
        without = self.counts["verified_without_message"]
        if is_open:
            self.hear()
        elif without >= IN_A_ROW and without > self.counts["verified"]:
            self._notices.say(
                "PG076", "verified",
                "%d verifications were for numbers with no message on its way, and %d for others: "
                "more is verified than was sent. Does the route answer wrong codes, or codes by "
                "e-mail, like right ones? See verified_when=",
                without, self.counts["verified"],
            )  # fmt: skip

    def not_understood(self, what: Misunderstood, detail: str) -> None:
        """An answer to an entered code was no error, and taught nothing."""
        self.misunderstood[what] += 1
        if what != "wrong_code":
            self.counts["misheard"] += 1
            self._notices.say("PG024", what, "a verification was not understood: %s", detail)

    def lost(self, reason: str) -> None:
        """An outcome could not be told to the store."""
        self.counts["outcomes_lost"] += 1
        self._notices.say(
            "PG075", "lost",
            "%d outcomes were lost on the way to the store (%s): verifications teach nothing, "
            "failed messages are not refunded",
            self.counts["outcomes_lost"], reason,
        )  # fmt: skip
