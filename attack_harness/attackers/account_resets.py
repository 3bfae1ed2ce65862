"""Codes for accounts that exist: nobody signs up, and the numbers are those of real people."""

from __future__ import annotations

from dataclasses import dataclass, replace

import phonenumbers

from .. import addresses
from ..clock import HOUR
from ..countries import HOME
from ..numbering import mobile_number
from .base import Attack, Ground, Shot


@dataclass(frozen=True)
class AccountResets:
    """Password resets in a loop for numbers on file, from one address of its country for each.

    Whoever carries the messages earns by them, whoever owns the numbers: Twitter cut off 390
    operators with more than 10 % of fraud. The ForgotPassword flood of Atomic Red Team asks for
    the same account up to 20 times. Half of the accounts belong to people who come to the app on
    the same day, so limits that the attack uses up are missing when they ask for themselves; the
    other half are dormant. Defences of the sign-up form alone never see any of it.
    """

    accounts: int = 500
    resets: int = 12
    every: float = 300.0
    """Seconds between two resets of an account: behind every cooldown."""
    starts: float = 15 * HOUR
    name: str = "account_resets"

    def plan(self, ground: Ground) -> Attack:
        """Go round and round the accounts."""
        phones = self._on_file(ground)
        origin = {phone: addresses.residential(_region(phone), ground.rng) for phone in phones}
        shots = tuple(
            Shot(self.every * (n + place / len(phones)), phone, origin[phone])
            for n in range(self.resets)
            for place, phone in enumerate(phones)
        )
        victims = frozenset(phones) & ground.people
        return Attack(self.name, "Account resets", self.starts, shots, victims=victims)

    def _on_file(self, ground: Ground) -> list[str]:
        people = sorted(ground.people)
        awake = ground.rng.sample(people, min(len(people), self.accounts // 2))
        phones = dict.fromkeys(awake)
        weights = [country.weight for country in HOME.values()]
        while len(phones) < self.accounts:
            (country,) = ground.rng.choices(list(HOME), weights)
            phone = mobile_number(country, ground.rng)
            if phone not in ground.owned:
                phones[phone] = None
        return ground.rng.sample(list(phones), len(phones))

    def shortened(self, factor: float) -> AccountResets:
        """As often for each of fewer accounts, at the same rate for each."""
        return replace(self, accounts=max(2, round(self.accounts * factor)))


def _region(phone: str) -> str:
    """A country of the number that has addresses; small neighbours share their calling codes."""
    code = phonenumbers.parse(phone).country_code or 0
    region = phonenumbers.region_code_for_number(phonenumbers.parse(phone))
    known = addresses.known_countries()
    return region if region in known else phonenumbers.region_code_for_country_code(code)
