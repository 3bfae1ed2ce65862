"""The default chain. Every threshold is published somewhere; the source stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pumpguard.decision import Mode
from pumpguard.rules.base import HIGH_RISK, Rule
from pumpguard.rules.budget import Budget
from pumpguard.rules.conversion import Conversion
from pumpguard.rules.credit import LINES, SESSION_LINE, Credit
from pumpguard.rules.geo_mismatch import GeoMismatch
from pumpguard.rules.network import Network
from pumpguard.rules.number import Number
from pumpguard.rules.prefix_pattern import PrefixPattern
from pumpguard.rules.rate_limit import RateLimit
from pumpguard.rules.send_spike import SendSpike
from pumpguard.rules.sliding_ban import ShadowBan, SlidingBan
from pumpguard.rules.spread import Spread
from pumpguard.rules.unsent_limit import UnsentLimit

DAILY_BUDGET = 500.0
"""USD a day. No app has it by chance right: set about twice what a busy day costs."""

EARNED = 10
"""How many times its limits an address may have whose users verify: hundreds of people share one
behind carrier NAT (Cloudflare, 2025)."""

UNSENT_EARNED = 4
"""The same for attempts that send nothing: so many times 120 still have their exact times kept."""

VERIFIED_COUNTS = 0.2
"""Of its price, in the hour's share of the budget: a launch is paid for, and is no pumping. No
source: at a quarter, twenty times the usual for forty minutes came to where proof is asked for
(measured: docs/money.md). Whoever verifies everything may so spend five times the hour's share."""

VOUCHES = 0.5
"""What a verification pays back of others' debts to a home country, in its own price, before its
strangers are asked. No source: where two of three codes are entered, no crowd leaves a debt; people
enter 60 to 85 % (IronAuth). At once the price, resets of accounts would pay (docs/money.md)."""

COUNTRY_SHARE = 0.1
"""Of the daily budget: what a country may have outstanding before any of it was verified."""

BLOCK_LINE = 0.4
"""USD for a block of 1,000 numbers: one message to the dearest countries (36 cents), and two more
to whoever gets no code. What a rented block earns its owner, its first messages earn."""

FOR_CUSTOMERS = 0.9
"""Of each limit of a number, what its owner has beside what strangers may use up: of three messages
an hour two, and of one a minute none. No source."""

RESERVED = 0.25
"""The same of lines of credit, and of those that ask once as much. No source: customers pay back
what they spend, so little has to be kept for them."""

MINUTE, HOUR = 60, 3_600

HOME_ASKED, HOME_ASKED_LEAST = 0.0007, 0.4
"""Of the daily budget, and USD at least: what a home country may have outstanding, of half an hour,
before its strangers are asked for proof. No source: a day's users owe it a fifth of that at the
busiest hour (measured: docs/scorecard.md), and resets of existing accounts all of it at once."""

HOME_UNASKED = 3.0
"""How many times that may be outstanding before strangers are refused, where none can be asked."""

COUNTRY_ASKED, COUNTRY_ASKED_LEAST = 0.0025, 1.0
"""The same for any other country, of two hours. Authgear warns at 5 to 50 unverified messages an
hour (a sixth of 30 and of 300 a day) to a country of middle and low risk: of this order."""

RISKY_ASKED = 0.6
"""The part of that for high-risk countries: Authgear halves what middle ones have."""

ABROAD_ASKED, ABROAD_ASKED_LEAST = 1 / 600, 1.0
ABROAD_CREDIT, ABROAD_CREDIT_LEAST = 1 / 100, 5.0
"""Of the daily budget, and USD at least: what all countries but the home ones may have outstanding
together, of half an hour, before proof is asked for, and before nothing helps. No source: whoever
asks a little of each country is far below every limit of one, and without these spent the hour's
budget, which is everybody's. A thirtieth in place of the hundredth lost three times as much and
served no more people (country spray, 4,000 users: $60 and $18; 8 and 6, 6 and 8 without a code)."""

WATCHED = ("prefix:3", "prefix:4", "prefix:6", "network")
"""Whose conversion is watched. Not that of countries: their lines ask for proof in dollars, at once
and for less long, where twenty messages of a cent had a whole country asked for half an hour."""


def default_rules(
    home: Sequence[str] = (),
    *,
    daily_budget: float = DAILY_BUDGET,
    verified: bool = False,
    session: bool = False,
) -> tuple[Rule, ...]:
    """The rules of a policy that names none, for an app whose users mostly live in ``home``.

    ``verified`` says that verifications are reported, without which credit and conversion would
    hold everybody for an attacker, and ``session`` that sessions are known.
    """
    away = tuple(region for region in HIGH_RISK if region not in home)
    earned = EARNED if verified else 1
    return (
        Number(),
        Network(),
        # Up to 8 % of real users travel; proof from all of them is the most that this chain would
        # ask of anybody. So from where fraud is rare, only more of them than usual are asked.
        GeoMismatch(
            limits="6/hour; 24/day", strict_regions=away, relaxed_regions=home,
            needs_challenge=True,
        ),
        # Cooldown of 60 s and 5 to 10 a day: the common checklist; 3 an hour: IronAuth; 10 a week:
        # Flipdish engineering. Whoever signs in with a code does so several times a day: what was
        # verified counts for the hour, and for the checklist's 10 a day twice. Strangers can name
        # any number, so its owner has more from where it was verified.
        RateLimit(
            name="phone_limit", by="phone", limits="1/minute; 3/hour; 20/day",
            unverified="5/day; 10 per 7 days", reserved=FOR_CUSTOMERS,
        ),
        # 10 to 15 an hour and 50 a day per address: the common checklist. Hundreds of people share
        # an address behind carrier NAT, so these ask for proof, leave room for phones from home,
        # and a wider ceiling refuses.
        RateLimit(
            name="network_limit", by="network", limits="15/hour; 50/day", action="challenge",
            except_regions=home, earned=earned,
        ),
        RateLimit(
            name="home_network_limit", by="network", limits="60/hour; 300/day", action="challenge",
            regions=home, mode="enforce" if home else "off", earned=earned,
        ),
        RateLimit(
            name="network_ceiling", by="network", limits="120/hour; 500/day", earned=earned,
            reserved=0.5,
        ),
        RateLimit(
            name="site_limit", by="site", limits="60/hour; 300/day", action="challenge",
            earned=earned, unasked=2,
        ),
        # More than 5 phone countries per address and day: Authgear.
        Spread(name="country_spread", by="network", of="country", limit=5, code="COUNTRY_SPREAD"),
        # What sends nothing costs nothing and is given back, but for this.
        UnsentLimit(
            by=("network", "session") if session else ("network",),
            earned=UNSENT_EARNED if verified else 1,
        ),
        # 50 requests in 5 minutes from one address: Elastic's detection of MITRE T1496.003, whose
        # false positives are lecture halls and carrier NAT. Those verify, or prove that somebody is
        # there; a flood does neither, and meets the ceiling above if it buys its proofs.
        SlidingBan(
            name="burst_ban", strikes="50 per 5 minute", base=HOUR, action="challenge",
            spare_proved=True, earned=earned,
        ),
        # No source for ten an hour. What gives strikes is refused in any case, one request at a
        # time, and costs nothing. People mistype numbers, and one of hundreds at an address may do
        # so on purpose: so the ban only asks strangers there, for as long as it goes on, and nobody
        # while the address's users verify.
        SlidingBan(
            name="strike_ban", strikes="10/hour", factor=1.0, action="challenge", earned=earned,
            after=("number", "prefix_pattern", "range_pattern", "network_ceiling"),
            yields=verified, except_known=verified,
        ),
        # Blocks of 1,000: achrafsouk/sms-pumping drops the last three digits and warns above 10 a
        # day; narrower blocks and neighbours bind earlier.
        PrefixPattern(
            neighbours=3, distance=10, seconds=25 * MINUTE,
            blocks={"100": "4/hour; 10/day", "1000": "8/hour; 24/day"}, ask_first=True,
            reserved=1.5,
        ),
        # Wider ranges, down from Coss (last four digits dropped) to a carrier's range; 12 and 40 an
        # hour, counted in 25 minutes, so that neighbours are served half an hour after an attack.
        PrefixPattern(
            name="range_pattern",
            blocks={"10000": "5 per 25 minute; 40/day", "100000": "16 per 25 minute; 150/day"},
            relaxed_regions=home, ask_first=True, reserved=0.25,
        ),
        ShadowBan(strikes="3/hour", after=("prefix_pattern",)),
        # Authgear caps a high-risk country at 50 messages a day until its users verify. Where that
        # cannot be known they have more room, and where it is, credit refuses earlier and for less
        # long.
        RateLimit(
            name="country_limit", by="country", limits="100/hour; 400/day", regions=away,
            action="challenge" if verified else "throttle",
        ),
        # A spike of 200 % in 10 minutes: the common checklist. It only says so.
        SendSpike(),
        # Where nobody can be known, nothing is kept for known numbers.
        Budget(
            day=daily_budget, reserved=0.2 if verified else 0.0,
            verified=VERIFIED_COUNTS if verified else 1.0,
        ),
        *(_by_verifications(home, daily_budget, session) if verified else ()),
    )  # fmt: skip


def _by_verifications(home: Sequence[str], daily_budget: float, session: bool) -> tuple[Rule, ...]:
    lines = {**LINES, "prefix:3": BLOCK_LINE, "country": COUNTRY_SHARE * daily_budget}
    if session:
        lines["session"] = SESSION_LINE
    home_asked = max(HOME_ASKED_LEAST, HOME_ASKED * daily_budget)
    asked = max(COUNTRY_ASKED_LEAST, COUNTRY_ASKED * daily_budget)
    abroad_asked = max(ABROAD_ASKED_LEAST, ABROAD_ASKED * daily_budget)
    abroad = max(ABROAD_CREDIT_LEAST, ABROAD_CREDIT * daily_budget)
    with_home: Mode = "enforce" if home else "off"
    # A line of so many hours grows with so much less of the best day.
    rules: tuple[Rule, ...] = (
        Credit(lines=lines, ask_first=True, reserved=RESERVED),
        replace(
            _asking("home_credit", {"country": home_asked}, HOUR // 2, 0.03),
            regions=home, mode=with_home, vouches=VOUCHES, unasked=HOME_UNASKED,
        ),
        replace(
            _asking("country_credit", {"country": asked}, 2 * HOUR, 0.1),
            high_risk_factor=RISKY_ASKED, except_regions=home,
        ),
        replace(
            _asking("abroad_challenge", {"everything": abroad_asked}, HOUR // 2, 0.015),
            except_regions=home, mode=with_home,
        ),
        Credit(
            name="abroad_credit", lines={"everything": abroad}, seconds=HOUR // 2, ratio=0.05,
            ask_first=True, except_regions=home, mode=with_home, reserved=RESERVED,
        ),
        Conversion(by=WATCHED, hold=20 * MINUTE),
    )  # fmt: skip
    return (*rules, _unanswered([rule.name for rule in rules if rule.mode != "off"]))


def _asking(name: str, lines: Mapping[str, float], seconds: int, ratio: float) -> Credit:
    """A line that only asks for proof. It yields: who has had a message and comes again must not
    have all that is forgiven meanwhile."""
    return Credit(
        name=name, lines=lines, seconds=seconds, ratio=ratio,
        action="challenge", needs_challenge=True, yields=True, reserved=1.0,
    )  # fmt: skip


def _unanswered(after: Sequence[str]) -> SlidingBan:
    """Whoever was asked for proof is asked for an hour, whatever is forgiven meanwhile: so the bots
    of an attack, which come again without it, cannot use that up before the people who come. An
    address whose users verify is let go."""
    return SlidingBan(
        name="unanswered", strikes="1/hour", after=after, base=HOUR, factor=1.0, memory=HOUR,
        action="challenge", challenges=True, needs_challenge=True, spare_proved=True, yields=True,
        earned=EARNED, except_known=True,
    )  # fmt: skip
