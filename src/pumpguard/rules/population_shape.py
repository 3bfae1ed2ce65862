"""A burst is not an attack: whether a country's messages go where they always went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Gaps, Mix, Reading, Unallocated
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, Rule, action_of
from pumpguard.rules.limits_notation import check_dimensions

Signal = Mix | Gaps | Unallocated


class PopulationShape(Rule):
    """Asks for proof while a country's messages are not shaped as they always were.

    A promotion makes all ranges busier together and is no finding. An attack is, by one of three
    signals, each with the nats at which it speaks (0: off):

    - ``gaps``: numbers lie nearer to each other than people's, because they are drawn from blocks,
      in whatever order and however wide. Asks whoever is as near to one of the last 128 numbers.
    - ``unallocated``: more of them than usual belong to nobody, because digits are drawn at random.
      Asks everybody. It needs ``guard.settle(ticket, "unallocated")``, by which the app tells what
      the operator said of a message that was sent.
    - ``mix``: they are spread over the country's ranges as never before, in an average over
      ``seconds`` and at least ``minimum`` messages. Asks for what is more than a range's share.

    An alarm lasts ``hold`` seconds, and known numbers pass. ``mix`` judges a country once 30 of its
    messages were seen, ``unallocated`` 100, ``gaps`` the fifth.

    Sources: Page's CUSUM over nearest-neighbour gaps and over rejections, the G-test
    (log-likelihood ratio) for the mix. What was measured, and why this is not in the default chain,
    is in ``docs/detection.md``.
    """

    gaps: float = 12.0
    unallocated: float = 12.0
    mix: float = 12.0
    minimum: int = 6
    seconds: int = 600
    hold: int = 3_600
    by: str = "country"
    name: str = "population_shape"
    mode: Mode = "enforce"
    action: ActionName = "challenge"
    weight: float = 2.0
    declares_by = ()
    _signals: tuple[Signal, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = f"rules.{self.name}"
        check(self, path)
        for signal in ("gaps", "unallocated", "mix"):
            nats = getattr(self, signal)
            self.require(0 <= nats < 1_000, signal, "nats, or 0 for off", nats)
        signals = self.gaps or self.unallocated or self.mix
        self.require(bool(signals), "gaps", "some signal above 0", self.gaps)
        self.require(3 <= self.minimum <= 10_000, "minimum", "3 to 10000", self.minimum)
        in_a_day = 120 <= self.seconds <= 86_400
        self.require(in_a_day, "seconds", "120 to 86400", self.seconds)
        self.require(60 <= self.hold <= 86_400, "hold", "60 to 86400", self.hold)
        by = check_dimensions(self.by.split("+"), f"{path}.by")
        action, hold = action_of(self.action), self.hold
        signals_on: list[Signal] = []
        if self.gaps:
            signals_on.append(Gaps(self.name, by, self.gaps, hold, action))
        if self.unallocated:
            signals_on.append(Unallocated(self.name, by, self.unallocated, hold, action))
        if self.mix:
            mix = Mix(self.name, by, self.minimum, self.mix, self.seconds, hold, action)
            signals_on.append(mix)
        object.__setattr__(self, "_signals", tuple(signals_on))

    @property
    def needs_outcomes(self) -> bool:  # type: ignore[override]
        """Whether it has to hear what became of messages."""
        return self.unallocated > 0

    @property
    def outcome_dimensions(self) -> tuple[str, ...]:
        """By what it has to hear of them."""
        return (self.by,) if self.needs_outcomes else ()

    def counters(self, attempt: Attempt) -> Sequence[Signal]:
        """A counter for each signal, about the country."""
        return self._signals

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding while the country is unlike itself, with what each signal says that spoke."""
        evidence: dict[str, int | float | str | None] = {"by": self.by}
        spoke, wait = [], 0.0
        for signal, reading in zip(self._signals, readings, strict=True):
            if reading.full:
                name, said = SAYS[type(signal)](reading)
                spoke.append(name)
                evidence.update(said)
                wait = max(wait, reading.wait)
        if not spoke:
            return None
        return Finding(
            self.name,
            action_of(self.action),
            "POPULATION_UNUSUAL",
            {"signals": ", ".join(spoke), **evidence},
            retry_after=wait,
            weight=self.weight,
            subject=attempt.subject(self.by),
            mode=self.mode,
        )


Said = tuple[str, dict[str, int | float | str | None]]


def _gaps(reading: Reading) -> Said:
    nats, usual = reading.detail
    return "gaps", {"gaps_nats": nats / 1000 or None, "as_near_usually": usual / 1000}


def _unallocated(reading: Reading) -> Said:
    sent, rejected = reading.detail
    said = {"unallocated_nats": reading.used / 1000, "rejected": rejected, "of": sent}
    return "unallocated", dict(said)


def _mix(reading: Reading) -> Said:
    nats, usual = reading.detail
    said = {
        "recent": reading.used,
        "mix_nats": nats / 1000 or None,
        "usual_in_range": round(usual / 256, 2),
    }
    return "mix", dict(said)


SAYS: dict[type[Signal], Callable[[Reading], Said]] = {
    Gaps: _gaps,
    Unallocated: _unallocated,
    Mix: _mix,
}
