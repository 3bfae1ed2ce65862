"""What a guard has seen so far of the app around it, and what it says of that, once an hour.

A guard that is set up wrongly fails in silence: it hears of no verification, reads no number, meets
no request. Each of these shows in the first hundred requests. All counts are of this process.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pumpguard.decision import Action
from pumpguard.notices import Notices
from pumpguard.observations.crowd import Crowd
from pumpguard.observations.hearing import Hearing
from pumpguard.observations.peers import EACH, IN_A_ROW, Peers
from pumpguard.observations.unguarded import OTHERS, Unguarded

if TYPE_CHECKING:
    from starlette.types import Scope

    from pumpguard.attempt import Attempt
    from pumpguard.decision import Decision

UNSOLVED = 50
"""Clients that were asked for proof, while none has ever given one."""

MATURE, LATEST = 300.0, 100
"""Seconds after which a code will hardly be entered any more (people take 13.5 in the median); and
how many messages are looked at."""

KEYS = {"session", "account", "device"}
"""What tells people apart, beside their numbers."""


class Observations:
    """Plain counts of what one guard has seen, fed by the middleware and the outcomes.

    ``header`` is the one with the client's address, ``trusts`` says whether it is believed of a
    peer. Of the policy: ``looks_for``, the dimensions for which it names a field; ``proxies``,
    whether it names any; ``listens`` and ``told_success`` as in `Hearing`.
    """

    def __init__(
        self, notices: Notices, header: str, trusts: Callable[[str], bool], *, listens: bool,
        told_success: bool = False, looks_for: Sequence[str] = (), proxies: bool = False,
    ) -> None:  # fmt: skip
        self.counts: Counter[str] = Counter()
        self.unreadable: Counter[str] = Counter()
        """Requests that could not be read, by what was wrong."""
        self.notices = notices
        crowds = Crowd(), Crowd()
        self.hearing = Hearing(
            notices, self.counts, crowds, listens=listens, told_success=told_success
        )
        self._waiting: deque[float] = deque()
        self.unguarded = Unguarded(notices, self.counts)
        self._peers = Peers(notices, self.counts, header, trusts)
        self._names_proxies = proxies
        self._unseen = set(looks_for)
        self._alike: dict[str, str | None] = dict.fromkeys(("phone", *KEYS & self._unseen))
        self._asked_for_proof = 0
        self._in_a_row = 0
        self.nobody_passed, self._refused = True, 0

    def snapshot(self) -> dict[str, object]:
        """All counts, ready for JSON."""
        return {
            **self.counts,
            "unreadable": dict(self.unreadable),
            "misunderstood": dict(self.hearing.misunderstood),
            "deaf": self.hearing.deaf,
        }

    def read(self, scope: Scope, attempt: Attempt) -> None:
        """A guarded request was read."""
        self.counts["read"] += 1
        self._in_a_row = 0
        if attempt.proved:
            self._asked_for_proof = 0
        if self._unseen:
            self._look_for(attempt)
        if self._alike:
            self._compare(attempt)
        address = attempt.client.address
        if address is None:
            self._peers.no_address(scope)
            return
        peers = self._peers
        if peers.from_few:
            peers.addresses.add(address)
            peers.numbers.add(attempt.phone.e164)
            if self.counts["read"] % EACH == 0:
                peers.together(self.counts["read"])
        for name, _ in scope["headers"]:
            if name in peers.headers:
                peers.forwarded(scope["client"], address)
                break
        if self._names_proxies and scope["client"] and scope["client"][0] == address:
            peers.alone(address)

    def _look_for(self, attempt: Attempt) -> None:
        """Whether the fields of this policy are ever there."""
        self._unseen -= {name for name in self._unseen if attempt.subject(name)}
        if self.counts["read"] >= OTHERS:
            for name in sorted(self._unseen):
                self.notices.say(
                    "PG083", name,
                    "none of %d guarded requests had a value for %s=: no limit by it holds. Check "
                    "which field it names",
                    self.counts["read"], name,
                )  # fmt: skip

    def _compare(self, attempt: Attempt) -> None:
        """Whether requests differ in what tells people apart."""
        count, alike = self.counts["read"], self._alike
        for name in tuple(alike):
            value = attempt.subject(name)
            if count == 1:
                alike[name] = value
            if value is None or value != alike[name]:
                del alike[name]
            elif count >= OTHERS:
                text = "all of %d guarded requests had one value for %s=: they share its limits. "
                text += "Check which field it names"
                self.notices.say("PG093", name, text, count, name)

    def sends_nothing(self) -> None:
        """A guarded request passed, because the policy says that such a one sends nothing."""
        self.counts["sends_nothing"] += 1
        if self.counts["sends_nothing"] >= OTHERS and not self.counts["read"]:
            self.notices.say(
                "PG084", "when",
                "each of %d requests on guarded routes passed as one that sends nothing; check "
                "when= and phone_optional=",
                self.counts["sends_nothing"],
            )  # fmt: skip

    def decided(self, decision: Decision) -> None:
        """A request was decided about, before which ``nobody_passed``: does the policy refuse
        everybody, whatever is counted?"""
        finding = decision.finding
        if finding is None or finding.retry_after is not None or decision.action < Action.THROTTLE:
            self.nobody_passed = False  # or may pass with proof, or later: then it is over
            return
        self._refused += 1
        if self._refused >= OTHERS:
            self.notices.say(
                "PG094", "refused",
                "each of the first %d requests was refused for what it is, the last by %s (%s): an "
                "attack, or the policy refuses your own users",
                self._refused, finding.rule, finding.code,
            )  # fmt: skip

    def asked_for_proof(self) -> None:
        """A client was asked for proof."""
        self.counts["asked_for_proof"] += 1
        self._asked_for_proof += 1
        if self._asked_for_proof >= UNSOLVED:
            self.notices.say(
                "PG067", "proof",
                "the last %d clients that were asked for proof gave none, or none that was right: "
                "an attack, or the page does not solve the challenge",
                self._asked_for_proof,
            )  # fmt: skip

    def judged_twice(self) -> None:
        """A request came to a guard that has decided about it already."""
        self.counts["judged_twice"] += 1
        text = "this guard stands twice in front of the app; the inner one lets its requests pass"
        self.notices.say("PG068", "twice", text)

    def sent(self, at: float) -> bool:
        """A message went out at this Unix time. Whether to ask the fleet for verifications."""
        counts, waiting = self.counts, self._waiting
        counts["sent"] += 1
        if self.hearing.arrives:
            waiting.clear()
            return False
        if len(waiting) < LATEST:
            waiting.append(at)
        while waiting and waiting[0] <= at - MATURE:
            waiting.popleft()
            counts["matured"] += 1
        return at >= self.hearing.asks_at

    def unread(self, problem: str, detail: str) -> None:
        """A guarded request could not be read, so its user gets no code."""
        self.counts["unread"] += 1
        self.unreadable[problem] += 1
        self._in_a_row += 1
        if self._in_a_row < IN_A_ROW:
            return
        self.notices.say(
            "PG072", "unreadable",
            "the last %d guarded requests could not be read (%s: %s); their users get no code. "
            "Check phone= and what the client sends",
            self._in_a_row, problem, detail,
        )  # fmt: skip

    def lost(self, reason: str, count: int = 1, *, in_the_end: bool = False) -> None:
        """So many more outcomes could not be told to the store."""
        self.counts["outcomes_lost"] += count
        self.notices.say(
            "PG075", "in the end" if in_the_end else "lost",
            "%d outcomes were lost on the way to the store (%s): verifications teach nothing, "
            "failed messages are not refunded",
            self.counts["outcomes_lost"], reason,
        )  # fmt: skip
