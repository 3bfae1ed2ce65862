"""Blocks of adjacent numbers: what pumping looks like, because attackers own ranges, not people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pumpguard.attempt import PREFIX, Attempt
from pumpguard.config import check
from pumpguard.counters import NEIGHBOURS_REMEMBERED, Neighbours, Reading, Window
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, action_of, asked_first, require
from pumpguard.rules.limits_notation import HIGHEST_LIMIT, check_earned, parse_limits

BLOCK_DIGITS = 4
"""Neighbours are looked for inside a block of 10,000: its numbers differ in the last 4 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixPattern:
    """Refuses the narrowest block of numbers that explains a surge.

    ``blocks`` maps a block's size (``"100"``, ``"1000"``, …) to its limits; a number belongs to
    one block of each size. Because a refused request charges nothing, a surge in a narrow block
    fills that block and leaves the wider ones around it open to everybody else.

    ``neighbours`` other numbers within ``distance`` of this one, admitted within ``seconds``,
    count as a walk through a block, in whatever order (0 turns this off).

    With ``ask_first``, a challenge comes before each refusal, as in `Credit`.

    In ``relaxed_regions``, where most users live, limits are ``relaxed_factor`` times as high.
    ``earned`` lets blocks whose users verify have up to so many times their limits
    (`pumpguard.rules.EarnedTrust`); who owns a block can verify in it, so leave it at 1 for narrow
    ones.

    Sources: blocks of 1,000 (last three digits dropped, 10 per day: ``achrafsouk/sms-pumping``)
    and of 10,000 (last four: Coss fraud guard); adjacent numbers as the mark of the attack: MITRE
    ATT&CK T1496.003, Flipdish engineering, Telnyx's verification guide.
    """

    blocks: Mapping[str, str] = field(default_factory=dict)
    neighbours: int = 0
    distance: int = 10
    seconds: int = 3600
    name: str = "prefix_pattern"
    mode: Mode = "enforce"
    action: ActionName = "throttle"
    ask_first: bool = False
    relaxed_regions: Sequence[str] = ()
    relaxed_factor: int = 10
    earned: int = 1
    weight: float = 2.0
    declares_by: ClassVar[Sequence[str]] = ("country",)
    _strict: tuple[Neighbours | Window, ...] = field(init=False, repr=False)
    _relaxed: tuple[Neighbours | Window, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = f"rules.{self.name}"
        check(self, path)
        require(
            0 <= self.neighbours <= NEIGHBOURS_REMEMBERED,
            self.name, "neighbours", f"0 to {NEIGHBOURS_REMEMBERED}", self.neighbours,
        )  # fmt: skip
        require(
            0 < self.distance < 10**BLOCK_DIGITS, self.name, "distance", "1 to 9999", self.distance
        )
        require(self.seconds > 0, self.name, "seconds", "at least 1", self.seconds)
        require(
            self.relaxed_factor > 0, self.name, "relaxed_factor", "at least 1", self.relaxed_factor
        )
        blocks = self._checked_blocks(path)
        most = max((limit for _, limit, _ in blocks), default=0)
        countable = most * self.relaxed_factor <= HIGHEST_LIMIT
        require(countable, self.name, "relaxed_factor", "a countable limit", self.relaxed_factor)
        check_earned(self.earned, most * self.relaxed_factor, self.name)
        object.__setattr__(self, "_strict", self._declared(blocks, 1))
        object.__setattr__(self, "_relaxed", self._declared(blocks, self.relaxed_factor))

    @property
    def earns(self) -> Sequence[str]:
        """Whose verifications make room."""
        windows = [counter for counter in self._strict if isinstance(counter, Window)]
        return [window.by for window in windows] if self.earned > 1 else []

    def counters(self, attempt: Attempt) -> Sequence[Neighbours | Window]:
        """The neighbourhood first, then blocks from narrow to wide."""
        return self._relaxed if attempt.phone.region in self.relaxed_regions else self._strict

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding about the narrowest full block."""
        for counter, reading in zip(self.counters(attempt), readings, strict=False):
            if reading.full:
                return Finding(
                    self.name,
                    asked_first(counter.action, attempt) if self.ask_first else counter.action,
                    "PREFIX_ADJACENT" if isinstance(counter, Neighbours) else "PREFIX_SURGE",
                    {
                        "block": _size(counter),
                        "used": reading.used,
                        "limit": reading.detail[0] if reading.detail else counter.limit,
                        "seconds": counter.seconds,
                    },
                    retry_after=reading.wait,
                    weight=self.weight,
                    subject=attempt.subject(counter.by),
                    mode=self.mode,
                )
        return None

    def _checked_blocks(self, path: str) -> list[tuple[int, int, int]]:
        """Digits dropped, limit and seconds of each window, from narrow to wide."""
        windows: list[tuple[int, int, int]] = []
        for size, limits in self.blocks.items():
            drop = len(str(size)) - 1
            right = str(size) == str(10**drop) and 1 <= drop <= 9
            require(right, self.name, "blocks", "sizes '10', '100', '1000', …", size)
            pairs = parse_limits(limits, f"{path}.blocks.{size}")
            windows += [(drop, limit, seconds) for limit, seconds in pairs]
        return sorted(windows)

    def _declared(
        self, blocks: list[tuple[int, int, int]], factor: int
    ) -> tuple[Neighbours | Window, ...]:
        action = action_of(self.action)
        walk = Neighbours(
            self.name,
            f"{PREFIX}{BLOCK_DIGITS}",
            self.neighbours,
            self.seconds,
            self.distance,
            action,
        )
        windows = (
            Window(
                self.name,
                f"{PREFIX}{drop}",
                limit * factor,
                seconds,
                action,
                max_factor=self.earned,
            )
            for drop, limit, seconds in blocks
        )
        return (*((walk,) if self.neighbours else ()), *windows)


def _size(counter: Neighbours | Window) -> int:
    """How many numbers a counter is about."""
    if isinstance(counter, Neighbours):
        return 2 * counter.distance + 1
    return int(10 ** int(counter.by.removeprefix(PREFIX)))
