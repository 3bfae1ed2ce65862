"""At most so many messages per phone, network, prefix, country: any dimension, any mix of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Counts, Reading, Window
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, action_of
from pumpguard.rules.limits_notation import check_dimensions, parse_limits, subject_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Limits what is admitted per subject, in the notation of the ``limits`` package.

    ``by`` is a dimension or several, which are then counted in combination. ``regions`` restricts
    the rule to phones of these regions, ``except_regions`` exempts them. Where the attempt has no
    value on a dimension (no session, address unknown), the rule has nothing to say.

        RateLimit(name="phone_limit", by="phone", limits="1/minute; 5/day")
        RateLimit(name="pair", by=("network", "country"), limits="10/hour", action="challenge")
    """

    by: str | Sequence[str]
    limits: str
    name: str = "rate_limit"
    mode: Mode = "enforce"
    action: ActionName = "throttle"
    counts: Counts = "admissions"
    regions: Sequence[str] = ()
    except_regions: Sequence[str] = ()
    weight: float = 1.5
    _dimensions: tuple[str, ...] = field(init=False, repr=False)
    _windows: tuple[tuple[int, int], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = f"rules.{self.name}"
        check(self, path)
        object.__setattr__(self, "_dimensions", check_dimensions(self.by, f"{path}.by"))
        object.__setattr__(self, "_windows", parse_limits(self.limits, f"{path}.limits"))

    def counters(self, attempt: Attempt) -> Sequence[Window]:
        """One sliding window per limit."""
        subject = subject_of(attempt, self._dimensions)
        if subject is None or not self._concerns(attempt.phone.region):
            return ()
        dimension, action = "+".join(self._dimensions), action_of(self.action)
        return [
            Window(self.name, dimension, subject, limit, seconds, action, self.counts)
            for limit, seconds in self._windows
        ]

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding about the window that stays full longest."""
        full = [pair for pair in zip(self._windows, readings, strict=False) if pair[1].full]
        if not full:
            return None
        (limit, seconds), reading = max(full, key=lambda pair: pair[1].wait)
        return Finding(
            self.name,
            action_of(self.action),
            "RATE_LIMIT",
            {
                "by": "+".join(self._dimensions),
                "used": reading.used,
                "limit": limit,
                "seconds": seconds,
            },
            retry_after=reading.wait,
            weight=self.weight,
            subject=subject_of(attempt, self._dimensions),
            mode=self.mode,
        )

    def _concerns(self, region: str | None) -> bool:
        if self.regions and region not in self.regions:
            return False
        return region not in self.except_regions
