"""Blocks of adjacent numbers: the mark of pumping, because attackers own ranges of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cached_property

from pumpguard.attempt import PREFIX, Attempt
from pumpguard.counters import NEIGHBOURS_REMEMBERED, Neighbours, Reading, Window
from pumpguard.decision import Finding
from pumpguard.rules.base import (
    HIGHEST_LIMIT,
    Rule,
    check_earned,
    first_full,
    only_asking,
    parse_limits,
)

BLOCK_DIGITS = 4
"""Neighbours are looked for inside a block of 10,000: its numbers differ in the last 4 digits."""


class PrefixPattern(Rule):
    """Refuses the narrowest block of numbers that explains a surge.

    ``blocks`` maps a block's size (``"100"``, ``"1000"``, …) to its limits; a number belongs to
    one block of each size. Because a refused request charges nothing, a surge in a narrow block
    fills that block and leaves the wider ones around it open to everybody else.

    ``neighbours`` other numbers within ``distance`` of this one, admitted within ``seconds``,
    count as a walk through a block, in whatever order (0 turns this off).

    In ``relaxed_regions``, where most users live, limits are ``relaxed_factor`` times as high.
    ``earned`` lets blocks whose users verify have up to so many times their limits
    (`pumpguard.outcomes.Outcomes`). The owner of a block can verify in it, so leave it at 1 for
    narrow ones. ``reserved`` is what customers have beside each limit of a block, as in
    `pumpguard.rules.RateLimit`; they are not asked about neighbours. With ``unverified``, messages
    that were verified give their places back.

    Sources: blocks of 1,000 (last three digits dropped, 10 per day: ``achrafsouk/sms-pumping``)
    and of 10,000 (last four: Coss fraud guard); adjacent numbers as the mark of the attack: MITRE
    ATT&CK T1496.003, Flipdish engineering, Telnyx's verification guide.
    """

    blocks: Mapping[str, str] = field(default_factory=dict)
    neighbours: int = 0
    distance: int = 10
    seconds: int = 3600
    ask_first: bool = False
    relaxed_regions: Sequence[str] = ()
    relaxed_factor: int = 10
    earned: int = 1
    reserved: float = 0.0
    unverified: bool = False
    weight: float = 2.0
    declares_by = ("country",)
    needs_outcomes = True

    @cached_property
    def _strict(self) -> tuple[Neighbours | Window, ...]:
        most = NEIGHBOURS_REMEMBERED
        self.require(0 <= self.neighbours <= most, "neighbours", f"0 to {most}")
        self.require(0 < self.distance < 10**BLOCK_DIGITS, "distance", "1 to 9999")
        self.require(self.seconds > 0, "seconds", "at least 1")
        self.require(0 <= self.reserved <= 10, "reserved", "0 to 10")
        return self._declared(1)

    @cached_property
    def _relaxed(self) -> tuple[Neighbours | Window, ...]:
        factor = self.relaxed_factor
        self.require(factor > 0, "relaxed_factor", "at least 1")
        highest = factor * max((limit for _, limit, _ in self._blocks), default=0)
        self.require(highest <= HIGHEST_LIMIT, "relaxed_factor", "a countable limit")
        check_earned(self.earned, highest, self.name)
        return self._declared(factor)

    @cached_property
    def _blocks(self) -> list[tuple[int, int, int]]:
        """Digits dropped, limit and seconds of each window, from narrow to wide."""
        windows: list[tuple[int, int, int]] = []
        for size, limits in self.blocks.items():
            drop = len(str(size)) - 1
            right = str(size) == str(10**drop) and 1 <= drop <= 9
            self.require(right, "blocks", "sizes '10', '100', '1000', …", size)
            pairs = parse_limits(limits, f"rules.{self.name}.blocks.{size}")
            windows += [(drop, limit, seconds) for limit, seconds in pairs]
        return sorted(windows)

    def _declared(self, factor: int) -> tuple[Neighbours | Window, ...]:
        name, by, action = self.name, f"{PREFIX}{BLOCK_DIGITS}", self.effect
        walk = Neighbours(name, by, self.neighbours, self.seconds, self.distance, action)
        windows: list[Neighbours | Window] = [walk] if self.neighbours else []
        for drop, limit, seconds in self._blocks:
            kept = int(limit * factor * self.reserved)
            windows.append(
                Window(
                    name, f"{PREFIX}{drop}", limit * factor + kept, seconds, action,
                    max_factor=self.earned, reserved=kept, unverified=self.unverified,
                )
            )  # fmt: skip
        return tuple(windows)

    @property
    def earned_by(self) -> Sequence[str]:
        windows = [counter for counter in self._strict if isinstance(counter, Window)]
        return [window.by for window in windows] if self.earned > 1 else []

    @cached_property
    def _asking(self) -> tuple[tuple[Neighbours | Window, ...], ...]:
        return only_asking(self._strict), only_asking(self._relaxed)

    def counters(self, attempt: Attempt) -> Sequence[Neighbours | Window]:
        relaxed = attempt.phone.region in self.relaxed_regions
        if self.ask_first and not attempt.proved:
            return self._asking[relaxed]
        return self._relaxed if relaxed else self._strict

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        counter, reading = first_full(self.counters(attempt), readings)
        if counter is None or reading is None:
            return None
        code, block = "PREFIX_SURGE", int(10 ** int(counter.by.removeprefix(PREFIX)))
        if isinstance(counter, Neighbours):
            code, block = "PREFIX_ADJACENT", 2 * counter.distance + 1
        limit = counter.limit if isinstance(counter, Neighbours) else counter.for_all
        limit = reading.detail[0] if reading.detail else limit
        return self.finding(
            code,
            {"block": block, "used": reading.used, "limit": limit, "seconds": counter.seconds},
            action=counter.action,
            retry_after=reading.wait,
            subject=attempt.subject(counter.by),
        )
