"""The block of numbers that a surge comes from, of whatever width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Reading, Stage, Trie
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, Rule, action_of, asked_first
from pumpguard.rules.limits_notation import check_dimensions

STAGES = {stage.value: stage.name.lower() for stage in Stage}


class AdaptivePrefix(Rule):
    """Refuses the narrowest block of numbers that explains a surge, and lets it back with proof.

    Each country's traffic is held against its own past, digit by digit: a block is refused if
    ``minimum`` or more recent admissions (an average over ``seconds``) are ``h`` nats from what
    its part of the country lets expect. If the whole country is busier, more is expected of every
    block: a promotion is no surge. Blocks of more than ``10 ** widest`` numbers are never refused.

    A block is closed for ``hold`` seconds at first (known numbers pass), then asks for proof, then
    lets a few through, and is watched for three days; whoever comes back closes it again for twice
    as long. With ``ask_first``, a challenge comes before each refusal, as in `Credit`.

    Sources: hierarchical heavy hitters (Cormode et al., VLDB 2003); shrinkage of a child's share
    to its parent's; half-open recovery as in circuit breakers, and Login.gov's countries for
    confirmed numbers only. What was measured is in ``docs/detection.md``.
    """

    minimum: int = 6
    h: float = 14.0
    seconds: int = 600
    hold: int = 1_800
    widest: int = 7
    by: str = "country"
    name: str = "adaptive_prefix"
    mode: Mode = "enforce"
    action: ActionName = "block"
    ask_first: bool = False
    weight: float = 2.0
    declares_by = ()
    _tries: tuple[tuple[Trie], tuple[Trie]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = f"rules.{self.name}"
        check(self, path)
        self.require(3 <= self.minimum <= 10_000, "minimum", "3 to 10000", self.minimum)
        self.require(0 < self.h < 1_000, "h", "nats above 0", self.h)
        in_a_day = 120 <= self.seconds <= 86_400
        self.require(in_a_day, "seconds", "120 to 86400", self.seconds)
        self.require(60 <= self.hold <= 86_400, "hold", "60 to 86400", self.hold)
        self.require(2 <= self.widest <= 14, "widest", "2 to 14", self.widest)
        check_dimensions(self.by.split("+"), f"{path}.by")
        plain, proved = (self._declared(proved=proved) for proved in (False, True))
        object.__setattr__(self, "_tries", ((plain,), (proved,)))

    def counters(self, attempt: Attempt) -> Sequence[Trie]:
        """The trie of the country; who solved a challenge gets further in it."""
        return self._tries[attempt.proved]

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding about the block that is closed; while it asks for proof, a challenge."""
        reading = readings[0]
        if not reading.full:
            return None
        length, stage = reading.detail if len(reading.detail) == 2 else (0, Stage.CLOSED)
        action = action_of(self.action)
        if self.ask_first or stage == Stage.PROOF:
            action = asked_first(action, attempt)
        national = attempt.phone.national
        evidence = {
            "prefix": attempt.phone.e164[: len(attempt.phone.e164) - len(national) + length],
            "numbers": 10 ** max(0, len(national) - length),
            "recent": reading.used,
            "stage": STAGES.get(stage, "closed"),
        }
        return Finding(
            self.name,
            action,
            "PREFIX_UNUSUAL",
            evidence,
            retry_after=reading.wait,
            weight=self.weight,
            subject=str(evidence["prefix"]),
            mode=self.mode,
        )

    def _declared(self, *, proved: bool) -> Trie:
        return Trie(
            self.name, self.by, self.minimum, self.h, self.seconds, self.hold, self.widest,
            proved, action_of(self.action),
        )  # fmt: skip
