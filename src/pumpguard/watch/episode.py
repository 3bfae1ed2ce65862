"""When an attack begins and ends, by what a fleet has refused; and what to tell a person of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pumpguard.alerts import Alert
from pumpguard.decision import Decision
from pumpguard.masking import Block

MINUTE, HOUR = 60, 3_600
NOW = 10
"""Minutes that are now: the window in which `send_spike` looks for a spike as well."""

LEAST, MANY = 50, 5
"""Refused requests within them, below which nothing is called an attack; and within a minute: with
the first such one it has begun."""

IN_ONE_BLOCK = 20
"""Of them to one block of 1,000 numbers. On the days of crowds that the harness plays, none had
more than three."""

SHARE = 0.005
"""Of the day's budget, that has to be refused within them."""

WORST = 3
"""The fleet's own past is the third worst hour of the last day: one attack does not hide the
next."""

CALM = 30
"""Minutes with less than half of such a share, after which an attack is over."""

COVERED = 0.8
"""Share of the refused dollars that the prefix of an order covers."""

BLOCKS, RULES, RANGES = 5, 4, 3
"""How many an alert names, those with the most dollars first."""

BEGINS, GOES_ON, OVER = "ATTACK_BEGINS", "ATTACK_GOES_ON", "ATTACK_OVER"

NO_SIGN = ("budget", "posture", "lists", "store")
"""Rules whose refusals are no sign of an attack: a spent budget refuses everybody, and people have
given the orders themselves."""

OTHER = "other"
"""Blocks beyond those that are told apart."""


@dataclass(slots=True)
class Sums:
    """Refused requests (``n``) and their dollars (``u``, in µ$); by block (``b country block n``
    and ``u``, the parts apart by tabs) and by rule (``r rule u``); new bans. Since a process is
    suspicious also how many it has refused (``an``) and let through (``a``) meanwhile, and the µ$
    that it has let through to blocks with refusals (``sent``)."""

    n: int = 0
    u: int = 0
    an: int = 0
    a: int = 0
    bans: int = 0
    sent: int = 0
    blocks: Counter[str] = field(default_factory=Counter)
    in_block: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    countries: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, buckets: Sequence[Mapping[str, int]]) -> Sums:
        """The sums of some buckets."""
        sums, plain = cls(), Counter[str]()
        for bucket in buckets:
            for name, amount in bucket.items():
                match name.split("\t"):
                    case ["b", country, block, "u"]:
                        sums.countries[country] += amount
                        if block != OTHER:
                            sums.blocks[block] += amount
                    case ["b", _, block, "n"] if block != OTHER:
                        sums.in_block[block] += amount
                    case ["r", rule, "u"]:
                        sums.rules[rule] += amount
                    case [_]:
                        plain[name] += amount
        sums.n, sums.u, sums.an, sums.a = (plain[name] for name in ("n", "u", "an", "a"))
        sums.bans, sums.sent = plain["bans"], plain["sent"]
        return sums


@dataclass(frozen=True, slots=True)
class Episode:
    """An attack under way: since when, until when it was seen, and how often it was told (Unix
    seconds)."""

    since: int
    seen: int
    told: int = 1


def no_sign(decision: Decision) -> bool:
    """Whether a refusal tells nothing of an attack."""
    finding = decision.finding
    if finding is None:
        return False
    # Who asks for his own number again and again is one person, and no block is to be denied.
    return finding.rule in NO_SIGN or finding.subject == decision.attempt.phone.e164


def begins(budget: float, past: Sequence[int], now: Sums) -> bool:
    """Whether what was refused within ten minutes is an attack. ``budget`` is the day's (USD),
    ``past`` what was refused (µ$) in each hour of the last day.

    It is as many dollars as in the third worst hour, and a share of the budget; and either one
    block is asked for again and again, or more is refused than let through. A crowd is neither.
    """
    worst = sorted(past, reverse=True)
    usual = worst[WORST - 1] if len(worst) >= WORST else 0
    if now.n < LEAST or now.u < max(usual, SHARE * budget * 1e6):
        return False
    one_block = max(now.in_block.values(), default=0) >= IN_ONE_BLOCK
    return one_block or (now.an >= LEAST and now.an > now.a)


def goes_on(budget: float, now: Sums) -> bool:
    """Whether one that has begun is still under way."""
    return now.n >= LEAST / 2 and now.u >= budget * 1e6 * SHARE / 2


def orders(sums: Sums) -> list[str]:
    """What to type: deny the narrowest prefix that covers most of it, or the few ranges of 100,000
    numbers that do, else ask its country for proof. None of them is given by itself."""
    if sums.blocks:
        total, block = sum(sums.blocks.values()), max(sums.blocks, key=sums.blocks.__getitem__)
        for length in range(len(block), 5, -1):
            prefix = block[:length]
            covered = sum(u for each, u in sums.blocks.items() if each.startswith(prefix))
            if covered >= COVERED * total:
                return [f"pumpguard lists deny prefix {prefix} --for 1d"]
        ranges = Counter[str]()
        for each, u in sums.blocks.items():
            ranges[each[:-2]] += u
        most = ranges.most_common(RANGES)
        if sum(u for _, u in most) >= COVERED * total:
            return [f"pumpguard lists deny prefix {each} --for 1d" for each, _ in most]
    if sums.countries:
        country, usd = sums.countries.most_common(1)[0]
        if usd >= sum(sums.countries.values()) / 2:
            return [f"pumpguard posture challenge_all --country {country} --for 1h"]
    return ["pumpguard posture challenge_all --for 1h"]


def told(code: str, sums: Sums, episode: Episode, now: float) -> Alert:
    """An alert about an attack, by what was refused since it began."""
    blocks = [block for block, _ in sums.blocks.most_common(BLOCKS)]
    rules = [rule for rule, _ in sums.rules.most_common(RULES)]
    evidence: dict[str, object] = {
        "since": episode.since, "refused": sums.n, "not_spent": round(sums.u / 1e6, 2),
        "spent": round(sums.sent / 1e6, 2), "bans": sums.bans,
        "blocks": [Block(each) for each in blocks],
        "countries": [country for country, _ in sums.countries.most_common(BLOCKS)],
        "rules": rules,
    }  # fmt: skip
    if code != OVER:
        evidence["orders"] = orders(sums)
    subject = Block(blocks[0]) if blocks else None
    return Alert(code, rules[0] if rules else "watch", evidence, subject, now)
