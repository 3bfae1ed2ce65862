"""Random small policies and attackers for `exposure_search`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from pumpguard.attempt import Attempt, Client, NetworkKind, Phone
from pumpguard.counters import Counter, Distinct, Reading, Spend, Window, micros
from pumpguard.decision import Action, Finding, Mode
from pumpguard.rules import KINDS, GeoMismatch, Network, Number, RateLimit, Rule, SlidingBan

REGIONS = {"GB": 44, "JE": 44, "US": 1, "CA": 1, "BD": 880}
LENGTHS = (60, 600, 1800, 2400, 3600, 5000, 7200, 43_200, 50_000, 86_400)
SUBJECTS: Sequence[str | tuple[str, ...]] = (
    "everything", "everything", "everything", "country", "country", "calling_code", "phone",
    "network", "site", "session", "client_country", "prefix:2", "prefix:4",
    ("network", "country"), ("phone", "network"), ("country", "session"),
)  # fmt: skip


@dataclass(frozen=True)
class Declares:
    """A rule that declares what it is told, by what it sees of the attempt."""

    name: str
    usual: tuple[Counter, ...]
    spared: tuple[Counter, ...] = ()
    spares: str = ""
    mode: Mode = "enforce"

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """Others for whoever it spares."""
        match self.spares:
            case "proved":
                spared = attempt.proved
            case "vpn":
                spared = attempt.client.kind == "vpn"
            case "session":
                spared = attempt.session is not None
            case "abroad":
                spared = attempt.client.country != attempt.phone.region
            case "region":
                spared = attempt.phone.region in ("US", "BD")
            case _:
                spared = False
        return self.spared if spared else self.usual

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """The action of whatever is full."""
        full = [c.action for c, r in zip(self.counters(attempt), readings, strict=False) if r.full]
        return Finding(self.name, max(full), "FULL") if full else None


def random_rule(random: Random, i: int, spend: bool) -> Rule:
    name = f"rule{i}"
    mode: Mode = "monitor" if random.random() < 0.1 else "enforce"
    match random.randrange(10):
        case 0:
            return _declaring(random, name, mode)
        case 1:
            return _distinct(random, name, mode)
        case 2 if spend:
            return _spending(random, name, mode)
        case 3:
            named: list[Rule] = [
                Number(name=name, refused_regions=[random.choice(list(REGIONS))], mode=mode),
                Network(name=name, mode=mode, only_countries=["GB", "US"]),
                GeoMismatch(name=name, action=random.choice(["challenge", "block"]), mode=mode),
                SlidingBan(name=name, strikes="5/hour", by="network", base=60, mode=mode),
            ]
            return random.choice(named)
    seconds = random.choice(LENGTHS)
    only, spared = random.choice([((), ()), ((), ()), (("US", "GB"), ()), ((), ("BD",))])
    return RateLimit(
        name=name,
        by=random.choice(SUBJECTS),
        limits=f"{random.choice([1, 2, 3, 5, 9, 11, 14])} per {seconds} second",
        action=random.choice(["throttle", "throttle", "block", "shadow", "challenge"]),
        counts=random.choice(["admissions", "admissions", "admissions", "attempts"]),
        regions=only,
        except_regions=spared,
        mode=mode,
    )


def _declaring(random: Random, name: str, mode: Mode) -> Rule:
    by, seconds = random.choice(["everything", "country", "phone"]), random.choice(LENGTHS)
    few, many = sorted(random.sample(range(1, 20), 2))
    stern = random.choice([Action.THROTTLE, Action.CHALLENGE])
    return Declares(
        name,
        (Window(name, by, few, seconds, stern),),
        (Window(name, by, many, seconds),) if random.random() < 0.8 else (),
        random.choice(["proved", "vpn", "session", "abroad", "region"]),
        mode,
    )


def _distinct(random: Random, name: str, mode: Mode) -> Rule:
    by = random.choice(["everything", "country", "calling_code", "network"])
    of = random.choice(["phone", "phone", "prefix:2", "network", "country"])
    counter = Distinct(name, by, random.randint(1, 4), random.choice(LENGTHS), of)
    return Declares(name, (counter,), mode=mode)


def _spending(random: Random, name: str, mode: Mode) -> Rule:
    by, seconds = random.choice(["everything", "country", "calling_code"]), random.choice(LENGTHS)
    limit = micros(random.choice([0.01, 0.1, 0.5, 2]))
    if "budget" in KINDS and random.random() < 0.5:
        budget = cast(Any, KINDS["budget"])
        return cast(Rule, budget(name=name, day=limit / 1e6, by=by, mode=mode))
    whole = Spend(name, by, limit, seconds, reserved=limit // 5)
    share = Spend(name, by, limit * 4 // 5, seconds, action=Action.CHALLENGE)
    return Declares(name, (share, whole), (whole,), "proved", mode)


def random_phone(random: Random) -> Phone:
    region, code = random.choice(list(REGIONS.items()))
    return Phone(
        f"+{code}{random.choice(['20000', '20001', '3111'])}{random.randrange(20):04}", region, code
    )


def random_client(random: Random, i: int) -> Client:
    address = f"192.0.2.{i % 2 if random.random() < 0.3 else i}"
    site = random.choice([None, None, "2001:db8::/48"])
    country = random.choice([None, "GB", "US", "BD"])
    kinds: list[NetworkKind] = ["residential", "vpn", "unknown"]
    return Client(address, address, site, country, random.choice(kinds))
