"""What the default chain makes of verifications: lines of credit, conversion, and who is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pumpguard.decision import Mode
from pumpguard.rules.base import Rule
from pumpguard.rules.conversion import Conversion
from pumpguard.rules.credit import LINES, SESSION_LINE, Credit
from pumpguard.rules.sliding_ban import SlidingBan

MINUTE, HOUR = 60, 3_600

VOUCHES = 0.7
"""What a verification pays back of others' debts, in its own price, before strangers are asked.
People enter 60 to 85 % of the codes (IronAuth): where three of five are entered, no crowd leaves a
debt. No source: at 0.5 as at 0.7 resets of accounts cost the same (92.1 and 92.0 % saved by
README's lines), at once the price they would pay (docs/money.md)."""

COUNTRY_SHARE, COUNTRY_RATIO = 0.1, 0.3
"""Of the daily budget, and of what was verified on the best day (Authgear's 0.3): what a country
may have outstanding."""

HOME_SHARE, HOME_RATIO = 0.25, 1.0
"""The same for a home country, and for any where no home is named: all users may live there, and
of 60 to 85 % of the messages the code is entered (IronAuth), so a usual day leaves up to 0.67 times
what was verified; of a budget of twice a busy day that is a fifth. With the shares of other
countries 39 % of the customers were refused where 61 % of the messages were verified."""

BLOCK_LINE = 0.4
"""USD for a block of 1,000 numbers: one message to a dear country, as to the dearest whatever it
costs, and two more to whoever gets no code. What a rented block earns its owner, its first messages
earn."""

RESERVED = 0.25
"""Of a line of credit as much, beside it, for customers; of those that ask once as much. No source:
customers pay back what they spend, so little has to be kept for them."""

NETWORK_FORGIVEN = 4 * HOUR
"""Seconds in which an address's whole line is forgiven. No source: over a day, a hundred messages
and four an hour refused all strangers behind an address for as long as somebody liked
(docs/lockout.md)."""

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

ABROAD_PART, ABROAD_PART_LEAST, AT_HOME = 1 / 1_200, 0.5, 5
"""The same for one of these countries, where nothing helps, so that it falls there before it falls
for all: as seen from networks of one kind elsewhere, and so many times that from anywhere. They
grow with what was verified on the best day, to a twentieth of it (docs/money.md). No source: one
country cannot have half of what all have together, nor twelve as seen from elsewhere all of it."""

WATCHED = ("prefix:3", "prefix:4", "prefix:6", "network")
"""Whose conversion is watched. Not that of countries: their lines ask for proof in dollars, at once
and for less long, where twenty messages of a cent had a whole country asked for half an hour."""

PROOF_WATCHED = ("prefix:6+client_abroad", "country+client_abroad")
"""Where it is watched whether those who prove that they are human enter their codes: ranges of a
million and countries as seen from elsewhere, by the kind of network. At home most are people, who
would be refused with the bots, and lines of credit refuse_for those."""


def by_verifications(
    home: Sequence[str], daily_budget: float, *, session: bool, earned: int
) -> tuple[Rule, ...]:
    """The rules of the default chain that need verifications, for ``daily_budget`` USD; addresses
    whose users verify may have ``earned`` times a ban's strikes."""
    lines = {**LINES, "prefix:3": BLOCK_LINE}
    network = {"network": lines.pop("network")}
    del lines["country"]
    if session:
        lines["session"] = SESSION_LINE
    home_asked = max(HOME_ASKED_LEAST, HOME_ASKED * daily_budget)
    asked = max(COUNTRY_ASKED_LEAST, COUNTRY_ASKED * daily_budget)
    abroad_asked = max(ABROAD_ASKED_LEAST, ABROAD_ASKED * daily_budget)
    abroad = max(ABROAD_CREDIT_LEAST, ABROAD_CREDIT * daily_budget)
    part = max(ABROAD_PART_LEAST, ABROAD_PART * daily_budget)
    share, ratio = (COUNTRY_SHARE, COUNTRY_RATIO) if home else (HOME_SHARE, HOME_RATIO)
    with_home: Mode = "enforce" if home else "off"
    # A line of so many hours grows with so much less of the best day.
    rules: tuple[Rule, ...] = (
        Credit(lines=lines, ask_first=True, reserved=RESERVED, mistyped="prefix:3"),
        replace(
            _of_a_day("home_day_credit", HOME_SHARE * daily_budget, HOME_RATIO),
            regions=home, mode=with_home,
        ),
        replace(
            _of_a_day("country_day_credit", share * daily_budget, ratio), except_regions=home
        ),
        Credit(
            name="network_credit", lines=network, seconds=NETWORK_FORGIVEN, ask_first=True,
            reserved=RESERVED, vouches=VOUCHES,
        ),
        replace(
            _asking("home_credit", {"country": home_asked}, HOUR // 2, 0.03),
            regions=home, mode=with_home, unasked=HOME_UNASKED,
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
            name="abroad_part", lines={"country+client_abroad": part, "country": AT_HOME * part},
            seconds=HOUR // 2, ratio=0.05, ask_first=True, except_regions=home, mode=with_home,
            reserved=RESERVED,
        ),
        Credit(
            name="abroad_credit", lines={"everything": abroad}, seconds=HOUR // 2, ratio=0.05,
            ask_first=True, except_regions=home, mode=with_home, reserved=RESERVED,
        ),
        # A relay's users are not asked as those of a VPN are, but where they do not verify.
        _asking("relay_credit", {"client_hidden": part}, HOUR // 2, 0.1),
        Conversion(by=WATCHED, refuse_for=20 * MINUTE, proof_by=PROOF_WATCHED, except_regions=home),
    )  # fmt: skip
    after = [rule.name for rule in rules if rule.mode != "off"]
    return (*rules, _unanswered(after, earned))


def _of_a_day(name: str, usd: float, ratio: float) -> Credit:
    """What a country may owe over a day, where proof does not help."""
    return Credit(name=name, lines={"country": usd}, ratio=ratio, ask_first=True, reserved=RESERVED)


def _asking(name: str, lines: Mapping[str, float], seconds: int, ratio: float) -> Credit:
    """A line that only asks for proof. It yields: who has had a message and comes again must not
    have all that is forgiven meanwhile."""
    return Credit(
        name=name, lines=lines, seconds=seconds, ratio=ratio,
        action="challenge", needs_challenge=True, yields=True, reserved=1.0, vouches=VOUCHES,
    )  # fmt: skip


def _unanswered(after: Sequence[str], earned: int) -> SlidingBan:
    """Whoever was asked for proof is asked for an hour, whatever is forgiven meanwhile: so the bots
    of an attack, which come again without it, cannot use that up before the people who come. An
    address whose users verify is let go."""
    return SlidingBan(
        name="unanswered", strikes="1/hour", after=after, base=HOUR, factor=1.0, memory=HOUR,
        action="challenge", challenges=True, needs_challenge=True, spare_proved=True, yields=True,
        earned=earned, except_known=True,
    )  # fmt: skip
