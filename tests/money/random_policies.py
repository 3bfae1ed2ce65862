"""Random small policies and attackers for `exposure_search`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random

from pumpguard.attempt import Attempt, Client, NetworkKind, Phone
from pumpguard.counters import Counter, Distinct, Reading, Spend, Window, micros
from pumpguard.decision import Action, Finding, Mode
from pumpguard.intake.phone import canonical
from pumpguard.rules import GeoMismatch, Network, Number, RateLimit, Rule, SlidingBan

REGIONS = {
    "GB": ("+44740000", "+44740001"),
    "JE": ("+44779700", "+44779702"),
    "US": ("+1201555", "+1201556"),
    "CA": ("+1613555", "+1613556"),
    "BD": ("+880181200", "+880181201"),
}
"""Two blocks of 10,000 numbers in each."""

LENGTHS = (60, 600, 1800, 2400, 3600, 5000, 7200, 43_200, 50_000, 86_400)
SUBJECTS: Sequence[str | tuple[str, ...]] = (
    "everything", "everything", "everything", "country", "country", "calling_code", "phone",
    "network", "site", "session", "client_country", "prefix:2", "prefix:4",
    ("network", "country"), ("phone", "network"), ("country", "session"),
)  # fmt: skip


class Declares(Rule):
    """A rule that declares what it is told, by what it sees of the attempt."""

    def __init__(
        self,
        name: str,
        usual: tuple[Counter, ...],
        spared: tuple[Counter, ...] = (),
        spares: str = "",
        mode: Mode = "enforce",
    ) -> None:
        super().__init__(name=name, mode=mode)
        self.usual, self.spared, self.spares = usual, spared, spares

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


def random_rule(random: Random, i: int) -> Rule:
    name = f"rule{i}"
    mode: Mode = "monitor" if random.random() < 0.1 else "enforce"
    match random.randrange(10):
        case 0:
            return _declaring(random, name, mode)
        case 1:
            return _distinct(random, name, mode)
        case 2:
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
        earned=random.choice([1, 1, 2, 3]),
        unverified=random.choice(["", "", "", f"{random.choice([1, 4])} per 7200 second"]),
        reserved=random.choice([0.0, 0.0, 0.0, 0.5, 1.0]),
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
    whole = Spend(name, by, limit, seconds, reserved=limit // 5)
    share = Spend(name, by, limit * 4 // 5, seconds, action=Action.CHALLENGE)
    return Declares(name, (share, whole), (whole,), "proved", mode)


def random_phone(random: Random) -> Phone:
    block = random.choice(random.choice(list(REGIONS.values())))
    return _phone(f"{block}{random.randrange(20):04}")


@cache
def _phone(e164: str) -> Phone:
    return canonical(e164)


def random_client(random: Random, i: int) -> Client:
    address = f"192.0.2.{i % 2 if random.random() < 0.3 else i}"
    site = random.choice([None, None, "2001:db8::/48"])
    country = random.choice([None, "GB", "US", "BD"])
    kinds: list[NetworkKind] = ["residential", "vpn", "unknown"]
    return Client(address, address, site, country, random.choice(kinds))
