"""At most so many messages per phone, network, prefix, country: any dimension, any mix of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Counts, Reading, Window
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, action_of
from pumpguard.rules.limits_notation import check_dimensions, check_earned, parse_limits


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Limits what is admitted per subject, in the notation of the ``limits`` package.

    ``by`` is a dimension or several, which are then counted in combination. ``regions`` restricts
    the rule to phones of these regions, ``except_regions`` exempts them. Where the attempt has no
    value on a dimension (no session, address unknown), the rule has nothing to say.

    ``earned`` lets subjects whose users verify have up to so many times the limits
    (`pumpguard.rules.EarnedTrust`); never more than the room they have earned at that moment.

        RateLimit(name="phone_limit", by="phone", limits="1/minute; 5/day")
        RateLimit(name="pair", by=("network", "country"), limits="10/hour", action="challenge")
        RateLimit(name="offices", by="network", limits="15/hour", earned=10)
    """

    by: str | Sequence[str]
    limits: str
    name: str = "rate_limit"
    mode: Mode = "enforce"
    action: ActionName = "throttle"
    counts: Counts = "admissions"
    regions: Sequence[str] = ()
    except_regions: Sequence[str] = ()
    earned: int = 1
    weight: float = 1.5
    declares_by: ClassVar[Sequence[str]] = ("country",)
    needs_readings: ClassVar[bool] = True
    _windows: tuple[Window, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = f"rules.{self.name}"
        check(self, path)
        by = check_dimensions(self.by, f"{path}.by")
        pairs = parse_limits(self.limits, f"{path}.limits")
        check_earned(self.earned, max(limit for limit, _ in pairs), self.name)
        windows = tuple(
            Window(self.name, by, limit, seconds, action_of(self.action), self.counts, self.earned)
            for limit, seconds in pairs
        )
        object.__setattr__(self, "_windows", windows)

    @property
    def earns(self) -> Sequence[str]:
        """Whose verifications make room."""
        return [self._windows[0].by] if self.earned > 1 else []

    def counters(self, attempt: Attempt) -> Sequence[Window]:
        """One sliding window per limit."""
        region = attempt.phone.region
        if (self.regions and region not in self.regions) or region in self.except_regions:
            return ()
        return self._windows

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding about the window that stays full longest."""
        pairs = zip(self._windows, readings, strict=False)
        window, reading = max(pairs, key=lambda pair: pair[1].wait, default=(None, None))
        if window is None or reading is None or not reading.full:
            return None
        return Finding(
            self.name,
            window.action,
            "RATE_LIMIT",
            {
                "by": window.by,
                "used": reading.used,
                "limit": reading.detail[0] if reading.detail else window.limit,
                "seconds": window.seconds,
            },
            retry_after=reading.wait,
            weight=self.weight,
            subject=attempt.subject(window.by),
            mode=self.mode,
        )
