"""The default chain. Every threshold is published somewhere; the source stands beside it."""

from __future__ import annotations

from collections.abc import Sequence

from pumpguard.rules.base import HIGH_RISK, Rule
from pumpguard.rules.budget import Budget
from pumpguard.rules.default_lines import by_verifications
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

EARNED_ABROAD = 34
"""The same for numbers from elsewhere, of which everybody there has a quarter: what the home
country's 60 become at ten times, as far as exact times are kept. With 10, of 200 people behind one
new gateway in 20 minutes 53 were asked for proof (docs/trust.md)."""

AWAY_EARNED = 0.1
"""Of what was verified from elsewhere to a high-risk country: what may be unverified there before
proof is asked for. No source: as other countries' lines grow, from nothing."""

UNSENT_EARNED = 4
"""The same for attempts that send nothing: so many times 120 still have their exact times kept."""

VERIFIED_COUNTS = 0.05
"""Of its price, in the hour's share of the budget: a launch is paid for, and is no pumping. No
source: at a tenth, proof was asked for in a launch of twenty times the usual (docs/money.md).
Whoever verifies everything is held by the day's budget alone."""

FOR_CUSTOMERS = 0.9
"""Of each limit of a number, what its owner has beside what strangers may use up: of three messages
an hour two, and of one a minute none. No source."""

MINUTE, HOUR = 60, 3_600


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
            needs_challenge=True, ratio=AWAY_EARNED if verified else 0.0,
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
            except_regions=home, earned=EARNED_ABROAD if verified else 1,
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
        Spread(
            name="country_spread", by="network", of="country", limit=5, code="COUNTRY_SPREAD",
            except_relays=True,
        ),
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
            relaxed_regions=home, relaxed_factor=20, ask_first=True, reserved=0.25,
            unverified=verified,
        ),
        ShadowBan(strikes="3/hour", after=("prefix_pattern",)),
        # Authgear caps a high-risk country at 50 messages a day until its users verify. Where that
        # cannot be known they have more room; where it can, credit asks, earlier and for less long.
        RateLimit(
            name="country_limit", by="country", limits="100/hour; 400/day", regions=away,
            mode="off" if verified else "enforce",
        ),
        # A spike of 200 % in 10 minutes: the common checklist. It only says so.
        SendSpike(),
        # Where nobody can be known, nothing is kept for known numbers.
        Budget(
            day=daily_budget, reserved=0.2 if verified else 0.0,
            verified=VERIFIED_COUNTS if verified else 1.0,
        ),
        *(by_verifications(home, daily_budget, session=session, earned=EARNED) if verified else ()),
    )  # fmt: skip
