"""What a guard has seen so far of the app around it, and what it says of that, once an hour.

A guard that is set up wrongly fails in silence: it hears of no verification, reads no number, meets
no request. Each of these shows in the first hundred requests. All counts are of this process.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from pumpguard.notices import Notices
from pumpguard.observations.peers import EACH, IN_A_ROW, Peers
from pumpguard.observations.unguarded import OTHERS, Unguarded

if TYPE_CHECKING:
    from starlette.types import Scope

    from pumpguard.attempt import Attempt

UNSOLVED = 50
"""Clients that were asked for proof, while none has ever given one."""

MATURE = 300.0
"""Seconds after which a code will hardly be entered any more: people take 13.5 in the median."""

SILENT, LATEST = 50, 100
"""Of so many messages that old somebody has entered a code; so many are looked at."""

MISUNDERSTOOD, ASKED_EVERY = 5, 60.0
"""Verifications that were answered like successes and not understood, while none was; and seconds
between questions whether another process has heard one."""

WITHOUT_MESSAGE, PART_WITHOUT = 5, 0.05
"""Verifications of numbers with no message on its way: so many, and such a part of all, mean that
wrong codes are answered like right ones. Who mistypes a code enters two for one message."""

NEVER_WRONG = 100
"""Of so many codes somebody has mistyped one."""

Misunderstood = Literal["answer", "number", "flow", "wrong_code"]


class Observations:
    """Plain counts of what one guard has seen, fed by the middleware and the outcomes.

    ``header`` is the one with the client's address, ``trusts`` says whether it is believed of a
    peer. Of the policy: ``listens``, whether verifications are told; ``looks_for``, the dimensions
    for which it names a field; ``proxies``, whether it names any. ``deaf``: codes are
    entered and none was ever heard, in no process, so the rules that need them only monitor.
    """

    def __init__(
        self,
        notices: Notices,
        header: str,
        trusts: Callable[[str], bool],
        *,
        listens: bool,
        looks_for: Sequence[str] = (),
        proxies: bool = False,
    ) -> None:
        self.deaf = False
        self.verifications_arrive = not listens
        self.counts: Counter[str] = Counter()
        self.unreadable: Counter[str] = Counter()
        """Requests that could not be read, by what was wrong."""
        self.misunderstood: Counter[Misunderstood] = Counter()
        """Verifications that were answered below 400 and taught nothing, by what was missing."""
        self.notices = notices
        self.unguarded = Unguarded(notices, self.counts)
        self._peers = Peers(notices, self.counts, header, trusts)
        self._names_proxies = proxies
        self._unseen = set(looks_for)
        self._asked_for_proof = 0
        self._in_a_row = 0
        self._waiting: deque[float] = deque()
        self._asks_at = 0.0
        self._says_wrong = False

    def snapshot(self) -> dict[str, object]:
        """All counts, ready for JSON."""
        return {
            **self.counts,
            "unreadable": dict(self.unreadable),
            "misunderstood": dict(self.misunderstood),
            "deaf": self.deaf,
        }

    def read(self, scope: Scope, attempt: Attempt) -> None:
        """A guarded request was read."""
        self.counts["read"] += 1
        self._in_a_row = 0
        if attempt.proved:
            self._asked_for_proof = 0
        if self._unseen:
            self._look_for(attempt)
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

    def sent(self, at: float) -> bool:
        """A message went out at this Unix time. Whether that is reason to ask, as `suspects`."""
        self.counts["sent"] += 1
        if self.verifications_arrive:
            return False
        if len(self._waiting) < LATEST:
            self._waiting.append(at)
        while self._waiting and self._waiting[0] <= at - MATURE:
            self._waiting.popleft()
            self.counts["matured"] += 1
        return self.suspects(at)

    def suspects(self, at: float) -> bool:
        """Whether to ask the fleet for verifications; then call `hear` or `fall_silent`."""
        fine = self.counts["matured"] < SILENT and self.counts["not_understood"] < MISUNDERSTOOD
        return not (self.verifications_arrive or fine or at < self._asks_at)

    def asked(self, at: float) -> None:
        """The fleet was asked; not again for a minute."""
        self._asks_at = at + ASKED_EVERY

    def hear(self) -> None:
        """A verification of an open message was heard, here or in another process."""
        if self.deaf:
            text = "a verification was heard; the rules that need them are enforced"
            self.notices.say("PG071", "heard", text, level=logging.INFO)
        self.verifications_arrive, self.deaf = True, False
        self._waiting.clear()

    def fall_silent(self, *, ever_heard: bool) -> None:
        """No process has heard a verification lately. That may also be an attack on an app without
        users, so the rules are only lifted where codes were entered, here or past the route, and
        none was ``ever_heard``."""
        counts = self.counts
        missed = counts["not_understood"] >= MISUNDERSTOOD or counts["past_verify"] >= SILENT
        self.deaf = missed and not ever_heard
        missing = ", ".join(f"{n} by their {what}" for what, n in self.misunderstood.items())
        why = "some were heard before" if ever_heard else "none was missed"
        self.notices.say(
            "PG071", "verify",
            "%d messages were sent and no verification was heard%s; not understood: %s. The rules "
            "that need verifications %s. Check verify=, verify_phone=, flow= and verified_when=",
            counts["sent"], " for a day" if ever_heard else "", missing or "none",
            "only monitor until one is heard" if self.deaf else f"stay enforced: {why}",
        )  # fmt: skip

    def verified(self, *, is_open: bool) -> None:
        """A verification was told; ``is_open``: for a message that was on its way."""
        self.counts["verified" if is_open else "verified_without_message"] += 1
        right, without = self.counts["verified"], self.counts["verified_without_message"]
        if is_open:
            self.hear()
            if right >= NEVER_WRONG and not self._says_wrong:
                self.notices.say(
                    "PG089", "never wrong",
                    "all of %d codes were right, so far: does the route answer wrong codes like "
                    "right ones? Then whoever enters anything is believed. See verified_when=",
                    right,
                )  # fmt: skip
        elif without >= WITHOUT_MESSAGE and without > PART_WITHOUT * (right + without):
            self.notices.say(
                "PG076", "verified",
                "%d verifications were for numbers with no message on its way, and %d for others: "
                "more is verified than was sent. Does the route answer wrong codes, or codes by "
                "e-mail, like right ones? See verified_when=",
                without, right,
            )  # fmt: skip

    def code_refused(self) -> None:
        """The app has said of an entered code that it is wrong."""
        self._says_wrong = True

    def not_understood(self, what: Misunderstood, detail: str) -> None:
        """An answer to an entered code was no error, and taught nothing."""
        self.misunderstood[what] += 1
        if what != "wrong_code":
            self.counts["not_understood"] += 1
            self.notices.say("PG024", what, "a verification was not understood: %s", detail)

    def lost(self, reason: str, count: int = 1, *, in_the_end: bool = False) -> None:
        """So many more outcomes could not be told to the store."""
        self.counts["outcomes_lost"] += count
        self.notices.say(
            "PG075", "in the end" if in_the_end else "lost",
            "%d outcomes were lost on the way to the store (%s): verifications teach nothing, "
            "failed messages are not refunded",
            self.counts["outcomes_lost"], reason,
        )  # fmt: skip
