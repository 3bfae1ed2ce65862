"""Whether a guard hears verifications, and whether it may believe them.

Until the first is heard, in any process, it cannot know whether nobody verifies or it is deaf. Till
then the rules that need verifications only monitor: whoever is attacked meanwhile is held by the
others and by the budget, as without them, and people do not pay for a mistake in the setup.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Literal

from pumpguard.attempt import Phone
from pumpguard.notices import Notices

if TYPE_CHECKING:
    from pumpguard.observations.crowd import Crowd

NOTHING_HEARD = "PG071"

SILENT = 50
"""Of so many messages that nobody will enter any more (``matured``) somebody has entered a code."""

MISUNDERSTOOD, ASKED_EVERY = 5, 10.0
"""Verifications that were answered like successes and not understood, while none was; and seconds
between questions whether another process has heard one."""

WITHOUT_MESSAGE, PART_WITHOUT = 5, 0.05
"""Verifications of numbers with no message on its way: so many, and such a part of all, mean that
wrong codes are answered like right ones. Who mistypes a code enters two for one message."""

NEVER_WRONG, BELIEVED = 500, 5
"""Of so many codes somebody has mistyped one, even where phones fill them in (no source; with one
in a hundred, none is wrong in 500 once in 150 times); and how many are believed where ranges stand
out, until one was wrong."""

Misunderstood = Literal["answer", "number", "flow", "wrong_code"]


class Hearing:
    """What one guard has heard of verifications, fed by the middleware and the outcomes.

    ``listens``: whether verifications are told; ``told_success``: whether the policy says what
    success is. ``deaf``: none was ever heard, in no process, so the rules that need them monitor.
    ``watches``: that may be so, or it matters whether requests look like a crowd. ``crowds``:
    requests abroad, and at home.
    """

    def __init__(
        self, notices: Notices, counts: Counter[str], crowds: tuple[Crowd, Crowd], *,
        listens: bool, told_success: bool,
    ) -> None:  # fmt: skip
        self.deaf = self.distrusts = self._complained = False
        self.arrives, self.watches = not listens, listens
        self.crowds = crowds
        self.misunderstood: Counter[Misunderstood] = Counter()
        """Verifications that were answered below 400 and taught nothing, by what was missing."""
        self._notices, self._counts = notices, counts
        self.asks_at = 0.0
        self._told, self._says_wrong = told_success, False
        self._standing_out = 0

    def asks(self, at: float) -> bool:
        """Whether to ask the fleet now; not again for a minute."""
        if self.arrives or at < self.asks_at:
            return False
        self.asks_at = at + ASKED_EVERY
        return True

    def hear(self) -> None:
        """A verification of an open message was heard, here or in another process."""
        if self.distrusts:
            return
        if self._complained:
            text = "a verification was heard; the rules that need them are enforced"
            self._notices.say(NOTHING_HEARD, "heard", text, level=logging.INFO)
        self.arrives, self.deaf, self._complained = True, False, False
        self.watches = not (self._told or self._says_wrong)

    def fall_silent(self, *, ever_heard: bool) -> None:
        """No process has heard a verification lately. The rules that need them stay enforced where
        one was ``ever_heard``, or all codes were plainly wrong: then nothing is missed."""
        counts = self._counts
        understood = not self.misunderstood and counts["codes_refused"] >= MISUNDERSTOOD
        self.deaf = not (ever_heard or understood)
        if counts["matured"] < SILENT and counts["not_understood"] < MISUNDERSTOOD:
            return
        says = "only monitor until the first is heard" if self.deaf else "stay enforced"
        self._complained = self.deaf
        missing = ", ".join(f"{n} by their {what}" for what, n in self.misunderstood.items())
        self._notices.say(
            NOTHING_HEARD, "verify",
            "%d messages were sent and no verification was heard%s; not understood: %s. The rules "
            "that need verifications %s. Check verify=, verify_phone=, flow= and verified_when=",
            counts["sent"], " for a day" if ever_heard else "", missing or "none", says,
        )  # fmt: skip

    def believes(self, phone: Phone) -> bool:
        """Whether an answer on the verify route may verify this number. Where the policy does not
        say what success is, and no code was ever wrong, those of ranges that stand out may be
        anybody's who enters anything."""
        if self.distrusts or self._told or self._says_wrong:
            return not self.distrusts
        if not any(crowd.stands_out(phone) for crowd in self.crowds):
            return True
        self._standing_out += 1
        if self._standing_out < BELIEVED:
            return True
        return not self._never_wrong(
            "%d codes were right for few ranges of numbers, and none was wrong: are wrong ones "
            "answered alike? These are not counted until one is wrong, or verified_when= says what "
            "success is",
            self._standing_out,
        )

    def verified(self, *, is_open: bool, another: bool = False) -> None:
        """A verification was told; ``is_open``: for a message that was on its way. ``another``: by
        another code than the one that was right for this message before."""
        counts = self._counts
        counts["verified" if is_open else "verified_without_message"] += 1
        right, without = counts["verified"], counts["verified_without_message"]
        if is_open:
            self.hear()
            if right >= NEVER_WRONG and not self._says_wrong:
                self._never_wrong(
                    "all of %d codes were right, so far: does the route answer wrong codes like "
                    "right ones%s? Then whoever enters anything is believed. See verified_when=",
                    right, ", as verified_when= reads them" if self._told else "",
                )  # fmt: skip
            return
        counts["second_codes"] += another
        seconds, many = counts["second_codes"], PART_WITHOUT * (right + without)
        if seconds >= WITHOUT_MESSAGE and seconds > many and not self._told:
            self._distrust(seconds)
        elif without >= WITHOUT_MESSAGE and without > many:
            self._notices.say(
                "PG076", "verified",
                "%d verifications were for numbers with no message on its way, and %d for others: "
                "more is verified than was sent. Does the route answer wrong codes, or codes by "
                "e-mail, like right ones? See verified_when=",
                without, right,
            )  # fmt: skip

    def _distrust(self, codes: int) -> None:
        """Two codes for one message cannot both be right."""
        self.distrusts = self.watches = self.crowds[True].monitored = True
        self.arrives = self.deaf = False
        self._notices.say(
            "PG076", "second codes",
            "a second, other code was right for one message, %d times: wrong codes are answered "
            "like right ones. No verification of the route is counted until verified_when= says "
            "what success is",
            codes, level=logging.ERROR,
        )  # fmt: skip

    def _never_wrong(self, text: str, *facts: object) -> bool:
        self._notices.say("PG089", "never wrong", text, *facts)
        return True

    def code_refused(self) -> None:
        """The app has said of an entered code that it is wrong."""
        self._counts["codes_refused"] += 1
        self._says_wrong = True
        self.watches = not self.arrives

    def not_understood(self, what: Misunderstood, detail: str) -> None:
        """An answer to an entered code was no error, and taught nothing."""
        self.misunderstood[what] += 1
        if what != "wrong_code":
            self._counts["not_understood"] += 1
            self._notices.say("PG024", what, "a verification was not understood: %s", detail)
