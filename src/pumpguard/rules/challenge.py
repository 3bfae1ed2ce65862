"""Each solution of a challenge counts once; and which rules ask for one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import cached_property

from pumpguard.attempt import Attempt
from pumpguard.challenges.base import Challenge
from pumpguard.counters import Reading, Window
from pumpguard.decision import Action, Finding
from pumpguard.rules.base import Rule, parse_limits
from pumpguard.rules.declared import changed

USED = "SOLUTION_USED"
"""The reason code of a solution that was used before: it proves nothing."""

UNASKED = 4
"""How many times its limit a subject may have before it is refused, where nobody can be asked for
proof at the limit. No source: 15 an hour for an address become the 60 that home countries have
(measured: docs/scorecard.md)."""

logger = logging.getLogger("pumpguard")


def widened(limits: str, factor: int, path: str) -> str:
    """The same limits, each so many times as high."""
    return "; ".join(
        f"{few * factor} per {seconds} second" for few, seconds in parse_limits(limits, path)
    )


class SingleUse(Rule):
    """Lets every solution of a challenge through once, and asks for another one after that.

    A guard with a challenge adds it automatically. A request that is refused uses no solution up; a
    used one is remembered for ``seconds``.
    """

    name: str = "challenge"
    seconds: int
    declares_by = ()

    @cached_property
    def _window(self) -> tuple[Window]:
        self.require(self.seconds > 0, "seconds", "at least 1")
        # Not CHALLENGE: to the store, that would be met by the proof itself.
        return (Window(self.name, "solution", 1, self.seconds, Action.THROTTLE),)

    def counters(self, attempt: Attempt) -> Sequence[Window]:
        return self._window if attempt.proved else ()

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        if not readings or not readings[0].full:
            return None
        return self.finding(USED, {"seconds": self.seconds}, action=Action.CHALLENGE)


def with_single_use(chain: Sequence[Rule], challenge: Challenge | None) -> tuple[Rule, ...]:
    """The chain in which each solution of this challenge counts once.

    Without one, rules are as they say of themselves (`Rule.without_challenge`), and those that mean
    to ask and not to refuse (``needs_challenge``) are only recorded.
    """
    if challenge is None:
        alone = [rule.without_challenge() for rule in chain]
        return tuple(
            changed(rule, "mode", "monitor")
            if rule.mode == "enforce" and rule.needs_challenge
            else changed(rule, "asks", rule.ask_first)  # with proof too it refuses, so at once
            for rule in alone
        )
    # Twice as long, because the clocks of app servers and of the store need not agree.
    return (*chain, SingleUse(seconds=2 * challenge.lifetime))


def warn_missing_challenge(chain: Iterable[Rule], others_ask: bool) -> None:
    """Log what becomes of asking for proof that nobody here can check, as far as can be known
    beforehand; ``others_ask`` if the risk score or escalation may ask."""
    enforced = [rule for rule in chain if rule.mode == "enforce"]
    asking = [rule.name for rule in enforced if rule.action == "challenge" or rule.needs_challenge]
    refusing = [rule.name for rule in enforced if rule.ask_first]
    if others_ask:
        refusing.append("the risk score or escalation")
    if asking or refusing:
        logger.warning(
            "PG003 no challenge= is set, so nobody can be asked for proof: rules that would ask "
            "let clients pass within wider limits (%s), and rules that would refuse even with "
            "proof refuse at once (%s). To ask: challenge=Altcha(policy); pumpguard serve --proof",
            *(", ".join(names) or "no rule" for names in (asking, refusing)),
        )
