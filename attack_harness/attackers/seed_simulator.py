"""The attack of the public SMS Pumping Simulator that this harness grew out of (djob195, 2026)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import addresses
from ..clock import HOUR
from .base import Attack, Ground, Shot


@dataclass(frozen=True)
class SeedSimulator:
    """Random numbers of five countries from random addresses, most of them asked for again.

    The four parameters and their values are those of ``run_sms_pumping_simulation.py`` in
    djob195's SMS Pumping Simulator: 20 requests per second by each of 5 workers for 15 seconds,
    each reusing an earlier number with probability 0.7; the numbers are one of five calling codes
    and ten random digits, so many are not allocated; every request comes from an address that the
    simulator's fake firewall invents; no challenge is ever solved. (The original puts the one-time
    password into the ``code`` field, where a server that joins ``code`` and ``phone`` glues it to
    the number. That is a slip of the script, not a part of the attack, and is not copied.)
    """

    requests_per_second: float = 20.0
    concurrent_workers: int = 5
    duration_seconds: float = 15.0
    phone_reuse_ratio: float = 0.7
    calling_codes: tuple[str, ...] = ("+1", "+52", "+54", "+56", "+57")
    starts: float = 14 * HOUR
    name: str = "seed_simulator"

    def plan(self, ground: Ground) -> Attack:
        """Draw the numbers and addresses of all workers in the order of their requests."""
        shots: list[Shot] = []
        phones: list[str] = []
        rate = self.requests_per_second * self.concurrent_workers
        for n in range(round(rate * self.duration_seconds)):
            if phones and ground.rng.random() < self.phone_reuse_ratio:
                phone = ground.rng.choice(phones)
            else:
                phone = self._new_phone(ground)
                phones.append(phone)
            shots.append(Shot(n / rate, phone, addresses.anywhere(ground.rng)))
        return Attack(self.name, "Seed simulator", self.starts, tuple(shots))

    def _new_phone(self, ground: Ground) -> str:
        while True:
            digits = f"{ground.rng.randrange(10**10):010d}"
            phone = ground.rng.choice(self.calling_codes) + digits
            if phone not in ground.owned:
                return phone

    def shortened(self, factor: float) -> SeedSimulator:
        """The same rate for a part of the time."""
        return replace(self, duration_seconds=self.duration_seconds * factor)
