"""A solved challenge counts once; and what asks for one at all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol, cast

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Reading, Window
from pumpguard.decision import Action, Finding, Mode
from pumpguard.rules.base import Rule, require

USED = "SOLUTION_USED"
"""The reason code of a solution that was used before: it proves nothing."""

logger = logging.getLogger("pumpguard")


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleUse:
    """Lets every solution of a challenge through once, and asks for another one after that.

    A guard with a challenge has it on its own accord. It is one more counter in the trip that
    decides, so what is refused uses no solution up. ``seconds`` is for how long a used one is
    remembered.
    """

    seconds: int
    name: str = "challenge"
    mode: Mode = "enforce"
    declares_by: ClassVar[Sequence[str]] = ()
    _window: tuple[Window, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check(self, f"rules.{self.name}")
        require(self.seconds > 0, self.name, "seconds", "at least 1", self.seconds)
        # More than a challenge, in the eyes of the store: that would be met by the proof itself.
        window = Window(self.name, "solution", 1, self.seconds, Action.THROTTLE)
        object.__setattr__(self, "_window", (window,))

    def counters(self, attempt: Attempt) -> Sequence[Window]:
        """A window for one use, if something is proved."""
        return self._window if attempt.proved else ()

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding about a solution that was used before; see `pumpguard.verdict`."""
        if not readings or not readings[0].full:
            return None
        return Finding(self.name, Action.CHALLENGE, USED, {"seconds": self.seconds}, mode=self.mode)


class Expiring(Protocol):
    """A challenge, as far as this rule cares: no solution is accepted after ``lifetime`` s."""

    @property
    def lifetime(self) -> int:
        """In seconds."""
        ...


def once(chain: Sequence[Rule], challenge: Expiring | None) -> tuple[Rule, ...]:
    """The chain in which each solution of this challenge counts once.

    Without one, rules that mean to ask and not to refuse (``needs_challenge``) are only recorded.
    """
    if challenge is None:
        return tuple(_recorded(rule) if _only_asks(rule) else rule for rule in chain)
    # Twice as long, because the clocks of app servers and of the store need not agree.
    return (*chain, SingleUse(seconds=2 * challenge.lifetime))


def _only_asks(rule: Rule) -> bool:
    return rule.mode == "enforce" and getattr(rule, "needs_challenge", False)


def _recorded(rule: Rule) -> Rule:
    changed: Any = replace(cast(Any, rule), mode="monitor")
    return cast(Rule, changed)


def asks_for_proof(rule: Rule) -> bool:
    """Whether findings of this rule put a challenge to the client, as far as it says."""
    asks = getattr(rule, "action", None) == "challenge" or getattr(rule, "ask_first", False)
    return rule.mode == "enforce" and asks


def refuses_for_want_of_one(rule: Rule) -> bool:
    """Whether this rule refuses where it would ask, if nobody can check the proof."""
    return asks_for_proof(rule) and not _only_asks(rule)


def warn_of_no_way_out(chain: Iterable[Rule], others_ask: bool) -> None:
    """Say so if somebody may be asked for proof that nobody here can check, as far as can be known
    beforehand; ``others_ask`` if the risk score or escalation may."""
    if others_ask or any(refuses_for_want_of_one(rule) for rule in chain):
        logger.warning(
            "PG003 rules ask for proof, and no challenge= can tell a solved one: "
            "whoever is asked stays refused"
        )
