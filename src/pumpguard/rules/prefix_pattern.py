"""Blocks of adjacent numbers: what pumping looks like, because attackers own ranges, not people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pumpguard.attempt import Attempt, Phone
from pumpguard.config import check
from pumpguard.counters import NEIGHBOURS_REMEMBERED, Neighbours, Reading, Window
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, action_of, require
from pumpguard.rules.limits_notation import HIGHEST_LIMIT, parse_limits

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

    In ``relaxed_regions``, where most users live, limits are ``relaxed_factor`` times as high.

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
    relaxed_regions: Sequence[str] = ()
    relaxed_factor: int = 10
    weight: float = 2.0
    _windows: tuple[tuple[int, int, int], ...] = field(init=False, repr=False)

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
        windows = []
        for size, limits in self.blocks.items():
            drop = len(str(size)) - 1
            right = str(size) == str(10**drop) and 1 <= drop <= 9
            require(right, self.name, "blocks", "sizes '10', '100', '1000', …", size)
            pairs = parse_limits(limits, f"{path}.blocks.{size}")
            windows += [(drop, limit, seconds) for limit, seconds in pairs]
        most = max((limit for _, limit, _ in windows), default=0)
        countable = most * self.relaxed_factor <= HIGHEST_LIMIT
        require(countable, self.name, "relaxed_factor", "a countable limit", self.relaxed_factor)
        object.__setattr__(self, "_windows", tuple(sorted(windows)))

    def counters(self, attempt: Attempt) -> Sequence[Neighbours | Window]:
        """The neighbourhood first, then blocks from narrow to wide."""
        return [counter for _, counter in self._declared(attempt.phone)]

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding about the narrowest full block."""
        declared = zip(self._declared(attempt.phone), readings, strict=False)
        for (size, counter), reading in declared:
            if reading.full:
                return Finding(
                    self.name,
                    action_of(self.action),
                    "PREFIX_ADJACENT" if isinstance(counter, Neighbours) else "PREFIX_SURGE",
                    {
                        "block": size,
                        "used": reading.used,
                        "limit": counter.limit,
                        "seconds": counter.seconds,
                    },
                    retry_after=reading.wait,
                    weight=self.weight,
                    subject=counter.subject,
                    mode=self.mode,
                )
        return None

    def _declared(self, phone: Phone) -> list[tuple[int, Neighbours | Window]]:
        action = action_of(self.action)
        factor = self.relaxed_factor if phone.region in self.relaxed_regions else 1
        declared: list[tuple[int, Neighbours | Window]] = []
        around = phone.prefix(BLOCK_DIGITS)
        if self.neighbours and around is not None:
            place = int(phone.e164[-BLOCK_DIGITS:])
            walk = Neighbours(
                self.name,
                "prefix",
                around,
                self.neighbours,
                self.seconds,
                place,
                self.distance,
                action,
            )
            declared.append((2 * self.distance + 1, walk))
        for drop, limit, seconds in self._windows:
            block = phone.prefix(drop)
            if block is not None:
                window = Window(self.name, "prefix", block, limit * factor, seconds, action)
                declared.append((10**drop, window))
        return declared
