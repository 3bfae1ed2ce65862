"""Real users: who they are, and what they do when no code comes.

Everything about a user is drawn before the run, so the same person with the same patience meets
the app in both runs, and what happens to others changes nothing about them. The figures are those
of published measurements where there are any: 60 to 85 % of the codes are entered (72 % measured),
the median user needs 13.5 seconds to do so, 37 % ask again after a first message that never came;
carrier-grade NAT puts hundreds of people behind one address.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import phonenumbers

from .actors import Json, draws
from .addresses import residential
from .clock import DAY, HOUR, MIDNIGHT
from .countries import ABROAD, HOME, HOME_SHARE, HOURS, WEEK, Country
from .numbering import mobile_number

MAX_SENDS = 3
CGNAT_POOL = 200
"""People behind one address of a carrier-grade NAT."""

# Entry time: log-normal with median 13.5 s and 95th percentile 60 s.
_ENTRY_MU = math.log(13.5)
_ENTRY_SIGMA = math.log(60 / 13.5) / 1.645


@dataclass(frozen=True)
class Habits:
    """The shares of users who are or do something unusual."""

    travellers: float = 0.08
    cgnat: float = 0.25
    in_office: float = 0.04
    finish: float = 0.85
    impatient: float = 0.30
    refuse_challenge: float = 0.03
    try_again_when_blocked: float = 0.50
    unusual_spelling: float = 0.03
    retype_on_resend: float = 0.15


@dataclass(frozen=True)
class Crowd:
    """A launch, a promotion, a spot on television: many more users than usual for a while.

    No measurement of such spikes is published; ``factor`` times the usual number for 30 to 60
    minutes is an assumption. Otherwise they are users like all others: they live where users live,
    have the numbers that the carriers sold them, and enter their codes.
    """

    name: str
    starts: float
    """Seconds after midnight."""
    seconds: float = 2_700.0
    factor: float = 5.0

    def holds(self, at: float) -> bool:
        """Whether a moment lies within it."""
        return self.starts <= at - MIDNIGHT < self.starts + self.seconds


class Patience(NamedTuple):
    """How a user reacts, drawn once."""

    finishes: bool
    enters_after: float
    resends_after: tuple[float, ...]
    solves: bool
    solves_after: float
    tries_again: bool


@dataclass(frozen=True, slots=True)
class User:
    """One person who wants one code."""

    number: int
    at: float
    country: str
    phone: str
    address: str
    groups: frozenset[str]
    """``cgnat``, ``office``, ``traveller``, a crowd or look-alike: what may look suspicious."""
    typed: tuple[Json, ...]
    """The number as typed at each send."""
    patience: Patience


def population(
    seed: int,
    size: int,
    habits: Habits | None = None,
    *,
    days: int = 1,
    crowds: Sequence[Crowd] = (),
) -> list[User]:
    """The users of one day or more, by the time at which they come; ``size`` is a Tuesday's."""
    habits = habits or Habits()
    town = Town(seed, size, habits)
    taken: set[str] = set()
    users: list[User] = []
    for day in range(days):
        for _ in range(_count(seed, size, day)):
            user = _user(len(users), town, draws(seed, "user", len(users)), taken)
            users.append(replace(user, at=user.at + day * DAY) if day else user)
    for crowd in crowds:
        users += list(_crowd(seed, crowd, town, users, taken))
    return sorted(users, key=lambda user: (user.at, user.number))


def _count(seed: int, size: int, day: int) -> int:
    # Poisson by its normal approximation; which hour each user comes at is then independent.
    expected = size * WEEK[day % len(WEEK)]
    rng = draws(seed, "population", day) if day else draws(seed, "population")
    return max(1, round(rng.gauss(expected, math.sqrt(expected))))


def _crowd(
    seed: int, crowd: Crowd, town: Town, users: Sequence[User], taken: set[str]
) -> Iterator[User]:
    """The users who come beside the usual ones: most of them soon after its start."""
    usual = sum(crowd.holds(user.at) for user in users)
    for n in range(round(usual * (crowd.factor - 1))):
        rng = draws(seed, f"crowd:{crowd.name}", n)
        user = _user(len(users) + n, town, rng, taken)
        after = rng.triangular(0, crowd.seconds, crowd.seconds / 5)
        at = round(MIDNIGHT + crowd.starts + after, 3)
        yield replace(user, at=at, groups=user.groups | {crowd.name})


class Town:
    """The addresses that people share: carrier-grade NAT pools and offices."""

    OFFICES = ("GB", "US", "DE")

    def __init__(self, seed: int, size: int, habits: Habits) -> None:
        self.habits = habits
        self.pools = {
            country: self._pool(seed, country, size * share) for country, share in _shares().items()
        }
        self.offices = {c: residential(c, draws(seed, f"office:{c}")) for c in self.OFFICES}

    def _pool(self, seed: int, country: str, people: float) -> list[str]:
        rng = draws(seed, f"cgnat:{country}")
        addresses = max(1, round(people * self.habits.cgnat / CGNAT_POOL))
        return [residential(country, rng) for _ in range(addresses)]


@cache
def _shares() -> Mapping[str, float]:
    """The part of all users who live in each country."""

    def within(group: Mapping[str, Country], share: float) -> dict[str, float]:
        total = sum(country.weight for country in group.values())
        return {code: share * c.weight / total for code, c in group.items()}

    return within(HOME, HOME_SHARE) | within(ABROAD, 1 - HOME_SHARE)


def _pick(rng: random.Random, shares: Mapping[str, float]) -> str:
    (country,) = rng.choices(list(shares), weights=list(shares.values()))
    return country


def _user(number: int, town: Town, rng: random.Random, taken: set[str]) -> User:
    country = _pick(rng, _shares())
    phone = mobile_number(country, rng)
    while phone in taken:
        phone = mobile_number(country, rng)
    taken.add(phone)
    local_hour, at = _arrival(country, rng)
    address, groups = _where(country, local_hour, town, rng)
    return User(
        number,
        MIDNIGHT + at,
        country,
        phone,
        address,
        groups,
        _typed(phone, town.habits, rng),
        patience(town.habits, rng),
    )


def _arrival(country: str, rng: random.Random) -> tuple[float, float]:
    """The local hour, and seconds after midnight UTC."""
    (hour,) = rng.choices(range(24), weights=HOURS)
    local = hour + rng.random()
    ahead = (HOME.get(country) or ABROAD[country]).ahead
    return local, round((local - ahead) * HOUR % DAY, 3)


def _where(
    country: str, local_hour: float, town: Town, rng: random.Random
) -> tuple[str, frozenset[str]]:
    habits, kind = town.habits, rng.random()
    if kind < habits.travellers:
        elsewhere = _pick(rng, {c: s for c, s in _shares().items() if c != country})
        return residential(elsewhere, rng), frozenset({"traveller"})
    if kind < habits.travellers + habits.cgnat:
        return rng.choice(town.pools[country]), frozenset({"cgnat"})
    if country in town.offices and 9 <= local_hour < 17 and rng.random() < habits.in_office:
        return town.offices[country], frozenset({"office"})
    return residential(country, rng), frozenset()


def patience(habits: Habits, rng: random.Random) -> Patience:
    """One person's, drawn from the habits of all."""
    return Patience(
        finishes=rng.random() < habits.finish,
        enters_after=round(min(240.0, rng.lognormvariate(_ENTRY_MU, _ENTRY_SIGMA)), 3),
        resends_after=tuple(_resends_after(habits, rng) for _ in range(MAX_SENDS)),
        solves=rng.random() >= habits.refuse_challenge,
        solves_after=round(rng.uniform(4, 15), 3),
        tries_again=rng.random() < habits.try_again_when_blocked,
    )


def _resends_after(habits: Habits, rng: random.Random) -> float:
    low, high = (30, 60) if rng.random() < habits.impatient else (60, 90)
    return round(rng.uniform(low, high), 3)


def _typed(phone: str, habits: Habits, rng: random.Random) -> tuple[Json, ...]:
    """How the number is typed at each send: nearly always plainly."""
    plain = {"phone": phone}
    other = spelled(phone, rng)
    if rng.random() < habits.unusual_spelling:
        return (other,) * MAX_SENDS
    if rng.random() < habits.retype_on_resend:
        return (plain, *(other,) * (MAX_SENDS - 1))
    return (plain,) * MAX_SENDS


def spelled(phone: str, rng: random.Random) -> Json:
    """The same number in another spelling that people really use."""
    parsed = phonenumbers.parse(phone)
    spaced = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.national_significant_number(parsed)
    return rng.choice(
        (
            {"phone": spaced},
            {"phone": spaced.replace(" ", "-")},
            {"phone": "00" + phone[1:]},
            {"code": str(parsed.country_code), "phone": national},
            {"code": f"+{parsed.country_code}", "phone": national},
        )
    )
